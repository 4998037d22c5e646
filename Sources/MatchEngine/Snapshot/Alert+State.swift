import RuleModel

// Alerts stand in snapshots where they may still be sent: the first of an open group, and the end of
// every open episode, in case its rule is gone when the snapshot is read.

extension Alert {
    /// The form of an alert that stands alone, as in an outbox.
    private static let form = 1

    /// Writes the whole record, in a section with a version.
    public func write(whole writer: inout StateWriter) {
        writer.section(version: Alert.form) { write(to: &$0) }
    }

    /// Reads what `write(whole:)` wrote.
    public init(whole reader: inout StateReader) throws(SnapshotError) {
        var (section, _) = try reader.section("an alert", known: Alert.form)
        self = try section.read()
        try section.expectEnd(of: "an alert")
    }
}

extension Alert: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init(
            id: try reader.read(), rule: try reader.read(), ruleID: RuleID(try reader.int()),
            fingerprint: try reader.word(), kind: try reader.read(),
            state: try reader.word(of: State.self),
            severity: try reader.word(of: Severity.self), title: try reader.readOptional(),
            message: try reader.read(), tags: try reader.readArray(),
            attack: try reader.readArray(),
            key: try reader.readArray(), matchedAt: try reader.read(),
            firstTime: try reader.read(), lastTime: try reader.read(), strength: try reader.read(),
            confidence: try reader.read(), measures: try reader.readArray(),
            steps: try reader.readArray(), attached: try reader.readArray(),
            reason: try reader.readOptional(), incompleteBecause: try reader.readArray(),
            grouped: try reader.tally(), listVersions: try reader.readArray(),
            sinks: try reader.readArray(), probes: try reader.readArray(),
            suppressKey: try reader.readArray(), groupKey: try reader.readArray(),
            order: try reader.read())
        members = try reader.readArray()
        risks = try reader.readArray()
        isEarly = try reader.bool()
    }

    func write(to writer: inout StateWriter) {
        writer.write(id)
        writer.write(rule)
        writer.write(ruleID.rawValue)
        writer.write(word: fingerprint)
        writer.write(kind)
        writer.write(state.rawValue)
        writer.write(severity.rawValue)
        writer.write(title)
        writer.write(message)
        writer.write(tags)
        writer.write(attack)
        writer.write(key)
        writer.write(matchedAt)
        writer.write(firstTime)
        writer.write(lastTime)
        writer.write(strength)
        writer.write(confidence)
        writer.write(measures)
        writer.write(steps)
        writer.write(attached)
        writer.write(reason)
        writer.write(incompleteBecause)
        writer.write(grouped)
        writer.write(listVersions)
        writer.write(sinks)
        writer.write(probes)
        writer.write(suppressKey)
        writer.write(groupKey)
        writer.write(order)
        writer.write(members)
        writer.write(risks)
        writer.write(isEarly)
    }
}

extension Alert.NamedValue: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init(try reader.read(), try reader.read())
    }

    func write(to writer: inout StateWriter) {
        writer.write(name)
        writer.write(value)
    }
}

extension Alert.Step: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init(
            name: try reader.read(), events: try reader.readArray(), omitted: try reader.tally())
    }

    func write(to writer: inout StateWriter) {
        writer.write(name)
        writer.write(events)
        writer.write(omitted)
    }
}

extension Alert.BoundEvent: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init(
            time: try reader.read(), type: try reader.read(), fields: try reader.readArray())
    }

    func write(to writer: inout StateWriter) {
        writer.write(time)
        writer.write(type)
        writer.write(fields)
    }
}

extension Alert.Member: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init(
            name: try reader.read(), onset: try reader.read(), measure: try reader.read(),
            value: try reader.read(), baseline: try reader.read(), spread: try reader.read(),
            score: try reader.read())
    }

    func write(to writer: inout StateWriter) {
        writer.write(name)
        writer.write(onset)
        writer.write(measure)
        writer.write(value)
        writer.write(baseline)
        writer.write(spread)
        writer.write(score)
    }
}

extension Alert.Risk: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init(
            name: try reader.read(), entity: try reader.read(), points: try reader.read(),
            score: try reader.read())
    }

    func write(to writer: inout StateWriter) {
        writer.write(name)
        writer.write(entity)
        writer.write(points)
        writer.write(score)
    }
}

extension AlertOrder: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init(
            instant: try reader.int64(), arrival: try reader.unsigned(), depth: try reader.tally(),
            rule: try reader.int(), key: try reader.word(), serial: try reader.tally())
    }

    func write(to writer: inout StateWriter) {
        writer.write(instant)
        writer.write(unsigned: arrival)
        writer.write(depth)
        writer.write(rule)
        writer.write(word: key)
        writer.write(serial)
    }
}

extension StateReader {
    /// One of the words of a type.
    fileprivate mutating func word<Choice: RawRepresentable<String>>(
        of type: Choice.Type
    ) throws(SnapshotError) -> Choice {
        let word = try string()
        guard let choice = Choice(rawValue: word) else { throw damaged("the word \(word)") }
        return choice
    }
}
