import RuleModel

extension RulePlan {
    /// What the rule is, with its article, when this version checks it and does not run it.
    var notRun: String? {
        switch pattern {
        case .sequence, .threshold, .correlation, .metric: nil
        case .anomaly: "an anomaly cluster"
        }
    }
}
