import RuleModel

/// Judges rules on arrival (T2a): what would match if no event came any more that is out of order?
///
/// For the key of an arriving event it takes a copy of the key's state as the ordered evaluation has
/// it, lets the copy see the key's waiting events in their order, and looks at what comes out. So
/// an early alert says what the ordered evaluation would say of the events that have arrived.
///
/// - Complexity: for each arriving event of a rule that may be early, linear in the state and the
///   waiting events of its key; keys with more than `waitingMax` are judged at the watermark only.
struct EarlyJudge: Sendable {
    /// Waiting events of one key above which it is judged in order only: an attack on one key must
    /// not make every arrival dear.
    static let waitingMax = 1_000

    /// Which rules may be early, by index into `Program.rules`.
    let rules: [Bool]
    private var rehearsal: Rehearsal
    private var waiting: [RehearsedKey: [RehearsedEvent]] = [:]
    /// Where an event stands in `waiting`, by arrival number.
    private var places: [UInt64: [RehearsedKey]] = [:]

    /// Nil when no rule may be early.
    init?(program: Program, environment: EngineEnvironment, options: EngineOptions) {
        rules = program.rules.map(\.emit.isEarly)
        guard rules.contains(true) else { return nil }
        rehearsal = Rehearsal(
            program: program, environment: environment, options: options, rules: rules)
    }

    mutating func setList(_ list: ListID, _ table: ListTable) { rehearsal.setList(list, table) }

    /// Notes that an event of a key waits.
    mutating func hold(_ entry: RehearsedEvent, _ key: RehearsedKey) {
        var list = waiting.removeValue(forKey: key) ?? []
        // An event that comes to one key by several routes is one event.
        if let same = list.lastIndex(where: { $0.event.arrival == entry.event.arrival }) {
            list[same].inputs |= entry.inputs
            list[same].canBegin = list[same].canBegin || entry.canBegin
        } else {
            // Most events come nearly in order, so the place is near the end.
            var index = list.count
            while index > 0, list[index - 1].place > entry.place { index -= 1 }
            list.insert(entry, at: index)
            places[entry.event.arrival, default: []].append(key)
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
    mutating func alerts(
        _ key: RehearsedKey, values: [Value], of own: MachineTable, _ context: MachineContext
    ) -> [Alert] {
        guard let list = waiting[key], list.count <= EarlyJudge.waitingMax else { return [] }
        let slot = context.keys[key.rule].peek(values, hash: key.hash)
        // A key that is firing has told its alert.
        if let slot, own.isFiring(key.rule, slot) { return [] }
        guard own.mayMatch(key.rule, slot, withMore: list.count) else { return [] }
        return rehearsal.alerts(
            key, values: values,
            start: slot.map { (own, $0, context.keys[key.rule].doubts($0)) },
            time: context.instant, events: list, end: nil)
    }
}
