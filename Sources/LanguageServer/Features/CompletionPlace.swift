import RuleSyntax

/// Where a completion was asked for, read from the tokens: the tree of a half-written line is of no
/// use, the lines and blocks around it are.
struct CompletionPlace {
    /// An open block: the words of its first line, without the brace.
    struct Block {
        var header: [Token]
    }

    /// From the outermost to the innermost.
    var blocks: [Block] = []
    /// The tokens of the clause in front of the cursor, without the word being typed.
    var clause: [Token] = []
    /// The word being typed, empty where there is none.
    var word: SourceRange
    /// The text literal that the cursor is in.
    var text: Token?
    /// Inside the braces of a message.
    var isInMessage = false

    private let source: SourceText

    /// Nil: inside a comment or a number, where nothing is completed.
    init?(_ source: SourceText, at offset: UInt32) {
        self.source = source
        word = SourceRange(source: source.id, start: offset, end: offset)
        let all = lex(source).tokens
        let message = all.first {
            $0.kind == .message && $0.range.start < offset && offset <= $0.range.end
        }
        read(all, upTo: message?.range.start ?? offset)
        if let message {
            let inner = expressionTokens(source, at: offset)
            // Outside braces a message is text.
            guard inner != all else { return nil }
            isInMessage = true
            clause = []
            text = nil
            word = SourceRange(source: source.id, start: offset, end: offset)
            for token in inner where token.range.start >= message.range.start {
                guard take(token, offset) else { return nil }
            }
            return
        }
        if let last = all.last(where: { $0.range.start < offset && $0.kind != .newline }) {
            if last.kind == .comment, offset <= source.lineEnd(of: last) { return nil }
            let isNumber: Bool =
                switch last.kind {
                case .integer, .decimal, .percent, .size, .duration, .unknownUnit: true
                default: false
                }
            if isNumber, offset <= last.range.end { return nil }
        }
    }

    /// Adds a token in front of the cursor to the clause.
    ///
    /// - Returns: false in a number, where nothing is completed.
    private mutating func take(_ token: Token, _ offset: UInt32) -> Bool {
        guard token.range.start < offset, !token.isTrivia, token.kind != .endOfFile else {
            return true
        }
        if token.range.end < offset {
            clause.append(token)
            return true
        }
        switch token.kind {
        case .name, .quotedName: word = token.range
        case .text, .rawText:
            if offset < token.range.end || !isClosed(token) {
                text = token
            } else {
                clause.append(token)
            }
        case .integer, .decimal, .percent, .size, .duration, .unknownUnit: return false
        default: clause.append(token)
        }
        return true
    }

    private func isClosed(_ token: Token) -> Bool {
        token.range.length > 1 && source.bytes[Int(token.range.end) - 1] == UInt8(ascii: "\"")
    }

    private mutating func read(_ tokens: [Token], upTo offset: UInt32) {
        var brackets = 0
        for token in tokens where token.range.start < offset {
            if token.isTrivia || token.kind == .endOfFile { continue }
            // A word in column 1 that begins a declaration closes what was left open.
            if token.startsLine, isDeclarationStart(token), token.range.end < offset {
                (blocks, brackets) = ([], 0)
            }
            if token.startsLine, brackets == 0, !continues(token), !isOpenEnded { clause = [] }
            switch token.kind {
            case .leftBrace:
                blocks.append(Block(header: clause))
                (clause, brackets) = ([], 0)
                continue
            case .rightBrace:
                if !blocks.isEmpty { blocks.removeLast() }
                (clause, brackets) = ([], 0)
                continue
            case .leftParenthesis, .leftBracket: brackets += 1
            case .rightParenthesis, .rightBracket: brackets = max(0, brackets - 1)
            default: break
            }
            _ = take(token, offset)
        }
        // A cursor on a new line begins a clause, unless the line before is not done.
        if let last = clause.last, brackets == 0, !isOpenEnded,
            source.line(at: last.range.end) < source.line(at: word.start)
        {
            let typed = tokens.first { $0.range == word }
            if typed.map({ !continues($0) }) ?? true { clause = [] }
        }
    }

    private func isDeclarationStart(_ token: Token) -> Bool {
        guard source.lineStarts[source.line(at: token.range.start)] == token.range.start else {
            return false
        }
        return CompletionWords.declarations.contains { $0.label == source.text(token.range) }
    }

    private func continues(_ token: Token) -> Bool {
        switch token.keyword {
        case .and, .or, .where, .within, .for: !clause.isEmpty
        default: false
        }
    }

    /// Whether the clause so far ends in something that has to go on.
    private var isOpenEnded: Bool {
        switch clause.last?.kind {
        case .comma, .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .plus,
            .minus, .star, .slash, .percentSign, .assign:
            true
        default: clause.last?.keyword == .and || clause.last?.keyword == .or
        }
    }

    // MARK: - Reading a clause

    func text(_ token: Token) -> String { source.text(token.range) }

    func has(_ keyword: Keyword) -> Bool { clause.contains { $0.keyword == keyword } }

    func index(of keyword: Keyword) -> Int? { clause.firstIndex { $0.keyword == keyword } }

    var first: Keyword? { clause.first?.keyword }
    var last: Token? { clause.last }

    /// The words of the innermost block's first line.
    var header: [Token] { blocks.last?.header ?? [] }

    /// `a.b.` in front of the cursor: the names, without what is being typed.
    var base: [String] {
        guard last?.kind == .dot else { return [] }
        var names: [String] = []
        var index = clause.count - 1
        while index > 0, clause[index].kind == .dot {
            guard clause[index - 1].kind == .name || clause[index - 1].kind == .quotedName else {
                return []
            }
            names.insert(text(clause[index - 1]), at: 0)
            index -= 2
        }
        return names
    }

    /// The clause without the dotted name that is being typed.
    var clauseBeforeName: ArraySlice<Token> {
        clause.dropLast(base.count * 2)
    }

    /// The dotted name that begins at an index of the clause.
    func path(from index: Int) -> String {
        var names: [String] = []
        var position = index
        while position < clause.count,
            clause[position].kind == .name || clause[position].kind == .quotedName
        {
            names.append(text(clause[position]))
            guard position + 1 < clause.count, clause[position + 1].kind == .dot else { break }
            position += 2
        }
        return names.joined(separator: ".")
    }

    /// Whether an operand has just ended, so that an operator can follow.
    var isBehindOperand: Bool {
        guard let last else { return false }
        switch last.kind {
        case .quotedName, .integer, .decimal, .percent, .size, .duration, .text, .rawText, .regex,
            .rightParenthesis, .rightBracket:
            return true
        case .name:
            switch last.keyword {
            case .and, .or, .not, .in, .where, .when, .unless, .contains, .like, .matches, .with,
                .else, .by, .attach, .mask, .list, .cidr, .over:
                return false
            default: return true
            }
        default: return false
        }
    }
}

extension SourceText {
    fileprivate func lineEnd(of token: Token) -> UInt32 {
        UInt32(lineBytes(line(at: token.range.start)).endIndex)
    }
}
