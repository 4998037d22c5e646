// Messages: text with expressions in braces.

extension Parser {
    /// The message behind `alert`.
    mutating func message() -> MessageSyntax {
        let token = current
        guard token.kind == .message else {
            let literal = textLiteral("a message in quotes")
            return MessageSyntax(
                literal: literal, parts: literal.value.isEmpty ? [] : [.text(literal.value)])
        }
        advance()
        let known = diagnostics.count
        let inner = content(token, opening: 1, quote: UInt8(ascii: "\""))
        var parts: [MessageSyntax.Part] = []
        var text = ""
        var position = inner.startIndex
        var plainStart = position
        func byte(_ offset: Int) -> UInt8 { offset < inner.endIndex ? inner[offset] : 0 }

        while position < inner.endIndex {
            switch byte(position) {
            case UInt8(ascii: "\\"):
                position = min(position + 2, inner.endIndex)
            case let brace
            where (brace == UInt8(ascii: "{") || brace == UInt8(ascii: "}"))
                && byte(position + 1) == brace:
                // A doubled brace stands for itself.
                text += unescaped(inner[plainStart...position])
                position += 2
                plainStart = position
            case UInt8(ascii: "{"):
                text += unescaped(inner[plainStart..<position])
                guard
                    let close = endOfBraces(
                        in: source.bytes, from: position + 1, to: inner.endIndex)
                else {
                    let brace = UInt32(position)
                    report(
                        .unclosedBraceInMessage(
                            at: SourceRange(source: source.id, start: brace, end: brace + 1)))
                    plainStart = inner.endIndex
                    position = inner.endIndex
                    continue
                }
                if !text.isEmpty { parts.append(.text(text)) }
                text = ""
                parts.append(placeholder(from: position + 1, to: close))
                position = close + 1
                plainStart = position
            default:
                position += 1
            }
        }
        text += unescaped(inner[min(plainStart, inner.endIndex)...])
        // What is wrong in a message without an end is that it has no end.
        if inner.endIndex == Int(token.range.end) { diagnostics.removeSubrange(known...) }
        if !text.isEmpty { parts.append(.text(text)) }
        var ignored: [Literals.EscapeFault] = []
        let value = Literals.text(inner, faults: &ignored)
        return MessageSyntax(literal: TextLiteral(value, token.range), parts: parts)
    }

    /// Reads the expression and the format between two braces, with a parser of its own over the
    /// same bytes, so that ranges are those of the file.
    private mutating func placeholder(from start: Int, to end: Int) -> MessageSyntax.Part {
        var lexer = Lexer(source, from: start, to: end)
        lexer.run()
        var parser = Parser(source, lexer.tokens)
        // Nothing in a message is on a line of its own.
        parser.brackets = [Token(.leftBrace, current.range)]
        parser.nesting = nesting
        parser.endTitle = "`}`"
        if parser.atEnd {
            let braces = SourceRange(
                source: source.id, start: UInt32(start - 1), end: UInt32(end + 1))
            report(.emptyBracesInMessage(at: braces))
            return .expression(ExpressionSyntax(.missing, braces), nil)
        }
        let expression = parser.expression()
        let format = parser.take(.bar) == nil ? nil : parser.messageFormat()
        if !parser.atEnd { parser.expected("`}`") }
        if !isPanicking { diagnostics += lexer.diagnostics + parser.diagnostics }
        return .expression(expression, format)
    }

    /// What stands behind `|`.
    private mutating func messageFormat() -> MessageSyntax.MessageFormat? {
        if at(.masked) { return .masked(advance().range) }
        if at(.in) {
            advance()
            return .inZone(textLiteral("a time zone in quotes"))
        }
        if at(.first) {
            advance()
            return integer("how many to show").map { .first($0) }
        }
        fail(.unknownMessageFormat(describe(current), at: current.range))
        advance()
        index = tokens.count - 1
        return nil
    }
}
