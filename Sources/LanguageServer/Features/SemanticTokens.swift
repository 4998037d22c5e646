import RuleCompiler
import RuleSyntax

/// What the numbers of a semantic token stand for.
let semanticTokensLegend: JSONDocument = [
    "tokenTypes": .array(TokenType.allCases.map { .text($0.rawValue) }),
    "tokenModifiers": ["declaration", "defaultLibrary"],
]

/// The token types of the protocol that we use; a token carries the number of its case.
private enum TokenType: String, CaseIterable {
    case type, property, variable, parameter, function, keyword, string, number, regexp, comment
    case enumMember, `operator`, namespace, event
}

private struct SemanticToken {
    var start: UInt32
    var end: UInt32
    var type: TokenType
    var isDeclaration = false
    var isBuiltin = false
}

extension LanguageServer {
    /// Every token with what it is: as the compiler resolved it where it is a name, else as it is
    /// written.
    func semanticTokens(_ view: DocumentView, _ range: JSONDocument?) -> JSONDocument {
        let start = view.map.offset(range?["start"]) ?? 0
        let end = view.map.offset(range?["end"]) ?? UInt32(view.source.bytes.count)
        let tokens = classify(view).filter { $0.start < end && start < $0.end }
        var data: [JSONDocument] = []
        var line = 0
        var character = 0
        for token in tokens.flatMap({ lines(of: $0, view.source) }) {
            let position = view.map.position(token.start)
            let length = view.map.units(view.source.bytes[Int(token.start)..<Int(token.end)])
            let type = TokenType.allCases.firstIndex(of: token.type) ?? 0
            let modifiers = (token.isDeclaration ? 1 : 0) + (token.isBuiltin ? 2 : 0)
            let column = position.line == line ? position.character - character : position.character
            data += [
                .number(position.line - line), .number(column), .number(length), .number(type),
                .number(modifiers),
            ]
            (line, character) = position
        }
        return ["data": .array(data)]
    }

    /// A token of the protocol ends with its line.
    private func lines(of token: SemanticToken, _ source: SourceText) -> [SemanticToken] {
        var pieces: [SemanticToken] = []
        var start = token.start
        while start < token.end {
            let line = source.line(at: start)
            let lineEnd = min(token.end, UInt32(source.lineBytes(line).endIndex))
            if lineEnd > start {
                var piece = token
                (piece.start, piece.end) = (start, lineEnd)
                pieces.append(piece)
            }
            guard line + 1 < source.lineStarts.count else { break }
            start = source.lineStarts[line + 1]
        }
        return pieces
    }

    private func classify(_ view: DocumentView) -> [SemanticToken] {
        let tokens = lex(view.source).tokens.filter { $0.kind != .newline }
        let names = resolvedNames(view)
        var result: [SemanticToken] = []
        var nextName = 0
        for (index, token) in tokens.enumerated() {
            while nextName < names.count, names[nextName].end <= token.range.start { nextName += 1 }
            let name = nextName < names.count ? names[nextName] : nil
            switch token.kind {
            case .message:
                result += pieces(of: token, names[nextName...])
            case .name, .quotedName:
                if let name, name.start <= token.range.start, token.range.end <= name.end {
                    var part = name
                    (part.start, part.end) = (token.range.start, token.range.end)
                    result.append(part)
                } else if let other = unresolved(token, index, tokens, view.source) {
                    result.append(other)
                }
            default:
                if let type = type(of: token.kind) {
                    result.append(
                        SemanticToken(start: token.range.start, end: token.range.end, type: type))
                }
            }
        }
        return result
    }

    /// The resolved names of the file in order, one for each place.
    private func resolvedNames(_ view: DocumentView) -> [SemanticToken] {
        var names: [SourceRange: SemanticToken] = [:]
        for use in view.compilation.uses where use.range.source == view.id {
            var token = SemanticToken(
                start: use.range.start, end: use.range.end, type: type(of: use.kind))
            token.isDeclaration = use.isDeclaration || names[use.range]?.isDeclaration == true
            names[use.range] = token
        }
        return names.values.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
    }

    private func type(of kind: NameUse.Kind) -> TokenType {
        switch kind {
        case .event, .select: .type
        case .field, .key: .property
        case .list, .schedule, .step, .measure, .constant, .variable: .variable
        case .define: .function
        case .parameter: .parameter
        case .rule, .metric: .event
        case .source, .sink: .namespace
        }
    }

    /// A message: its text, and the names in its braces.
    private func pieces(of message: Token, _ names: ArraySlice<SemanticToken>) -> [SemanticToken] {
        var pieces: [SemanticToken] = []
        var start = message.range.start
        for name in names.prefix(while: { $0.start < message.range.end }) where name.start >= start
        {
            if name.start > start {
                pieces.append(SemanticToken(start: start, end: name.start, type: .string))
            }
            pieces.append(name)
            start = name.end
        }
        if start < message.range.end {
            pieces.append(SemanticToken(start: start, end: message.range.end, type: .string))
        }
        return pieces
    }

    /// A name that stands for nothing declared: a keyword, a function, or a word of its place.
    private func unresolved(_ token: Token, _ index: Int, _ tokens: [Token], _ source: SourceText)
        -> SemanticToken?
    {
        var result = SemanticToken(
            start: token.range.start, end: token.range.end, type: .property)
        let before = index > 0 ? tokens[index - 1] : nil
        let after = index + 1 < tokens.count ? tokens[index + 1].kind : .endOfFile
        let word = source.text(token.range)
        if before?.kind == .dot { return result }
        // `count` alone is a measure that every threshold has.
        let isCalled = after == .leftParenthesis || word == "count"
        let isMeasured = before?.kind == .assign
        if isCalled || isMeasured, builtinNames.contains(word) {
            result.type = .function
            result.isBuiltin = true
            return result
        }
        // The members of a cluster are no step, and are read like one.
        if word == "members", after == .dot { return result }
        if before?.keyword == .severity {
            result.type = .enumMember
            return result
        }
        // In front of a colon stands a field or a step that has no declaration.
        if after == .colon { return result }
        if token.keyword != nil {
            result.type = .keyword
            return result
        }
        let isElement =
            before?.kind == .leftBracket && index > 1 && tokens[index - 2].kind == .colon
        if before?.kind == .colon || before?.keyword == .of || isElement {
            result.type = .type
            return result
        }
        return nil
    }

    private func type(of kind: Token.Kind) -> TokenType? {
        switch kind {
        case .integer, .decimal, .percent, .size, .duration, .unknownUnit: .number
        case .text, .rawText, .foreignText, .message: .string
        case .regex: .regexp
        case .comment: .comment
        case .assign, .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .plus,
            .minus, .star, .slash, .percentSign, .foreignOperator:
            .operator
        case .name, .quotedName, .leftBrace, .rightBrace, .leftParenthesis, .rightParenthesis,
            .leftBracket, .rightBracket, .comma, .colon, .dot, .dotDot, .question, .bar, .newline,
            .unknown, .endOfFile:
            nil
        }
    }
}

/// The functions of the language, aggregates among them.
let builtinNames: Set<String> = Set(
    Builtin.all.map(\.name) + AggregateBuiltin.all.map(\.name) + ScoreBuiltin.all.map(\.name)
        + ["previous", "same_time"])
