import RuleModel

/// Splits a condition into the part that looks at one event alone and the part that needs a run.
///
/// Only a conjunction can be split: each of its parts goes to one side. The two sides joined by
/// `and` hold exactly when the condition holds.
public func splitCondition(_ term: Term) -> (event: Term?, run: Term?) {
    var event: [Term] = []
    var run: [Term] = []
    for part in conjuncts(of: term) {
        if part.isEventOnly { event.append(part) } else { run.append(part) }
    }
    return (conjunction(event), conjunction(run))
}

/// The parts that must all hold, in the order written, nested conjunctions opened.
func conjuncts(of term: Term) -> [Term] {
    guard case .and(let parts) = term else { return [term] }
    return parts.flatMap(conjuncts)
}

/// The parts of which one must hold, in the order written, nested disjunctions opened.
func disjuncts(of term: Term) -> [Term] {
    guard case .or(let parts) = term else { return [term] }
    return parts.flatMap(disjuncts)
}

/// The parts joined by `and`; nil when there are none.
func conjunction(_ parts: [Term]) -> Term? {
    parts.count > 1 ? .and(parts) : parts.first
}

/// Moves what looks at one event alone out of the conditions that are judged per run, also where an
/// earlier pass has made it so.
func splitConditions(of plan: RulePlan) -> RulePlan {
    guard case .sequence(var sequence) = plan.pattern else { return plan }
    for index in sequence.steps.indices {
        guard let condition = sequence.steps[index].runCondition else { continue }
        let (event, run) = splitCondition(condition)
        guard let event else { continue }
        let known = sequence.steps[index].eventCondition.map(conjuncts) ?? []
        sequence.steps[index].eventCondition = conjunction(known + conjuncts(of: event))
        sequence.steps[index].runCondition = run
    }
    var plan = plan
    plan.pattern = .sequence(sequence)
    return plan
}
