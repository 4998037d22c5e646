/// One document of a Sigma file.
struct SigmaDocument: Sendable {
    enum Kind: Sendable {
        case rule, correlation, filter
        /// Neither; the reason why.
        case unknown(String)
    }

    var node: YAMLNode
    /// Index of the input it stands in.
    var input: Int
    var kind: Kind

    init(_ node: YAMLNode, input: Int) {
        self.node = node
        self.input = input
        if let action = node["action"]?.text {
            kind = .unknown("`action: \(action)` was taken out of Sigma; write the documents out")
        } else if node["correlation"] != nil {
            kind = .correlation
        } else if node["filter"] != nil {
            kind = .filter
        } else if node["detection"] != nil {
            kind = .rule
        } else {
            kind = .unknown("the document has no `detection`, `correlation` or `filter`")
        }
    }

    var title: String { node["title"]?.text ?? "" }
    var id: String { node["id"]?.text ?? "" }
    /// The name that correlations use; empty without one.
    var reference: String { node["name"]?.text ?? "" }
    /// What notes call it.
    var label: String { title.isEmpty ? reference : title }
    var logSource: SigmaLogSource { SigmaLogSource(node["logsource"]) }

    /// The name that the rule gets, before it is made unique.
    var proposedName: String {
        RuleWriter.identifier(from: reference.isEmpty ? title : reference)
    }

    func isReferred(by reference: String) -> Bool {
        !reference.isEmpty && (reference == id || reference == self.reference)
    }

    /// A draft with all that Sigma says about a rule, but for what it looks for.
    func draft(named name: String) -> RuleDraft {
        var draft = RuleDraft()
        draft.name = name
        draft.input = input
        draft.line = node.line
        draft.label = label
        draft.id = id
        draft.comments = comments
        draft.metadata = metadata
        return draft
    }

    /// Description and origin.
    private var comments: [String] {
        var lines = commentLines(node["description"]?.text ?? "")
        func add(_ word: String, _ keys: [String]) {
            let texts = keys.flatMap { key in
                (node[key]?.texts ?? []).map { key == keys[0] ? $0 : "\(key) \($0)" }
            }
            if !texts.isEmpty { lines += commentLines("\(word): " + texts.joined(separator: ", ")) }
        }
        add("Sigma", ["id", "status", "date", "modified"])
        add("Author", ["author"])
        add("License", ["license"])
        return lines
    }

    private var metadata: [String] {
        var clauses: [String] = []
        if !title.isEmpty { clauses.append("  title \(RuleWriter.text(title))") }
        if let level = node["level"]?.text, let severity = Self.severities[level.lowercased()] {
            clauses.append("  severity \(severity)")
        }
        let tags = node["tags"]?.texts ?? []
        let techniques = tags.compactMap(Self.technique(of:))
        var others = tags.filter { Self.technique(of: $0) == nil }
        if !id.isEmpty { others.append("sigma.\(id)") }
        if !others.isEmpty { clauses.append("  tags \(RuleWriter.texts(others))") }
        if !techniques.isEmpty {
            clauses.append("  attack [\(techniques.joined(separator: ", "))]")
        }
        let authors = node["author"]?.texts ?? []
        if !authors.isEmpty {
            clauses.append("  owner \(RuleWriter.text(authors.joined(separator: ", ")))")
        }
        for (key, word) in [("references", "references"), ("falsepositives", "falsepositives")] {
            let texts = node[key]?.texts ?? []
            if !texts.isEmpty { clauses.append("  \(word) \(RuleWriter.texts(texts))") }
        }
        return clauses
    }

    private static let severities = [
        "informational": "info", "low": "low", "medium": "medium", "high": "high",
        "critical": "critical",
    ]

    /// `T1059.001` of `attack.t1059.001`; nil for tactics, groups and tags of other kinds.
    private static func technique(of tag: String) -> String? {
        let parts = tag.lowercased().split(separator: ".").map(String.init)
        guard (2...3).contains(parts.count), parts[0] == "attack", parts[1].hasPrefix("t"),
            parts[1].count == 5, Int(parts[1].dropFirst()) != nil,
            parts.count == 2 || Int(parts[2]) != nil
        else { return nil }
        return parts.dropFirst().joined(separator: ".").uppercased()
    }
}
