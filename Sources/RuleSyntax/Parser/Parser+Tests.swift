// `test "name" for RULE { lines }`

extension Parser {
    mutating func testDeclaration() -> TestDeclaration {
        let start = advance().range
        let title = textLiteral("what the test shows, in quotes")
        expect(.for)
        let rule = name("the name of a rule")
        var lines: [TestLine] = []
        block("test \(source.text(title.range))") { parser in
            if let line = parser.testLine() { lines.append(line) }
            parser.endClause { $0.keyword.map(Self.testWords.contains) == true }
        }
        return TestDeclaration(title: title, rule: rule, lines: lines, range: range(from: start))
    }

    private static let testWords: [Keyword] = [
        .at, .arrives, .list, .watch, .advance, .crash, .expect,
    ]

    private mutating func testLine() -> TestLine? {
        let start = current.range
        guard let keyword = clauseKeyword(among: Self.testWords, of: "test") else { return nil }
        guard let kind = testLineKind(keyword) else { return nil }
        return TestLine(kind, range(from: start))
    }

    private mutating func testLineKind(_ keyword: Keyword) -> TestLine.Kind? {
        switch keyword {
        case .at:
            guard let time = duration() else { return nil }
            let event = testEvent()
            guard take(.repeat) != nil else {
                return .event(at: time, event, count: nil, every: nil)
            }
            let count = integer("how many times")
            expect(.every)
            return .event(at: time, event, count: count, every: duration())
        case .arrives:
            expect(.at)
            guard let arrival = duration() else { return nil }
            let event = testEvent()
            expect(.time)
            return duration().map { .late(arrives: arrival, event, time: $0) }
        case .list:
            let name = name("the name of a list")
            expect(.assign, "`=`")
            let values = bracketed(.leftBracket, .rightBracket, "`[`") { $0.expression() }
            return .list(name, values ?? [])
        case .watch:
            expect(.from)
            return duration().map { .watch(from: $0) }
        case .advance:
            expect(.to)
            return duration().map { .advance(to: $0) }
        case .crash:
            expect(.at)
            return duration().map { .crash(at: $0) }
        case .expect:
            return expectation()
        default:
            return nil
        }
    }

    /// `ssh.login { user: "root", outcome: "failure" }`
    private mutating func testEvent() -> TestEvent {
        let type = path("an event type")
        var event = TestEvent(type: type, fields: [])
        if isPanicking { return event }
        let opening = current
        if at(.leftBrace) {
            layout[index] = .inlineOpen
            advance()
        } else {
            expected("`{` and the event's fields")
            // With fields all the same, only the brace was forgotten.
            guard current.isName, [.colon, .dot].contains(peek().kind) else { return event }
            isPanicking = false
        }
        brackets.append(opening)
        while !isAtFieldsEnd, !isPanicking {
            layout[index] = .valueStart
            let path = path("the name of a field")
            expect(.colon, "`:` and a value")
            event.fields.append((path, expression()))
            // Between fields stands a comma or a line end.
            if take(.comma) == nil, !current.startsLine { break }
        }
        if at(.rightBrace) { layout[index] = .inlineClose }
        if isAtFieldsEnd, !at(.rightBrace), !isPanicking {
            report(.unclosedBracket("{", at: opening.range, before: endOfPrevious))
        } else if at(.rightBrace) {
            closeBracket(.rightBrace, opening)
        } else {
            expected("`,` or `}`")
        }
        brackets.removeLast()
        return event
    }

    /// Whether no field of an event begins here: a brace, or a line that is plainly something else.
    private var isAtFieldsEnd: Bool {
        guard !isAtBracketEnd else { return true }
        let isTestWord = current.keyword.map(Self.testWords.contains) == true
        return current.startsLine && isTestWord && peek().kind != .colon && peek().kind != .dot
    }

    private mutating func expectation() -> TestLine.Kind? {
        if take(.nothing) != nil {
            let isElse = take(.else) != nil
            let limit = take(.before) == nil ? nil : duration()
            return .expectNothing(else: isElse, before: limit)
        }
        let outcome: TestLine.Outcome
        switch current.keyword {
        case .alert: outcome = .alert
        case .resolve: outcome = .resolve
        case .correction: outcome = .correction
        default:
            expected(oneOf: .alert, .resolve, .correction, .nothing)
            return nil
        }
        advance()
        expect(.at)
        guard let time = duration() else { return nil }
        let conditions = take(.with) == nil ? [] : separated { $0.expression() }
        return .expect(outcome, at: time, with: conditions)
    }
}
