import Foundation
import RuleSyntax
import Testing

@Suite("Diagnostics for programs")
struct DiagnosticFormatTests {
    private let source = SourceText(
        name: "my rules/a.rules", text: "event login { user: string }\nlet ü = \"\u{1}\" ;\n")

    private var diagnostics: [Diagnostic] { parse(source).diagnostics }

    private func object(_ text: some StringProtocol) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test("are one JSON object on each line, with places and edits")
    func json() throws {
        let lines = render(diagnostics, sources: [source], format: .json, colour: false).split(
            separator: "\n")
        #expect(lines.count == diagnostics.count && lines.count == 3)
        let first = try object(lines[0])
        #expect(first["code"] as? String == "E0214")
        #expect(first["severity"] as? String == "error")
        #expect(first["file"] as? String == "my rules/a.rules")
        #expect(
            first["line"] as? Int == 1 && first["column"] as? Int == 21
                && first["endColumn"] as? Int == 27)
        let help = try #require((first["help"] as? [[String: Any]])?.first)
        let edit = try #require((help["edits"] as? [[String: Any]])?.first)
        #expect(help["applicability"] as? String == "always")
        #expect(edit["replacement"] as? String == "text" && edit["startByte"] as? Int == 20)
    }

    @Test("are one SARIF document, also when there is nothing to say")
    func sarif() throws {
        let document = try object(
            render(diagnostics, sources: [source], format: .sarif, colour: false))
        #expect(document["version"] as? String == "2.1.0")
        let run = try #require((document["runs"] as? [[String: Any]])?.first)
        let driver = try #require((run["tool"] as? [String: [String: Any]])?["driver"])
        let rules = try #require(driver["rules"] as? [[String: Any]])
        #expect(rules.map { $0["id"] as? String } == ["E0101", "E0111", "E0214"])
        let results = try #require(run["results"] as? [[String: Any]])
        for result in results {
            let index = try #require(result["ruleIndex"] as? Int)
            #expect(rules[index]["id"] as? String == result["ruleId"] as? String)
        }
        let location = try #require(
            (results[0]["locations"] as? [[String: [String: Any]]])?.first?["physicalLocation"])
        #expect((location["artifactLocation"] as? [String: String])?["uri"] == "my%20rules/a.rules")
        #expect((location["region"] as? [String: Int])?["startColumn"] == 21)

        let empty = try object(render([], sources: [], format: .sarif, colour: false))
        let emptyRun = try #require((empty["runs"] as? [[String: Any]])?.first)
        #expect((emptyRun["results"] as? [Any])?.isEmpty == true)
    }

    @Test("are workflow commands for GitHub, with their signs escaped")
    func gitHub() {
        let odd = SourceText(name: "a,b:c.rules", text: "let x = 5%;\n")
        let output = render(parse(odd).diagnostics, sources: [odd], format: .github, colour: false)
        #expect(
            output
                == "::error file=a%2Cb%3Ac.rules,line=1,endLine=1,col=11,endColumn=12,title=E0111::"
                + "`;` is not needed: a clause ends at the end of its line%0Ahelp: remove it\n")
    }
}
