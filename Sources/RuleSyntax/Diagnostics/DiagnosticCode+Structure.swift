// E02 structure.

extension DiagnosticCode {
    static let structural: [DiagnosticCode] = []
}
