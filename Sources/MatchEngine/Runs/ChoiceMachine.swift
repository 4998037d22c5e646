import RuleModel

/// `overlap none` and `overlap all`: keeps the events that may be part of a match, and looks for
/// choices of them when an event or a deadline may complete one. Nothing is enumerated before.
struct ChoiceMachine: Sendable {
    /// What a key of a sequence with an absence has besides its events.
    private struct AbsenceState: Sendable {
        var leading = LeadingHistory()
        /// The latest event of a plain trailing absence.
        var absentSince = Timestamp.distantPast
        /// Trailing absences up to here have been judged.
        var judgedUpTo = Timestamp.distantPast
    }

    private let parts: SequenceParts
    private let workMax: Int
    /// Every combination (`overlap all`), with the most at one event; nil for `none`.
    private let combinations: Int?
    private var events: KeptEvents
    /// By `KeySlot.index`; empty for a sequence without absences.
    private var absences: [AbsenceState] = []
    private let hasAbsences: Bool
    /// How many events of the rule's input each key has seen, by `KeySlot.index`; empty where nothing
    /// asks for the very next one.
    private var ordinals: [UInt32] = []
    private var scratch = ChoiceSearch.Scratch()
    /// Steps as which events are kept.
    private let keptSteps: UInt64
    /// Steps that take any number of events.
    private let unlimitedSteps: UInt64
    /// How long an event can matter.
    private let retention: TimeSpan?
    private let leadingSpan: TimeSpan

    init(parts: SequenceParts, workMax: Int) {
        self.parts = parts
        self.workMax = workMax
        events = KeptEvents(stepCount: parts.steps.count, layout: parts.layout)
        hasAbsences =
            !parts.shape.leadingAbsences.isEmpty || !parts.shape.trailingAbsences.isEmpty
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
        // What only matters as the event that completes a match is not kept.
        keptSteps =
            (parts.shape.takenSteps & ~onlyLast) | parts.withouts
            | (parts.trailingIsPlain ? 0 : parts.trailingBits)
            | (parts.untilCondition == nil ? 0 : parts.untilBit)
        unlimitedSteps = parts.steps.indices.reduce(0) { bits, step in
            parts.steps[step].maximum == nil ? bits | 1 << UInt64(step) : bits
        }
        retention = parts.horizon.map { $0 + parts.trailingSpan }
        leadingSpan = parts.shape.leadingAbsences.map(\.span).max() ?? .zero
    }

    /// Takes over the state that a key has in another machine of the same rule.
    mutating func adopt(_ key: KeySlot, from other: ChoiceMachine, _ otherKey: KeySlot) {
        events.adopt(key, from: other.events, otherKey)
        if hasAbsences { setAbsences(key, other.absences(otherKey)) }
        if parts.hasImmediately { setOrdinal(key, other.ordinal(otherKey)) }
    }

    /// Takes over all keys of another machine of the same rule.
    mutating func takeKeys(from other: inout Self) {
        events.takeKeys(from: &other.events)
        swap(&absences, &other.absences)
        swap(&ordinals, &other.ordinals)
    }

    // MARK: - Events

    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {
        let fitting = parts.fittingSteps(event, inputs: context.inputs)
        if parts.hasImmediately { setOrdinal(key, ordinal(key) &+ 1) }
        prune(key, in: &context)
        // An event that fits nothing only counts for `immediately`.
        if fitting != 0, isWanted(fitting, key) {
            take(event, fitting, key: key, in: &context)
        }
        rest(key, in: &context)
    }

    @inline(__always)
    mutating func prefetchPlace(_ key: KeySlot) { events.prefetchPlace(key) }
    @inline(__always)
    mutating func prefetchState(_ key: KeySlot) { events.prefetchEvents(key) }

    /// Whether an event can matter now: it may start a match, or something has started.
    private func isWanted(_ fitting: UInt64, _ key: KeySlot) -> Bool {
        fitting & (parts.shape.firstSteps | parts.leadingBits) != 0 || !events.isEmpty(key)
    }

    private mutating func take(
        _ event: Event, _ fitting: UInt64, key: KeySlot, in context: inout MachineContext
    ) {
        var hasClosed = false
        if fitting & parts.untilBit != 0 {
            hasClosed = until(
                parts.captured(event, fitting, at: context.instant), key: key, in: &context)
        }
        noteAbsence(fitting, at: context.instant, key: key)
        var kept = KeptEvent(
            instant: context.instant, time: event.time, steps: fitting,
            starts: fitting & parts.shape.firstSteps, ordinal: ordinal(key), type: event.type)
        if parts.leadingBits != 0 {
            let captured = parts.captured(event, fitting, at: context.instant)
            kept.starts = absences(key).leading.allowedStarts(
                captured, parts, key: context.keyValues(key), context: context)
            if fitting & parts.leadingBits != 0 {
                changeAbsences(key) { [parts] in $0.leading.add(captured, parts) }
            }
        }

        // Under `none` the event that completes a match starts none (T8).
        if hasClosed, combinations == nil { return }
        let completes =
            fitting & parts.shape.lastSteps != 0 && parts.shape.trailingAbsences.isEmpty
            && !parts.shape.closesAtUntil && (kept.starts != 0 || !events.isEmpty(key))
        let isSearched = completes && hasEnough(key, with: fitting)
        let isOfUse =
            kept.steps & keptSteps != 0
            && (kept.starts & keptSteps != 0 || !events.isEmpty(key))
        guard isSearched || isOfUse else { return }
        if isSearched {
            // With all steps that it fits, and their fields; what is kept is that of some.
            events.append(kept, key, fieldsOf: event)
            let hasMatched = search(.event, key: key, at: context.instant, in: &context)
            if hasMatched, combinations == nil { return }
            events.restrictLast(key, to: keptSteps)
            guard !events.isEmpty(key) else { return }
        } else {
            kept.steps &= keptSteps
            kept.starts &= keptSteps
            events.append(kept, key, fieldsOf: event)
        }
        limit(key: key, in: &context)
        if fitting & keptSteps & parts.shape.lastSteps != 0, !parts.shape.trailingAbsences.isEmpty {
            context.wake(key, at: context.instant + parts.trailingSpan)
        }
    }

    /// An `until` event ends what is open (S7), or closes it where the last step goes on until it.
    ///
    /// - Returns: Whether it completed a match.
    private mutating func until(
        _ event: CapturedEvent, key: KeySlot, in context: inout MachineContext
    ) -> Bool {
        var hasMatched = false
        if parts.shape.closesAtUntil, !events.isEmpty(key), hasEnough(key, with: 0) {
            hasMatched = search(.until(event), key: key, at: context.instant, in: &context)
        }
        // With a condition on the choice the event is kept and asked when a choice is looked at.
        if parts.untilCondition == nil { events.removeAll(key) }
        return hasMatched
    }

    /// A plain event of a trailing absence ends all that waits for it.
    private mutating func noteAbsence(_ fitting: UInt64, at instant: Timestamp, key: KeySlot) {
        guard parts.trailingIsPlain, fitting & parts.trailingBits != 0 else { return }
        changeAbsences(key) { $0.absentSince = instant }
        // Single last steps of before can no longer be of use.
        var useless: UInt64 = 0
        for transition in parts.shape.transitions
        where parts.shape.states[transition.target].isEnd
            && parts.steps[transition.step].maximum == 1
        {
            useless |= 1 << UInt64(transition.step)
        }
        for transition in parts.shape.transitions where !parts.shape.states[transition.target].isEnd
        {
            useless &= ~(1 << UInt64(transition.step))
        }
        guard useless != 0, !events.isEmpty(key) else { return }
        events.change(key) { _, old in
            if old.instant < instant {
                old.steps &= ~useless
                old.starts &= ~useless
            }
        }
    }

    // MARK: - Deadlines

    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {
        if !parts.shape.trailingAbsences.isEmpty {
            let last = time - parts.trailingSpan
            let state = absences(key)
            if last > state.judgedUpTo, last >= state.absentSince,
                events.events(key).contains(where: {
                    $0.instant == last && $0.steps & parts.shape.lastSteps != 0
                }),
                hasEnough(key, with: 0)
            {
                search(.absence(last: last), key: key, at: time, in: &context)
            }
            changeAbsences(key) { $0.judgedUpTo = max($0.judgedUpTo, last) }
        }
        prune(key, upTo: time, in: &context)
        rest(key, in: &context)
    }

    /// Says when the key is to be looked at next, or gives it back.
    private mutating func rest(_ key: KeySlot, in context: inout MachineContext) {
        let leading = hasAbsences ? absences(key).leading.first?.instant : nil
        if events.isEmpty(key), leading == nil {
            forget(key)
            context.release(key)
            return
        }
        if !parts.shape.trailingAbsences.isEmpty, let last = nextWaiting(key) {
            context.wake(key, at: last + parts.trailingSpan)
        }
        // What has had its time is dropped when the key is looked at next, which is when its last event
        // has had it if nothing comes before; only who is told of each needs it to the point.
        if let retention,
            let last = parts.sequence.reportsPartial
                ? events.firstInstant(key) : events.lastInstant(key)
        {
            context.wake(key, at: last + retention)
        }
        if let leading { context.wake(key, at: leading + leadingSpan) }
    }

    /// The next event whose trailing absence is to be judged.
    private func nextWaiting(_ key: KeySlot) -> Timestamp? {
        let state = absences(key)
        return events.events(key).first { event in
            event.steps & parts.shape.lastSteps != 0 && event.instant > state.judgedUpTo
                && event.instant >= state.absentSince
        }?.instant
    }

    func openDeadlines() -> Int {
        guard !parts.shape.trailingAbsences.isEmpty else { return 0 }
        return events.keys.reduce(0) { $0 + (nextWaiting($1) == nil ? 0 : 1) }
    }

    // MARK: - State besides events

    private func absences(_ key: KeySlot) -> AbsenceState {
        key.index < absences.count ? absences[key.index] : AbsenceState()
    }

    private mutating func setAbsences(_ key: KeySlot, _ state: AbsenceState) {
        while absences.count <= key.index { absences.append(AbsenceState()) }
        absences[key.index] = state
    }

    private mutating func changeAbsences(_ key: KeySlot, _ change: (inout AbsenceState) -> Void) {
        while absences.count <= key.index { absences.append(AbsenceState()) }
        change(&absences[key.index])
    }

    private func ordinal(_ key: KeySlot) -> UInt32 {
        key.index < ordinals.count ? ordinals[key.index] : 0
    }

    private mutating func setOrdinal(_ key: KeySlot, _ ordinal: UInt32) {
        while ordinals.count <= key.index { ordinals.append(0) }
        ordinals[key.index] = ordinal
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
        let outcome: Outcome
        if case .event = goal, parts.isPlainChain, let chain = parts.chain, let combinations {
            outcome = latest(combinations, along: chain, key: key)
        } else if case .event = goal, let chain = parts.chain, combinations == nil,
            events.count(key) <= ChainSearch.eventsMax, workMax >= ChainSearch.workMax
        {
            outcome = choice(
                along: chain, key: key, values: parts.readsKey ? context.keyValues(key) : [],
                evaluator: context.evaluator)
        } else {
            outcome = choices(
                for: goal, key: key, values: context.keyValues(key), evaluator: context.evaluator)
        }
        // The author chose how many are enough, so this is counted and not told as a fault.
        if outcome.isCut { context.counters.rules[context.rule].droppedRuns += 1 }
        if outcome.isExhausted {
            context.noteOverflow(.searches)
            context.keys[context.rule].addDoubts(key, .exhaustedSearch)
        }
        for choice in outcome.choices {
            context.emitMatch(
                parts, taken: choice.map { $0.map { captured($0, key) } }, key: key,
                matchedAt: time)
        }
        guard let choice = outcome.choices.first else { return false }
        if combinations == nil { discard(after: choice, key: key) }
        return true
    }

    private struct Outcome {
        var choices: [ChoiceSearch.Choice]
        /// There are more than wanted.
        var isCut = false
        var isExhausted: Bool
    }

    /// A function of its own, so that nothing holds the events when they change again.
    @inline(never)
    private mutating func choices(
        for goal: ChoiceSearch.Goal, key: KeySlot, values: [Value], evaluator: TermEvaluator
    ) -> Outcome {
        var search = ChoiceSearch(
            parts: parts, evaluator: evaluator, events: events, of: key, key: values, goal: goal,
            absentSince: hasAbsences ? absences(key).absentSince : .distantPast,
            workMax: workMax, scratch: scratch)
        scratch = ChoiceSearch.Scratch()
        defer { scratch = search.takeScratch() }
        if let combinations {
            let (choices, isCut) = search.choices(limit: combinations)
            return Outcome(choices: choices, isCut: isCut, isExhausted: search.isExhausted)
        }
        let choice = search.firstChoice()
        return Outcome(choices: choice.map { [$0] } ?? [], isExhausted: search.isExhausted)
    }

    /// The same for a chain among a handful of events.
    @inline(never)
    private func choice(
        along chain: [Int], key: KeySlot, values: [Value], evaluator: TermEvaluator
    ) -> Outcome {
        let choice = events.withEvents(of: key) { events, fields in
            var search = ChainSearch(
                parts: parts, chain: chain, evaluator: evaluator, events: events, values: fields,
                key: values)
            return search.firstChoice()
        }
        return Outcome(choices: choice.map { [$0] } ?? [], isExhausted: false)
    }

    /// The choices of a plain chain that begin latest.
    private func latest(_ limit: Int, along chain: [Int], key: KeySlot) -> Outcome {
        events.withEvents(of: key) { events, _ in
            var search = ChainChoices(
                chain: chain, stepCount: parts.steps.count, within: parts.within, workMax: workMax,
                events: events)
            let (choices, isCut) = search.latest(limit: limit)
            return Outcome(choices: choices, isCut: isCut, isExhausted: search.isExhausted)
        }
    }

    /// An event of a choice, which says its place as `ordinal`.
    private func captured(_ place: Int, _ key: KeySlot) -> CapturedEvent {
        var event = events.captured(events.places(key).lowerBound + place)
        event.ordinal = Int64(place)
        return event
    }

    /// After a match under `none` every candidate that has begun is discarded; with `after match
    /// resume at` those that begin at the named step or later stay.
    private mutating func discard(after choice: ChoiceSearch.Choice, key: KeySlot) {
        guard let step = parts.sequence.resumeAt, let first = choice[step.rawValue].first else {
            events.removeAll(key)
            return
        }
        let keptSteps = keptSteps
        events.change(key) { place, event in
            if place < first {
                event.steps = 0
            } else {
                event.steps &= keptSteps
                event.starts &= keptSteps
            }
        }
    }

    /// Whether there are events enough for every step that must be filled: a quick no before any
    /// search.
    ///
    /// - Parameter fitting: The steps that one event more fits.
    private func hasEnough(_ key: KeySlot, with fitting: UInt64) -> Bool {
        guard events.count(key) + (fitting == 0 ? 0 : 1) >= parts.eventsMin else { return false }
        for step in parts.shape.mandatorySteps {
            let count = events.count(key, ofStep: step) + Int(fitting >> UInt64(step) & 1)
            if count < parts.steps[step].minimum { return false }
        }
        return true
    }

    // MARK: - Keeping

    /// Drops what is too old for the event being processed, and what has no start before it.
    private mutating func prune(_ key: KeySlot, in context: inout MachineContext) {
        // An event exactly as old as the horizon still counts (T1).
        prune(key, upTo: context.instant - TimeSpan(nanoseconds: 1), in: &context)
    }

    /// Drops events whose time ended at or before `time` (S9).
    private mutating func prune(
        _ key: KeySlot, upTo time: Timestamp, in context: inout MachineContext
    ) {
        if leadingSpan > .zero {
            let start = time - leadingSpan + TimeSpan(nanoseconds: 1)
            changeAbsences(key) { $0.leading.removeAll(before: start) }
        }
        guard let retention else { return }
        while let first = events.firstInstant(key), first + retention <= time {
            if parts.sequence.reportsPartial { notePartial(key: key, at: time, in: &context) }
            events.removeFirst(key)
        }
    }

    /// Keeps the limits on events and, where a rule has no time limit, on candidates (T9).
    private mutating func limit(key: KeySlot, in context: inout MachineContext) {
        if events.count(key) > parts.eventsMax {
            context.noteOverflow(.events)
            context.keys[context.rule].addDoubts(key, .droppedEvents)
            events.removeOldest(key, preferring: unlimitedSteps)
        }
        if let runLimit = parts.sequence.runLimit, events.starts(key) > runLimit {
            context.noteOverflow(.runs)
            context.keys[context.rule].addDoubts(key, .droppedRuns)
            events.removeFirst(key)
        }
    }

    // MARK: - Near misses

    /// Notes how far a candidate came that has run out of time.
    private func notePartial(
        key: KeySlot, at time: Timestamp, in context: inout MachineContext
    ) {
        guard context.keepsPartialMatches, let first = events.events(key).first else { return }
        var names: [String] = []
        var place = 0
        for event in events.events(key) {
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
                firstTime: first.time, endedAt: time, filledSteps: names))
    }

    // MARK: - What is open

    func open(_ key: KeySlot, found: inout OpenMatches, in context: MachineContext) {
        let values = context.keyValues(key)
        let stepsToGo = parts.stepsToGo
        var looked = 0
        for (place, event) in events.events(key).enumerated() where event.starts != 0 {
            // What has passed is dropped when the key is looked at next.
            if let retention, event.instant + retention < context.instant { continue }
            guard looked < OpenMatches.attemptsMax else {
                found.omitted += 1
                continue
            }
            looked += 1
            var search = ChoiceSearch(
                parts: parts, evaluator: context.evaluator, events: events, of: key, key: values,
                goal: .furthest, absentSince: .distantPast, workMax: workMax,
                scratch: ChoiceSearch.Scratch())
            guard let reached = search.furthest(from: place) else { continue }
            var until = retention.map { event.time + $0 }
            if let match = parts.matchTime(of: reached) {
                let state = absences(key)
                if reached.last.instant >= state.absentSince,
                    reached.last.instant > state.judgedUpTo
                {
                    until = match
                } else if !parts.mayTakeMore(reached) {
                    continue
                }
            }
            let attempt = Attempt(
                reached, key: values, .open(until: until), parts, stepsToGo: stepsToGo)
            found.add(attempt, from: Int64(place), taking: reached.places.map { Int64($0) })
        }
    }

    mutating func forget(_ key: KeySlot) {
        events.removeAll(key)
        if key.index < absences.count { absences[key.index] = AbsenceState() }
        if key.index < ordinals.count { ordinals[key.index] = 0 }
    }

    // MARK: - Snapshot

    func eventCount(_ key: KeySlot?) -> Int { key.map(events.count) ?? 0 }

    /// How many events of a key may begin a match, at an instant.
    func openMatches(_ key: KeySlot, at instant: Timestamp) -> Int {
        guard let retention, let first = events.firstInstant(key), first + retention < instant
        else { return events.starts(key) }
        return events.events(key).count { $0.starts != 0 && $0.instant + retention >= instant }
    }

    func write(_ key: KeySlot, to writer: inout StateWriter) {
        let state = absences(key)
        writer.write(Int(ordinal(key)))
        writer.write(state.absentSince)
        writer.write(state.judgedUpTo)
        state.leading.write(to: &writer)
        writer.write(events.count(key))
        for place in events.places(key) { events.captured(place).write(to: &writer) }
    }

    mutating func restore(
        _ key: KeySlot?, from reader: inout StateReader, by captures: CaptureReading
    ) throws(SnapshotError) {
        let ordinal = UInt32(truncatingIfNeeded: try reader.tally())
        var state = AbsenceState()
        state.absentSince = try reader.read()
        state.judgedUpTo = try reader.read()
        state.leading = try LeadingHistory(from: &reader, by: captures)
        var read: [CapturedEvent] = []
        let count = try reader.count()
        read.reserveCapacity(min(count, 1024))
        for _ in 0..<count {
            let event = try CapturedEvent(from: &reader, by: captures)
            if let last = read.last {
                guard event.instant >= last.instant else {
                    throw reader.damaged("events that are not in order")
                }
            } else {
                guard event.starts != 0 else {
                    throw reader.damaged("events without one that begins")
                }
            }
            read.append(event)
        }
        guard let key else { return }
        if parts.hasImmediately { setOrdinal(key, ordinal) }
        if hasAbsences { setAbsences(key, state) }
        events.fill(key, with: read)
    }
}
