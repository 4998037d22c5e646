import RuleModel
import RuleSyntax

// Operators and the types they take.

extension Checker {
    mutating func binary(
        _ binary: BinaryOperator, _ left: ExpressionSyntax, _ right: ExpressionSyntax,
        _ ignoringCase: Bool, _ scope: Scope, syntax: ExpressionSyntax
    ) -> Typed {
        let range = syntax.range
        let place = syntax.operatorRange ?? range
        switch binary {
        case .and, .or:
            var parts: [Term] = []
            for side in [left, right] {
                let term = boolOperand(side, scope, of: binary.rawValue, at: place).term
                // `a and b and c` is one conjunction of three.
                switch (binary, term) {
                case (.and, .and(let terms)), (.or, .or(let terms)): parts += terms
                default: parts.append(term)
                }
            }
            return Typed(binary == .and ? .and(parts) : .or(parts), .bool, range: range)
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
            return comparison(
                binary, check(left, scope), check(right, scope), ignoringCase, syntax: syntax)
        case .in, .notIn:
            let term = membership(left, right, ignoringCase, scope, syntax: syntax)
            return answer(term, negated: binary == .notIn, range)
        case .inCIDR, .notInCIDR:
            let term = inNetwork(left, right, scope, place: place)
            return answer(term, negated: binary == .notInCIDR, range)
        case .inList, .notInList:
            let term = inList(left, right, ignoringCase, scope)
            return answer(term, negated: binary == .notInList, range)
        case .contains, .startsWith, .endsWith, .like:
            let term = textTest(binary, left, right, ignoringCase, scope, place: place)
            return answer(term, negated: false, range)
        case .matches:
            return answer(matches(left, right, ignoringCase, scope), negated: false, range)
        case .add, .subtract, .multiply, .divide, .remainder:
            return arithmetic(binary, check(left, scope), check(right, scope), syntax: syntax)
        }
    }

    /// `not in` is the plain complement of `in` (T6). Nil: a mistake, reported.
    private func answer(_ term: Term?, negated: Bool, _ range: SourceRange) -> Typed {
        guard let term else { return .unknown(range) }
        return Typed(negated ? .not(term) : term, .bool, range: range)
    }

    // MARK: - Comparisons

    private mutating func comparison(
        _ binary: BinaryOperator, _ left: Typed, _ right: Typed, _ ignoringCase: Bool,
        syntax: ExpressionSyntax
    ) -> Typed {
        let range = syntax.range
        let place = syntax.operatorRange ?? range
        let isEquality = binary == .equal || binary == .notEqual
        // Never silently "any of them".
        let bothLists = left.type.element != nil && right.type.element != nil && isEquality
        for (side, other) in [(left, right), (right, left)]
        where side.type.element != nil && !bothLists && !other.type.isUnknown {
            report(
                .listComparedWithScalar(
                    binary.rawValue, side.type, list: sourceText(side.range),
                    other: sourceText(other.range), at: side.range, operatorRange: place))
            return .unknown(range)
        }
        guard let (left, right) = agreeing(left, right) else { return .unknown(range) }
        guard left.type.agrees(with: right.type) else {
            report(
                .typeMismatch(
                    left.type, right.type, verb: "compare", joint: "with", at: place,
                    left: left.range, right: right.range, help: comparisonHelp(left, right, place)))
            return .unknown(range)
        }
        if !isEquality {
            for side in [left, right] where !side.type.isOrdered {
                report(.unordered(binary.rawValue, side.type, at: side.range, operatorRange: place))
                return .unknown(range)
            }
        }
        guard let comparison = Comparison(rawValue: binary.rawValue) else { return .unknown(range) }
        if !isEquality, let term = severityComparison(comparison, left, right) {
            return Typed(term, .bool, range: range)
        }
        return Typed(
            .compare(comparison, left.term, right.term, ignoringCase: ignoringCase), .bool,
            range: range)
    }

    /// `severity >= medium`: severities go by how bad they are, not by the alphabet.
    private func severityComparison(
        _ comparison: Comparison, _ left: Typed, _ right: Typed
    ) -> Term? {
        let isReversed = right.type == EventSymbol.severityType
        let (field, constant) = isReversed ? (right, left) : (left, right)
        guard field.type == EventSymbol.severityType,
            let bound = constant.constantText.flatMap(Severity.init(rawValue:))
        else { return nil }
        let fitting = Severity.allCases.filter { severity in
            switch comparison {
            case .less: isReversed ? bound < severity : severity < bound
            case .lessOrEqual: isReversed ? bound <= severity : severity <= bound
            case .greater: isReversed ? bound > severity : severity > bound
            case .greaterOrEqual: isReversed ? bound >= severity : severity >= bound
            case .equal, .notEqual: false
            }
        }
        return .member(
            field.term, of: .constant(.list(fitting.map { .text($0.rawValue) })),
            ignoringCase: false)
    }

    private func comparisonHelp(_ left: Typed, _ right: Typed, _ place: SourceRange) -> [Help] {
        for (side, other) in [(left, right), (right, left)] {
            if other.type == .number, let text = side.constantText, Double(text) != nil {
                return [
                    Help(
                        "remove the quotes to compare with a number: `\(text)`",
                        fix: .replace(side.range, with: text))
                ]
            }
            if other.type.isText, side.type == .number, case .constant = side.term {
                let quoted = "\"\(sourceText(side.range))\""
                return [
                    Help(
                        "put it in quotes to compare with a text: `\(quoted)`",
                        fix: .replace(side.range, with: quoted))
                ]
            }
            if other.type == .span, side.type == .number, case .constant = side.term {
                return [Help("give the number a unit, for example `\(sourceText(side.range))s`")]
            }
            if other.type == .ip, side.type == .network {
                return [Help("ask whether the address lies in it: `in cidr`")]
            }
            if other.type == .bool, side.type.isText, let text = side.constantText,
                text == "true" || text == "false"
            {
                return [
                    Help("remove the quotes: `\(text)`", fix: .replace(side.range, with: text))
                ]
            }
        }
        return []
    }

    /// Both sides with constants read as the other side's type; nil if one cannot be (reported).
    mutating func agreeing(_ left: Typed, _ right: Typed) -> (Typed, Typed)? {
        guard let newLeft = coerced(left, to: right.type),
            let newRight = coerced(right, to: left.type)
        else { return nil }
        return (newLeft, newRight)
    }

    /// A constant text read as an address, network or time where the other side is one.
    mutating func coerced(_ typed: Typed, to type: ValueType) -> Typed? {
        guard typed.type == .text, let text = typed.constantText,
            let value = reading(text, as: type, at: typed.range)
        else { return typed }
        guard case .some(let value) = value else { return nil }
        return Typed(.constant(value), type, range: typed.range)
    }

    /// Nil: the type is not written as text. A nil inside: the text is no such thing (reported).
    private mutating func reading(
        _ text: String, as type: ValueType, at range: SourceRange
    ) -> Value?? {
        let value: Value?
        switch type {
        case .ip: value = IPAddress(text).map { .ip($0) }
        case .network: value = IPNetwork(text).map { .network($0) }
        case .time: value = timestamp(rfc3339: text).map { .time($0) }
        default: return .none
        }
        if value == nil {
            let isNetwork = type == .ip && IPNetwork(text) != nil
            report(.badLiteral(text, type, isNetwork: isNetwork, at: range))
        }
        return .some(value)
    }

    // MARK: - Membership

    private mutating func membership(
        _ left: ExpressionSyntax, _ right: ExpressionSyntax, _ ignoringCase: Bool, _ scope: Scope,
        syntax: ExpressionSyntax
    ) -> Term? {
        let place = syntax.operatorRange ?? syntax.range
        let value = check(left, scope)
        // `user in admins`, where `admins` is a declared list.
        if case .name(let name) = right.kind, symbols.listIndex[name.text] != nil,
            !isVisible(name, scope)
        {
            report(.listWithoutWord(name.text, at: right.range, operatorRange: place))
            return nil
        }
        if value.type.element != nil {
            report(
                .listComparedWithScalar(
                    "in", value.type, list: sourceText(left.range), other: sourceText(right.range),
                    at: left.range, operatorRange: place))
            return nil
        }
        if case .list(let elements) = right.kind {
            var terms: [Term] = []
            for element in elements {
                let item = check(element, scope)
                guard let read = coerced(item, to: value.type) else { return nil }
                guard value.type.agrees(with: read.type) else {
                    report(
                        .typeMismatch(
                            value.type, read.type, verb: "compare", joint: "with",
                            at: element.range,
                            left: value.range, right: nil,
                            help: comparisonHelp(value, read, place)))
                    return nil
                }
                terms.append(read.term)
            }
            return .member(value.term, of: listTerm(terms), ignoringCase: ignoringCase)
        }
        let list = check(right, scope)
        switch list.type {
        case .unknown: break
        case .list(let element):
            guard let read = coerced(value, to: element) else { return nil }
            guard read.type.agrees(with: element) else {
                report(
                    .typeMismatch(
                        value.type, element, verb: "compare", joint: "with", at: place,
                        left: value.range, right: list.range, help: []))
                return nil
            }
            return .member(read.term, of: list.term, ignoringCase: ignoringCase)
        default:
            report(
                .notAList(
                    value.type == .ip && list.constantText != nil ? .network : list.type,
                    source: sourceText(right.range), value: sourceText(left.range),
                    at: right.range, operatorRange: place))
            return nil
        }
        return .member(value.term, of: list.term, ignoringCase: ignoringCase)
    }

    private mutating func inNetwork(
        _ left: ExpressionSyntax, _ right: ExpressionSyntax, _ scope: Scope, place: SourceRange
    ) -> Term? {
        let address = check(left, scope)
        guard address.type == .ip || address.type.isUnknown else {
            report(
                .operandType(
                    "in cidr", wanted: ValueType.ip, address.type, at: left.range, place: place))
            return nil
        }
        if case .list(let elements) = right.kind {
            var networks: [Term] = []
            for element in elements {
                guard let network = network(check(element, scope), place) else { return nil }
                networks.append(network)
            }
            return .inNetwork(address.term, listTerm(networks))
        }
        let networks = check(right, scope)
        if networks.type == .list(.network) { return .inNetwork(address.term, networks.term) }
        return network(networks, place).map { .inNetwork(address.term, $0) }
    }

    private mutating func network(_ typed: Typed, _ place: SourceRange) -> Term? {
        guard let read = coerced(typed, to: .network) else { return nil }
        if read.type == .network || read.type.isUnknown { return read.term }
        report(
            .operandType(
                "in cidr", wanted: ValueType.network, read.type, at: read.range, place: place))
        return nil
    }

    private mutating func inList(
        _ left: ExpressionSyntax, _ right: ExpressionSyntax, _ ignoringCase: Bool, _ scope: Scope
    ) -> Term? {
        let value: Typed
        guard case .name(let name) = right.kind else {
            _ = check(left, scope)
            if case .missing = right.kind { return nil }
            report(.unknownList(sourceText(right.range), at: right.range, similarTo: listNames))
            return nil
        }
        value = check(left, scope)
        useList(name)
        guard let index = symbols.listIndex[name.text] else {
            report(.unknownList(name.text, at: name.range, similarTo: listNames))
            return nil
        }
        let list = symbols.lists[index]
        guard let read = fitting(value, list, at: left.range) else { return nil }
        return .inList(read.term, list.id, ignoringCase: ignoringCase)
    }

    var listNames: [String] { symbols.lists.map(\.declaration.name.text) }

    /// The value as the list's key column holds it; nil when it can never be there (reported).
    mutating func fitting(_ value: Typed, _ list: ListSymbol, at range: SourceRange) -> Typed? {
        if value.type.isUnknown { return value }
        let fits: Bool
        switch list.kind {
        case .text: fits = value.type.isText
        case .number: fits = value.type == .number
        case .cidr:
            guard let read = coerced(value, to: .ip) else { return nil }
            if read.type == .ip || read.type == .network { return read }
            fits = false
        case .pair: fits = value.type.element != nil
        // What the columns of a table hold is in its file.
        case .table: fits = value.type.element == nil
        }
        if fits { return value }
        report(
            .listKind(
                list.declaration.name.text, kind: list.kind.rawValue, value.type, at: range,
                declared: list.declaration.name.range))
        return nil
    }

    // MARK: - Text

    private mutating func textTest(
        _ binary: BinaryOperator, _ left: ExpressionSyntax, _ right: ExpressionSyntax,
        _ ignoringCase: Bool, _ scope: Scope, place: SourceRange
    ) -> Term? {
        let text = check(left, scope)
        let part = check(right, scope)
        guard let test = TextTest(rawValue: binary.rawValue) else { return nil }
        if let element = text.type.element {
            guard binary == .contains else {
                report(
                    .listComparedWithScalar(
                        binary.rawValue, text.type, list: sourceText(left.range),
                        other: sourceText(right.range), at: left.range, operatorRange: place))
                return nil
            }
            guard let read = coerced(part, to: element) else { return nil }
            guard read.type.agrees(with: element) else {
                report(
                    .typeMismatch(
                        element, part.type, verb: "compare", joint: "with", at: place,
                        left: text.range, right: part.range, help: []))
                return nil
            }
            return .member(read.term, of: text.term, ignoringCase: ignoringCase)
        }
        for side in [text, part] where !side.type.isText && !side.type.isUnknown {
            report(
                .operandType(
                    binary.rawValue, wanted: ValueType.text, side.type, at: side.range, place: place
                ))
            return nil
        }
        return .textTest(test, text.term, part.term, ignoringCase: ignoringCase)
    }

    private mutating func matches(
        _ left: ExpressionSyntax, _ right: ExpressionSyntax, _ ignoringCase: Bool, _ scope: Scope
    ) -> Term? {
        let text = check(left, scope)
        let literal: TextLiteral
        switch right.kind {
        case .regex(let pattern), .text(let pattern): literal = pattern
        case .missing: return nil
        default:
            report(.patternNotLiteral(at: right.range))
            return nil
        }
        let isGood = checkPattern(literal, isSlashed: right.isRegex, ignoringCase: ignoringCase)
        if text.type.element != nil {
            report(
                .listComparedWithScalar(
                    "matches", text.type, list: sourceText(left.range),
                    other: sourceText(right.range), at: left.range, operatorRange: right.range))
            return nil
        }
        guard text.type.isText || text.type.isUnknown else {
            report(
                .operandType(
                    "matches", wanted: ValueType.text, text.type, at: left.range, place: right.range
                ))
            return nil
        }
        return isGood ? .pattern(text.term, literal.value, ignoringCase: ignoringCase) : nil
    }

    // MARK: - Arithmetic

    mutating func negated(_ inner: ExpressionSyntax, _ scope: Scope, range: SourceRange) -> Typed {
        let typed = check(inner, scope)
        switch (typed.term, typed.type) {
        case (.constant(.int(let value)), .number) where value != .min:
            return Typed(.constant(.int(-value)), .number, range: range)
        case (.constant(.float(let value)), .number):
            return Typed(.constant(.float(-value)), .number, range: range)
        case (_, .number), (_, .span), (_, .unknown):
            return Typed(
                .negate(typed.term), typed.type, isOptional: typed.isOptional, range: range)
        default:
            report(
                .operandType(
                    "-", wanted: ValueType.number, typed.type, at: inner.range, place: range))
            return .unknown(range)
        }
    }

    private mutating func arithmetic(
        _ binary: BinaryOperator, _ left: Typed, _ right: Typed, syntax: ExpressionSyntax
    ) -> Typed {
        let range = syntax.range
        guard let (left, right) = agreeing(left, right) else { return .unknown(range) }
        guard let operation = Arithmetic(rawValue: binary.rawValue) else { return .unknown(range) }
        guard let type = result(of: operation, left.type, right.type) else {
            report(
                .noArithmetic(
                    operation.rawValue, left.type, right.type, at: syntax.operatorRange ?? range,
                    left: left.range, right: right.range))
            return .unknown(range)
        }
        return Typed(
            .arithmetic(operation, left.term, right.term), type,
            isOptional: left.isOptional || right.isOptional, range: range)
    }

    /// The type of a sum, difference, product or quotient; nil where there is none.
    private func result(
        of operation: Arithmetic, _ left: ValueType, _ right: ValueType
    ) -> ValueType? {
        switch (left, operation, right) {
        case (.number, _, .number): return .number
        case (.time, .subtract, .time): return .span
        case (.time, .add, .span), (.time, .subtract, .span), (.span, .add, .time): return .time
        case (.span, .add, .span), (.span, .subtract, .span), (.span, .remainder, .span):
            return .span
        case (.span, .divide, .span): return .number
        case (.span, .multiply, .number), (.number, .multiply, .span), (.span, .divide, .number):
            return .span
        case (.unknown, _, .number), (.number, _, .unknown), (.unknown, _, .unknown):
            return .unknown
        case (.unknown, .add, .span), (.unknown, .subtract, .span), (.unknown, .add, .time),
            (.unknown, .subtract, .time), (.time, .subtract, .unknown), (.time, .add, .unknown),
            (.unknown, .multiply, .span), (.unknown, .divide, .span), (.unknown, .remainder, .span),
            (.span, _, .unknown):
            return .unknown
        default: return nil
        }
    }
}

extension ValueType {
    /// Whether `<` means something.
    var isOrdered: Bool {
        switch self {
        case .number, .text, .enumeration, .time, .span, .unknown: true
        case .bool, .ip, .network, .list, .event: false
        }
    }
}

extension ExpressionSyntax {
    fileprivate var isRegex: Bool {
        if case .regex = kind { return true }
        return false
    }
}
