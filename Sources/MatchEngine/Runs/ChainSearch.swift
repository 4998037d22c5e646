import RuleModel

/// Looks for the preferred choice (S2) of a sequence that is a chain: one single event for each step, one
/// step after the other, among a handful of events.
///
/// What `ChoiceSearch` finds too. But most rules are chains and most keys have few events, and then its
/// book-keeping would cost more than the search. Depth first, nothing remembered: O(binomial of events and
/// steps), so `eventsMax` is small.
struct ChainSearch {
    static var eventsMax: Int { 8 }
    /// More events than any search looks at, each counted as often as it is.
    static var workMax: Int { 1 << eventsMax }

    let parts: SequenceParts
    /// The steps in their order.
    let chain: [Int]
    let evaluator: TermEvaluator
    /// The events of the key, of which the last completes the match, and their fields.
    let events: UnsafeBufferPointer<KeptEvent>
    let values: UnsafePointer<Value>?
    /// The key, when a condition asks for it.
    let key: [Value]

    /// The event of each step that has one: the first `filled` of the chain.
    private var places: [Int]
    private var filled = 0
    /// The event that a condition looks at.
    private var current = 0

    init(
        parts: SequenceParts, chain: [Int], evaluator: TermEvaluator,
        events: UnsafeBufferPointer<KeptEvent>, values: UnsafePointer<Value>?, key: [Value]
    ) {
        self.parts = parts
        self.chain = chain
        self.evaluator = evaluator
        self.events = events
        self.values = values
        self.key = key
        places = Array(repeating: 0, count: chain.count)
    }

    mutating func firstChoice() -> ChoiceSearch.Choice? {
        guard let last = events.last, last.steps >> UInt64(chain[chain.count - 1]) & 1 == 1 else {
            return nil
        }
        let earliest = parts.within.map { last.instant - $0 } ?? .distantPast
        for place in 0...(events.count - chain.count)
        where events[place].starts >> UInt64(chain[0]) & 1 == 1
            && events[place].instant >= earliest
        {
            guard fill(0, at: place) else { continue }
            var choice: ChoiceSearch.Choice = Array(repeating: [], count: parts.steps.count)
            for (step, place) in zip(chain, places) { choice[step] = [place] }
            return choice
        }
        return nil
    }

    /// Lets a step of the chain have an event, if its condition holds, and looks for the rest.
    private mutating func fill(_ number: Int, at place: Int) -> Bool {
        if let condition = parts.steps[chain[number]].runCondition {
            current = place
            filled = number
            if !evaluator.holds(condition, in: self) { return false }
        }
        places[number] = place
        let next = number + 1
        if next == chain.count { return true }
        let isLast = next == chain.count - 1
        let step = chain[next]
        let limit = parts.steps[step].gapLimit
        // As many events must be left as there are steps behind this one; the last takes the last event.
        let end = events.count - (chain.count - 1 - next)
        for later in (isLast ? end - 1 : place + 1)..<end {
            if let limit, events[later].instant - events[place].instant > limit { return false }
            if events[later].steps >> UInt64(step) & 1 == 1, fill(next, at: later) { return true }
        }
        return false
    }

    private func value(_ field: FieldID, at place: Int) -> Value {
        if field == .time { return .time(events[place].time) }
        if field == .type { return .text(parts.layout.name(of: events[place].type)) }
        guard let offset = parts.layout.place(of: field), let values else { return .missing }
        return values[place * parts.layout.width + offset]
    }

    /// The event that a step has taken.
    private func place(of step: StepID) -> Int? {
        for number in 0..<filled where chain[number] == step.rawValue { return places[number] }
        return nil
    }
}

extension ChainSearch: TermContext {
    func field(_ field: FieldID) -> Value { value(field, at: current) }

    func stepField(_ step: StepID, _ occurrence: Term.Occurrence, _ field: FieldID) -> Value {
        place(of: step).map { value(field, at: $0) } ?? .missing
    }

    func stepList(_ step: StepID, _ field: FieldID) -> Value { .list(values(step, field)) }

    func stepCount(_ step: StepID) -> Value { .int(place(of: step) == nil ? 0 : 1) }

    func stepAggregate(_ function: AggregateFunction, _ step: StepID, _ field: FieldID) -> Value {
        if function == .count { return stepCount(step) }
        return Numbers.aggregate(function, values(step, field))
    }

    func key(_ index: Int) -> Value { key.indices.contains(index) ? key[index] : .missing }

    private func values(_ step: StepID, _ field: FieldID) -> [Value] {
        let value = stepField(step, .only, field)
        return value.isMissing ? [] : [value]
    }
}
