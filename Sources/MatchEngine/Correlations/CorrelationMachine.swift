import RuleModel

/// The state of a `correlation` over all its keys. The compiler lets none through yet (`RulePlan.notRun`).
struct CorrelationMachine: RuleMachine {
    init(rule: Int, correlation: CorrelationProgram) {}

    mutating func begin(at time: Timestamp, in context: inout MachineContext) {}
    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {}
    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {}
    mutating func forget(_ key: KeySlot) {}
    mutating func listChanged(_ list: ListID, in context: inout MachineContext) {}
    var openDeadlines: Int { 0 }
}
