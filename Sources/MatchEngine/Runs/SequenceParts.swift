import RuleModel

/// What a sequence's machine knows of its rule: made once, shared, never changed.
final class SequenceParts: Sendable {
    let rule: Int
    let sequence: SequenceProgram
    let steps: [StepProgram]
    let shape: SequenceShape
    let layout: CaptureLayout
    let masks: Masks
    let within: TimeSpan?
    let untilBit: UInt64
    let untilCondition: CodeID?
    /// Steps of absences in front, of `without`, and of absences at the end, as bits.
    let leadingBits: UInt64
    let withouts: UInt64
    let trailingBits: UInt64
    /// For each step of a trailing absence its span.
    let trailingSpan: TimeSpan
    /// Whether every event of a trailing absence ends what waits, without looking at the choice.
    let trailingIsPlain: Bool
    /// Whether a step must be filled by the very next event.
    let hasImmediately: Bool
    /// How long after the first event of a match its last can be; nil without a limit.
    let horizon: TimeSpan?
    /// The most events that a key or run keeps, and the most runs of a key under `overlap each`:
    /// what the rule's bound says, or the engine's limit where that is less (T9).
    let eventsMax: Int
    let runsMax: Int
    /// The fewest events that make a match: each fills one step.
    let eventsMin: Int
    /// The steps in their order, when each takes one event, one follows the other and nothing else is asked
    /// for (`ChainSearch`); else nil.
    let chain: [Int]?
    /// Whether it is a chain of which each step looks at its own event alone, and the time between two steps
    /// does not matter.
    let isPlainChain: Bool
    /// Whether a condition on other events asks for the key.
    let readsKey: Bool
    /// By state of the shape: the steps that may come next, in order of their groups; the same as bits;
    /// and whether one can come later than at once.
    let following: [[SequenceShape.Transition]]
    let followingBits: [UInt64]
    let canWait: [Bool]
    /// For each transition what its outcome depends on.
    let dependencies: [Dependency]
    /// By step: what an event must be to fit it.
    private let gates: [Gate]

    private struct Gate: Sendable {
        var type: EventTypeID
        var input: UInt64
        var condition: ConditionID?
    }

    struct Dependency: Sendable {
        /// Earlier steps that conditions of this step or a later one look at, as bits.
        var steps: UInt64
        /// When the step cannot begin at one event, it cannot begin at a later one either.
        var failsFromThereOn: Bool
    }

    init(rule index: Int, sequence: SequenceProgram, program: Program, limits: EngineLimits) {
        rule = index
        self.sequence = sequence
        steps = sequence.steps
        shape = SequenceShape(sequence)
        layout = CaptureLayout(sequence, program: program)
        masks = Masks(rule: program.rules[index])
        within = sequence.within
        func bits(_ absences: [SequenceShape.Absence]) -> UInt64 {
            absences.reduce(0) { $0 | 1 << UInt64($1.step) }
        }
        leadingBits = bits(shape.leadingAbsences)
        trailingBits = bits(shape.trailingAbsences)
        trailingSpan = shape.trailingAbsences.map(\.span).max() ?? .zero
        trailingIsPlain =
            shape.trailingAbsences.count == 1
            && sequence.steps[shape.trailingAbsences[0].step].runCondition == nil
        hasImmediately = shape.transitions.contains(where: \.immediately)
        untilBit = sequence.until.map { 1 << UInt64($0.rawValue) } ?? 0
        untilCondition = sequence.until.flatMap { sequence.steps[$0.rawValue].runCondition }
        withouts =
            shape.transitions.reduce(0) { $0 | $1.withouts }
            | shape.states.reduce(0) { $0 | $1.finalWithouts }
        horizon = SequenceParts.horizon(sequence, shape)
        let following = shape.states.map { Array($0.groups.joined()) }
        self.following = following
        followingBits = following.map { $0.reduce(0) { $0 | 1 << UInt64($1.step) } }
        canWait = shape.states.map { $0.isEnd || !$0.groups.joined().allSatisfy(\.immediately) }
        eventsMin = shape.mandatorySteps.reduce(0) { $0 + max(1, sequence.steps[$1].minimum) }
        let walker = CodeWalker(code: program.code)
        readsKey = steps.contains { step in
            step.runCondition.map { walker.contains($0) { $0.opcode == .key } } ?? false
        }
        // A condition on `until` is asked of the choice as far as it has come.
        chain =
            withouts == 0 && untilCondition == nil ? SequenceParts.chain(shape, steps) : nil
        isPlainChain =
            chain != nil && steps.allSatisfy { $0.runCondition == nil && $0.gapLimit == nil }
        let bound = program.rules[index].bound
        eventsMax = min(limits.eventsPerKey, bound.eventsPerRun > 0 ? bound.eventsPerRun : .max)
        let runs = sequence.runLimit ?? (bound.runsPerKey > 0 ? bound.runsPerKey : .max)
        runsMax = max(1, min(limits.runsPerKey, runs))
        gates = sequence.steps.map { step in
            Gate(
                type: sequence.inputs[step.input].type, input: UInt64(step.input),
                condition: step.condition)
        }
        dependencies = SequenceParts.dependencies(
            sequence, shape, walker, withouts: withouts)
    }

    /// The event with the fields of the steps that it fits.
    func captured(
        _ event: Event, _ fitting: UInt64, at instant: Timestamp, ordinal: Int64 = 0,
        starts: UInt64 = 0
    ) -> CapturedEvent {
        CapturedEvent(
            instant: instant, time: event.time, type: event.type, ordinal: ordinal,
            steps: fitting, starts: starts, values: layout.values(of: event, steps: fitting))
    }

    private static func chain(_ shape: SequenceShape, _ steps: [StepProgram]) -> [Int]? {
        var chain: [Int] = []
        var state = shape.states[0]
        while !state.isEnd {
            guard !state.isComplete, state.groups.count == 1, state.groups[0].count == 1 else {
                return nil
            }
            let transition = state.groups[0][0]
            let step = steps[transition.step]
            guard step.minimum <= 1, step.maximum == 1, !transition.immediately else { return nil }
            chain.append(transition.step)
            state = shape.states[transition.target]
        }
        return chain.count > 1 && state.isComplete ? chain : nil
    }

    /// The plan's own horizon; without one, that of a match of one event.
    private static func horizon(_ sequence: SequenceProgram, _ shape: SequenceShape) -> TimeSpan? {
        if let horizon = sequence.horizon ?? sequence.within { return horizon }
        let isOneEvent =
            shape.transitions.count == 1 && sequence.steps[shape.transitions[0].step].maximum == 1
        return isOneEvent ? .zero : nil
    }

    private static func dependencies(
        _ sequence: SequenceProgram, _ shape: SequenceShape, _ walker: CodeWalker, withouts: UInt64
    ) -> [Dependency] {
        // Steps that each step's condition looks at.
        let looks = sequence.steps.map { step in
            var bits: UInt64 = 0
            if let condition = step.runCondition {
                walker.forEach(condition) { instruction in
                    switch instruction.opcode {
                    case .stepField, .stepList, .stepCount, .stepAggregate:
                        bits |= 1 << UInt64(instruction.a)
                    default: break
                    }
                }
            }
            return bits
        }
        // Steps that can still come from each state on, by following transitions until nothing new
        // turns up.
        var coming = Array(repeating: UInt64(0), count: shape.states.count)
        var isChanging = true
        while isChanging {
            isChanging = false
            for (index, state) in shape.states.enumerated() {
                for transition in state.groups.joined() {
                    let bits =
                        coming[index] | 1 << UInt64(transition.step) | coming[transition.target]
                    if bits != coming[index] {
                        coming[index] = bits
                        isChanging = true
                    }
                }
            }
        }
        var always = withouts
        if let until = sequence.until { always |= 1 << UInt64(until.rawValue) }
        for absence in shape.trailingAbsences { always |= 1 << UInt64(absence.step) }
        return shape.transitions.map { transition in
            let own: UInt64 = 1 << UInt64(transition.step)
            let rest = coming[transition.target] | own
            var looked: UInt64 = 0
            for step in sequence.steps.indices where (rest | always) >> UInt64(step) & 1 == 1 {
                looked |= looks[step]
            }
            let step = sequence.steps[transition.step]
            let target = shape.states[transition.target]
            let endsAlike = step.maximum == nil && !step.isReluctant
            let isTied = target.groups.joined().contains { next in
                next.immediately || next.withouts != 0
                    || sequence.steps[next.step].gapLimit != nil
            }
            return Dependency(
                steps: looked & ~rest,
                failsFromThereOn: looked & own == 0 && !target.isComplete
                    && (endsAlike || !isTied)
                    && sequence.until.flatMap { sequence.steps[$0.rawValue].runCondition } == nil)
        }
    }

    /// How long the longest waiting step of a group may wait; nil when one has no limit of its own.
    func gapLimit(of group: [SequenceShape.Transition]) -> TimeSpan? {
        var longest = TimeSpan.zero
        for transition in group {
            guard let limit = steps[transition.step].gapLimit else { return nil }
            longest = max(longest, limit)
        }
        return longest
    }

    /// Whether every step of the group can only be the last, by one event.
    func canSkipToEnd(_ group: [SequenceShape.Transition]) -> Bool {
        untilCondition == nil
            && group.allSatisfy { transition in
                let step = steps[transition.step]
                return transition.withouts == 0 && step.minimum <= 1
                    && (step.maximum == 1 || !step.isReluctant)
                    && shape.states[transition.target].isComplete
            }
    }

    /// The steps whose condition on the event alone an event passes, as bits.
    ///
    /// - Parameter inputs: The inputs of the rule by which the event came to the key.
    func fittingSteps(_ event: Event, inputs: UInt64) -> UInt64 {
        var bits: UInt64 = 0
        let type = event.type
        for (index, gate) in gates.enumerated() {
            guard gate.type == type, inputs >> gate.input & 1 == 1 else { continue }
            if let condition = gate.condition, !event.passes(condition) { continue }
            bits |= 1 << UInt64(index)
        }
        return bits
    }
}
