import RuleModel

/// The sum of the steps' own limits, if they bound the whole; nil if some gap is open.
func sequenceHorizon(of plan: SequencePlan) -> TimeSpan? {
    var total = TimeSpan.zero
    var isFirst = true
    for element in plan.elements {
        if case .without = element.kind { continue }
        guard let limit = limit(of: element, plan.steps, isFirst: isFirst) else { return nil }
        total = total + limit
        if case .absence = element.kind, isFirst { continue }
        isFirst = false
    }
    return total
}

/// The longest time from the element before to the end of this one.
private func limit(of element: ElementPlan, _ steps: [StepPlan], isFirst: Bool) -> TimeSpan? {
    switch element.kind {
    case .step(let id):
        let step = steps[id.rawValue]
        // Only the first of several events has a limit of its own.
        if step.maximum != 1 { return nil }
        return isFirst ? .zero : step.gapLimit
    case .absence(_, let span): return isFirst ? .zero : span
    case .without: return .zero
    case .all(let parts):
        // Any of them may come first, so each needs its limit; the first event has none behind.
        var total = TimeSpan.zero
        for part in parts {
            guard let limit = limit(of: part, steps, isFirst: false) else { return nil }
            total = total + limit
        }
        return total
    case .any(let parts):
        var most = TimeSpan.zero
        for part in parts {
            guard let limit = limit(of: part, steps, isFirst: isFirst) else { return nil }
            most = max(most, limit)
        }
        return most
    }
}
