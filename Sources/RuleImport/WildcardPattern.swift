/// A text to look for: literal text, wildcards, and what the modifiers of Sigma put into it.
struct WildcardPattern: Equatable, Sendable {
    enum Piece: Equatable, Sendable {
        case text(String)
        /// `*`: any text.
        case star
        /// `?`: one character.
        case question
        /// Any of the five characters that Windows takes for the dash of an option.
        case dash
        /// `%name%` of `expand`, until its values are put in.
        case placeholder(String)
    }

    /// No two texts stand beside each other, and no empty one.
    private(set) var pieces: [Piece] = []

    init(_ pieces: [Piece] = []) { for piece in pieces { append(piece) } }

    /// Reads the spelling of a rule: `*` and `?` are wildcards, a backslash before one of them, or
    /// before a backslash, takes the meaning away, and any other backslash is itself.
    init(parsing text: String) {
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                if scalar != "*", scalar != "?", scalar != "\\" { append(.text("\\")) }
                append(.text(String(scalar)))
                isEscaped = false
            } else {
                switch scalar {
                case "\\": isEscaped = true
                case "*": append(.star)
                case "?": append(.question)
                default: append(.text(String(scalar)))
                }
            }
        }
        if isEscaped { append(.text("\\")) }
    }

    /// Reads a spelling in which `*` and `?` are wildcards and every other character is itself.
    init(wildcards text: String) {
        for scalar in text.unicodeScalars {
            append(scalar == "*" ? .star : scalar == "?" ? .question : .text(String(scalar)))
        }
    }

    mutating func append(_ piece: Piece) {
        if case .text(let text) = piece {
            if text.isEmpty { return }
            if case .text(let before)? = pieces.last {
                pieces[pieces.count - 1] = .text(before + text)
                return
            }
        }
        if piece == .star, pieces.last == .star { return }
        pieces.append(piece)
    }

    func prefixed(by piece: Piece) -> WildcardPattern { WildcardPattern([piece] + pieces) }
    func suffixed(by piece: Piece) -> WildcardPattern { WildcardPattern(pieces + [piece]) }

    /// The text, if there is nothing else.
    var plainText: String? {
        switch pieces.count {
        case 0: return ""
        case 1: if case .text(let text) = pieces[0] { return text }
        default: break
        }
        return nil
    }

    /// All literal text, for a look at its characters.
    var literals: String {
        pieces.reduce(into: "") { if case .text(let text) = $1 { $0 += text } }
    }

    /// Whether a number or a truth value could be spelled like this.
    var mayBePlainValue: Bool {
        let literals = literals
        if literals.isEmpty { return false }
        return fits("true") || fits("false")
            || literals.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: ".")
                    || $0 == UInt8(ascii: "-")
            }
    }

    /// Whether a short word in small letters fits, whatever the case of the pattern.
    private func fits(_ word: String) -> Bool {
        let word = Array(word)
        // How much of the word may have been read.
        var ends: Set<Int> = [0]
        for piece in pieces {
            switch piece {
            case .star: ends = Set((ends.min() ?? word.count + 1)..<(word.count + 1))
            case .question, .dash: ends = Set(ends.map { $0 + 1 })
            case .placeholder: return false
            case .text(let text):
                let part = Array(text.lowercased())
                ends = Set(
                    ends.filter { word.dropFirst($0).starts(with: part) }.map { $0 + part.count })
            }
            ends = ends.filter { $0 <= word.count }
            if ends.isEmpty { return false }
        }
        return ends.contains(word.count)
    }

    func contains(_ piece: Piece) -> Bool { pieces.contains(piece) }

    /// The patterns for all values of the placeholders; nil names the one that has none.
    func expanded(_ values: [String: [String]]) -> Result<[WildcardPattern], MissingPlaceholder> {
        var results = [WildcardPattern()]
        for piece in pieces {
            guard case .placeholder(let name) = piece else {
                for index in results.indices { results[index].append(piece) }
                continue
            }
            guard let values = values[name] else {
                return .failure(MissingPlaceholder(name: name))
            }
            results = results.flatMap { start in
                values.map { WildcardPattern(start.pieces + WildcardPattern(parsing: $0).pieces) }
            }
        }
        return .success(results)
    }

    struct MissingPlaceholder: Error { var name: String }

    /// The same with `%name%` as placeholders.
    var withPlaceholders: WildcardPattern {
        var result = WildcardPattern()
        for piece in pieces {
            guard case .text(let text) = piece else {
                result.append(piece)
                continue
            }
            var rest = text[...]
            while let open = rest.firstIndex(of: "%"),
                let close = rest[rest.index(after: open)...].firstIndex(of: "%")
            {
                let name = rest[rest.index(after: open)..<close]
                result.append(.text(String(rest[..<open])))
                if !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) {
                    result.append(.placeholder(String(name)))
                    rest = rest[rest.index(after: close)...]
                } else {
                    result.append(.text(String(rest[open..<close])))
                    rest = rest[close...]
                }
            }
            result.append(.text(String(rest)))
        }
        return result
    }

    /// The same with a dash of any kind for each `-` or `/` that begins an option: one that stands
    /// before a word and not behind one.
    var withDashes: WildcardPattern {
        var result = WildcardPattern()
        for piece in pieces {
            guard case .text(let text) = piece else {
                result.append(piece)
                continue
            }
            let scalars = Array(text.unicodeScalars)
            for (index, scalar) in scalars.enumerated() {
                let isOption =
                    (scalar == "-" || scalar == "/") && index + 1 < scalars.count
                    && isWord(scalars[index + 1]) && (index == 0 || !isWord(scalars[index - 1]))
                result.append(isOption ? .dash : .text(String(scalar)))
            }
        }
        return result
    }

    /// The dashes that Windows programs take for one another.
    static let dashes = ["-", "/", "\u{2013}", "\u{2014}", "\u{2015}"]

    /// The five patterns of one with a single dash; others as they are.
    var perDash: [WildcardPattern] {
        guard pieces.count(where: { $0 == .dash }) == 1 else { return [self] }
        return Self.dashes.map { dash in
            WildcardPattern(pieces.map { $0 == .dash ? .text(dash) : $0 })
        }
    }

    /// A regular expression for the whole text.
    var regularExpression: String {
        var inner = pieces[...]
        let isOpenBefore = inner.first == .star
        if isOpenBefore { inner = inner.dropFirst() }
        let isOpenBehind = inner.last == .star
        if isOpenBehind { inner = inner.dropLast() }
        let body = inner.map { piece in
            switch piece {
            case .text(let text): Self.quoted(text)
            case .star: ".*"
            case .question: "."
            case .dash: "[-/\u{2013}\u{2014}\u{2015}]"
            case .placeholder(let name): Self.quoted("%\(name)%")
            }
        }
        return (inner.contains(.star) || inner.contains(.question) ? "(?s)" : "")
            + (isOpenBefore ? "" : "^") + body.joined() + (isOpenBehind ? "" : "$")
    }

    private static func quoted(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if "\\.+*?()|[]{}^$".unicodeScalars.contains(scalar) { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    /// A pattern for `like`.
    var likePattern: String {
        pieces.map { piece in
            switch piece {
            case .text(let text):
                text.replacing("\\", with: "\\\\").replacing("*", with: "\\*")
                    .replacing("?", with: "\\?")
            case .star: "*"
            case .question: "?"
            case .dash: "-"
            case .placeholder(let name): "%\(name)%"
            }
        }.joined()
    }
}

private func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
}
