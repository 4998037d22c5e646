import RuleModel

/// A `sequence` rule of which one event that passes a condition is a match, such as most rules of a large pack.
///
/// It knows nothing of any key. What emitting needs is made when the first event matches, since of ten
/// thousand such rules few ever do.
struct OneEventMachine: RuleMachine {
    private let index: Int
    private var parts: SequenceParts?

    init(rule: Int) { index = rule }

    /// Whether matches of a sequence are found so.
    static func keeps(_ sequence: SequenceProgram) -> Bool {
        guard sequence.elements.count == 1, case .step(let step) = sequence.elements[0].kind,
            sequence.steps.count == 1, sequence.until == nil, !sequence.restartsOnRepeat
        else { return false }
        switch sequence.overlap {
        case .none, .all: break
        case .each, .latest: return false
        }
        let only = sequence.steps[step.rawValue]
        return only.minimum == 1 && only.maximum == 1 && only.runCondition == nil
    }

    mutating func begin(at time: Timestamp, in context: inout MachineContext) {}

    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {
        let parts = made(in: context)
        let fitting = parts.fittingSteps(event, inputs: context.inputs)
        if fitting != 0 {
            let captured = parts.captured(event, fitting, at: context.instant)
            context.emitMatch(parts, taken: [[captured]], key: key, matchedAt: context.instant)
        }
        context.release(key)
    }

    @inline(__always)
    private mutating func made(in context: MachineContext) -> SequenceParts {
        if let parts { return parts }
        guard case .sequence(let sequence) = context.program.rules[index].pattern else {
            preconditionFailure("the machine of a sequence has a rule of another kind")
        }
        let made = SequenceParts(
            rule: index, sequence: sequence, program: context.program, limits: context.limits)
        parts = made
        return made
    }

    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {}
    mutating func forget(_ key: KeySlot) {}
    mutating func listChanged(_ list: ListID, in context: inout MachineContext) {}
    var openDeadlines: Int { 0 }
    func open(_ key: KeySlot, found: inout OpenMatches, in context: MachineContext) {}

    // MARK: - Snapshot

    /// 2: nothing; before, the names of captured fields.
    static let stateVersion = 2

    func openMatches(_ key: KeySlot, in context: MachineContext) -> Int { 0 }
    func farewell(_ key: KeySlot, reason: String, in context: MachineContext) -> Alert? { nil }
    func writeCommon(to writer: inout StateWriter) {}
    mutating func restoreCommon(
        from reader: inout StateReader, version: Int, in context: inout MachineContext
    ) throws(SnapshotError) {
        if version < 2 { let _: [String] = try reader.readArray() }
    }
    func write(_ key: KeySlot, to writer: inout StateWriter) {}
    mutating func restore(
        _ key: KeySlot?, from reader: inout StateReader, version: Int,
        in context: inout MachineContext
    ) throws(SnapshotError) {
        throw reader.damaged("a key of a rule that keeps none")
    }
}
