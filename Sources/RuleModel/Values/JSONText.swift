/// Writing of JSON, without anything of Foundation: one append after the other to an array of bytes.
extension [UInt8] {
    /// A JSON string.
    ///
    /// Besides what the format asks for, control characters of all kinds, line separators and
    /// marks that change the direction of writing are escaped, so that a line of JSON is harmless
    /// on a terminal and is always one line.
    public mutating func appendJSON(_ string: String) {
        append(UInt8(ascii: "\""))
        defer { append(UInt8(ascii: "\"")) }
        // Nearly all texts are plain ASCII and go as they are.
        var text = string
        let isPlain = text.withUTF8 { bytes in
            guard isPlainJSON(bytes) else { return false }
            append(contentsOf: bytes)
            return true
        }
        if isPlain { return }
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": append(contentsOf: "\\\"".utf8)
            case "\\": append(contentsOf: "\\\\".utf8)
            case "\n": append(contentsOf: "\\n".utf8)
            case "\r": append(contentsOf: "\\r".utf8)
            case "\t": append(contentsOf: "\\t".utf8)
            default:
                if scalar.isDangerousOnTerminals {
                    append(contentsOf: "\\u".utf8)
                    appendHexadecimal(UInt64(scalar.value), digits: 4)
                } else {
                    append(contentsOf: scalar.utf8)
                }
            }
        }
    }

    /// A JSON value: numbers and booleans as such, missing values and numbers that are none or
    /// infinite as `null`, lists as arrays, everything else as the text of messages.
    public mutating func appendJSON(_ value: Value) {
        switch value {
        case .missing: append(contentsOf: "null".utf8)
        case .bool(let bool): append(contentsOf: bool ? "true".utf8 : "false".utf8)
        case .int(let number): appendDecimal(number)
        case .float(let number):
            if let whole = Value.shownWhole(number) {
                appendDecimal(whole)
            } else {
                append(contentsOf: (number.isFinite ? number.description : "null").utf8)
            }
        case .list(let values): appendJSON(values) { $0.appendJSON($1) }
        case .text(let text): appendJSON(text.string)
        case .time(let time):
            append(UInt8(ascii: "\""))
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Timestamp.textLengthMax) {
                append(contentsOf: $0.prefix(time.writeText(to: $0)))
            }
            append(UInt8(ascii: "\""))
        case .ip, .network, .span: appendJSON(value.plainText)
        }
    }

    /// What is JSON already: a member's name with what stands before and behind it, such as `,"kind":`.
    @inlinable
    public mutating func appendJSON(verbatim text: StaticString) {
        append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// A whole number.
    public mutating func appendDecimal(_ number: Int64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var place = digits.count
            var rest = number.magnitude
            repeat {
                place -= 1
                digits[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if number < 0 {
                place -= 1
                digits[place] = UInt8(ascii: "-")
            }
            append(contentsOf: digits[place...])
        }
    }

    /// A JSON array.
    @inlinable
    public mutating func appendJSON<Member>(
        _ elements: [Member], writing write: (inout [UInt8], Member) -> Void
    ) {
        append(UInt8(ascii: "["))
        for index in elements.indices {
            if index > 0 { append(UInt8(ascii: ",")) }
            write(&self, elements[index])
        }
        append(UInt8(ascii: "]"))
    }

    /// A JSON object, in the order given.
    public mutating func appendJSON(_ members: [Alert.NamedValue]) {
        append(UInt8(ascii: "{"))
        for index in members.indices {
            if index > 0 { append(UInt8(ascii: ",")) }
            appendJSON(members[index].name)
            append(UInt8(ascii: ":"))
            appendJSON(members[index].value)
        }
        append(UInt8(ascii: "}"))
    }

    /// Exactly so many hexadecimal digits, in lower case.
    public mutating func appendHexadecimal(_ number: UInt64, digits: Int) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: digits) { text in
            for place in 0..<digits {
                let shift = UInt64(4 * (digits - 1 - place))
                let digit = UInt8(truncatingIfNeeded: number >> shift & 15)
                text[place] =
                    digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
            }
            append(contentsOf: text)
        }
    }
}

/// Whether a text stands in JSON as it is: printable ASCII without quotation mark and backslash.
///
/// Eight bytes at a time: of a word each byte whose highest bit is set in the result is none of those.
private func isPlainJSON(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    // In a byte below 128 the subtraction of a larger number borrows into the highest bit. A borrow may
    // also touch the byte above, but only where a byte below is one of those already.
    @inline(__always)
    func isPlain(_ word: UInt64) -> Bool {
        let control = word &- ones &* 0x20
        let quote = (word ^ ones &* 0x22) &- ones
        let backslash = (word ^ ones &* 0x5C) &- ones
        let delete = (word ^ ones &* 0x7F) &- ones
        return (word | control | quote | backslash | delete) & tops == 0
    }
    let bytes = UnsafeRawBufferPointer(text)
    var place = 0
    while place + 8 <= bytes.count {
        let word = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
        if !isPlain(word) { return false }
        place += 8
    }
    var rest: UInt64 = 0x2020_2020_2020_2020
    while place < bytes.count {
        rest = rest << 8 | UInt64(bytes[place])
        place += 1
    }
    return isPlain(rest)
}

extension Unicode.Scalar {
    /// Whether a terminal may do something else with it than show it: control characters (C0, DEL,
    /// C1), line and paragraph separators, and marks that change the direction of writing.
    public var isDangerousOnTerminals: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }
}

extension Value {
    /// The value as JSON.
    public var jsonText: String {
        var bytes: [UInt8] = []
        bytes.appendJSON(self)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A text as a JSON string.
public func jsonText(_ text: String) -> String { Value.text(text).jsonText }
