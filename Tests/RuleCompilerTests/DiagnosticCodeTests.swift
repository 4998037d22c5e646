import RuleCompiler
import RuleSyntax
import TestKit
import Testing

/// The registry of diagnostics, held to its word by the whole compiler.
@Suite("Every diagnostic code")
struct DiagnosticCodeTests {
    /// Codes that no file can show, and why.
    static let withoutExamples: [String: String] = [
        "E0103": "its file is not UTF-8, and examples are texts",
        "E0800": "its file cannot be read",
        "N0502": "it is given only when asked for; see LintTests",
    ]

    @Test("has a number of its own, a slug and an explanation")
    func registry() {
        let numbers = DiagnosticCode.all.map(\.number)
        #expect(Set(numbers).count == numbers.count, "a number is used twice")
        #expect(Set(DiagnosticCode.all.map(\.slug)).count == numbers.count, "a slug is used twice")
        for code in DiagnosticCode.all {
            #expect(code.explanation.count > 40, "\(code.number) is not explained")
        }
    }

    @Test("has a golden file", arguments: DiagnosticCode.all.map(\.number))
    func golden(_ number: String) throws {
        let code = try #require(DiagnosticCode.all.first { $0.number == number })
        #expect(DiagnosticGolden.all.contains { $0.description == "\(code.number)-\(code.slug)" })
    }

    @Test(
        "has a wrong example that yields it and a right one that does not",
        arguments: DiagnosticCode.all.map(\.number).filter { withoutExamples[$0] == nil })
    func examples(_ number: String) throws {
        let code = try #require(DiagnosticCode.all.first { $0.number == number })
        #expect(
            yields(code.wrong).contains(code.number),
            "the wrong example of \(code.number) is not wrong")
        #expect(
            !yields(code.right).contains(code.number),
            "the right example of \(code.number) is not right")
    }

    private func yields(_ text: String) -> Set<String> {
        Set(
            compile(
                [SourceText(name: "example.rules", text: text)],
                options: CompileOptions(includesTests: true, zones: { ["Europe/Berlin", "UTC"] })
            ).diagnostics.map(\.code.number))
    }
}
