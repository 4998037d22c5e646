/// A JSON value that keeps the order of its members, for documents that people compare.
enum JSONDocument {
    case text(String)
    case number(Int)
    case bool(Bool)
    case array([JSONDocument])
    case object([(String, JSONDocument)])

    /// The value on one line.
    var line: String {
        var output = ""
        write(to: &output, indent: nil)
        return output
    }

    /// The value over many lines, indented by two spaces.
    var document: String {
        var output = ""
        write(to: &output, indent: 0)
        return output + "\n"
    }

    private func write(to output: inout String, indent: Int?) {
        switch self {
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
}
