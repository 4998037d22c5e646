import RuleModel

/// The state of a `anomaly` over all its keys. The compiler lets none through yet (`RulePlan.notRun`).
struct AnomalyMachine: RuleMachine {
    init(rule: Int, anomaly: AnomalyProgram) {}

    mutating func begin(at time: Timestamp, in context: inout MachineContext) {}
    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {}
    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {}
    mutating func forget(_ key: KeySlot) {}
    mutating func listChanged(_ list: ListID, in context: inout MachineContext) {}
    var openDeadlines: Int { 0 }

    static let stateVersion = 1

    func openMatches(_ key: KeySlot, in context: MachineContext) -> Int { 0 }
    func farewell(_ key: KeySlot, reason: String, in context: MachineContext) -> Alert? { nil }
    func writeCommon(to writer: inout StateWriter) {}
    mutating func restoreCommon(
        from reader: inout StateReader, version: Int, in context: inout MachineContext
    ) throws(SnapshotError) {}
    func write(_ key: KeySlot, to writer: inout StateWriter) {}
    mutating func restore(
        _ key: KeySlot?, from reader: inout StateReader, version: Int,
        in context: inout MachineContext
    ) throws(SnapshotError) {}
}
