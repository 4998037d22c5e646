import RuleModel

/// Writes out what is said of each element of a constant list: `any p in ["a", "b"]: x contains p`
/// becomes `x contains "a" or x contains "b"`, which columns judge for a whole batch at once.
func unrollQuantifiers(in plan: RulePlan) -> RulePlan {
    plan.mappingTerms { term, _ in term.rewritten(unrolled) }
}

/// Above this many elements a loop is smaller than what it stands for.
private let elementsMax = 2000

private func unrolled(_ term: Term) -> Term {
    guard case .quantified(let all, in: .constant(.list(let values)), let depth, let body) = term,
        values.count <= elementsMax
    else { return term }
    let parts = values.map { value in
        body.rewritten { $0 == .variable(depth) ? .constant(value) : $0 }
    }
    return all ? .and(parts) : .or(parts)
}
