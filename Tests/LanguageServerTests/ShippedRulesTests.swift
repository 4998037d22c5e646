import Foundation
import LanguageServer
import RuleCompiler
import RuleSyntax
import Testing

/// The shipped rules as a workspace, and what must hold at every place of them.
@Suite("Shipped rules") struct ShippedRulesTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "rules").path(percentEncoded: false)

    private static let files: [String: String] = {
        var files: [String: String] = [:]
        for name in (try? FileManager.default.subpathsOfDirectory(atPath: root)) ?? []
        where name.hasSuffix(".rules") {
            files["/ws/rules/" + name] = try? String(
                contentsOfFile: root + "/" + name, encoding: .utf8)
        }
        return files
    }()

    private var compilation: Compilation {
        let sources = Self.files.keys.sorted().map {
            SourceText(name: $0, text: Self.files[$0] ?? "")
        }
        return compile(sources, options: CompileOptions(includesTests: true))
    }

    @Test("a name stands for a declaration of the same name") func sameNames() {
        let compilation = compilation
        func text(_ range: SourceRange) -> String {
            compilation.sources[Int(range.source.rawValue)].text(range)
        }
        #expect(compilation.uses.count > 500)
        for use in compilation.uses {
            // What a forecast foresees has names of its own and is declared by the whole line.
            if text(use.declaration).hasPrefix("forecast ") { continue }
            #expect(text(use.range) == text(use.declaration))
        }
    }

    @Test("every declaration is among the names, and every step, key and field that is read")
    func complete() {
        let compilation = compilation
        let declared = Set(compilation.uses.filter(\.isDeclaration).map(\.range))
        let used = Set(compilation.uses.map(\.range))
        for file in compilation.files {
            for case .rule(let rule) in file.declarations {
                #expect(declared.contains(rule.name.range))
                guard case .sequence(let sequence) = rule.pattern?.kind else { continue }
                let readsMetric = sequence.elements.contains { element in
                    guard case .step(let step) = element.kind,
                        case .named(let path) = step.source.stream
                    else { return true }
                    return path.text.hasPrefix("metric.")
                }
                // The key of a metric is declared in the metric, as a key and not as a field.
                for key in sequence.keys?.fields ?? [] where !readsMetric {
                    #expect(used.contains(key.range))
                }
                for case .step(let step) in sequence.elements.map(\.kind) {
                    #expect(declared.contains(step.name.range))
                    guard case .named(let path) = step.source.stream else { continue }
                    // Of `metric.revenue` only the second word is the metric's name.
                    let isMetric = path.text.hasPrefix("metric.")
                    let name = isMetric ? path.segments.last?.range ?? path.range : path.range
                    #expect(used.contains(name))
                }
            }
            for case .event(let event) in file.declarations {
                #expect(declared.contains(event.path.range))
                for field in event.fields { #expect(declared.contains(field.path.range)) }
            }
            for case .test(let test) in file.declarations {
                #expect(used.contains(test.rule.range))
            }
        }
    }

    @Test("no request fails at any place, in a whole file or in one cut off there")
    func everyPlace() {
        var client = TestClient(files: Self.files)
        let methods = ["completion", "hover", "definition", "documentHighlight"]
        var answered = 0
        for (index, path) in Self.files.keys.sorted().enumerated() {
            let uri = "file://" + path
            let lines = (Self.files[path] ?? "").split(
                separator: "\n", omittingEmptySubsequences: false)
            // One place in each file is enough for all together: every text is compiled anew.
            for line in [index * 37 % lines.count] {
                let column = lines[line].utf16.count * ((line + index) % 5) / 4
                let cut =
                    (lines[..<line] + [lines[line].prefix(column)]).joined(separator: "\n")
                for text in [Self.files[path] ?? "", cut] {
                    client.open(uri, text)
                    for method in methods {
                        let response = client.response(
                            "textDocument/" + method,
                            [
                                "textDocument": ["uri": .text(uri)],
                                "position": [
                                    "line": .number(line), "character": .number(column),
                                ],
                            ])
                        #expect(response["error"] == nil)
                        answered += 1
                    }
                    for method in [
                        "documentSymbol", "semanticTokens/full", "inlayHint", "codeLens",
                        "foldingRange",
                    ] {
                        let response = client.response(
                            "textDocument/" + method, ["textDocument": ["uri": .text(uri)]])
                        #expect(response["error"] == nil)
                    }
                }
            }
            client.open(uri, Self.files[path] ?? "")
        }
        #expect(answered > 150)
    }

    @Test("no token of a shipped rule is without a colour") func colours() {
        var client = TestClient(files: Self.files)
        for path in Self.files.keys.sorted() {
            let text = Self.files[path] ?? ""
            client.open("file://" + path, text)
            let answer = client.request(
                "textDocument/semanticTokens/full",
                ["textDocument": ["uri": .text("file://" + path)]])
            let numbers = (answer["data"]?.elements ?? []).compactMap(\.integer)
            var coloured: Set<[Int]> = []
            var (line, column) = (0, 0)
            for index in stride(from: 0, to: numbers.count, by: 5) {
                column = numbers[index] > 0 ? numbers[index + 1] : column + numbers[index + 1]
                line += numbers[index]
                coloured.insert([line, column])
            }
            let source = SourceText(name: path, text: text)
            for token in lex(source).tokens where token.kind == .name {
                let position = source.position(at: token.range.start)
                let start = [position.line - 1, position.column - 1]
                // The labels of `tags` and `attack` are words of the author's.
                let words = source.text(
                    SourceRange(
                        source: source.id, start: source.lineStarts[position.line - 1],
                        end: token.range.start)
                ).split(separator: " ")
                if words.first == "tags" || words.first == "attack" { continue }
                let isColoured = coloured.contains(start)
                #expect(
                    isColoured,
                    "\(path):\(position.line):\(position.column) \(source.text(token.range))")
            }
        }
    }
}
