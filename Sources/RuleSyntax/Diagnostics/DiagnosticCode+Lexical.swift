// E01 characters and literals.

extension DiagnosticCode {
    static let lexical: [DiagnosticCode] = []
}
