import Foundation
import RuleCompiler
import RuleImport
import RuleSyntax
import TestKit
import Testing

/// A file of another language, and beside it what it becomes: the rules, then each note as a comment.
struct ImportGolden: Sendable, CustomStringConvertible {
    var path: String
    var description: String { String(path.split(separator: "/").last ?? "") }

    private static let folder = DiagnosticGolden.testsFolder + "/Golden/import"

    static func all(ending: String) -> [ImportGolden] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(ending) }.sorted().map {
            ImportGolden(path: "\(folder)/\($0)")
        }
    }

    var input: ImportInput { ImportInput(name: description, bytes: bytes(path) ?? []) }

    /// A file of the same name with another ending, if there is one.
    func companion(_ ending: String) -> [ImportInput] {
        let path = stem + ending
        return bytes(path).map {
            [ImportInput(name: String(path.split(separator: "/").last ?? ""), bytes: $0)]
        } ?? []
    }

    private var stem: String {
        path.lastIndex(of: ".").map { String(path[..<$0]) } ?? path
    }

    private func bytes(_ path: String) -> [UInt8]? {
        FileManager.default.contents(atPath: path).map(Array.init)
    }

    /// Compares with the golden file, or rewrites it.
    func expect(_ result: ImportResult) {
        let notes = result.notes.map { "#! \($0.text)\n" }.joined()
        let count = "#! \(result.keptCount) of \(result.ruleCount) rules kept\n"
        let text = result.singleFile + notes + count
        let golden = (path.hasSuffix(".eql") ? path : stem) + ".rules"
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try? text.write(toFile: golden, atomically: true, encoding: .utf8)
            return
        }
        let expected = bytes(golden).map { String(decoding: $0, as: UTF8.self) }
        #expect(expected == text, "\(description) becomes something else now:\n\(text)")
    }
}

/// What must hold of whatever an import makes.
func expectSound(_ result: ImportResult, _ comment: String) {
    let texts = [result.schema] + result.files.map(\.text)
    let sources = texts.enumerated().map { index, text in
        SourceText(
            id: SourceID(rawValue: UInt32(index)), name: "\(index).rules", bytes: Array(text.utf8))
    }
    for source in sources {
        let formatted = format(parse(source), source: source)
        #expect(formatted?.utf8.elementsEqual(source.bytes) == true, "\(comment): not formatted")
    }
    let diagnostics = compile(sources).diagnostics.filter { $0.severity >= .warning }
    #expect(
        diagnostics.isEmpty,
        "\(comment): \(render(diagnostics, sources: sources, format: .text, colour: false))")
}

@Suite("Sigma becomes rules") struct SigmaGoldenTests {
    @Test(
        "each example becomes what is written beside it",
        arguments: ImportGolden.all(ending: ".yml"))
    func golden(_ file: ImportGolden) {
        let result = importSigma(
            [file.input],
            options: SigmaImportOptions(
                mappings: file.companion(".mapping"), values: file.companion(".values")))
        file.expect(result)
        expectSound(result, file.description)
    }

    @Test("there are examples") func thereAreExamples() {
        #expect(ImportGolden.all(ending: ".yml").count >= 14)
    }
}

@Suite("EQL becomes rules") struct EQLGoldenTests {
    @Test(
        "each example becomes what is written beside it",
        arguments: ImportGolden.all(ending: ".eql"))
    func golden(_ file: ImportGolden) {
        let result = importEQL([file.input])
        file.expect(result)
        expectSound(result, file.description)
    }

    @Test("there are examples") func thereAreExamples() {
        #expect(ImportGolden.all(ending: ".eql").count >= 2)
    }
}
