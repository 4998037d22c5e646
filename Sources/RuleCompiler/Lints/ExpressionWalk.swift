import RuleModel
import RuleSyntax

extension ExpressionSyntax {
    /// The expression inside any parentheses.
    var unwrapped: ExpressionSyntax {
        if case .parenthesised(let inner) = kind { return inner.unwrapped }
        return self
    }

    /// The expressions directly below this one.
    package var children: [ExpressionSyntax] {
        switch kind {
        case .number, .duration, .text, .bool, .regex, .name, .missing: []
        case .member(let base, _): [base]
        case .lookup(let list, let key): [list, key]
        case .call(_, let arguments): arguments
        case .list(let elements): elements
        case .unary(_, let operand): [operand]
        case .binary(_, let left, let right, ignoringCase: _): [left, right]
        case .exists(let operand, negated: _): [operand]
        case .otherwise(let first, let second): [first, second]
        case .quantified(_, _, in: let list, let body): [list, body]
        case .parenthesised(let inner): [inner]
        }
    }

    /// Calls the closure with this expression and every one below it, parents first.
    package func forEach(_ body: (ExpressionSyntax) -> Void) {
        body(self)
        for child in children { child.forEach(body) }
    }

    /// The parts that must all hold, parentheses opened, in the order written.
    var conjuncts: [ExpressionSyntax] {
        let inner = unwrapped
        guard case .binary(.and, let left, let right, ignoringCase: _) = inner.kind else {
            return [inner]
        }
        return left.conjuncts + right.conjuncts
    }

    /// The value of a literal, a list of literals, or the name of a constant; nil for all else.
    func constant(_ facts: [SourceRange: ExpressionFact]) -> Value? {
        switch kind {
        case .number(value: let value, integer: let integer):
            return integer.map { .int($0) } ?? .float(value)
        case .duration(let nanoseconds): return .span(TimeSpan(nanoseconds: nanoseconds))
        case .text(let literal): return .text(literal.value)
        case .bool(let bool): return .bool(bool)
        case .parenthesised(let inner): return inner.constant(facts)
        case .unary(.minus, let operand):
            switch operand.constant(facts) {
            case .int(let number)? where number != .min: return .int(-number)
            case .float(let number)?: return .float(-number)
            default: return nil
            }
        case .list(let elements):
            let values = elements.compactMap { $0.constant(facts) }
            return values.count == elements.count ? .list(values) : nil
        case .name:
            guard case .constant(let value)? = facts[range]?.term, !value.isMissing else {
                return nil
            }
            return value
        default: return nil
        }
    }

    /// The name in front of the first dot.
    var headName: Name? {
        switch kind {
        case .name(let name): name
        case .member(let base, _): base.headName
        default: nil
        }
    }
}

/// A condition of a rule and what it decides.
struct LintedCondition {
    enum Place {
        /// Whether an event fits a step. Required: no match without such an event.
        case step(isRequired: Bool)
        case over, measure, when, resolve, unless
    }

    var expression: ExpressionSyntax
    var place: Place
    /// Where the event comes from, for conditions on one event.
    var source: SourceSyntax?
}

/// A named event of a sequence's block.
struct LintedStep {
    enum Role { case taken, absent, without, until }

    var syntax: StepSyntax
    var role: Role
    /// Its place among the lines of the block.
    var element: Int
    var isInAnyOf: Bool

    var isRequired: Bool {
        guard role == .taken, !isInAnyOf else { return false }
        switch syntax.quantity {
        case .optional, .anyNumber: return false
        case .between(let least, _): return least > 0
        case nil, .atLeast, .exactly: return true
        }
    }
}

extension SequenceSyntax {
    /// Every named event, in the order of `SequencePlan.steps`.
    var lintedSteps: [LintedStep] {
        elements.enumerated().flatMap { $1.lintedSteps(element: $0, isInAnyOf: false) }
    }
}

extension SequenceElement {
    fileprivate func lintedSteps(element: Int, isInAnyOf: Bool) -> [LintedStep] {
        func named(_ step: StepSyntax, _ role: LintedStep.Role) -> [LintedStep] {
            [LintedStep(syntax: step, role: role, element: element, isInAnyOf: isInAnyOf)]
        }
        return switch kind {
        case .step(let step): named(step, .taken)
        case .absence(let step, span: _, spelledFor: _): named(step, .absent)
        case .without(let step): named(step, .without)
        case .until(let step): named(step, .until)
        case .allOf(let inner):
            inner.flatMap { $0.lintedSteps(element: element, isInAnyOf: isInAnyOf) }
        case .anyOf(let inner): inner.flatMap { $0.lintedSteps(element: element, isInAnyOf: true) }
        }
    }
}

extension RuleDeclaration {
    /// Every condition, in the order of the file.
    var lintedConditions: [LintedCondition] {
        var conditions: [LintedCondition] = []
        func add(
            _ expression: ExpressionSyntax?, _ place: LintedCondition.Place,
            _ source: SourceSyntax? = nil
        ) {
            guard let expression else { return }
            conditions.append(LintedCondition(expression: expression, place: place, source: source))
        }
        for clause in clauses {
            if case .unless(let expression) = clause.kind { add(expression, .unless) }
        }
        switch pattern?.kind {
        case .sequence(let sequence)?:
            for step in sequence.lintedSteps {
                let source = step.syntax.source
                add(source.condition, .step(isRequired: step.isRequired), source)
            }
        case .threshold(let threshold)?:
            add(threshold.over?.condition, .over, threshold.over)
            for measure in threshold.measures {
                add(measure.aggregate.condition, .measure, threshold.over)
            }
            add(threshold.when, .when)
            add(threshold.resolveWhen, .resolve)
        case .correlation(let correlation)?:
            for member in correlation.members {
                add(member.source.condition, .step(isRequired: false), member.source)
            }
        case .anomalyCluster(let cluster)?:
            for series in cluster.series { add(series.source.condition, .over, series.source) }
        case nil: break
        }
        return conditions.sorted { $0.expression.range.start < $1.expression.range.start }
    }

    /// The expressions of messages and actions.
    var emittedExpressions: [ExpressionSyntax] {
        clauses.flatMap { clause -> [ExpressionSyntax] in
            switch clause.kind {
            case .alert(let message):
                message.parts.compactMap { part in
                    if case .expression(let expression, _) = part { return expression }
                    return nil
                }
            case .suppress(by: let by, for: _), .group(by: let by, for: _): by
            case .mask(let expressions), .attach(let expressions): expressions
            case .risk(let expression, on: _): [expression]
            default: []
            }
        }
    }
}
