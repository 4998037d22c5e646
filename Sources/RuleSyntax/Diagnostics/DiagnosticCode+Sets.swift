// E08 rule sets: imports, deployment blocks, what a rule set as a whole lacks.

extension DiagnosticCode {
    static let sets: [DiagnosticCode] = [missingImport]

    static let missingImport = DiagnosticCode(
        "E0802", "missing-import",
        explanation: """
            An `import` names a file that cannot be read. Paths are relative to the folder of the \
            importing file, not to the folder the command was started in.
            """,
        wrong: """
            import "nowhere/schemas.rules"

            """,
        right: """
            event ssh.login {
              user: text
            }

            """)
}

extension Diagnostic {
    /// `path` is the file that was looked for.
    public static func missingImport(_ path: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .missingImport, "cannot read the imported file `\(path)`", at: range,
            label: "no such file",
            notes: ["paths are relative to the importing file"])
    }
}
