/// How much a diagnostic weighs. An error keeps the program from being built.
public enum DiagnosticSeverity: Int, Comparable, Sendable {
    case note, warning, error

    public static func < (left: DiagnosticSeverity, right: DiagnosticSeverity) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// A place in a file with a short text that needs the snippet to be understood.
public struct Label: Sendable, Equatable {
    public var range: SourceRange
    public var text: String

    public init(_ range: SourceRange, _ text: String = "") {
        self.range = range
        self.text = text
    }
}

/// What the compiler tells the user: a value that is rendered as text, JSON, SARIF or a review comment.
public struct Diagnostic: Sendable, Equatable {
    /// Number, slug, severity and long explanation come with it.
    public var code: DiagnosticCode
    /// Stands on its own, in a log line: lower case, no full stop, the user's things in backquotes.
    public var message: String
    /// The smallest range that carries the fault.
    public var primary: Label
    /// The other places that make it a fault; any file of the rule set.
    public var secondary: [Label]
    /// Facts that explain.
    public var notes: [String]
    /// Advice; at most one carries a fix.
    public var help: [Help]

    public init(
        _ code: DiagnosticCode, _ message: String, at range: SourceRange, label: String = "",
        secondary: [Label] = [], notes: [String] = [], help: [Help] = []
    ) {
        self.code = code
        self.message = message
        primary = Label(range, label)
        self.secondary = secondary
        self.notes = notes
        self.help = help
    }

    public var severity: DiagnosticSeverity { code.severity }
}

/// Advice, which may carry an edit that follows it.
public struct Help: Sendable, Equatable {
    public var text: String
    public var fix: FixIt?

    public init(_ text: String, fix: FixIt? = nil) {
        self.text = text
        self.fix = fix
    }
}

/// Edits that do what a help says.
public struct FixIt: Sendable, Equatable {
    /// Whether a program may apply it without a person reading it.
    public enum Applicability: Sendable { case always, probably, hasPlaceholders }

    /// Do not overlap; all in one file.
    public var edits: [SourceEdit]
    public var applicability: Applicability

    public init(_ edits: [SourceEdit], _ applicability: Applicability) {
        self.edits = edits
        self.applicability = applicability
    }

    /// A fix-it of one edit, which puts a text in the place of a range.
    public static func replace(
        _ range: SourceRange, with text: String, _ applicability: Applicability = .probably
    ) -> FixIt {
        FixIt([SourceEdit(range: range, text: text)], applicability)
    }
}

/// A text that takes the place of a range.
public struct SourceEdit: Sendable, Equatable {
    public var range: SourceRange
    public var text: String

    public init(range: SourceRange, text: String) {
        self.range = range
        self.text = text
    }
}
