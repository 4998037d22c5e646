import Foundation
import RuleCompiler
import RuleModel
import RuleSyntax
import TestKit
import Testing

/// The views of a plan, each held against a file: `plan/NAME.txt` is the plan and the explanation,
/// `plan/NAME.passes.txt` what the passes did, `graph/NAME.dot` and `.mmd` are the pictures.
@Suite("The views of a plan")
struct ViewGoldenTests {
    static let folder = DiagnosticGolden.testsFolder + "/Golden"
    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/plan")) ?? []
        return files.filter { $0.hasSuffix(".rules") }.sorted().map { String($0.dropLast(6)) }
    }()

    @Test("are those of the golden files", arguments: names)
    func golden(_ name: String) throws {
        let path = "\(Self.folder)/plan/\(name).rules"
        let bytes = try #require(FileManager.default.contents(atPath: path))
        let compilation = compile([
            SourceText(name: "\(name).rules", text: String(decoding: bytes, as: UTF8.self))
        ])
        #expect(!compilation.hasErrors, "\(compilation.diagnostics.map(\.message))")
        let plan = try #require(compilation.plans.first)
        let tables = compilation.tables
        let text =
            plan.description(tables: tables) + "\n---\n\n"
            + explain(plan, tables: tables, program: compilation.program)
        try hold(text, "plan/\(name).txt")
        let passes = explainPasses(plan, in: compilation)
        if !passes.contains("No pass changes it") { try hold(passes, "plan/\(name).passes.txt") }
        try hold(graph(plan, tables: tables, format: .dot), "graph/\(name).dot")
        try hold(graph(plan, tables: tables, format: .mermaid), "graph/\(name).mmd")
    }

    private func hold(_ text: String, _ file: String) throws {
        let path = "\(Self.folder)/\(file)"
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }
        let expected = FileManager.default.contents(atPath: path).map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(expected == text, "\(file) is now\n\(text)")
    }
}
