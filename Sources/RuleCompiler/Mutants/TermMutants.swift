import RuleModel

/// Conditions that differ from the given one in one place: another operator, another limit, a part left out.
func termMutants(_ term: Term) -> [Term] {
    var mutants: [Term] = []
    switch term {
    case .and(let parts), .or(let parts):
        for index in parts.indices {
            var rest = parts
            rest.remove(at: index)
            mutants.append(rebuilt(term, rest))
            for part in termMutants(parts[index]) {
                var changed = parts
                changed[index] = part
                mutants.append(rebuilt(term, changed))
            }
        }
    case .not(let inner):
        mutants.append(inner)
        // Of what is plainly negated the other forms add nothing.
        mutants += termMutants(inner).filter { $0 != .not(inner) }.map { .not($0) }
    case .compare(let comparison, let left, let right, let ignoringCase):
        mutants += comparisonMutants(comparison, left, right, ignoringCase)
    case .textTest(let test, let left, let right, ignoringCase: true):
        mutants.append(.textTest(test, left, right, ignoringCase: false))
        mutants.append(.not(term))
    case .member(let left, of: let right, ignoringCase: true):
        mutants.append(.member(left, of: right, ignoringCase: false))
        mutants.append(.not(term))
    case .textTest, .pattern, .member, .inNetwork, .inList, .exists:
        mutants.append(.not(term))
    case .quantified(let all, in: let list, variable: let variable, let condition):
        mutants.append(.quantified(all: !all, in: list, variable: variable, condition))
        mutants += termMutants(condition).map {
            .quantified(all: all, in: list, variable: variable, $0)
        }
    default: break
    }
    return mutants
}

/// A condition that may be missing altogether: it can be left out as well.
func conditionMutants(_ condition: Term) -> [Term?] {
    var mutants: [Term?] = termMutants(condition)
    if case .and = condition {} else { mutants.append(nil) }
    return mutants
}

private func rebuilt(_ term: Term, _ parts: [Term]) -> Term {
    if parts.count == 1 { return parts[0] }
    if case .or = term { return .or(parts) }
    return .and(parts)
}

private func comparisonMutants(
    _ comparison: Comparison, _ left: Term, _ right: Term, _ ignoringCase: Bool
) -> [Term] {
    func with(_ other: Comparison, _ left: Term, _ right: Term) -> Term {
        .compare(other, left, right, ignoringCase: ignoringCase)
    }
    let swapped: Comparison =
        switch comparison {
        case .equal: .notEqual
        case .notEqual: .equal
        case .less: .lessOrEqual
        case .lessOrEqual: .less
        case .greater: .greaterOrEqual
        case .greaterOrEqual: .greater
        }
    var mutants: [Term] = []
    let isOrder = comparison != .equal && comparison != .notEqual
    // A limit with a fraction is hardly ever met exactly, so nobody can tell `>` from `>=` there.
    if !isOrder || isWhole(left) && isWhole(right) { mutants.append(with(swapped, left, right)) }
    if isOrder {
        for other in limits(right, isExact: isWhole(left)) {
            mutants.append(with(comparison, left, other))
        }
        for other in limits(left, isExact: isWhole(right)) {
            mutants.append(with(comparison, other, right))
        }
    }
    if ignoringCase { mutants.append(.compare(comparison, left, right, ignoringCase: false)) }
    return mutants
}

/// Whether values of a term can be told from their neighbours: all but decimal constants and what divides.
private func isWhole(_ term: Term) -> Bool {
    var isWhole = true
    term.forEach { part in
        switch part {
        case .constant(.float): isWhole = false
        case .arithmetic(.divide, _, _), .score, .measure(_, .previous), .measure(_, .earlier):
            isWhole = false
        default: break
        }
    }
    return isWhole
}

/// Other limits in place of a constant: the next whole numbers, or half and twice as much.
///
/// - Parameter isExact: Whether what is compared with it is a whole number as well.
private func limits(_ term: Term, isExact: Bool) -> [Term] {
    switch term {
    case .constant(.int(let number)):
        if abs(number) <= 20, isExact {
            return [.constant(.int(number - 1)), .constant(.int(number + 1))]
        }
        return [.constant(.int(number / 2)), .constant(.int(number * 2))]
    case .constant(.float(let number)):
        return [.constant(.float(number / 2)), .constant(.float(number * 2))]
    case .constant(.span(let span)): return spans(span).map { .constant(.span($0)) }
    case .arithmetic(let operation, let left, let right):
        return limits(right, isExact: isExact).map { .arithmetic(operation, left, $0) }
            + limits(left, isExact: isExact).map { .arithmetic(operation, $0, right) }
    default: return []
    }
}
