import RuleModel

/// Plans as the checker builds them, made ready: simplified, bounded and fingerprinted.
///
/// - Parameter engine: What the `engine` block says about keys and events.
public func finished(
    _ plans: [RulePlan], tables: RuleSetTables, engine: EnginePlan
) -> [RulePlan] {
    plans.map { plan in
        bounded(optimised(plan), tables: tables, engine: engine)
            .fingerprinted(tables: tables)
    }
}
