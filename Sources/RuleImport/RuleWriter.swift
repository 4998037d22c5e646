import RuleSyntax

/// Pieces of our language, quoted so that any value comes out as it went in.
enum RuleWriter {
    /// A text in quotes: raw where that saves escapes.
    static func text(_ value: String) -> String {
        let isRawSafe = value.unicodeScalars.allSatisfy { scalar in
            scalar != "\"" && scalar.value >= 0x20 && scalar.value != 0x7F
        }
        if isRawSafe, value.contains("\\") { return "r\"\(value)\"" }
        return "\"\(escaped(value))\""
    }

    /// A text for the message of an alert: its braces are no placeholders.
    static func message(_ value: String) -> String {
        "\"" + escaped(value).replacing("{", with: "{{").replacing("}", with: "}}") + "\""
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    static func texts(_ values: [String]) -> String {
        "[" + values.map(text).joined(separator: ", ") + "]"
    }

    /// A regular expression behind `matches`: between slashes unless it spans lines.
    static func pattern(_ source: String) -> String {
        guard source.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }),
            !source.isEmpty
        else {
            return text(source)
        }
        var result = ""
        var isEscaped = false
        for character in source.unicodeScalars {
            if character == "/", !isEscaped { result += "\\" }
            result.unicodeScalars.append(character)
            isEscaped = character == "\\" && !isEscaped
        }
        return "/\(result)/"
    }

    /// A dotted name; nil for one that the language cannot write.
    static func path(_ name: String) -> String? {
        let segments = name.split(separator: ".", omittingEmptySubsequences: false)
        var result: [String] = []
        for (index, segment) in segments.enumerated() {
            guard let written = self.name(String(segment), isFirst: index == 0) else { return nil }
            result.append(written)
        }
        return result.joined(separator: ".")
    }

    private static func name(_ text: String, isFirst: Bool) -> String? {
        guard !text.isEmpty,
            text.unicodeScalars.allSatisfy({ $0 != "`" && $0.value >= 0x20 && $0.value != 0x7F })
        else { return nil }
        let isPlain = isIdentifier(text) && !(isFirst && reserved.contains(text))
        return isPlain ? text : "`\(text)`"
    }

    static func isIdentifier(_ text: String) -> Bool {
        guard let first = text.utf8.first, !isDigit(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || isDigit($0) }
    }

    /// Words that do not begin an operand, or begin something else.
    private static let reserved: Set<String> = [
        "and", "or", "not", "in", "where", "within", "for", "else", "then", "by", "until",
        "ignoring", "any", "every", "true", "false", "r",
    ]

    /// A name made of what somebody called a thing: small letters, digits and `_`.
    static func identifier(from title: String) -> String {
        var result = ""
        for byte in title.lowercased().utf8 {
            if isLetter(byte) || isDigit(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else if !result.isEmpty, result.utf8.last != UInt8(ascii: "_") {
                result += "_"
            }
        }
        while result.utf8.last == UInt8(ascii: "_") { result.removeLast() }
        if result.isEmpty { return "rule" }
        return isIdentifier(result) ? result : "_" + result
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
