import RuleModel

/// Judges rules on arrival (T2a): what would match if no event came any more that is out of order?
///
/// For the key of an arriving event it takes a copy of the key's state as the ordered evaluation has
/// it, lets the copy see the key's waiting events in their order, and looks at what comes out. So
/// an early alert says what the ordered evaluation would say of the events that have arrived, by the
/// same machines, and nothing of it is kept.
///
/// - Complexity: for each arriving event of a rule that may be early, linear in the state and the
///   waiting events of its key; keys with more than `waitingMax` are judged at the watermark only.
struct EarlyJudge: Sendable {
    /// An event in the reorder buffer, as one key of one rule sees it.
    private struct Waiting: Sendable {
        var event: Event
        var place: Timestamp
        var inputs: UInt64
        var canBegin: Bool
    }

    private struct Key: Hashable, Sendable {
        var rule: Int
        var hash: UInt64
    }

    /// Waiting events of one key above which it is judged in order only: an attack on one key must
    /// not make every arrival dear.
    static let waitingMax = 1_000

    private let rules: [Bool]
    private var scratch: MachineContext
    private var machines: MachineTable
    private var waiting: [Key: [Waiting]] = [:]
    /// Where an event stands in `waiting`, by arrival number.
    private var places: [UInt64: [Key]] = [:]

    /// Nil when no rule may be early.
    init?(program: Program, environment: EngineEnvironment, options: EngineOptions) {
        rules = program.rules.map(\.emit.isEarly)
        guard rules.contains(true) else { return nil }
        var options = options
        // One key at a time, and none of its tables ever reaches a limit of its own.
        options.shardCount = 1
        options.shardIndex = 0
        options.keepsPartialMatches = false
        scratch = MachineContext(program: program, environment: environment, options: options)
        machines = MachineTable(program: program, limits: options.limits)
        // Rules that ask since when the input is watched are not told early, so any time will do.
        for rule in rules.indices where rules[rule] {
            scratch.rule = rule
            machines.begin(rule, at: .distantPast, in: &scratch)
        }
    }

    func mayBeEarly(_ rule: Int) -> Bool { rules[rule] }

    mutating func setList(_ list: ListID, _ table: ListTable) {
        scratch.evaluator.lists[list.rawValue] = table
    }

    /// Notes that an event of a key waits.
    mutating func hold(
        _ event: Event, at place: Timestamp, rule: Int, hash: UInt64, inputs: UInt64,
        canBegin: Bool
    ) {
        let key = Key(rule: rule, hash: hash)
        let entry = Waiting(event: event, place: place, inputs: inputs, canBegin: canBegin)
        var list = waiting.removeValue(forKey: key) ?? []
        // An event that comes to one key by several routes is one event.
        if let same = list.lastIndex(where: { $0.event.arrival == event.arrival }) {
            list[same].inputs |= inputs
            list[same].canBegin = list[same].canBegin || canBegin
        } else {
            // Most events come nearly in order, so the place is near the end.
            var index = list.count
            while index > 0, list[index - 1].place > place { index -= 1 }
            list.insert(entry, at: index)
            places[event.arrival, default: []].append(key)
        }
        waiting[key] = list
    }

    /// Forgets an event that is being processed in order.
    mutating func release(_ event: Event) {
        guard let keys = places.removeValue(forKey: event.arrival) else { return }
        for key in keys {
            guard var list = waiting.removeValue(forKey: key) else { continue }
            list.removeAll { $0.event.arrival == event.arrival }
            if !list.isEmpty { waiting[key] = list }
        }
    }

    /// The alerts that would begin if nothing out of order came any more.
    ///
    /// - Parameters:
    ///   - values: The key.
    ///   - own: The machines and the context of the ordered evaluation.
    mutating func rehearse(
        _ rule: Int, hash: UInt64, values: [Value], of own: MachineTable, _ context: MachineContext
    ) -> [Alert] {
        guard let list = waiting[Key(rule: rule, hash: hash)], list.count <= EarlyJudge.waitingMax
        else { return [] }
        scratch.rule = rule
        scratch.instant = context.instant
        let ownSlot = context.keys[rule].peek(hash: hash) { $0 == values }
        // A key that is firing has told its alert.
        if let ownSlot, own.isFiring(rule, ownSlot) { return [] }
        var slot: KeySlot?
        if let ownSlot {
            let copy = scratch.keys[rule].insert(values, hash: hash).slot
            scratch.keys[rule].addDoubts(copy, context.keys[rule].doubts(ownSlot))
            machines.adopt(rule, copy, from: own, ownSlot)
            slot = copy
        }
        for entry in list {
            if slot == nil {
                guard entry.canBegin else { continue }
                slot = scratch.keys[rule].insert(values, hash: hash).slot
            }
            guard let key = slot else { continue }
            let instant = max(entry.place, scratch.instant)
            machines.fire(
                rule, at: instant - TimeSpan(nanoseconds: 1), key: key, in: &scratch)
            // Nothing may have been left of the key's state at that time.
            if scratch.keys[rule].count == 0 {
                guard entry.canBegin else {
                    slot = nil
                    continue
                }
                slot = scratch.keys[rule].insert(values, hash: hash).slot
            }
            scratch.instant = instant
            scratch.arrival = entry.event.arrival
            scratch.inputs = entry.inputs
            machines.process(entry.event, rule, key: slot ?? key, in: &scratch)
            if scratch.keys[rule].count == 0 { slot = nil }
        }
        if let slot {
            machines.forget(slot, rule)
            scratch.keys[rule].remove(slot)
        }
        scratch.deadlines = Heap()
        scratch.emission.forgetIDs()
        defer { scratch.output.removeAll(keepingCapacity: true) }
        return scratch.output.filter { $0.state == .firing && $0.kind != "engine" }
    }
}
