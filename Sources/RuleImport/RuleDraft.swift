/// A rule on its way into our language.
struct RuleDraft: Sendable {
    var name = ""
    /// Index of the input it comes from.
    var input = 0
    var line = 1
    /// Title and id for notes.
    var label = ""
    var id = ""
    var comments: [String] = []
    /// The events that the rule looks for, where it looks at single ones.
    var selection: Selection?
    /// A declaration that stands in front of the rule.
    var preamble = ""
    /// What is said about the rule.
    var metadata: [String] = []
    /// The pattern of a rule without a selection.
    var pattern: [String] = []
    var actions: [String] = []
    /// Whether it is a rule, and not only the events that others build on.
    var isRule = true
    var schema = Schema()
    /// Indices of the drafts whose names this one uses.
    var uses: [Int] = []

    /// Events of a stream that meet a condition.
    struct Selection: Sendable {
        /// What the sequence calls the event.
        var step: String
        var source: String
        var condition: String
        /// The condition with that of the source, over the event type.
        var wholeCondition: String
        /// Whether other rules name it, so that it has a `select` of its own.
        var isNamed = false
    }

    /// The name of the `select` with the draft's events.
    var selectName: String { "\(name)_events" }

    /// The text of the declarations; empty where everything is in those that build on it.
    var text: String {
        var parts: [String] = preamble.isEmpty ? [] : [preamble]
        var pattern = pattern
        if let selection {
            let whole = "\(selection.source) where \(selection.condition)"
            if selection.isNamed { parts.append("select \(selectName) = \(whole)\n") }
            let source = selection.isNamed ? selectName : whole
            pattern = ["  sequence {", "    \(selection.step): \(source)", "  }"]
        }
        if isRule {
            let clauses = [metadata, pattern, actions].filter { !$0.isEmpty }
            let body = clauses.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
            parts.append("rule \(name) {\n\(body)\n}\n")
        }
        guard !parts.isEmpty else { return "" }
        return comments.map { "# \($0)\n" }.joined() + parts.joined(separator: "\n")
    }

    func note(
        _ kind: ImportNote.Kind, _ file: String, line: Int? = nil, place: String = "",
        _ reason: String
    ) -> ImportNote {
        ImportNote(
            kind: kind, file: file, line: line ?? self.line, rule: label, id: id, place: place,
            reason: reason)
    }
}

/// Breaks a paragraph into comment lines.
func commentLines(_ text: String, width: Int = 96) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { paragraph in
        var lines: [String] = []
        var line = ""
        for word in paragraph.split(whereSeparator: \.isWhitespace) {
            let word = word.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }
            if !line.isEmpty, line.count + word.count + 1 > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + String(String.UnicodeScalarView(word))
        }
        return lines + (line.isEmpty ? [] : [line])
    }
}
