import RuleModel

extension RulePlan {
    /// Whether a match of the rule stays one whatever else turns out to have happened before it, so
    /// that it may be told on arrival (T2a).
    ///
    /// Not so with absence, `without`, `until`, `immediately`, an upper limit on a count, a condition
    /// on all events of a repeated step that further events could break, a `for`, or a measure that
    /// may fall when events are added. Rules over alerts and metrics follow the ordered evaluation.
    public var canBeEarly: Bool {
        guard keyList == nil, inputs.allSatisfy({ $0.producer == nil }) else { return false }
        switch pattern {
        case .sequence(let sequence): return sequence.canBeEarly
        case .threshold(let threshold): return threshold.canBeEarly
        case .correlation, .anomaly, .metric: return false
        }
    }
}

extension SequencePlan {
    fileprivate var canBeEarly: Bool {
        until == nil && !restartsOnRepeat && elements.allSatisfy(\.onlyAdds)
            && steps.allSatisfy { step in
                (step.maximum == nil || step.maximum == 1)
                    && (step.runCondition?.survivesMoreEvents ?? true)
            }
    }
}

extension ElementPlan {
    fileprivate var onlyAdds: Bool {
        if immediately { return false }
        switch kind {
        case .step: return true
        case .absence, .without: return false
        case .all(let parts), .any(let parts): return parts.allSatisfy(\.onlyAdds)
        }
    }
}

extension Term {
    /// Whether the condition, once true of a choice of events, stays true when repeated steps take
    /// more events: it looks at single events, or asks whether a value is among those of a step, or
    /// whether a step has at least so many.
    fileprivate var survivesMoreEvents: Bool {
        switch self {
        case .and(let terms), .or(let terms): return terms.allSatisfy(\.survivesMoreEvents)
        case .member(let value, of: .stepList, _): return value.looksAtSingleEvents
        case .compare(.greater, .stepCount, let right, _),
            .compare(.greaterOrEqual, .stepCount, let right, _):
            return right.looksAtSingleEvents
        default: return looksAtSingleEvents
        }
    }

    private var looksAtSingleEvents: Bool {
        var result = true
        forEach { term in
            switch term {
            case .stepList, .stepCount, .stepAggregate, .stepField(_, .last, _): result = false
            default: break
            }
        }
        return result
    }
}

extension ThresholdPlan {
    fileprivate var canBeEarly: Bool {
        guard holdFor == .zero, !resetsAfterMatch, onNoData != .fire else { return false }
        switch window.kind {
        case .sliding: return when.risesOnly(measures)
        case .tumbling, .hopping, .session, .last: return false
        }
    }
}

extension Term {
    /// Whether more events in the window can only make the condition true.
    fileprivate func risesOnly(_ measures: [MeasurePlan]) -> Bool {
        switch self {
        case .and(let terms), .or(let terms): terms.allSatisfy { $0.risesOnly(measures) }
        case .compare(.greater, .measure(let index, .now), let bound, _),
            .compare(.greaterOrEqual, .measure(let index, .now), let bound, _):
            bound.isConstant && measures[index].onlyRises
        case .compare(.less, .measure(let index, .now), let bound, _),
            .compare(.lessOrEqual, .measure(let index, .now), let bound, _):
            bound.isConstant && measures[index].function == .min
        default: false
        }
    }

    private var isConstant: Bool {
        if case .constant = self { return true }
        return false
    }
}

extension MeasurePlan {
    fileprivate var onlyRises: Bool {
        switch function {
        case .count, .distinct, .max: true
        case .sum, .avg, .min, .percentile, .rate, .first, .last: false
        }
    }
}
