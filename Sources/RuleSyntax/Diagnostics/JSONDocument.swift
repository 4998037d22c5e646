/// A JSON value that keeps the order of its members, for documents that people compare.
public enum JSONDocument: Sendable, Equatable {
    case null
    case text(String)
    case number(Int)
    /// A number with a fraction or an exponent, or one too large for `number`.
    case decimal(Double)
    case bool(Bool)
    case array([JSONDocument])
    case object([(String, JSONDocument)])

    /// The value on one line.
    public var line: String {
        var output = ""
        write(to: &output, indent: nil)
        return output
    }

    /// The value over many lines, indented by two spaces.
    public var document: String {
        var output = ""
        write(to: &output, indent: 0)
        return output + "\n"
    }

    private func write(to output: inout String, indent: Int?) {
        switch self {
        case .null:
            output += "null"
        case .decimal(let number):
            output += number.isFinite ? String(number) : "null"
        case .text(let text):
            Self.write(text, to: &output)
        case .number(let number):
            output += String(number)
        case .bool(let bool):
            output += bool ? "true" : "false"
        case .array(let items):
            Self.write(items, "[", "]", to: &output, indent) { $0.write(to: &$1, indent: $2) }
        case .object(let members):
            Self.write(members, "{", "}", to: &output, indent) { member, output, indent in
                Self.write(member.0, to: &output)
                output += indent == nil ? ":" : ": "
                member.1.write(to: &output, indent: indent)
            }
        }
    }

    private static func write<Item>(
        _ items: [Item], _ open: String, _ close: String, to output: inout String, _ indent: Int?,
        item: (Item, inout String, Int?) -> Void
    ) {
        guard !items.isEmpty else {
            output += open + close
            return
        }
        let inner = indent.map { $0 + 2 }
        output += open
        for (index, element) in items.enumerated() {
            if index > 0 { output += "," }
            if let inner { output += "\n" + String(repeating: " ", count: inner) }
            item(element, &output, inner)
        }
        if let indent { output += "\n" + String(repeating: " ", count: indent) }
        output += close
    }

    private static func write(_ text: String, to output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case _ where scalar.isControl:
                let digits = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }

    public static func == (left: JSONDocument, right: JSONDocument) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.text(let left), .text(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.decimal(let left), .decimal(let right)): left == right
        case (.bool(let left), .bool(let right)): left == right
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left.elementsEqual(right, by: ==)
        default: false
        }
    }
}

// MARK: - Literals

extension JSONDocument: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int) { self = .number(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSONDocument...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONDocument)...) { self = .object(elements) }
}

// MARK: - Reading

extension JSONDocument {
    /// The member of an object; nil when there is none, or when it is no object.
    public subscript(_ name: String) -> JSONDocument? {
        if case .object(let members) = self { return members.first { $0.0 == name }?.1 }
        return nil
    }

    /// The text, where it is one.
    public var text: String? {
        if case .text(let text) = self { return text }
        return nil
    }

    /// The whole number, where it is one.
    public var integer: Int? {
        if case .number(let number) = self { return number }
        return nil
    }

    /// The truth value, where it is one.
    public var bool: Bool? {
        if case .bool(let bool) = self { return bool }
        return nil
    }

    /// The elements, where it is an array.
    public var elements: [JSONDocument]? {
        if case .array(let elements) = self { return elements }
        return nil
    }
}
