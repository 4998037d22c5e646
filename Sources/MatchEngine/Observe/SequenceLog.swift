import RuleModel

/// What one key of an observed sequence has seen and begun.
struct SequenceLog: Sendable {
    /// An event of the rule's inputs with this key.
    struct Entry: Sendable {
        var event: CapturedEvent
        var serial: Int
    }

    /// An attempt whose time is over; kept for a while, to see what comes too late.
    struct Ended: Sendable {
        var serial: Int
        var outcome: Attempt.Outcome
    }

    let key: [Value]
    var entries: [Entry] = []
    private var nextSerial = 0
    private var ordinal: Int64 = 0
    private var leading = LeadingHistory()
    /// Starts of attempts that may come to something.
    private var open: [Int] = []
    private var runs: [(run: Run, serial: Int)] = []
    var ended: [Ended] = []
    /// An `until` event that takes effect once the machine has seen it.
    private var until: Entry?
    private var matchedStarts: [Int: Timestamp] = [:]
    /// The events of the attempt told last, and how far it came: what lies inside is not told.
    var lastTold: (serials: Set<Int>, progress: Double)?
    /// What could have begun an attempt and did not, the nearest.
    var nearestStart: Miss?
    /// Attempts that are told.
    var attempts: [Attempt] = []
    var folded = 0

    /// Events that one key's log holds at most.
    private static let entriesMax = 20_000

    init(key: [Value]) { self.key = key }

    private var isQuiet: Bool { open.isEmpty && runs.isEmpty && ended.isEmpty }
    /// Whether what it knows matters to no later event.
    var isEmpty: Bool { isQuiet && leading.isEmpty && until == nil }

    private(set) var branches = Branches()

    mutating func takeBranches() -> Branches {
        defer { branches = Branches() }
        return branches
    }

    /// Notes how the conditions between steps come out for the events that fit a step by themselves.
    mutating func cover(
        _ taken: [[CapturedEvent]], rule: ObservedSequence, by evaluator: TermEvaluator
    ) {
        for step in taken.indices where !taken[step].isEmpty {
            guard let condition = rule.parts.steps[step].runCondition else { continue }
            var before = taken
            before[step] = []
            for entry in entries.suffix(200) where entry.event.steps >> UInt64(step) & 1 == 1 {
                let terms = StepTerms(
                    layout: rule.parts.layout, taken: before, current: entry.event, key: key)
                note(condition, terms, evaluator)
            }
        }
    }

    mutating func note(_ condition: CodeID, _ terms: StepTerms, _ evaluator: TermEvaluator) {
        branches.note(evaluator.tests(of: condition, in: terms))
    }

    mutating func takeAttempts() -> [Attempt] {
        defer { attempts = [] }
        return attempts
    }

    // MARK: - Events

    mutating func add(
        _ event: Event, isAdmitted: Bool, inputs: UInt64, rule: ObservedSequence,
        asksForStart: Bool, in context: MachineContext
    ) {
        pass(context.instant, rule: rule, in: context)
        let parts = rule.parts
        var captured = CapturedEvent(
            instant: context.instant, time: event.time, type: event.type, ordinal: 0, steps: 0,
            starts: 0, values: parts.layout.values(of: event, steps: rule.steps(ofType: event.type))
        )
        if isAdmitted {
            ordinal += 1
            captured.ordinal = ordinal
            captured.steps = parts.fittingSteps(event, inputs: inputs)
        }
        let entry = Entry(event: captured, serial: nextSerial)
        nextSerial += 1
        if asksForStart, !mustBeKnown, captured.steps & parts.shape.firstSteps == 0 {
            noteStart(captured, rule: rule, in: context)
        }
        if isAdmitted {
            take(entry, rule: rule, in: context)
        } else if !isQuiet {
            entries.append(entry)
        }
        if entries.count > SequenceLog.entriesMax {
            entries.removeFirst(entries.count - SequenceLog.entriesMax)
        }
    }

    private mutating func take(
        _ added: Entry, rule: ObservedSequence, in context: MachineContext
    ) {
        let parts = rule.parts
        var entry = added
        if rule.usesRuns { feed(entry, rule: rule, in: context) }
        entry.event.starts = leading.allowedStarts(entry.event, parts, key: key, context: context)
        if entry.event.steps & parts.leadingBits != 0 { leading.add(entry.event, parts) }
        if entry.event.starts != 0 || !isQuiet { entries.append(entry) }
        if rule.usesRuns {
            start(entry, rule: rule, in: context)
        } else {
            if entry.event.steps & parts.untilBit != 0, parts.untilCondition == nil {
                until = entry
            }
            if entry.event.starts != 0 { open.append(entry.serial) }
        }
    }

    // MARK: - Choices

    /// The machine has found a match of these events.
    mutating func matched(
        _ taken: [[CapturedEvent]], at time: Timestamp, rule: ObservedSequence,
        covering evaluator: TermEvaluator?
    ) {
        guard !rule.usesRuns, let first = taken.joined().min(by: { $0.ordinal < $1.ordinal }),
            let start = open.first(where: { serial in
                entry(serial).map {
                    $0.event.instant == first.instant && $0.event.time == first.time
                } ?? false
            })
        else { return }
        // Not what the machine has taken: its events hold fewer fields.
        if let evaluator, let reached = furthest(from: start, rule: rule, by: evaluator) {
            cover(reached.taken, rule: rule, by: evaluator)
        }
        guard rule.policy == .none else {
            if matchedStarts[start] == nil {
                matchedStarts[start] = time
                tellMatch(taken, at: time, rule: rule)
            }
            return
        }
        tellMatch(taken, at: time, rule: rule)
        // What else had begun is used up by the match.
        if let resume = rule.parts.sequence.resumeAt, let from = taken[resume.rawValue].first {
            open = open.filter { serial in
                (serial != start || from.ordinal == first.ordinal)
                    && (entry(serial).map { $0.event.instant >= from.instant } ?? false)
            }
        } else {
            open.removeAll()
        }
        lastTold = nil
    }

    private func entry(_ serial: Int) -> Entry? {
        guard let first = entries.first else { return nil }
        // Serials rise, with gaps where nothing was kept.
        var low = 0
        var high = min(entries.count, serial - first.serial + 1)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].serial < serial { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].serial == serial ? entries[low] : nil
    }

    // MARK: - Runs

    private mutating func feed(
        _ entry: Entry, rule: ObservedSequence, in context: MachineContext
    ) {
        let parts = rule.parts
        if rule.policy == .latest {
            runs.sort { $1.run.place(parts) < $0.run.place(parts) }
        }
        var kept: [(run: Run, serial: Int)] = []
        for (run, serial) in runs {
            var run = run
            switch run.feed(entry.event, parts, key: key, evaluator: context.evaluator) {
            case .goesOn:
                if rule.policy == .latest {
                    for other in kept where other.run.place(parts) == run.place(parts) {
                        end(other.run, other.serial, .replaced(at: context.instant), rule, context)
                    }
                    kept.removeAll { $0.run.place(parts) == run.place(parts) }
                }
                kept.append((run, serial))
            case .matches:
                tellMatch(run.taken, at: context.instant, rule: rule)
                cover(run.taken, rule: rule, by: context.evaluator)
            case .isOver:
                entries.append(entry)
                end(run, serial, outcome(of: run, at: entry.event, rule, context), rule, context)
                entries.removeLast()
            }
        }
        runs = kept
    }

    /// Why a run is over at an event.
    private func outcome(
        of run: Run, at event: CapturedEvent, _ rule: ObservedSequence, _ context: MachineContext
    ) -> Attempt.Outcome {
        let parts = rule.parts
        if let until = parts.sequence.until, event.steps & parts.untilBit != 0 {
            return .ended(by: parts.steps[until.rawValue].name, at: event.time)
        }
        if run.isSpoiled, let absence = parts.shape.trailingAbsences.first {
            return .broken(by: parts.steps[absence.step].name, at: event.time)
        }
        if let within = parts.within, event.instant - run.first.instant > within {
            return .timeOver(at: run.first.time + within)
        }
        return .stopped(at: event.time)
    }

    private mutating func start(
        _ entry: Entry, rule: ObservedSequence, in context: MachineContext
    ) {
        let parts = rule.parts
        guard entry.event.starts != 0,
            let run = Run.start(entry.event, parts, key: key, evaluator: context.evaluator)
        else { return }
        if rule.policy == .restart, let first = runs.first {
            if first.run.isInRepeatedStart { return }
            for (run, serial) in runs {
                end(run, serial, .replaced(at: context.instant), rule, context)
            }
            runs = []
        }
        if run.isDone(parts) {
            tellMatch(run.taken, at: context.instant, rule: rule)
            return
        }
        if rule.policy == .latest {
            for (other, serial) in runs where other.place(parts) == run.place(parts) {
                end(other, serial, .replaced(at: context.instant), rule, context)
            }
            runs.removeAll { $0.run.place(parts) == run.place(parts) }
        }
        runs.append((run, entry.serial))
    }

    private mutating func end(
        _ run: Run, _ serial: Int, _ outcome: Attempt.Outcome, _ rule: ObservedSequence,
        _ context: MachineContext
    ) {
        tell(run.reached, from: serial, outcome: outcome, rule: rule, in: context)
    }

    // MARK: - Time

    /// Ends what is over before an instant.
    mutating func pass(
        _ instant: Timestamp, rule: ObservedSequence, in context: MachineContext
    ) {
        let time = instant - TimeSpan(nanoseconds: 1)
        let span = rule.parts.shape.leadingAbsences.map(\.span).max() ?? .zero
        leading.removeAll(before: instant - span)
        if let until {
            self.until = nil
            let name = rule.parts.sequence.until.map { rule.parts.steps[$0.rawValue].name } ?? ""
            for serial in open where serial < until.serial {
                tell(
                    serial, outcome: .ended(by: name, at: until.event.time), rule: rule,
                    in: context)
            }
            open.removeAll { $0 < until.serial }
        }
        let late = runs.filter { ($0.run.end(rule.parts) ?? .distantFuture) <= time }
        if !late.isEmpty {
            runs.removeAll { ($0.run.end(rule.parts) ?? .distantFuture) <= time }
            for (run, serial) in late {
                let end = run.end(rule.parts) ?? time
                if run.isWaiting(rule.parts), !run.isSpoiled {
                    tellMatch(run.taken, at: end, rule: rule)
                } else if run.isSpoiled, let absence = rule.parts.shape.trailingAbsences.first {
                    self.end(
                        run, serial,
                        .broken(by: rule.parts.steps[absence.step].name, at: end), rule, context)
                } else {
                    self.end(run, serial, .timeOver(at: end), rule, context)
                }
            }
        }
        guard let retention = rule.retention else { return }
        while let serial = open.first, let start = entry(serial)?.event,
            start.instant + retention <= time
        {
            open.removeFirst()
            if matchedStarts.removeValue(forKey: serial) == nil {
                let limit = rule.parts.horizon ?? retention
                ended.append(Ended(serial: serial, outcome: .timeOver(at: start.time + limit)))
            }
        }
        while let first = ended.first {
            guard let start = entry(first.serial)?.event else {
                ended.removeFirst()
                continue
            }
            guard start.instant + retention * 2 <= time else { break }
            ended.removeFirst()
            tell(first.serial, outcome: first.outcome, rule: rule, in: context)
        }
        let oldest = min(
            open.first ?? .max, ended.first?.serial ?? .max, runs.map(\.serial).min() ?? .max)
        if oldest == .max {
            entries.removeAll(keepingCapacity: true)
        } else if let first = entries.first, first.serial < oldest {
            entries.removeAll { $0.serial < oldest }
        }
    }

    /// Tells what is left: attempts that are still open stay so.
    mutating func finish(at end: Timestamp, rule: ObservedSequence, in context: MachineContext) {
        pass(end, rule: rule, in: context)
        for entry in ended { tell(entry.serial, outcome: entry.outcome, rule: rule, in: context) }
        ended = []
        for serial in open where matchedStarts[serial] == nil {
            guard let start = entry(serial)?.event else { continue }
            tell(
                serial, outcome: .open(until: rule.retention.map { start.time + $0 }), rule: rule,
                in: context)
        }
        open = []
        for (run, serial) in runs {
            self.end(run, serial, .open(until: run.end(rule.parts)), rule, context)
        }
        runs = []
    }

    /// The key was dropped with all it had begun.
    mutating func evict(at time: Timestamp, rule: ObservedSequence, in context: MachineContext) {
        for serial in open { tell(serial, outcome: .evicted(at: time), rule: rule, in: context) }
        for (run, serial) in runs { end(run, serial, .evicted(at: time), rule, context) }
        open = []
        runs = []
    }

    /// Whether attempts are open that the machine must have as well.
    var mustBeKnown: Bool { !open.isEmpty || !runs.isEmpty }
}
