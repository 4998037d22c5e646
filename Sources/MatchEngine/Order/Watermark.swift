import RuleModel

/// How far event time has come, from what the sources have delivered (T2).
struct Watermark: Sendable {
    private struct Source: Sendable {
        var lateness: TimeSpan
        var latest = Timestamp.distantPast
        var isIdle = false
        var isClosed = false
    }

    private var sources: [Source]
    /// Nothing older than this is taken; never goes back.
    private(set) var time = Timestamp.distantPast
    /// Whether no source may be out of order, so that arrival order is the order of processing.
    let isArrivalOrder: Bool

    init(lateness: [TimeSpan]) {
        sources = lateness.map { Source(lateness: max($0, .zero)) }
        isArrivalOrder = lateness.allSatisfy { $0 <= .zero }
    }

    /// Where an event of a source stands in the order; nil when it is late (T3).
    ///
    /// An event of a source that may not be out of order is never late: it stands where the one
    /// before it stood.
    mutating func admit(_ time: Timestamp, from source: Int) -> Timestamp? {
        grow(to: source)
        sources[source].isIdle = false
        let lateness = sources[source].lateness
        if lateness > .zero, time < self.time { return nil }
        let place = lateness > .zero ? time : max(time, sources[source].latest, self.time)
        sources[source].latest = max(sources[source].latest, time)
        update()
        return place
    }

    /// Takes events of a source that come in order, if none of them is late or behind an earlier one: then
    /// each stands where its time says.
    ///
    /// - Parameters:
    ///   - first: The time of the first of them.
    ///   - last: That of the last.
    mutating func admitInOrder(_ first: Timestamp, _ last: Timestamp, from source: Int) -> Bool {
        grow(to: source)
        guard first >= time, first >= sources[source].latest else { return false }
        sources[source].isIdle = false
        sources[source].latest = last
        update()
        return true
    }

    mutating func close(_ source: Int) {
        grow(to: source)
        sources[source].isClosed = true
        update()
    }

    mutating func markIdle(_ source: Int) {
        grow(to: source)
        sources[source].isIdle = true
        update()
    }

    /// Moves on without an event.
    mutating func advance(to time: Timestamp) { self.time = max(self.time, time) }

    /// Whether a source is left that may still deliver events in order.
    var isOpen: Bool { sources.contains { !$0.isClosed && !$0.isIdle } }

    /// Whether every source has said that nothing more comes.
    var hasEnded: Bool { !sources.isEmpty && sources.allSatisfy(\.isClosed) }

    /// The latest event of a source; nil before its first.
    func latest(of source: Int) -> Timestamp? {
        guard source < sources.count, sources[source].latest != .distantPast else { return nil }
        return sources[source].latest
    }

    /// The latest event of all.
    var end: Timestamp? { sources.map(\.latest).max() }

    // MARK: - Snapshot

    /// How late the events of each source may be is an option and not written.
    func write(to writer: inout StateWriter) {
        writer.write(time)
        writer.write(sources.count)
        for source in sources {
            writer.write(source.latest)
            writer.write(source.isIdle)
            writer.write(source.isClosed)
        }
    }

    /// Whoever goes on says again which sources are closed: one that had ended may have grown.
    mutating func restore(from reader: inout StateReader) throws(SnapshotError) {
        time = try reader.read()
        let count = try reader.count()
        guard count <= Int(UInt16.max) + 1 else { throw reader.damaged("too many sources") }
        for index in 0..<count {
            grow(to: index)
            sources[index].latest = try reader.read()
            sources[index].isIdle = try reader.bool()
            _ = try reader.bool()
        }
    }

    // MARK: - Sources

    private mutating func grow(to source: Int) {
        while sources.count <= source { sources.append(Source(lateness: .zero)) }
    }

    private mutating func update() {
        var least: Timestamp?
        for source in sources where !source.isClosed && !source.isIdle {
            let reached =
                source.latest == .distantPast ? .distantPast : source.latest - source.lateness
            least = min(least ?? reached, reached)
        }
        if let least { time = max(time, least) }
    }
}
