import RuleSyntax
import TestKit
import Testing

@Suite("After a mistake")
struct RecoveryTests {
    static let corpus = FuzzTests.corpus.filter { $0.name.contains("Corpus") }.map(\.name)

    @Test("that is one forgotten token, there is at most one message", arguments: corpus)
    func oneMistakeOneMessage(_ name: String) throws {
        let original = try #require(FuzzTests.corpus.first { $0.name == name })
        let formatted = try #require(format(parse(original), source: original))
        let source = SourceText(name: name, text: formatted)
        for token in parse(source).tokens
        where ![.newline, .comment, .endOfFile].contains(token.kind) {
            var bytes = source.bytes
            for offset in token.range.start..<token.range.end {
                bytes[Int(offset)] = UInt8(ascii: " ")
            }
            let broken = SourceText(id: source.id, name: name, bytes: bytes)
            let parsed = parse(broken)
            if parsed.diagnostics.count > 1 {
                let place = source.position(at: token.range.start)
                Issue.record(
                    "without `\(source.text(token.range))` at \(place):\n\(rendered(parsed, broken))"
                )
            }
        }
    }

    @Test("in one rule, the other rules are read in full")
    func otherRules() {
        let source = SourceText(
            name: "r.rules",
            text: """
                rule first {
                  sequence by user {
                    a: login where user in ["x"
                    then b: login where (

                rule second {
                  severity high
                  sequence by user within 5m { a: login }
                  alert "second"
                }
                """)
        let parsed = parse(source)
        let rules = parsed.file.declarations.compactMap { declaration in
            if case .rule(let rule) = declaration { rule } else { nil }
        }
        #expect(rules.map(\.name.text) == ["first", "second"])
        #expect(rules.last?.clauses.count == 2 && rules.last?.pattern != nil)
    }

    @Test("in a condition, the step keeps its name")
    func stepsKeepTheirNames() {
        let source = SourceText(
            name: "r.rules",
            text: "rule r {\n  sequence {\n    a: login where user ==\n    then b: login\n  }\n}\n")
        let parsed = parse(source)
        #expect(parsed.diagnostics.map(\.code.number) == ["E0204"])
        #expect(treeDescription(parsed.file).contains("name: a"))
        #expect(treeDescription(parsed.file).contains("name: b"))
    }

    @Test("everything that a fix offers is applied to the text it was made for")
    func fixes() {
        let text =
            "rule r {\n  sequence within 10min { a: login where 1 < n < 5 && user <> 'x' }\n  alert \"x\"\n}\n"
        var source = SourceText(name: "r.rules", text: text)
        for _ in 0..<10 {
            let fix = parse(source).diagnostics.flatMap(\.help).compactMap(\.fix).first
            guard let fix else { break }
            source = DiagnosticGolden.applying(fix, to: [source])[0]
        }
        #expect(
            String(decoding: source.bytes, as: UTF8.self)
                == "rule r {\n  sequence within 10m { a: login where 1 < n and n < 5 and user != \"x\" }\n  alert \"x\"\n}\n"
        )
    }
}
