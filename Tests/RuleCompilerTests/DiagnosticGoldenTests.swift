import RuleCompiler
import RuleSyntax
import TestKit
import Testing

@Suite("What the checker says")
struct CheckerGoldenTests {
    /// Those that need names, types or plans; the parser's are held by its own tests.
    static let files = DiagnosticGolden.all.filter { file in
        let family = file.code.dropFirst().prefix(2)
        // Bounds are told only when asked for; see LintTests.
        if file.code == "N0502" { return false }
        return (family != "01" && family != "02" && file.code != "W0609") || file.code == "E0207"
    }

    static let options = CompileOptions(includesTests: true, zones: { ["Europe/Berlin", "UTC"] })

    @Test("is what the golden files show", arguments: files)
    func golden(_ file: DiagnosticGolden) {
        let failures = file.failures { compile($0, options: Self.options).diagnostics }
        for failure in failures { Issue.record("\(failure)") }
    }

    @Test(
        "is not said where it almost fits",
        arguments: files.filter { $0.description.contains("near-miss") })
    func nearMiss(_ file: DiagnosticGolden) {
        _ = file.failures {
            let diagnostics = compile($0, options: Self.options).diagnostics
            #expect(!diagnostics.contains { $0.code.number == file.code })
            return diagnostics
        }
    }
}
