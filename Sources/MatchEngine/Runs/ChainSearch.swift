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

/// Lists the choices of a plain chain (`SequenceParts.isPlainChain`) that a limit keeps: those with the
/// latest starts, of one start those with the latest second step, and so on.
///
/// From the last event back each step has a latest event with which the rest can still be filled. A step that
/// takes this one or an earlier one never leads nowhere, so a choice costs what it has to step over
/// between its events, however many events are kept and however many other choices there are.
/// - SeeAlso: Bucchi, Grez, Quintana, Riveros, Vansummeren, "CORE: a Complex Event Recognition Engine",
///   PVLDB 15(9), 2022, §5 (enumeration by latest start).
struct ChainChoices {
    let chain: [Int]
    let stepCount: Int
    let within: TimeSpan?
    /// The most events looked at.
    let workMax: Int
    /// The events of the key, of which the last completes the match.
    let events: UnsafeBufferPointer<KeptEvent>
    private(set) var isExhausted = false
    private var work = 0
    private var earliest = Timestamp.distantPast

    init(
        chain: [Int], stepCount: Int, within: TimeSpan?, workMax: Int,
        events: UnsafeBufferPointer<KeptEvent>
    ) {
        self.chain = chain
        self.stepCount = stepCount
        self.within = within
        self.workMax = workMax
        self.events = events
    }

    /// At most `limit` choices in order of their starts, and whether there are more.
    mutating func latest(limit: Int) -> (choices: [ChoiceSearch.Choice], isCut: Bool) {
        let end = events.count - 1
        let last = chain.count - 1
        guard end >= last, events[end].steps >> UInt64(chain[last]) & 1 == 1 else {
            return ([], false)
        }
        if let within { earliest = events[end].instant - within }
        var latest = Array(repeating: end, count: chain.count)
        for number in (0..<last).reversed() {
            guard let place = place(of: number, before: latest[number + 1], after: -1) else {
                return ([], false)
            }
            latest[number] = place
        }
        var places = latest
        var found: [ChoiceSearch.Choice] = []
        while found.count < limit {
            var choice: ChoiceSearch.Choice = Array(repeating: [], count: stepCount)
            for (step, place) in zip(chain, places) { choice[step] = [place] }
            found.append(choice)
            guard goBack(&places, latest) else { return (found.reversed(), false) }
        }
        return (found.reversed(), true)
    }

    /// Goes to the choice before, in which the last step that can takes an earlier event.
    private mutating func goBack(_ places: inout [Int], _ latest: [Int]) -> Bool {
        for number in (0..<chain.count - 1).reversed() {
            let before = number > 0 ? places[number - 1] : -1
            guard let place = place(of: number, before: places[number], after: before) else {
                continue
            }
            places[number] = place
            for later in number + 1..<chain.count { places[later] = latest[later] }
            return true
        }
        return false
    }

    /// The latest event between two places that a step of the chain can take.
    private mutating func place(of number: Int, before end: Int, after begin: Int) -> Int? {
        let step = UInt64(chain[number])
        var place = end - 1
        while place > begin {
            work += 1
            guard work <= workMax else {
                isExhausted = true
                return nil
            }
            if number == 0 {
                if events[place].instant < earliest { return nil }
                if events[place].starts >> step & 1 == 1 { return place }
            } else if events[place].steps >> step & 1 == 1 {
                return place
            }
            place -= 1
        }
        return nil
    }
}
