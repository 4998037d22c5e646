import RuleCompiler
import RuleModel
import RuleSyntax
import TestKit
import Testing

@Suite("What the lints say")
struct LintTests {
    private func numbers(_ text: String) -> [String] {
        compile([SourceText(name: "a.rules", text: text)]).diagnostics.map(\.code.number)
    }

    @Test("the bound of a rule is told when asked for, and not otherwise")
    func stateBounds() throws {
        let golden = try #require(DiagnosticGolden.all.first { $0.code == "N0502" })
        let failures = golden.failures { sources in
            let compilation = compile(sources)
            #expect(compilation.diagnostics.isEmpty)
            return diagnosticsWithBounds(compilation)
        }
        for failure in failures { Issue.record("\(failure)") }
    }

    @Test("`allow` silences a warning in its own rule")
    func allow() {
        func rule(_ name: String, _ clause: String) -> String {
            """
            rule \(name) {
              \(clause)
              sequence by user unbounded limit 1000000 runs {
                fail: login where not ok
                then hit: login where ok
              }
              alert "{user}"
            }

            """
        }
        let event = "event login { user: text, ok: bool }\n\n"
        let clause = "allow W0601 \"two users\""
        #expect(numbers(event + rule("a", clause)) == [])
        #expect(numbers(event + rule("a", clause) + rule("b", "")) == ["W0601"])
    }

    @Test("of a field of type `any` nothing is promised, so nothing is warned about")
    func anyType() {
        func rule(_ type: String) -> String {
            """
            event login { host: text, user: \(type) }

            rule stranger {
              sequence by host { hit: login where user != "root" or user == 5 }
              alert "{host}"
            }

            """
        }
        #expect(numbers(rule("any")) == [])
        #expect(numbers(rule("any?")) == [])
        #expect(numbers(rule("text?")) == ["E0401"])
    }

    @Test("a file of definitions is not asked who uses them")
    func libraries() {
        #expect(numbers("let limit = 5\n") == [])
    }

    @Test("a rule with an error gets no advice")
    func oneMistake() {
        let text = """
            event login { user: text?, ok: bool }

            rule a {
              sequence { hit: login where user != "root" and okay }
              alert "hit at {hit.time}"
            }
            """
        #expect(numbers(text) == ["E0301"])
    }

    @Test(
        "contradictions are found in parts that a match needs",
        arguments: [
            ("hit: login where n > 5 and n < 5", true),
            ("hit: login where n >= 5 and n <= 5", false),
            ("hit: login where n == 5 and n != 5", true),
            ("hit: login where n in [1, 2] and n > 2", true),
            ("hit: login where n in [1, 2] and n in [2, 3]", false),
            ("hit: login where user == \"a\" and user == \"b\"", true),
            ("hit: login where user == \"a\" or user == \"b\"", false),
            ("hit: login where opt missing and opt == \"a\"", true),
            ("hit: login where opt missing and opt != \"a\"", false),
            ("hit: login where ok and not ok", true),
            ("hit: low where n > 5", true),
            ("hit: low where n > 2", false),
            ("hit: login where ip == \"10.0.0.1\" and ip == \"::ffff:10.0.0.1\"", false),
            (
                "hit: login\n    then optional other: login where n > 5 and n < 5\n    then last: login",
                false
            ),
            (
                "hit: login\n    without other: login where n > 5 and n < 5\n    then last: login",
                false
            ),
        ])
    func contradictions(_ steps: String, isContradiction: Bool) {
        let text = """
            event login { user: text, ok: bool, n: number, opt: text?, ip: ip }

            select low = login where n < 4

            rule a {
              sequence by user within 5m { \(steps)
              }
              alert "{user}"
            }
            """
        #expect(numbers(text).contains("E0502") == isContradiction)
    }
}
