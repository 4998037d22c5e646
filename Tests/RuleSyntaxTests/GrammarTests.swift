import Foundation
import RuleSyntax
import TestKit
import Testing

@Suite("The grammar file")
struct GrammarTests {
    @Test("names every keyword, and quotes nothing else")
    func keywords() throws {
        let grammar = try Grammar()
        let quoted = grammar.words.filter { $0.contains(where: \.isLetter) }
        let keywords = Set(Keyword.allCases.map(\.rawValue))
        #expect(quoted.subtracting(keywords).sorted() == [], "quoted, but no keywords")
        #expect(keywords.subtracting(quoted).sorted() == [], "keywords, but not in the grammar")
    }

    @Test("defines every production that it uses")
    func productions() throws {
        let grammar = try Grammar()
        func used(_ part: Grammar.Part) -> [String] {
            switch part {
            case .word, .token: []
            case .production(let name): [name]
            case .sequence(let parts), .choice(let parts), .interleaved(let parts):
                parts.flatMap(used)
            case .optional(let part), .repetition(let part): used(part)
            }
        }
        let names = Set(grammar.productions.values.flatMap(used))
        #expect(names.subtracting(grammar.productions.keys).sorted() == [])
        let unused = Set(grammar.productions.keys).subtracting(names)
        #expect(unused.sorted() == ["file", "placeholder"], "nothing leads to them")
    }

    /// Each kind of declaration alone, so that a failure is short, and whole files.
    static let roots = [
        "file", "event", "select", "list", "let", "define", "rule", "metric", "test", "deployment",
        "sequence", "threshold", "correlation", "anomaly", "expression",
    ]

    @Test("gives sentences that the parser accepts and the formatter keeps", arguments: roots)
    func sentences(_ root: String) throws {
        let grammar = try Grammar()
        var random = RandomSource(seed: 0x6D61_7274_6C65_7400)
        for round in 0..<300 {
            var text = grammar.sentence(root, &random, budget: 5 + round % 60)
            switch root {
            case "sequence", "threshold", "correlation", "anomaly": text = "rule r {\n\(text)\n}\n"
            case "expression": text = "let x = \(text)\n"
            default: break
            }
            let source = SourceText(name: "sentence.rules", text: text)
            let parsed = parse(source)
            guard parsed.diagnostics.isEmpty else {
                Issue.record(
                    "round \(round) is not accepted:\n\(rendered(parsed, source))\nin\n\(text)")
                return
            }
            guard let complaint = complaintOfFormatter(parsed, source) else { continue }
            Issue.record("round \(round): \(complaint)\nof\n\(text)")
            return
        }
    }
}

func rendered(_ parsed: Parsed, _ source: SourceText) -> String {
    render(parsed.diagnostics, sources: [source], format: .text, colour: false)
}

/// What is wrong with the formatting of a file without errors; nil if nothing is.
func complaintOfFormatter(_ parsed: Parsed, _ source: SourceText) -> String? {
    guard let formatted = format(parsed, source: source) else { return "it is not formatted" }
    let again = SourceText(name: source.name, text: formatted)
    let reparsed = parse(again)
    if reparsed.diagnostics.contains(where: { $0.severity == .error }) {
        return "its formatted text is not accepted:\n\(rendered(reparsed, again))"
    }
    let (before, after) = (treeDescription(parsed.file), treeDescription(reparsed.file))
    if before != after { return "formatting changes the tree to\n\(formatted)" }
    guard let twice = format(reparsed, source: again), twice == formatted else {
        return "formatting twice differs:\n\(formatted)"
    }
    let comments = { (parsed: Parsed) in parsed.tokens.count { $0.kind == .comment } }
    return comments(parsed) == comments(reparsed)
        ? nil : "formatting loses a comment:\n\(formatted)"
}
