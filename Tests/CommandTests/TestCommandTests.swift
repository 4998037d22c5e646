import Foundation
import Testing

private let rules = """
    event login {
      user: text
      ok: bool
    }

    rule many {
      threshold by user {
        over login where not ok
        window 1m sliding
        measure n = count
        when n >= 3
      }
      alert "{user} failed {n} times"
    }

    test "three fire" for many {
      at 0s login { user: "ann", ok: false } repeat 3 every 1s
      expect alert at 2s
      expect nothing else
    }

    test "logins that work do not count" for many {
      at 0s login { user: "ann", ok: true } repeat 9 every 1s
      expect nothing
    }

    """

/// What notices the mistakes that the tests above do not.
private let edges = """

    test "two are too few, and a minute is the limit" for many {
      at 0s login { user: "ann", ok: false } repeat 2 every 1s
      at 62s login { user: "ann", ok: false } repeat 2 every 1s
      at 0s login { user: "ben", ok: false } repeat 2 every 50s
      at 1m login { user: "ben", ok: false }
      expect alert at 1m
      expect resolve at 1m
      expect nothing else
    }

    """

@Suite("martlet test") struct TestCommandTests {
    @Test("mistakes that no test notices are named, and a minimum is held")
    func mutation() throws {
        let workspace = try Workspace(["r.rules": rules])
        let weak = try workspace.martlet("test", "r.rules", "--mutate=90")
        #expect(weak.code == 1)
        #expect(weak.output.contains("unnoticed: window 1m sliding  ->  window 2m sliding"))
        #expect(weak.output.contains("many   5 of 7 mutants noticed   r.rules:6"))
        #expect(!weak.output.contains("when n"))
        #expect(weak.errors.contains("mutants noticed"))
        // Without a minimum it is only told.
        #expect(try workspace.martlet("test", "r.rules", "--mutate").code == 0)
        try workspace.write("r.rules", rules + edges)
        let strong = try workspace.martlet("test", "r.rules", "--mutate=100")
        #expect(strong.code == 0, "\(strong.output)")
        #expect(strong.errors.contains("(100.0 %)"))
        let json = try workspace.martlet("test", "r.rules", "--mutate", "--format", "json")
        let last = try #require(json.output.split(separator: "\n").last)
        let page = try #require(
            try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
        #expect(page["mutants"] as? Int == page["noticed"] as? Int)
        #expect(try workspace.martlet("test", "r.rules", "--mutate=much").code == 3)
    }
}
