import RuleSyntax

extension LanguageServer {
    /// Blocks and runs of comment lines that take more than one line.
    func foldingRanges(_ view: DocumentView) -> JSONDocument {
        let tokens = lex(view.source).tokens
        var folds: [JSONDocument] = []
        var open: [Int] = []
        var comments: ClosedRange<Int>?
        func line(_ token: Token) -> Int { view.source.line(at: token.range.start) }
        func fold(_ first: Int, _ last: Int, _ kind: String) {
            guard last > first else { return }
            folds.append([
                "startLine": .number(first), "endLine": .number(last), "kind": .text(kind),
            ])
        }
        for token in tokens {
            switch token.kind {
            case .leftBrace: open.append(line(token))
            // The line of the closing brace stays in sight.
            case .rightBrace:
                if let first = open.popLast() { fold(first, line(token) - 1, "region") }
            default: break
            }
            if token.kind == .comment, token.startsLine {
                if let lines = comments, lines.upperBound + 1 == line(token) {
                    comments = lines.lowerBound...line(token)
                } else {
                    if let lines = comments { fold(lines.lowerBound, lines.upperBound, "comment") }
                    comments = line(token)...line(token)
                }
            }
        }
        if let lines = comments { fold(lines.lowerBound, lines.upperBound, "comment") }
        return .array(folds)
    }
}
