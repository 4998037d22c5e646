import RuleModel

/// The languages in which `graph` draws.
public enum GraphFormat: String, Sendable, CaseIterable { case dot, mermaid }

/// The machine of a rule as a picture's source text: states as nodes, what has to happen and how
/// long it may take on the edges.
public func graph(_ plan: RulePlan, tables: RuleSetTables, format: GraphFormat) -> String {
    guard let machine = Machine(plan, tables: tables) else {
        let words = "\(plan.name) has no machine to draw"
        return format == .dot
            ? "digraph \(dotQuoted(plan.name)) {\n  label=\(dotQuoted(words));\n}\n"
            : "flowchart LR\n  none[\(mermaidQuoted(words))]\n"
    }
    return format == .dot ? dot(machine, name: plan.name) : mermaid(machine)
}

// MARK: - DOT

private func dot(_ machine: Machine, name: String) -> String {
    var lines = [
        "digraph \(dotQuoted(name)) {", "  rankdir=LR;",
        "  label=\(dotQuoted(machine.title)); labelloc=t; fontname=\"sans-serif\";",
        "  node [shape=box, style=rounded, fontname=\"sans-serif\"];",
        "  edge [fontname=\"sans-serif\", fontsize=10];",
    ]
    for (index, state) in machine.states.enumerated() {
        let look =
            switch state.kind {
            case .start: ", shape=circle"
            case .open: ""
            case .match: ", peripheries=2, style=\"rounded,bold\""
            case .dropped: ", style=\"rounded,dashed\", color=gray40, fontcolor=gray40"
            }
        lines.append("  s\(index) [label=\(dotQuoted(state.name))\(look)];")
    }
    for edge in machine.edges {
        let look =
            switch edge.kind {
            case .step: ""
            case .skip: ", style=dashed"
            case .drop: ", style=dotted, color=gray40, fontcolor=gray40"
            }
        let label = (wrapped(edge.label) + (edge.limit.isEmpty ? [] : [edge.limit]))
        lines.append("  s\(edge.from) -> s\(edge.to) [label=\(dotQuoted(label))\(look)];")
    }
    return lines.joined(separator: "\n") + "\n}\n"
}

private func dotQuoted(_ text: String) -> String { dotQuoted([text]) }

private func dotQuoted(_ lines: [String]) -> String {
    let escaped = lines.map { line in
        line.map { character in
            switch character {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n", "\r", "\r\n": " "
            default: String(character)
            }
        }.joined()
    }
    return "\"\(escaped.joined(separator: "\\n"))\""
}

// MARK: - Mermaid

private func mermaid(_ machine: Machine) -> String {
    var lines = ["---", "title: \(mermaidQuoted(machine.title))", "---", "flowchart LR"]
    for (index, state) in machine.states.enumerated() {
        let label = mermaidQuoted(state.name)
        let node =
            switch state.kind {
            case .start: "((\(label)))"
            case .open: "(\(label))"
            case .match: "([\(label)])"
            case .dropped: "[\(label)]"
            }
        lines.append("  s\(index)\(node)")
    }
    for edge in machine.edges {
        let arrow = edge.kind == .step ? "-->" : "-.->"
        let label = (wrapped(edge.label) + (edge.limit.isEmpty ? [] : [edge.limit]))
            .map(mermaidEscaped).joined(separator: "<br>")
        lines.append("  s\(edge.from) \(arrow)|\"\(label)\"| s\(edge.to)")
    }
    return lines.joined(separator: "\n") + "\n"
}

private func mermaidQuoted(_ text: String) -> String { "\"\(mermaidEscaped(text))\"" }

/// Mermaid reads entities in labels; markup of any kind must not.
private func mermaidEscaped(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
        switch scalar {
        case "\"", "<", ">", "&", "#", "|", "`", "[", "]", "{", "}", "\\": "#\(scalar.value);"
        case "\n", "\r": " "
        default: String(scalar)
        }
    }.joined()
}

/// Lines of about 40 characters, broken between words.
private func wrapped(_ text: String) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
        if !line.isEmpty, line.count + word.count >= 40 {
            lines.append(line)
            line = ""
        }
        line += line.isEmpty ? String(word) : " \(word)"
    }
    return lines + [line]
}
