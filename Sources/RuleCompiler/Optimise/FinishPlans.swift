import RuleModel

/// Plans as the checker builds them, made ready: simplified, bounded and fingerprinted.
///
/// - Parameter keysPerRule: What the `engine` block says; nil without one.
public func finished(
    _ plans: [RulePlan], tables: RuleSetTables, keysPerRule: Int?
) -> [RulePlan] {
    plans.map { plan in
        bounded(optimised(plan), tables: tables, keysPerRule: keysPerRule)
            .fingerprinted(tables: tables)
    }
}
