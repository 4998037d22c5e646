import RuleModel

/// How far attempts came, and what kept them from going on.
extension SequenceLog {
    // MARK: - Telling

    /// Looks how far an attempt came.
    mutating func tell(
        _ serial: Int, outcome: Attempt.Outcome, rule: ObservedSequence, in context: MachineContext
    ) {
        guard let reached = furthest(from: serial, rule: rule, by: context.evaluator) else {
            return
        }
        tell(reached, from: serial, outcome: outcome, rule: rule, in: context)
    }

    /// How far the engine's own search comes from a start.
    func furthest(
        from serial: Int, rule: ObservedSequence, by evaluator: TermEvaluator
    ) -> Reached? {
        guard let start = entries.firstIndex(where: { $0.serial == serial }) else { return nil }
        let first = entries[start].event
        let limit = rule.retention.map { first.instant + $0 } ?? .distantFuture
        let own = KeySlot(index: 0)
        var events = KeptEvents(stepCount: rule.parts.steps.count, layout: rule.parts.layout)
        for entry in entries[start...] where entry.event.steps != 0 {
            if entry.event.instant > limit { break }
            events.append(entry.event, own)
        }
        var search = ChoiceSearch(
            parts: rule.parts, evaluator: evaluator, events: events, of: own, key: key,
            goal: .furthest, absentSince: .distantPast, workMax: rule.workMax,
            scratch: ChoiceSearch.Scratch())
        return search.furthest()
    }

    mutating func tell(
        _ reached: Reached, from serial: Int, outcome: Attempt.Outcome, rule: ObservedSequence,
        in context: MachineContext
    ) {
        var outcome = outcome
        let parts = rule.parts
        if case .timeOver = outcome, let broken = broken(reached, rule, context) {
            outcome = .broken(by: broken.step, at: broken.time)
        }
        if case .open = outcome, let time = parts.matchTime(of: reached) {
            if let broken = broken(reached, rule, context) {
                if !parts.mayTakeMore(reached) {
                    outcome = .broken(by: broken.step, at: broken.time)
                }
            } else {
                outcome = .open(until: time)
            }
        }
        cover(reached.taken, rule: rule, by: context.evaluator)
        let misses = misses(behind: reached, from: serial, rule, context)
        var attempt = Attempt(reached, key: key, outcome, parts, stepsToGo: rule.stepsToGo)
        attempt.misses = misses
        let serials = Set(
            reached.taken.joined().compactMap { event in
                entries.first {
                    $0.event.ordinal == event.ordinal && $0.event.instant == event.instant
                }?.serial
            })
        if let lastTold, lastTold.serials.contains(serial), lastTold.progress >= attempt.progress {
            guard case .open = outcome else {
                folded += 1
                return
            }
            // One that is open as well is the same attempt with a later end.
            if let last = attempts.indices.last, case .open = attempts[last].outcome {
                attempts[last].outcome = outcome
                folded += 1
                return
            }
        }
        lastTold = (serials.union([serial]), attempt.progress)
        attempts.append(attempt)
    }

    mutating func tellMatch(
        _ taken: [[CapturedEvent]], at time: Timestamp, rule: ObservedSequence
    ) {
        var attempt = Attempt(taken, key: key, .matched(at: time), rule.parts)
        attempt.filled = attempt.steps.count
        attempt.needed = attempt.filled
        attempt.progress = 1
        attempts.append(attempt)
    }

    /// The event of an absence at the end that kept a complete attempt from matching.
    private func broken(
        _ reached: Reached, _ rule: ObservedSequence, _ context: MachineContext
    ) -> (step: String, time: Timestamp)? {
        let parts = rule.parts
        guard parts.shape.states[reached.target].isComplete else { return nil }
        for absence in parts.shape.trailingAbsences {
            for entry in entries
            where entry.event.steps >> UInt64(absence.step) & 1 == 1
                && entry.event.instant > reached.last.instant
                && entry.event.instant - reached.last.instant <= absence.span
            {
                let terms = StepTerms(
                    layout: parts.layout, taken: reached.taken, current: entry.event, key: key)
                let holds =
                    parts.steps[absence.step].runCondition.map {
                        context.evaluator.holds($0, in: terms)
                    } ?? true
                if holds { return (parts.steps[absence.step].name, entry.event.time) }
            }
        }
        return nil
    }

    // MARK: - Misses

    /// The events behind the last one taken that could have been the next, and why they were not.
    private mutating func misses(
        behind reached: Reached, from serial: Int, _ rule: ObservedSequence,
        _ context: MachineContext
    ) -> [Miss] {
        let parts = rule.parts
        var misses: [Miss] = []
        let count = reached.taken[reached.step].count
        var wanted: [(step: Int, transition: SequenceShape.Transition?)] = []
        if parts.steps[reached.step].minimum > count {
            wanted = [(reached.step, nil)]
        } else {
            for transition in parts.shape.states[reached.target].groups.joined() {
                wanted.append((transition.step, transition))
            }
        }
        guard !wanted.isEmpty else { return [] }
        var withouts: [(step: Int, time: Timestamp)] = []
        for entry in entries
        where entry.serial > serial
            && (entry.event.instant, entry.event.ordinal)
                > (reached.last.instant, reached.last.ordinal)
        {
            let event = entry.event
            for (step, transition) in wanted where rule.types[step] == event.type {
                guard
                    let reason = reason(
                        event, step, transition, reached, withouts, rule, context)
                else { continue }
                misses.append(
                    Miss(
                        time: event.time, type: parts.layout.name(of: event.type),
                        step: parts.steps[step].name, reason: reason))
            }
            for without in 0..<64
            where (parts.withouts & event.steps) >> UInt64(without) & 1 == 1 {
                withouts.append((without, event.time))
            }
            if misses.count > 200 { break }
        }
        misses = misses.enumerated().sorted {
            ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset)
        }.map(\.element)
        return Array(misses.prefix(3))
    }

    private mutating func reason(
        _ event: CapturedEvent, _ step: Int, _ transition: SequenceShape.Transition?,
        _ reached: Reached, _ withouts: [(step: Int, time: Timestamp)], _ rule: ObservedSequence,
        _ context: MachineContext
    ) -> Miss.Reason? {
        let parts = rule.parts
        let terms = StepTerms(
            layout: parts.layout, taken: reached.taken, current: event, key: key)
        var failed: [FailedTest] = []
        var all = 0
        if event.steps >> UInt64(step) & 1 == 0 {
            // An event that is something else to the rule is no miss.
            if event.steps != 0 { return nil }
            guard let condition = rule.conditions[step] else { return nil }
            let found = context.evaluator.failures(of: condition, in: terms)
            failed += found.failed
            all += found.all
        }
        if let condition = parts.steps[step].runCondition {
            let found = context.evaluator.failures(of: condition, in: terms)
            failed += found.failed
            all += found.all
            note(condition, terms, context.evaluator)
        }
        if !failed.isEmpty {
            return .condition(failed.map { $0.masked(by: rule.masks, step: StepID(step)) }, of: all)
        }
        if let within = parts.within, event.instant - parts.firstInstant(reached.taken) > within {
            return .within(
                limit: within, over: event.instant - parts.firstInstant(reached.taken) - within)
        }
        if let gap = parts.steps[step].gapLimit, transition != nil,
            event.instant - reached.last.instant > gap
        {
            return .gap(limit: gap, over: event.instant - reached.last.instant - gap)
        }
        if let transition {
            if let forbidden = withouts.first(where: {
                transition.withouts >> UInt64($0.step) & 1 == 1
            }) {
                return .forbidden(step: parts.steps[forbidden.step].name, at: forbidden.time)
            }
            if transition.immediately, event.ordinal != reached.last.ordinal + 1 {
                return .notImmediate
            }
        }
        return nil
    }

    mutating func noteStart(
        _ event: CapturedEvent, rule: ObservedSequence, in context: MachineContext
    ) {
        let parts = rule.parts
        for step in parts.steps.indices
        where parts.shape.firstSteps >> UInt64(step) & 1 == 1 && rule.types[step] == event.type {
            let terms = StepTerms(
                layout: parts.layout,
                taken: Array(repeating: [], count: parts.steps.count), current: event, key: key)
            guard let condition = rule.conditions[step] else { continue }
            let found = context.evaluator.failures(of: condition, in: terms)
            guard !found.failed.isEmpty else { continue }
            let miss = Miss(
                time: event.time, type: parts.layout.name(of: event.type),
                step: parts.steps[step].name,
                reason: .condition(
                    found.failed.map { $0.masked(by: rule.masks, step: StepID(step)) },
                    of: found.all))
            if nearestStart.map({ miss.distance < $0.distance }) ?? true { nearestStart = miss }
        }
    }
}

extension SequenceParts {
    /// Where the first event of a choice stands.
    func firstInstant(_ taken: [[CapturedEvent]]) -> Timestamp {
        taken.joined().map(\.instant).min() ?? .distantPast
    }
}
