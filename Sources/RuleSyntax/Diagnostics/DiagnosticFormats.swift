// Diagnostics for programs: JSON lines, SARIF, annotations on GitHub.

// MARK: - JSON

/// A diagnostic as one line of JSON. Lines and columns count from 1, columns in characters.
func jsonLine(_ diagnostic: Diagnostic, _ sources: SourceTable) -> String {
    JSONDocument.object(
        [
            ("severity", .text(diagnostic.severity.word)),
            ("code", .text(diagnostic.code.number)),
            ("slug", .text(diagnostic.code.slug)),
            ("message", .text(diagnostic.message)),
        ] + place(diagnostic.primary.range, sources) + [
            ("label", .text(diagnostic.primary.text)),
            (
                "secondary",
                .array(
                    diagnostic.secondary.map {
                        .object(place($0.range, sources) + [("label", .text($0.text))])
                    })
            ),
            ("notes", .array(diagnostic.notes.map { .text($0) })),
            ("help", .array(diagnostic.help.map { json($0, sources) })),
        ]
    ).line
}

private func json(_ help: Help, _ sources: SourceTable) -> JSONDocument {
    var members: [(String, JSONDocument)] = [("text", .text(help.text))]
    if let fix = help.fix {
        let edits = fix.edits.map { edit in
            JSONDocument.object(
                place(edit.range, sources) + [
                    ("startByte", .number(Int(edit.range.start))),
                    ("endByte", .number(Int(edit.range.end))),
                    ("replacement", .text(edit.text)),
                ])
        }
        members += [("applicability", .text(fix.applicability.word)), ("edits", .array(edits))]
    }
    return .object(members)
}

private func place(_ range: SourceRange, _ sources: SourceTable) -> [(String, JSONDocument)] {
    let source = sources[range.source]
    let start = source.position(at: range.start)
    let end = source.position(at: range.end)
    return [
        ("file", .text(source.name)), ("line", .number(start.line)),
        ("column", .number(start.column)),
        ("endLine", .number(end.line)), ("endColumn", .number(end.column)),
    ]
}

extension FixIt.Applicability {
    fileprivate var word: String {
        switch self {
        case .always: "always"
        case .probably: "probably"
        case .hasPlaceholders: "hasPlaceholders"
        }
    }
}

// MARK: - SARIF

/// All diagnostics as one document.
///
/// - SeeAlso: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", 2020.
func sarifDocument(_ diagnostics: [Diagnostic], _ sources: SourceTable) -> String {
    var codes: [DiagnosticCode] = []
    for diagnostic in diagnostics where !codes.contains(diagnostic.code) {
        codes.append(diagnostic.code)
    }
    codes.sort { $0.number < $1.number }
    let rules = codes.map { code in
        JSONDocument.object([
            ("id", .text(code.number)),
            ("name", .text(code.slug)),
            ("fullDescription", .object([("text", .text(code.explanation))])),
            ("defaultConfiguration", .object([("level", .text(code.severity.word))])),
        ])
    }
    let results = diagnostics.map { sarifResult($0, codes, sources) }
    let driver = JSONDocument.object([("name", .text("martlet")), ("rules", .array(rules))])
    let run = JSONDocument.object([
        ("tool", .object([("driver", driver)])),
        ("columnKind", .text("unicodeCodePoints")),
        ("results", .array(results)),
    ])
    return JSONDocument.object([
        ("$schema", .text("https://json.schemastore.org/sarif-2.1.0.json")),
        ("version", .text("2.1.0")),
        ("runs", .array([run])),
    ]).document
}

private func sarifResult(
    _ diagnostic: Diagnostic, _ codes: [DiagnosticCode], _ sources: SourceTable
) -> JSONDocument {
    let remarks =
        diagnostic.notes.map { "note: \($0)" } + diagnostic.help.map { "help: \($0.text)" }
    var members: [(String, JSONDocument)] = [
        ("ruleId", .text(diagnostic.code.number)),
        ("ruleIndex", .number(codes.firstIndex(of: diagnostic.code) ?? -1)),
        ("level", .text(diagnostic.severity.word)),
        (
            "message",
            .object([("text", .text(([diagnostic.message] + remarks).joined(separator: "\n")))])
        ),
        ("locations", .array([sarifLocation(diagnostic.primary, sources)])),
    ]
    if !diagnostic.secondary.isEmpty {
        members.append(
            ("relatedLocations", .array(diagnostic.secondary.map { sarifLocation($0, sources) })))
    }
    let fixes = diagnostic.help.compactMap { help -> JSONDocument? in
        guard let fix = help.fix, let first = fix.edits.first else { return nil }
        let replacements = fix.edits.map { edit in
            JSONDocument.object([
                ("deletedRegion", sarifRegion(edit.range, sources)),
                ("insertedContent", .object([("text", .text(edit.text))])),
            ])
        }
        let change = JSONDocument.object([
            ("artifactLocation", sarifArtifact(first.range.source, sources)),
            ("replacements", .array(replacements)),
        ])
        return .object([
            ("description", .object([("text", .text(help.text))])),
            ("artifactChanges", .array([change])),
        ])
    }
    if !fixes.isEmpty { members.append(("fixes", .array(fixes))) }
    return .object(members)
}

private func sarifLocation(_ label: Label, _ sources: SourceTable) -> JSONDocument {
    var members: [(String, JSONDocument)] = [
        (
            "physicalLocation",
            .object([
                ("artifactLocation", sarifArtifact(label.range.source, sources)),
                ("region", sarifRegion(label.range, sources)),
            ])
        )
    ]
    if !label.text.isEmpty { members.append(("message", .object([("text", .text(label.text))]))) }
    return .object(members)
}

private func sarifArtifact(_ id: SourceID, _ sources: SourceTable) -> JSONDocument {
    .object([("uri", .text(uri(sources[id].name)))])
}

private func sarifRegion(_ range: SourceRange, _ sources: SourceTable) -> JSONDocument {
    let source = sources[range.source]
    let start = source.position(at: range.start)
    let end = source.position(at: range.end)
    return .object([
        ("startLine", .number(start.line)), ("startColumn", .number(start.column)),
        ("endLine", .number(end.line)), ("endColumn", .number(end.column)),
        ("byteOffset", .number(Int(range.start))),
        ("byteLength", .number(Int(range.end - range.start))),
    ])
}

/// A path as a URI reference: all but letters, digits and a few marks as `%` and two digits.
private func uri(_ path: String) -> String {
    var output = ""
    for byte in path.utf8 {
        if byte.continuesName || "-.~/".utf8.contains(byte) {
            output.unicodeScalars.append(UnicodeScalar(byte))
        } else {
            let digits = String(byte, radix: 16, uppercase: true)
            output += "%" + (digits.count == 1 ? "0" : "") + digits
        }
    }
    return output
}

// MARK: - GitHub

/// A workflow command: `::error file=a.rules,line=3,...::message`.
func gitHubCommand(_ diagnostic: Diagnostic, _ sources: SourceTable) -> String {
    let range = diagnostic.primary.range
    let source = sources[range.source]
    let start = source.position(at: range.start)
    let end = source.position(at: range.end)
    let command =
        switch diagnostic.severity {
        case .error: "error"
        case .warning: "warning"
        case .note: "notice"
        }
    var properties = [
        "file=\(escapedProperty(source.name))", "line=\(start.line)", "endLine=\(end.line)",
    ]
    // GitHub takes columns only within one line.
    if start.line == end.line { properties += ["col=\(start.column)", "endColumn=\(end.column)"] }
    properties.append("title=\(diagnostic.code.number)")
    let remarks =
        diagnostic.notes.map { "note: \($0)" } + diagnostic.help.map { "help: \($0.text)" }
    let message = ([diagnostic.message] + remarks).joined(separator: "\n")
    return "::\(command) \(properties.joined(separator: ","))::\(escapedData(message))"
}

private func escapedData(_ text: String) -> String {
    var output = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "%": output += "%25"
        case "\r": output += "%0D"
        case "\n": output += "%0A"
        default: output.unicodeScalars.append(scalar)
        }
    }
    return output
}

private func escapedProperty(_ text: String) -> String {
    var output = ""
    for scalar in escapedData(text).unicodeScalars {
        switch scalar {
        case ":": output += "%3A"
        case ",": output += "%2C"
        default: output.unicodeScalars.append(scalar)
        }
    }
    return output
}
