// `source`, `sink` and `engine`: blocks of settings, whose words the checker knows.

extension Parser {
    mutating func deploymentDeclaration(_ kind: DeploymentDeclaration.Kind) -> DeploymentDeclaration
    {
        let start = advance().range
        let name = kind == .engine ? nil : name("a name for the \(kind.rawValue)")
        let title = name.map { "\(kind.rawValue) `\($0.text)`" } ?? kind.rawValue
        let settings = settings(title)
        return DeploymentDeclaration(
            kind: kind, name: name, settings: settings, range: range(from: start))
    }

    /// The settings of a block: one on each line, or several in a block of one line.
    private mutating func settings(_ title: String) -> [SettingSyntax] {
        guard nesting < Self.nestingMax else {
            fail(.nestedTooDeeply(max: Self.nestingMax, at: current.range))
            return []
        }
        nesting += 1
        defer { nesting -= 1 }
        var settings: [SettingSyntax] = []
        let isOneLine = at(.leftBrace) && !peek().startsLine
        block(title, oneLine: isOneLine ? .max : 0) { parser in
            if let setting = parser.setting(isOneLine: isOneLine) { settings.append(setting) }
            parser.endClause(sharesLine: isOneLine) { $0.isName }
        }
        return settings
    }

    private mutating func setting(isOneLine: Bool) -> SettingSyntax? {
        let start = current
        guard start.isName else {
            fail(
                .expected(
                    "a setting", found: describe(start), isEnd: false, at: start.range, help: nil))
            return nil
        }
        var items: [SettingSyntax.Item] = []
        var hasValue = false
        while !atEnd, !at(.leftBrace), !at(.rightBrace), !current.startsLine || items.isEmpty,
            !isPanicking
        {
            // In a block of one line a word behind a value begins the next setting.
            if isOneLine, hasValue, current.isName, !joinsSetting { break }
            let item = item(isFirst: items.isEmpty)
            if case .word = item { hasValue = joinsPrevious } else { hasValue = true }
            items.append(item)
            if items.count == 1, text(start) == "when", !isPanicking {
                items.append(.value(expression()))
                break
            }
            _ = take(.comma)
        }
        var block: [SettingSyntax]?
        if at(.leftBrace) { block = settings("this `\(text(start))`") }
        return SettingSyntax(items: items, block: block, range: range(from: start.range))
    }

    /// Whether the word at the cursor goes on with a setting that has a value already.
    private var joinsSetting: Bool {
        switch current.keyword {
        case .for, .per, .every, .within, .max, .at, .to: true
        default: false
        }
    }

    /// Whether the word before the cursor keeps its setting open for one more word: `1 per second`.
    private var joinsPrevious: Bool {
        guard index >= 2 else { return false }
        return previous.keyword != .per && tokens[index - 2].keyword == .per
    }

    private mutating func item(isFirst: Bool) -> SettingSyntax.Item {
        let start = current
        let isLong = { (parser: Parser) in
            let next = parser.peek()
            return next.range.start == start.range.end && !next.startsLine && next.isBare
        }
        if start.isName || start.isNumeric || start.kind == .star || start.kind == .colon
            || start.kind == .slash,
            isLong(self)
        {
            advance()
            while isGlued, current.isBare {
                layout[index] = .glued
                advance()
            }
            let range = range(from: start.range)
            return .bare(Name(source.text(range), range))
        }
        if start.isName {
            if at(.true) || at(.false) { return .value(factor()) }
            let name = name("a setting")
            return .word(name)
        }
        return .value(factor())
    }
}

extension Token {
    /// Whether it can be a piece of a bare value such as `127.0.0.1:8686`.
    fileprivate var isBare: Bool {
        switch kind {
        case .dot, .colon, .minus, .slash, .star: true
        default: isName || isNumeric
        }
    }
}
