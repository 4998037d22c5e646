/// A token of EQL.
struct EQLToken: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        /// A word, with the `~` behind it if there is one.
        case word(String)
        /// A name in backquotes.
        case quotedName(String)
        case text(String)
        case number(String)
        case sign(String)
        case end
    }

    var kind: Kind
    /// Counted from 1.
    var line: Int
}

/// Cuts a query into tokens.
///
/// - Returns: The tokens, the last of which is `end`, and the comments in order.
func lexEQL(_ text: String, firstLine: Int) throws(ImportLoss) -> (
    tokens: [EQLToken], comments: [String]
) {
    var lexer = EQLLexer(text, line: firstLine)
    try lexer.run()
    return (lexer.tokens, lexer.comments)
}

private struct EQLLexer {
    private let scalars: [Unicode.Scalar]
    private var place = 0
    private var line: Int
    private(set) var tokens: [EQLToken] = []
    private(set) var comments: [String] = []

    init(_ text: String, line: Int) {
        scalars = Array(text.unicodeScalars)
        self.line = line
    }

    private func peek(_ offset: Int = 0) -> Unicode.Scalar {
        place + offset < scalars.count ? scalars[place + offset] : "\0"
    }

    private func at(_ text: String) -> Bool {
        scalars[min(place, scalars.count)...].starts(with: text.unicodeScalars)
    }

    private mutating func advance() {
        if peek() == "\n" { line += 1 }
        place += 1
    }

    private mutating func add(_ kind: EQLToken.Kind) {
        tokens.append(EQLToken(kind: kind, line: line))
    }

    mutating func run() throws(ImportLoss) {
        while place < scalars.count { try next() }
        add(.end)
    }

    private mutating func next() throws(ImportLoss) {
        let scalar = peek()
        if scalar.properties.isWhitespace {
            advance()
        } else if at("//") {
            comment(until: "\n", from: 2)
        } else if at("/*") {
            comment(until: "*/", from: 2)
        } else if at("\"\"\"") {
            try rawText()
        } else if scalar == "\"" || scalar == "'" {
            try quotedText()
        } else if scalar == "?", peek(1) == "\"" || peek(1) == "'" {
            throw ImportLoss(
                reason: "texts with `?` before the quote were taken out of EQL; use three quotes",
                line: line)
        } else if scalar == "`" {
            try quotedName()
        } else if isDigit(scalar) || (scalar == "." && isDigit(peek(1))) {
            number()
        } else if isLetter(scalar) {
            word()
        } else {
            try sign()
        }
    }

    private mutating func comment(until end: String, from start: Int) {
        var text = ""
        for _ in 0..<start { advance() }
        while place < scalars.count, !at(end) {
            text.unicodeScalars.append(peek())
            advance()
        }
        if end != "\n" { for _ in 0..<min(2, scalars.count - place) { advance() } }
        comments.append(text)
    }

    private mutating func rawText() throws(ImportLoss) {
        let start = line
        place += 3
        var text = ""
        while !at("\"\"\"") {
            guard place < scalars.count else {
                throw ImportLoss(reason: "a text is not closed", line: start)
            }
            text.unicodeScalars.append(peek())
            advance()
        }
        place += 3
        // Quotes directly before the closing ones belong to the text.
        while peek() == "\"" {
            text += "\""
            place += 1
        }
        add(.text(text))
    }

    private mutating func quotedText() throws(ImportLoss) {
        let quote = peek()
        let start = line
        var text = ""
        advance()
        while peek() != quote {
            guard place < scalars.count, peek() != "\n" else {
                throw ImportLoss(reason: "a text is not closed", line: start)
            }
            if peek() == "\\" {
                advance()
                try escape(into: &text)
            } else {
                text.unicodeScalars.append(peek())
                advance()
            }
        }
        advance()
        add(.text(text))
    }

    private mutating func escape(into text: inout String) throws(ImportLoss) {
        let letter = peek()
        advance()
        switch letter {
        case "n": text += "\n"
        case "r": text += "\r"
        case "t": text += "\t"
        case "b": text += "\u{8}"
        case "f": text += "\u{C}"
        case "\"", "'", "\\": text.unicodeScalars.append(letter)
        case "u":
            var digits = ""
            guard peek() == "{" else {
                throw ImportLoss(reason: "`\\u` is followed by no `{`", line: line)
            }
            advance()
            while peek() != "}", place < scalars.count, digits.count < 8 {
                digits.unicodeScalars.append(peek())
                advance()
            }
            advance()
            guard let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) else {
                throw ImportLoss(reason: "`\\u{\(digits)}` is no character", line: line)
            }
            text.unicodeScalars.append(scalar)
        default: throw ImportLoss(reason: "there is no escape `\\\(letter)`", line: line)
        }
    }

    private mutating func quotedName() throws(ImportLoss) {
        var name = ""
        place += 1
        while peek() != "`" {
            guard place < scalars.count, peek() != "\n" else {
                throw ImportLoss(reason: "a name in backquotes is not closed", line: line)
            }
            name.unicodeScalars.append(peek())
            place += 1
        }
        place += 1
        add(.quotedName(name))
    }

    private mutating func number() {
        var text = ""
        while isDigit(peek()) || (peek() == "." && isDigit(peek(1))) {
            text.unicodeScalars.append(peek())
            place += 1
        }
        if peek() == "e" || peek() == "E" {
            let isSigned = peek(1) == "-" || peek(1) == "+"
            if isDigit(peek(isSigned ? 2 : 1)) {
                for _ in 0..<(isSigned ? 2 : 1) {
                    text.unicodeScalars.append(peek())
                    place += 1
                }
                while isDigit(peek()) {
                    text.unicodeScalars.append(peek())
                    place += 1
                }
            }
        }
        add(.number(text))
    }

    private mutating func word() {
        var text = ""
        while isLetter(peek()) || isDigit(peek()) {
            text.unicodeScalars.append(peek())
            place += 1
        }
        if peek() == "~" {
            text += "~"
            place += 1
        }
        add(.word(text))
    }

    private mutating func sign() throws(ImportLoss) {
        for sign in ["==", "!=", "<=", ">=", "!["] where at(sign) {
            place += 2
            add(.sign(sign))
            return
        }
        guard "()[],.:|<>=+-*/%?$".unicodeScalars.contains(peek()) else {
            throw ImportLoss(reason: "`\(peek())` is no character of EQL", line: line)
        }
        add(.sign(String(peek())))
        place += 1
    }

    private func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar == "@" || (scalar.isASCII && scalar.properties.isAlphabetic)
    }

    private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
}
