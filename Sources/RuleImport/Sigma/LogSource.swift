/// The log source of a Sigma rule.
struct SigmaLogSource: Equatable, Sendable {
    var product: String?
    var category: String?
    var service: String?

    init(_ node: YAMLNode?) {
        product = node?["product"]?.text
        category = node?["category"]?.text
        service = node?["service"]?.text
    }

    /// The words that are given, from wide to narrow.
    var words: [String] { [product, category, service].compactMap { $0 } }

    /// Whether all that this one says is said by the other, too.
    func covers(_ other: SigmaLogSource) -> Bool {
        (product == nil || product == other.product)
            && (category == nil || category == other.category)
            && (service == nil || service == other.service)
    }
}

/// Where the events of a log source are, and what their fields are called.
struct SigmaStream: Equatable, Sendable {
    /// The event type.
    var event: String
    /// The condition that picks the log source's events from that type, in our language.
    var gate: String?
    /// The name of the `select` with the gate.
    var selectName: String
    var fields: [String: String] = [:]
    /// Types of fields by our names; a field that is not listed is of type `any`.
    var types: [String: String] = [:]
    /// The fields that a keyword is looked for in.
    var keywordFields: [String] = []
    /// Whether somebody chose those.
    var hasKeywordFields = false

    /// The type of one of our fields as a declaration writes it.
    func type(of field: String) -> String {
        let type = types[field] ?? "any"
        return type == "list" ? "[text]" : type
    }

    /// What a rule's `sequence` or `select` names.
    var source: String { gate == nil ? event : selectName }
}

/// A mapping file: which events a log source's rules look at. The first entry that says something
/// counts, so that special entries stand before general ones.
struct LogSourceMapping: Sendable {
    private struct Entry: Sendable {
        var source: SigmaLogSource
        var event: String?
        var gate: String?
        var fields: [(String, String)]
        var types: [(String, String)]
        var keywordFields: [String]
    }

    private var entries: [Entry] = []

    /// Reads one file more.
    ///
    /// - Returns: What is wrong with it.
    mutating func add(_ input: ImportInput) -> [ImportNote] {
        let (documents, fault) = readYAML(input.bytes)
        var notes: [ImportNote] = []
        func note(_ line: Int, _ reason: String) {
            notes.append(
                ImportNote(
                    kind: .lost, file: input.name, line: line, rule: "", id: "", place: "mapping",
                    reason: reason))
        }
        if let fault { note(fault.line, fault.reason) }
        for node in documents.flatMap(\.elements) {
            guard let members = node.members else {
                note(node.line, "an entry is no map")
                continue
            }
            let known = ["logsource", "event", "where", "fields", "types", "keywords"]
            for member in members where !known.contains(member.key) {
                note(
                    member.value.line,
                    "there is no `\(member.key)` in an entry; it may have "
                        + known.map { "`\($0)`" }.joined(separator: ", "))
            }
            func texts(_ key: String) -> [(String, String)] {
                (node[key]?.members ?? []).compactMap { member in
                    member.value.text.map { (member.key, $0) }
                }
            }
            entries.append(
                Entry(
                    source: SigmaLogSource(node["logsource"]), event: node["event"]?.text,
                    gate: node["where"]?.text, fields: texts("fields"), types: texts("types"),
                    keywordFields: node["keywords"]?.texts ?? []))
        }
        return notes
    }

    /// The stream of a log source. Without an entry its event type is named by its words.
    func stream(of source: SigmaLogSource) -> SigmaStream {
        let fitting = entries.filter { $0.source.covers(source) }
        let words = source.words.map(RuleWriter.identifier(from:))
        var stream = SigmaStream(
            event: words.isEmpty ? "sigma.event" : words.joined(separator: "."),
            gate: nil, selectName: words.isEmpty ? "sigma_events" : words.joined(separator: "_"))
        if let entry = fitting.first(where: { $0.event != nil }) {
            stream.event = entry.event ?? stream.event
        }
        stream.gate = fitting.first { $0.gate != nil }?.gate
        for entry in fitting {
            for (name, ours) in entry.fields where stream.fields[name] == nil {
                stream.fields[name] = ours
            }
            for (name, type) in entry.types where stream.types[name] == nil {
                stream.types[name] = type
            }
        }
        let keywords = fitting.first { !$0.keywordFields.isEmpty }?.keywordFields
        stream.keywordFields = keywords ?? ["message"]
        stream.hasKeywordFields = keywords != nil
        return stream
    }
}
