import Foundation
import RuleSyntax
import TestKit
import Testing

@Suite("The tree")
struct TreeTests {
    static let corpus = FuzzTests.corpus.filter { $0.name.contains("Corpus") }.map(\.name)

    /// Golden files in `Tests/Golden/tree`; `UPDATE_GOLDEN=1` rewrites them.
    @Test(
        "of the corpus is what its golden file says, and the parser has nothing to add",
        arguments: corpus)
    func golden(_ name: String) throws {
        let source = try #require(FuzzTests.corpus.first { $0.name == name })
        let parsed = parse(source)
        #expect(parsed.diagnostics.isEmpty, "\(rendered(parsed, source))")
        try compareWithGolden("tree", name, treeDescription(parsed.file))
    }

    @Test("survives the formatter, and the formatted text is golden too", arguments: corpus)
    func formatted(_ name: String) throws {
        let source = try #require(FuzzTests.corpus.first { $0.name == name })
        let parsed = parse(source)
        if let complaint = complaintOfFormatter(parsed, source) { Issue.record("\(complaint)") }
        try compareWithGolden("format", name, format(parsed, source: source) ?? "")
    }

    private func compareWithGolden(_ kind: String, _ name: String, _ text: String) throws {
        let file = name.split(separator: "/").last ?? ""
        let path =
            "\(DiagnosticGolden.testsFolder)/Golden/\(kind)/\(kind == "tree" ? file.dropLast(5) + "txt" : file)"
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return
        }
        let expected = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text == expected, "\(path) differs")
    }

    /// `let x = ...`, and the expression's tree on one line.
    private func shape(_ text: String) -> String {
        let parsed = parse(SourceText(name: "x.rules", text: "let x = \(text)\n"))
        guard parsed.diagnostics.isEmpty,
            case .let(let declaration)? = parsed.file.declarations.first
        else {
            return "not accepted"
        }
        return shape(declaration.value)
    }

    private func shape(_ expression: ExpressionSyntax) -> String {
        switch expression.kind {
        case .binary(let operation, let left, let right, let ignoringCase):
            "(\(shape(left)) \(operation.rawValue)\(ignoringCase ? "~" : "") \(shape(right)))"
        case .unary(let operation, let operand): "(\(operation.rawValue) \(shape(operand)))"
        case .exists(let operand, let negated):
            "(\(shape(operand)) \(negated ? "missing" : "exists"))"
        case .otherwise(let first, let second): "(\(shape(first)) else \(shape(second)))"
        case .member(let base, let name): "\(shape(base)).\(name.text)"
        case .lookup(let base, let key): "\(shape(base))[\(shape(key))]"
        case .quantified(let quantifier, let name, let list, let body):
            "(\(quantifier.rawValue) \(name.text) in \(shape(list)): \(shape(body)))"
        case .name(let name): name.text
        case .number(let value, _): "\(value)"
        case .parenthesised(let inner): "[\(shape(inner))]"
        default: "?"
        }
    }

    @Test("binds or, and, not, comparison, else, sum, product and minus in this order")
    func precedence() {
        #expect(shape("a or b and c or d") == "((a or (b and c)) or d)")
        #expect(shape("not a == b and c") == "((not (a == b)) and c)")
        #expect(shape("a > b else c + d * e") == "(a > (b else (c + (d * e))))")
        #expect(shape("a else b else c") == "(a else (b else c))")
        #expect(shape("a - b - c") == "((a - b) - c)")
        #expect(shape("-a.b[c] * d") == "((- a.b[c]) * d)")
        #expect(shape("a like b ignoring case and c exists") == "((a like~ b) and (c exists))")
        #expect(shape("a not in list b or c in cidr d") == "((a not in list b) or (c in cidr d))")
        #expect(
            shape("any p in q.r: p == s and t or u") == "(any p in q.r: (((p == s) and t) or u))")
        #expect(shape("[a + b] + c") == "(? + c)")
    }

    @Test("takes words as names wherever nothing else is possible")
    func contextualWords() {
        #expect(shape("list in list and any in every") == "((list in list) and (any in every))")
        #expect(shape("like like contains") == "(like like contains)")
        #expect(shape("a.where.within + `where`") == "(a.where.within + where)")
        #expect(shape("where + 1") == "not accepted")
    }

    @Test("of a message has the ranges of the file")
    func messageRanges() throws {
        let source = SourceText(
            name: "x.rules",
            text:
                "rule r {\n  sequence { a: b }\n  alert \"q \\\" {{ {a.user | masked} is {a.n else \"no }\"}\"\n}\n"
        )
        let parsed = parse(source)
        #expect(parsed.diagnostics.isEmpty)
        guard case .rule(let rule)? = parsed.file.declarations.first,
            case .alert(let message)? = rule.clauses.first?.kind
        else {
            Issue.record("no alert")
            return
        }
        let parts = message.parts.map { part in
            switch part {
            case .text(let text): "text \(text)"
            case .expression(let expression, _): "expression \(source.text(expression.range))"
            }
        }
        #expect(
            parts == [
                "text q \" { ", "expression a.user", "text  is ", "expression a.n else \"no }\"",
            ])
    }

    @Test("has the values of literals")
    func literals() {
        func value(_ text: String) -> ExpressionSyntax.Kind? {
            let parsed = parse(SourceText(name: "x.rules", text: "let x = \(text)\n"))
            guard parsed.diagnostics.isEmpty,
                case .let(let declaration)? = parsed.file.declarations.first
            else {
                return nil
            }
            return declaration.value.kind
        }
        #expect(value("1h30m15s") == .duration(5_415_000_000_000))
        #expect(value("1.5h") == .duration(5_400_000_000_000))
        #expect(value("0.1ms") == .duration(100_000))
        #expect(value("5%") == .number(value: 0.05, integer: nil))
        #expect(value("10MB") == .number(value: 10_000_000, integer: 10_000_000))
        #expect(value("1.5KiB") == .number(value: 1536, integer: 1536))
        #expect(value("1_000_000") == .number(value: 1_000_000, integer: 1_000_000))
        #expect(
            value("9223372036854775808") == .number(value: 9_223_372_036_854_775_808, integer: nil))
        #expect(value("5 % 2") != value("5%"))
        #expect(value("292y") == nil)
        #expect(value("1e400") == nil)
    }
}
