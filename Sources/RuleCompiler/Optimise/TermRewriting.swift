import RuleModel

/// Where a term stands, and so what may be done to it.
enum TermRole {
    /// Judged as true or not, one event or run at a time; missing counts as false (T6).
    case condition
    /// Judged as true, false or unknown: a threshold's `when` (H3).
    case judgement
    /// Its value is used.
    case value
}

extension Term {
    /// The term with the closure applied to every term below it, then to itself.
    func rewritten(_ transform: (Term) -> Term) -> Term {
        transform(mappingChildren { $0.rewritten(transform) })
    }

    func mappingChildren(_ map: (Term) -> Term) -> Term {
        switch self {
        case .constant, .field, .stepField, .stepList, .stepCount, .stepAggregate, .key, .measure,
            .fact, .score, .clusterCount, .clusterField, .variable:
            self
        case .not(let term): .not(map(term))
        case .exists(let term): .exists(map(term))
        case .negate(let term): .negate(map(term))
        case .pattern(let term, let source, let ignoringCase):
            .pattern(map(term), source, ignoringCase: ignoringCase)
        case .inList(let term, let list, let ignoringCase):
            .inList(map(term), list, ignoringCase: ignoringCase)
        case .lookup(let list, key: let key, let column):
            .lookup(list, key: map(key), column: column)
        case .and(let terms): .and(terms.map(map))
        case .or(let terms): .or(terms.map(map))
        case .call(let function, let terms): .call(function, terms.map(map))
        case .list(let terms): .list(terms.map(map))
        case .compare(let comparison, let left, let right, let ignoringCase):
            .compare(comparison, map(left), map(right), ignoringCase: ignoringCase)
        case .textTest(let test, let left, let right, let ignoringCase):
            .textTest(test, map(left), map(right), ignoringCase: ignoringCase)
        case .member(let left, of: let right, let ignoringCase):
            .member(map(left), of: map(right), ignoringCase: ignoringCase)
        case .inNetwork(let left, let right): .inNetwork(map(left), map(right))
        case .otherwise(let left, let right): .otherwise(map(left), map(right))
        case .arithmetic(let operation, let left, let right):
            .arithmetic(operation, map(left), map(right))
        case .quantified(let all, in: let list, variable: let depth, let condition):
            .quantified(all: all, in: map(list), variable: depth, map(condition))
        }
    }
}

extension RulePlan {
    /// The plan with every expression replaced. A condition that has become plainly true is dropped
    /// where a missing condition means just that.
    func mappingTerms(_ map: (Term, TermRole) -> Term) -> RulePlan {
        func condition(_ term: Term?) -> Term? {
            guard let term else { return nil }
            let mapped = map(term, .condition)
            return mapped == .constant(.bool(true)) ? nil : mapped
        }
        func input(_ input: InputPlan) -> InputPlan {
            var input = input
            input.condition = condition(input.condition)
            return input
        }
        func measure(_ measure: MeasurePlan) -> MeasurePlan {
            var measure = measure
            measure.condition = condition(measure.condition)
            measure.argument = measure.argument.map { map($0, .value) }
            return measure
        }
        var plan = self
        switch pattern {
        case .sequence(var sequence):
            sequence.inputs = sequence.inputs.map(input)
            for index in sequence.steps.indices {
                sequence.steps[index].eventCondition = condition(
                    sequence.steps[index].eventCondition)
                sequence.steps[index].runCondition = condition(sequence.steps[index].runCondition)
            }
            plan.pattern = .sequence(sequence)
        case .threshold(var threshold):
            threshold.input = input(threshold.input)
            threshold.condition = condition(threshold.condition)
            threshold.measures = threshold.measures.map(measure)
            threshold.when = map(threshold.when, .judgement)
            threshold.resolveWhen = threshold.resolveWhen.map { map($0, .judgement) }
            plan.pattern = .threshold(threshold)
        case .correlation(var correlation):
            correlation.inputs = correlation.inputs.map(input)
            for index in correlation.members.indices {
                correlation.members[index].condition = condition(
                    correlation.members[index].condition)
            }
            if case .movement(var movement)? = correlation.strength {
                movement.first.value = map(movement.first.value, .value)
                movement.second.value = map(movement.second.value, .value)
                correlation.strength = .movement(movement)
            }
            plan.pattern = .correlation(correlation)
        case .anomaly(var anomaly):
            anomaly.inputs = anomaly.inputs.map(input)
            for index in anomaly.series.indices {
                anomaly.series[index].condition = condition(anomaly.series[index].condition)
                anomaly.series[index].measure = measure(anomaly.series[index].measure)
            }
            anomaly.when = map(anomaly.when, .judgement)
            plan.pattern = .anomaly(anomaly)
        case .metric(var metric):
            metric.input = input(metric.input)
            metric.condition = condition(metric.condition)
            metric.measures = metric.measures.map(measure)
            plan.pattern = .metric(metric)
        }
        // `unless false` silences nothing; `unless` that holds always is kept, so that nobody wonders.
        plan.unless = unless.map { map($0, .condition) }
        if plan.unless == .constant(.bool(false)) { plan.unless = nil }
        plan.emit.message = emit.message.map { part in
            if case .term(let term, let format) = part { return .term(map(term, .value), format) }
            return part
        }
        for index in plan.emit.attach.indices {
            plan.emit.attach[index].term = map(plan.emit.attach[index].term, .value)
        }
        for index in plan.emit.risks.indices {
            plan.emit.risks[index].points = map(plan.emit.risks[index].points, .value)
            plan.emit.risks[index].entity = map(plan.emit.risks[index].entity, .value)
        }
        func spaced(_ spaced: EmitPlan.Spaced) -> EmitPlan.Spaced {
            EmitPlan.Spaced(by: spaced.by.map { map($0, .value) }, span: spaced.span)
        }
        plan.emit.suppress = emit.suppress.map(spaced)
        plan.emit.group = emit.group.map(spaced)
        plan.probes = probes.map { map($0, .value) }
        return plan
    }
}
