import RuleModel

extension MachineContext {
    /// What was dropped because a limit was reached.
    enum Overflow: String, Sendable {
        case keys, runs, events, values, searches, members, risks, memory
    }

    /// Counts that a limit was reached, and tells it once for each rule and hour (T9).
    ///
    /// - Parameter count: How much was dropped.
    mutating func noteOverflow(_ overflow: Overflow, count: Int = 1) {
        let dropped: String
        switch overflow {
        case .keys:
            counters.rules[rule].evictedKeys += count
            dropped =
                "more than \(keys[rule].capacity) keys; those not used for longest were dropped"
        case .runs:
            counters.rules[rule].droppedRuns += count
            dropped = "too many open runs of a key; the oldest were dropped"
        case .events:
            counters.rules[rule].droppedEvents += count
            dropped = "too many events of a key; the oldest were dropped"
        case .values:
            counters.rules[rule].droppedValues += count
            dropped = "too many different values of a key in one bucket; new ones are not counted"
        case .searches:
            counters.rules[rule].exhaustedSearches += count
            dropped = "too many combinations of events to try; a match may have been missed"
        case .members:
            counters.rules[rule].droppedMembers += count
            dropped = "too many members of a group; those silent for longest were dropped"
        case .risks:
            counters.rules[rule].droppedRisks += count
            dropped = "too many entities with points, or points of one; the oldest were dropped"
        case .memory:
            counters.rules[rule].evictedKeys += count
            counters.overflows.keysForMemory += count
            dropped = "memory is short; keys not used for longest were dropped"
        }
        let hour = instant.nanoseconds.flooredQuotient(TimeSpan.hour.nanoseconds)
        guard emission.overflowHours[rule] != hour else { return }
        emission.overflowHours[rule] = hour
        let rule = program.rules[rule]
        let start = Timestamp(nanoseconds: 0) + TimeSpan.hour * hour
        output.append(
            Alert(
                engine: "engine.overflow", about: Alert.NamedValue("rule", .text(rule.name)),
                message: "rule \(rule.name): \(dropped)", reason: overflow.rawValue, idTime: start,
                ruleID: rule.id, fingerprint: rule.fingerprint, sinks: rule.emit.sinks,
                order: nextOrder(key: 0), at: instant))
    }
}

extension Alert {
    /// A record in which the engine says something of itself.
    ///
    /// - Parameters:
    ///   - name: `engine.overflow`, `engine.list_failed`.
    ///   - subject: What it is about; with `idTime` it makes the identity.
    public init(
        engine name: String, about subject: NamedValue, message: String, reason: String,
        idTime: Timestamp, ruleID: RuleID, fingerprint: UInt64, sinks: [String],
        order: AlertOrder, at instant: Timestamp
    ) {
        self.init(
            id: AlertID.text(rule: name, key: [subject.value], time: idTime, number: 0),
            rule: name, ruleID: ruleID, fingerprint: fingerprint, kind: "engine", state: .firing,
            severity: .warning, title: nil, message: message, tags: [], attack: [],
            key: [subject], matchedAt: instant, firstTime: instant, lastTime: instant,
            strength: 1, confidence: 1, measures: [], steps: [], attached: [], reason: reason,
            incompleteBecause: [], grouped: 0, listVersions: [], sinks: sinks, probes: [],
            suppressKey: [], groupKey: [], order: order)
    }
}

extension KeyTable.Doubts {
    /// Sentences for `Alert.incompleteBecause`.
    var reasons: [String] {
        var reasons: [String] = []
        if contains(.late) { reasons.append("events of this key came too late") }
        if contains(.evictedKeys) { reasons.append("keys of this rule were dropped for its limit") }
        if contains(.droppedRuns) { reasons.append("runs of this key were dropped for its limit") }
        if contains(.droppedEvents) {
            reasons.append("events of this key were dropped for its limit")
        }
        if contains(.droppedValues) {
            reasons.append("different values of this key were not counted for its limit")
        }
        if contains(.droppedMembers) {
            reasons.append("members of this group were dropped for its limit")
        }
        if contains(.exhaustedSearch) {
            reasons.append("not all combinations of events could be tried")
        }
        return reasons
    }
}
