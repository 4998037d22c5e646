import RuleModel

/// What is there of one member of a correlation: the events of the last `within`, and the alerts
/// that have begun and not ended (C5). Both in T0 order.
struct MemberWindow: Sendable {
    struct Interval: Sendable {
        /// The alert's id: its end has the same.
        var id: Value
        var beginning: CapturedEvent
        /// The last instant at which it is there; nil while it lasts.
        var end: Timestamp?
    }

    private var points = Queue<CapturedEvent>()
    private var intervals: [Interval] = []

    var isEmpty: Bool { points.isEmpty && intervals.isEmpty }
    var count: Int { points.count + intervals.count }
    /// The latest event that is there.
    var newest: CapturedEvent? {
        guard let interval = intervals.last else { return points.last }
        guard let point = points.last else { return interval.beginning }
        return point.ordinal > interval.beginning.ordinal ? point : interval.beginning
    }

    mutating func append(_ event: CapturedEvent) { points.append(event) }

    mutating func begin(_ id: Value, with event: CapturedEvent) {
        intervals.append(Interval(id: id, beginning: event))
    }

    /// An alert ends. It is still there at that instant, as an event is at the end of its window.
    mutating func end(_ id: Value, at time: Timestamp) {
        guard let place = intervals.firstIndex(where: { $0.id == id && $0.end == nil }) else {
            return
        }
        intervals[place].end = time
    }

    // MARK: - Leaving

    /// Drops what is no longer there behind an instant.
    mutating func leave(upTo time: Timestamp, within: TimeSpan) {
        while let first = points.first, first.instant + within <= time { points.removeFirst() }
        if intervals.contains(where: { ($0.end ?? .distantFuture) <= time }) {
            intervals.removeAll { ($0.end ?? .distantFuture) <= time }
        }
    }

    /// The last instant at which an event of this window is there.
    func end(of event: CapturedEvent, within: TimeSpan) -> Timestamp {
        let interval = intervals.first { $0.beginning.ordinal == event.ordinal }
        return interval.map { $0.end ?? .distantFuture } ?? event.instant + within
    }

    /// Whether it is an alert that lasts.
    func lasts(_ event: CapturedEvent) -> Bool {
        intervals.contains { $0.beginning.ordinal == event.ordinal }
    }

    /// When the last of its events leaves, and the first of its alerts whose end is known.
    func lastEnd(within: TimeSpan) -> Timestamp? { points.last.map { $0.instant + within } }
    var firstKnownEnd: Timestamp? { intervals.compactMap(\.end).min() }

    mutating func remove(_ event: CapturedEvent) {
        points.removeAll { $0.ordinal == event.ordinal }
        intervals.removeAll { $0.beginning.ordinal == event.ordinal }
    }

    /// Drops the oldest event, or the oldest alert where there are only alerts.
    mutating func removeOldest() {
        if points.isEmpty {
            if !intervals.isEmpty { intervals.removeFirst() }
        } else {
            points.removeFirst()
        }
    }

    // MARK: - Looking

    /// The latest event, or the latest beginning of an alert that is there.
    var latest: CapturedEvent? { later(points.last, intervals.last?.beginning) }

    /// The latest that is early enough.
    ///
    /// - Parameter isEarly: Holds for all events up to some place in T0 order, and for none behind it.
    /// - Complexity: O(log n) for events, O(n) for alerts.
    func latest(where isEarly: (CapturedEvent) -> Bool) -> CapturedEvent? {
        var lower = 0
        var upper = points.count
        while lower < upper {
            let middle = (lower + upper) / 2
            if isEarly(points[middle]) { lower = middle + 1 } else { upper = middle }
        }
        let interval = intervals.last { isEarly($0.beginning) }
        return later(lower > 0 ? points[lower - 1] : nil, interval?.beginning)
    }

    /// The latest events and alerts but one, at most so many, in T0 order.
    func latest(_ number: Int, without event: CapturedEvent) -> [CapturedEvent] {
        let all =
            (points.elements.suffix(number + 1) + intervals.map(\.beginning).suffix(number + 1))
            .filter { $0.ordinal != event.ordinal }
        return all.sorted { $0.ordinal < $1.ordinal }.suffix(number)
    }

    private func later(_ first: CapturedEvent?, _ second: CapturedEvent?) -> CapturedEvent? {
        guard let first else { return second }
        guard let second else { return first }
        return first.ordinal < second.ordinal ? second : first
    }

    // MARK: - Snapshot

    init() {}

    func write(to writer: inout StateWriter) {
        writer.write(points.count)
        for point in points.elements { point.write(to: &writer) }
        writer.write(intervals.count)
        for interval in intervals {
            writer.write(interval.id)
            interval.beginning.write(to: &writer)
            writer.write(interval.end)
        }
    }

    init(from reader: inout StateReader, by captures: CaptureReading) throws(SnapshotError) {
        func isInOrder(_ event: CapturedEvent, behind last: CapturedEvent?) -> Bool {
            guard let last else { return true }
            return event.instant >= last.instant && event.ordinal > last.ordinal
        }
        for _ in 0..<(try reader.count()) {
            let event = try CapturedEvent(from: &reader, by: captures)
            guard isInOrder(event, behind: points.last) else {
                throw reader.damaged("events that are not in order")
            }
            points.append(event)
        }
        for _ in 0..<(try reader.count()) {
            let interval = Interval(
                id: try reader.read(), beginning: try CapturedEvent(from: &reader, by: captures),
                end: try reader.readOptional())
            guard isInOrder(interval.beginning, behind: intervals.last?.beginning) else {
                throw reader.damaged("alerts that are not in order")
            }
            intervals.append(interval)
        }
    }
}
