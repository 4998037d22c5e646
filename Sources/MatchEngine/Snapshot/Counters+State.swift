import RuleModel

extension EngineCounters.Source: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init()
        events = try reader.tally()
        outOfOrder = try reader.tally()
        late = try reader.tally()
        worstDisorder = try reader.read()
    }

    func write(to writer: inout StateWriter) {
        writer.write(events)
        writer.write(outOfOrder)
        writer.write(late)
        writer.write(worstDisorder)
    }
}

extension EngineCounters.Rule: StateCoded {
    /// What is counted, in the order in which it is written.
    static let tallies: [WritableKeyPath<Self, Int> & Sendable] = [
        \.events, \.alerts, \.silenced, \.missingKeys, \.late, \.corrections, \.evictedKeys,
        \.droppedRuns, \.droppedEvents, \.droppedValues, \.exhaustedSearches,
        \.missingMembers, \.droppedMembers,
    ]

    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init()
        for tally in Self.tallies { self[keyPath: tally] = try reader.tally() }
    }

    func write(to writer: inout StateWriter) {
        for tally in Self.tallies { writer.write(self[keyPath: tally]) }
    }
}

extension EngineCounters.Overflows: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init()
        untoldEarly = try reader.tally()
        forgottenForCorrection = try reader.tally()
        shortages = try reader.tally()
        keysForMemory = try reader.tally()
    }

    func write(to writer: inout StateWriter) {
        writer.write(untoldEarly)
        writer.write(forgottenForCorrection)
        writer.write(shortages)
        writer.write(keysForMemory)
    }
}

extension EngineCounters.Early: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init()
        sent = try reader.tally()
        confirmed = try reader.tally()
        changed = try reader.tally()
        withdrawn = try reader.tally()
        lead = try reader.read()
    }

    func write(to writer: inout StateWriter) {
        writer.write(sent)
        writer.write(confirmed)
        writer.write(changed)
        writer.write(withdrawn)
        writer.write(lead)
    }
}
