import RuleModel
import RuleSyntax

/// N0502 for every rule that is run: the most it may keep.
///
/// Not among the diagnostics of a compilation, since it would be said of every good rule; a command
/// shows the notes when it is asked to say more.
public func stateBoundNotes(_ compilation: Compilation) -> [Diagnostic] {
    compilation.plans.compactMap { plan in
        if case .notRun = plan.pattern { return nil }
        return .stateBound(
            plan.name, boundWords(plan.bound), at: compilation.origins[plan.origin.rawValue])
    }
}
