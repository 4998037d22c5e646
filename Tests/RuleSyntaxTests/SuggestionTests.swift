import RuleSyntax
import Testing

@Suite("A suggestion")
struct SuggestionTests {
    @Test("prefers what differs only in case, then the fewest edits, then what was declared first")
    func order() {
        #expect(suggest("USER", among: ["users", "user"]) == "user")
        #expect(suggest("usr", among: ["host", "user"]) == "user")
        #expect(suggest("cat", among: ["car", "bat"]) == "car")
        #expect(
            suggest("sevreity", among: ["severity", "send"]) == "severity", "a swap is one edit")
    }

    @Test("is not made where more than a third of the letters differs")
    func limit() {
        #expect(suggest("emit", among: ["title", "alert"]) == nil)
        #expect(suggest("x", among: ["y", "z"]) == nil, "one letter is like any other")
        #expect(suggest("", among: ["a"]) == nil)
        #expect(suggest("user", among: []) == nil)
    }

    @Test("names the only candidate, and lists them if there are at most eight")
    func help() {
        let range = SourceRange(source: SourceID(rawValue: 0), start: 0, end: 3)
        func texts(_ word: String, _ candidates: [String]) -> [String] {
            suggestionHelp(for: word, at: range, kind: "field", among: candidates).map(\.text)
        }
        #expect(texts("zzz", ["user"]) == ["the only field is `user`"])
        #expect(texts("usr", ["host", "user"]) == ["there is a field with a similar name: `user`"])
        #expect(texts("zzz", ["host", "user"]) == ["the fields are `host`, `user`"])
        #expect(texts("zzz", (1...9).map { "field\($0)" }) == [])
    }
}
