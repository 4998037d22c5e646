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
        /// Nothing does: how far the first event of the buffer leads is asked.
        case furthest

        var isAbsence: Bool {
            if case .absence = self { return true }
            return false
        }
    }

    struct Choice {
        /// Places in the buffer, by step.
        var taken: [[Int]]
        var first: Int
    }

    let parts: SequenceParts
    let evaluator: TermEvaluator
    let events: [CapturedEvent]
    let key: [Value]
    let goal: Goal
    let workMax: Int
    /// No event of the trailing absence lies before this, unless its condition needs a choice.
    let absentSince: Timestamp

    private(set) var isExhausted = false
    private var work = 0
    private var taken: [[Int]]
    private var first = 0
    private var found: [Choice] = []
    private var wanted = 1
    private var foundCount = 0
    private var kept = 1

    private var failures: FailureMemory
    /// How far the search has come, where that is asked.
    private var reachedFurthest: (rank: Double, reached: Reached)?

    init(
        parts: SequenceParts, evaluator: TermEvaluator, events: [CapturedEvent], key: [Value],
        goal: Goal, absentSince: Timestamp, workMax: Int
    ) {
        self.parts = parts
        self.evaluator = evaluator
        self.events = events
        self.key = key
        self.goal = goal
        self.absentSince = absentSince
        self.workMax = workMax
        taken = Array(repeating: [], count: parts.steps.count)
        // Among a handful of events everything is tried sooner than remembered.
        failures = FailureMemory(
            steps: parts.steps.count, transitions: parts.shape.transitions.count,
            isUsed: events.count > 8)
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

    /// How far a choice that begins with the first event comes.
    mutating func furthest() -> Reached? {
        guard !events.isEmpty else { return nil }
        _ = begin(at: 0)
        return reachedFurthest?.reached
    }

    /// Keeps the choice as it is now, if none before filled as much.
    private mutating func noteReached(_ transition: SequenceShape.Transition) {
        guard case .furthest = goal else { return }
        var rank = 0.0
        for (step, places) in taken.enumerated() where !places.isEmpty {
            let minimum = max(1, parts.steps[step].minimum)
            rank += min(1, Double(places.count) / Double(minimum)) + Double(places.count) * 1e-6
        }
        guard let last = taken[transition.step].last,
            reachedFurthest.map({ rank > $0.rank }) ?? true
        else { return }
        let reached = Reached(
            taken: taken.map { places in places.map { events[$0] } }, step: transition.step,
            target: transition.target, last: events[last])
        reachedFurthest = (rank, reached)
    }

    // MARK: - Starts

    private func startPlaces() -> Range<Int> {
        guard let within = parts.within else { return events.indices }
        let latest: Timestamp
        switch goal {
        case .event: latest = events[events.count - 1].instant
        case .absence(let last): latest = last
        case .until(let event): latest = event.instant
        case .furthest: return 0..<1
        }
        let earliest = latest - within
        // Events are in order of their instants.
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].instant < earliest { low = middle + 1 } else { high = middle }
        }
        return low..<events.count
    }

    private mutating func begin(at place: Int) -> Bool {
        guard events[place].starts != 0 else { return false }
        first = place
        var isFound = false
        for group in parts.shape.states[0].groups {
            for transition in group
            where events[place].starts >> UInt64(transition.step) & 1 == 1 {
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
        if failures.hasFailed(transition, at: place, dependency) { return false }
        if let condition = parts.steps[transition.step].runCondition,
            !holds(condition, at: place)
        {
            return false
        }
        failures.noteChange(ofStep: transition.step)
        restart(transition.step, with: place)
        noteReached(transition)
        let isFound = extend(transition, from: place)
        taken[transition.step].removeAll(keepingCapacity: true)
        failures.noteChange(ofStep: transition.step)
        if !isFound, !isExhausted {
            let isEnd = parts.shape.states[transition.target].isEnd
            failures.noteFailure(transition, at: place, dependency, isEnd: isEnd)
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
            mostTaken = max(mostTaken, taken[transition.step].count)
        }
        for group in state.groups {
            restart(transition.step, with: place)
            if walk(transition, group, from: place, takingUpTo: maximum, minimum) {
                isFound = true
                if foundCount >= wanted { return true }
            }
            mostTaken = max(mostTaken, taken[transition.step].count)
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
            place = max(place, events.count - 1)
        }
        while place < events.count {
            if spend() { return isFound }
            let event = events[place]
            if let limit, event.instant - events[last].instant > limit { return isFound }
            if isKilled(at: place) { return isFound }
            if taken[step].count >= minimum {
                for next in group
                where event.steps >> UInt64(next.step) & 1 == 1
                    && next.withouts & withoutsSeen == 0
                    && (!next.immediately || event.ordinal == events[last].ordinal + 1)
                    && isInTime(next, event, after: last)
                {
                    if fill(next, at: place) {
                        isFound = true
                        if foundCount >= wanted { return true }
                    }
                    if isExhausted { return isFound }
                }
            }
            if mayTake, event.steps & bit != 0, taken[step].count < maximum,
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
            while taken[step].count < max(1, minimum) {
                place += 1
                if place >= events.count || spend() || isKilled(at: place) { return false }
                if events[place].steps & bit != 0,
                    parts.steps[step].runCondition.map({ holds($0, at: place) }) ?? true
                {
                    take(step, place)
                    last = place
                }
            }
            guard last == events.count - 1 else { return false }
            note()
            return true
        }
        if case .furthest = goal {
            for place in events.indices[(start + 1)...] where taken[step].count < maximum {
                if spend() || isKilled(at: place) { break }
                guard events[place].steps & bit != 0,
                    parts.steps[step].runCondition.map({ holds($0, at: place) }) ?? true
                else { continue }
                take(step, place)
                noteReached(transition)
            }
            return false
        }
        for place in events.indices[(start + 1)...] {
            if spend() || isKilled(at: place) { return false }
            let event = events[place]
            if case .absence = goal, taken[step].count >= minimum,
                event.instant - events[last].instant > parts.trailingSpan
            {
                // Its own deadline was before this event.
                return false
            }
            if event.steps & bit != 0, taken[step].count < maximum,
                parts.within.map({ event.instant - events[first].instant <= $0 }) ?? true,
                parts.steps[step].runCondition.map({ holds($0, at: place) }) ?? true
            {
                take(step, place)
                last = place
                withoutsSeen = 0
            } else {
                noteWithouts(at: place, among: state.finalWithouts, &withoutsSeen)
            }
        }
        guard taken[step].count >= minimum, withoutsSeen == 0 else { return false }
        switch goal {
        case .event, .furthest: return false
        case .absence(let time):
            guard events[last].instant == time, isAbsent(after: last) else { return false }
        case .until(let event):
            if let condition = parts.untilCondition {
                guard evaluator.holds(condition, in: terms(event)) else { return false }
            }
        }
        note()
        return true
    }

    private mutating func note() {
        foundCount += 1
        found.append(Choice(taken: taken, first: first))
        if found.count > 2 * kept + 64 { found.removeFirst(found.count - kept) }
    }

    /// Lets a step have taken this event and no other. The memory is used again.
    private mutating func restart(_ step: Int, with place: Int) {
        taken[step].removeAll(keepingCapacity: true)
        taken[step].append(place)
    }

    private mutating func take(_ step: Int, _ place: Int) {
        taken[step].append(place)
        failures.noteChange(ofStep: step)
    }

    private func isInTime(
        _ next: SequenceShape.Transition, _ event: CapturedEvent, after last: Int
    ) -> Bool {
        parts.steps[next.step].gapLimit.map { event.instant - events[last].instant <= $0 } ?? true
    }

    /// No event of a trailing absence in `(t, t + span]`, `t` the time of the last event.
    private func isAbsent(after last: Int) -> Bool {
        let time = events[last].instant
        guard time >= absentSince else { return false }
        for absence in parts.shape.trailingAbsences {
            let condition = parts.steps[absence.step].runCondition
            for event in events[(last + 1)...]
            where event.steps >> UInt64(absence.step) & 1 == 1 && event.instant > time
                && event.instant - time <= absence.span
                && condition.map({ evaluator.holds($0, in: terms(event)) }) ?? true
            {
                return false
            }
        }
        return true
    }

    /// Whether an `until` event at the place ends the choice as far as it has come.
    private func isKilled(at place: Int) -> Bool {
        guard events[place].steps & parts.untilBit != 0, let condition = parts.untilCondition
        else { return false }
        return holds(condition, at: place)
    }

    private func noteWithouts(at place: Int, among withouts: UInt64, _ seen: inout UInt64) {
        var rest = events[place].steps & withouts & ~seen
        while rest != 0 {
            let step = rest.trailingZeroBitCount
            rest &= rest - 1
            if parts.steps[step].runCondition.map({ holds($0, at: place) }) ?? true {
                seen |= 1 << UInt64(step)
            }
        }
    }

    private func holds(_ condition: CodeID, at place: Int) -> Bool {
        evaluator.holds(condition, in: terms(events[place]))
    }

    private func terms(_ event: CapturedEvent) -> ChoiceTerms {
        ChoiceTerms(
            layout: parts.layout, events: events, taken: taken, current: event, key: key)
    }

    // MARK: - Work

    private mutating func spend() -> Bool {
        work += 1
        if work > workMax { isExhausted = true }
        return isExhausted
    }
}
