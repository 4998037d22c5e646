import RuleModel

/// Where an expression finds what is not constant. A machine answers what it has; the rest is missing.
protocol TermContext {
    /// A field of the event being looked at.
    func field(_ field: FieldID) -> Value
    func stepField(_ step: StepID, _ occurrence: Term.Occurrence, _ field: FieldID) -> Value
    func stepList(_ step: StepID, _ field: FieldID) -> Value
    func stepCount(_ step: StepID) -> Value
    func stepAggregate(_ function: AggregateFunction, _ step: StepID, _ field: FieldID) -> Value
    func key(_ index: Int) -> Value
    func measure(_ index: Int, _ time: Term.MeasureTime) -> Value
    func fact(_ fact: MatchFact) -> Value
    func score(_ function: ScoreFunction, measure: Int, parameter: Double?) -> Value
    func clusterCount() -> Value
    /// Of the first or last member; of all as a list where nil.
    func clusterField(_ field: ClusterField, _ occurrence: Term.Occurrence?) -> Value
}

extension TermContext {
    func field(_ field: FieldID) -> Value { .missing }
    func stepField(_ step: StepID, _ occurrence: Term.Occurrence, _ field: FieldID) -> Value {
        .missing
    }
    func stepList(_ step: StepID, _ field: FieldID) -> Value { .missing }
    func stepCount(_ step: StepID) -> Value { .missing }
    func stepAggregate(_ function: AggregateFunction, _ step: StepID, _ field: FieldID) -> Value {
        .missing
    }
    func key(_ index: Int) -> Value { .missing }
    func measure(_ index: Int, _ time: Term.MeasureTime) -> Value { .missing }
    func fact(_ fact: MatchFact) -> Value { .missing }
    func score(_ function: ScoreFunction, measure: Int, parameter: Double?) -> Value { .missing }
    func clusterCount() -> Value { .missing }
    func clusterField(_ field: ClusterField, _ occurrence: Term.Occurrence?) -> Value { .missing }
}

/// The context of conditions that look at one event.
struct EventContext: TermContext {
    let event: Event

    func field(_ field: FieldID) -> Value { event.value(field) }
}
