import RuleModel

/// `overlap each`, `overlap latest` and `restart on repeat`: runs that take the first fitting event
/// and never look back (S3, S5).
struct RunMachine: Sendable {
    private enum Policy { case each, latest, restart }

    private struct KeyState: Sendable {
        /// In order of their starts.
        var runs: [Run] = []
        /// For each run the steps of which an event changes something for it.
        var concerns: [UInt64] = []
        var ordinal: Int64 = 0
        var leading = LeadingHistory()
    }

    private let parts: SequenceParts
    private let policy: Policy
    private let leadingSpan: TimeSpan
    private var states: [KeyState] = []

    init(parts: SequenceParts) {
        self.parts = parts
        if parts.sequence.restartsOnRepeat {
            policy = .restart
        } else {
            policy = parts.sequence.overlap == .latest ? .latest : .each
        }
        leadingSpan = parts.shape.leadingAbsences.map(\.span).max() ?? .zero
    }

    /// Takes over the state that a key has in another machine of the same rule.
    mutating func adopt(_ key: KeySlot, from other: RunMachine, _ otherKey: KeySlot) {
        while states.count <= key.index { states.append(KeyState()) }
        states[key.index] =
            otherKey.index < other.states.count ? other.states[otherKey.index] : KeyState()
    }

    /// Takes over all keys of another machine of the same rule.
    mutating func takeKeys(from other: inout Self) { swap(&states, &other.states) }

    // MARK: - Events

    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {
        while states.count <= key.index { states.append(KeyState()) }
        states[key.index].ordinal += 1
        let fitting = parts.fittingSteps(event, inputs: context.inputs)
        let hasRuns = !states[key.index].runs.isEmpty
        if hasRuns || fitting & (parts.shape.firstSteps | parts.leadingBits) != 0 {
            var captured = parts.captured(
                event, fitting, at: context.instant, ordinal: states[key.index].ordinal)
            states[key.index].leading.removeAll(before: context.instant - leadingSpan)
            if hasRuns { feed(captured, key: key, in: &context) }
            captured.starts = states[key.index].leading.allowedStarts(
                captured, parts, key: context.keyValues(key), context: context)
            start(captured, key: key, in: &context)
            if fitting & parts.leadingBits != 0 { states[key.index].leading.add(captured, parts) }
        }
        rest(key, in: &context)
    }

    /// Lets every run see the event that it concerns.
    private mutating func feed(
        _ event: CapturedEvent, key: KeySlot, in context: inout MachineContext
    ) {
        guard policy == .each, !isLate(event, for: states[key.index].runs) else {
            feedAll(event, key: key, in: &context)
            return
        }
        // Taken out, so that they are changed in place.
        var runs: [Run] = []
        var concerns: [UInt64] = []
        swap(&runs, &states[key.index].runs)
        swap(&concerns, &states[key.index].concerns)
        let steps = event.steps
        var hasEnded = false
        for index in concerns.indices
        where concerns[index] & steps != 0 || concerns[index] == .max {
            switch runs[index].feed(
                event, parts, key: context.keyValues(key), evaluator: context.evaluator)
            {
            case .goesOn:
                if limitEvents(&runs[index]) {
                    context.noteOverflow(.events)
                    context.keys[context.rule].addDoubts(key, .droppedEvents)
                }
                concerns[index] = runs[index].concerns(parts)
                continue
            case .matches:
                context.emitMatch(
                    parts, taken: runs[index].taken, key: key, matchedAt: context.instant)
            case .isOver:
                notePartial(runs[index], key: key, at: context.instant, in: &context)
            }
            // Nothing concerns a run that has ended, which is how those that go are known below.
            concerns[index] = 0
            hasEnded = true
        }
        if hasEnded { RunMachine.dropEnded(&runs, &concerns) }
        swap(&runs, &states[key.index].runs)
        swap(&concerns, &states[key.index].concerns)
    }

    private static func dropEnded(_ runs: inout [Run], _ concerns: inout [UInt64]) {
        var kept = 0
        for index in concerns.indices where concerns[index] != 0 {
            if kept != index {
                runs.swapAt(kept, index)
                concerns.swapAt(kept, index)
            }
            kept += 1
        }
        let gone = runs.count - kept
        runs.removeLast(gone)
        concerns.removeLast(gone)
    }

    /// Whether the oldest run, and so perhaps another, has had its time.
    private func isLate(_ event: CapturedEvent, for runs: [Run]) -> Bool {
        guard let within = parts.within, !runs.isEmpty else { return false }
        return event.instant - runs[0].first.instant > within
    }

    /// Lets every run see the event, under `latest` those that have come furthest first (S7).
    private mutating func feedAll(
        _ event: CapturedEvent, key: KeySlot, in context: inout MachineContext
    ) {
        var runs = states[key.index].runs
        states[key.index].runs = []
        if policy == .latest { runs.sort { $1.place(parts) < $0.place(parts) } }
        let values = context.keyValues(key)
        var kept: [Run] = []
        kept.reserveCapacity(runs.count + 1)
        for var run in runs {
            switch run.feed(event, parts, key: values, evaluator: context.evaluator) {
            case .goesOn:
                if limitEvents(&run) {
                    context.noteOverflow(.events)
                    context.keys[context.rule].addDoubts(key, .droppedEvents)
                }
                if policy == .latest {
                    // One run for each place: the one that comes now replaces the one there.
                    kept.removeAll { $0.place(parts) == run.place(parts) }
                }
                kept.append(run)
            case .matches:
                context.emitMatch(parts, taken: run.taken, key: key, matchedAt: context.instant)
            case .isOver:
                notePartial(run, key: key, at: context.instant, in: &context)
            }
        }
        setRuns(kept, key)
    }

    private mutating func setRuns(_ runs: [Run], _ key: KeySlot) {
        states[key.index].runs = runs
        states[key.index].concerns = runs.map { $0.concerns(parts) }
    }

    private mutating func start(
        _ event: CapturedEvent, key: KeySlot, in context: inout MachineContext
    ) {
        guard event.starts != 0,
            let run = Run.start(
                event, parts, key: context.keyValues(key), evaluator: context.evaluator)
        else { return }
        if policy == .restart, let open = states[key.index].runs.first {
            // The first step goes on taking; anything later gives way.
            if open.isInRepeatedStart { return }
            setRuns([], key)
            notePartial(open, key: key, at: context.instant, in: &context)
        }
        if run.isDone(parts) {
            context.emitMatch(parts, taken: run.taken, key: key, matchedAt: context.instant)
            return
        }
        if policy == .latest {
            let place = run.place(parts)
            setRuns(states[key.index].runs.filter { $0.place(parts) != place }, key)
        }
        states[key.index].concerns.append(run.concerns(parts))
        states[key.index].runs.append(run)
        if policy == .each, states[key.index].runs.count > parts.runsMax {
            states[key.index].runs.removeFirst()
            states[key.index].concerns.removeFirst()
            context.noteOverflow(.runs)
            context.keys[context.rule].addDoubts(key, .droppedRuns)
        }
    }

    /// Drops the oldest events of a step that has taken too many.
    private func limitEvents(_ run: inout Run) -> Bool {
        guard run.taken[run.step].count > parts.eventsMax else { return false }
        run.taken[run.step].removeFirst()
        return true
    }

    // MARK: - Deadlines

    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {
        guard key.index < states.count else { return }
        // Most often the oldest few have had their time.
        let isOrdered = parts.shape.trailingAbsences.isEmpty
        let due =
            isOrdered
            ? states[key.index].runs.prefix { ($0.end(parts) ?? .distantFuture) <= time }.count
            : states[key.index].runs.count
        let runs = Array(states[key.index].runs.prefix(due))
        states[key.index].runs.removeFirst(due)
        states[key.index].concerns.removeFirst(due)
        var kept: [Run] = []
        for run in runs {
            guard let end = run.end(parts), end <= time else {
                kept.append(run)
                continue
            }
            if run.isWaiting(parts), !run.isSpoiled {
                context.emitMatch(parts, taken: run.taken, key: key, matchedAt: end)
            } else {
                notePartial(run, key: key, at: time, in: &context)
            }
        }
        if !kept.isEmpty { setRuns(kept + states[key.index].runs, key) }
        states[key.index].leading.removeAll(
            before: time - leadingSpan + TimeSpan(nanoseconds: 1))
        rest(key, in: &context)
    }

    /// Says when the key is to be looked at next, or gives it back.
    private mutating func rest(_ key: KeySlot, in context: inout MachineContext) {
        // In place: a copy of the state would cost more than all the rest here.
        if states[key.index].runs.isEmpty, states[key.index].leading.isEmpty {
            forget(key)
            context.release(key)
            return
        }
        var next = Timestamp.distantFuture
        if let first = states[key.index].leading.first { next = first.instant + leadingSpan }
        // Without a trailing absence the oldest run ends first.
        let count = states[key.index].runs.count
        for index in 0..<(parts.shape.trailingAbsences.isEmpty ? min(1, count) : count) {
            if let end = states[key.index].runs[index].end(parts) { next = min(next, end) }
        }
        context.wake(key, at: next)
    }

    func openDeadlines() -> Int {
        guard !parts.shape.trailingAbsences.isEmpty else { return 0 }
        return states.reduce(0) { sum, state in
            sum + state.runs.reduce(0) { $0 + ($1.isWaiting(parts) && !$1.isSpoiled ? 1 : 0) }
        }
    }

    private func notePartial(
        _ run: Run, key: KeySlot, at time: Timestamp, in context: inout MachineContext
    ) {
        context.notePartial(run.taken, first: run.first, parts, key: key, at: time)
    }

    func open(_ key: KeySlot, found: inout OpenMatches, in context: MachineContext) {
        guard key.index < states.count else { return }
        context.open(states[key.index].runs, parts, key: key, found: &found)
    }

    mutating func forget(_ key: KeySlot) {
        guard key.index < states.count else { return }
        states[key.index] = KeyState()
    }

    // MARK: - Snapshot

    func openMatches(_ key: KeySlot) -> Int {
        key.index < states.count ? states[key.index].runs.count : 0
    }

    func write(_ key: KeySlot, to writer: inout StateWriter) {
        let state = key.index < states.count ? states[key.index] : KeyState()
        RunRecord(ordinal: state.ordinal, leading: state.leading, runs: state.runs)
            .write(to: &writer)
    }

    mutating func restore(
        _ key: KeySlot?, from reader: inout StateReader, by captures: CaptureReading
    ) throws(SnapshotError) {
        let record = try RunRecord(from: &reader, by: captures, parts: parts)
        guard let key else { return }
        while states.count <= key.index { states.append(KeyState()) }
        states[key.index] = KeyState(
            runs: record.runs, concerns: record.runs.map { $0.concerns(parts) },
            ordinal: record.ordinal, leading: record.leading)
    }
}
