import RuleModel

/// An event as one key of one rule sees it.
struct RehearsedEvent: Sendable {
    var event: Event
    /// Where it stands in the order.
    var place: Timestamp
    /// The inputs of the rule by which it came to the key, one bit each.
    var inputs: UInt64
    /// Whether it can begin something for a key without state.
    var canBegin: Bool
}

/// One key of one rule.
struct RehearsedKey: Hashable, Sendable {
    var rule: Int
    var hash: UInt64
}

/// Lets one key of a rule see events, by the machines that judge in order, and keeps nothing of it.
struct Rehearsal: Sendable {
    private var scratch: MachineContext
    private var machines: MachineTable

    /// - Parameter rules: By index into `Program.rules`: those that are ever rehearsed.
    init(
        program: Program, environment: EngineEnvironment, options: EngineOptions, rules: [Bool]
    ) {
        var options = options
        // One key at a time, and none of its tables ever reaches a limit of its own.
        options.shardCount = 1
        options.shardIndex = 0
        options.keepsPartialMatches = false
        scratch = MachineContext(program: program, environment: environment, options: options)
        machines = MachineTable(program: program, limits: options.limits)
        for rule in rules.indices where rules[rule] {
            scratch.rule = rule
            machines.begin(rule, at: .distantPast, in: &scratch)
        }
    }

    mutating func setList(_ list: ListID, _ table: ListTable) {
        scratch.evaluator = scratch.evaluator.setting(list, to: table)
    }

    /// Since when the input is watched (S5).
    mutating func setWatchStart(_ time: Timestamp) {
        for rule in scratch.watchStarts.indices { scratch.watchStarts[rule] = time }
    }

    /// The alerts that begin while the key sees the events.
    ///
    /// - Parameters:
    ///   - start: What the key knows before the first event: of another table of machines, or nothing.
    ///   - time: How far time has come before the first event.
    ///   - events: In order of their places.
    ///   - end: Up to where deadlines fire behind the last event, this instant not included; nil: none do.
    mutating func alerts(
        _ key: RehearsedKey, values: [Value],
        start: (machines: MachineTable, slot: KeySlot, doubts: KeyTable.Doubts)?, time: Timestamp,
        events: [RehearsedEvent], end: Timestamp?
    ) -> [Alert] {
        let rule = key.rule
        scratch.rule = rule
        scratch.instant = time
        var slot: KeySlot?
        if let start {
            let copy = scratch.keys[rule].insert(values, hash: key.hash).slot
            scratch.keys[rule].addDoubts(copy, start.doubts)
            machines.adopt(rule, copy, from: start.machines, start.slot)
            slot = copy
        }
        for entry in events {
            let instant = max(entry.place, scratch.instant)
            pass(rule, &slot, to: instant)
            if slot == nil {
                guard entry.canBegin else { continue }
                slot = scratch.keys[rule].insert(values, hash: key.hash).slot
            }
            guard let own = slot else { continue }
            scratch.instant = instant
            scratch.arrival = entry.event.arrival
            scratch.inputs = entry.inputs
            machines.process(entry.event, rule, key: own, in: &scratch)
            if scratch.keys[rule].count == 0 { slot = nil }
        }
        if let end { pass(rule, &slot, to: end) }
        if let slot {
            machines.forget(slot, rule)
            scratch.keys[rule].remove(slot)
        }
        scratch.deadlines = LaneQueue()
        scratch.emission.forgetIDs()
        defer { scratch.output.removeAll(keepingCapacity: true) }
        return scratch.output.filter { $0.state == .firing && $0.kind != "engine" }
    }

    /// Fires what is due before an instant. Nothing may be left of the key's state then.
    private mutating func pass(_ rule: Int, _ slot: inout KeySlot?, to instant: Timestamp) {
        guard let key = slot else { return }
        let last = instant - TimeSpan(nanoseconds: 1)
        // A machine that fires in one go all that is due is called once; one that fires what it asked
        // for is called as often as it asks.
        while let due = scratch.deadlines.first, due.time < instant.nanoseconds {
            scratch.deadlines.pop()
            guard scratch.keys[rule].isCurrent(due) else { continue }
            scratch.keys[rule].setScheduled(key, .distantFuture)
            scratch.instant = Timestamp(nanoseconds: due.time)
            scratch.arrival = .max
            machines.fire(rule, at: scratch.instant, key: key, in: &scratch)
            if scratch.keys[rule].count == 0 {
                slot = nil
                return
            }
        }
        // State that was adopted has asked nobody yet.
        scratch.instant = max(scratch.instant, last)
        scratch.arrival = .max
        machines.fire(rule, at: last, key: key, in: &scratch)
        if scratch.keys[rule].count == 0 { slot = nil }
    }
}
