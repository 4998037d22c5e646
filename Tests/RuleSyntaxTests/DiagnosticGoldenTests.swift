import RuleSyntax
import TestKit
import Testing

@Suite("What the parser says")
struct DiagnosticGoldenTests {
    /// Those that the parser alone gives: characters, structure, old spellings.
    static let files = DiagnosticGolden.all.filter { file in
        let numbers = (DiagnosticCode.all).filter { isFromParser($0.number) }.map(\.number)
        return numbers.contains(file.code)
    }

    static func isFromParser(_ number: String) -> Bool {
        let family = number.dropFirst().prefix(2)
        return (family == "01" || family == "02") && number != "E0207" || number == "W0609"
    }

    @Test("is what the golden files show", arguments: files)
    func golden(_ file: DiagnosticGolden) {
        for failure in file.failures({ $0.flatMap { parse($0).diagnostics } }) {
            Issue.record("\(failure)")
        }
    }

    @Test("has golden files for every code of the parser")
    func everyCodeHasAGoldenFile() {
        #expect(!Self.files.isEmpty)
        for code in DiagnosticCode.all where Self.isFromParser(code.number) {
            #expect(
                Self.files.contains { $0.description == "\(code.number)-\(code.slug)" },
                "no golden file for \(code.number)")
        }
    }

    @Test(
        "is that about a wrong example, and not about the right one",
        arguments: DiagnosticCode.all.filter { isFromParser($0.number) && !$0.wrong.isEmpty }.map(
            \.number))
    func examples(_ number: String) throws {
        let code = try #require(DiagnosticCode.all.first { $0.number == number })
        let wrong = parse(SourceText(name: "wrong.rules", text: code.wrong))
        #expect(Set(wrong.diagnostics.map(\.code.number)) == [code.number])
        let right = parse(SourceText(name: "right.rules", text: code.right))
        #expect(right.diagnostics.isEmpty)
    }
}
