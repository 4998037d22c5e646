// E05 patterns and time.

extension DiagnosticCode {
    static let pattern: [DiagnosticCode] = []
}
