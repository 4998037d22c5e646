import RuleModel

/// The state of an `anomaly_cluster` over all its groups (A1 to A7).
struct AnomalyMachine: RuleMachine {
    private let index: Int
    private var rule: AnomalyRule
    /// By `KeySlot.index`.
    private var groups: [AnomalyGroup?] = []

    init(rule index: Int, anomaly: AnomalyProgram, program: Program, limits: EngineLimits) {
        self.index = index
        rule = AnomalyRule(anomaly, code: program.code, limits: limits)
    }

    mutating func begin(at time: Timestamp, in context: inout MachineContext) {
        if let list = rule.program.linkedBy { readLinks(list, in: context) }
    }

    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {
        withGroup(key, in: &context) { group, rule, context in
            group.process(event, rule: rule, key: key, in: &context)
        }
    }

    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {
        withGroup(key, in: &context) { group, rule, context in
            group.fire(until: time, rule: rule, key: key, in: &context)
        }
    }

    mutating func forget(_ key: KeySlot) {
        if groups.indices.contains(key.index) { groups[key.index] = nil }
    }

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

    /// Takes the state of a group out of the array while it works, so that nothing is copied, and asks
    /// for its next deadline afterwards.
    private mutating func withGroup(
        _ key: KeySlot, in context: inout MachineContext,
        _ body: (inout AnomalyGroup, AnomalyRule, inout MachineContext) -> Void
    ) {
        while groups.count <= key.index { groups.append(nil) }
        var taken: AnomalyGroup?
        swap(&taken, &groups[key.index])
        var group = taken.take() ?? AnomalyGroup(rule: rule, at: context.instant)
        body(&group, rule, &context)
        if group.isForgotten {
            context.release(key)
        } else {
            context.wake(key, at: group.nextInstant(rule: rule))
            groups[key.index] = consume group
        }
    }

    // MARK: - Snapshot

    static let stateVersion = 1

    func openMatches(_ key: KeySlot, in context: MachineContext) -> Int {
        group(key)?.openClusters ?? 0
    }

    func farewell(_ key: KeySlot, reason: String, in context: MachineContext) -> Alert? {
        guard let group = group(key) else { return nil }
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
        let group = group(key)
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
        while groups.count <= key.index { groups.append(nil) }
        groups[key.index] = group
    }

    private func group(_ key: KeySlot) -> AnomalyGroup? {
        key.index < groups.count ? groups[key.index] : nil
    }
}
