import RuleModel
import RuleSyntax

extension Checker {
    /// E0502: a condition that a match needs and that no event, or no window, can meet.
    ///
    /// Looks at the parts that must all hold, those of the `select` included, two at a time: enough for
    /// disjoint ranges, different values, and tests of a field that is to be missing. A condition with
    /// an `or` at its top is left alone.
    mutating func reportContradictions(in declaration: RuleDeclaration) {
        for condition in declaration.lintedConditions {
            switch condition.place {
            case .step(isRequired: true), .over, .when: break
            case .step(isRequired: false), .measure, .resolve, .unless: continue
            }
            let before = condition.source.map { symbols.selectConditions(of: $0) } ?? []
            let parts = (before.reversed() + [condition.expression]).flatMap(\.conjuncts)
            guard let (first, second) = contradiction(among: parts) else { continue }
            report(
                .contradiction(
                    rule: declaration.name.text,
                    Label(first.range, "needs \(first.subjectText) \(first.wish) …"),
                    Label(second.range, "… and this needs it \(second.wish)"),
                    help: first.kind.isValue && second.kind.isValue
                        ? [Help("did you mean `or`?")] : []))
        }
    }

    private func contradiction(
        among parts: [ExpressionSyntax]
    ) -> (first: Demand, second: Demand)? {
        var demands: [Term: [Demand]] = [:]
        for part in parts {
            for demand in self.demands(of: part) {
                let earlier = demands[demand.subject, default: []]
                if let other = earlier.first(where: { !$0.isCompatible(with: demand) }) {
                    return (other, demand)
                }
                demands[demand.subject] = earlier + [demand]
            }
        }
        return nil
    }

    /// What a part of a condition demands of the things it tests.
    private func demands(of part: ExpressionSyntax) -> [Demand] {
        func demand(_ subject: ExpressionSyntax, _ kind: Demand.Kind) -> [Demand] {
            guard let fact = facts[subject.unwrapped.range] else { return [] }
            if case .constant = fact.term { return [] }
            // An address may be written in several ways, so its texts are not compared.
            let isPlain =
                fact.type == .number || fact.type == .span || fact.type == .bool || fact.type.isText
            var kind = kind
            if kind.isValue, !isPlain {
                if case .compares(.notEqual, _) = kind { return [] }
                kind = .present
            }
            return [
                Demand(
                    subject: fact.term, kind: kind, range: part.range,
                    subjectText: "`\(sourceText(subject.unwrapped.range))`")
            ]
        }
        switch part.kind {
        case .exists(let operand, negated: let isMissing):
            return demand(operand, isMissing ? .missing : .present)
        case .unary(.not, let operand):
            return demand(operand, .holds(false))
        case .binary(let test, let left, let right, ignoringCase: let ignoringCase):
            if ignoringCase { return demand(left, .present) }
            switch test {
            case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual, .notEqual:
                guard let comparison = Comparison(rawValue: test.rawValue) else { return [] }
                if let value = right.constant(facts) {
                    return demand(left, .compares(comparison, value))
                }
                if let value = left.constant(facts) {
                    return demand(right, .compares(comparison.mirrored, value))
                }
                return comparison == .notEqual
                    ? [] : demand(left, .present) + demand(right, .present)
            case .in:
                guard case .list(let values)? = right.constant(facts) else {
                    return demand(left, .present)
                }
                return demand(left, .isOneOf(values))
            case .contains, .startsWith, .endsWith, .like, .matches, .inCIDR, .inList:
                return demand(left, .present)
            case .notIn, .notInCIDR, .notInList, .and, .or, .add, .subtract, .multiply, .divide,
                .remainder:
                return []
            }
        default:
            return demand(part, .holds(true))
        }
    }
}

/// What one part of a condition wants of one thing.
private struct Demand {
    enum Kind {
        case compares(Comparison, Value)
        case isOneOf([Value])
        case missing
        /// Some test that only a present value passes.
        case present
        case holds(Bool)

        /// Wants a certain value or range, for which `or` may have been meant.
        var isValue: Bool {
            switch self {
            case .compares, .isOneOf: true
            case .missing, .present, .holds: false
            }
        }
    }

    var subject: Term
    var kind: Kind
    var range: SourceRange
    var subjectText: String

    /// Goes on after "needs `x`".
    var wish: String {
        switch kind {
        case .compares(.equal, let value): "to be \(PlanText.literal(value))"
        case .compares(.notEqual, let value): "to be other than \(PlanText.literal(value))"
        case .compares(.less, let value): "below \(PlanText.literal(value))"
        case .compares(.lessOrEqual, let value): "at most \(PlanText.literal(value))"
        case .compares(.greater, let value): "above \(PlanText.literal(value))"
        case .compares(.greaterOrEqual, let value): "at least \(PlanText.literal(value))"
        case .isOneOf(let values): "in \(PlanText.literal(.list(values)))"
        case .missing: "to be missing"
        case .present: "to be there"
        case .holds(let bool): bool ? "to hold" : "not to hold"
        }
    }

    func isCompatible(with other: Demand) -> Bool {
        switch (kind, other.kind) {
        case (.missing, .compares(let comparison, _)), (.compares(let comparison, _), .missing):
            comparison == .notEqual
        case (.missing, .isOneOf), (.isOneOf, .missing), (.missing, .present), (.present, .missing):
            false
        case (.missing, .holds(let bool)), (.holds(let bool), .missing): !bool
        case (.holds(let first), .holds(let second)): first == second
        case (.isOneOf(let first), .isOneOf(let second)):
            first.contains { value in second.contains { Demand.holds(.equal, value, $0) != false } }
        case (.isOneOf(let values), .compares(let comparison, let limit)),
            (.compares(let comparison, let limit), .isOneOf(let values)):
            values.contains { Demand.holds(comparison, $0, limit) != false }
        case (.compares(let first, let left), .compares(let second, let right)):
            Demand.canBoth(first, left, second, right)
        case (.present, _), (_, .present), (.missing, .missing), (.holds, _), (_, .holds): true
        }
    }

    /// Whether some value is in both relations.
    private static func canBoth(
        _ first: Comparison, _ left: Value, _ second: Comparison, _ right: Value
    ) -> Bool {
        if first == .equal { return holds(second, left, right) != false }
        if second == .equal { return holds(first, right, left) != false }
        switch (first, second) {
        case (.greater, .less), (.greater, .lessOrEqual), (.greaterOrEqual, .less):
            return holds(.less, left, right) != false
        case (.less, .greater), (.lessOrEqual, .greater), (.less, .greaterOrEqual):
            return holds(.less, right, left) != false
        case (.greaterOrEqual, .lessOrEqual): return holds(.lessOrEqual, left, right) != false
        case (.lessOrEqual, .greaterOrEqual): return holds(.lessOrEqual, right, left) != false
        default: return true
        }
    }

    /// Nil where the two values cannot be compared; then nothing is said.
    private static func holds(_ comparison: Comparison, _ left: Value, _ right: Value) -> Bool? {
        let order: (isLess: Bool, isEqual: Bool)
        switch (left, right) {
        case (.int(let left), .int(let right)): order = (left < right, left == right)
        case (.int, .float), (.float, .int), (.float, .float):
            guard let left = left.double, let right = right.double else { return nil }
            order = (left < right, left == right)
        case (.text(let left), .text(let right)): order = (left < right, left == right)
        case (.span(let left), .span(let right)): order = (left < right, left == right)
        case (.time(let left), .time(let right)): order = (left < right, left == right)
        case (.ip(let left), .ip(let right)): order = (left < right, left == right)
        case (.bool(let left), .bool(let right)):
            guard comparison == .equal || comparison == .notEqual else { return nil }
            order = (false, left == right)
        default: return nil
        }
        return switch comparison {
        case .equal: order.isEqual
        case .notEqual: !order.isEqual
        case .less: order.isLess
        case .lessOrEqual: order.isLess || order.isEqual
        case .greater: !order.isLess && !order.isEqual
        case .greaterOrEqual: !order.isLess
        }
    }
}

extension Value {
    fileprivate var double: Double? {
        switch self {
        case .int(let number): Double(number)
        case .float(let number): number
        default: nil
        }
    }
}
