import RuleModel

/// `overlap none` and `overlap all`: keeps the events that may be part of a match, and looks for
/// choices of them when an event or a deadline may complete one. Nothing is enumerated before.
struct ChoiceMachine: Sendable {
    private struct KeyState: Sendable {
        var buffer = ChoiceBuffer()
        var ordinal: Int64 = 0
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
    private var states: [KeyState] = []
    /// Steps that only matter as the event that completes a match: such an event is not kept.
    private let onlyLast: UInt64
    /// Steps that take any number of events.
    private let unlimitedSteps: UInt64
    /// How long an event can matter.
    private let retention: TimeSpan?
    private let leadingSpan: TimeSpan

    init(parts: SequenceParts, workMax: Int) {
        self.parts = parts
        self.workMax = workMax
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
        unlimitedSteps = parts.steps.indices.reduce(0) { bits, step in
            parts.steps[step].maximum == nil ? bits | 1 << UInt64(step) : bits
        }
        retention = parts.horizon.map { $0 + parts.trailingSpan }
        leadingSpan = parts.shape.leadingAbsences.map(\.span).max() ?? .zero
    }

    /// Takes over the state that a key has in another machine of the same rule.
    mutating func adopt(_ key: KeySlot, from other: ChoiceMachine, _ otherKey: KeySlot) {
        while states.count <= key.index { states.append(KeyState()) }
        states[key.index] =
            otherKey.index < other.states.count ? other.states[otherKey.index] : KeyState()
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
        !state.buffer.isEmpty || fitting & (parts.shape.firstSteps | parts.leadingBits) != 0
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
            && !parts.shape.closesAtUntil
            && (event.starts != 0 || !states[key.index].buffer.isEmpty)
        if completes, hasEnough(key, with: event) {
            states[key.index].buffer.append(event, stepCount: parts.steps.count)
            let hasMatched = search(.event, key: key, at: context.instant, in: &context)
            if hasMatched, combinations == nil { return }
            states[key.index].buffer.removeLast()
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
        if states[key.index].buffer.isEmpty {
            guard event.starts != 0 else { return }
        } else if event.steps == 0 {
            return
        }
        states[key.index].buffer.append(event, stepCount: parts.steps.count)
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
        if parts.shape.closesAtUntil, !states[key.index].buffer.isEmpty, hasEnough(key, with: nil) {
            hasMatched = search(.until(event), key: key, at: context.instant, in: &context)
        }
        // With a condition on the choice the event is kept and asked when a choice is looked at.
        if parts.untilCondition == nil { states[key.index].buffer.removeAll() }
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
        for transition in parts.shape.transitions where !parts.shape.states[transition.target].isEnd
        {
            useless &= ~(1 << UInt64(transition.step))
        }
        guard useless != 0, !states[key.index].buffer.isEmpty else { return }
        states[key.index].buffer.change { old in
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
                states[key.index].buffer.events.contains(where: {
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
        // In place: a copy of the state would cost more than all the rest here.
        if states[key.index].buffer.isEmpty, states[key.index].leading.isEmpty {
            forget(key)
            context.release(key)
            return
        }
        if !parts.shape.trailingAbsences.isEmpty, let last = nextWaiting(states[key.index]) {
            context.wake(key, at: last + parts.trailingSpan)
        }
        if let retention, let first = states[key.index].buffer.firstInstant {
            context.wake(key, at: first + retention)
        }
        if !states[key.index].leading.isEmpty, let first = states[key.index].leading.first {
            context.wake(key, at: first.instant + leadingSpan)
        }
    }

    /// The next event whose trailing absence is to be judged.
    private func nextWaiting(_ state: KeyState) -> Timestamp? {
        state.buffer.events.first { event in
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
        let events = states[key.index].buffer.compacted()
        var search = ChoiceSearch(
            parts: parts, evaluator: context.evaluator, events: events,
            key: context.keyValues(key), goal: goal,
            absentSince: states[key.index].absentSince, workMax: workMax)
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
                parts, taken: choice.taken.map { places in places.map { events[$0] } },
                key: key, matchedAt: time)
        }
        guard let choice = choices.first else { return false }
        if combinations == nil { discard(after: choice, among: events, key: key) }
        return true
    }

    /// After a match under `none` every candidate that has begun is discarded; with `after match
    /// resume at` those that begin at the named step or later stay.
    private mutating func discard(
        after choice: ChoiceSearch.Choice, among events: [CapturedEvent], key: KeySlot
    ) {
        guard let step = parts.sequence.resumeAt, let place = choice.taken[step.rawValue].first
        else {
            states[key.index].buffer.removeAll()
            return
        }
        let first = events[place].ordinal
        let keptSteps = keptSteps
        states[key.index].buffer.change { event in
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
        for step in parts.shape.mandatorySteps {
            var count = states[key.index].buffer.count(ofStep: step)
            if let event, event.steps >> UInt64(step) & 1 == 1 { count += 1 }
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
        states[key.index].leading.removeAll(before: time - leadingSpan + TimeSpan(nanoseconds: 1))
        guard let retention else { return }
        while let first = states[key.index].buffer.firstInstant, first + retention <= time {
            if parts.sequence.reportsPartial { notePartial(key: key, at: time, in: &context) }
            states[key.index].buffer.removeFirst()
        }
    }

    /// Keeps the limits on events and, where a rule has no time limit, on candidates (T9).
    private mutating func limit(key: KeySlot, in context: inout MachineContext) {
        if states[key.index].buffer.count > parts.eventsMax {
            context.noteOverflow(.events)
            context.keys[context.rule].addDoubts(key, .droppedEvents)
            states[key.index].buffer.removeOldest(preferring: unlimitedSteps)
        }
        if let runLimit = parts.sequence.runLimit, states[key.index].buffer.starts > runLimit {
            context.noteOverflow(.runs)
            context.keys[context.rule].addDoubts(key, .droppedRuns)
            states[key.index].buffer.removeFirst()
        }
    }

    // MARK: - Near misses

    /// Notes how far a candidate came that has run out of time.
    private func notePartial(
        key: KeySlot, at time: Timestamp, in context: inout MachineContext
    ) {
        let state = states[key.index]
        guard context.keepsPartialMatches, let first = state.buffer.events.first else { return }
        var names: [String] = []
        var place = 0
        for event in state.buffer.events {
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

    mutating func forget(_ key: KeySlot) {
        guard key.index < states.count else { return }
        states[key.index] = KeyState()
    }

    // MARK: - Snapshot

    /// How many events of a key may begin a match.
    func openMatches(_ key: KeySlot) -> Int {
        key.index < states.count ? states[key.index].buffer.starts : 0
    }

    func write(_ key: KeySlot, to writer: inout StateWriter) {
        let state = key.index < states.count ? states[key.index] : KeyState()
        writer.write(Int(state.ordinal))
        writer.write(state.absentSince)
        writer.write(state.judgedUpTo)
        state.leading.write(to: &writer)
        writer.write(state.buffer.count)
        for event in state.buffer.events { event.write(to: &writer) }
    }

    mutating func restore(
        _ key: KeySlot?, from reader: inout StateReader, by captures: CaptureReading
    ) throws(SnapshotError) {
        var state = KeyState()
        state.ordinal = Int64(try reader.tally())
        state.absentSince = try reader.read()
        state.judgedUpTo = try reader.read()
        state.leading = try LeadingHistory(from: &reader, by: captures)
        for _ in 0..<(try reader.count()) {
            let event = try CapturedEvent(from: &reader, by: captures)
            if let last = state.buffer.events.last {
                guard event.instant >= last.instant else {
                    throw reader.damaged("events that are not in order")
                }
            } else {
                guard event.starts != 0 else {
                    throw reader.damaged("events without one that begins")
                }
            }
            state.buffer.append(event, stepCount: parts.steps.count)
        }
        guard let key else { return }
        while states.count <= key.index { states.append(KeyState()) }
        states[key.index] = state
    }
}
