import RuleModel

/// `overlap each` of a plain chain (`SequenceParts.isPlainChain`): every event that starts has a run, and the
/// runs that wait for the same step take the same event.
///
/// So runs are not kept one by one. Each step has a queue of the events that it took, and each of them
/// stands for all runs that it took on: those behind some events of the step before, which lie side
/// by side, since no run overtakes an older one. An event costs O(1) however many runs there are; a match
/// costs what it tells. Memory is the events, each kept once.
/// - SeeAlso: Agrawal, Diao, Gyllstrom, Immerman, "Efficient Pattern Matching over Event Streams", SIGMOD 2008,
///   §5 (sharing of runs).
struct ChainMachine: Sendable {
    /// An event of a step, and the runs that it took on.
    private struct Node: Sendable {
        var event: CapturedEvent
        /// The runs behind events of the step before up to this one, which is another node's.
        var end: Int
    }

    /// What a step has taken for runs that are open, oldest first.
    private struct Taken: Sendable {
        var nodes = Queue<Node>()
        /// How many were there before the first one.
        var gone = 0
        /// From which one on they wait for the next step.
        var waiting = 0

        var end: Int { gone + nodes.count }
        subscript(number: Int) -> Node { nodes[number - gone] }

        mutating func removeFirst(_ count: Int = 1) {
            nodes.removeFirst(count)
            gone += count
            waiting = max(waiting, gone)
        }
    }

    private struct KeyState: Sendable {
        /// By place in the chain, without the last step; empty without a run.
        var steps: [Taken] = []
        var ordinal: Int64 = 0

        var runs: Int { steps.first?.nodes.count ?? 0 }
    }

    private let parts: SequenceParts
    /// The steps in their order.
    private let chain: [Int]
    private var states: [KeyState] = []

    init(parts: SequenceParts) {
        self.parts = parts
        chain = parts.chain ?? []
    }

    /// Whether the runs of a rule with `overlap each` can be kept so.
    static func keeps(_ parts: SequenceParts) -> Bool {
        parts.isPlainChain && parts.untilBit == 0 && !parts.sequence.restartsOnRepeat
            && parts.shape.leadingAbsences.isEmpty && parts.shape.trailingAbsences.isEmpty
    }

    /// Takes over the state that a key has in another machine of the same rule.
    mutating func adopt(_ key: KeySlot, from other: ChainMachine, _ otherKey: KeySlot) {
        makeState(key)
        states[key.index] =
            otherKey.index < other.states.count ? other.states[otherKey.index] : KeyState()
    }

    /// Takes over all keys of another machine of the same rule.
    mutating func takeKeys(from other: inout Self) { swap(&states, &other.states) }

    private mutating func makeState(_ key: KeySlot) {
        while states.count <= key.index { states.append(KeyState()) }
    }

    // MARK: - Events

    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {
        makeState(key)
        while let end = firstEnd(key), end < context.instant { dropOldest(key) }
        states[key.index].ordinal += 1
        let fitting = parts.fittingSteps(event, inputs: context.inputs)
        // The step that comes last is filled first (S7), so that no run takes the event twice.
        for place in chain.indices.reversed() where fitting >> UInt64(chain[place]) & 1 == 1 {
            guard place > 0 else {
                start(captured(event, fitting, key, at: context.instant), key, in: &context)
                continue
            }
            guard states[key.index].steps.count >= place else { continue }
            let (waiting, end) = (
                states[key.index].steps[place - 1].waiting, states[key.index].steps[place - 1].end
            )
            guard waiting < end else { continue }
            let event = captured(event, fitting, key, at: context.instant)
            if place == chain.count - 1 {
                complete(with: event, key, in: &context)
            } else {
                states[key.index].steps[place - 1].waiting = end
                states[key.index].steps[place].nodes.append(Node(event: event, end: end))
            }
        }
        rest(key, in: &context)
    }

    private func captured(
        _ event: Event, _ fitting: UInt64, _ key: KeySlot, at instant: Timestamp
    ) -> CapturedEvent {
        parts.captured(
            event, fitting, at: instant, ordinal: states[key.index].ordinal,
            starts: fitting & parts.shape.firstSteps)
    }

    private mutating func start(
        _ event: CapturedEvent, _ key: KeySlot, in context: inout MachineContext
    ) {
        if states[key.index].steps.isEmpty {
            states[key.index].steps = Array(repeating: Taken(), count: chain.count - 1)
        }
        states[key.index].steps[0].nodes.append(Node(event: event, end: 0))
        guard states[key.index].runs > parts.runsMax else { return }
        dropOldest(key)
        context.noteOverflow(.runs)
        context.keys[context.rule].addDoubts(key, .droppedRuns)
    }

    /// Tells the match of every run that waits for the last step: the oldest of all.
    private mutating func complete(
        with event: CapturedEvent, _ key: KeySlot, in context: inout MachineContext
    ) {
        // How many events of each step go: all of the last but one, and those that they were behind.
        var going = states[key.index].steps.map(\.nodes.count)
        for place in going.indices.dropLast().reversed() {
            let last = states[key.index].steps[place + 1].nodes[going[place + 1] - 1]
            going[place] = last.end - states[key.index].steps[place].gone
        }
        forEachRun(states[key.index].steps, count: going[0]) { taken in
            var taken = taken
            taken[chain[chain.count - 1]] = [event]
            context.emitMatch(parts, taken: taken, key: key, matchedAt: context.instant)
        }
        for (place, count) in going.enumerated() {
            states[key.index].steps[place].removeFirst(count)
        }
    }

    /// The events of each step of the oldest runs, one run after the other.
    private func forEachRun(_ steps: [Taken], count: Int, _ body: ([[CapturedEvent]]) -> Void) {
        var numbers = steps.map(\.gone)
        for start in 0..<count {
            var taken: [[CapturedEvent]] = Array(repeating: [], count: parts.steps.count)
            numbers[0] = steps[0].gone + start
            taken[chain[0]] = [steps[0][numbers[0]].event]
            for place in 1..<steps.count {
                // The event that took on the run behind that of the step before.
                var number = numbers[place]
                while number < steps[place].end, steps[place][number].end <= numbers[place - 1] {
                    number += 1
                }
                numbers[place] = number
                if number == steps[place].end { break }
                taken[chain[place]] = [steps[place][number].event]
            }
            body(taken)
        }
    }

    /// Drops the oldest run, and the events that no other run is behind.
    private mutating func dropOldest(_ key: KeySlot) {
        states[key.index].steps[0].removeFirst()
        for place in 1..<chain.count - 1 {
            let gone = states[key.index].steps[place - 1].gone
            guard let first = states[key.index].steps[place].nodes.first, first.end <= gone else {
                return
            }
            states[key.index].steps[place].removeFirst()
        }
    }

    // MARK: - Deadlines

    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {
        guard key.index < states.count else { return }
        while let end = firstEnd(key), end <= time {
            notePartial(key, at: time, in: &context)
            dropOldest(key)
        }
        rest(key, in: &context)
    }

    /// When the oldest run has had its time.
    private func firstEnd(_ key: KeySlot) -> Timestamp? {
        guard let horizon = parts.horizon else { return nil }
        return states[key.index].steps.first?.nodes.first.map { $0.event.instant + horizon }
    }

    /// Says when the key is to be looked at next, or gives it back.
    private mutating func rest(_ key: KeySlot, in context: inout MachineContext) {
        if states[key.index].runs == 0 {
            forget(key)
            context.release(key)
            return
        }
        // As with choices, runs that have had their time are dropped when the key is looked at next.
        if let horizon = parts.horizon,
            let last = parts.sequence.reportsPartial
                ? states[key.index].steps[0].nodes.first : states[key.index].steps[0].nodes.last
        {
            context.wake(key, at: last.event.instant + horizon)
        }
    }

    /// Notes how far the oldest run came.
    private func notePartial(
        _ key: KeySlot, at time: Timestamp, in context: inout MachineContext
    ) {
        forEachRun(states[key.index].steps, count: 1) { taken in
            context.notePartial(taken, first: taken[chain[0]][0], parts, key: key, at: time)
        }
    }

    // MARK: - What is open

    /// The runs one by one, as `RunMachine` has them.
    private func runs(_ key: KeySlot) -> [Run] {
        var runs: [Run] = []
        guard key.index < states.count else { return runs }
        forEachRun(states[key.index].steps, count: states[key.index].runs) {
            runs.append(Run(along: $0, parts))
        }
        return runs
    }

    func open(_ key: KeySlot, found: inout OpenMatches, in context: MachineContext) {
        context.open(runs(key), parts, key: key, found: &found)
    }

    mutating func forget(_ key: KeySlot) {
        guard key.index < states.count else { return }
        states[key.index] = KeyState()
    }

    // MARK: - Snapshot

    /// How many runs have time left at an instant.
    func openMatches(_ key: KeySlot, at instant: Timestamp) -> Int {
        guard key.index < states.count, let starts = states[key.index].steps.first else { return 0 }
        guard let horizon = parts.horizon else { return starts.nodes.count }
        return starts.nodes.elements.count { $0.event.instant + horizon >= instant }
    }

    func write(_ key: KeySlot, to writer: inout StateWriter) {
        let ordinal = key.index < states.count ? states[key.index].ordinal : 0
        RunRecord(ordinal: ordinal, leading: LeadingHistory(), runs: runs(key)).write(to: &writer)
    }

    mutating func restore(
        _ key: KeySlot?, from reader: inout StateReader, by captures: CaptureReading
    ) throws(SnapshotError) {
        let record = try RunRecord(from: &reader, by: captures, parts: parts)
        var isDamaged = false
        var state = KeyState(
            steps: Array(repeating: Taken(), count: record.runs.isEmpty ? 0 : chain.count - 1),
            ordinal: record.ordinal)
        for run in record.runs {
            for place in state.steps.indices {
                guard let event = run.taken[chain[place]].first else { break }
                let end = place > 0 ? state.steps[place - 1].end : 0
                if place > 0 { state.steps[place - 1].waiting = end }
                let count = state.steps[place].nodes.count
                if place > 0, state.steps[place].nodes.last?.event.ordinal == event.ordinal {
                    state.steps[place].nodes[count - 1].end = end
                } else {
                    state.steps[place].nodes.append(Node(event: event, end: end))
                }
            }
        }
        var rest = record.runs[...]
        forEachRun(state.steps, count: state.runs) { taken in
            let ordinals = rest.popFirst()?.taken.map { $0.map(\.ordinal) }
            if ordinals != taken.map({ $0.map(\.ordinal) }) { isDamaged = true }
        }
        if isDamaged { throw reader.damaged("a run that has overtaken an older one") }
        guard let key else { return }
        makeState(key)
        states[key.index] = state
    }
}
