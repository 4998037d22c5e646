import RuleModel

/// The state of a `sequence` rule over all its keys (S1 to S9).
struct SequenceMachine: RuleMachine {
    /// How matches are found follows from the policy.
    private enum Kind: Sendable {
        case choices
        case runs
    }

    private let kind: Kind
    // One of the two has state; the other stays empty.
    private var choices: ChoiceMachine
    private var runs: RunMachine

    init(rule: Int, sequence: SequenceProgram, program: Program, limits: EngineLimits) {
        let parts = SequenceParts(
            rule: rule, sequence: sequence, program: program, limits: limits)
        choices = ChoiceMachine(parts: parts, workMax: limits.workPerEvent)
        runs = RunMachine(parts: parts)
        switch sequence.overlap {
        case .none, .all: kind = sequence.restartsOnRepeat ? .runs : .choices
        case .each, .latest: kind = .runs
        }
    }

    mutating func begin(at time: Timestamp, in context: inout MachineContext) {}

    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {
        switch kind {
        case .choices: choices.process(event, key: key, in: &context)
        case .runs: runs.process(event, key: key, in: &context)
        }
    }

    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {
        switch kind {
        case .choices: choices.fire(at: time, key: key, in: &context)
        case .runs: runs.fire(at: time, key: key, in: &context)
        }
    }

    mutating func forget(_ key: KeySlot) {
        switch kind {
        case .choices: choices.forget(key)
        case .runs: runs.forget(key)
        }
    }

    mutating func adopt(_ key: KeySlot, from other: SequenceMachine, _ otherKey: KeySlot) {
        switch kind {
        case .choices: choices.adopt(key, from: other.choices, otherKey)
        case .runs: runs.adopt(key, from: other.runs, otherKey)
        }
    }

    mutating func listChanged(_ list: ListID, in context: inout MachineContext) {}

    var openDeadlines: Int {
        switch kind {
        case .choices: choices.openDeadlines()
        case .runs: runs.openDeadlines()
        }
    }
}
