import RuleModel

func sequenceMutants(_ plan: SequencePlan) -> [SequencePlan] {
    var plans: [SequencePlan] = []
    func add(_ change: (inout SequencePlan) -> Void) {
        var changed = plan
        change(&changed)
        changed.horizon = changed.within ?? sequenceHorizon(of: changed)
        guard changed.horizon != nil || changed.runLimit != nil || plan.horizon == nil else {
            return
        }
        plans.append(changed)
    }
    for inputs in inputMutants(plan.inputs) { add { $0.inputs = inputs } }
    if let within = plan.within {
        for span in spans(within) { add { $0.within = span } }
    }
    for (index, step) in plan.steps.enumerated() {
        for condition in step.eventCondition.map(conditionMutants) ?? [] {
            add { $0.steps[index].eventCondition = condition }
        }
        for condition in step.runCondition.map(conditionMutants) ?? [] {
            add { $0.steps[index].runCondition = condition }
        }
        if step.isRepeated {
            if step.minimum > 1 {
                add { $0.steps[index].minimum -= 1 }
            }
            if step.maximum.map({ $0 > step.minimum }) ?? true, step.minimum > 0 {
                add { $0.steps[index].minimum += 1 }
            }
            if let maximum = step.maximum {
                add { $0.steps[index].maximum = maximum + 1 }
                if maximum > max(1, step.minimum) {
                    add { $0.steps[index].maximum = maximum - 1 }
                }
            }
        } else if step.minimum == 0 {
            add { $0.steps[index].minimum = 1 }
        }
        if let gap = step.gapLimit {
            for span in spans(gap) { add { $0.steps[index].gapLimit = span } }
        }
    }
    for (index, element) in plan.elements.enumerated() {
        if element.immediately { add { $0.elements[index].immediately = false } }
        switch element.kind {
        case .absence(let step, let span):
            for other in spans(span) { add { $0.elements[index].kind = .absence(step, other) } }
        case .without: add { $0.elements.remove(at: index) }
        case .step, .all, .any: break
        }
    }
    if plan.until != nil { add { $0.until = nil } }
    if plan.restartsOnRepeat {
        add { $0.restartsOnRepeat = false }
    } else if plan.overlap != .none {
        add { $0.overlap = .none }
    }
    return plans
}

func thresholdMutants(_ plan: ThresholdPlan) -> [ThresholdPlan] {
    var plans: [ThresholdPlan] = []
    func add(_ change: (inout ThresholdPlan) -> Void) {
        var changed = plan
        change(&changed)
        plans.append(changed)
    }
    for inputs in inputMutants([plan.input]) { add { $0.input = inputs[0] } }
    for condition in plan.condition.map(conditionMutants) ?? [] { add { $0.condition = condition } }
    for (index, measure) in plan.measures.enumerated() {
        for condition in measure.condition.map(conditionMutants) ?? [] {
            add { $0.measures[index].condition = condition }
        }
    }
    for kind in windowMutants(plan.window.kind) {
        add {
            $0.window.kind = kind
            // The default follows the window.
            if plan.staleAfter == plan.window.span { $0.staleAfter = $0.window.span }
        }
    }
    for term in termMutants(plan.when) { add { $0.when = term } }
    for span in spans(plan.holdFor) { add { $0.holdFor = span } }
    if plan.holdFor > .zero { add { $0.holdFor = .zero } }
    if plan.minimumEvents > 1 {
        add { $0.minimumEvents -= 1 }
        add { $0.minimumEvents += 1 }
    }
    if let resolve = plan.resolveWhen {
        for term in termMutants(resolve) { add { $0.resolveWhen = term } }
        add { $0.resolveWhen = nil }
    }
    for span in spans(plan.resolveFor) { add { $0.resolveFor = span } }
    if let remind = plan.remindEvery {
        for span in spans(remind) { add { $0.remindEvery = span } }
        add { $0.remindEvery = nil }
    }
    if plan.staleAfter != plan.window.span {
        for span in spans(plan.staleAfter) { add { $0.staleAfter = span } }
    }
    if plan.onNoData != .resolve { add { $0.onNoData = .resolve } }
    if plan.resetsAfterMatch { add { $0.resetsAfterMatch = false } }
    return plans
}

private func windowMutants(_ kind: WindowPlan.Kind) -> [WindowPlan.Kind] {
    switch kind {
    case .sliding(let span): spans(span).map { .sliding($0) }
    case .tumbling(let span): spans(span).map { .tumbling($0) }
    case .hopping(let span, let every): spans(span).map { .hopping($0, every: every) }
    case .session(let gap, let most):
        spans(gap).map { .session(gap: $0, max: most) }
            + spans(most).map { .session(gap: gap, max: $0) }
    case .last(let count): [.last(max(1, count - 1)), .last(count + 1)]
    }
}

func correlationMutants(_ plan: CorrelationPlan) -> [CorrelationPlan] {
    var plans: [CorrelationPlan] = []
    func add(_ change: (inout CorrelationPlan) -> Void) {
        var changed = plan
        change(&changed)
        plans.append(changed)
    }
    for inputs in inputMutants(plan.inputs) { add { $0.inputs = inputs } }
    for (index, member) in plan.members.enumerated() {
        for condition in member.condition.map(conditionMutants) ?? [] {
            add { $0.members[index].condition = condition }
        }
    }
    for span in spans(plan.within) { add { $0.within = span } }
    if plan.required > 1 { add { $0.required -= 1 } }
    if plan.required < plan.members.count { add { $0.required += 1 } }
    if !plan.order.isEmpty { add { $0.order = [] } }
    for (index, precedence) in plan.precedences.enumerated() {
        add { $0.precedences.remove(at: index) }
        for span in spans(precedence.within) { add { $0.precedences[index].within = span } }
    }
    switch plan.strength {
    case nil: break
    case .lift(var lift):
        add { $0.strength = nil }
        let limit = lift.limit
        for other in [limit / 2, limit * 2] {
            lift.limit = other
            add { $0.strength = .lift(lift) }
        }
    case .movement(var movement):
        add { $0.strength = nil }
        movement.limit /= 2
        add { $0.strength = .movement(movement) }
    }
    if plan.isOncePerEvent { add { $0.isOncePerEvent = false } }
    return plans
}

func anomalyMutants(_ plan: AnomalyPlan) -> [AnomalyPlan] {
    var plans: [AnomalyPlan] = []
    func add(_ change: (inout AnomalyPlan) -> Void) {
        var changed = plan
        change(&changed)
        plans.append(changed)
    }
    for inputs in inputMutants(plan.inputs) { add { $0.inputs = inputs } }
    for (index, series) in plan.series.enumerated() {
        for condition in series.condition.map(conditionMutants) ?? [] {
            add { $0.series[index].condition = condition }
        }
        for condition in series.measure.condition.map(conditionMutants) ?? [] {
            add { $0.series[index].measure.condition = condition }
        }
    }
    for term in termMutants(plan.when) { add { $0.when = term } }
    if plan.required > 1 { add { $0.required -= 1 } }
    if plan.required < plan.outOf { add { $0.required += 1 } }
    if plan.minimumMembers > 1 { add { $0.minimumMembers -= 1 } }
    add { $0.minimumMembers += 1 }
    for span in spans(plan.within) { add { $0.within = span } }
    add { $0.minimumValues *= 2 }
    add { $0.minimumValues = max(1, plan.minimumValues / 2) }
    if plan.linkedBy != nil { add { $0.linkedBy = nil } }
    if let span = plan.maxSpan {
        for other in spans(span) { add { $0.maxSpan = other } }
    }
    return plans
}
