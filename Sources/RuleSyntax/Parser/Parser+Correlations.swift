// `correlation by KEYS within D { members and requirements }`

extension Parser {
    mutating func correlation() -> CorrelationSyntax {
        var correlation = CorrelationSyntax(
            keys: nil, within: nil, members: [], atLeast: nil, order: [], precedences: [],
            strength: nil, strengthRange: nil, oncePerEvent: false)
        if at(.by) { correlation.keys = keys() }
        if take(.within) != nil { correlation.within = duration() }
        var given: [String: SourceRange] = [:]
        block("this correlation", endsEarly: { $0.isAtActionOfRule }) { parser in
            parser.correlationClause(into: &correlation, &given)
            parser.endClause()
        }
        return correlation
    }

    private mutating func correlationClause(
        into correlation: inout CorrelationSyntax, _ given: inout [String: SourceRange]
    ) {
        let start = current
        guard start.isName else {
            fail(
                .unknownClause(
                    describe(start), in: "correlation", words: Self.forms, at: start.range))
            return
        }
        if peek().kind == .colon {
            correlation.members.append(member())
            return
        }
        if peek().keyword == .before {
            if let precedence = precedence() { correlation.precedences.append(precedence) }
            return
        }
        switch current.keyword {
        case .at where peek().keyword == .least:
            expect(.at, .least)
            correlation.atLeast = integer("how many of the members")
            expect(.of, .them)
        case .order:
            advance()
            correlation.order = names("the name of a member")
        case .strength:
            advance()
            correlation.strength = strength()
            correlation.strengthRange = range(from: start.range)
        case .once:
            expect(.once, .per, .event)
            correlation.oncePerEvent = true
        default:
            let words = ["order", "strength", "once", "at least"]
            fail(
                .unknownClause(
                    describe(start), in: "correlation", words: Self.forms,
                    suggestion: suggest(text(start), among: words), at: start.range))
            return
        }
        once(text(start), "`\(text(start))` is given once", at: start.range, &given)
    }

    /// What a line of a correlation can be, for a message.
    private static let forms = [
        "NAME: SOURCE", "at least N of them", "order", "A before B within D", "strength",
        "once per event",
    ]

    /// `deploy: deploy.finished where status == "ok" by service = app`
    private mutating func member() -> CorrelationSyntax.Member {
        let name = name("a name for the member")
        advance()
        let source = sourceSyntax()
        let aliases = at(.by) && isContinued ? aliases() : []
        return CorrelationSyntax.Member(
            name: name, source: source, aliases: aliases, range: range(from: name.range))
    }

    /// `a before b within 5m`
    private mutating func precedence() -> CorrelationSyntax.Precedence? {
        let earlier = name("the name of a member")
        expect(.before)
        let later = name("the name of a member")
        expect(.within)
        guard let within = duration() else { return nil }
        return CorrelationSyntax.Precedence(
            earlier: earlier, later: later, within: within, range: range(from: earlier.range))
    }

    private mutating func strength() -> CorrelationSyntax.Strength? {
        if take(.lift) != nil { return lift() }
        if take(.movesWith) != nil { return movesWith() }
        expected("`lift(...)` or `moves_with(...)`")
        return nil
    }

    /// `(b after a within L) >= x over H with at least n pooled`
    private mutating func lift() -> CorrelationSyntax.Strength? {
        guard let opening = openArguments() else { return nil }
        let later = name("the name of a member")
        expect(.after)
        let earlier = name("the name of a member")
        expect(.within)
        let lag = duration()
        closeBracket(.rightParenthesis, opening)
        brackets.removeLast()
        expect(.greaterOrEqual, "`>=` and a limit")
        let limit = sum()
        expect(.over)
        let history = duration()
        expect(.with, .at, .least)
        guard let lag, let history, let atLeast = integer("how many occurrences") else {
            return nil
        }
        let pooled = take(.pooled) != nil
        return .lift(
            later: later, earlier: earlier, lag: lag, limit: limit, over: history, atLeast: atLeast,
            pooled: pooled)
    }

    /// `(x, y) over H step S lag 0..L >= r with at least n points`
    private mutating func movesWith() -> CorrelationSyntax.Strength? {
        guard let opening = openArguments() else { return nil }
        let first = expression()
        expect(.comma, "`,` and the other value")
        let second = expression()
        closeBracket(.rightParenthesis, opening)
        brackets.removeLast()
        expect(.over)
        let history = duration()
        expect(.step)
        let step = duration()
        var lag: DurationLiteral?
        if take(.lag) != nil {
            if at(.integer), text(current) == "0" {
                advance()
            } else {
                expected("`0..` and the longest lag")
            }
            if at(.dotDot) {
                layout[index] = .glued
                advance()
                layout[index] = .glued
            } else {
                expected("`..` and the longest lag")
            }
            lag = duration()
        }
        expect(.greaterOrEqual, "`>=` and a limit")
        let limit = sum()
        expect(.with, .at, .least)
        guard let history, let step, let atLeast = integer("how many points") else { return nil }
        expect(.points)
        return .movesWith(
            first, second, over: history, step: step, lag: lag, limit: limit, atLeast: atLeast)
    }

    /// Steps over `(` and keeps it open.
    private mutating func openArguments() -> Token? {
        if at(.leftParenthesis) { layout[index] = .glued }
        guard let opening = expect(.leftParenthesis, "`(`") else { return nil }
        brackets.append(opening)
        return opening
    }
}
