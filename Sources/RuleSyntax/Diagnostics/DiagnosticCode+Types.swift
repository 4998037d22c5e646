// E04 types and values.

extension DiagnosticCode {
    static let typing: [DiagnosticCode] = []
}
