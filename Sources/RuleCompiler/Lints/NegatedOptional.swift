import RuleModel
import RuleSyntax

extension Lints {
    /// W0406: `user != "root"` where `user` may be missing: the test then holds (T6).
    ///
    /// Silent where the same condition, or the `select` in front of it, shows that missing was thought
    /// of: it says `exists` or `missing` of that field, or wants something positive of it.
    mutating func reportNegatedOptionals(
        in condition: ExpressionSyntax, guardedBy others: [ExpressionSyntax]
    ) {
        var suspects: [(subject: ExpressionSyntax, test: ExpressionSyntax, fact: ExpressionFact)] =
            []
        visitNegated(condition, negation: nil) { subject, test in
            guard let fact = fact(subject), fact.isOptional, let event = fact.event,
                let declaration = fact.declaration, isOptional(declaration, event)
            else { return }
            suspects.append((subject, test, fact))
        }
        if suspects.isEmpty { return }
        var guarded: Set<Term> = []
        for expression in [condition] + others { collectGuards(expression, into: &guarded) }
        var reported: Set<SourceRange> = []
        for (subject, test, fact) in suspects where !guarded.contains(fact.term) {
            guard let event = fact.event, let declaration = fact.declaration,
                reported.insert(test.range).inserted
            else { continue }
            let isPart = condition.conjuncts.contains { $0.range == test.range }
            report(
                .negatedOptional(
                    sourceText(test.range), field: sourceText(subject.range), event: event,
                    declared: place(declaration), at: test.range, needsParentheses: !isPart))
        }
    }

    private func isOptional(_ declaration: SourceRange, _ event: String) -> Bool {
        guard let index = symbols.eventIndex[event] else { return false }
        // Of a field of type `any` nobody said that it is there.
        return symbols.events[index].fields.contains {
            $0.range == declaration && $0.isOptional && !$0.type.isUnknown
        }
    }

    /// Fields of which the condition says `exists` or `missing`, or wants something that only a present
    /// value can give.
    private func collectGuards(_ condition: ExpressionSyntax, into guarded: inout Set<Term>) {
        condition.forEach { expression in
            if case .exists(let operand, negated: _) = expression.kind, let fact = fact(operand) {
                guarded.insert(fact.term)
            }
        }
        for part in condition.conjuncts {
            guard case .binary(let test, let left, let right, ignoringCase: _) = part.kind else {
                continue
            }
            switch test {
            case .notEqual, .notIn, .notInCIDR, .notInList, .and, .or: continue
            default: break
            }
            for side in [left, right] {
                if let fact = fact(side) { guarded.insert(fact.term) }
            }
        }
    }

    /// Calls the closure for every test that holds when its subject is missing.
    ///
    /// - Parameter negation: The innermost `not` around the expression, if what stands here is negated.
    private func visitNegated(
        _ expression: ExpressionSyntax, negation: ExpressionSyntax?,
        _ body: (_ subject: ExpressionSyntax, _ test: ExpressionSyntax) -> Void
    ) {
        switch expression.kind {
        case .parenthesised(let inner): visitNegated(inner, negation: negation, body)
        case .unary(.not, let operand):
            visitNegated(operand, negation: negation == nil ? expression : nil, body)
        case .binary(.and, let left, let right, ignoringCase: _),
            .binary(.or, let left, let right, ignoringCase: _):
            visitNegated(left, negation: negation, body)
            visitNegated(right, negation: negation, body)
        case .binary(let test, let left, let right, ignoringCase: _):
            switch test {
            case .notEqual, .notIn, .notInCIDR, .notInList:
                if negation == nil { body(left.unwrapped, expression) }
                if negation == nil, test == .notEqual { body(right.unwrapped, expression) }
            case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual, .in, .contains,
                .startsWith,
                .endsWith, .like, .matches, .inCIDR, .inList:
                if let negation { body(left.unwrapped, negation) }
            case .or, .and, .add, .subtract, .multiply, .divide, .remainder: break
            }
        default: break
        }
    }
}
