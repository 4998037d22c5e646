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

    /// When points were dropped for a limit last.
    private var droppedAt: Timestamp?

    /// How long points count.
    static let memory = TimeSpan.day

    /// What an entity has come to.
    struct Score {
        var points: Double
        /// How many points, or entities with all of theirs, were dropped to make room.
        var dropped: Int
        /// Whether points of the entity may have been dropped while they counted.
        var isDoubtful: Bool
    }

    /// Adds points at an instant: what the entity has come to, these included.
    ///
    /// - Complexity: linear in the points of the entity within the memory; now and then in all.
    mutating func add(
        _ points: Double, to value: Value, of name: String, at time: Timestamp,
        limits: EngineLimits
    ) -> Score {
        sweep(at: time)
        let entity = Entity(name: name, value: value)
        var list = entries.removeValue(forKey: entity) ?? []
        list.removeAll { $0.time + RiskScores.memory < time }
        var dropped = list.isEmpty ? makeRoom(limits.riskEntities) : 0
        if list.count >= max(1, limits.pointsPerEntity) {
            dropped += 1
            list.removeFirst()
        }
        if dropped > 0 { droppedAt = time }
        list.append(Entry(time: time, points: points))
        entries[entity] = list
        return Score(
            points: list.reduce(0) { $0 + $1.points }, dropped: dropped,
            isDoubtful: droppedAt.map { $0 + RiskScores.memory >= time } ?? false)
    }

    /// Drops a tenth of the entities, those without points for longest, when there is no room for one
    /// more.
    private mutating func makeRoom(_ limit: Int) -> Int {
        guard entries.count >= max(1, limit) else { return 0 }
        let latest = entries.values.compactMap(\.last?.time).sorted()
        let cut = latest[latest.count / 10]
        let before = entries.count
        entries = entries.filter { ($0.value.last?.time ?? cut) > cut }
        return before - entries.count
    }

    // MARK: - Snapshot

    func write(to writer: inout StateWriter) {
        writer.write(swept)
        writer.write(droppedAt ?? .distantPast)
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
    ///
    /// - Parameter form: Of the engine's section.
    /// Adds what a snapshot holds.
    ///
    /// - Parameter isKept: Whether points of that name are this shard's. What another adds to is not kept here:
    ///   it would be in the snapshots of both, and count twice the next time.
    mutating func restore(
        from reader: inout StateReader, form: Int, isKept: (_ name: String) -> Bool
    ) throws(SnapshotError) {
        swept = max(swept, try reader.read())
        if form >= 2 {
            let dropped: Timestamp = try reader.read()
            if dropped > .distantPast { droppedAt = max(droppedAt ?? dropped, dropped) }
        }
        for _ in 0..<(try reader.count()) {
            let entity = Entity(name: try reader.string(), value: try reader.read())
            var list = entries[entity] ?? []
            for _ in 0..<(try reader.count()) {
                list.append(Entry(time: try reader.read(), points: try reader.double()))
            }
            if isKept(entity.name) { entries[entity] = list }
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
