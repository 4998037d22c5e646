import RuleSyntax

extension Lints {
    /// W0602: `a or b and c` without parentheses.
    mutating func reportMixedOperators(in expression: ExpressionSyntax) {
        var found: [(or: SourceRange, ands: [ExpressionSyntax])] = []
        // Only the outermost `or` of a chain is looked at; its parts are then looked into.
        func visit(_ expression: ExpressionSyntax) {
            guard case .binary(.or, _, _, ignoringCase: _) = expression.kind else {
                for child in expression.children { visit(child) }
                return
            }
            let parts = alternatives(of: expression)
            let ands = parts.filter {
                if case .binary(.and, _, _, ignoringCase: _) = $0.kind { return true }
                return false
            }
            if !ands.isEmpty { found.append((expression.operatorRange ?? expression.range, ands)) }
            for part in parts { for child in part.children { visit(child) } }
        }
        visit(expression)
        for (or, ands) in found { report(.mixedOperators(or: or, ands: ands.map(\.range))) }
    }

    /// The parts of a chain of `or`s; what stands in parentheses is one part.
    private func alternatives(of expression: ExpressionSyntax) -> [ExpressionSyntax] {
        guard case .binary(.or, let left, let right, ignoringCase: _) = expression.kind else {
            return [expression]
        }
        return alternatives(of: left) + alternatives(of: right)
    }
}
