import RuleModel

/// The events of one key that belong to a sequence's input, in T0 order, and the questions that
/// both ways of finding matches ask about them.
struct ReferenceRow {
    var plan: SequencePlan
    var key: [Value]
    var events: [ReferenceEvent]
    var began: Timestamp
    var watermark: Timestamp
    /// For each event the inputs it belongs to with this key.
    private var inputs: [[Int]] = []
    private var tables: RuleSetTables
    private var lists: [ListTable]

    init(
        plan: SequencePlan, key: [Value], events: [ReferenceEvent], tables: RuleSetTables,
        lists: [ListTable], began: Timestamp, watermark: Timestamp
    ) {
        self.plan = plan
        self.key = key
        self.began = began
        self.watermark = watermark
        self.tables = tables
        self.lists = lists
        self.events = []
        for event in events {
            let own = plan.inputs.indices.filter { index in
                guard let found = referenceKey(of: event, in: plan.inputs[index], tables, lists)
                else { return false }
                return referenceEqual(.list(found), .list(key)) == true
            }
            if own.isEmpty { continue }
            self.events.append(event)
            inputs.append(own)
        }
    }

    func step(_ id: StepID) -> StepPlan { plan.steps[id.rawValue] }
    func instant(_ position: Int) -> Timestamp { events[position].instant }

    /// Whether an event satisfies what a step says about it, given what other steps have taken.
    func fits(_ id: StepID, _ position: Int, _ taken: [StepID: [Int]]) -> Bool {
        let step = step(id)
        guard inputs[position].contains(step.input) else { return false }
        var term = ReferenceTerm(tables: tables, lists: lists)
        term.event = events[position]
        term.key = key
        term.taken = taken.mapValues { $0.map { events[$0] } }
        return term.holds(step.eventCondition) && term.holds(step.runCondition)
    }

    /// T1 and S8: the limits of the whole and of the step's gap, closed at both ends.
    func isInTime(_ position: Int, first: Int?, last: Int?, gapLimit: TimeSpan?) -> Bool {
        if let first, let within = plan.within, instant(position) - instant(first) > within {
            return false
        }
        if let last, let gapLimit, instant(position) - instant(last) > gapLimit { return false }
        return true
    }

    /// S5 between steps: none of these lies strictly between two positions.
    func isFree(of withouts: [StepID], after last: Int?, before next: Int, _ taken: [StepID: [Int]])
        -> Bool
    {
        guard let last else { return true }
        return !(last + 1..<max(next, last + 1)).contains { position in
            withouts.contains { fits($0, position, taken) }
        }
    }

    /// S5 at the start: no such event in `[t - span, t)`, and the engine has watched all of it.
    func isAbsent(_ id: StepID, _ span: TimeSpan, before position: Int) -> Bool {
        let end = instant(position)
        if !plan.assumesAbsentAtStart, end - span < began { return false }
        return !events.indices.contains {
            instant($0) >= end - span && instant($0) < end && fits(id, $0, [:])
        }
    }

    /// S5 at the end: no such event in `(t, deadline]`.
    func isAbsent(
        _ id: StepID, after last: Int, through deadline: Timestamp, _ taken: [StepID: [Int]]
    ) -> Bool {
        !events.indices.contains {
            instant($0) > instant(last) && instant($0) <= deadline && fits(id, $0, taken)
        }
    }
}

/// A complete pick of events.
struct ReferencePick {
    enum End: Equatable {
        case event(Int)
        case deadline(Timestamp)
    }

    var taken: [StepID: [Int]]
    var first: Int
    var end: End

    func match(rule: RuleID, key: [Value], row: ReferenceRow) -> ReferenceMatch {
        let instant: Timestamp
        var arrival: UInt64?
        switch end {
        case .event(let position):
            instant = row.instant(position)
            arrival = row.events[position].arrival
        case .deadline(let time): instant = time
        }
        return ReferenceMatch(
            rule: rule, key: key, matchedAt: instant, state: .firing, reason: nil,
            steps: row.plan.steps.indices.map { index in
                (taken[StepID(index)] ?? []).map { row.events[$0].arrival }
            }, measures: [], instant: instant, arrival: arrival)
    }
}
