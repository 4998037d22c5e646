// E08 rule sets.

extension DiagnosticCode {
    static let sets: [DiagnosticCode] = []
}
