import RuleModel

/// The state of an `anomaly_cluster` over all its groups (A1 to A7).
struct AnomalyMachine: RuleMachine {
    private let index: Int
    private var rule: AnomalyRule
    private var groups = KeyStates<AnomalyGroup>()

    init(rule index: Int, anomaly: AnomalyProgram, program: Program, limits: EngineLimits) {
        self.index = index
        rule = AnomalyRule(anomaly, code: program.code, limits: limits)
    }

    mutating func begin(at time: Timestamp, in context: inout MachineContext) {
        if let list = rule.program.linkedBy { readLinks(list, in: context) }
    }

    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {
        change(key, in: &context) { group, rule, context in
            group.process(event, rule: rule, key: key, in: &context)
        }
    }

    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {
        change(key, in: &context) { group, rule, context in
            group.fire(until: time, rule: rule, key: key, in: &context)
        }
    }

    mutating func forget(_ key: KeySlot) {
        groups[key] = nil
    }

    mutating func takeKeys(from other: inout Self) { swap(&groups, &other.groups) }

    mutating func listChanged(_ list: ListID, in context: inout MachineContext) {
        if rule.program.linkedBy == list { readLinks(list, in: context) }
    }

    var openDeadlines: Int { 0 }

    private mutating func readLinks(_ list: ListID, in context: MachineContext) {
        guard let field = rule.program.series.first?.member else { return }
        let type =
            field.rawValue < 0 ? .unknown : context.program.tables.fields[Int(field.rawValue)].type
        rule.links = MemberLinks(context.evaluator.lists[list.rawValue], type: type)
    }

    private mutating func change(
        _ key: KeySlot, in context: inout MachineContext,
        _ change: (inout AnomalyGroup, AnomalyRule, inout MachineContext) -> Void
    ) {
        let rule = rule
        let instant = context.instant
        groups.change(key, rule, in: &context) {
            AnomalyGroup(rule: rule, at: instant)
        } _: { group, context in
            change(&group, rule, &context)
        }
    }

    func open(_ key: KeySlot, found: inout OpenMatches, in context: MachineContext) {
        guard let group = groups[key] else { return }
        found.states.append(
            .group(group.open(rule: rule, key: context.keyValues(key), at: context.instant)))
    }

    // MARK: - Snapshot

    static let stateVersion = 1

    func openMatches(_ key: KeySlot, in context: MachineContext) -> Int {
        groups[key]?.openClusters ?? 0
    }

    func farewell(_ key: KeySlot, reason: String, in context: MachineContext) -> Alert? {
        guard let group = groups[key] else { return nil }
        var context = context
        context.output = []
        context.rule = index
        context.arrival = .max
        group.farewell(reason: reason, rule: rule, key: key, in: &context)
        return context.output.last
    }

    func writeCommon(to writer: inout StateWriter) {}

    /// Links are those of the list in force.
    mutating func restoreCommon(
        from reader: inout StateReader, version: Int, in context: inout MachineContext
    ) throws(SnapshotError) {
        if let list = rule.program.linkedBy { readLinks(list, in: context) }
    }

    func write(_ key: KeySlot, to writer: inout StateWriter) {
        let group = groups[key]
        writer.write(group != nil)
        group?.write(to: &writer)
    }

    mutating func restore(
        _ key: KeySlot?, from reader: inout StateReader, version: Int,
        in context: inout MachineContext
    ) throws(SnapshotError) {
        guard try reader.bool() else { return }
        let group = try AnomalyGroup(from: &reader, rule: rule, at: context.instant)
        guard let key else { return }
        // The rule may say another `within` than the one that asked to be woken.
        context.wake(key, at: group.nextInstant(rule: rule))
        groups[key] = group
    }
}
