/// How diagnostics are written.
public enum DiagnosticFormat: String, Sendable, CaseIterable {
    /// For people: snippets of the source with labels.
    case text
    /// One JSON object on each line.
    case json
    /// One SARIF 2.1.0 document.
    case sarif
    /// Workflow commands that become annotations in a review on GitHub.
    case github
}

/// Writes diagnostics in order of file and position.
///
/// As text at most 50 are shown, and the others counted; the formats for programs hold all.
///
/// - Parameters:
///   - sources: Every file that a range of the diagnostics lies in.
///   - colour: Whether text may hold ANSI colours. The other formats never do.
/// - Returns: Whole lines; empty for no diagnostics, except in SARIF, which is a document anyway.
public func render(
    _ diagnostics: [Diagnostic], sources: [SourceText], format: DiagnosticFormat, colour: Bool
) -> String {
    let ordered = diagnostics.inOrderOfPosition()
    let table = SourceTable(sources)
    switch format {
    case .text: return renderText(ordered, table, Palette(isOn: colour))
    case .json: return ordered.map { jsonLine($0, table) + "\n" }.joined()
    case .sarif: return sarifDocument(ordered, table)
    case .github: return ordered.map { gitHubCommand($0, table) + "\n" }.joined()
    }
}

/// Sources by id, with a stand-in for a file that was not given.
struct SourceTable {
    private let sources: [SourceID: SourceText]

    init(_ sources: [SourceText]) {
        self.sources = Dictionary(
            sources.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    subscript(id: SourceID) -> SourceText {
        sources[id] ?? SourceText(id: id, name: "(unknown file)", bytes: [])
    }
}

// MARK: - Text

private let shownMax = 50

private func renderText(_ diagnostics: [Diagnostic], _ sources: SourceTable, _ palette: Palette)
    -> String
{
    var output = ""
    for diagnostic in diagnostics.prefix(shownMax) {
        output += renderText(diagnostic, sources, palette)
        output += "\n"
    }
    let rest = diagnostics.dropFirst(shownMax)
    if !rest.isEmpty {
        let counts = [DiagnosticSeverity.error, .warning, .note].compactMap { severity -> String? in
            let count = rest.count { $0.severity == severity }
            return count == 0 ? nil : "\(count) more \(severity.word)\(count == 1 ? "" : "s")"
        }
        output += "\(counts.joined(separator: ", ")) not shown\n"
    }
    return output
}

private func renderText(_ diagnostic: Diagnostic, _ sources: SourceTable, _ palette: Palette)
    -> String
{
    let tint = palette.severity(diagnostic.severity)
    var lines = [
        tint("\(diagnostic.severity.word)[\(diagnostic.code.number)]")
            + palette.bold(": " + visible(diagnostic.message))
    ]
    let labels = [(diagnostic.primary, true)] + diagnostic.secondary.map { ($0, false) }
    let snippets = Snippet.snippets(for: labels, sources)
    let width = snippets.map(\.gutterWidth).max() ?? 1
    for snippet in snippets { lines += snippet.lines(gutter: width, palette, tint) }

    let margin = String(repeating: " ", count: width + 1)
    if !diagnostic.notes.isEmpty || !diagnostic.help.isEmpty {
        lines.append(margin + palette.gutter("│"))
    }
    let remarks = diagnostic.notes.map { ("note", $0) } + diagnostic.help.map { ("help", $0.text) }
    for (word, remark) in remarks {
        let parts = remark.split(separator: "\n", omittingEmptySubsequences: false).map {
            visible(String($0))
        }
        lines.append(margin + palette.gutter("=") + " " + palette.bold(word) + ": " + parts[0])
        // What goes over several lines stands under the word's text.
        lines += parts.dropFirst().map { $0.isEmpty ? "" : margin + "        " + $0 }
    }
    return lines.map { $0 + "\n" }.joined()
}

extension DiagnosticSeverity {
    var word: String {
        switch self {
        case .error: "error"
        case .warning: "warning"
        case .note: "note"
        }
    }
}

/// Text with control characters made visible, so that a rules file cannot steer a terminal.
func visible(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: \.isControl) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result.append(scalar.isControl ? scalar.picture : scalar) }
    return String(result)
}

extension Unicode.Scalar {
    var isControl: Bool { value < 0x20 || (value >= 0x7F && value < 0xA0) }

    /// The sign for a control character: `␀` for NUL.
    var picture: Unicode.Scalar {
        let code: UInt32 = value < 0x20 ? 0x2400 + value : value == 0x7F ? 0x2421 : 0xFFFD
        return Unicode.Scalar(code) ?? "\u{FFFD}"
    }
}

// MARK: - Colour

/// ANSI colours, or none.
struct Palette {
    var isOn: Bool

    func bold(_ text: String) -> String { paint(text, "1") }
    func gutter(_ text: String) -> String { paint(text, "34") }
    func secondary(_ text: String) -> String { paint(text, "36") }

    func severity(_ severity: DiagnosticSeverity) -> (String) -> String {
        let code =
            switch severity {
            case .error: "1;31"
            case .warning: "1;33"
            case .note: "1;36"
            }
        return { paint($0, code) }
    }

    private func paint(_ text: String, _ code: String) -> String {
        isOn && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
