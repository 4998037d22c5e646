// Names, numbers, durations and texts.

extension Parser {
    /// A name, or an empty one after a report.
    mutating func name(_ what: String) -> Name {
        if current.isName, isSameLine(current) {
            let token = advance()
            return Name(nameText(token), token.range)
        }
        let place = endOfPrevious
        expected(what)
        return Name("", place)
    }

    /// The text of a name without its backquotes.
    func nameText(_ token: Token) -> String {
        var bytes = source.bytes[Int(token.range.start)..<Int(token.range.end)]
        if token.kind == .quotedName {
            bytes = bytes.dropFirst()
            if bytes.last == UInt8(ascii: "`") { bytes = bytes.dropLast() }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A dotted name.
    mutating func path(_ what: String) -> PathSyntax {
        var segments = [name(what)]
        while at(.dot), isSameLine(current), !isPanicking {
            advance()
            segments.append(name("a name behind the dot"))
        }
        return PathSyntax(segments)
    }

    /// A word of metadata that may hold dots and hyphens, such as `T1110.001`; or a text.
    mutating func label(_ what: String) -> Name {
        if current.isText {
            let literal = textLiteral()
            return Name(literal.value, literal.range)
        }
        guard current.isName || current.isNumeric, isSameLine(current) else { return name(what) }
        let start = advance()
        while isGlued, [.dot, .minus].contains(current.kind) || current.isName || current.isNumeric
        {
            layout[index] = .glued
            advance()
        }
        let range = range(from: start.range)
        return Name(range == start.range ? nameText(start) : source.text(range), range)
    }

    /// Whether the cursor's token touches the one before.
    var isGlued: Bool { !atEnd && current.range.start == previous.range.end && !current.startsLine }

    // MARK: Numbers

    /// A whole number that is not negative.
    mutating func integer(_ what: String) -> IntegerLiteral? {
        guard at(.integer), isSameLine(current) else {
            expected(what)
            return nil
        }
        let token = advance()
        guard let value = Literals.number(bytes(token), .integer)?.integer else {
            report(.numberTooLarge(text(token), at: token.range))
            return IntegerLiteral(Int.max, token.range)
        }
        return IntegerLiteral(Int(value), token.range)
    }

    /// A length of time, with a hint where the unit is missing or is a word.
    mutating func duration() -> DurationLiteral? {
        guard isSameLine(current) else {
            expected("a duration")
            return nil
        }
        switch current.kind {
        case .duration:
            let token = advance()
            return DurationLiteral(durationValue(token), token.range)
        case .integer, .decimal, .unknownUnit:
            let start = current.range
            if !wrongUnit() {
                // What follows was written for the word that is missing, as often as for the unit.
                fail(.missingUnit(text(current), at: start))
                advance()
            }
            return DurationLiteral(0, range(from: start))
        default:
            expected("a duration, such as `5m`")
            return nil
        }
    }

    /// Reports a number with a unit that does not exist, written together or apart, and steps over
    /// it.
    mutating func wrongUnit() -> Bool {
        let token = current
        if token.kind == .unknownUnit {
            let number = bytes(token).prefix { !$0.startsName }
            let unit = SourceRange(
                source: source.id, start: token.range.start + UInt32(number.count),
                end: token.range.end)
            let word = source.text(unit)
            let digits = String(decoding: number, as: UTF8.self)
            report(.unknownUnit(word, number: digits, at: unit, whole: token.range))
            advance()
            return true
        }
        let next = peek()
        guard token.kind == .integer || token.kind == .decimal, next.isName, !next.startsLine,
            peek(2).kind != .colon, peek(2).kind != .leftParenthesis
        else { return false }
        let word = text(next)
        guard Units.unit(meantBy: word) != nil || Units.isCalendarWord(word) else { return false }
        report(
            .unknownUnit(
                word, number: text(token), at: next.range,
                whole: token.range.joined(with: next.range)))
        advance()
        advance()
        return true
    }

    /// A number of any kind as an expression.
    mutating func numeric() -> ExpressionSyntax {
        let token = current
        if wrongUnit() { return ExpressionSyntax(.missing, range(from: token.range)) }
        advance()
        if token.kind == .duration {
            return ExpressionSyntax(.duration(durationValue(token)), token.range)
        }
        guard let number = Literals.number(bytes(token), token.kind) else {
            report(.numberTooLarge(text(token), at: token.range))
            return ExpressionSyntax(.missing, token.range)
        }
        return ExpressionSyntax(.number(value: number.value, integer: number.integer), token.range)
    }

    private mutating func durationValue(_ token: Token) -> Int64 {
        if let value = Literals.duration(bytes(token)) { return value }
        report(.durationTooLong(text(token), at: token.range))
        return Int64.max
    }

    func bytes(_ token: Token) -> ArraySlice<UInt8> {
        source.bytes[Int(token.range.start)..<Int(token.range.end)]
    }

    // MARK: Texts

    /// A quoted text, or an empty one after a report.
    mutating func textLiteral(_ what: String = "a text in quotes") -> TextLiteral {
        let token = current
        guard token.isText, isSameLine(token) else {
            let place = endOfPrevious
            expected(what)
            return TextLiteral("", place)
        }
        advance()
        switch token.kind {
        case .rawText:
            let inner = content(token, opening: 2, quote: UInt8(ascii: "\""))
            return TextLiteral(String(decoding: inner, as: UTF8.self), token.range, isRaw: true)
        case .foreignText:
            var text = self.text(token)
            let quote = text.removeFirst()
            if text.last != nil, quote != "'" || text.last == "'" { text.removeLast() }
            report(.foreignQuotes(text, at: token.range))
            return TextLiteral(text, token.range)
        default:
            let inner = content(token, opening: 1, quote: UInt8(ascii: "\""))
            return TextLiteral(unescaped(inner), token.range)
        }
    }

    /// The pattern between slashes; only `\/` is undone, all else is for the pattern's own reader.
    func regexLiteral(_ token: Token) -> TextLiteral {
        let inner = content(token, opening: 1, quote: UInt8(ascii: "/"))
        var result: [UInt8] = []
        for byte in inner {
            if byte == UInt8(ascii: "/"), result.last == UInt8(ascii: "\\") { result.removeLast() }
            result.append(byte)
        }
        return TextLiteral(String(decoding: result, as: UTF8.self), token.range, isRaw: true)
    }

    /// Undoes the escapes of bytes of this file and reports those that are none.
    mutating func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
        var faults: [Literals.EscapeFault] = []
        let text = Literals.text(bytes, faults: &faults)
        for fault in faults {
            let start = UInt32(fault.offset)
            let range = SourceRange(
                source: source.id, start: start, end: start + UInt32(fault.length))
            report(.unknownEscape(source.text(range), isBadScalar: fault.isBadScalar, at: range))
        }
        return text
    }

    /// The bytes between the quotes of a literal, which may lack the closing one.
    func content(_ token: Token, opening: Int, quote: UInt8) -> ArraySlice<UInt8> {
        let inner = bytes(token).dropFirst(opening)
        guard inner.last == quote else { return inner }
        // An unclosed `"abc\"` ends in a quote that is part of the text.
        let slashes = inner.dropLast().reversed().prefix { $0 == UInt8(ascii: "\\") }.count
        return slashes % 2 == 1 && token.kind != .rawText ? inner : inner.dropLast()
    }
}
