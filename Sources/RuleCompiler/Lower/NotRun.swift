import RuleModel

extension RulePlan {
    /// What the rule is, with its article, when this version checks it and does not run it.
    var notRun: String? {
        switch pattern {
        case .sequence, .threshold, .anomaly: nil
        case .correlation: "a correlation"
        case .metric: "a metric"
        }
    }
}
