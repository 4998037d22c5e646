import RuleModel

/// One partial match under a policy without choice.
struct Run: Sendable {
    enum Outcome {
        case goesOn, matches, isOver
    }

    /// Where a run stands, for `overlap latest`. Before the minimum of a repeated step is reached,
    /// each event more is a place of its own.
    struct Place: Comparable {
        var state: Int
        var count: Int

        static func < (left: Place, right: Place) -> Bool {
            (left.state, left.count) < (right.state, right.count)
        }
    }

    /// The events of each step.
    var taken: [[CapturedEvent]]
    /// The step that took the last event.
    private(set) var step: Int
    /// The state of the shape when that step is done.
    private(set) var target: Int
    let first: CapturedEvent
    private(set) var last: CapturedEvent
    /// Steps of `without` seen since the last event, as bits.
    private var withoutsSeen: UInt64 = 0
    /// An event of the trailing absence came since the last event.
    private(set) var isSpoiled = false
    /// Whether the step may take more than one event.
    private var isRepeating: Bool

    /// A run that begins with the event, if it fits a first step.
    static func start(
        _ event: CapturedEvent, _ parts: SequenceParts, key: [Value], evaluator: TermEvaluator
    ) -> Run? {
        let nothing: [[CapturedEvent]] = Array(repeating: [], count: parts.steps.count)
        for transition in parts.shape.states[0].groups.joined()
        where event.starts >> UInt64(transition.step) & 1 == 1 {
            if let condition = parts.steps[transition.step].runCondition {
                let terms = StepTerms(
                    layout: parts.layout, taken: nothing, current: event, key: key)
                guard evaluator.holds(condition, in: terms) else { continue }
            }
            return Run(transition, event, nothing, parts)
        }
        return nil
    }

    private init(
        _ transition: SequenceShape.Transition, _ event: CapturedEvent, _ taken: [[CapturedEvent]],
        _ parts: SequenceParts
    ) {
        self.taken = taken
        self.taken[transition.step] = [event]
        step = transition.step
        target = transition.target
        first = event
        last = event
        isRepeating = parts.steps[step].maximum != 1
    }

    /// A run along a plain chain, with the event of each step that it has come to; at least one.
    init(along taken: [[CapturedEvent]], _ parts: SequenceParts) {
        var (step, target, filled) = (0, 0, [CapturedEvent]())
        while let next = parts.following[target].first, let event = taken[next.step].first {
            (step, target) = (next.step, next.target)
            filled.append(event)
        }
        self.taken = taken
        self.step = step
        self.target = target
        first = filled[0]
        last = filled[filled.count - 1]
        isRepeating = false
    }

    // MARK: - Where it stands

    func place(_ parts: SequenceParts) -> Place {
        Place(state: target, count: min(taken[step].count, parts.steps[step].minimum))
    }

    /// How far it has come.
    var reached: Reached { Reached(taken: taken, step: step, target: target, last: last) }

    /// Whether the first step is a repeated one and still the only one.
    var isInRepeatedStart: Bool {
        isRepeating && taken.indices.allSatisfy { $0 == step || taken[$0].isEmpty }
    }

    func isDone(_ parts: SequenceParts) -> Bool {
        parts.shape.trailingAbsences.isEmpty && !parts.shape.closesAtUntil && isComplete(parts)
    }

    private func isComplete(_ parts: SequenceParts) -> Bool {
        taken[step].count >= parts.steps[step].minimum
            && parts.shape.states[target].isComplete
    }

    /// Whether only the trailing absence is to come.
    func isWaiting(_ parts: SequenceParts) -> Bool {
        !parts.shape.trailingAbsences.isEmpty && isComplete(parts)
    }

    /// When the run ends by itself: at the deadline of its trailing absence, or when its time is over.
    func end(_ parts: SequenceParts) -> Timestamp? {
        if isWaiting(parts) { return last.instant + parts.trailingSpan }
        return parts.horizon.map { first.instant + $0 }
    }

    /// The steps of which an event changes something for the run, as bits; never zero.
    func concerns(_ parts: SequenceParts) -> UInt64 {
        // With the next step bound to follow immediately, any event may end the run.
        if parts.hasImmediately || !canGoOn(parts) { return .max }
        var steps = parts.untilBit | parts.withouts | parts.trailingBits
        if isRepeating { steps |= 1 << UInt64(step) }
        steps |= parts.followingBits[target]
        return steps == 0 ? .max : steps
    }

    private func mayTakeMore(_ parts: SequenceParts) -> Bool {
        let most =
            parts.steps[step].isReluctant
            ? parts.steps[step].minimum : parts.steps[step].maximum ?? .max
        return taken[step].count < most
    }

    // MARK: - Events

    /// Lets the run see an event behind its first one.
    mutating func feed(
        _ event: CapturedEvent, _ parts: SequenceParts, key: [Value], evaluator: TermEvaluator
    ) -> Outcome {
        let isLate = parts.within.map { event.instant - first.instant > $0 } ?? false
        if isLate, !isWaiting(parts) { return .isOver }
        func holds(_ step: Int) -> Bool {
            guard event.steps >> UInt64(step) & 1 == 1 else { return false }
            guard let condition = parts.steps[step].runCondition else { return true }
            return evaluator.holds(
                condition,
                in: StepTerms(layout: parts.layout, taken: taken, current: event, key: key))
        }
        if let until = parts.sequence.until, holds(until.rawValue) {
            let closes = parts.shape.closesAtUntil && isComplete(parts)
            return closes ? .matches : .isOver
        }
        if taken[step].count >= parts.steps[step].minimum {
            for transition in parts.following[target] {
                if transition.immediately, event.ordinal != last.ordinal + 1 { continue }
                guard holds(transition.step) else { continue }
                // The first fitting event decides: too late or behind a forbidden one, it ends the
                // run; only an optional step is left out then.
                let gapLimit = parts.steps[transition.step].gapLimit
                let isTooLate = gapLimit.map { event.instant - last.instant > $0 } ?? false
                if isLate || isTooLate {
                    if parts.steps[transition.step].minimum > 0 { return .isOver }
                    continue
                }
                if transition.withouts & withoutsSeen != 0 { return .isOver }
                step = transition.step
                target = transition.target
                take(event, parts)
                return isDone(parts) ? .matches : .goesOn
            }
        }
        if !isLate, isRepeating, mayTakeMore(parts), holds(step) {
            take(event, parts)
            return isDone(parts) ? .matches : .goesOn
        }
        for without in 0..<64 where parts.withouts >> UInt64(without) & 1 == 1 {
            if holds(without) { withoutsSeen |= 1 << UInt64(without) }
        }
        let spoils = parts.shape.trailingAbsences.contains { absence in
            event.instant > last.instant && event.instant - last.instant <= absence.span
                && holds(absence.step)
        }
        if spoils { isSpoiled = true }
        return canGoOn(parts) ? .goesOn : .isOver
    }

    private mutating func take(_ event: CapturedEvent, _ parts: SequenceParts) {
        taken[step].append(event)
        last = event
        withoutsSeen = 0
        isSpoiled = false
        isRepeating = parts.steps[step].maximum != 1
    }

    /// Whether an event can still come that the run would take.
    private func canGoOn(_ parts: SequenceParts) -> Bool {
        if isRepeating, mayTakeMore(parts) { return true }
        if isWaiting(parts) { return !isSpoiled }
        // The one event that could have followed immediately has passed.
        return parts.canWait[target]
    }

    // MARK: - Snapshot

    init(
        from reader: inout StateReader, by captures: CaptureReading, parts: SequenceParts
    ) throws(SnapshotError) {
        taken = []
        for _ in parts.steps.indices {
            var events: [CapturedEvent] = []
            for _ in 0..<(try reader.count()) {
                events.append(try CapturedEvent(from: &reader, by: captures))
            }
            taken.append(events)
        }
        step = try reader.int()
        target = try reader.int()
        guard parts.steps.indices.contains(step), parts.shape.states.indices.contains(target) else {
            throw reader.damaged("a run in a state that is not")
        }
        first = try CapturedEvent(from: &reader, by: captures)
        last = try CapturedEvent(from: &reader, by: captures)
        withoutsSeen = try reader.unsigned()
        isSpoiled = try reader.bool()
        isRepeating = parts.steps[step].maximum != 1
    }

    func write(to writer: inout StateWriter) {
        for events in taken {
            writer.write(events.count)
            for event in events { event.write(to: &writer) }
        }
        writer.write(step)
        writer.write(target)
        first.write(to: &writer)
        last.write(to: &writer)
        writer.write(unsigned: withoutsSeen)
        writer.write(isSpoiled)
    }
}

/// What a snapshot has of a key under a policy without choice, however its machine keeps it.
struct RunRecord {
    var ordinal: Int64
    var leading: LeadingHistory
    /// In order of their starts.
    var runs: [Run]

    init(ordinal: Int64, leading: LeadingHistory, runs: [Run]) {
        self.ordinal = ordinal
        self.leading = leading
        self.runs = runs
    }

    init(
        from reader: inout StateReader, by captures: CaptureReading, parts: SequenceParts
    ) throws(SnapshotError) {
        ordinal = Int64(try reader.tally())
        leading = try LeadingHistory(from: &reader, by: captures)
        runs = []
        for _ in 0..<(try reader.count()) {
            runs.append(try Run(from: &reader, by: captures, parts: parts))
        }
    }

    func write(to writer: inout StateWriter) {
        writer.write(Int(ordinal))
        leading.write(to: &writer)
        writer.write(runs.count)
        for run in runs { run.write(to: &writer) }
    }
}

extension MachineContext {
    /// Notes how far a run came that is over without a match, where that is asked for.
    mutating func notePartial(
        _ taken: [[CapturedEvent]], first: CapturedEvent, _ parts: SequenceParts, key: KeySlot,
        at time: Timestamp
    ) {
        guard parts.sequence.reportsPartial, keepsPartialMatches else { return }
        partialMatches.append(
            PartialMatch(
                rule: program.rules[parts.rule].id, key: keyValues(key), firstTime: first.time,
                endedAt: time,
                filledSteps: parts.steps.indices.filter { !taken[$0].isEmpty }
                    .map { parts.steps[$0].name }))
    }

    /// Tells the runs of a key that have time left.
    func open(_ runs: [Run], _ parts: SequenceParts, key: KeySlot, found: inout OpenMatches) {
        let runs = runs.filter { run in run.end(parts).map { $0 >= instant } ?? true }
        let stepsToGo = parts.stepsToGo
        for run in runs.prefix(OpenMatches.attemptsMax) {
            found.add(
                Attempt(
                    run.reached, key: keyValues(key), .open(until: run.end(parts)), parts,
                    stepsToGo: stepsToGo),
                from: run.first.ordinal, taking: run.taken.joined().map(\.ordinal))
        }
        found.omitted += max(0, runs.count - OpenMatches.attemptsMax)
    }
}
