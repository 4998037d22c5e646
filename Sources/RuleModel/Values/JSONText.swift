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
            for byte in bytes where byte < 0x20 || byte >= 0x7F || byte == 0x22 || byte == 0x5C {
                return false
            }
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
        case .bool, .int: append(contentsOf: value.plainText.utf8)
        case .float(let number):
            append(contentsOf: (number.isFinite ? Value.text(of: number) : "null").utf8)
        case .list(let values): appendJSON(values) { $0.appendJSON($1) }
        case .text(let text): appendJSON(text.string)
        case .ip, .network, .time, .span: appendJSON(value.plainText)
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
        for place in (0..<digits).reversed() {
            let digit = UInt8(truncatingIfNeeded: number >> UInt64(4 * place) & 15)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
        }
    }
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
