import RuleModel

/// Works out what does not depend on any event: `60 * 24`, `1h + 30m`, `5 > 3`.
///
/// Only where the result is beyond doubt: whole numbers without overflow, finite decimals, spans
/// that do not saturate. Everything else is left to the engine, which has the last word.
func foldConstants(in plan: RulePlan) -> RulePlan {
    plan.mappingTerms { term, _ in term.rewritten(folded) }
}

private func folded(_ term: Term) -> Term {
    switch term {
    case .arithmetic(let operation, .constant(let left), .constant(let right)):
        return folded(operation, left, right).map { .constant($0) } ?? term
    case .negate(.constant(.int(let number))) where number != .min: return .constant(.int(-number))
    case .negate(.constant(.float(let number))): return .constant(.float(-number))
    case .compare(let comparison, .constant(let left), .constant(let right), ignoringCase: false):
        return holds(comparison, left, right).map { .constant(.bool($0)) } ?? term
    case .otherwise(.constant(let first), let second):
        return first.isMissing ? second : .constant(first)
    case .exists(.constant(let value)): return .constant(.bool(!value.isMissing))
    case .list(let elements):
        let values = elements.compactMap { element -> Value? in
            if case .constant(let value) = element, !value.isMissing { return value }
            return nil
        }
        return values.count == elements.count ? .constant(.list(values)) : term
    default: return term
    }
}

private func folded(_ operation: Arithmetic, _ left: Value, _ right: Value) -> Value? {
    switch (left, right) {
    case (.int(let left), .int(let right)):
        let result: (partialValue: Int64, overflow: Bool)
        switch operation {
        case .add: result = left.addingReportingOverflow(right)
        case .subtract: result = left.subtractingReportingOverflow(right)
        case .multiply: result = left.multipliedReportingOverflow(by: right)
        case .divide:
            guard right != 0, right != -1 else { return nil }
            if left % right == 0 { return .int(left / right) }
            return .float(Double(left) / Double(right))
        case .remainder:
            guard right != 0, right != -1 else { return nil }
            return .int(left % right)
        }
        return result.overflow ? nil : .int(result.partialValue)
    case (.int, .float), (.float, .int), (.float, .float):
        guard let left = left.decimal, let right = right.decimal else { return nil }
        let result: Double
        switch operation {
        case .add: result = left + right
        case .subtract: result = left - right
        case .multiply: result = left * right
        case .divide: result = left / right
        case .remainder: return nil
        }
        return result.isFinite ? .float(result) : nil
    case (.span(let left), .span(let right)):
        let result: (partialValue: Int64, overflow: Bool)
        switch operation {
        case .add: result = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
        case .subtract: result = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        case .multiply, .divide, .remainder: return nil
        }
        return result.overflow ? nil : .span(TimeSpan(nanoseconds: result.partialValue))
    default: return nil
    }
}

/// Nil where the two are of kinds whose comparison is the engine's business.
private func holds(_ comparison: Comparison, _ left: Value, _ right: Value) -> Bool? {
    switch (left, right) {
    case (.int(let left), .int(let right)): return holds(comparison, left, right)
    case (.float(let left), .float(let right)) where left.isFinite && right.isFinite:
        return holds(comparison, left, right)
    case (.span(let left), .span(let right)): return holds(comparison, left, right)
    case (.text(let left), .text(let right)): return holds(comparison, left, right)
    case (.bool(let left), .bool(let right)):
        if comparison == .equal { return left == right }
        return comparison == .notEqual ? left != right : nil
    default: return nil
    }
}

private func holds<Operand: Comparable>(
    _ comparison: Comparison, _ left: Operand, _ right: Operand
) -> Bool {
    switch comparison {
    case .equal: left == right
    case .notEqual: left != right
    case .less: left < right
    case .lessOrEqual: left <= right
    case .greater: left > right
    case .greaterOrEqual: left >= right
    }
}

extension Value {
    fileprivate var decimal: Double? {
        switch self {
        case .int(let number): Double(number)
        case .float(let number): number
        default: nil
        }
    }
}
