/// A field as the expressions of a condition name it.
struct Subject: Equatable, Sendable {
    var text: String
    /// As declarations write it.
    var type: String

    var isList: Bool { type.hasPrefix("[") }
    var isNumber: Bool { type == "number" }

    /// What a text is compared with. A number or a truth value in a field of any type is compared
    /// as it is spelled.
    func asText(mayBePlain: Bool) -> String {
        switch type {
        case "text": text
        case "any" where !mayBePlain: text
        default: "text(\(text))"
        }
    }

    var asNumber: String { isNumber ? text : "number(\(text))" }
}
