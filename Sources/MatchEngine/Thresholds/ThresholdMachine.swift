import RuleModel

/// The state of a `threshold` rule over all its keys (H1 to H10).
struct ThresholdMachine: RuleMachine {
    init(rule: Int, program: Program, limits: EngineLimits) {}

    mutating func begin(at time: Timestamp, in context: inout MachineContext) {}
    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {}
    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {}
    mutating func forget(_ key: KeySlot) {}
    mutating func listChanged(_ list: ListID, in context: inout MachineContext) {}
    var openDeadlines: Int { 0 }
}
