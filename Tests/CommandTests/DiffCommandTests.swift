import Foundation
import Testing

private func rules(_ limit: Int, severity: String = "high", more: String = "") -> String {
    """
    event login {
      user: text
      ok: bool
    }

    rule many {
      severity \(severity)
      threshold by user {
        over login where not ok
        window 1m sliding
        measure n = count
        when n >= \(limit)
      }
      alert "{user} failed {n} times"
    }
    \(more)

    """
}

/// Ann fails six times, Ben four times.
private let events = (0..<10).map { index in
    let user = index < 6 ? "ann" : "ben"
    return #"{"type":"login","time":"2026-01-01T00:00:0\#(index)Z","user":"\#(user)","ok":false}"#
        + "\n"
}.joined()

@Suite("diff of rules on events") struct DiffCommandTests {
    private func diff(_ old: String, _ new: String, _ more: String...) throws -> CommandRun {
        let workspace = try Workspace(["old.rules": old, "new.rules": new, "e.ndjson": events])
        return try workspace.start(["diff", "old.rules", "new.rules", "--on", "e.ndjson"] + more)
            .finish()
    }

    @Test("the same rules in another form do not differ")
    func same() throws {
        let run = try diff(rules(5), "# a comment\n" + rules(5))
        #expect(run.code == 0)
        #expect(run.output.contains("0 of 1 rule differ"))
    }

    @Test("gained, lost and moved alerts are told with the line that changed")
    func gainedLostMoved() throws {
        let more = try diff(rules(5), rules(4))
        #expect(more.code == 1)
        #expect(more.output.contains("many   +1  -0  1 moved   (1 -> 2 alerts)"))
        #expect(more.output.contains("when n >= 5  ->  when n >= 4"))
        #expect(more.output.contains("+ 2026-01-01T00:00:09Z user=ben  ben failed 4 times"))
        #expect(more.output.contains("~ 2026-01-01T00:00:04Z -> 2026-01-01T00:00:03Z user=ann"))
        let fewer = try diff(rules(4), rules(9), "--examples", "1")
        #expect(fewer.output.contains("many   +0  -2   (2 -> 0 alerts)"))
        #expect(fewer.output.contains("    and 1 more"))
    }

    @Test("an alert that says something else has changed, and new and gone rules are named")
    func changed() throws {
        let text = try diff(rules(5), rules(5, severity: "low"))
        #expect(text.code == 1)
        #expect(text.output.contains("(severity differs)"))
        let other = """
            rule once {
              sequence by user within 1m {
                a: login where not ok
              }
              alert "once"
            }
            """
        let new = try diff(rules(5), rules(5, more: other))
        #expect(new.output.contains("once   +10  -0   (0 -> 10 alerts)\n    new rule"))
        let gone = try diff(rules(5, more: other), rules(5), "--rule", "once")
        #expect(gone.output.contains("the rule is gone"))
        let silent = try diff(rules(9), rules(8))
        #expect(silent.code == 0)
        #expect(silent.output.contains("changed without a difference in alerts here: many"))
    }

    @Test("a program and a pull request can read it")
    func formats() throws {
        let json = try diff(rules(5), rules(4), "--format", "json")
        #expect(json.code == 1)
        let page = try #require(
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let rule = try #require((page["rules"] as? [[String: Any]])?.first)
        #expect((rule["gained"] as? [Any])?.count == 1)
        #expect((rule["moved"] as? [Any])?.count == 1)
        let note = try diff(rules(5), rules(4), "--format", "github")
        #expect(note.output.hasPrefix("::warning file=new.rules,line=6,title=many"))
        #expect(note.output.split(separator: "\n").count == 1)
    }

    @Test("what cannot be compared is refused, and nothing looks whole that is not")
    func refused() throws {
        let workspace = try Workspace([
            "old.rules": rules(5), "bad.rules": "rule x {", "e.ndjson": events + "{broken\n",
        ])
        #expect(
            try workspace.martlet("diff", "old.rules", "bad.rules", "--on", "e.ndjson").code == 2)
        #expect(try workspace.martlet("diff", "old.rules", "--on", "e.ndjson").code == 3)
        #expect(try workspace.martlet("diff", "old.rules", "old.rules").code == 3)
        let absent = try workspace.martlet("diff", "old.rules", "old.rules", "--on", "no.ndjson")
        #expect(absent.code == 4)
        let broken = try workspace.martlet("diff", "old.rules", "old.rules", "--on", "e.ndjson")
        #expect(broken.errors.contains("e.ndjson"))
        #expect(broken.output.contains("unreadable") || broken.output.contains("1 line"))
    }
}
