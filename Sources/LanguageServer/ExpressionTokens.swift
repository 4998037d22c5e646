import RuleSyntax

/// The tokens of a file; inside the braces of a message, the tokens of that expression, at the same
/// places.
func expressionTokens(_ source: SourceText, at offset: UInt32) -> [Token] {
    let tokens = lex(source).tokens
    guard
        let message = tokens.first(where: {
            $0.kind == .message && $0.range.start < offset && offset <= $0.range.end
        }), let start = openBrace(in: source.bytes, from: message.range.start, to: offset)
    else { return tokens }
    // What stands before the brace and behind the message becomes space, so that places stay.
    var bytes = [UInt8](repeating: UInt8(ascii: " "), count: Int(start) + 1)
    var depth = 1
    for byte in source.bytes[Int(start) + 1..<Int(message.range.end)] {
        if byte == UInt8(ascii: "{") { depth += 1 }
        if byte == UInt8(ascii: "}") { depth -= 1 }
        if depth == 0 { break }
        bytes.append(byte)
    }
    return lex(SourceText(id: source.id, name: source.name, bytes: bytes)).tokens
}

/// The brace of a message that is open at a place; nil when the place is plain text.
private func openBrace(in bytes: [UInt8], from start: UInt32, to end: UInt32) -> UInt32? {
    var brace: UInt32?
    var index = start
    while index < end {
        let byte = bytes[Int(index)]
        let isDoubled = Int(index) + 1 < bytes.count && bytes[Int(index) + 1] == byte
        switch byte {
        case UInt8(ascii: "\\"): index += 1
        // `{{` is a brace of the text.
        case UInt8(ascii: "{") where brace == nil:
            if isDoubled { index += 1 } else { brace = index }
        case UInt8(ascii: "}"): brace = nil
        default: break
        }
        index += 1
    }
    return brace
}
