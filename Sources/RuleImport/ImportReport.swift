import RuleSyntax

/// Something that was not kept exactly.
public struct ImportNote: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// There is no rule in the output for it.
        case lost
        /// There is a rule, which differs from the original in what the reason says.
        case changed
    }

    public var kind: Kind
    public var file: String
    /// Counted from 1.
    public var line: Int
    /// The title or name of the rule; empty where the file as a whole is meant.
    public var rule: String
    /// The original's id; empty without one.
    public var id: String
    /// The part of the rule, such as `detection.selection`; empty for the whole.
    public var place: String
    /// A sentence without a full stop.
    public var reason: String

    /// `rules/x.yml:12: Title: detection.selection: why`
    public var text: String {
        let parts = [rule, place, reason].filter { !$0.isEmpty }
        return "\(file):\(line): \(kind.rawValue): " + parts.joined(separator: ": ")
    }
}

/// One text to import: its name as the user gave it, and its bytes.
public struct ImportInput: Sendable {
    public var name: String
    public var bytes: [UInt8]

    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// What an import made.
public struct ImportResult: Sendable {
    /// The rules of one input, in our language and its canonical form.
    public struct File: Sendable {
        /// The name of the input.
        public var input: String
        public var text: String
        /// Indices into `files` of those whose names this one uses.
        public var uses: [Int]
    }

    /// Event types, selects and lists that the rules need.
    public var schema: String
    /// Those inputs of which at least one rule was kept.
    public var files: [File]
    public var notes: [ImportNote]
    /// Rules that were found.
    public var ruleCount: Int
    /// Rules that are in the output.
    public var keptCount: Int

    /// All of it as one file.
    public var singleFile: String {
        ([schema] + files.map(\.text)).filter { !$0.isEmpty }.joined(separator: "\n")
    }

    /// The report as a JSON document: the counts, and each note.
    public var report: String {
        let notes = notes.map { note in
            JSONDocument.object([
                ("kind", .text(note.kind.rawValue)), ("file", .text(note.file)),
                ("line", .number(note.line)), ("rule", .text(note.rule)), ("id", .text(note.id)),
                ("place", .text(note.place)), ("reason", .text(note.reason)),
            ])
        }
        return JSONDocument.object([
            ("schema", .number(1)), ("rules", .number(ruleCount)), ("kept", .number(keptCount)),
            ("lost", .number(ruleCount - keptCount)), ("notes", .array(notes)),
        ]).document
    }
}

/// Why a rule, or a part of it, cannot be kept.
struct ImportLoss: Error, Equatable {
    var reason: String
    var line: Int
    var place = ""
}
