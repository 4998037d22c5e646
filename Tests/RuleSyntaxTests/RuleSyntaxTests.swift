import RuleSyntax
import Testing
import Foundation

@Test("the corpus parses without a word")
func corpus() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Corpus/parser")
    for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
        let source = SourceText(id: SourceID(rawValue: 0), name: file.lastPathComponent, bytes: Array(try Data(contentsOf: file)))
        let parsed = parse(source)
        for diagnostic in parsed.diagnostics {
            let place = source.position(at: diagnostic.primary.range.start)
            Issue.record("\(source.name):\(place.line):\(place.column): \(diagnostic.code.number) \(diagnostic.message)")
        }
        #expect(!parsed.file.declarations.isEmpty)
    }
}
