// `rule NAME { metadata pattern actions }`

extension Parser {
    mutating func ruleDeclaration() -> RuleDeclaration {
        let start = advance().range
        let name = name("a name for the rule")
        var rule = RuleDeclaration(
            name: name, clauses: [], pattern: nil, clausesBeforePattern: 0, range: start)
        let known = diagnostics.count
        var given: [String: SourceRange] = [:]
        block("rule `\(name.text)`") { parser in
            parser.ruleClause(into: &rule, &given)
            parser.endClause { $0.keyword.map(Self.ruleWords.contains) == true }
        }
        if rule.pattern == nil {
            rule.clausesBeforePattern = rule.clauses.count
            if diagnostics.count == known, !isPanicking {
                report(
                    .missingClause(
                        "rule `\(name.text)` has no pattern", "a pattern is missing here",
                        at: name.range,
                        help: "say what to look for: `sequence`, `threshold`, `correlation` or "
                            + "`anomaly_cluster`"))
            }
        }
        rule.range = range(from: start)
        return rule
    }

    /// Words that begin a clause of a rule.
    static let ruleWords: [Keyword] = [
        .title, .severity, .tags, .attack, .owner, .runbook, .references, .falsepositives, .enabled,
        .active, .unless, .confidence, .early, .allow, .sequence, .threshold, .correlation,
        .anomalyCluster, .alert, .suppress, .group, .send, .mask, .attach, .risk,
    ]

    private mutating func ruleClause(
        into rule: inout RuleDeclaration, _ given: inout [String: SourceRange]
    ) {
        let start = current
        guard let keyword = clauseKeyword(among: Self.ruleWords, of: "rule") else { return }
        if let pattern = pattern(keyword, start) {
            once("pattern", "a rule has one pattern", at: start.range, &given)
            if rule.pattern == nil {
                rule.pattern = pattern
                rule.clausesBeforePattern = rule.clauses.count
            }
            return
        }
        guard let kind = clause(keyword, start) else { return }
        if !kind.mayRepeat {
            once(keyword.rawValue, "`\(keyword.rawValue)` is given once", at: start.range, &given)
        }
        let words = kind.keywordCount
        rule.clauses.append(
            RuleClause(
                kind, range: range(from: start.range),
                keyword: words == 1 ? start.range : start.range.joined(with: secondWord(of: start)))
        )
    }

    /// The word behind a clause's first: `suppress by`.
    private func secondWord(of start: Token) -> SourceRange {
        var first = index
        while first > 0, tokens[first].range.start > start.range.start { first -= 1 }
        return tokens[min(first + 1, tokens.count - 1)].range
    }

    /// The keyword a clause begins with, stepped over. A misspelled one is reported and read as
    /// what it resembles; anything else is reported and skipped.
    mutating func clauseKeyword(among words: [Keyword], of block: String) -> Keyword? {
        let token = current
        if let keyword = token.keyword, words.contains(keyword), peek().kind != .colon {
            advance()
            return keyword
        }
        if token.kind == .name, text(token) == "level", words.contains(.severity) {
            advance()
            report(.oldSpelling("level", "severity", at: token.range))
            return .severity
        }
        let known = Self.foreignWords[text(token)].flatMap { words.contains($0) ? $0 : nil }
        // Any word of two letters is near any other.
        guard token.kind == .name, peek().kind != .colon, token.range.end - token.range.start > 2,
            let keyword = known
                ?? suggest(text(token), among: words.map(\.rawValue)).flatMap(Keyword.named)
        else {
            fail(
                .unknownClause(
                    describe(token), in: block, words: words.map(\.rawValue), at: token.range))
            return nil
        }
        advance()
        report(
            .misspelledClause(
                text(token), keyword.rawValue, isSimilar: known == nil, in: block, at: token.range))
        return keyword
    }

    /// What other systems call a clause that we have.
    private static let foreignWords: [String: Keyword] = [
        "emit": .alert, "message": .alert, "description": .title, "name": .title,
        "priority": .severity,
        "match": .sequence, "pattern": .sequence, "notify": .send, "throttle": .suppress,
        "having": .when, "condition": .when, "timeframe": .window,
    ]

    /// Reports a clause that was there before.
    mutating func once(
        _ clause: String, _ sentence: String, at place: SourceRange,
        _ given: inout [String: SourceRange]
    ) {
        if let first = given[clause] {
            report(.duplicateClause(sentence, at: place, first: first))
        } else {
            given[clause] = place
        }
    }

    private mutating func pattern(_ keyword: Keyword, _ start: Token) -> PatternSyntax? {
        let kind: PatternSyntax.Kind
        switch keyword {
        case .sequence: kind = .sequence(sequence())
        case .threshold: kind = .threshold(threshold())
        case .correlation: kind = .correlation(correlation())
        case .anomalyCluster: kind = .anomalyCluster(anomalyCluster())
        default: return nil
        }
        return PatternSyntax(kind, range: range(from: start.range), keyword: start.range)
    }

    /// Reads what stands behind a clause's word.
    private mutating func clause(_ keyword: Keyword, _ start: Token) -> RuleClause.Kind? {
        switch keyword {
        case .title: return .title(textLiteral())
        case .severity: return .severity(name("a severity, such as `high`"))
        case .tags: return .tags(labels("a tag"))
        case .attack: return .attack(labels("a technique, such as `T1110.001`"))
        case .owner: return .owner(textLiteral())
        case .runbook: return .runbook(textLiteral())
        case .references: return .references(texts())
        case .falsepositives: return .falsePositives(texts())
        case .enabled: return .enabled(choice(.true, .false))
        case .active:
            let during = choice(.during, .outside)
            return .active(during: during, name("the name of a schedule"))
        case .unless: return .unless(expression())
        case .confidence: return .confidence(expression())
        case .early: return .early(choice(.on, .off))
        case .allow:
            let code = name("the number of a warning, such as `W0601`")
            return .allow(code, reason: textLiteral("the reason in quotes"))
        case .alert: return .alert(message())
        case .suppress:
            guard let (fields, span) = fieldsForSpan() else { return nil }
            return .suppress(by: fields, for: span)
        case .group:
            guard let (fields, span) = fieldsForSpan() else { return nil }
            return .group(by: fields, for: span)
        case .send:
            expect(.to)
            return .send(to: names("the name of a sink"))
        case .mask: return .mask(separated { $0.expression() })
        case .attach: return .attach(separated { $0.expression() })
        case .risk:
            let score = expression()
            expect(.on)
            return .risk(score, on: path("the name of a field"))
        default: return nil
        }
    }

    /// `by src_ip, host for 1h`
    private mutating func fieldsForSpan() -> ([ExpressionSyntax], DurationLiteral)? {
        expect(.by)
        let fields = separated { $0.expression() }
        expect(.for)
        guard let span = duration() else { return nil }
        return (fields, span)
    }

    /// One of two words; true for the first.
    private mutating func choice(_ first: Keyword, _ second: Keyword) -> Bool {
        if take(first) != nil { return true }
        if take(second) == nil { expected(oneOf: first, second) }
        return false
    }

    /// `[a, b-c, "d e"]`
    private mutating func labels(_ what: String) -> [Name] {
        bracketed(.leftBracket, .rightBracket, "`[`") { $0.label(what) } ?? []
    }

    /// `["a", "b"]`, or one text.
    private mutating func texts() -> [TextLiteral] {
        if current.isText { return [textLiteral()] }
        return bracketed(.leftBracket, .rightBracket, "`[` and texts in quotes") {
            $0.textLiteral()
        } ?? []
    }
}

extension RuleClause.Kind {
    /// Whether several of them add up.
    fileprivate var mayRepeat: Bool {
        switch self {
        case .unless, .active, .allow, .send, .mask, .attach, .risk, .references, .falsePositives:
            true
        case .title, .severity, .tags, .attack, .owner, .runbook, .enabled, .confidence, .early,
            .alert, .suppress, .group:
            false
        }
    }

    /// How many words name the clause.
    fileprivate var keywordCount: Int {
        switch self {
        case .active, .suppress, .group, .send: 2
        default: 1
        }
    }
}
