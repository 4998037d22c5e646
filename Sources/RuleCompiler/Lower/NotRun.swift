import RuleModel

extension RulePlan {
    /// What the rule is, with its article, when this version checks it and does not run it.
    var notRun: String? {
        switch pattern {
        case .sequence, .threshold, .correlation: nil
        case .anomaly: "an anomaly cluster"
        case .metric: "a metric"
        }
    }
}
