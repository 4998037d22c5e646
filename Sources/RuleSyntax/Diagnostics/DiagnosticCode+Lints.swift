// W06 lints.

extension DiagnosticCode {
    static let lints: [DiagnosticCode] = []
}
