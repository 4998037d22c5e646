import RuleModel

/// Looks for choices of events that fit a sequence, among those that a key has kept (S2).
///
/// Depth first, with the choice that is wanted first found first: the earliest start, then for each
/// step the earliest fitting event. What has failed once is not tried again as long as the events
/// it depended on are the same, so that the work stays near linear where conditions do not tie
/// every step to every other one; `workMax` bounds it where they do.
struct ChoiceSearch {
    /// What makes a choice complete.
    enum Goal {
        /// Its last event is the last of the buffer, and it was not complete before.
        case event
        /// A deadline: its last event is this old, and nothing forbidden came since.
        case absence(last: Timestamp)
        /// An `until` event, which is not in the buffer.
        case until(CapturedEvent)
        /// Nothing does: how far an event leads is asked.
        case furthest

        var isAbsence: Bool {
            if case .absence = self { return true }
            return false
        }
    }

    /// The places among the key's events that each step has taken.
    typealias Choice = [[Int]]

    private let parts: SequenceParts
    private let evaluator: TermEvaluator
    /// The events of all keys, and their fields.
    private let memory: [KeptEvent]
    private let values: [Value]
    /// Where the events of the key lie in it.
    private let range: Range<Int>
    private let key: [Value]
    private let goal: Goal
    private let workMax: Int
    /// No event of the trailing absence lies before this, unless its condition needs a choice.
    private let absentSince: Timestamp

    private(set) var isExhausted = false
    private var work = 0
    private var first = 0
    private var found: [Choice] = []
    private var wanted = 1
    private var foundCount = 0
    private var kept = 1

    /// What is used again by the next search.
    struct Scratch: Sendable {
        /// Places that steps have taken, each step's side by side: a step is filled behind the one
        /// before it, and goes on taking only when what was filled behind it has been let go.
        fileprivate var taken: [Int] = []
        /// By step: which of `taken` are its own.
        fileprivate var bounds: [Range<Int>] = []
        fileprivate var failures = FailureMemory()
    }

    private var scratch: Scratch
    /// The event that a condition looks at.
    private var current: Current = .place(0)

    private enum Current {
        case place(Int)
        case other(CapturedEvent)
    }
    /// How far the search has come, where that is asked.
    private var reachedFurthest: (rank: Double, reached: Reached)?

    init(
        parts: SequenceParts, evaluator: TermEvaluator, events: KeptEvents, of slot: KeySlot,
        key: [Value], goal: Goal, absentSince: Timestamp, workMax: Int, scratch: consuming Scratch
    ) {
        self.parts = parts
        self.evaluator = evaluator
        memory = events.memory
        values = events.values
        range = events.places(slot)
        self.key = key
        self.goal = goal
        self.absentSince = absentSince
        self.workMax = workMax
        self.scratch = scratch
        self.scratch.taken.removeAll(keepingCapacity: true)
        self.scratch.bounds.removeAll(keepingCapacity: true)
        self.scratch.bounds.append(contentsOf: repeatElement(0..<0, count: parts.steps.count))
        // Among a handful of events everything is tried sooner than remembered.
        self.scratch.failures.begin(
            steps: parts.steps.count, transitions: parts.shape.transitions.count,
            isUsed: range.count > 8)
    }

    /// The number of events of the key.
    private var count: Int { range.count }

    @inline(__always)
    private func event(_ place: Int) -> KeptEvent { memory[range.lowerBound + place] }

    /// What the next search may use again; this one is over then.
    mutating func takeScratch() -> Scratch {
        defer { scratch = Scratch() }
        return scratch
    }

    /// The choice that S2 prefers.
    mutating func firstChoice() -> Choice? {
        for start in startPlaces() where begin(at: start) { return found.first }
        return nil
    }

    /// The choices with the latest starts, at most `limit`, in order of their starts; and whether
    /// there are more.
    mutating func choices(limit: Int) -> (choices: [Choice], isCut: Bool) {
        wanted = limit + 1
        var byStart: [[Choice]] = []
        var count = 0
        for start in startPlaces().reversed() where count <= limit {
            found = []
            foundCount = 0
            // Of one start the last ones are kept as well, so all are gone through.
            wanted = .max
            kept = limit - count
            _ = begin(at: start)
            byStart.append(Array(found.suffix(kept)))
            count += foundCount
        }
        return (Array(byStart.reversed().joined()), count > limit)
    }

    /// How far a choice comes that begins with the event at a place.
    mutating func furthest(from place: Int = 0) -> Reached? {
        guard place < count else { return nil }
        _ = begin(at: place)
        return reachedFurthest?.reached
    }

    /// Keeps the choice as it is now, if none before filled as much.
    private mutating func noteReached(_ transition: SequenceShape.Transition) {
        guard case .furthest = goal else { return }
        var rank = 0.0
        for (step, bounds) in scratch.bounds.enumerated() where !bounds.isEmpty {
            let minimum = max(1, parts.steps[step].minimum)
            rank += min(1, Double(bounds.count) / Double(minimum)) + Double(bounds.count) * 1e-6
        }
        guard let last = scratch.taken[scratch.bounds[transition.step]].last,
            reachedFurthest.map({ rank > $0.rank }) ?? true
        else { return }
        let reached = Reached(
            taken: scratch.bounds.map { bounds in scratch.taken[bounds].map(captured) },
            step: transition.step, target: transition.target, last: captured(last),
            places: scratch.bounds.flatMap { scratch.taken[$0] })
        reachedFurthest = (rank, reached)
    }

    private func captured(_ place: Int) -> CapturedEvent {
        let width = parts.layout.width
        let own = range.lowerBound + place
        return CapturedEvent(memory[own], values: values[own * width..<(own + 1) * width])
    }

    // MARK: - Starts

    private func startPlaces() -> Range<Int> {
        guard let within = parts.within else { return 0..<count }
        let latest: Timestamp
        switch goal {
        case .event: latest = event(count - 1).instant
        case .absence(let last): latest = last
        case .until(let event): latest = event.instant
        case .furthest: return 0..<1
        }
        let earliest = latest - within
        // Events are in order of their instants.
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if event(middle).instant < earliest { low = middle + 1 } else { high = middle }
        }
        return low..<count
    }

    private mutating func begin(at place: Int) -> Bool {
        let starts = event(place).starts
        guard starts != 0 else { return false }
        first = place
        var isFound = false
        for group in parts.shape.states[0].groups {
            for transition in group
            where starts >> UInt64(transition.step) & 1 == 1 {
                if fill(transition, at: place) {
                    isFound = true
                    if foundCount >= wanted { return true }
                }
            }
        }
        return isFound
    }

    // MARK: - Steps

    /// Lets a step begin at a place, if its condition holds, and looks for the rest.
    private mutating func fill(_ transition: SequenceShape.Transition, at place: Int) -> Bool {
        let dependency = parts.dependencies[transition.id]
        if scratch.failures.hasFailed(transition, at: place, dependency) { return false }
        if let condition = parts.steps[transition.step].runCondition,
            !holds(condition, at: place)
        {
            return false
        }
        scratch.failures.noteChange(ofStep: transition.step)
        let begin = scratch.taken.count
        scratch.bounds[transition.step] = begin..<begin
        restart(transition.step, with: place)
        noteReached(transition)
        let isFound = extend(transition, from: place)
        scratch.taken.removeSubrange(begin...)
        scratch.bounds[transition.step] = 0..<0
        scratch.failures.noteChange(ofStep: transition.step)
        if !isFound, !isExhausted {
            let isEnd = parts.shape.states[transition.target].isEnd
            scratch.failures.noteFailure(transition, at: place, dependency, isEnd: isEnd)
        }
        return isFound
    }

    /// Looks for the rest behind a step that has begun at a place. The step goes on taking events
    /// until the next one is filled; a reluctant one takes as few as the rest lets it.
    private mutating func extend(_ transition: SequenceShape.Transition, from place: Int) -> Bool {
        let maximum = parts.steps[transition.step].maximum ?? .max
        let minimum = parts.steps[transition.step].minimum
        guard parts.steps[transition.step].isReluctant, minimum < maximum else {
            return extend(transition, from: place, takingUpTo: maximum, leavingAt: minimum)
        }
        var count = max(minimum, 1)
        var isFound = false
        while count <= maximum {
            if extend(transition, from: place, takingUpTo: count, leavingAt: count) {
                isFound = true
                if foundCount >= wanted { return true }
            }
            // Fewer were there than asked for: more will not be either.
            if isExhausted || reached < count { return isFound }
            count += 1
        }
        return isFound
    }

    /// How many events the last call of the function below could take.
    private var reached = 0

    private mutating func extend(
        _ transition: SequenceShape.Transition, from place: Int, takingUpTo maximum: Int,
        leavingAt minimum: Int
    ) -> Bool {
        let state = parts.shape.states[transition.target]
        var isFound = false
        var mostTaken = 1
        if state.isComplete {
            if complete(transition, state, from: place, takingUpTo: maximum, minimum) {
                isFound = true
                if foundCount >= wanted { return true }
            }
            mostTaken = max(mostTaken, takenCount(transition.step))
        }
        for group in state.groups {
            restart(transition.step, with: place)
            if walk(transition, group, from: place, takingUpTo: maximum, minimum) {
                isFound = true
                if foundCount >= wanted { return true }
            }
            mostTaken = max(mostTaken, takenCount(transition.step))
            if isExhausted { break }
        }
        reached = mostTaken
        return isFound
    }

    /// Tries to fill one of the next steps at each later place, and lets the step at hand take what
    /// fits it in between.
    private mutating func walk(
        _ transition: SequenceShape.Transition, _ group: [SequenceShape.Transition],
        from start: Int, takingUpTo maximum: Int, _ minimum: Int
    ) -> Bool {
        let step = transition.step
        let bit: UInt64 = 1 << UInt64(step)
        let mayTake = maximum > 1
        var last = start
        var withoutsSeen: UInt64 = 0
        var isFound = false
        // Behind this nothing of the group can be filled; only without further taking is that known.
        let limit = mayTake ? nil : parts.gapLimit(of: group)
        var place = start + 1
        if !mayTake, case .event = goal, parts.canSkipToEnd(group) {
            place = max(place, count - 1)
        }
        while place < count {
            if spend() { return isFound }
            let event = event(place)
            if let limit, event.instant - self.event(last).instant > limit { return isFound }
            if isKilled(at: place) { return isFound }
            if takenCount(step) >= minimum {
                for next in group
                where event.steps >> UInt64(next.step) & 1 == 1
                    && next.withouts & withoutsSeen == 0
                    && (!next.immediately || event.ordinal == self.event(last).ordinal &+ 1)
                    && isInTime(next, event, after: last)
                {
                    if fill(next, at: place) {
                        isFound = true
                        if foundCount >= wanted { return true }
                    }
                    if isExhausted { return isFound }
                }
            }
            if mayTake, event.steps & bit != 0, takenCount(step) < maximum,
                parts.steps[step].runCondition.map({ holds($0, at: place) }) ?? true
            {
                take(step, place)
                noteReached(transition)
                last = place
                withoutsSeen = 0
            } else {
                noteWithouts(at: place, among: parts.withouts, &withoutsSeen)
            }
            place += 1
        }
        return isFound
    }

    /// Whether the choice is complete with the step at hand as its last.
    private mutating func complete(
        _ transition: SequenceShape.Transition, _ state: SequenceShape.State, from start: Int,
        takingUpTo maximum: Int, _ minimum: Int
    ) -> Bool {
        let step = transition.step
        let bit: UInt64 = 1 << UInt64(step)
        // A reluctant step at the end has enough with its minimum; only an absence behind it may hold
        // for more events where it does not for fewer.
        if minimum > max(1, parts.steps[step].minimum), !goal.isAbsence { return false }
        restart(step, with: start)
        var last = start
        var withoutsSeen: UInt64 = 0
        if case .event = goal {
            // Complete means at the very event at which the minimum is reached.
            var place = start
            while takenCount(step) < max(1, minimum) {
                place += 1
                if place >= count || spend() || isKilled(at: place) { return false }
                if event(place).steps & bit != 0,
                    parts.steps[step].runCondition.map({ holds($0, at: place) }) ?? true
                {
                    take(step, place)
                    last = place
                }
            }
            guard last == count - 1 else { return false }
            note()
            return true
        }
        if case .furthest = goal {
            for place in (start + 1)..<count where takenCount(step) < maximum {
                if spend() || isKilled(at: place) { break }
                guard event(place).steps & bit != 0,
                    parts.steps[step].runCondition.map({ holds($0, at: place) }) ?? true
                else { continue }
                take(step, place)
                noteReached(transition)
            }
            return false
        }
        for place in (start + 1)..<count {
            if spend() || isKilled(at: place) { return false }
            let event = event(place)
            if case .absence = goal, takenCount(step) >= minimum,
                event.instant - self.event(last).instant > parts.trailingSpan
            {
                // Its own deadline was before this event.
                return false
            }
            if event.steps & bit != 0, takenCount(step) < maximum,
                parts.within.map({ event.instant - self.event(first).instant <= $0 }) ?? true,
                parts.steps[step].runCondition.map({ holds($0, at: place) }) ?? true
            {
                take(step, place)
                last = place
                withoutsSeen = 0
            } else {
                noteWithouts(at: place, among: state.finalWithouts, &withoutsSeen)
            }
        }
        guard takenCount(step) >= minimum, withoutsSeen == 0 else { return false }
        switch goal {
        case .event, .furthest: return false
        case .absence(let time):
            guard event(last).instant == time, isAbsent(after: last) else { return false }
        case .until(let event):
            if let condition = parts.untilCondition {
                guard holds(condition, at: .other(event)) else { return false }
            }
        }
        note()
        return true
    }

    private mutating func note() {
        foundCount += 1
        found.append(scratch.bounds.map { Array(scratch.taken[$0]) })
        if found.count > 2 * kept + 64 { found.removeFirst(found.count - kept) }
    }

    /// Lets a step have taken this event and no other. The memory is used again.
    private mutating func restart(_ step: Int, with place: Int) {
        let begin = scratch.bounds[step].lowerBound
        scratch.taken.removeSubrange(begin...)
        scratch.taken.append(place)
        scratch.bounds[step] = begin..<begin + 1
    }

    private mutating func take(_ step: Int, _ place: Int) {
        scratch.taken.append(place)
        scratch.bounds[step] = scratch.bounds[step].lowerBound..<scratch.taken.count
        scratch.failures.noteChange(ofStep: step)
    }

    private func takenCount(_ step: Int) -> Int { scratch.bounds[step].count }

    private func isInTime(
        _ next: SequenceShape.Transition, _ event: KeptEvent, after last: Int
    ) -> Bool {
        parts.steps[next.step].gapLimit.map { event.instant - self.event(last).instant <= $0 }
            ?? true
    }

    /// No event of a trailing absence in `(t, t + span]`, `t` the time of the last event.
    private mutating func isAbsent(after last: Int) -> Bool {
        let time = event(last).instant
        guard time >= absentSince else { return false }
        for absence in parts.shape.trailingAbsences {
            let condition = parts.steps[absence.step].runCondition
            for place in (last + 1)..<count {
                let event = event(place)
                if event.steps >> UInt64(absence.step) & 1 == 1, event.instant > time,
                    event.instant - time <= absence.span,
                    condition.map({ holds($0, at: place) }) ?? true
                {
                    return false
                }
            }
        }
        return true
    }

    /// Whether an `until` event at the place ends the choice as far as it has come.
    private mutating func isKilled(at place: Int) -> Bool {
        guard parts.untilBit != 0, event(place).steps & parts.untilBit != 0,
            let condition = parts.untilCondition
        else { return false }
        return holds(condition, at: place)
    }

    private mutating func noteWithouts(
        at place: Int, among withouts: UInt64, _ seen: inout UInt64
    ) {
        var rest = event(place).steps & withouts & ~seen
        while rest != 0 {
            let step = rest.trailingZeroBitCount
            rest &= rest - 1
            if parts.steps[step].runCondition.map({ holds($0, at: place) }) ?? true {
                seen |= 1 << UInt64(step)
            }
        }
    }

    // MARK: - Conditions

    private mutating func holds(_ condition: CodeID, at place: Int) -> Bool {
        holds(condition, at: .place(place))
    }

    private mutating func holds(_ condition: CodeID, at event: Current) -> Bool {
        current = event
        return evaluator.holds(condition, in: self)
    }

    private func value(_ field: FieldID, at place: Int) -> Value {
        if field == .time { return .time(event(place).time) }
        if field == .type { return .text(parts.layout.name(of: event(place).type)) }
        guard let offset = parts.layout.place(of: field) else { return .missing }
        return values[(range.lowerBound + place) * parts.layout.width + offset]
    }

    // MARK: - Work

    private mutating func spend() -> Bool {
        work += 1
        if work > workMax { isExhausted = true }
        return isExhausted
    }
}

extension ChoiceSearch: TermContext {
    func field(_ field: FieldID) -> Value {
        switch current {
        case .place(let place): value(field, at: place)
        case .other(let event): parts.layout.value(field, of: event)
        }
    }

    func stepField(_ step: StepID, _ occurrence: Term.Occurrence, _ field: FieldID) -> Value {
        let bounds = scratch.bounds[step.rawValue]
        guard !bounds.isEmpty else { return .missing }
        let index = occurrence == .last ? bounds.upperBound - 1 : bounds.lowerBound
        return value(field, at: scratch.taken[index])
    }

    func stepList(_ step: StepID, _ field: FieldID) -> Value { .list(values(step, field)) }

    func stepCount(_ step: StepID) -> Value { .int(Int64(takenCount(step.rawValue))) }

    func stepAggregate(_ function: AggregateFunction, _ step: StepID, _ field: FieldID) -> Value {
        if function == .count { return stepCount(step) }
        return Numbers.aggregate(function, values(step, field))
    }

    func key(_ index: Int) -> Value { key.indices.contains(index) ? key[index] : .missing }

    private func values(_ step: StepID, _ field: FieldID) -> [Value] {
        scratch.taken[scratch.bounds[step.rawValue]].compactMap { place in
            let value = value(field, at: place)
            return value.isMissing ? nil : value
        }
    }
}
