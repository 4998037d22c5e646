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

@Suite("martlet test, for build servers and while writing") struct TestOptionTests {
    @Test("what no test brings about is named, and a minimum is held")
    func coverage() throws {
        let workspace = try Workspace(["r.rules": rules])
        let run = try workspace.martlet("test", "r.rules", "--coverage=90")
        #expect(run.code == 1)
        #expect(run.output.contains("not covered: the alert ends"))
        #expect(!run.output.contains("not covered: `ok`"))
        #expect(run.errors.contains("100.0 % of the outcomes of conditions"))
        try workspace.write("r.rules", rules + edges)
        let whole = try workspace.martlet("test", "r.rules", "--coverage=100")
        #expect(whole.code == 0, "\(whole.output)\(whole.errors)")
    }

    @Test("an outcome that never came, a limit that never ended anything, a step without an event")
    func holes() throws {
        let workspace = try Workspace([
            "r.rules": """
            event login {
              user: text
              ok: bool
              country: text
            }

            rule abroad {
              sequence by user within 5m {
                here: login where ok and country != "XX"
                without logout: login where not ok
                then there: login where ok and there.country != here.country within 1m
              }
              alert "x"
              suppress by user for 1h
            }

            test "abroad" for abroad {
              at 0s login { user: "ann", ok: true, country: "DE" }
              at 9s login { user: "ann", ok: true, country: "BR" }
              expect alert at 9s
            }

            """
        ])
        let run = try workspace.martlet("test", "r.rules", "--coverage")
        #expect(run.code == 0)
        for hole in [
            "an event for `logout`", "`country != \"XX\"` fails", "`ok` fails",
            "`within 5m` ends an attempt", "`within 1m` of `there` keeps an event out",
            "`without logout` keeps an event out", "`suppress by` holds something back",
        ] {
            #expect(run.output.contains("not covered: \(hole)"), "\(hole): \(run.output)")
        }
        #expect(!run.output.contains("`country != here.country` holds"))
    }

    @Test("JUnit has a case for each test and escapes what stands in it")
    func junit() throws {
        let workspace = try Workspace([
            "r.rules": rules.replacing("three fire", with: "three & <more> fire")
                .replacing("expect alert at 2s", with: "expect alert at 3s")
        ])
        let run = try workspace.martlet("test", "r.rules", "--format", "junit")
        #expect(run.code == 1)
        #expect(run.output.hasPrefix("<?xml"))
        #expect(run.output.contains("tests=\"2\" failures=\"1\" skipped=\"0\""))
        #expect(run.output.contains("name=\"three &amp; &lt;more&gt; fire\""))
        #expect(run.output.contains("<failure message=\"expected alert at 3s\">"))
        let parser = XMLCheck()
        #expect(parser.isWellFormed(run.output))
    }

    @Test("a seed gives the same order again")
    func shuffle() throws {
        let workspace = try Workspace(["r.rules": rules + edges])
        func order(_ seed: String) throws -> [Substring] {
            try workspace.martlet("test", "r.rules", "--shuffle", "--seed", seed).output
                .split(separator: "\n").map { $0.prefix(30) }
        }
        #expect(try order("1") == order("1"))
        let orders = try (1...8).map { try order(String($0)) }
        #expect(Set(orders).count > 1)
        #expect(try workspace.martlet("test", "r.rules", "--seed", "1").code == 3)
    }

    @Test("--watch runs again when a file changes")
    func watch() throws {
        let workspace = try Workspace(["r.rules": rules])
        let command = try workspace.start(["test", "r.rules", "--watch"])
        #expect(try command.wait { try command.errors().contains("2 passed") })
        try workspace.write("r.rules", rules.replacing("when n >= 3", with: "when n >= 4"))
        #expect(try command.wait { try command.errors().contains("1 passed, 1 failed") })
        try workspace.write("r.rules", "rule x {")
        #expect(try command.wait { try command.errors().contains("do not compile") })
        command.interrupt()
        #expect(try command.wait().code == 130)
    }
}

/// Whether the tags of an XML text are paired.
private struct XMLCheck {
    func isWellFormed(_ text: String) -> Bool {
        var depth = 0
        var rest = text[...]
        while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
            let tag = rest[rest.index(after: open)..<close]
            if tag.hasPrefix("/") {
                depth -= 1
            } else if !tag.hasPrefix("?"), !tag.hasSuffix("/") {
                depth += 1
            }
            if depth < 0 || tag.contains("<") { return false }
            rest = rest[rest.index(after: close)...]
        }
        return depth == 0
    }
}
