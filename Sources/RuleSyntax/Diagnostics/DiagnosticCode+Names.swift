// E03 names.

extension DiagnosticCode {
    static let naming: [DiagnosticCode] = []
}
