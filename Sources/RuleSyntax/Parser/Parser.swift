/// What the parser made of a file, together with what it had to say.
public struct Parsed: Sendable {
    public var file: RuleFile
    /// In order of position.
    public var diagnostics: [Diagnostic]
    /// Every token of the file with its comments and line ends; the last is `endOfFile`.
    public var tokens: [Token]
    /// For each token that is no trivia, in order: where it stands in the layout of the file.
    var layout: [Layout]

    public init(
        file: RuleFile, diagnostics: [Diagnostic], tokens: [Token] = [], layout: [Layout] = []
    ) {
        self.file = file
        self.diagnostics = diagnostics
        self.tokens = tokens
        self.layout = layout
    }
}

/// Where a token stands in the layout of a file; what the formatter must know and tokens do not say.
public enum Layout: Sendable, Equatable {
    case inside
    /// The first token of a clause, which stands on a line of its own.
    case clauseStart
    /// The first token of a declaration.
    case declarationStart
    /// The brace of a block with a line for each clause.
    case blockOpen, blockClose
    /// The brace of a block that is one with its line: `{ host: "a" }`.
    case inlineOpen, inlineClose
    /// The first token of a clause in such a block.
    case inlineStart
    /// The same for the fields of an event type, which have commas between them on one line.
    case fieldStart
    /// The first token of a value of a test's event; commas stand between them.
    case valueStart
    /// A minus with one operand.
    case prefix
    /// Belongs to the token before without a space: `127.0.0.1:8686` is seven tokens.
    case glued
}

/// Reads a file. Never fails: what is not understood is reported and left out.
///
/// A hand-written recursive descent. One mistake gives one message: after it, the parser is silent
/// until it stands at the next clause (see `Recovery.swift`). The grammar is
/// `grammar/martlet.ebnf`.
public func parse(_ source: SourceText) -> Parsed {
    let lexed = lex(source)
    var parser = Parser(source, lexed.tokens)
    let declarations = parser.declarations()
    let diagnostics = withoutEchoes(
        lexical: lexed.diagnostics, syntactic: parser.diagnostics, source)
    return Parsed(
        file: RuleFile(source: source.id, declarations: declarations),
        diagnostics: diagnostics.inOrderOfPosition(), tokens: lexed.tokens, layout: parser.layout)
}

/// What is said about a file, without what only follows from a bad character further left on the
/// line. What was understood all the same, because there is a fix for it, hides nothing.
private func withoutEchoes(
    lexical: [Diagnostic], syntactic: [Diagnostic], _ source: SourceText
) -> [Diagnostic] {
    guard !lexical.isEmpty else { return syntactic }
    var firstOnLine: [Int: UInt32] = [:]
    func isBehindFault(_ diagnostic: Diagnostic) -> Bool {
        let start = diagnostic.primary.range.start
        return firstOnLine[source.line(at: start)].map { $0 <= start } ?? false
    }
    var kept: [Diagnostic] = []
    for fault in lexical.inOrderOfPosition() where !isBehindFault(fault) {
        kept.append(fault)
        let isUnderstood = fault.help.contains { $0.fix != nil } && fault.code != .unclosedLiteral
        guard !isUnderstood, fault.severity == .error else { continue }
        firstOnLine[source.line(at: fault.primary.range.start)] = fault.primary.range.start
    }
    let echoes: [DiagnosticCode] = [.expected, .unexpected, .foreignQuotes, .unclosedBracket]
    return kept + syntactic.filter { !echoes.contains($0.code) || !isBehindFault($0) }
}

/// The cursor over a file's tokens, and what is known about where it stands.
struct Parser {
    let source: SourceText
    /// Without trivia; the last is `endOfFile`.
    let tokens: [Token]
    var index = 0
    var layout: [Layout]
    var diagnostics: [Diagnostic] = []

    /// The first token of the clause at the cursor.
    var clauseStart = 0
    /// A token that belongs to the clause at the cursor although it begins a line: the clause's
    /// first, or one behind an operator or a comma.
    var joined = 0
    /// Set from a mistake to the next clause; nothing is reported meanwhile.
    var isPanicking = false
    /// The round and square brackets around the cursor, outermost first. Inside, lines do not end
    /// clauses.
    var brackets: [Token] = []
    /// The kinds of `brackets` when the parser began to panic.
    var bracketsAtPanic: [Token.Kind] = []
    /// The blocks around the cursor, outermost first.
    var blocks: [OpenBlock] = []
    /// Where a block that was never closed has been reported.
    var unclosedAt: Int?
    /// How many expressions and blocks enclose the cursor.
    var nesting = 0
    /// The height of the expression read last.
    var height = 0

    /// What lies behind the last token, for a message.
    var endTitle = "the end of the file"

    /// Deep enough for every rule a person writes, and shallow enough for every recursive
    /// function that walks the tree.
    static let nestingMax = 256

    init(_ source: SourceText, _ tokens: [Token]) {
        self.source = source
        self.tokens = tokens.filter { !$0.isTrivia }
        layout = Array(repeating: .inside, count: self.tokens.count)
    }
}

// MARK: - Looking

extension Parser {
    var current: Token { tokens[index] }

    /// A token further on; `endOfFile` behind the end.
    func peek(_ offset: Int = 1) -> Token { tokens[min(index + offset, tokens.count - 1)] }

    /// The token before the cursor.
    var previous: Token { tokens[max(index - 1, 0)] }

    var atEnd: Bool { current.kind == .endOfFile }

    func at(_ kind: Token.Kind) -> Bool { current.kind == kind }

    func at(_ keyword: Keyword) -> Bool { current.keyword == keyword }

    /// Whether the cursor stands at these words, on one line.
    func at(_ first: Keyword, _ rest: Keyword...) -> Bool {
        guard at(first) else { return false }
        for (offset, keyword) in rest.enumerated() {
            let token = peek(offset + 1)
            guard token.keyword == keyword, isSameLine(token) else { return false }
        }
        return true
    }

    /// Whether a token that follows the cursor still belongs to its clause by the line rule.
    func isSameLine(_ token: Token) -> Bool {
        !token.startsLine || !brackets.isEmpty || token.range.start == tokens[joined].range.start
    }

    /// Whether the clause goes on at the cursor: same line, open bracket, or a word that continues.
    var isContinued: Bool {
        if atEnd || at(.rightBrace) { return false }
        return isSameLine(current) || current.keyword?.continuesClause == true
    }

    /// A keyword that continues the clause, as `continued(.where)`.
    func continued(_ keyword: Keyword) -> Bool { at(keyword) && isContinued }

    func text(_ token: Token) -> String { source.text(token.range) }

    /// The empty place directly behind the token before the cursor.
    var endOfPrevious: SourceRange {
        let end = index == 0 ? 0 : previous.range.end
        return SourceRange(source: source.id, start: end, end: end)
    }

    /// From a range to the end of what has been read.
    func range(from start: SourceRange) -> SourceRange {
        index == 0 || previous.range.end < start.start ? start : start.joined(with: previous.range)
    }
}

// MARK: - Moving

extension Parser {
    @discardableResult
    mutating func advance() -> Token {
        let token = current
        if index < tokens.count - 1 { index += 1 }
        return token
    }

    /// Behind an operator or a comma: lets the clause go on in the next line, unless that is
    /// plainly a clause of its own.
    mutating func joinLine() {
        if !looksLikeClause { joined = index }
    }

    mutating func take(_ kind: Token.Kind) -> Token? { at(kind) ? advance() : nil }

    /// Steps over a keyword that stands on the same line or continues the clause.
    mutating func take(_ keyword: Keyword) -> Token? { continued(keyword) ? advance() : nil }

    /// Steps over a token, or reports that it is missing and stays.
    @discardableResult
    mutating func expect(_ kind: Token.Kind, _ what: String, help: Help? = nil) -> Token? {
        if at(kind), isSameLine(current) || kind == .leftBrace { return advance() }
        expected(what, help: help)
        return nil
    }

    @discardableResult
    mutating func expect(_ keyword: Keyword) -> Token? {
        if let token = take(keyword) { return token }
        expected("`\(keyword.rawValue)`")
        return nil
    }

    /// Steps over words of which the first has been seen.
    @discardableResult
    mutating func expect(_ first: Keyword, _ rest: Keyword...) -> SourceRange {
        let start = current.range
        expect(first)
        for keyword in rest { expect(keyword) }
        return range(from: start)
    }

    /// Reads `open item, item close`. A missing closing bracket is reported at the opening one.
    mutating func bracketed<Item>(
        _ open: Token.Kind, _ close: Token.Kind, _ what: String, item: (inout Parser) -> Item
    ) -> [Item]? {
        guard let opening = expect(open, what) else { return nil }
        brackets.append(opening)
        defer { brackets.removeLast() }
        var items: [Item] = []
        while !at(close), !isAtBracketEnd {
            let before = index
            items.append(item(&self))
            // A comma before the closing bracket is welcome.
            guard take(.comma) != nil else { break }
            assert(index > before, "a list must move on")
        }
        closeBracket(close, opening)
        return items
    }

    /// Reads `item, item` up to the first item without a comma.
    mutating func separated<Item>(_ item: (inout Parser) -> Item) -> [Item] {
        var items = [item(&self)]
        while isContinued, take(.comma) != nil {
            joinLine()
            items.append(item(&self))
        }
        return items
    }
}

// MARK: - Lines

extension Parser {
    /// Whether two words side by side, or a word and a colon, begin this line: no expression does.
    private var looksLikeClause: Bool {
        guard current.startsLine, brackets.isEmpty else { return false }
        if isAtDeclaration { return true }
        guard current.isName else { return false }
        let next = peek()
        guard !next.startsLine else { return false }
        switch next.kind {
        case .colon, .leftBrace, .text, .rawText, .message, .integer, .duration: return true
        case .name: return next.keyword.map { !Self.infixWords.contains($0) } ?? true
        default: return false
        }
    }
}
