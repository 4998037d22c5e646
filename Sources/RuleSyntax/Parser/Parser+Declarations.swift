// The top level of a file: imports, events, streams, lists, constants.

extension Parser {
    /// Reads the whole file.
    mutating func declarations() -> [Declaration] {
        var declarations: [Declaration] = []
        while !atEnd {
            let before = index
            layout[index] = .declarationStart
            joined = index
            clauseStart = index
            if let declaration = declaration() { declarations.append(declaration) }
            endDeclaration()
            if index == before { advance() }
        }
        return declarations
    }

    private mutating func declaration() -> Declaration? {
        guard let keyword = current.keyword else { return unknownDeclaration() }
        return declaration(keyword)
    }

    private mutating func declaration(_ keyword: Keyword) -> Declaration? {
        switch keyword {
        case .import: return .import(importDeclaration())
        case .event: return .event(eventDeclaration())
        case .select: return selectDeclaration().map { .select($0) }
        case .list: return .list(listDeclaration())
        case .schedule: return .schedule(scheduleDeclaration())
        case .let: return .let(letDeclaration())
        case .define: return .define(defineDeclaration())
        case .rule: return .rule(ruleDeclaration())
        case .metric: return .metric(metricDeclaration())
        case .test: return .test(testDeclaration())
        case .source: return .deployment(deploymentDeclaration(.source))
        case .sink: return .deployment(deploymentDeclaration(.sink))
        case .engine: return .deployment(deploymentDeclaration(.engine))
        default: return unknownDeclaration()
        }
    }

    static let declarationWords: [Keyword] = [
        .import, .event, .select, .list, .schedule, .let, .define, .rule, .metric, .test, .source,
        .sink, .engine,
    ]

    /// A line that begins no declaration: a misspelled word is read as what it resembles.
    private mutating func unknownDeclaration() -> Declaration? {
        let token = current
        if at(.rightBrace) {
            advance()
            report(.unexpectedBrace(at: token.range))
            return nil
        }
        let word = text(token)
        if ["SELECT", "WITH", "FROM"].contains(word.uppercased()), token.kind == .name {
            fail(.sql(word, at: token.range))
            skipParagraph()
            return nil
        }
        let suggestion = suggest(word, among: Self.declarationWords.map(\.rawValue))
        fail(.unknownDeclaration(describe(token), suggestion: suggestion, at: token.range))
        let next = peek()
        if let meant = suggestion.flatMap(Keyword.named), token.kind == .name, !next.startsLine,
            next.isName || next.isText || next.kind == .leftBrace
        {
            isPanicking = false
            return declaration(meant)
        }
        skipParagraph()
        return nil
    }

    /// Skips to the next declaration, or to the next line behind an empty one that is in no block.
    private mutating func skipParagraph() {
        var depth = 0
        repeat {
            if at(.leftBrace) { depth += 1 }
            if at(.rightBrace) { depth = max(0, depth - 1) }
            advance()
            let isParagraph =
                source.line(at: current.range.start) > source.line(at: previous.range.end) + 1
            if depth == 0, isParagraph { return }
        } while !atEnd && !isAtDeclaration
    }

    private mutating func endDeclaration() {
        if isPanicking {
            skipToClause()
            isPanicking = false
            return
        }
        // A brace too many is judged by the next round.
        if atEnd || at(.rightBrace) || current.startsLine { return }
        if looksLikeDeclaration(at: index) {
            report(
                .twoClausesOnOneLine(describe(current), at: current.range, gap: gapBeforeCurrent))
            return
        }
        fail(.unexpected(describe(current), at: current.range))
        skipToClause()
        // What goes on with a text, a number or a bracket belongs to the line that was not understood.
        while !atEnd, !current.isName, !at(.rightBrace) { advance() }
        isPanicking = false
    }
}

// MARK: - Imports and events

extension Parser {
    private mutating func importDeclaration() -> ImportDeclaration {
        let start = advance().range
        let path = textLiteral("the path of a file in quotes")
        return ImportDeclaration(path: path, range: range(from: start))
    }

    private mutating func eventDeclaration() -> EventDeclaration {
        let start = advance().range
        let path = path("the name of an event type")
        var fields: [EventDeclaration.Field] = []
        block("event `\(path.text)`", oneLine: .max, inlineLayout: .fieldStart) { parser in
            if let field = parser.eventField() { fields.append(field) }
            _ = parser.take(.comma)
            // Several fields may share a line: each is a name, a colon and a type.
            parser.endClause(sharesLine: true) { $0.isName }
        }
        return EventDeclaration(path: path, fields: fields, range: range(from: start))
    }

    private mutating func eventField() -> EventDeclaration.Field? {
        guard current.isName else {
            expected("a field, such as `user: text`")
            return nil
        }
        let path = path("the name of a field")
        guard expect(.colon, "`:` and a type") != nil else { return nil }
        let type = type()
        let isOptional = take(.question) != nil
        return EventDeclaration.Field(path: path, type: type, isOptional: isOptional)
    }

    private mutating func type() -> TypeSyntax {
        let start = current
        if at(.leftBracket) {
            guard nesting < Self.nestingMax else {
                fail(.nestedTooDeeply(max: Self.nestingMax, at: start.range))
                return TypeSyntax(.named(""), start.range)
            }
            nesting += 1
            defer { nesting -= 1 }
            advance()
            brackets.append(start)
            let element = type()
            closeBracket(.rightBracket, start)
            brackets.removeLast()
            return TypeSyntax(.list(element), range(from: start.range))
        }
        if start.isText {
            var options = [textLiteral()]
            while at(.bar), isSameLine(current) {
                advance()
                options.append(textLiteral("another text in quotes"))
            }
            return TypeSyntax(.oneOf(options), range(from: start.range))
        }
        let name = name("a type, such as `text`")
        if let ours = Self.foreignTypes[name.text.lowercased()], ours != name.text {
            report(.foreignType(name.text, ours, at: name.range))
            return TypeSyntax(.named(ours), name.range)
        }
        return TypeSyntax(.named(name.text), name.range)
    }

    /// Type names of other languages, and what they are called here.
    private static let foreignTypes: [String: String] = [
        "string": "text", "str": "text", "varchar": "text", "char": "text", "keyword": "text",
        "int": "number", "integer": "number", "long": "number", "bigint": "number",
        "float": "number", "double": "number", "decimal": "number", "int64": "number",
        "boolean": "bool", "timestamp": "time", "datetime": "time", "date": "time",
        "ipaddr": "ip", "inet": "ip", "interval": "duration",
    ]
}

// MARK: - Streams, lists, constants

extension Parser {
    private mutating func selectDeclaration() -> SelectDeclaration? {
        let start = advance().range
        if at(.star)
            || (current.isName && [.comma, .name].contains(peek().kind) && !peek().startsLine)
        {
            fail(.sql("select", at: start))
            skipParagraph()
            return nil
        }
        let name = name("a name for the stream")
        expect(.assign, "`=`")
        let source = sourceSyntax()
        return SelectDeclaration(name: name, source: source, range: range(from: start))
    }

    private mutating func listDeclaration() -> ListDeclaration {
        let start = advance().range
        let name = name("a name for the list")
        var list = ListDeclaration(
            name: name, element: nil, path: nil, key: nil, refresh: nil, values: nil, range: start)
        if take(.of) != nil {
            list.element = self.name(
                "what the list holds: `text`, `number`, `cidr`, `pair` or `table`")
        }
        if take(.from) != nil {
            list.path = textLiteral("the path of a file in quotes")
            if take(.key) != nil { list.key = self.name("the name of a column") }
            if take(.refresh) != nil { list.refresh = duration() }
        } else if take(.assign) != nil {
            list.values = bracketed(.leftBracket, .rightBracket, "`[`") { $0.expression() }
        } else {
            expected("`from \"FILE\"` or `= [...]`")
        }
        list.range = range(from: start)
        return list
    }

    private mutating func scheduleDeclaration() -> ScheduleDeclaration {
        let start = advance().range
        let name = name("a name for the schedule")
        expect(.assign, "`=`")
        let times = textLiteral("times in quotes, such as `\"Mon-Fri 08:00-18:00\"`")
        expect(.in)
        let zone = textLiteral("a time zone in quotes, such as `\"Europe/Berlin\"`")
        return ScheduleDeclaration(name: name, times: times, zone: zone, range: range(from: start))
    }

    private mutating func letDeclaration() -> LetDeclaration {
        let start = advance().range
        let name = name("a name for the constant")
        expect(.assign, "`=`")
        joinLine()
        let value = expression()
        return LetDeclaration(name: name, value: value, range: range(from: start))
    }

    private mutating func defineDeclaration() -> DefineDeclaration {
        let start = advance().range
        let name = name("a name for the function")
        if at(.leftParenthesis) { layout[index] = .glued }
        let parameters = bracketed(.leftParenthesis, .rightParenthesis, "`(` and the parameters") {
            $0.name("the name of a parameter")
        }
        expect(.assign, "`=`")
        joinLine()
        let body = expression()
        return DefineDeclaration(
            name: name, parameters: parameters ?? [], body: body, range: range(from: start))
    }
}

// MARK: - Pieces shared by several declarations

extension Parser {
    /// `ssh.login where outcome == "failure"`, `alert`, `alert error_rate_high`.
    mutating func sourceSyntax() -> SourceSyntax {
        let start = current.range
        let stream = stream()
        var source = SourceSyntax(stream: stream, condition: nil, range: start, whereRange: nil)
        if let word = take(.where) {
            source.whereRange = word.range
            source.condition = expression()
        }
        source.range = range(from: start)
        return source
    }

    private mutating func stream() -> SourceSyntax.Stream {
        guard current.isName, isSameLine(current), !at(.where) else {
            let isCondition = at(.where) && !isPanicking
            expected("an event type")
            // The condition is read all the same.
            if isCondition { isPanicking = false }
            return .missing
        }
        if at(.alert), peek().kind != .dot {
            advance()
            guard current.isName, !current.startsLine, !isAfterSource else { return .alert(nil) }
            return .alert(name("the name of a rule"))
        }
        return .named(path("an event type"))
    }

    /// Words that follow a source, and so are not the name of the rule behind `alert`.
    private var isAfterSource: Bool {
        switch current.keyword {
        case .where, .by, .within, .for, .as, .every, .then, .until, .without: true
        default: false
        }
    }

    /// `by src_ip, host from list prod_hosts`; the cursor stands at `by`.
    mutating func keys() -> KeySyntax {
        let start = expect(.by)?.range ?? current.range
        // A field called `within` would read as the next clause.
        if at(.within) { expected("the name of a field") }
        let fields = separated { $0.path("the name of a field") }
        var list: Name?
        if continued(.from) {
            expect(.from, .list)
            list = name("the name of a list")
        }
        return KeySyntax(fields: fields, list: list, range: range(from: start))
    }

    /// `by host = src.host, user = src.user`; the cursor stands at `by`.
    mutating func aliases() -> [KeyAlias] {
        expect(.by)
        return separated { parser in
            let key = parser.path("the name of a key")
            parser.expect(.assign, "`=` and the field that holds it here")
            let field = parser.path("the name of a field")
            return KeyAlias(key: key, field: field)
        }
    }

    /// Names with commas between them.
    mutating func names(_ what: String) -> [Name] { separated { $0.name(what) } }
}
