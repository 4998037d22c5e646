import RuleCompiler
import RuleSyntax

// Renaming: every place that means the same thing, or nothing at all.

extension LanguageServer {
    func prepareRename(_ view: DocumentView, at offset: UInt32) throws(RequestFault)
        -> JSONDocument
    {
        let (_, use) = try renamed(view, at: offset)
        return [
            "range": view.map.json(use.range), "placeholder": .text(view.source.text(use.range)),
        ]
    }

    /// Edits of all places; refused where the new name would not mean what the old one did.
    ///
    /// The proof is a compilation of the renamed files: it has to have no more errors than before,
    /// and each place has to stand for the same declaration as before, no place more and none less.
    mutating func rename(
        _ view: DocumentView, at offset: UInt32, to name: String
    ) throws(RequestFault) -> JSONDocument {
        let (places, use) = try renamed(view, at: offset)
        let isDotted = use.kind == .event || use.kind == .field
        guard isName(name, dotted: isDotted) else {
            throw RequestFault(
                .invalidParameters,
                "`\(name)` is no name: letters, digits and `_`, a letter first"
                    + (isDotted ? ", with dots between" : ""))
        }
        let edits = places.map { SourceEdit(range: $0, text: name) }
        var contents: [SourceID: [UInt8]] = [:]
        for edit in edits.reversed() {
            var bytes =
                contents[edit.range.source] ?? view.analysis.source(edit.range).bytes
            bytes.replaceSubrange(
                Int(edit.range.start)..<Int(edit.range.end), with: edit.text.utf8)
            contents[edit.range.source] = bytes
        }
        let after = workspace.compilation(of: view, with: contents)
        try refuseIfBroken(view.compilation, after, edits, name)
        return workspaceEdit(edits, in: view.analysis)
    }

    /// All places of the name at a place.
    private func renamed(
        _ view: DocumentView, at offset: UInt32
    ) throws(RequestFault) -> (places: [SourceRange], at: NameUse) {
        let uses = view.uses(at: offset)
        guard let use = uses.first else {
            throw RequestFault(.requestFailed, "nothing that can be renamed stands here")
        }
        let group = view.analysis.connected(Set(uses.map(\.declaration)))
        let places = view.analysis.places(naming: group)
        // One word for the fields of several event types: renaming it renames them all.
        return (places, use)
    }

    private func isName(_ text: String, dotted: Bool) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard dotted || parts.count == 1 else { return false }
        return parts.allSatisfy { part in
            let tokens = lex(SourceText(name: "", text: String(part))).tokens
            return tokens.count == 2 && tokens[0].kind == .name
                && Int(tokens[0].range.length) == part.utf8.count
        }
    }

    private func refuseIfBroken(
        _ before: Compilation, _ after: Compilation, _ edits: [SourceEdit], _ name: String
    ) throws(RequestFault) {
        let shift = Shift(edits)
        // What was wrong before may be wrong after it, in the words of the new name.
        var known: [String: Int] = [:]
        for diagnostic in before.diagnostics where diagnostic.severity == .error {
            known[
                "\(diagnostic.code.number) \(shift.moved(diagnostic.primary.range))", default: 0] +=
                1
        }
        for diagnostic in after.diagnostics where diagnostic.severity == .error {
            let key = "\(diagnostic.code.number) \(diagnostic.primary.range)"
            if let count = known[key], count > 0 {
                known[key] = count - 1
                continue
            }
            let source = after.sources[Int(diagnostic.primary.range.source.rawValue)]
            let line = source.position(at: diagnostic.primary.range.start).line
            throw RequestFault(
                .requestFailed,
                "the name `\(name)` would be a mistake at \(source.name):\(line): \(diagnostic.message)"
            )
        }
        let expected = Set(
            before.uses.map { Link(shift.moved($0.range), shift.moved($0.declaration)) })
        let found = Set(after.uses.map { Link($0.range, $0.declaration) })
        let changed = expected.symmetricDifference(found).map(\.use).min { $0.precedes($1) }
        if let changed {
            let source = after.sources[Int(changed.source.rawValue)]
            let line = source.position(at: changed.start).line
            throw RequestFault(
                .requestFailed,
                "with the name `\(name)` something else would be meant at \(source.name):\(line)")
        }
    }
}

/// A name and what it stands for.
private struct Link: Hashable {
    var use: SourceRange
    var declaration: SourceRange

    init(_ use: SourceRange, _ declaration: SourceRange) {
        self.use = use
        self.declaration = declaration
    }
}

/// Where a place is once edits have been made.
private struct Shift {
    private let edits: [SourceID: [SourceEdit]]

    /// - Precondition: the edits of a file are in order and do not overlap.
    init(_ edits: [SourceEdit]) { self.edits = Dictionary(grouping: edits) { $0.range.source } }

    func moved(_ range: SourceRange) -> SourceRange {
        var moved = range
        for edit in edits[range.source] ?? [] {
            let growth = Int(edit.text.utf8.count) - Int(edit.range.length)
            if edit.range.end <= range.start { moved.start = UInt32(Int(moved.start) + growth) }
            if edit.range.end <= range.end { moved.end = UInt32(Int(moved.end) + growth) }
        }
        return moved
    }
}
