import RuleModel

/// The events that the steps of a match or run have taken, with the event being looked at.
struct StepTerms: TermContext {
    let layout: CaptureLayout
    /// By step.
    let taken: [[CapturedEvent]]
    let current: CapturedEvent?
    let key: [Value]

    func field(_ field: FieldID) -> Value {
        current.map { layout.value(field, of: $0) } ?? .missing
    }

    func stepField(_ step: StepID, _ occurrence: Term.Occurrence, _ field: FieldID) -> Value {
        let events = taken[step.rawValue]
        return (occurrence == .last ? events.last : events.first).map {
            layout.value(field, of: $0)
        } ?? .missing
    }

    func stepList(_ step: StepID, _ field: FieldID) -> Value {
        .list(values(step, field))
    }

    func stepCount(_ step: StepID) -> Value { .int(Int64(taken[step.rawValue].count)) }

    func stepAggregate(_ function: AggregateFunction, _ step: StepID, _ field: FieldID) -> Value {
        if function == .count { return stepCount(step) }
        return Numbers.aggregate(function, values(step, field))
    }

    func key(_ index: Int) -> Value { key.indices.contains(index) ? key[index] : .missing }

    private func values(_ step: StepID, _ field: FieldID) -> [Value] {
        taken[step.rawValue].compactMap { event in
            let value = layout.value(field, of: event)
            return value.isMissing ? nil : value
        }
    }
}
