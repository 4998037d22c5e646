import RuleModel
import RuleSyntax

// Expressions: from syntax to typed terms.

extension Checker {
    /// A whole expression of the file.
    mutating func expression(_ syntax: ExpressionSyntax, in scope: Scope) -> Typed {
        budget = Checker.expressionNodesMax
        return check(syntax, scope)
    }

    /// A condition: an expression that must be a `bool`.
    ///
    /// - Parameter keyword: The word in front of it, such as `where`, and its place if known.
    mutating func condition(
        _ syntax: ExpressionSyntax, in scope: Scope, keyword: String,
        keywordRange: SourceRange? = nil
    ) -> Term {
        let typed = expression(syntax, in: scope)
        switch typed.type {
        case .bool: return typed.term
        case .unknown:
            // A field of unknown type is a condition when it happens to hold a bool.
            return typed.term
        default:
            report(
                .conditionNotBool(
                    typed.type, source: sourceText(syntax.range), at: syntax.range,
                    keyword: keyword,
                    keywordRange: keywordRange))
            return .constant(.bool(false))
        }
    }

    /// One node. An event on its own is a mistake here; see `operand` for where it is none.
    mutating func check(_ syntax: ExpressionSyntax, _ scope: Scope) -> Typed {
        switch operand(syntax, scope) {
        case .value(let typed): return typed
        case .event(let reference):
            report(
                .eventAsValue(
                    sourceText(syntax.range), fields: symbols.events[reference.event].fieldNames,
                    at: syntax.range))
            return .unknown(syntax.range)
        }
    }

    /// One node, which may stand for an event where its fields are about to be read.
    mutating func operand(_ syntax: ExpressionSyntax, _ scope: Scope) -> Operand {
        budget -= 1
        depth += 1
        defer { depth -= 1 }
        if budget <= 0 || depth > Checker.depthMax {
            if budget == 0 || budget > 0 {
                report(.expressionTooLarge(nodesMax: Checker.expressionNodesMax, at: syntax.range))
                budget = 0
            }
            return .value(.unknown(syntax.range))
        }
        let range = syntax.range
        switch syntax.kind {
        case .number(let value, let integer):
            let constant: Value = integer.map { .int($0) } ?? .float(value)
            return .value(Typed(.constant(constant), .number, range: range))
        case .duration(let nanoseconds):
            let span = TimeSpan(nanoseconds: nanoseconds)
            return .value(Typed(.constant(.span(span)), .span, range: range))
        case .text(let literal):
            return .value(Typed(.constant(.text(literal.value)), .text, range: range))
        case .regex(let literal):
            report(.misplacedPattern(literal.value, at: range))
            return .value(.unknown(range))
        case .bool(let value):
            return .value(Typed(.constant(.bool(value)), .bool, range: range))
        case .name(let name):
            return noted(resolve([name], scope, range: range))
        case .member(let base, let name):
            return noted(member(base, name, scope, range: range))
        case .lookup(let base, let key):
            return .value(lookup(base, key, column: nil, scope, range: range))
        case .call(let name, let arguments):
            return call(name, arguments, scope, range: range)
        case .list(let elements):
            return .value(listLiteral(elements, scope, range: range))
        case .unary(.not, let inner):
            let typed = boolOperand(inner, scope, of: "not", at: syntax.operatorRange ?? range)
            return .value(Typed(.not(typed.term), .bool, range: range))
        case .unary(.minus, let inner):
            return .value(negated(inner, scope, range: range))
        case .binary(let binary, let left, let right, let ignoringCase):
            return .value(
                self.binary(binary, left, right, ignoringCase, scope, syntax: syntax))
        case .exists(let inner, let negated):
            return .value(exists(inner, negated: negated, scope, range: range))
        case .otherwise(let first, let second):
            return otherwise(first, second, scope, syntax: syntax)
        case .quantified(let quantifier, let name, let list, let body):
            return .value(quantified(quantifier, name, list, body, scope, range: range))
        case .parenthesised(let inner):
            return operand(inner, scope)
        case .missing:
            return .value(.unknown(range))
        }
    }

    private mutating func noted(_ operand: Operand) -> Operand {
        if case .value(let typed) = operand, facts[typed.range] == nil { note(typed) }
        return operand
    }

    /// A side of `and`, `or`, `not`.
    mutating func boolOperand(
        _ syntax: ExpressionSyntax, _ scope: Scope, of word: String, at place: SourceRange
    ) -> Typed {
        let typed = check(syntax, scope)
        if typed.type == .bool || typed.type.isUnknown { return typed }
        report(
            .operandNotBool(
                word, typed.type, source: sourceText(syntax.range), at: syntax.range,
                operatorRange: place))
        return .unknown(syntax.range)
    }

    // MARK: - Lists and elements

    private mutating func listLiteral(
        _ elements: [ExpressionSyntax], _ scope: Scope, range: SourceRange
    ) -> Typed {
        var type = ValueType.unknown
        var terms: [Term] = []
        for element in elements {
            let typed = check(element, scope)
            if !type.agrees(with: typed.type) {
                report(.mixedList(type, typed.type, at: element.range, list: range))
                return .unknown(range)
            }
            type = type.joined(with: typed.type)
            terms.append(typed.term)
        }
        return Typed(listTerm(terms), .list(type), range: range)
    }

    /// A list of constants is a constant.
    func listTerm(_ terms: [Term]) -> Term {
        var values: [Value] = []
        for term in terms {
            guard case .constant(let value) = term else { return .list(terms) }
            values.append(value)
        }
        return .constant(.list(values))
    }

    private mutating func quantified(
        _ quantifier: Quantifier, _ name: Name, _ list: ExpressionSyntax, _ body: ExpressionSyntax,
        _ scope: Scope, range: SourceRange
    ) -> Typed {
        let over = check(list, scope)
        var element = ValueType.unknown
        switch over.type {
        case .list(let type): element = type
        case .unknown: break
        default:
            report(.quantifiedOverScalar(quantifier.rawValue, over.type, at: list.range))
        }
        var inner = scope
        inner.variables.append(
            Scope.Variable(
                name: name.text, range: name.range, type: element, depth: scope.depth))
        declare(.variable, name.range, type: element)
        inner.depth += 1
        let typed = check(body, inner)
        if typed.type != .bool, !typed.type.isUnknown {
            report(
                .conditionNotBool(
                    typed.type, source: sourceText(body.range), at: body.range,
                    keyword: quantifier.rawValue, keywordRange: nil))
            return .unknown(range)
        }
        let term = Term.quantified(
            all: quantifier == .every, in: over.term, variable: scope.depth, typed.term)
        return Typed(term, .bool, range: range)
    }

    // MARK: - Missing

    private mutating func exists(
        _ inner: ExpressionSyntax, negated: Bool, _ scope: Scope, range: SourceRange
    ) -> Typed {
        let term: Term
        switch operand(inner, scope) {
        case .value(let typed): term = .exists(typed.term)
        case .event(let reference): term = happened(reference)
        }
        return Typed(negated ? .not(term) : term, .bool, range: range)
    }

    /// Whether the event of a reference is bound.
    private func happened(_ reference: EventReference) -> Term {
        switch reference.place {
        case .current: .constant(.bool(true))
        case .step(let step, _):
            .compare(.greater, .stepCount(StepID(step)), .constant(.int(0)), ignoringCase: false)
        case .either(let first, let second): .or([happened(first), happened(second)])
        }
    }

    private mutating func otherwise(
        _ first: ExpressionSyntax, _ second: ExpressionSyntax, _ scope: Scope,
        syntax: ExpressionSyntax
    ) -> Operand {
        let left = operand(first, scope)
        let right = operand(second, scope)
        switch (left, right) {
        case (.event(let left), .event(let right)):
            let optional = left.isOptional && right.isOptional
            return .event(
                EventReference(
                    place: .either(left, right), event: left.event, isOptional: optional,
                    range: syntax.range))
        case (.value(let left), .value(let right)):
            return .value(otherwise(left, right, scope, syntax: syntax))
        case (.event(let event), .value), (.value, .event(let event)):
            report(
                .eventAsValue(
                    sourceText(event.range), fields: symbols.events[event.event].fieldNames,
                    at: event.range))
            return .value(.unknown(syntax.range))
        }
    }

    private mutating func otherwise(
        _ left: Typed, _ right: Typed, _ scope: Scope, syntax: ExpressionSyntax
    ) -> Typed {
        guard let (left, right) = agreeing(left, right) else { return .unknown(syntax.range) }
        guard left.type.agrees(with: right.type) else {
            report(
                .typeMismatch(
                    left.type, right.type, verb: "join", joint: "with",
                    at: syntax.operatorRange ?? syntax.range, left: left.range, right: right.range,
                    help: []))
            return .unknown(syntax.range)
        }
        return Typed(
            .otherwise(left.term, right.term), left.type.joined(with: right.type),
            isOptional: right.isOptional, range: syntax.range)
    }
}
