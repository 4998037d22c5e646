import RuleCompiler
import RuleSyntax

// What the compiler has to say, told to the client without being asked.

extension LanguageServer {
    /// Sends the diagnostics of every file for which they are others than those sent last.
    mutating func publishDiagnostics() {
        hasChanges = false
        var current: [(uri: String, diagnostics: [JSONDocument])] = []
        var index: [String: Int] = [:]
        for place in workspace.places() {
            let analysis = workspace.analysis(place)
            let uris = analysis.compilation.sources.map(workspace.uri(of:))
            // A file of two rule sets has the findings of the first.
            let firstOfSet = current.count
            for uri in uris where index[uri] == nil {
                index[uri] = current.count
                current.append((uri, []))
            }
            for diagnostic in analysis.compilation.diagnostics {
                let uri = uris[Int(diagnostic.primary.range.source.rawValue)]
                guard let position = index[uri], position >= firstOfSet else { continue }
                current[position].diagnostics.append(json(diagnostic, in: analysis))
            }
        }
        for (uri, diagnostics) in current {
            let list = JSONDocument.array(diagnostics)
            // What a client has never heard of has no diagnostics.
            guard published[uri] ?? [] != list else { continue }
            publish(uri, list)
        }
        for uri in published.keys.sorted() where index[uri] == nil { publish(uri, []) }
    }

    private mutating func publish(_ uri: String, _ list: JSONDocument) {
        published[uri] = list == [] ? nil : list
        var parameters: [(String, JSONDocument)] = [("uri", .text(uri))]
        if let document = workspace.document(uri) {
            parameters.append(("version", .number(document.version)))
        }
        send("textDocument/publishDiagnostics", .object(parameters + [("diagnostics", list)]))
    }

    /// A diagnostic as the protocol has it: what stands beside the place becomes related
    /// information, notes and advice follow the message on lines of their own.
    func json(_ diagnostic: Diagnostic, in analysis: Analysis) -> JSONDocument {
        let primary = diagnostic.primary
        let map = workspace.map(analysis.source(primary.range))
        var message = diagnostic.message
        if !primary.text.isEmpty { message += ": \(primary.text)" }
        for note in diagnostic.notes { message += "\nnote: \(note)" }
        for help in diagnostic.help { message += "\nhelp: \(help.text)" }
        var members: [(String, JSONDocument)] = [
            ("range", map.json(primary.range)),
            ("severity", .number(level(diagnostic.severity))),
            ("code", .text(diagnostic.code.number)),
            ("source", "martlet"),
            ("message", .text(message)),
        ]
        // An editor greys out what is never used.
        if diagnostic.code.slug == "unused" { members.append(("tags", [1])) }
        if !diagnostic.secondary.isEmpty {
            let related = diagnostic.secondary.map { label -> JSONDocument in
                [
                    "location": location(label.range, in: analysis),
                    "message": .text(label.text.isEmpty ? "here" : label.text),
                ]
            }
            members.append(("relatedInformation", .array(related)))
        }
        return .object(members)
    }

    /// A place in any file.
    func location(_ range: SourceRange, in analysis: Analysis) -> JSONDocument {
        let source = analysis.source(range)
        return [
            "uri": .text(workspace.uri(of: source)), "range": workspace.map(source).json(range),
        ]
    }

    private func level(_ severity: DiagnosticSeverity) -> Int {
        switch severity {
        case .error: 1
        case .warning: 2
        case .note: 3
        }
    }
}
