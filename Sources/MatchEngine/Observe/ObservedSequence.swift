import RuleModel

/// What a recorder knows of a sequence rule: made once.
///
/// The steps capture every field that their conditions read, so that a condition can be asked again
/// after its event has gone.
struct ObservedSequence: Sendable {
    let parts: SequenceParts
    let masks: Masks
    /// What each step asks of its event alone.
    let conditions: [CodeID?]
    let types: [EventTypeID]
    /// By state of the shape: the fewest steps from there to a complete match.
    let stepsToGo: [Int]
    /// How long an attempt can last, trailing absences included; nil without a limit.
    let retention: TimeSpan?
    let workMax: Int

    /// How an attempt ends when a match is found.
    enum Policy: Sendable { case none, all, each, latest, restart }
    let policy: Policy

    init(rule index: Int, sequence: SequenceProgram, program: Program, limits: EngineLimits) {
        let walker = CodeWalker(code: program.code)
        var widened = sequence
        for step in widened.steps.indices {
            var fields = Set(widened.steps[step].captured)
            var roots: [CodeID] = []
            if let id = widened.steps[step].condition {
                roots.append(program.eventConditions[Int(id.rawValue)])
            }
            if let condition = widened.steps[step].runCondition { roots.append(condition) }
            for root in roots {
                walker.forEach(root) { instruction in
                    if instruction.opcode == .field {
                        fields.insert(FieldID(rawValue: instruction.a))
                    }
                }
            }
            widened.steps[step].captured = fields.sorted { $0.rawValue < $1.rawValue }
        }
        let parts = SequenceParts(
            rule: index, sequence: widened, program: program, limits: limits)
        self.parts = parts
        masks = parts.masks
        conditions = sequence.steps.map { step in
            step.condition.map { program.eventConditions[Int($0.rawValue)] }
        }
        stepsToGo = parts.stepsToGo
        types = sequence.steps.map { sequence.inputs[$0.input].type }
        retention = parts.horizon.map { $0 + parts.trailingSpan }
        workMax = limits.workPerEvent
        if sequence.restartsOnRepeat {
            policy = .restart
        } else {
            switch sequence.overlap {
            case .none: policy = .none
            case .all: policy = .all
            case .each: policy = .each
            case .latest: policy = .latest
            }
        }
    }

    var usesRuns: Bool { policy == .each || policy == .latest || policy == .restart }

    /// The steps that an event of a type may be, as bits.
    func steps(ofType type: EventTypeID) -> UInt64 {
        types.indices.reduce(0) { types[$1] == type ? $0 | 1 << UInt64($1) : $0 }
    }
}
