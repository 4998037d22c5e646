import RuleModel

/// The state of a `metric` over all its keys.
struct MetricMachine: RuleMachine {
    private let index: Int
    /// Made when watching begins, since it needs the time zones.
    private var rule: MetricRule?
    private var keys = KeyStates<MetricKey>()

    init(rule: Int) { index = rule }

    mutating func begin(at time: Timestamp, in context: inout MachineContext) {
        rule = makeRule(context)
    }

    private func makeRule(_ context: MachineContext) -> MetricRule? {
        let program = context.program.rules[index]
        guard case .metric(let metric) = program.pattern else { return nil }
        return MetricRule(program, metric, zones: context.zones, limits: context.limits)
    }

    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {
        change(key, in: &context) { state, rule, context in
            state.process(event, rule: rule, key: key, in: &context)
        }
    }

    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {
        change(key, in: &context) { state, rule, context in
            state.fire(until: time, rule: rule, key: key, in: &context)
        }
    }

    mutating func forget(_ key: KeySlot) {
        keys[key] = nil
    }

    mutating func takeKeys(from other: inout Self) { swap(&keys, &other.keys) }

    /// What a list lets through was judged when the event came; buckets remember no events.
    mutating func listChanged(_ list: ListID, in context: inout MachineContext) {}

    /// A bucket is no match: that one is open at the end needs no word.
    var openDeadlines: Int { 0 }

    private mutating func change(
        _ key: KeySlot, in context: inout MachineContext,
        _ change: (inout MetricKey, MetricRule, inout MachineContext) -> Void
    ) {
        guard let rule else { return }
        let instant = context.instant
        keys.change(key, rule, in: &context) {
            MetricKey(rule: rule, at: instant)
        } _: { state, context in
            change(&state, rule, &context)
        }
    }

    /// A metric has nothing that could come to an alert.
    func open(_ key: KeySlot, found: inout OpenMatches, in context: MachineContext) {}

    // MARK: - Snapshot

    static let stateVersion = 1

    func openMatches(_ key: KeySlot, in context: MachineContext) -> Int { 0 }

    /// A metric tells nothing that would have to end.
    func farewell(_ key: KeySlot, reason: String, in context: MachineContext) -> Alert? { nil }

    func writeCommon(to writer: inout StateWriter) {}

    mutating func restoreCommon(
        from reader: inout StateReader, version: Int, in context: inout MachineContext
    ) throws(SnapshotError) {
        if rule == nil { rule = makeRule(context) }
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
        guard try reader.bool(), let rule else { return }
        let state = try MetricKey(from: &reader, rule: rule)
        guard let key else { return }
        context.wake(key, at: state.nextInstant(rule: rule))
        keys[key] = state
    }
}
