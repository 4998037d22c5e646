import RuleModel

/// Takes away what does not change when a condition holds: double negation, nesting and duplicates
/// in `and` and `or`, parts that are always true or false. Puts constants on the right.
///
/// Holds for both logics (T6, H3), with one exception: `a and not a` is false only where nothing
/// can be unknown, so it stays in a threshold's `when`.
func simplifyConditions(in plan: RulePlan) -> RulePlan {
    plan.mappingTerms { term, role in
        let simple = term.rewritten { simplified($0, isThreeValued: role == .judgement) }
        return role == .value ? simple : withoutDoubleNegation(simple)
    }
}

private func simplified(_ term: Term, isThreeValued: Bool) -> Term {
    switch term {
    case .not(let inner):
        switch withoutDoubleNegation(inner) {
        case .constant(.bool(let bool)): return .constant(.bool(!bool))
        // The two are plain complements, with a missing side too (T6).
        case .compare(.equal, let left, let right, let ignoringCase):
            return .compare(.notEqual, left, right, ignoringCase: ignoringCase)
        case .compare(.notEqual, let left, let right, let ignoringCase):
            return .compare(.equal, left, right, ignoringCase: ignoringCase)
        case .not(let innermost) where innermost.isAlwaysBool: return innermost
        case let inner: return .not(inner)
        }
    case .and: return junction(conjuncts(of: term), isAnd: true, isThreeValued: isThreeValued)
    case .or: return junction(disjuncts(of: term), isAnd: false, isThreeValued: isThreeValued)
    case .compare(let comparison, .constant(let constant), let right, let ignoringCase):
        if case .constant = right { return term }
        return .compare(
            comparison.mirrored, right, .constant(constant), ignoringCase: ignoringCase)
    case .quantified(let all, in: let list, let depth, let condition):
        return .quantified(all: all, in: list, variable: depth, withoutDoubleNegation(condition))
    default: return term
    }
}

/// For places where only being true counts.
private func withoutDoubleNegation(_ term: Term) -> Term {
    if case .not(.not(let inner)) = term { return withoutDoubleNegation(inner) }
    switch term {
    case .and(let parts) where parts.count == 1, .or(let parts) where parts.count == 1:
        return withoutDoubleNegation(parts[0])
    default: return term
    }
}

/// `and` or `or` of these parts.
private func junction(_ parts: [Term], isAnd: Bool, isThreeValued: Bool) -> Term {
    var kept: [Term] = []
    var known: Set<Term> = []
    for part in parts.map(withoutDoubleNegation) {
        if case .constant(.bool(let bool)) = part {
            if bool == isAnd { continue }
            return part
        }
        if known.insert(part).inserted { kept.append(part) }
    }
    if !isThreeValued, kept.contains(where: { known.contains(complement(of: $0)) }) {
        return .constant(.bool(!isAnd))
    }
    if kept.isEmpty { return .constant(.bool(isAnd)) }
    // A lone part that may be missing stays wrapped: as a value, `and` of it is false, not missing.
    if kept.count == 1, kept[0].isAlwaysBool || isThreeValued { return kept[0] }
    return isAnd ? .and(kept) : .or(kept)
}

/// The term that holds exactly when this one does not, in the logic without unknown.
private func complement(of term: Term) -> Term {
    switch term {
    case .not(let inner): inner
    case .compare(.equal, let left, let right, let ignoringCase):
        .compare(.notEqual, left, right, ignoringCase: ignoringCase)
    case .compare(.notEqual, let left, let right, let ignoringCase):
        .compare(.equal, left, right, ignoringCase: ignoringCase)
    default: .not(term)
    }
}

extension Term {
    /// Whether the value is `true` or `false` whatever is missing, in the logic without unknown.
    fileprivate var isAlwaysBool: Bool {
        switch self {
        case .not, .and, .or, .compare, .textTest, .pattern, .member, .inNetwork, .inList, .exists,
            .quantified, .constant(.bool):
            true
        default: false
        }
    }
}

extension Comparison {
    /// The comparison with its sides exchanged.
    var mirrored: Comparison {
        switch self {
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }
}
