import Foundation
import TestKit
import Testing

/// Sum of parts: in a set of rules each rule does what it does alone, and rules over alerts see what
/// the others found. `CASES=10000` tries so many sets, `SEED=n` begins with another one.
@Suite("Rule sets") struct RuleSetTests {
    @Test("each rule of a set agrees with the reference matcher")
    func sumOfParts() {
        let environment = ProcessInfo.processInfo.environment
        let first = environment["SEED"].flatMap { UInt64($0) } ?? 1
        let count = environment["CASES"].flatMap { UInt64($0) }
        let started = Date()
        var (tried, refused, matching, over) = (0, 0, 0, 0)
        for seed in first..<first + (count ?? 600) {
            // A slow machine tries fewer, unless a number was asked for.
            if count == nil, Date().timeIntervalSince(started) > 6 { break }
            let set = GeneratedSet(seed: seed)
            tried += 1
            switch set.verdict() {
            case .agreed(let matches):
                matching += matches > 0 ? 1 : 0
                over += set.text.contains("rule over") ? 1 : 0
            case .refused: refused += 1
            case .differed(let expected, let found):
                Issue.record(
                    """
                    SEED=\(seed) CASES=1
                    \(set.text)
                    \(set.events.map { "  \($0)" }.joined(separator: "\n"))
                    end \(set.end)
                    expected:
                      \(expected.joined(separator: "\n  "))
                    found:
                      \(found.joined(separator: "\n  "))
                    """)
                return
            }
        }
        print(
            "sum of parts: \(tried) sets, \(matching) with matches, \(over) with a rule over alerts, "
                + "\(refused) refused")
        #expect(refused * 5 <= tried)
        #expect(tried < 50 || matching * 3 >= tried)
    }
}
