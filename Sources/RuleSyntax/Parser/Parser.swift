/// What the parser made of a file, together with what it had to say.
public struct Parsed: Sendable {
    public var file: RuleFile
    public var diagnostics: [Diagnostic]

    public init(file: RuleFile, diagnostics: [Diagnostic]) {
        self.file = file
        self.diagnostics = diagnostics
    }
}

/// Reads a file. Never fails: what is not understood is reported and left out.
public func parse(_ source: SourceText) -> Parsed {
    Parsed(file: RuleFile(source: source.id, declarations: []), diagnostics: [])
}
