import RuleModel

/// `overlap none` and `overlap all`: keeps the events that may be part of a match, and looks for
/// choices of them when an event or a deadline may complete one. Nothing is enumerated before.
struct ChoiceMachine: Sendable {
    private struct KeyState: Sendable {
        /// In T0 order; those before `head` are gone.
        var events: [CapturedEvent] = []
        var head = 0
        /// How many events there are for each step, and how many that may begin a match.
        var counts: [Int] = []
        var starts = 0
        var ordinal: Int64 = 0
        var leading = LeadingHistory()
        /// The latest event of a plain trailing absence.
        var absentSince = Timestamp.distantPast
        /// Trailing absences up to here have been judged.
        var judgedUpTo = Timestamp.distantPast

        var isEmpty: Bool { head == events.count }
    }

    private let parts: SequenceParts
    private let limits: EngineLimits
    /// Every combination (`overlap all`), with the most at one event; nil for `none`.
    private let combinations: Int?
    private var states: [KeyState] = []
    /// Steps that only matter as the event that completes a match: such an event is not kept.
    private let onlyLast: UInt64
    /// How long an event can matter.
    private let retention: TimeSpan?
    private let leadingSpan: TimeSpan

    init(parts: SequenceParts, limits: EngineLimits) {
        self.parts = parts
        self.limits = limits
        if case .all(let limit) = parts.sequence.overlap {
            combinations = max(1, limit)
        } else {
            combinations = nil
        }
        var onlyLast: UInt64 = 0
        if parts.shape.trailingAbsences.isEmpty, !parts.shape.closesAtUntil {
            for step in parts.steps.indices where parts.shape.lastSteps >> UInt64(step) & 1 == 1 {
                let isLast = parts.shape.transitions.allSatisfy { transition in
                    transition.step != step || parts.shape.states[transition.target].isComplete
                }
                let isOneEvent =
                    parts.steps[step].minimum <= 1
                    && (parts.steps[step].maximum == 1 || !parts.steps[step].isReluctant)
                if isLast, isOneEvent { onlyLast |= 1 << UInt64(step) }
            }
        }
        self.onlyLast = onlyLast
        retention = parts.horizon.map { $0 + parts.trailingSpan }
        leadingSpan = parts.shape.leadingAbsences.map(\.span).max() ?? .zero
    }

    // MARK: - Events

    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {
        while states.count <= key.index { states.append(KeyState()) }
        let fitting = parts.fittingSteps(event, inputs: context.inputs)
        states[key.index].ordinal += 1
        prune(key, in: &context)
        var captured = CapturedEvent(
            instant: context.instant, time: event.time, type: event.type,
            ordinal: states[key.index].ordinal, steps: fitting, starts: 0, values: [])
        // An event that fits nothing only counts for `immediately`.
        if fitting != 0, isWanted(fitting, states[key.index]) {
            captured.values = parts.layout.values(of: event, steps: fitting)
            take(&captured, key: key, in: &context)
        }
        rest(key, in: &context)
    }

    /// Whether an event can matter now: it may start a match, or something has started.
    private func isWanted(_ fitting: UInt64, _ state: KeyState) -> Bool {
        !state.isEmpty || fitting & (parts.shape.firstSteps | parts.leadingBits) != 0
    }

    private mutating func take(
        _ event: inout CapturedEvent, key: KeySlot, in context: inout MachineContext
    ) {
        var hasClosed = false
        if event.steps & parts.untilBit != 0 { hasClosed = until(event, key: key, in: &context) }
        noteAbsence(event, key: key)
        event.starts = states[key.index].leading.allowedStarts(
            event, parts, key: context.keyValues(key), context: context)
        if event.steps & parts.leadingBits != 0 { states[key.index].leading.add(event, parts) }

        // Under `none` the event that completes a match starts none (T8).
        if hasClosed, combinations == nil { return }
        let completes =
            event.steps & parts.shape.lastSteps != 0 && parts.shape.trailingAbsences.isEmpty
            && !parts.shape.closesAtUntil && (event.starts != 0 || !states[key.index].isEmpty)
        if completes, hasEnough(key, with: event) {
            append(event, key: key)
            let hasMatched = search(.event, key: key, at: context.instant, in: &context)
            if hasMatched, combinations == nil { return }
            removeLast(key: key)
        }
        keep(event, key: key, in: &context)
    }

    /// Keeps an event that a later one may need.
    private mutating func keep(
        _ event: CapturedEvent, key: KeySlot, in context: inout MachineContext
    ) {
        var event = event
        event.steps &= keptSteps
        event.starts &= keptSteps
        if states[key.index].isEmpty {
            guard event.starts != 0 else { return }
        } else if event.steps == 0 {
            return
        }
        append(event, key: key)
        limit(key: key, in: &context)
        if event.steps & parts.shape.lastSteps != 0, !parts.shape.trailingAbsences.isEmpty {
            context.wake(key, at: event.instant + parts.trailingSpan)
        }
    }

    /// Steps as which events are kept.
    private var keptSteps: UInt64 {
        let absences = parts.trailingIsPlain ? 0 : parts.trailingBits
        let until = parts.untilCondition == nil ? 0 : parts.untilBit
        return (parts.shape.takenSteps & ~onlyLast) | parts.withouts | absences | until
    }

    /// An `until` event ends what is open (S7), or closes it where the last step goes on until it.
    ///
    /// - Returns: Whether it completed a match.
    private mutating func until(
        _ event: CapturedEvent, key: KeySlot, in context: inout MachineContext
    ) -> Bool {
        var hasMatched = false
        if parts.shape.closesAtUntil, !states[key.index].isEmpty, hasEnough(key, with: nil) {
            hasMatched = search(.until(event), key: key, at: context.instant, in: &context)
        }
        // With a condition on the choice the event is kept and asked when a choice is looked at.
        if parts.untilCondition == nil { clear(key: key) }
        return hasMatched
    }

    /// A plain event of a trailing absence ends all that waits for it.
    private mutating func noteAbsence(_ event: CapturedEvent, key: KeySlot) {
        guard parts.trailingIsPlain, event.steps & parts.trailingBits != 0 else { return }
        states[key.index].absentSince = event.instant
        // Single last steps of before can no longer be of use.
        var useless: UInt64 = 0
        for transition in parts.shape.transitions
        where parts.shape.states[transition.target].isEnd
            && parts.steps[transition.step].maximum == 1
        {
            useless |= 1 << UInt64(transition.step)
        }
        for transition in parts.shape.transitions where !parts.shape.states[transition.target].isEnd {
            useless &= ~(1 << UInt64(transition.step))
        }
        guard useless != 0, !states[key.index].isEmpty else { return }
        remove(key: key) { old in
            if old.instant < event.instant {
                old.steps &= ~useless
                old.starts &= ~useless
            }
        }
    }

    // MARK: - Deadlines

    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {
        guard key.index < states.count else { return }
        if !parts.shape.trailingAbsences.isEmpty {
            let last = time - parts.trailingSpan
            if last > states[key.index].judgedUpTo, last >= states[key.index].absentSince,
                states[key.index].events[states[key.index].head...].contains(where: {
                    $0.instant == last && $0.steps & parts.shape.lastSteps != 0
                }),
                hasEnough(key, with: nil)
            {
                search(.absence(last: last), key: key, at: time, in: &context)
            }
            states[key.index].judgedUpTo = max(states[key.index].judgedUpTo, last)
        }
        prune(key, upTo: time, in: &context)
        rest(key, in: &context)
    }

    /// Says when the key is to be looked at next, or gives it back.
    private mutating func rest(_ key: KeySlot, in context: inout MachineContext) {
        let state = states[key.index]
        if state.isEmpty, state.leading.isEmpty {
            forget(key)
            context.release(key)
            return
        }
        if !parts.shape.trailingAbsences.isEmpty, let last = nextWaiting(state) {
            context.wake(key, at: last + parts.trailingSpan)
        }
        if let retention, !state.isEmpty {
            context.wake(key, at: state.events[state.head].instant + retention)
        }
        if let first = state.leading.first { context.wake(key, at: first.instant + leadingSpan) }
    }

    /// The next event whose trailing absence is to be judged.
    private func nextWaiting(_ state: KeyState) -> Timestamp? {
        state.events[state.head...].first { event in
            event.steps & parts.shape.lastSteps != 0 && event.instant > state.judgedUpTo
                && event.instant >= state.absentSince
        }?.instant
    }

    func openDeadlines() -> Int {
        guard !parts.shape.trailingAbsences.isEmpty else { return 0 }
        return states.reduce(0) { $0 + (nextWaiting($1) == nil ? 0 : 1) }
    }

    // MARK: - Search

    /// Looks for matches and hands them out.
    ///
    /// - Returns: Whether there was one.
    @discardableResult
    private mutating func search(
        _ goal: ChoiceSearch.Goal, key: KeySlot, at time: Timestamp,
        in context: inout MachineContext
    ) -> Bool {
        compact(key)
        let state = states[key.index]
        var search = ChoiceSearch(
            parts: parts, evaluator: context.evaluator, events: state.events,
            key: context.keyValues(key), goal: goal, absentSince: state.absentSince,
            workMax: limits.workPerEvent)
        var choices: [ChoiceSearch.Choice] = []
        if let combinations {
            let (found, isCut) = search.choices(limit: combinations)
            choices = found
            // The author chose how many are enough, so this is counted and not told as a fault.
            if isCut { context.counters.rules[context.rule].droppedRuns += 1 }
        } else if let choice = search.firstChoice() {
            choices = [choice]
        }
        if search.isExhausted {
            context.noteOverflow(.searches)
            context.keys[context.rule].addDoubts(key, .exhaustedSearch)
        }
        for choice in choices {
            context.emitMatch(
                parts, taken: choice.taken.map { places in places.map { state.events[$0] } },
                key: key, matchedAt: time)
        }
        guard let choice = choices.first else { return false }
        if combinations == nil { discard(after: choice, key: key) }
        return true
    }

    /// After a match under `none` every candidate that has begun is discarded; with `after match
    /// resume at` those that begin at the named step or later stay.
    private mutating func discard(after choice: ChoiceSearch.Choice, key: KeySlot) {
        guard let step = parts.sequence.resumeAt, let place = choice.taken[step.rawValue].first else {
            clear(key: key)
            return
        }
        states[key.index].head = 0
        let first = states[key.index].events[place].ordinal
        let keptSteps = keptSteps
        remove(key: key) { event in
            if event.ordinal < first {
                event.steps = 0
            } else {
                event.steps &= keptSteps
                event.starts &= keptSteps
            }
        }
    }

    /// Whether there are events enough for every step that must be filled: a quick no before any
    /// search.
    private func hasEnough(_ key: KeySlot, with event: CapturedEvent?) -> Bool {
        let state = states[key.index]
        for step in parts.shape.mandatorySteps {
            var count = step < state.counts.count ? state.counts[step] : 0
            if let event, event.steps >> UInt64(step) & 1 == 1 { count += 1 }
            if count < parts.steps[step].minimum { return false }
        }
        return true
    }

    // MARK: - Keeping

    private mutating func append(_ event: CapturedEvent, key: KeySlot) {
        count(event, by: 1, key: key)
        states[key.index].events.append(event)
    }

    private mutating func removeLast(key: KeySlot) {
        guard let event = states[key.index].events.popLast() else { return }
        count(event, by: -1, key: key)
    }

    private mutating func count(_ event: CapturedEvent, by difference: Int, key: KeySlot) {
        if states[key.index].counts.isEmpty {
            states[key.index].counts = Array(repeating: 0, count: parts.steps.count)
        }
        if event.starts != 0 { states[key.index].starts += difference }
        var rest = event.steps
        while rest != 0 {
            states[key.index].counts[rest.trailingZeroBitCount] += difference
            rest &= rest - 1
        }
    }

    private mutating func clear(key: KeySlot) {
        states[key.index].events.removeAll(keepingCapacity: states[key.index].events.count < 64)
        states[key.index].head = 0
        states[key.index].starts = 0
        states[key.index].counts.removeAll(keepingCapacity: true)
    }

    /// Changes events and drops those that are of no use then.
    private mutating func remove(key: KeySlot, _ change: (inout CapturedEvent) -> Void) {
        compact(key)
        var kept: [CapturedEvent] = []
        for var event in states[key.index].events {
            change(&event)
            if event.steps == 0 || (kept.isEmpty && event.starts == 0) { continue }
            kept.append(event)
        }
        clear(key: key)
        for event in kept { append(event, key: key) }
    }

    private mutating func compact(_ key: KeySlot) {
        guard states[key.index].head > 0 else { return }
        states[key.index].events.removeFirst(states[key.index].head)
        states[key.index].head = 0
    }

    /// Drops what is too old for the event being processed, and what has no start before it.
    private mutating func prune(_ key: KeySlot, in context: inout MachineContext) {
        // An event exactly as old as the horizon still counts (T1).
        prune(key, upTo: context.instant - TimeSpan(nanoseconds: 1), in: &context)
    }

    /// Drops events whose time ended at or before `time` (S9).
    private mutating func prune(
        _ key: KeySlot, upTo time: Timestamp, in context: inout MachineContext
    ) {
        states[key.index].leading.removeAll(before: time - leadingSpan + TimeSpan(nanoseconds: 1))
        guard let retention else { return }
        var hasDropped = false
        while !states[key.index].isEmpty {
            let event = states[key.index].events[states[key.index].head]
            let isOld = event.instant + retention <= time
            guard isOld || (hasDropped && event.starts == 0) else { break }
            if isOld, event.starts != 0 { notePartial(event, key: key, at: time, in: &context) }
            dropFirst(key)
            hasDropped = true
        }
        if states[key.index].isEmpty {
            clear(key: key)
        } else if states[key.index].head > 64,
            states[key.index].head * 2 > states[key.index].events.count
        {
            compact(key)
        }
    }

    private mutating func dropFirst(_ key: KeySlot) {
        let head = states[key.index].head
        count(states[key.index].events[head], by: -1, key: key)
        states[key.index].events[head].values = []
        states[key.index].head += 1
    }

    /// Keeps the limits on events and, where a rule has no time limit, on candidates (T9).
    private mutating func limit(key: KeySlot, in context: inout MachineContext) {
        if states[key.index].events.count - states[key.index].head > limits.eventsPerKey {
            context.noteOverflow(.events)
            context.keys[context.rule].addDoubts(key, .droppedEvents)
            dropOldest(key)
        }
        if let runLimit = parts.sequence.runLimit, states[key.index].starts > runLimit {
            context.noteOverflow(.runs)
            context.keys[context.rule].addDoubts(key, .droppedRuns)
            dropFirst(key)
            while !states[key.index].isEmpty,
                states[key.index].events[states[key.index].head].starts == 0
            {
                dropFirst(key)
            }
        }
    }

    /// Drops the oldest event that only repeated steps need, so that a long repetition does not
    /// lose its beginning; without one the oldest of all.
    private mutating func dropOldest(_ key: KeySlot) {
        compact(key)
        var unlimited: UInt64 = 0
        for (index, step) in parts.steps.enumerated() where step.maximum == nil {
            unlimited |= 1 << UInt64(index)
        }
        // Within the first few: the search stays short, and what is dropped is old.
        let events = states[key.index].events
        let place = events.indices.prefix(64).first {
            events[$0].steps & ~unlimited == 0 && events[$0].starts == 0
        }
        guard let place else {
            dropFirst(key)
            return
        }
        count(events[place], by: -1, key: key)
        states[key.index].events.remove(at: place)
    }

    // MARK: - Near misses

    /// Notes how far a candidate came that has run out of time.
    private func notePartial(
        _ event: CapturedEvent, key: KeySlot, at time: Timestamp, in context: inout MachineContext
    ) {
        guard parts.sequence.reportsPartial, context.keepsPartialMatches else { return }
        let state = states[key.index]
        var names: [String] = []
        var place = 0
        for event in state.events[state.head...] {
            let step = parts.shape.states[place].groups.joined().first { transition in
                event.steps >> UInt64(transition.step) & 1 == 1
            }
            guard let step else { continue }
            names.append(parts.steps[step.step].name)
            place = step.target
        }
        context.partialMatches.append(
            PartialMatch(
                rule: context.program.rules[parts.rule].id, key: context.keyValues(key),
                firstTime: event.time, endedAt: time, filledSteps: names))
    }

    mutating func forget(_ key: KeySlot) {
        guard key.index < states.count else { return }
        states[key.index] = KeyState()
    }
}
