import Foundation
import Testing

/// The language's semantics are numbered sentences; each is shown by an example or a named test.
@Suite("Sentences") struct SentenceTests {
    private static let sentences =
        (0...12).map { "T\($0)" } + ["T2a"] + (1...9).map { "S\($0)" } + (1...10).map { "H\($0)" }
        + (1...7).map { "C\($0)" } + (1...7).map { "A\($0)" }
        + (1...4).map { "D\($0)" } + (1...3).map { "M\($0)" }

    /// Sentences that nothing tests yet, with the reason.
    private static let exceptions: [String: String] = [
        "D3": "what each path guarantees is told by the delivery to sinks, which is not there yet",
        "M3": "`show` is for the dashboard, which is not there yet",
    ]

    @Test("every sentence has a marble or a test that names it", arguments: sentences)
    func sentence(_ sentence: String) {
        let named = marbleTitles + testTitles
        let isShown = named.contains { title in
            title.split(separator: " ").prefix { isNumber($0) }.contains { $0 == sentence }
        }
        if Self.exceptions[sentence] != nil {
            #expect(!isShown, "\(sentence) is tested now: take it off the list of exceptions")
        } else {
            #expect(isShown, "nothing tests \(sentence)")
        }
    }

    private func isNumber(_ word: Substring) -> Bool {
        Self.sentences.contains(String(word))
    }

    private var marbleTitles: [String] {
        SourceTree.names(in: "Tests/Spec").filter { $0.hasSuffix(".marbles") }.flatMap { name in
            (SourceTree.text("Tests/Spec/\(name)") ?? "").split(separator: "\n")
                .filter { $0.hasPrefix("== ") }.map { String($0.dropFirst(3)) }
        }
    }

    /// Titles of `@Test("...")` and of cases named by `= "..."`.
    private var testTitles: [String] {
        SourceTree.tests.filter { $0.target != "TidyTests" }.flatMap(\.code).compactMap { line in
            let parts = line.text.components(separatedBy: "\"")
            let isTitle = line.text.hasPrefix("@Test(\"") || line.text.hasPrefix("case ")
            return isTitle && parts.count > 1 ? parts[1] : nil
        }
    }
}
