/// The declarations that imported rules need: event types with the fields that are read, selects and
/// lists.
struct Schema: Sendable {
    /// Field names with their types, by event type.
    private var events: [String: [String: String]] = [:]
    private var selects: [String: String] = [:]
    private var lists: [String: String] = [:]

    mutating func add(event: String) { events[event] = events[event] ?? [:] }

    mutating func add(field: String, type: String, of event: String) {
        events[event, default: [:]][field] = type
    }

    mutating func add(select name: String, _ text: String) { selects[name] = text }
    mutating func add(list name: String, _ text: String) { lists[name] = text }

    mutating func add(_ other: Schema) {
        for (event, fields) in other.events {
            events[event, default: [:]].merge(fields) { old, _ in old }
        }
        selects.merge(other.selects) { old, _ in old }
        lists.merge(other.lists) { old, _ in old }
    }

    fileprivate func fieldNames(of event: String) -> [String] {
        (events[event] ?? [:]).keys.sorted()
    }

    var isEmpty: Bool { events.isEmpty && selects.isEmpty && lists.isEmpty }

    /// The declarations, by name, so that the same rules give the same text.
    var text: String {
        var lines: [String] = []
        for (event, fields) in events.sorted(by: { $0.key < $1.key }) {
            lines.append("event \(event) {")
            for (field, type) in fields.sorted(by: { $0.key < $1.key }) {
                lines.append("  \(field): \(type)")
            }
            lines.append("}")
            lines.append("")
        }
        for (name, text) in lists.sorted(by: { $0.key < $1.key }) {
            lines.append("list \(name) \(text)")
        }
        for (name, text) in selects.sorted(by: { $0.key < $1.key }) {
            lines.append("select \(name) = \(text)")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Schema {
    /// Whether an event has a field whose name is, or begins with, a word.
    func hasField(_ word: String, of event: String) -> Bool {
        fieldNames(of: event).contains { $0 == word || $0.hasPrefix(word + ".") }
    }
}
