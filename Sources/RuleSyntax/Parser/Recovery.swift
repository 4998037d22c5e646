// How the parser goes on after a mistake.
//
// Tokens have a strength, from weak to strong: literals and names, operators, `,`, `)` and `]`, the
// start of a clause, `{`, `}`, the start of a declaration, the end of the file. To find its way
// again the parser skips weaker tokens only. Rules do not nest, so a declaration at the start of a
// line closes every open block: one forgotten brace cannot swallow the rest of the file.

/// A block whose closing brace has not been seen.
struct OpenBlock {
    /// For example "rule `brute_force`".
    var title: String
    var brace: SourceRange
}

// MARK: - Reporting

extension Parser {
    /// Reports a mistake that the parser understood; it goes on as if it had not been made.
    mutating func report(_ diagnostic: Diagnostic) {
        if !isPanicking { diagnostics.append(diagnostic) }
    }

    /// Reports a mistake and goes silent until the next clause.
    mutating func fail(_ diagnostic: Diagnostic) {
        report(diagnostic)
        guard !isPanicking else { return }
        isPanicking = true
        bracketsAtPanic = brackets.map(\.kind)
    }

    /// Fails with "expected this, found that".
    mutating func expected(_ what: String, help: Help? = nil) {
        let endsLine = atEnd || !isSameLine(current)
        let place = endsLine ? endOfPrevious : current.range
        let found = atEnd ? endTitle : endsLine ? "the end of the line" : describe(current)
        fail(.expected(what, found: found, isEnd: endsLine, at: place, help: help))
    }

    /// Fails with "expected one of these words", and with the one that was meant.
    mutating func expected(oneOf keywords: Keyword...) {
        let words = keywords.map(\.rawValue)
        let quoted = words.map { "`\($0)`" }
        let list = quoted.dropLast().joined(separator: ", ") + " or " + quoted[quoted.count - 1]
        let isWord = current.kind == .name && isSameLine(current)
        let help = isWord ? suggest(text(current), among: words) : nil
        expected(
            list,
            help: help.map {
                Help("there is a similar word: `\($0)`", fix: .replace(current.range, with: $0))
            })
    }

    func describe(_ token: Token) -> String {
        if token.kind == .endOfFile { return endTitle }
        let text = text(token)
        return text.unicodeScalars.count <= 40
            ? "`\(text)`"
            : "`\(String(String.UnicodeScalarView(text.unicodeScalars.prefix(37))))...`"
    }
}

// MARK: - Clauses

extension Parser {
    /// Comes to the end of a clause: reports what is left over on the line, and ends a panic.
    ///
    /// - Parameters:
    ///   - sharesLine: Whether the next clause may stand on the same line.
    ///   - startsClause: Whether a token begins a clause of this block.
    mutating func endClause(
        sharesLine: Bool = false, startsClause: (Token) -> Bool = { _ in false }
    ) {
        if isPanicking {
            skipToClause()
            isPanicking = false
            return
        }
        if atEnd || at(.rightBrace) || current.startsLine { return }
        if startsClause(current) {
            if sharesLine { return }
            report(
                .twoClausesOnOneLine(describe(current), at: current.range, gap: gapBeforeCurrent))
            return
        }
        fail(.unexpected(describe(current), at: current.range))
        skipToClause()
        isPanicking = false
    }

    /// How far a mistake is looked past. Without a limit many mistakes in one long block would take
    /// time that grows with the square of its length.
    private var lookAheadEnd: Int { min(index + 1_000, tokens.count) }

    /// The space between the token before and the cursor.
    var gapBeforeCurrent: SourceRange {
        SourceRange(source: source.id, start: endOfPrevious.start, end: current.range.start)
    }

    /// Skips to the next clause, to the brace that closes this block, or to a declaration.
    mutating func skipToClause() {
        leaveBrackets()
        var depth = 0
        while !atEnd, !isAtDeclaration {
            if depth == 0 {
                if at(.rightBrace) { return }
                // A clause whose first token is the mistake is skipped all the same.
                let begins = current.startsLine && index > clauseStart
                if begins, current.keyword?.continuesClause != true { return }
            }
            if at(.leftBrace) { depth += 1 }
            if at(.rightBrace) { depth -= 1 }
            advance()
        }
    }

    /// Where a mistake lies between brackets that are closed further on, steps behind them; what
    /// stands on the lines between is no clause.
    private mutating func leaveBrackets() {
        var open = bracketsAtPanic
        bracketsAtPanic = []
        guard !open.isEmpty, !open.contains(.leftBrace) || closingBrace() != nil else { return }
        for target in index..<lookAheadEnd {
            if isDeclaration(at: target) { return }
            let kind = tokens[target].kind
            switch kind {
            case .leftParenthesis, .leftBracket:
                open.append(kind)
            case .rightParenthesis, .rightBracket:
                if open.last?.closing == kind { open.removeLast() }
            case .rightBrace:
                guard let brace = open.lastIndex(of: .leftBrace) else { return }
                open.removeSubrange(brace...)
            case .leftBrace, .endOfFile:
                return
            default:
                break
            }
            if open.isEmpty {
                index = target + 1
                return
            }
        }
    }
}

extension Token.Kind {
    /// The closing bracket for an opening one.
    fileprivate var closing: Token.Kind? {
        switch self {
        case .leftParenthesis: .rightParenthesis
        case .leftBracket: .rightBracket
        case .leftBrace: .rightBrace
        default: nil
        }
    }
}

// MARK: - Blocks and brackets

extension Parser {
    /// Reads `{`, a clause after the other, and `}`.
    ///
    /// - Parameters:
    ///   - title: What the block is, for a message that it is not closed.
    ///   - oneLine: Whether the block may be one with its line, and how many clauses it then holds
    ///     at most.
    ///   - inlineLayout: What the first tokens of clauses are then.
    ///   - endsEarly: Whether a token shows that the block has ended although no brace came:
    ///     an action of the rule in the middle of a sequence.
    ///   - clause: Reads one clause and comes to its end. If it does not move, the parser skips a
    ///     token.
    mutating func block(
        _ title: String, oneLine clausesMax: Int = 0, inlineLayout: Layout = .inlineStart,
        endsEarly: (Parser) -> Bool = { _ in false }, clause: (inout Parser) -> Void
    ) {
        guard openBlock(title) else { return }
        let opening = index - 1
        var clauseStarts: [Int] = []
        while !at(.rightBrace) {
            if isAtDeclaration || atEnd || endsEarly(self) {
                unclosedBlock(ended: !isAtDeclaration && !atEnd)
                blocks.removeLast()
                return
            }
            let before = index
            clauseStarts.append(index)
            joined = index
            clauseStart = index
            clause(&self)
            if index == before {
                assert(
                    isPanicking || !diagnostics.isEmpty, "a clause that does not move must say why")
                advance()
            }
        }
        let isOneLine =
            clauseStarts.count <= clausesMax && !clauseStarts.isEmpty
            && !tokens[opening + 1...index].contains(where: \.startsLine)
        for start in clauseStarts where layout[start] == .inside {
            layout[start] = isOneLine ? inlineLayout : .clauseStart
        }
        if tokens[opening].kind == .leftBrace {
            layout[opening] = isOneLine ? .inlineOpen : .blockOpen
        }
        layout[index] = isOneLine ? .inlineClose : .blockClose
        advance()
        blocks.removeLast()
    }

    /// Steps over the `{` of a block. Where it is missing but a `}` for it follows, goes on as if it
    /// stood here.
    private mutating func openBlock(_ title: String) -> Bool {
        if isPanicking {
            // The header was not understood. Its block is read all the same, so that the mistakes
            // in it and the names it declares are known.
            while !atEnd, !at(.leftBrace), !at(.rightBrace), !current.startsLine { advance() }
            guard at(.leftBrace) else { return false }
            isPanicking = false
            bracketsAtPanic = []
        }
        guard blocks.count < Self.nestingMax else {
            fail(.nestedTooDeeply(max: Self.nestingMax, at: current.range))
            return false
        }
        if at(.leftBrace) {
            blocks.append(OpenBlock(title: title, brace: advance().range))
            return true
        }
        let place = endOfPrevious
        expected("`{`")
        guard let closing = closingBrace() else { return false }
        if tokens[index..<closing].contains(where: \.startsLine) {
            while !current.startsLine { advance() }
        }
        isPanicking = false
        blocks.append(OpenBlock(title: title, brace: place))
        return true
    }

    /// The brace that would close a block opened here, if there is one more than the blocks around
    /// need.
    private func closingBrace() -> Int? {
        var depth = 1
        var first: Int?
        for target in index..<lookAheadEnd {
            if isDeclaration(at: target) { return nil }
            if tokens[target].kind == .leftBrace { depth += 1 }
            if tokens[target].kind == .rightBrace { depth -= 1 }
            if depth == 0, first == nil { first = target }
            if depth == -blocks.count { return first }
        }
        return nil
    }

    /// Reports a block that is not closed: all that are open, when a declaration begins or the file
    /// ends, else the innermost.
    private mutating func unclosedBlock(ended early: Bool) {
        guard unclosedAt != index else { return }
        unclosedAt = index
        let block = early ? blocks[blocks.count - 1] : blocks[0]
        let next: Diagnostic.BlockInterruption =
            atEnd ? .endOfFile : .clause(current.range, text(current))
        let name = early || atEnd ? nil : nameOfDeclaration
        isPanicking = false
        report(
            .unclosedBlock(
                block.title, open: block.brace, after: endOfPrevious, next: next, resumedWith: name,
                count: early ? 1 : blocks.count, line: source.line(at: endOfPrevious.start) + 2))
    }

    /// Whether the cursor stands between brackets at something that can only lie behind them.
    var isAtBracketEnd: Bool {
        atEnd || at(.rightBrace) || isAtDeclaration
    }

    /// Steps over a closing bracket or reports the opening one as not closed.
    mutating func closeBracket(_ close: Token.Kind, _ opening: Token) {
        if take(close) != nil {
            // A mistake between these brackets is behind the cursor now.
            if isPanicking { bracketsAtPanic = Array(bracketsAtPanic.prefix(brackets.count - 1)) }
            return
        }
        if isPanicking { return }
        // With the bracket closed further on, or by a wrong one, the mistake is what stands here.
        let isWrongBracket = [.rightParenthesis, .rightBracket].contains(current.kind)
        if isWrongBracket || isClosedFurtherOn(close) {
            expected(
                close == .rightParenthesis
                    ? "`)`" : "`,` or `\(close == .rightBracket ? "]" : "}")`")
        } else {
            report(.unclosedBracket(text(opening), at: opening.range, before: endOfPrevious))
        }
    }

    /// Whether the bracket's partner comes before anything that is stronger.
    private func isClosedFurtherOn(_ close: Token.Kind) -> Bool {
        var depth = 1
        for target in index..<lookAheadEnd {
            if isDeclaration(at: target) { return false }
            switch tokens[target].kind {
            case .leftParenthesis, .leftBracket: depth += 1
            case .rightParenthesis, .rightBracket:
                depth -= 1
                if depth == 0 { return tokens[target].kind == close }
            case .leftBrace, .rightBrace, .endOfFile: return false
            // `name: ...` or `then ...` on a line of its own: the next clause.
            case .name where tokens[target].startsLine && startsStep(at: target): return false
            default: break
            }
        }
        return false
    }
}

extension Parser {
    /// Whether a line that begins here is a step, a member or a field.
    private func startsStep(at start: Int) -> Bool {
        let next = tokens[min(start + 1, tokens.count - 1)]
        return [.then, .until, .without].contains(tokens[start].keyword) || next.kind == .colon
    }
}

// MARK: - Declarations

extension Parser {
    /// Whether a declaration begins here: its word at the start of a line, and behind it what a
    /// declaration has and no clause. A field called `event` is not one.
    var isAtDeclaration: Bool { isDeclaration(at: index) }

    private func isDeclaration(at start: Int) -> Bool {
        tokens[start].startsLine && looksLikeDeclaration(at: start)
    }

    /// Whether a declaration's word stands here with what a declaration has behind it.
    func looksLikeDeclaration(at start: Int) -> Bool {
        guard let keyword = tokens[start].keyword else { return false }
        func peek(_ offset: Int) -> Token { tokens[min(start + offset, tokens.count - 1)] }
        let next = peek(1)
        guard !next.startsLine else { return false }
        let afterNext = peek(2)
        switch keyword {
        case .rule, .metric, .source, .sink:
            return next.isName && (afterNext.kind == .leftBrace || afterNext.startsLine)
        case .event:
            guard next.isName else { return false }
            var offset = 2
            while peek(offset).kind == .dot, peek(offset + 1).isName { offset += 2 }
            return peek(offset).kind == .leftBrace || peek(offset).startsLine
        case .engine:
            return next.kind == .leftBrace
        case .import:
            return next.isText
        case .test:
            return next.isText && afterNext.keyword == .for
        case .select, .schedule, .let:
            return next.isName && afterNext.kind == .assign
        case .define:
            return next.isName && afterNext.kind == .leftParenthesis
        case .list:
            // `list NAME = [...]` is also a line of a test.
            return next.isName && (afterNext.keyword == .of || afterNext.keyword == .from)
        default:
            return false
        }
    }

    /// The name of the declaration at the cursor, for a message.
    private var nameOfDeclaration: String? {
        let next = peek()
        return next.isName || next.isText ? text(next) : text(current)
    }
}
