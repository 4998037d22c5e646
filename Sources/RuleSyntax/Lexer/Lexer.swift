/// The tokens of a file, and what was wrong with its characters.
public struct Lexed: Sendable {
    /// Every byte of the file but space lies in one token; the last is `endOfFile`.
    public var tokens: [Token]
    public var diagnostics: [Diagnostic]
}

/// Cuts a file into tokens in one pass. Never fails: unknown bytes become tokens of their own.
///
/// Two things depend on the word before, and on nothing else: a `/` behind `matches` begins a
/// regular expression, and a text behind `alert` is a message, in whose braces texts may stand.
public func lex(_ source: SourceText) -> Lexed {
    var lexer = Lexer(source, from: 0, to: source.bytes.count)
    lexer.checkBytes()
    lexer.run()
    return Lexed(tokens: lexer.tokens, diagnostics: lexer.diagnostics)
}

/// The state of one pass over a file, or over one expression inside a message.
struct Lexer {
    let source: SourceText
    let bytes: [UInt8]
    let end: Int
    var position: Int
    var tokens: [Token] = []
    var diagnostics: [Diagnostic] = []
    private var startsLine: Bool
    /// The last token that is not trivia; decides what `/` and `"` begin.
    private var previous: Token?
    private var reportedInvalidBytes = false

    init(_ source: SourceText, from start: Int, to end: Int) {
        self.source = source
        bytes = source.bytes
        self.end = end
        position = start
        startsLine = start == 0
    }

    /// The byte some places ahead; 0 behind the end, which no rule below takes for its own.
    func peek(_ offset: Int = 0) -> UInt8 {
        position + offset < end ? bytes[position + offset] : 0
    }

    func range(from start: Int) -> SourceRange {
        SourceRange(source: source.id, start: UInt32(start), end: UInt32(position))
    }

    /// Reads up to the end and closes with an `endOfFile` token.
    mutating func run() {
        while position < end {
            let before = position
            next()
            assert(position > before, "the lexer must move on")
        }
        append(.endOfFile, from: position)
    }

    private mutating func append(_ kind: Token.Kind, from start: Int) {
        var token = Token(kind, range(from: start), startsLine: startsLine)
        if kind == .name {
            token.keyword = Keyword.named(String(decoding: bytes[start..<position], as: UTF8.self))
        }
        tokens.append(token)
        switch kind {
        case .newline:
            startsLine = true
        case .comment, .unknown:
            break
        default:
            startsLine = false
            previous = token
        }
    }

    /// Whether the token before is this plain word, and not a field of that name behind a dot.
    private func follows(_ keyword: Keyword) -> Bool {
        guard let previous, previous.keyword == keyword else { return false }
        let before = Int(previous.range.start) - 1
        return before < 0 || bytes[before] != UInt8(ascii: ".")
    }
}

// MARK: - One token

extension Lexer {
    private mutating func next() {
        let start = position
        let byte = peek()
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
            position += 1
        case UInt8(ascii: "\n"):
            position += 1
            append(.newline, from: start)
        case UInt8(ascii: "#"):
            skipToLineEnd()
            append(.comment, from: start)
        case UInt8(ascii: "\""):
            text(from: start)
        case UInt8(ascii: "'"):
            position += 1
            skipQuoted(until: byte, escapes: true, what: "text", from: start)
            append(.foreignText, from: start)
        case UInt8(ascii: "`"):
            position += 1
            skipQuoted(until: byte, escapes: false, what: "name in backquotes", from: start)
            append(.quotedName, from: start)
        case UInt8(ascii: "/") where follows(.matches):
            position += 1
            skipQuoted(until: byte, escapes: true, what: "regular expression", from: start)
            append(.regex, from: start)
        case UInt8(ascii: "r") where peek(1) == UInt8(ascii: "\""):
            position += 2
            skipQuoted(until: UInt8(ascii: "\""), escapes: false, what: "text", from: start)
            append(.rawText, from: start)
        case _ where byte.startsName:
            while peek().continuesName { position += 1 }
            if peek() >= 0x80, followsLetter() {
                while peek() >= 0x80 || peek().continuesName { position += 1 }
                reportUnexpected(from: start)
            }
            append(.name, from: start)
        case _ where byte.isDigit:
            append(number(), from: start)
        default:
            punctuation(byte, from: start)
        }
    }

    private mutating func punctuation(_ byte: UInt8, from start: Int) {
        if let (kind, length) = Self.punctuation(byte, peek(1)) {
            position += length
            append(kind, from: start)
            return
        }
        if byte == UInt8(ascii: ";") {
            position += 1
            diagnostics.append(.needlessSemicolon(at: range(from: start)))
            append(.unknown, from: start)
            // A clause ends here for whoever writes `;`, so what follows begins one.
            startsLine = true
            return
        }
        if typographicText(from: start) { return }
        // One token, and so one message, for a whole run of them: a word in another script.
        repeat { position += 1 } while position < end && (peek() >= 0x80 || peek().isControl)
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        let isWord = text.unicodeScalars.allSatisfy(\.properties.isAlphabetic)
        if isWord {
            while peek() >= 0x80 || peek().continuesName { position += 1 }
        }
        reportUnexpected(from: start)
        append(isWord ? .name : text == "–" || text == "−" ? .minus : .unknown, from: start)
    }

    /// Whether a letter that is none of a to z comes next.
    private func followsLetter() -> Bool {
        let next = String(decoding: bytes[position..<min(position + 4, end)], as: UTF8.self)
        return next.unicodeScalars.first?.properties.isAlphabetic ?? false
    }

    private mutating func reportUnexpected(from start: Int) {
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        // Bytes that are not UTF-8, and NUL, have been reported by `checkBytes`.
        guard !text.unicodeScalars.contains(where: { $0 == "\u{FFFD}" || $0 == "\0" }) else {
            return
        }
        diagnostics.append(.unexpectedCharacter(text, at: range(from: start)))
    }

    /// The punctuation that two bytes begin with, the longer spelling first.
    private static func punctuation(_ first: UInt8, _ second: UInt8) -> (Token.Kind, Int)? {
        switch (UnicodeScalar(first), UnicodeScalar(second)) {
        case ("=", "="): (.equal, 2)
        case ("!", "="): (.notEqual, 2)
        case ("<", "="): (.lessOrEqual, 2)
        case (">", "="): (.greaterOrEqual, 2)
        case ("<", ">"): (.foreignOperator, 2)
        case ("&", "&"): (.foreignOperator, 2)
        case ("|", "|"): (.foreignOperator, 2)
        case ("=", "~"): (.foreignOperator, 2)
        case ("-", ">"): (.foreignOperator, 2)
        case (".", "."): (.dotDot, 2)
        case ("!", _): (.foreignOperator, 1)
        case ("=", _): (.assign, 1)
        case ("<", _): (.less, 1)
        case (">", _): (.greater, 1)
        case ("{", _): (.leftBrace, 1)
        case ("}", _): (.rightBrace, 1)
        case ("(", _): (.leftParenthesis, 1)
        case (")", _): (.rightParenthesis, 1)
        case ("[", _): (.leftBracket, 1)
        case ("]", _): (.rightBracket, 1)
        case (",", _): (.comma, 1)
        case (":", _): (.colon, 1)
        case (".", _): (.dot, 1)
        case ("?", _): (.question, 1)
        case ("|", _): (.bar, 1)
        case ("+", _): (.plus, 1)
        case ("-", _): (.minus, 1)
        case ("*", _): (.star, 1)
        case ("/", _): (.slash, 1)
        case ("%", _): (.percentSign, 1)
        default: nil
        }
    }

    private mutating func skipToLineEnd() {
        while position < end, peek() != UInt8(ascii: "\n") { position += 1 }
        if position > 0, position < end, bytes[position - 1] == UInt8(ascii: "\r") { position -= 1 }
    }

    /// Skips to behind a closing quote on the same line; without one, to the line's end.
    private mutating func skipQuoted(
        until quote: UInt8, escapes: Bool, what: String, from start: Int
    ) {
        while position < end, peek() != UInt8(ascii: "\n") {
            let byte = peek()
            position += 1
            if byte == quote { return }
            if escapes, byte == UInt8(ascii: "\\"), position < end, peek() != UInt8(ascii: "\n") {
                position += 1
            }
        }
        if bytes[position - 1] == UInt8(ascii: "\r") { position -= 1 }
        diagnostics.append(.unclosedLiteral(what, quote: quote, at: range(from: start)))
    }

    /// Reads “a text” in the quotes that word processors make, if it is closed on its line.
    private mutating func typographicText(from start: Int) -> Bool {
        guard let quote = typographicQuote(at: start) else { return false }
        var offset = start + quote
        while offset < end, bytes[offset] != UInt8(ascii: "\n") {
            if let closing = typographicQuote(at: offset) {
                position = offset + closing
                append(.foreignText, from: start)
                return true
            }
            offset += 1
        }
        return false
    }

    /// The length of the typographic quote at an offset, if there is one: U+2018 to U+201F, `«`, `»`.
    private func typographicQuote(at offset: Int) -> Int? {
        let next = bytes[offset..<min(offset + 3, end)]
        if next.count == 3, next.starts(with: [0xE2, 0x80]),
            (0x98...0x9F).contains(bytes[offset + 2])
        {
            return 3
        }
        return next.starts(with: [0xC2, 0xAB]) || next.starts(with: [0xC2, 0xBB]) ? 2 : nil
    }

    private mutating func text(from start: Int) {
        if follows(.alert) {
            let closed = endOfMessage(in: bytes, from: start + 1, to: end)
            if let closed {
                position = closed
                append(.message, from: start)
                return
            }
        }
        let kind: Token.Kind = follows(.alert) ? .message : .text
        position += 1
        skipQuoted(until: UInt8(ascii: "\""), escapes: true, what: "text", from: start)
        append(kind, from: start)
    }
}

/// The offset behind the quote that closes a message, skipping texts inside its braces; nil when
/// a brace or the message is not closed on its line.
private func endOfMessage(in bytes: [UInt8], from start: Int, to end: Int) -> Int? {
    var position = start
    while position < end {
        switch bytes[position] {
        case UInt8(ascii: "\n"):
            return nil
        case UInt8(ascii: "\""):
            return position + 1
        case UInt8(ascii: "\\"):
            position += 2
        case UInt8(ascii: "{") where position + 1 < end && bytes[position + 1] == UInt8(ascii: "{"):
            position += 2
        case UInt8(ascii: "{"):
            guard let close = endOfBraces(in: bytes, from: position + 1, to: end) else {
                return nil
            }
            position = close + 1
        default:
            position += 1
        }
    }
    return nil
}

/// The offset of the brace that closes an expression in a message; nil when there is none on the
/// line. Texts inside the expression are skipped.
func endOfBraces(in bytes: [UInt8], from start: Int, to end: Int) -> Int? {
    var position = start
    var quoted = false
    while position < end {
        switch bytes[position] {
        case UInt8(ascii: "\n"): return nil
        case UInt8(ascii: "\\"): position += 1
        case UInt8(ascii: "\""): quoted.toggle()
        case UInt8(ascii: "}") where !quoted: return position
        default: break
        }
        position += 1
    }
    return nil
}

// MARK: - Numbers

extension Lexer {
    /// Reads digits and what stands directly behind them.
    private mutating func number() -> Token.Kind {
        var kind = Token.Kind.integer
        skipDigits()
        if peek() == UInt8(ascii: "."), peek(1).isDigit {
            kind = .decimal
            position += 1
            skipDigits()
        }
        var hasExponent = false
        let sign = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-")
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E"), peek(sign ? 2 : 1).isDigit {
            kind = .decimal
            hasExponent = true
            position += sign ? 2 : 1
            skipDigits()
        }
        // `5%` is a number, `5%2` is a remainder.
        if peek() == UInt8(ascii: "%") {
            let next = peek(1)
            if !next.continuesName, next != UInt8(ascii: "(") {
                position += 1
                return .percent
            }
        }
        guard peek().startsName else { return kind }
        let suffix = position
        while peek().continuesName || (peek() == UInt8(ascii: ".") && peek(1).isDigit) {
            position += 1
        }
        let unit = bytes[suffix..<position]
        // `1e3s` would be read as one `e` and three seconds by people.
        guard !hasExponent else { return .unknownUnit }
        if Units.size(of: unit) != nil { return .size }
        return Units.isDurationTail(unit) ? .duration : .unknownUnit
    }

    private mutating func skipDigits() {
        while peek().isDigit || (peek() == UInt8(ascii: "_") && peek(1).isDigit) { position += 1 }
    }
}

// MARK: - Bytes

extension Lexer {
    /// Reports a byte order mark, the first NUL and the first place that is not UTF-8, and steps
    /// over the mark.
    mutating func checkBytes() {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            position = 3
            diagnostics.append(.byteOrderMark(at: range(from: 0)))
        }
        let start = position
        defer { position = start }
        if let nul = bytes.firstIndex(of: 0) {
            position = nul + 1
            diagnostics.append(.nulByte(at: range(from: nul)))
        }
        if let bad = firstInvalidUTF8(in: bytes) {
            position = bad + 1
            diagnostics.append(.notUTF8(byte: bytes[bad], at: range(from: bad)))
        }
    }
}

/// The offset of the first byte that does not begin or continue a well-formed UTF-8 sequence.
private func firstInvalidUTF8(in bytes: [UInt8]) -> Int? {
    var decoder = UTF8()
    var offset = 0
    var iterator = bytes.makeIterator()
    while true {
        switch decoder.decode(&iterator) {
        case .scalarValue(let scalar): offset += UTF8.width(scalar)
        case .emptyInput: return nil
        case .error: return offset
        }
    }
}

extension UInt8 {
    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
    var startsName: Bool {
        (self | 0x20 >= UInt8(ascii: "a") && self | 0x20 <= UInt8(ascii: "z"))
            || self == UInt8(ascii: "_")
    }
    var continuesName: Bool { startsName || isDigit }
    fileprivate var isControl: Bool {
        (self < 0x20 && self != 0x09 && self != 0x0A && self != 0x0D) || self == 0x7F
    }
}

extension UTF8 {
    fileprivate static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0..<0x80: 1
        case 0x80..<0x800: 2
        case 0x800..<0x10000: 3
        default: 4
        }
    }
}
