import RuleModel

/// What rules with `risk` have put on each entity in the last 24 hours.
struct RiskScores: Sendable {
    private struct Entity: Hashable {
        var name: String
        var value: Value
    }

    private struct Entry: Sendable {
        var time: Timestamp
        var points: Double
    }

    private var entries: [Entity: [Entry]] = [:]
    /// When entities without points of late were last looked for.
    private var swept = Timestamp.distantPast

    /// How long points count.
    static let memory = TimeSpan.day

    /// Adds points at an instant and returns what the entity has come to, these included.
    ///
    /// - Complexity: linear in the points of the entity within the memory; now and then in all.
    mutating func add(
        _ points: Double, to value: Value, of name: String, at time: Timestamp
    ) -> Double {
        sweep(at: time)
        let entity = Entity(name: name, value: value)
        var list = entries[entity] ?? []
        list.removeAll { $0.time + RiskScores.memory < time }
        list.append(Entry(time: time, points: points))
        entries[entity] = list
        return list.reduce(0) { $0 + $1.points }
    }

    // MARK: - Snapshot

    func write(to writer: inout StateWriter) {
        writer.write(swept)
        writer.write(sorted: entries) { entry, writer in
            writer.write(entry.key.name)
            writer.write(entry.key.value)
            writer.write(entry.value.count)
            for entry in entry.value {
                writer.write(entry.time)
                writer.write(entry.points)
            }
        }
    }

    /// Adds the points that a snapshot holds. Those of one kind of entity are all in one shard.
    mutating func restore(from reader: inout StateReader) throws(SnapshotError) {
        swept = max(swept, try reader.read())
        for _ in 0..<(try reader.count()) {
            let entity = Entity(name: try reader.string(), value: try reader.read())
            var list = entries[entity] ?? []
            for _ in 0..<(try reader.count()) {
                list.append(Entry(time: try reader.read(), points: try reader.double()))
            }
            entries[entity] = list
        }
    }

    /// Drops entities whose points are all forgotten, once an hour of event time.
    private mutating func sweep(at time: Timestamp) {
        guard swept == .distantPast || swept + .hour <= time else { return }
        swept = time
        entries = entries.filter { entry in
            entry.value.last.map { $0.time + RiskScores.memory >= time } ?? false
        }
    }
}
