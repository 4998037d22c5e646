import RuleModel

/// `overlap each`, `overlap latest` and `restart on repeat` (S3, S5): runs that take the first
/// fitting event and never look back, fed with one event after the other.
func referenceRuns(_ row: ReferenceRow) -> [ReferencePick] {
    var runs: [ReferenceRun] = []
    var found: [ReferencePick] = []

    func fireDeadlines(before instant: Timestamp) {
        while let time = runs.compactMap({ $0.deadline(row) }).filter({ $0 < instant }).min() {
            for index in runs.indices where runs[index].deadline(row) == time {
                if let pick = runs[index].expire(row) { found.append(pick) }
                runs[index].isOver = true
            }
            runs.removeAll(where: \.isOver)
        }
    }

    for position in row.events.indices {
        fireDeadlines(before: row.instant(position))
        // S7: steps from last to first, so that a run moves before another takes its place.
        if row.plan.overlap == .latest {
            runs.sort { $1.place(row).lexicographicallyPrecedes($0.place(row)) }
        }
        var moved: [ReferenceRun] = []
        for var run in runs {
            if let pick = run.feed(position, row) { found.append(pick) }
            if run.isOver { continue }
            if row.plan.overlap == .latest {
                // One pending run per key and step, the newest wins.
                moved.removeAll { $0.place(row) == run.place(row) }
            }
            moved.append(run)
        }
        runs = moved
        // Then new starts.
        guard var start = ReferenceRun.start(at: position, row) else { continue }
        if row.plan.restartsOnRepeat, let run = runs.first {
            if run.isInRepeatedStart(row) { continue }
            runs = []
        }
        if let pick = start.finish(position, row) { found.append(pick) }
        if start.isOver { continue }
        if row.plan.overlap == .latest { runs.removeAll { $0.place(row) == start.place(row) } }
        runs.append(start)
        // T9: over the limit the oldest goes.
        if let limit = row.plan.runLimit, runs.count > limit { runs.removeFirst() }
    }
    fireDeadlines(before: row.watermark)
    return found
}

/// One partial match under a policy without choice.
private struct ReferenceRun {
    /// The index of the next element to fill.
    var next = 0
    /// Members of an `all of` that are still to come.
    var pending: [ElementPlan]?
    var taken: [StepID: [Int]] = [:]
    var first: Int?
    var last: Int?
    var open: StepID?
    var withouts: [StepID] = []
    var isOver = false

    /// Where the run stands, for `overlap latest`: the element it is at, and how much that still
    /// needs. Without the second part the newest start would overwrite every repeated step in the
    /// making.
    func place(_ row: ReferenceRow) -> [Int] {
        guard let open else { return [next, -(pending?.count ?? 0)] }
        return [next, min((taken[open] ?? []).count, max(1, row.step(open).minimum))]
    }

    static func start(at position: Int, _ row: ReferenceRow) -> ReferenceRun? {
        var run = ReferenceRun()
        if case .absence(let step, let span)? = row.plan.elements.first?.kind {
            guard row.isAbsent(step, span, before: position) else { return nil }
            run.next = 1
        }
        return run.fill(position, row) ? run : nil
    }

    /// Whether the run still collects the events of a repeated first step.
    func isInRepeatedStart(_ row: ReferenceRow) -> Bool {
        guard let open else { return false }
        return taken.keys.allSatisfy { $0 == open }
    }

    /// Lets the run see an event behind its first one.
    mutating func feed(_ position: Int, _ row: ReferenceRow) -> ReferencePick? {
        guard row.isInTime(position, first: first, last: nil, gapLimit: nil) || waitsForAbsence(row)
        else {
            isOver = true
            return nil
        }
        if let until = row.plan.until, row.fits(until, position, taken) {
            // S4 and S7: it ends the run; a repeated step at the end fires then.
            isOver = true
            guard isAtTrailingRepeat(row), hasMinimum(row) else { return nil }
            return pick(.event(position))
        }
        if fill(position, row) { return finish(position, row) }
        return nil
    }

    /// Reports a match when nothing more is needed.
    mutating func finish(_ position: Int, _ row: ReferenceRow) -> ReferencePick? {
        if isAtTrailingRepeat(row), row.plan.until != nil { return nil }
        if pending != nil || !hasMinimum(row) { return nil }
        for element in row.plan.elements[next...] {
            guard case .step(let step) = element.kind, row.step(step).minimum == 0 else {
                return nil
            }
        }
        isOver = true
        return pick(.event(position))
    }

    /// The match of a trailing absence, if nothing spoiled it.
    func expire(_ row: ReferenceRow) -> ReferencePick? {
        guard let deadline = deadline(row), let last, case .absence(let step, _)? = absence(row),
            row.isAbsent(step, after: last, through: deadline, taken)
        else { return nil }
        return pick(.deadline(deadline))
    }

    func deadline(_ row: ReferenceRow) -> Timestamp? {
        guard let last, hasMinimum(row), case .absence(_, let span)? = absence(row) else {
            return nil
        }
        return row.instant(last) + span
    }

    // MARK: - Filling

    /// Gives the event to the first element that wants it: later steps before the repeated one that
    /// is open, optional ones before those behind them (S6). False: not wanted, or the run is over.
    private mutating func fill(_ position: Int, _ row: ReferenceRow) -> Bool {
        if let pending {
            return place(among: pending, position, row, immediately: false)
        }
        let candidates = hasMinimum(row) ? candidates(from: next, withouts, row) : []
        for candidate in candidates {
            let element = row.plan.elements[candidate.index]
            var attempt = self
            attempt.next = candidate.index + 1
            attempt.withouts = candidate.withouts
            let isTaken =
                switch element.kind {
                case .step(let step): attempt.take(step, position, row, element.immediately)
                case .any(let children):
                    children.contains { child in
                        guard case .step(let step) = child.kind else { return false }
                        return attempt.take(step, position, row, element.immediately)
                    }
                case .all(let children):
                    attempt.place(among: children, position, row, immediately: element.immediately)
                case .without, .absence: false
                }
            if isTaken {
                self = attempt
                return true
            }
            if attempt.isOver {
                isOver = true
                return false
            }
        }
        if let open {
            let count = (taken[open] ?? []).count
            let step = row.step(open)
            let limit = step.isReluctant ? step.minimum : step.maximum ?? .max
            if count < limit, row.isInTime(position, first: first, last: nil, gapLimit: nil),
                row.fits(open, position, taken)
            {
                taken[open, default: []].append(position)
                last = position
                return true
            }
        }
        if missedAdjacent(position, row) { isOver = true }
        return false
    }

    /// The elements that may take the next event, in the order in which they are asked: an optional
    /// one before those behind it (S6), as few as possible after them (S4).
    private func candidates(
        from index: Int, _ withouts: [StepID], _ row: ReferenceRow
    ) -> [(index: Int, withouts: [StepID])] {
        guard index < row.plan.elements.count else { return [] }
        let own = [(index: index, withouts: withouts)]
        switch row.plan.elements[index].kind {
        case .without(let step): return candidates(from: index + 1, withouts + [step], row)
        case .absence: return []
        case .any, .all: return own
        case .step(let step):
            if row.step(step).minimum > 0 { return own }
            let behind = candidates(from: index + 1, withouts, row)
            return row.step(step).isReluctant ? behind + own : own + behind
        }
    }

    /// S1: when the next element must follow immediately and the next event was not its.
    private func missedAdjacent(_ position: Int, _ row: ReferenceRow) -> Bool {
        guard last != nil, open == nil, pending == nil else { return false }
        for element in row.plan.elements[next...] {
            if case .without = element.kind { continue }
            if case .step(let step) = element.kind, row.step(step).minimum == 0 {
                // An optional step that had to come at once is left out.
                if element.immediately { continue }
                return false
            }
            return element.immediately
        }
        return false
    }

    private mutating func place(
        among children: [ElementPlan], _ position: Int, _ row: ReferenceRow, immediately: Bool
    ) -> Bool {
        for (index, child) in children.enumerated() {
            guard case .step(let step) = child.kind, take(step, position, row, immediately) else {
                continue
            }
            var rest = children
            rest.remove(at: index)
            pending = rest.isEmpty ? nil : rest
            return true
        }
        return false
    }

    private mutating func take(
        _ id: StepID, _ position: Int, _ row: ReferenceRow, _ immediately: Bool
    ) -> Bool {
        let step = row.step(id)
        if immediately, let last, position != last + 1 { return false }
        guard row.fits(id, position, taken) else { return false }
        // The first fitting event decides: if it comes too late, or behind a forbidden one, the run
        // is over. An optional step that is too late is left out.
        guard row.isInTime(position, first: first, last: last, gapLimit: step.gapLimit) else {
            isOver = step.minimum > 0
            return false
        }
        guard row.isFree(of: withouts, after: last, before: position, taken) else {
            isOver = true
            return false
        }
        taken[id] = [position]
        first = first ?? position
        last = position
        withouts = []
        open = step.maximum == 1 ? nil : id
        return true
    }

    // MARK: - Where the run stands

    private func hasMinimum(_ row: ReferenceRow) -> Bool {
        guard let open else { return true }
        return (taken[open] ?? []).count >= row.step(open).minimum
    }

    private func isAtTrailingRepeat(_ row: ReferenceRow) -> Bool {
        guard case .step(let step)? = row.plan.elements.last?.kind, row.step(step).isRepeated else {
            return false
        }
        return open == step
    }

    private func absence(_ row: ReferenceRow) -> ElementPlan.Kind? {
        guard pending == nil, next == row.plan.elements.count - 1, next > 0 else { return nil }
        return row.plan.elements[next].kind
    }

    private func waitsForAbsence(_ row: ReferenceRow) -> Bool {
        if case .absence? = absence(row) { return hasMinimum(row) }
        return false
    }

    private func pick(_ end: ReferencePick.End) -> ReferencePick {
        ReferencePick(taken: taken, first: first ?? 0, end: end)
    }
}
