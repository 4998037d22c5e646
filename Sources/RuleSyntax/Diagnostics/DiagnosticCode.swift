/// One kind of diagnostic: a number that is never reused, a slug, and the page behind
/// `martlet explain NUMBER`.
///
/// Families: `01` characters and literals, `02` structure, `03` names, `04` types and values,
/// `05` patterns and time, `06` lints, `07` exports, `08` rule sets. The codes of a family live in
/// one file, `DiagnosticCode+Family.swift`, together with the functions that word their messages.
public struct DiagnosticCode: Sendable, Hashable {
    /// Severity letter and four digits, for example `E0301`.
    public var number: String
    /// For example `unknown-field`; part of the names of golden files.
    public var slug: String
    public var severity: DiagnosticSeverity
    /// A paragraph that says why this is a fault and what to do.
    public var explanation: String
    /// A whole rules file that yields exactly this code. Empty where no file can (unreadable file).
    public var wrong: String
    /// The same file mended: yields no diagnostic of this code.
    public var right: String

    /// - Parameter number: `E`, `W` or `N` and four digits; the letter gives the severity.
    public init(_ number: String, _ slug: String, explanation: String, wrong: String, right: String)
    {
        self.number = number
        self.slug = slug
        severity = number.hasPrefix("E") ? .error : number.hasPrefix("W") ? .warning : .note
        self.explanation = explanation
        self.wrong = wrong
        self.right = right
    }

    public static func == (left: DiagnosticCode, right: DiagnosticCode) -> Bool {
        left.number == right.number
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(number) }

    /// Every code there is, in order of number.
    public static let all: [DiagnosticCode] =
        (lexical + structural + naming + typing + pattern + kinds + lints + sets).sorted {
            ($0.number.dropFirst(), $0.number) < ($1.number.dropFirst(), $1.number)
        }
}
