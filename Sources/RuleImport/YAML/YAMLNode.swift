/// A value of a YAML document, with the line on which it begins.
struct YAMLNode: Sendable {
    enum Kind: Sendable {
        /// - Parameter isPlain: Written without quotes, so that `yes`, `12` and `null` are no texts.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// In the order of the file; no key twice.
        case mapping([(key: String, value: YAMLNode)])
    }

    var kind: Kind
    /// Counted from 1.
    var line: Int

    /// The value behind a key; nil where there is none, or no mapping.
    subscript(key: String) -> YAMLNode? {
        guard case .mapping(let members) = kind else { return nil }
        return members.first { $0.key == key }?.value
    }

    var members: [(key: String, value: YAMLNode)]? {
        if case .mapping(let members) = kind { return members }
        return nil
    }

    /// The elements of a sequence; anything else is a sequence of one, and null is none.
    var elements: [YAMLNode] {
        switch kind {
        case .sequence(let elements): elements
        case .scalar, .mapping: value == .null ? [] : [self]
        }
    }

    /// The text of a scalar as it is written; nil for null, sequences and mappings.
    var text: String? {
        guard case .scalar(let text, _) = kind, value != .null else { return nil }
        return text
    }

    /// The texts of a sequence of scalars, or of one scalar.
    var texts: [String] { elements.compactMap(\.text) }

    /// What a scalar means; nil for sequences and mappings.
    var value: YAMLValue? {
        guard case .scalar(let text, let isPlain) = kind else { return nil }
        return isPlain ? YAMLValue(plain: text) : .text(text)
    }
}

/// What a scalar means by the rules of YAML 1.1, which Sigma's own tools read their files by.
enum YAMLValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case float(Double)
    case text(String)

    /// - Parameter text: A scalar without quotes.
    init(plain text: String) {
        switch text {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": self = .bool(true)
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": self = .bool(false)
        default: self = YAMLValue.number(text) ?? .text(text)
        }
    }

    private static func number(_ text: String) -> YAMLValue? {
        guard let first = text.utf8.first else { return nil }
        let isSigned = first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
        let sign: Int64 = first == UInt8(ascii: "-") ? -1 : 1
        let digits = (isSigned ? text.dropFirst() : text[...]).filter { $0 != "_" }
        guard let start = digits.utf8.first,
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(start) || start == UInt8(ascii: ".")
        else { return nil }
        if let whole = whole(digits) { return .int(sign * whole) }
        // A decimal needs its point; `1e5` is a text to YAML 1.1.
        guard digits.contains("."), digits.utf8.allSatisfy(isDecimal), let number = Double(digits),
            number.isFinite
        else { return nil }
        return .float(Double(sign) * number)
    }

    private static func whole(_ digits: String) -> Int64? {
        // `0X1F` with a large letter is a text.
        if digits.hasPrefix("0x") { return Int64(digits.dropFirst(2), radix: 16) }
        if digits.hasPrefix("0b") { return Int64(digits.dropFirst(2), radix: 2) }
        if digits.hasPrefix("0"), digits.utf8.count > 1 {
            return Int64(digits.dropFirst(), radix: 8)
        }
        return Int64(digits)
    }

    private static func isDecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"),
            UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
