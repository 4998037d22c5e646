import Foundation
import Testing

private let rules = """
    event login {
      user: text
      ok: bool
      country: text
    }

    event payout {
      user: text
    }

    rule takeover {
      severity high
      sequence by user within 5m {
        at least 3 fails: login where not ok
        then success: login where ok and success.country != fails.last.country
        then paid: payout within 2m
      }
      alert "{fails.count} failures of {user}"
    }

    rule germans {
      sequence by user within 5m {
        in_germany: login where country == "DE"
        then paid: payout
      }
      alert "paid"
    }

    metric logins {
      over login
      window 1m tumbling
      measure n = count
    }

    """

private func event(_ second: Int, _ type: String, _ fields: String) -> String {
    let time = "2026-01-01T00:0\(second / 60):\(second % 60 < 10 ? "0" : "")\(second % 60)Z"
    return #"{"type":"\#(type)","time":"\#(time)",\#(fields)}"# + "\n"
}

/// Ann fails thrice, gets in from the same country; Ben gets in from another, and pays too late.
private let events = [
    event(0, "login", #""user":"ann","ok":false,"country":"DE""#),
    event(1, "login", #""user":"ann","ok":false,"country":"DE""#),
    event(2, "login", #""user":"ann","ok":false,"country":"DE""#),
    event(9, "login", #""user":"ann","ok":true,"country":"DE""#),
    event(10, "login", #""user":"ben","ok":false,"country":"DE""#),
    event(11, "login", #""user":"ben","ok":false,"country":"DE""#),
    event(12, "login", #""user":"ben","ok":false,"country":"DE""#),
    event(20, "login", #""user":"ben","ok":true,"country":"BR""#),
    event(152, "payout", #""user":"ben""#),
].joined()

@Suite("explain on events") struct ExplainCommandTests {
    private func workspace() throws -> Workspace {
        try Workspace(["r.rules": rules, "e.ndjson": events])
    }

    @Test("the keys that came nearest are told first, with the reason")
    func nearest() throws {
        let run = try workspace().martlet(
            "explain", "takeover", "--rules", "r.rules", "--events", "e.ndjson")
        #expect(run.code == 0)
        let lines = run.output.split(separator: "\n")
        #expect(lines[0].contains("NO ALERT"))
        #expect(lines[1].contains("1. user=ben  fails ×3"))
        #expect(lines[1].contains("success at 00:00:20Z -> paid missing   (2 of 3 steps)"))
        #expect(run.output.contains("it came 12s after the step's `within 2m` was over"))
        #expect(run.output.contains("2. user=ann"))
        #expect(
            run.output.contains(
                #"`country != fails.last.country` compared "DE" with "DE""#))
        #expect(run.output.contains("complete: yes"))
    }

    @Test("a key, a time to look at and a time to begin with choose what is told")
    func choice() throws {
        let workspace = try workspace()
        func run(_ more: String...) throws -> CommandRun {
            try workspace.start(
                ["explain", "takeover", "--rules", "r.rules", "--events", "e.ndjson"] + more
            ).finish()
        }
        let ann = try run("--key", "user=ann")
        #expect(!ann.output.contains("ben"))
        #expect(ann.output.contains("success missing"))
        let early = try run("--key", "ben", "--at", "2026-01-01T00:00:15Z")
        #expect(early.output.contains("success missing"))
        #expect(early.output.contains("still open until"))
        let since = try run("--since", "2026-01-01T00:00:05Z")
        #expect(!since.output.contains("user=ann"))
        let none = try run("--key", "zoe")
        #expect(none.output.contains("no event has this key; keys seen: user=ann"))
        let bad = try run("--at", "yesterday")
        #expect(bad.code == 3)
        #expect(bad.errors.contains("RFC 3339"))
    }

    @Test("the view says when it is not whole")
    func incomplete() throws {
        let workspace = try workspace()
        try workspace.write("e.ndjson", events + "{broken\n" + events)
        let run = try workspace.martlet(
            "explain", "takeover", "--rules", "r.rules", "--events", "e.ndjson")
        #expect(run.output.contains("complete: no"))
        #expect(run.output.contains("out of order"))
        #expect(run.errors.contains("e.ndjson"))
    }

    @Test("the JSON form holds the same, and a metric has nothing to explain")
    func json() throws {
        let workspace = try workspace()
        let run = try workspace.martlet(
            "explain", "takeover", "--rules", "r.rules", "--events", "e.ndjson", "--format", "json")
        let page = try #require(
            try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(page["alerts"] as? Int == 0)
        #expect((page["entries"] as? [[String: Any]])?.count == 2)
        let metric = try workspace.martlet(
            "explain", "logins", "--rules", "r.rules", "--events", "e.ndjson")
        #expect(metric.code == 3)
        let alone = try workspace.martlet("explain", "takeover", "--rules", "r.rules", "--key", "x")
        #expect(alone.code == 3)
        #expect(alone.errors.contains("--events"))
    }

    @Test("the evidence of an alert is told in order of time, by a shortened id")
    func evidence() throws {
        let workspace = try workspace()
        let replay = try workspace.martlet(
            "replay", "e.ndjson", "--rules", "r.rules", "--rule", "germans", "--to", "a.ndjson")
        #expect(replay.code == 0)
        let record = try #require(
            try JSONSerialization.jsonObject(
                with: Data(try workspace.read("a.ndjson").split(separator: "\n")[0].utf8))
                as? [String: Any])
        let id = try #require(record["id"] as? String)
        let run = try workspace.martlet("explain", String(id.prefix(8)), "--alerts", "a.ndjson")
        #expect(run.code == 0)
        let lines = run.output.split(separator: "\n")
        #expect(lines[0].contains("germans user=ben"))
        #expect(lines[0].contains(id))
        #expect(run.output.contains("in_germany: login"))
        #expect(run.output.contains("paid: payout"))
        let unknown = try workspace.martlet("explain", "ffff0000", "--alerts", "a.ndjson")
        #expect(unknown.code == 3)
        #expect(unknown.errors.contains("there is no alert `ffff0000`"))
    }

    @Test("a test that fails shows the nearest run and both values")
    func failingTest() throws {
        let workspace = try Workspace([
            "r.rules": rules + """

                test "case" for germans {
                  at 0s login { user: "ann", ok: true, country: "de" }
                  at 3s payout { user: "ann" }
                  expect alert at 3s
                }

                test "too late" for takeover {
                  at 0s login { user: "ann", ok: false, country: "DE" } repeat 3 every 1s
                  at 9s login { user: "ann", ok: true, country: "BR" }
                  crash at 10s
                  at 3m payout { user: "ann" }
                  expect alert at 3m
                }

                """
        ])
        let run = try workspace.martlet("test", "r.rules")
        #expect(run.code == 1)
        #expect(
            run.output.contains(
                #"`country == "DE"` compared "de" with "DE": case differs; use `ignoring case`"#))
        // What was seen before a crash is not forgotten.
        #expect(run.output.contains("fails ×3 0s to 2s, success at 9s -> paid missing"))
        #expect(run.output.contains("it came 51s after the step's `within 2m` was over"))
    }
}
