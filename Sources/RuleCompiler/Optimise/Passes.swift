import RuleModel

/// A step from a plan to a simpler plan of the same meaning: the matches are the same before and
/// after, for every input.
public struct Pass: Sendable {
    public let name: String
    public let run: @Sendable (RulePlan) -> RulePlan

    /// Every pass, in order. Folding goes first, since it makes parts plainly true or false, and
    /// lists of constants constant;
    /// splitting goes last, since simplifying may leave a part that looks at one event alone.
    public static let all = [
        Pass(name: "fold constants", run: foldConstants(in:)),
        Pass(name: "unroll quantifiers", run: unrollQuantifiers(in:)),
        Pass(name: "simplify conditions", run: simplifyConditions(in:)),
        Pass(name: "split conditions", run: splitConditions(of:)),
    ]
}

/// The plan after all passes.
public func optimised(_ plan: RulePlan) -> RulePlan {
    Pass.all.reduce(plan) { plan, pass in pass.run(plan) }
}

/// The plan after each pass that changed it.
public func passesThatChange(_ plan: RulePlan) -> [(pass: String, plan: RulePlan)] {
    var steps: [(pass: String, plan: RulePlan)] = []
    var plan = plan
    for pass in Pass.all {
        let next = pass.run(plan)
        if next != plan { steps.append((pass.name, next)) }
        plan = next
    }
    return steps
}
