extension JSONDocument {
    /// Why a text is no JSON, and at which byte.
    public struct Fault: Error, Equatable {
        public var reason: String
        public var offset: Int
    }

    /// Reads a whole JSON text (RFC 8259).
    ///
    /// Members keep their order. Of members with one name all are kept; `subscript` finds the first.
    /// Bytes that are not UTF-8 become U+FFFD, as does half of a surrogate pair.
    ///
    /// - Throws: what is wrong first. Nesting beyond 512 levels is.
    public init(parsing bytes: [UInt8]) throws(Fault) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.document()
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var position = 0

    static let depthMax = 512

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONDocument.Fault) -> JSONDocument {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw fault("something stands behind the value") }
        return value
    }

    private func fault(_ reason: String) -> JSONDocument.Fault {
        JSONDocument.Fault(reason: reason, offset: position)
    }

    private var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private mutating func skipSpace() {
        while [UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t")]
            .contains(current)
        {
            position += 1
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONDocument.Fault) -> JSONDocument {
        guard depth <= Self.depthMax else { throw fault("values are nested too deeply") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw fault("a value is missing")
        }
    }

    private mutating func word(
        _ word: String, _ value: JSONDocument
    ) throws(JSONDocument.Fault) -> JSONDocument {
        let end = position + word.utf8.count
        guard end <= bytes.count, bytes[position..<end].elementsEqual(word.utf8) else {
            throw fault("a value is missing")
        }
        position = end
        return value
    }

    private mutating func object(depth: Int) throws(JSONDocument.Fault) -> JSONDocument {
        position += 1
        var members: [(String, JSONDocument)] = []
        skipSpace()
        if take("}") { return .object([]) }
        repeat {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw fault("a name is missing") }
            let name = try string()
            skipSpace()
            guard take(":") else { throw fault("`:` is missing") }
            members.append((name, try value(depth: depth + 1)))
            skipSpace()
        } while take(",")
        guard take("}") else { throw fault("`,` or `}` is missing") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(JSONDocument.Fault) -> JSONDocument {
        position += 1
        var elements: [JSONDocument] = []
        skipSpace()
        if take("]") { return .array([]) }
        repeat {
            elements.append(try value(depth: depth + 1))
            skipSpace()
        } while take(",")
        guard take("]") else { throw fault("`,` or `]` is missing") }
        return .array(elements)
    }

    private mutating func number() throws(JSONDocument.Fault) -> JSONDocument {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        var isWhole = true
        if take(".") {
            isWhole = false
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isWhole = false
            position += 1
            if !take("+") { _ = take("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let integer = Int(text) { return .number(integer) }
        return .decimal(Double(text) ?? .infinity)
    }

    private mutating func digits() throws(JSONDocument.Fault) {
        let start = position
        while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(current) { position += 1 }
        if position == start { throw fault("a digit is missing") }
    }

    private mutating func string() throws(JSONDocument.Fault) -> String {
        position += 1
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &text)
            case 0..<0x20: throw fault("a control character stands in a text")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw fault("a text is not closed")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONDocument.Fault) {
        let letter = current
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code), current == UInt8(ascii: "\\"),
                position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u")
            {
                let behindHigh = position
                position += 2
                let low = try hexadecimal()
                if (0xDC00..<0xE000).contains(low) {
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    position = behindHigh
                }
            }
            text += String(Character(Unicode.Scalar(code) ?? "\u{FFFD}")).utf8
        default:
            position -= 1
            throw fault("an escape is unknown")
        }
    }

    private mutating func hexadecimal() throws(JSONDocument.Fault) -> UInt32 {
        guard position + 4 <= bytes.count,
            let code = UInt32(
                String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
            bytes[position] != UInt8(ascii: "+")
        else { throw fault("`\\u` needs four hexadecimal digits") }
        position += 4
        return code
    }
}
