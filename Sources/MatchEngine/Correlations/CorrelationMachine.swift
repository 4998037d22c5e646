import RuleModel

/// The state of a `correlation` over all its keys (C1 to C7).
struct CorrelationMachine: RuleMachine {
    private let rule: CorrelationRule
    private var keys = KeyStates<CorrelationKey>()
    /// What is learnt over all keys together (`pooled`).
    private var pooled: LiftHistory?
    /// While a snapshot is read.
    private var captures: CaptureReading?

    init(rule: Int, correlation: CorrelationProgram, program: Program, limits: EngineLimits) {
        self.rule = CorrelationRule(rule: rule, correlation, in: program, limits: limits)
        if case .lift(let lift)? = correlation.strength, lift.isPooled {
            pooled = LiftHistory(lift, limit: self.rule.occurrencesMax)
        }
    }

    mutating func begin(at time: Timestamp, in context: inout MachineContext) {}

    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {
        let rule = rule
        keys.change(key, rule, in: &context) {
            CorrelationKey(rule: rule)
        } _: { state, context in
            state.process(event, rule: rule, pooled: &pooled, key: key, in: &context)
        }
    }

    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {
        let rule = rule
        keys.change(key, rule, in: &context) {
            CorrelationKey(rule: rule)
        } _: { state, context in
            state.fire(until: time, rule: rule, key: key, in: &context)
        }
    }

    mutating func forget(_ key: KeySlot) {
        keys[key] = nil
    }

    /// Whether the captured events of another machine of the rule have their values in the same places.
    /// The history of a movement knows its expressions by their numbers.
    func keepsAs(_ other: Self) -> Bool {
        if case .movement? = rule.program.strength { return false }
        return rule.layout.names == other.rule.layout.names
    }

    mutating func takeKeys(from other: inout Self) { swap(&keys, &other.keys) }

    mutating func listChanged(_ list: ListID, in context: inout MachineContext) {}

    // The end of an episode says something that has begun; nothing waits for it alone.
    var openDeadlines: Int { 0 }

    func open(_ key: KeySlot, found: inout OpenMatches, in context: MachineContext) {
        guard let open = keys[key]?.open(rule: rule, pooled: pooled, key: key, in: context) else {
            return
        }
        found.states.append(.correlation(open))
    }

    // MARK: - Snapshot

    static let stateVersion = 1

    func openMatches(_ key: KeySlot, in context: MachineContext) -> Int {
        keys[key]?.isOpen ?? false ? 1 : 0
    }

    func farewell(_ key: KeySlot, reason: String, in context: MachineContext) -> Alert? {
        guard var state = keys[key], state.isTold else { return nil }
        var context = context
        context.output = []
        context.arrival = .max
        state.end(reason: reason, rule: rule, key: key, in: &context)
        return context.output.last
    }

    func writeCommon(to writer: inout StateWriter) {
        writer.write(rule.layout.names)
        pooled?.write(to: &writer)
    }

    mutating func restoreCommon(
        from reader: inout StateReader, version: Int, in context: inout MachineContext
    ) throws(SnapshotError) {
        captures = try CaptureReading(
            from: &reader, layout: rule.layout, steps: rule.program.members.count)
        guard pooled != nil, case .lift(let plan)? = rule.program.strength else { return }
        let history = try LiftHistory(from: &reader, plan, limit: rule.occurrencesMax)
        // All keys of such a rule are in one shard. The others learn nothing: what they kept would be of
        // the past, and be taken for the newest when another number of shards reads their snapshots.
        if !history.isEmpty, context.isHome(context.rule) { pooled = history }
    }

    func write(_ key: KeySlot, to writer: inout StateWriter) {
        let state = keys[key]
        writer.write(state != nil)
        state?.write(to: &writer)
    }

    mutating func restore(
        _ key: KeySlot?, from reader: inout StateReader, version: Int,
        in context: inout MachineContext
    ) throws(SnapshotError) {
        guard try reader.bool(), let captures else { return }
        let state = try CorrelationKey(from: &reader, rule: rule, by: captures)
        guard let key else { return }
        keys[key] = state
    }
}
