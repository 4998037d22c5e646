import RuleModel

/// The state of a `sequence` rule over all its keys (S1 to S9).
struct SequenceMachine: RuleMachine {
    private var choices: ChoiceMachine

    init(rule: Int, sequence: SequenceProgram, program: Program, limits: EngineLimits) {
        let parts = SequenceParts(rule: rule, sequence: sequence, program: program)
        choices = ChoiceMachine(parts: parts, limits: limits)
    }

    mutating func begin(at time: Timestamp, in context: inout MachineContext) {}

    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {
        choices.process(event, key: key, in: &context)
    }

    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {
        choices.fire(at: time, key: key, in: &context)
    }

    mutating func forget(_ key: KeySlot) { choices.forget(key) }

    mutating func listChanged(_ list: ListID, in context: inout MachineContext) {}

    var openDeadlines: Int { choices.openDeadlines() }
}
