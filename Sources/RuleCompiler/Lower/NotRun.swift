import RuleModel

extension RulePlan {
    /// What the rule is, with its article, when this version checks it and does not run it.
    var notRun: String? {
        switch pattern {
        case .sequence, .threshold, .metric: nil
        case .correlation: "a correlation"
        case .anomaly: "an anomaly cluster"
        }
    }
}
