import RuleModel
import RuleSyntax

/// The diagnostics of a compilation with N0502 for every rule that is run: the most it may keep.
///
/// The notes are not among them otherwise, since there would be one for every good rule; a command
/// shows them when it is asked to say more.
public func diagnosticsWithBounds(_ compilation: Compilation) -> [Diagnostic] {
    let notes = compilation.plans.map { plan in
        Diagnostic.stateBound(
            plan.name, boundWords(of: plan), at: compilation.origins[plan.origin.rawValue])
    }
    return (compilation.diagnostics + notes).sorted { $0.precedes($1) }
}
