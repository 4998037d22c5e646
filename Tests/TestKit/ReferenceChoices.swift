import RuleModel

/// `overlap none` and `overlap all` (S2, S3): lists every choice and keeps what the policy keeps.
///
/// A choice picks the event that starts, the event of every single step and the event at which a
/// repeated step begins. From there a repeated step has no choice: it takes every fitting event
/// until the next step is filled or its maximum is reached.
func referenceChoices(_ row: ReferenceRow) -> [ReferencePick] {
    let choices = ReferenceChoices(row: row).all()
    var found: [ReferencePick] = []
    /// The first position that may still start a match.
    var floor = 0
    for end in occasions(row, choices) {
        // The list is in order of preference: earliest start, then for each step the earliest event.
        let complete = choices.filter { $0.end == end && $0.first >= floor }
        guard let preferred = complete.first else { continue }
        if case .all(let limit) = row.plan.overlap {
            // The newest starts are kept when there are more than the limit allows.
            found += complete.suffix(limit)
            continue
        }
        found.append(preferred)
        switch end {
        case .event(let position): floor = position + 1
        case .deadline(let time):
            floor = row.events.indices.first { row.instant($0) > time } ?? row.events.count
        }
        if let resume = row.plan.resumeAt, let first = preferred.taken[resume]?.first {
            floor = first
        }
    }
    return found
}

/// Everything that can complete a match, in the order in which it happens: a deadline comes after
/// the events of its own instant (T5), and only if the watermark passes it.
private func occasions(_ row: ReferenceRow, _ choices: [ReferencePick]) -> [ReferencePick.End] {
    var deadlines: [Timestamp] = []
    for choice in choices {
        if case .deadline(let time) = choice.end, time < row.watermark, !deadlines.contains(time) {
            deadlines.append(time)
        }
    }
    deadlines.sort()
    var ends: [ReferencePick.End] = []
    for position in row.events.indices {
        while let next = deadlines.first, next < row.instant(position) {
            ends.append(.deadline(deadlines.removeFirst()))
        }
        ends.append(.event(position))
    }
    return ends + deadlines.map { .deadline($0) }
}

private struct ReferenceChoices {
    /// A choice in the making.
    struct Partial {
        var taken: [StepID: [Int]] = [:]
        var first: Int?
        /// The last event of the last step that is closed.
        var last: Int?
        /// A repeated step that still takes events, and where it began.
        var open: (step: StepID, begin: Int)?
        var withouts: [StepID] = []
    }

    var row: ReferenceRow
    private var found: [ReferencePick] = []

    init(row: ReferenceRow) { self.row = row }

    func all() -> [ReferencePick] {
        var search = self
        search.extend(Partial(), at: 0)
        return search.found
    }

    private var elements: [ElementPlan] { row.plan.elements }

    private mutating func extend(_ partial: Partial, at index: Int) {
        guard index < elements.count else { return complete(partial) }
        if let open = partial.open, row.step(open.step).isReluctant {
            // As few as possible: the number of events is chosen too, the smallest first.
            for closed in reluctantClosings(partial) { extend(closed, at: index) }
            return
        }
        let element = elements[index]
        switch element.kind {
        case .without(let step):
            var next = partial
            next.withouts.append(step)
            extend(next, at: index + 1)
        case .absence(let step, let span):
            if index == 0 {
                extend(partial, at: index + 1)
            } else {
                completeByAbsence(partial, of: step, span)
            }
        case .step(let step):
            let plan = row.step(step)
            if plan.minimum == 0, plan.isReluctant { extend(partial, at: index + 1) }
            for position in row.events.indices {
                guard let next = place(step, position, partial, element.immediately) else {
                    continue
                }
                extend(next, at: index + 1)
            }
            // S6: optional steps are tried first, then left out.
            if plan.minimum == 0, !plan.isReluctant { extend(partial, at: index + 1) }
        case .any(let children):
            for position in row.events.indices {
                for child in children {
                    guard case .step(let step) = child.kind,
                        let next = place(step, position, partial, element.immediately)
                    else { continue }
                    extend(next, at: index + 1)
                }
            }
        case .all(let children): permute(children, partial, element.immediately, at: index)
        }
    }

    /// S6: each once, in any order, no event twice.
    private mutating func permute(
        _ children: [ElementPlan], _ partial: Partial, _ immediately: Bool, at index: Int
    ) {
        if children.isEmpty { return extend(partial, at: index + 1) }
        for position in row.events.indices {
            for (place, child) in children.enumerated() {
                guard case .step(let step) = child.kind,
                    let next = self.place(step, position, partial, immediately)
                else { continue }
                var rest = children
                rest.remove(at: place)
                permute(rest, next, false, at: index)
            }
        }
    }

    /// The choice with this event for the step, or nil when the event does not fit there.
    private func place(
        _ id: StepID, _ position: Int, _ partial: Partial, _ immediately: Bool
    ) -> Partial? {
        guard var next = closeGreedily(partial, before: position) else { return nil }
        if let last = next.last, position <= last { return nil }
        if immediately, let last = next.last, position != last + 1 { return nil }
        let step = row.step(id)
        guard row.isInTime(position, first: next.first, last: next.last, gapLimit: step.gapLimit),
            row.isFree(of: next.withouts, after: next.last, before: position, next.taken),
            row.fits(id, position, next.taken)
        else { return nil }
        if next.first == nil {
            if case .absence(let absent, let span)? = elements.first?.kind,
                !row.isAbsent(absent, span, before: position)
            {
                return nil
            }
            next.first = position
        }
        next.withouts = []
        next.taken[id] = [position]
        next.last = position
        if step.maximum != 1 { next.open = (id, position) }
        return next
    }

    /// Lets an open repeated step take every fitting event before a position; nil when they are too few.
    private func closeGreedily(_ partial: Partial, before position: Int) -> Partial? {
        guard let open = partial.open else { return partial }
        let step = row.step(open.step)
        var next = partial
        for candidate in open.begin + 1..<max(position, open.begin + 1) {
            take(candidate, for: open.step, &next)
        }
        next.open = nil
        return (next.taken[open.step] ?? []).count >= step.minimum ? next : nil
    }

    private func take(_ position: Int, for id: StepID, _ partial: inout Partial) {
        let count = (partial.taken[id] ?? []).count
        guard count < row.step(id).maximum ?? .max,
            row.isInTime(position, first: partial.first, last: nil, gapLimit: nil),
            row.fits(id, position, partial.taken)
        else { return }
        partial.taken[id, default: []].append(position)
        partial.last = position
    }

    private func reluctantClosings(_ partial: Partial) -> [Partial] {
        guard let open = partial.open else { return [] }
        var closings: [Partial] = []
        var next = partial
        next.open = nil
        var position = open.begin
        while true {
            let count = (next.taken[open.step] ?? []).count
            if count >= row.step(open.step).minimum { closings.append(next) }
            repeat {
                position += 1
                guard position < row.events.count else { return closings }
                take(position, for: open.step, &next)
            } while (next.taken[open.step] ?? []).count == count
        }
    }

    // MARK: - Ends

    private mutating func complete(_ partial: Partial) {
        if let until = row.plan.until, endsInRepeat {
            // S4: a repeated step at the end waits for the `until` event and holds all events; as few
            // as possible is its minimum.
            let isReluctant = partial.open.map { row.step($0.step).isReluctant } ?? false
            for position in row.events.indices where position > partial.last ?? -1 {
                let closing =
                    isReluctant
                    ? reluctantClosings(partial).first : closeGreedily(partial, before: position)
                guard let closed = closing, position > closed.last ?? -1,
                    row.isInTime(position, first: closed.first, last: nil, gapLimit: nil),
                    row.fits(until, position, closed.taken)
                else { continue }
                report(closed, .event(position), survivingUntil: position)
            }
            return
        }
        var closed = partial
        if let open = partial.open {
            // S4: without `until` or a deadline it fires when the minimum is reached.
            let minimum = max(1, row.step(open.step).minimum)
            for position in row.events.indices where position > open.begin {
                if (closed.taken[open.step] ?? []).count == minimum { break }
                take(position, for: open.step, &closed)
            }
            guard (closed.taken[open.step] ?? []).count == minimum else { return }
        }
        guard let last = closed.last else { return }
        report(closed, .event(last), survivingUntil: last + 1)
    }

    private var endsInRepeat: Bool {
        guard case .step(let step)? = elements.last?.kind else { return false }
        return row.step(step).isRepeated
    }

    /// S5 at the end: the match happens at `t + span`, `t` the time of the last event.
    private mutating func completeByAbsence(_ partial: Partial, of id: StepID, _ span: TimeSpan) {
        var closed = partial
        closed.open = nil
        if let open = partial.open {
            // A repeated step takes what comes before the deadline, which moves with each event.
            for position in row.events.indices where position > open.begin {
                // The clock of the absence begins when the step has what it needs.
                let isFilled = (closed.taken[open.step] ?? []).count >= row.step(open.step).minimum
                if isFilled, let last = closed.last,
                    row.instant(position) > row.instant(last) + span
                {
                    break
                }
                take(position, for: open.step, &closed)
            }
            guard (closed.taken[open.step] ?? []).count >= row.step(open.step).minimum else {
                return
            }
        }
        guard let last = closed.last else { return }
        let deadline = row.instant(last) + span
        guard row.isAbsent(id, after: last, through: deadline, closed.taken) else { return }
        let behind = row.events.indices.first { row.instant($0) > deadline } ?? row.events.count
        report(closed, .deadline(deadline), survivingUntil: behind)
    }

    /// S7: an `until` event behind the first event and before the end kills, even the one that
    /// would complete the match.
    private mutating func report(
        _ partial: Partial, _ end: ReferencePick.End, survivingUntil behind: Int
    ) {
        guard let first = partial.first else { return }
        if let until = row.plan.until {
            for position in first + 1..<max(behind, first + 1) {
                let before = partial.taken.mapValues { $0.filter { $0 < position } }
                if row.fits(until, position, before) { return }
            }
        }
        found.append(ReferencePick(taken: partial.taken, first: first, end: end))
    }
}
