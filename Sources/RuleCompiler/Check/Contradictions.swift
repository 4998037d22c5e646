import RuleModel
import RuleSyntax

/// A comparison of something with a constant, as a condition demands it.
struct Demand {
    enum Kind {
        case equal(Value)
        case notEqual(Value)
        case above(Value, orEqual: Bool)
        case below(Value, orEqual: Bool)
        case oneOf([Value])
    }

    /// What is compared: the same term means the same value.
    var subject: Term
    var kind: Kind
    var range: SourceRange

    /// Nil when the term is no comparison with a constant, or one that ignores case.
    init?(_ term: Term, range: SourceRange) {
        self.range = range
        switch term {
        case .compare(let comparison, let left, let right, ignoringCase: false):
            if case .constant(let value) = right, left.isLookedAt {
                subject = left
                kind = Demand.kind(comparison, value)
            } else if case .constant(let value) = left, right.isLookedAt {
                subject = right
                kind = Demand.kind(comparison.mirrored, value)
            } else {
                return nil
            }
        case .member(let left, of: .constant(.list(let values)), ignoringCase: false):
            guard left.isLookedAt else { return nil }
            subject = left
            kind = .oneOf(values)
        default: return nil
        }
    }

    private static func kind(_ comparison: Comparison, _ value: Value) -> Kind {
        switch comparison {
        case .equal: .equal(value)
        case .notEqual: .notEqual(value)
        case .less: .below(value, orEqual: false)
        case .lessOrEqual: .below(value, orEqual: true)
        case .greater: .above(value, orEqual: false)
        case .greaterOrEqual: .above(value, orEqual: true)
        }
    }

    /// Whether no value meets both demands.
    func excludes(_ other: Demand) -> Bool {
        switch (kind, other.kind) {
        case (.oneOf(let values), _):
            let kinds = values.map { with(.equal($0)) }
            return !kinds.isEmpty && kinds.allSatisfy { $0.excludes(other) }
        case (_, .oneOf): return other.excludes(self)
        case (.equal(let a), .equal(let b)): return Demand.order(a, b).map { $0 != 0 } ?? false
        case (.equal(let a), .notEqual(let b)), (.notEqual(let a), .equal(let b)):
            return Demand.order(a, b) == 0
        case (.equal(let a), .above(let b, let orEqual)), (.above(let b, let orEqual), .equal(let a)):
            return Demand.order(a, b).map { $0 < 0 || ($0 == 0 && !orEqual) } ?? false
        case (.equal(let a), .below(let b, let orEqual)), (.below(let b, let orEqual), .equal(let a)):
            return Demand.order(a, b).map { $0 > 0 || ($0 == 0 && !orEqual) } ?? false
        case (.above(let low, let lowOrEqual), .below(let high, let highOrEqual)),
            (.below(let high, let highOrEqual), .above(let low, let lowOrEqual)):
            return Demand.order(low, high).map { $0 > 0 || ($0 == 0 && !(lowOrEqual && highOrEqual)) }
                ?? false
        case (.notEqual, _), (_, .notEqual), (.above, .above), (.below, .below): return false
        }
    }

    private func with(_ kind: Kind) -> Demand {
        var copy = self
        copy.kind = kind
        return copy
    }

    /// Negative, zero or positive; nil when the two are of different kinds.
    private static func order(_ left: Value, _ right: Value) -> Int? {
        switch (left, right) {
        case (.int(let a), .int(let b)): return sign(a, b)
        case (.int, .float), (.float, .int), (.float, .float):
            guard let a = left.double, let b = right.double else { return nil }
            return sign(a, b)
        case (.text(let a), .text(let b)): return sign(a, b)
        case (.time(let a), .time(let b)): return sign(a, b)
        case (.span(let a), .span(let b)): return sign(a, b)
        case (.ip(let a), .ip(let b)): return sign(a, b)
        case (.bool(let a), .bool(let b)): return a == b ? 0 : 1
        default: return nil
        }
    }

    private static func sign<Ordered: Comparable>(_ left: Ordered, _ right: Ordered) -> Int {
        left < right ? -1 : left == right ? 0 : 1
    }

    /// What it asks for, as a label says it: `above 1000`.
    var meaning: String {
        switch kind {
        case .equal(let value): "to be \(value.shown)"
        case .notEqual(let value): "not to be \(value.shown)"
        case .above(let value, let orEqual): orEqual ? "\(value.shown) or more" : "above \(value.shown)"
        case .below(let value, let orEqual): orEqual ? "\(value.shown) or less" : "below \(value.shown)"
        case .oneOf(let values): "one of \(values.map(\.shown).joined(separator: ", "))"
        }
    }
}

extension Checker {
    /// Reports the first two parts of a conjunction that no event can meet together (E0502).
    ///
    /// - Parameter demands: Those of the condition's parts, in order.
    mutating func reportContradiction(_ demands: [Demand]) {
        guard demands.count > 1 else { return }
        for (index, second) in demands.enumerated() {
            for first in demands[..<index] where first.subject == second.subject && first.excludes(second) {
                let subject = sourceText(first.range).prefix { $0 != " " }
                report(
                    .contradiction(
                        rule: rule.name, Label(first.range, "needs `\(subject)` \(first.meaning) …"),
                        Label(second.range, "… and this needs it \(second.meaning)"),
                        help: [Help("did you mean `or`?")]))
                return
            }
        }
    }

    /// The demands of the parts of a condition joined by `and`.
    func demands(of syntax: ExpressionSyntax) -> [Demand] {
        switch syntax.kind {
        case .parenthesised(let inner): return demands(of: inner)
        case .binary(.and, let left, let right, _): return demands(of: left) + demands(of: right)
        case .binary:
            return comparisons.first { $0.range == syntax.range }.map { [$0] } ?? []
        default: return []
        }
    }
}

extension Term {
    /// Whether it is one value that an event or match has.
    fileprivate var isLookedAt: Bool {
        switch self {
        case .field, .stepField, .stepCount, .stepAggregate, .key, .measure: true
        default: false
        }
    }
}

extension Value {
    fileprivate var double: Double? {
        switch self {
        case .int(let value): Double(value)
        case .float(let value): value
        default: nil
        }
    }

    fileprivate var shown: String {
        switch self {
        case .int(let value): "\(value)"
        case .float(let value): "\(value)"
        case .text(let text): "\"\(text.string)\""
        case .bool(let value): "\(value)"
        case .time(let time): "\(time)"
        case .span(let span): "\(span)"
        case .ip(let address): "\(address)"
        case .network(let network): "\(network)"
        case .missing, .list: "this"
        }
    }
}
