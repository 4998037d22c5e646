import RuleCompiler
import RuleSyntax

// The compiler's own fixes, and all safe ones of a file at once.

extension LanguageServer {
    func codeActions(_ view: DocumentView, _ parameters: JSONDocument) -> JSONDocument {
        let start = view.map.offset(parameters["range"]?["start"]) ?? 0
        let end = view.map.offset(parameters["range"]?["end"]) ?? UInt32(view.source.bytes.count)
        let wanted = parameters["context"]?["only"]?.elements?.compactMap(\.text)
        func wants(_ kind: String) -> Bool {
            wanted?.contains { kind == $0 || kind.hasPrefix($0 + ".") } ?? true
        }
        let own = view.compilation.diagnostics.filter { $0.primary.range.source == view.id }
        var actions: [JSONDocument] = []
        if wants("quickfix") {
            for diagnostic in own
            where diagnostic.primary.range.start <= end && start <= diagnostic.primary.range.end {
                for help in diagnostic.help {
                    guard let fix = help.fix else { continue }
                    actions.append(action(help.text, fix, for: diagnostic, view))
                }
            }
        }
        if wants("source.fixAll") {
            let edits = safeEdits(own)
            if !edits.isEmpty {
                actions.append([
                    "title": "Apply every fix that is always right", "kind": "source.fixAll",
                    "edit": workspaceEdit(edits, in: view.analysis),
                ])
            }
        }
        return .array(actions)
    }

    private func action(
        _ text: String, _ fix: FixIt, for diagnostic: Diagnostic, _ view: DocumentView
    ) -> JSONDocument {
        let isTemplate = fix.applicability == .hasPlaceholders
        return [
            "title": .text(isTemplate ? "\(text) (a template to be filled in)" : text),
            "kind": "quickfix",
            "isPreferred": .bool(fix.applicability == .always),
            "diagnostics": [json(diagnostic, in: view.analysis)],
            "edit": workspaceEdit(fix.edits, in: view.analysis),
        ]
    }

    /// Edits of one or more files as the protocol has them.
    func workspaceEdit(_ edits: [SourceEdit], in analysis: Analysis) -> JSONDocument {
        var changes: [(String, [JSONDocument])] = []
        for edit in edits {
            let source = analysis.source(edit.range)
            let uri = workspace.uri(of: source)
            let json: JSONDocument = [
                "range": workspace.map(source).json(edit.range), "newText": .text(edit.text),
            ]
            if let index = changes.firstIndex(where: { $0.0 == uri }) {
                changes[index].1.append(json)
            } else {
                changes.append((uri, [json]))
            }
        }
        return ["changes": .object(changes.map { ($0.0, .array($0.1)) })]
    }
}
