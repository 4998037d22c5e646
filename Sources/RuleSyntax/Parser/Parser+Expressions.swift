// Expressions, by precedence climbing (Pratt, "Top down operator precedence", 1973).
//
// From loose to tight: `or`, `and`, `not`, comparison, `else`, `+ -`, `* / %`, a minus in front,
// and `.member`, `[lookup]`, `(call)`. The body of `any x in list: ...` reaches as far as it can.

/// How tightly an operator holds its operands.
private enum Precedence: Int, Comparable {
    case or, and, not, comparison, otherwise, sum, product, prefix

    static func < (left: Precedence, right: Precedence) -> Bool { left.rawValue < right.rawValue }

    /// The level of the right operand of an operator that groups to the left.
    var next: Precedence { Precedence(rawValue: rawValue + 1) ?? .prefix }
}

/// What stands between two operands, or behind one.
private struct Infix {
    enum Kind {
        case binary(BinaryOperator)
        case otherwise
        case exists(negated: Bool)
    }

    var kind: Kind
    var precedence: Precedence
    /// How many tokens spell it.
    var length: Int
    /// What it should have been, where it is spelled as in another language.
    var correction: String?
    /// Written `not like`, where `not` stands in front of the whole comparison.
    var isNegated = false
}

extension Parser {
    /// Reads an expression. What is not one is reported and `missing`.
    mutating func expression() -> ExpressionSyntax { expression(.or) }

    /// Reads an expression without comparisons.
    mutating func sum() -> ExpressionSyntax { expression(.sum) }

    /// Reads one operand without operators, but a minus.
    mutating func factor() -> ExpressionSyntax { expression(.prefix) }

    private mutating func expression(_ least: Precedence) -> ExpressionSyntax {
        guard nesting < Self.nestingMax else { return tooDeep() }
        nesting += 1
        defer { nesting -= 1 }
        var left = operand(least)
        var compared = false
        while let infix = infix(), infix.precedence >= least {
            if height >= Self.nestingMax { return tooDeep() }
            if infix.precedence == .comparison, compared {
                left = chained(left, infix)
                continue
            }
            compared = infix.precedence == .comparison
            left = apply(infix, to: left)
        }
        return left
    }

    private mutating func tooDeep() -> ExpressionSyntax {
        fail(.nestedTooDeeply(max: Self.nestingMax, at: current.range))
        height = 1
        return missing
    }

    /// Nothing, where something was expected.
    private var missing: ExpressionSyntax { ExpressionSyntax(.missing, endOfPrevious) }

    private mutating func apply(_ infix: Infix, to left: ExpressionSyntax) -> ExpressionSyntax {
        let leftHeight = height
        let operatorRange = infixRange(infix)
        if infix.isNegated {
            report(.misplacedNot(before: left.range, at: current.range, operator: peek().range))
        } else if let correction = infix.correction {
            report(.foreignOperator(source.text(operatorRange), correction, at: operatorRange))
        }
        for _ in 0..<infix.length { advance() }
        switch infix.kind {
        case .exists(let negated):
            height = leftHeight + 1
            return ExpressionSyntax(
                .exists(left, negated: negated), range(from: left.range),
                operatorRange: operatorRange)
        case .otherwise:
            // Groups to the right: `a else b else c` tries them in order.
            let right = rightOperand(.otherwise)
            height = max(leftHeight, height) + 1
            return ExpressionSyntax(
                .otherwise(left, right), range(from: left.range), operatorRange: operatorRange)
        case .binary(let binary):
            let right = rightOperand(infix.precedence.next)
            var ignoringCase = false
            if infix.precedence == .comparison, at(.ignoring), isContinued {
                advance()
                ignoringCase = expect(.case) != nil
            }
            height = max(leftHeight, height) + 1
            let comparison = ExpressionSyntax(
                .binary(binary, left, right, ignoringCase: ignoringCase), range(from: left.range),
                operatorRange: operatorRange)
            guard infix.isNegated else { return comparison }
            height += 1
            return ExpressionSyntax(
                .unary(.not, comparison), comparison.range, operatorRange: operatorRange)
        }
    }

    private func infixRange(_ infix: Infix) -> SourceRange {
        current.range.joined(with: peek(infix.length - 1).range)
    }

    /// The operand behind an operator, which may stand on the next line.
    private mutating func rightOperand(_ least: Precedence) -> ExpressionSyntax {
        joinLine()
        return expression(least)
    }

    static let infixWords: Set<Keyword> = [
        .and, .or, .not, .in, .contains, .starts, .ends, .like, .matches, .exists, .missing, .else,
        .ignoring, .where, .within, .for,
    ]

    /// `a < b < c`: reported with what was meant, and read as that.
    private mutating func chained(_ left: ExpressionSyntax, _ infix: Infix) -> ExpressionSyntax {
        guard case .binary(_, _, let middle, _) = left.kind, case .binary(let second) = infix.kind
        else {
            let place = infixRange(infix)
            fail(
                .chainedComparison(at: place, first: left.operatorRange ?? left.range, insert: nil))
            for _ in 0..<infix.length { advance() }
            return left
        }
        let place = infixRange(infix)
        let insertion = SourceRange(source: source.id, start: left.range.end, end: left.range.end)
        report(
            .chainedComparison(
                at: place, first: left.operatorRange ?? left.range,
                insert: (insertion, " and \(source.text(middle.range))")))
        let leftHeight = height
        for _ in 0..<infix.length { advance() }
        let right = rightOperand(Precedence.comparison.next)
        height = max(leftHeight, height) + 2
        let comparison = ExpressionSyntax(
            .binary(second, middle, right, ignoringCase: false), range(from: middle.range),
            operatorRange: place)
        return ExpressionSyntax(
            .binary(.and, left, comparison, ignoringCase: false), range(from: left.range),
            operatorRange: place)
    }
}

// MARK: - Operators

extension Parser {
    /// The operator at the cursor, if the clause goes on with one.
    private func infix() -> Infix? {
        guard isContinued, !isPanicking else { return nil }
        // Only `and` and `or` carry an expression over to the next line.
        let begins = !isSameLine(current)
        switch current.kind {
        case _ where begins && !at(.and) && !at(.or): return nil
        case .equal: return comparison(.equal)
        case .notEqual: return comparison(.notEqual)
        case .less: return comparison(.less)
        case .lessOrEqual: return comparison(.lessOrEqual)
        case .greater: return comparison(.greater)
        case .greaterOrEqual: return comparison(.greaterOrEqual)
        case .assign: return comparison(.equal, correction: "==")
        case .plus: return Infix(kind: .binary(.add), precedence: .sum, length: 1)
        case .minus: return Infix(kind: .binary(.subtract), precedence: .sum, length: 1)
        case .star: return Infix(kind: .binary(.multiply), precedence: .product, length: 1)
        case .slash: return Infix(kind: .binary(.divide), precedence: .product, length: 1)
        case .percentSign: return Infix(kind: .binary(.remainder), precedence: .product, length: 1)
        case .foreignOperator: return foreignInfix()
        case .name: return current.keyword.flatMap(wordInfix)
        default: return nil
        }
    }

    private func comparison(
        _ binary: BinaryOperator, length: Int = 1, correction: String? = nil
    ) -> Infix {
        Infix(
            kind: .binary(binary), precedence: .comparison, length: length, correction: correction)
    }

    private func foreignInfix() -> Infix? {
        switch text(current) {
        case "&&": Infix(kind: .binary(.and), precedence: .and, length: 1, correction: "and")
        case "||": Infix(kind: .binary(.or), precedence: .or, length: 1, correction: "or")
        case "<>": comparison(.notEqual, correction: "!=")
        case "=~": comparison(.matches, correction: "matches")
        default: nil
        }
    }

    private func wordInfix(_ keyword: Keyword) -> Infix? {
        switch keyword {
        case .or: Infix(kind: .binary(.or), precedence: .or, length: 1)
        case .and: Infix(kind: .binary(.and), precedence: .and, length: 1)
        case .else: Infix(kind: .otherwise, precedence: .otherwise, length: 1)
        case .exists: Infix(kind: .exists(negated: false), precedence: .comparison, length: 1)
        case .missing: Infix(kind: .exists(negated: true), precedence: .comparison, length: 1)
        case .contains: comparison(.contains)
        case .like: comparison(.like)
        case .matches: comparison(.matches)
        case .starts where peek().keyword == .with: comparison(.startsWith, length: 2)
        case .ends where peek().keyword == .with: comparison(.endsWith, length: 2)
        case .in: membership(from: 0)
        case .not where peek().keyword == .in: membership(from: 1)
        case .not: misplacedNot()
        default: nil
        }
    }

    /// `not like`, `not contains` and so on, as SQL has them.
    private func misplacedNot() -> Infix? {
        let binary: BinaryOperator
        switch peek().keyword {
        case .contains: binary = .contains
        case .like: binary = .like
        case .matches: binary = .matches
        case .starts where peek(2).keyword == .with: binary = .startsWith
        case .ends where peek(2).keyword == .with: binary = .endsWith
        default: return nil
        }
        let length = binary == .startsWith || binary == .endsWith ? 3 : 2
        var infix = comparison(binary, length: length)
        infix.isNegated = true
        return infix
    }

    /// `in`, `in list`, `in cidr` and their negations; `start` is where `in` stands.
    private func membership(from start: Int) -> Infix {
        let negated = start == 1
        let next = peek(start + 2)
        switch peek(start + 1).keyword {
        // `in list` alone means a field called `list`.
        case .list
        where next.isName && isSameLine(next) && next.keyword.map(Self.infixWords.contains) != true:
            return comparison(negated ? .notInList : .inList, length: start + 2)
        case .cidr
        where next.isText || next.kind == .leftBracket
            || (next.isName && isSameLine(next)
                && next.keyword.map(Self.infixWords.contains) != true):
            return comparison(negated ? .notInCIDR : .inCIDR, length: start + 2)
        default:
            return comparison(negated ? .notIn : .in, length: start + 1)
        }
    }
}

// MARK: - Operands

extension Parser {
    /// An operand with what stands in front of it.
    private mutating func operand(_ least: Precedence) -> ExpressionSyntax {
        let start = current
        if at(.not), least <= .not {
            advance()
            return prefixed(.not, start.range, .not)
        }
        if at(.foreignOperator), text(current) == "!" {
            report(.foreignOperator("!", "not", at: current.range))
            advance()
            return prefixed(.not, start.range, .prefix)
        }
        if at(.minus) {
            layout[index] = .prefix
            advance()
            return prefixed(.minus, start.range, .prefix)
        }
        if at(.any) || at(.every), least <= .not, peek().isName, peek(2).keyword == .in {
            return quantified()
        }
        return postfix(primary())
    }

    private mutating func prefixed(
        _ prefix: UnaryOperator, _ start: SourceRange, _ least: Precedence
    ) -> ExpressionSyntax {
        let operand = rightOperand(least)
        height += 1
        return ExpressionSyntax(.unary(prefix, operand), range(from: start), operatorRange: start)
    }

    /// `any a in process.args: a like "-enc*"`
    private mutating func quantified() -> ExpressionSyntax {
        let start = advance()
        let name = name("a name for the element")
        expect(.in)
        let list = sum()
        let listHeight = height
        let colon = expect(.colon, "`:` and a condition on each element")
        let body = colon == nil ? missing : rightOperand(.or)
        height = max(listHeight, height) + 1
        return ExpressionSyntax(
            .quantified(start.keyword == .any ? .any : .every, name, in: list, body),
            range(from: start.range))
    }

    private mutating func primary() -> ExpressionSyntax {
        height = 1
        let token = current
        switch token.kind {
        case .integer, .decimal, .percent, .size, .duration, .unknownUnit:
            return numeric()
        case .text, .rawText, .message, .foreignText:
            return ExpressionSyntax(.text(textLiteral()), token.range)
        case .regex:
            advance()
            return ExpressionSyntax(.regex(regexLiteral(token)), token.range)
        case .leftParenthesis:
            return parenthesised()
        case .leftBracket:
            let items = bracketed(.leftBracket, .rightBracket, "`[`") { parser in
                let item = parser.expression()
                return (item, parser.height)
            }
            height = (items?.map(\.1).max() ?? 0) + 1
            return ExpressionSyntax(.list(items?.map(\.0) ?? []), range(from: token.range))
        case .quotedName:
            return word()
        case .name where token.keyword?.isReservedInExpressions != true && !isAtDeclaration:
            return word()
        default:
            let place = missing
            expected("a value")
            return place
        }
    }

    private mutating func word() -> ExpressionSyntax {
        let token = current
        if at(.true) || at(.false) {
            advance()
            return ExpressionSyntax(.bool(token.keyword == .true), token.range)
        }
        let name = name("a value")
        guard at(.leftParenthesis), isSameLine(current) else {
            return ExpressionSyntax(.name(name), name.range)
        }
        layout[index] = .glued
        let arguments = bracketed(.leftParenthesis, .rightParenthesis, "`(`") { parser in
            let argument = parser.expression()
            return (argument, parser.height)
        }
        height = (arguments?.map(\.1).max() ?? 0) + 1
        return ExpressionSyntax(.call(name, arguments?.map(\.0) ?? []), range(from: token.range))
    }

    private mutating func parenthesised() -> ExpressionSyntax {
        let opening = advance()
        brackets.append(opening)
        let inner = expression()
        closeBracket(.rightParenthesis, opening)
        brackets.removeLast()
        height += 1
        return ExpressionSyntax(.parenthesised(inner), range(from: opening.range))
    }

    /// `.member` and `[lookup]` behind an operand.
    private mutating func postfix(_ operand: ExpressionSyntax) -> ExpressionSyntax {
        var base = operand
        while !isPanicking, isSameLine(current) {
            if height >= Self.nestingMax { return tooDeep() }
            if at(.dot), case .number = base.kind {
                fail(.unquotedAddress(at: base.range))
                return base
            }
            if at(.dot), base.canBeLookedUp {
                advance()
                let member = name("the name of a field")
                height += 1
                base = ExpressionSyntax(.member(base, member), range(from: base.range))
            } else if at(.leftBracket), base.canBeLookedUp {
                let baseHeight = height
                layout[index] = .glued
                let opening = advance()
                brackets.append(opening)
                let key = expression()
                closeBracket(.rightBracket, opening)
                brackets.removeLast()
                height = max(baseHeight, height) + 1
                base = ExpressionSyntax(.lookup(base, key), range(from: base.range))
            } else {
                break
            }
        }
        return base
    }
}

extension ExpressionSyntax {
    /// Whether it can have a `.member` or a `[lookup]` behind it, as literals cannot.
    fileprivate var canBeLookedUp: Bool {
        switch kind {
        case .name, .member, .lookup, .call, .parenthesised: true
        default: false
        }
    }
}
