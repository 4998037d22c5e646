/// The one canonical form of a file; nil if it has syntax errors.
///
/// One clause on a line, two spaces for each block, one space between words, at most one empty line,
/// and lines of at most 100 columns where the clause has a place to break. Comments stay where they
/// are. Nothing is aligned across lines, so that a change to one line is a change of one line.
/// Literals are left as they are written, and so is the text of messages.
///
/// Formatting what has been formatted changes nothing, and the tree of the result is the tree of the
/// file.
public func format(_ parsed: Parsed, source: SourceText) -> String? {
    guard !parsed.diagnostics.contains(where: { $0.severity == .error }) else { return nil }
    var formatter = Formatter(FormatToken.tokens(of: parsed, source))
    formatter.run()
    return formatter.output
}

/// Walks over a file's tokens clause by clause. How a clause is broken into lines is in
/// `Formatter+Lines.swift`.
struct Formatter {
    static let widthMax = 100
    static let indentWidth = 2
    /// What a clause's second line is indented by, so that it does not look like a block.
    static let continuationWidth = 4

    let tokens: [FormatToken]
    var output = ""

    init(_ tokens: [FormatToken]) { self.tokens = tokens }

    fileprivate mutating func run() {
        var depth = 0
        var start = 0
        // Nothing separates the first line from the top, or a block's from its braces.
        var isFirst = true
        var declarationHadBlock = false
        while tokens[start].kind != .endOfFile {
            let end = endOfClause(from: start)
            let first = tokens[start]
            let closes = first.layout == .blockClose
            let opens = tokens[end - 1].layout == .blockOpen
            if first.layout == .declarationStart {
                let hasBlock = opens || willOpenBlock(start..<end)
                let separates = !isFirst && (hasBlock || declarationHadBlock)
                writeComments(of: first, depth: 0, isFirst: isFirst, separates: separates)
                declarationHadBlock = hasBlock
            } else {
                writeComments(of: first, depth: depth, isFirst: isFirst, isLast: closes)
            }
            if closes { depth -= 1 }
            write(start..<end, indent: depth * Self.indentWidth)
            if opens { depth += 1 }
            isFirst = opens
            start = end
        }
        writeComments(of: tokens[start], depth: 0, isFirst: isFirst, isLast: true)
    }

    /// The index behind the clause that begins at an index.
    private func endOfClause(from start: Int) -> Int {
        var end = start + 1
        while tokens[end].kind != .endOfFile, tokens[end - 1].layout != .blockOpen {
            switch tokens[end].layout {
            case .clauseStart, .declarationStart, .blockClose: return end
            case .inside, .inlineStart, .fieldStart, .valueStart, .blockOpen, .inlineOpen,
                .inlineClose, .prefix, .glued:
                end += 1
            }
        }
        return end
    }

    /// Writes the comments that stand on lines of their own before a clause, and the empty lines.
    ///
    /// - Parameters:
    ///   - isLast: Whether a block or the file ends here, before which no line is left empty.
    ///   - separates: Whether an empty line is put in even if there is none.
    private mutating func writeComments(
        of token: FormatToken, depth: Int, isFirst: Bool, isLast: Bool = false,
        separates: Bool = false
    ) {
        var isFirst = isFirst
        var separates = separates
        for comment in token.leading {
            if !isFirst, comment.hasEmptyLineBefore || separates { output += "\n" }
            writeLine(comment.text, indent: depth * Self.indentWidth)
            isFirst = false
            separates = false
        }
        if !isFirst, !isLast, token.hasEmptyLineBefore || separates { output += "\n" }
    }

    mutating func writeLine(_ text: String, indent: Int) {
        output += String(repeating: " ", count: indent) + text + "\n"
    }
}

/// A token with what the formatter must know of its neighbourhood.
struct FormatToken {
    struct Comment {
        var text: String
        var hasEmptyLineBefore: Bool
    }

    var kind: Token.Kind
    var keyword: Keyword?
    var layout: Layout
    var text: String
    /// Comments on lines of their own between the token before and this one.
    var leading: [Comment] = []
    /// The comment behind it on its line.
    var trailing: String?
    /// Counted from its last leading comment, or from the token before.
    var hasEmptyLineBefore = false

    /// The tokens of a file without line ends, comments hung on their neighbours.
    static func tokens(of parsed: Parsed, _ source: SourceText) -> [FormatToken] {
        var result: [FormatToken] = []
        var leading: [Comment] = []
        var lineEnds = 0
        var index = 0
        for token in parsed.tokens {
            switch token.kind {
            case .newline:
                lineEnds += 1
            case .unknown:
                break
            case .comment:
                let text = trimmed(source.text(token.range))
                if lineEnds == 0, !result.isEmpty, leading.isEmpty {
                    result[result.count - 1].trailing = text
                } else {
                    leading.append(Comment(text: text, hasEmptyLineBefore: lineEnds > 1))
                }
                lineEnds = 0
            default:
                let layout = parsed.layout[index]
                index += 1
                if layout == .fieldStart || layout == .valueStart { separateFields(&result) }
                var next = FormatToken(
                    kind: token.kind, keyword: token.keyword, layout: layout,
                    text: source.text(token.range))
                next.leading = leading
                next.hasEmptyLineBefore = lineEnds > 1
                result.append(next)
                leading = []
                lineEnds = 0
            }
        }
        return result
    }

    /// Puts a comma between two fields that only a line end separates.
    private static func separateFields(_ tokens: inout [FormatToken]) {
        guard let last = tokens.last, last.kind != .comma, last.layout != .inlineOpen else {
            return
        }
        var comma = FormatToken(kind: .comma, keyword: nil, layout: .inside, text: ",")
        comma.trailing = last.trailing
        tokens[tokens.count - 1].trailing = nil
        tokens.append(comma)
    }

    private static func trimmed(_ comment: String) -> String {
        var scalars = comment.unicodeScalars
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return String(scalars)
    }

    /// Whether a space stands between two tokens on one line.
    static func isSpaced(_ left: FormatToken, _ right: FormatToken) -> Bool {
        if right.layout == .glued || left.layout == .prefix { return false }
        switch (left.kind, right.kind) {
        case (_, .comma), (_, .colon), (_, .dot), (_, .question), (.dot, _): return false
        case (_, .rightParenthesis), (_, .rightBracket): return false
        case (.leftParenthesis, _), (.leftBracket, _): return false
        case (.leftBrace, .rightBrace): return false
        default: return true
        }
    }
}
