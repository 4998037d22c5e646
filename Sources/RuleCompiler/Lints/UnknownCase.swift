import RuleModel
import RuleSyntax

extension Lints {
    /// W0411: a comparison with a value that the field never has.
    ///
    /// - Parameter isRequired: Whether no match is possible when the condition never holds.
    mutating func reportUnknownCases(in condition: ExpressionSyntax, isRequired: Bool) {
        let required = isRequired ? condition.conjuncts.map(\.range) : []
        var found: [Diagnostic] = []
        condition.forEach { expression in
            guard case .binary(let test, let left, let right, ignoringCase: false) = expression.kind
            else {
                return
            }
            switch test {
            case .equal, .notEqual:
                for (subject, value) in [(left, right), (right, left)] {
                    guard let cases = cases(of: subject), let wrong = unknown(value, among: cases)
                    else {
                        continue
                    }
                    let effect: UnknownCaseEffect =
                        test == .notEqual
                        ? .alwaysHolds
                        : required.contains(expression.range) ? .stepNeverFits : .neverHolds
                    found.append(
                        .unknownCase(
                            wrong, cases: cases, field: sourceText(subject.unwrapped.range),
                            at: value.unwrapped.range, effect))
                }
            case .in, .notIn:
                guard let cases = cases(of: left), case .list(let elements) = right.unwrapped.kind
                else {
                    return
                }
                let wrong = elements.filter { unknown($0, among: cases) != nil }
                for element in wrong {
                    let isAll = wrong.count == elements.count
                    let effect: UnknownCaseEffect =
                        test == .in && isAll && required.contains(expression.range)
                        ? .stepNeverFits : .elementIsIdle
                    found.append(
                        .unknownCase(
                            unknown(element, among: cases) ?? "", cases: cases,
                            field: sourceText(left.unwrapped.range), at: element.unwrapped.range,
                            effect))
                }
            default: break
            }
        }
        for diagnostic in found { report(diagnostic) }
    }

    private func cases(of expression: ExpressionSyntax) -> [String]? {
        if case .enumeration(let cases)? = fact(expression)?.type { return cases }
        return nil
    }

    /// The constant text that the expression is, if it is none of the cases.
    private func unknown(_ expression: ExpressionSyntax, among cases: [String]) -> String? {
        guard case .text(let text)? = expression.constant(facts) else { return nil }
        return cases.contains { Text($0) == text } ? nil : text.string
    }
}
