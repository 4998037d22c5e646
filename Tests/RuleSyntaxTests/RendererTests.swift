import RuleSyntax
import Testing

@Suite("The renderer")
struct RendererTests {
    private let code = DiagnosticCode("E0999", "sample", explanation: "", wrong: "", right: "")

    private func range(_ source: SourceText, _ start: Int, _ end: Int) -> SourceRange {
        SourceRange(source: source.id, start: UInt32(start), end: UInt32(end))
    }

    /// The range of a piece of text.
    private func range(_ source: SourceText, of piece: String) -> SourceRange {
        let text = String(decoding: source.bytes, as: UTF8.self)
        let start =
            text.range(of: piece).map {
                text.utf8.distance(from: text.startIndex, to: $0.lowerBound)
            } ?? 0
        return range(source, start, start + piece.utf8.count)
    }

    private func shown(_ diagnostic: Diagnostic, _ sources: SourceText...) -> String {
        render([diagnostic], sources: sources, format: .text, colour: false)
    }

    @Test("shows three labels of one line, the rightmost behind its mark and the others hanging")
    func threeLabels() {
        let source = SourceText(name: "pay.rules", text: "a where amount > \"1000\"\n")
        let diagnostic = Diagnostic(
            code, "cannot compare", at: range(source, of: ">"),
            secondary: [
                Label(range(source, of: "amount"), "a number"),
                Label(range(source, of: "\"1000\""), "a text"),
            ], help: [Help("remove the quotes")])
        #expect(
            shown(diagnostic, source) == """
                error[E0999]: cannot compare
                  ┌─ pay.rules:1:16
                  │
                1 │ a where amount > "1000"
                  │         ------ ^ ------ a text
                  │         │
                  │         a number
                  │
                  = help: remove the quotes


                """)
    }

    @Test("leaves out lines between labels, but shows a single one")
    func gaps() {
        let source = SourceText(name: "r", text: "one\ntwo\nthree\nfour\nfive\nsix\n")
        let diagnostic = Diagnostic(
            code, "m", at: range(source, of: "six"), label: "last",
            secondary: [
                Label(range(source, of: "one"), "first"),
                Label(range(source, of: "three"), "third"),
            ])
        #expect(
            shown(diagnostic, source) == """
                error[E0999]: m
                  ┌─ r:6:1
                  │
                1 │ one
                  │ --- first
                2 │ two
                3 │ three
                  │ ----- third
                  ·
                6 │ six
                  │ ^^^ last


                """)
    }

    @Test("shows the first and the last line of a range over many lines")
    func manyLines() {
        let source = SourceText(name: "r", text: "a {\n  b\n  c\n}\n")
        #expect(
            shown(Diagnostic(code, "m", at: range(source, 2, 13), label: "this block"), source)
                == """
                error[E0999]: m
                  ┌─ r:1:3
                  │
                1 │ a {
                  │   ^ from here …
                  ·
                4 │ }
                  │ ^ … to here: this block


                """)
    }

    @Test("puts marks under tabs, wide characters and combining ones where a terminal shows them")
    func columns() {
        let source = SourceText(name: "r", text: "\ta 漢字 e\u{301} x\r\n")
        let lines = shown(Diagnostic(code, "m", at: range(source, of: "x"), label: "here"), source)
            .split(separator: "\n").map(String.init)
        #expect(lines[3] == "1 │     a 漢字 e\u{301} x")
        #expect(lines[4] == "  │              ^ here")
        #expect(lines[1] == "  ┌─ r:1:10", "columns count characters")
    }

    @Test("cuts a line of ten thousand characters around each label")
    func longLine() {
        let text =
            String(repeating: "x", count: 5_000) + "HERE" + String(repeating: "y", count: 5_000)
            + "END"
        let source = SourceText(name: "r", text: text)
        let output = shown(
            Diagnostic(
                code, "m", at: range(source, of: "HERE"), label: "one",
                secondary: [Label(range(source, of: "END"), "two")]), source)
        for line in output.split(separator: "\n") { #expect(line.count < 160) }
        let lines = output.split(separator: "\n")
        #expect(lines[3].contains("…x") && lines[3].contains("HEREy") && lines[3].hasSuffix("y…"))
        #expect(lines[4].hasSuffix("^^^^ one"))
        #expect(
            lines[4].firstIndex(of: "^")
                == lines[4].index(
                    lines[4].startIndex,
                    offsetBy: lines[3].distance(
                        from: lines[3].startIndex,
                        to: lines[3].firstIndex(of: "H") ?? lines[3].startIndex)))
        #expect(lines[5].hasSuffix("END") && lines[6].hasSuffix("--- two"))
    }

    @Test("shows an empty file and a place behind the last line")
    func ends() {
        let empty = SourceText(name: "r", text: "")
        #expect(
            shown(Diagnostic(code, "m", at: range(empty, 0, 0), label: "nothing"), empty).contains(
                "1 │\n  │ ^ nothing"))
        let source = SourceText(name: "r", text: "a\n")
        #expect(shown(Diagnostic(code, "m", at: range(source, 2, 2)), source).contains("r:2:1"))
    }

    @Test("gives each file a snippet of its own")
    func files() {
        let first = SourceText(id: SourceID(rawValue: 0), name: "a.rules", text: "rule x {\n")
        let second = SourceText(id: SourceID(rawValue: 1), name: "b.rules", text: "\n\nrule x {\n")
        let output = shown(
            Diagnostic(
                code, "rule `x` is defined twice", at: range(second, of: "x"), label: "again",
                secondary: [Label(range(first, of: "x"), "first")]), first, second)
        #expect(
            output == """
                error[E0999]: rule `x` is defined twice
                  ┌─ b.rules:3:6
                  │
                3 │ rule x {
                  │      ^ again
                  ┌─ a.rules:1:6
                  │
                1 │ rule x {
                  │      - first


                """)
    }

    @Test("shows control characters instead of sending them to the terminal")
    func control() {
        let source = SourceText(name: "r\u{1B}", text: "a \u{1B}[31m\u{7} x\n")
        let output = shown(
            Diagnostic(code, "found `\u{1B}[0m`", at: range(source, of: "x"), notes: ["\u{8}"]),
            source)
        #expect(!output.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        #expect(output.contains("␛[31m␇ x"))
    }

    @Test("is coloured only when asked")
    func colour() {
        let source = SourceText(name: "r", text: "x\n")
        let diagnostic = Diagnostic(code, "m", at: range(source, of: "x"), label: "l")
        #expect(
            render([diagnostic], sources: [source], format: .text, colour: true).contains(
                "\u{1B}[1;31m^\u{1B}[0m"))
        for format in DiagnosticFormat.allCases {
            #expect(
                !render([diagnostic], sources: [source], format: format, colour: false).contains(
                    "\u{1B}"))
        }
    }

    @Test("orders by file and place, and counts what is beyond fifty")
    func orderAndCap() {
        let source = SourceText(name: "r", text: String(repeating: "x\n", count: 60))
        let diagnostics = (0..<60).reversed().map {
            Diagnostic(code, "number \($0)", at: range(source, $0 * 2, $0 * 2 + 1))
        }
        let output = render(diagnostics, sources: [source], format: .text, colour: false)
        #expect(output.hasPrefix("error[E0999]: number 0\n"))
        #expect(output.contains("number 49\n") && !output.contains("number 50\n"))
        #expect(output.hasSuffix("10 more errors not shown\n"))
        #expect(
            render(diagnostics, sources: [source], format: .json, colour: false).split(
                separator: "\n"
            ).count == 60)
    }
}
