import Foundation
import Testing

/// A rule set with a threshold, a sequence and room for changes.
private func rules(when: String = "fails > 2", within: String = "1m", good: String = "ok") -> String
{
    """
    event login { user: text  ok: bool }

    rule many {
      threshold by user {
        over login where not ok
        window 1m sliding
        measure fails = count
        when \(when)
      }
      alert "{fails} of {user}"
    }

    rule pair {
      sequence by user within \(within) {
        bad: login where not ok
        then good: login where \(good)
      }
      alert "{user}"
    }

    """
}

@Suite("martlet plan")
struct PlanCommandTests {
    private func plan(_ old: String, _ new: String, _ flags: String...) throws -> CommandRun {
        let workspace = try Workspace(["old.rules": old, "new.rules": new])
        let arguments = ["plan"] + flags + ["old.rules", "new.rules"]
        let command = try workspace.start(arguments)
        return try command.wait()
    }

    @Test("the same rules keep all their state")
    func same() throws {
        let run = try plan(rules(), rules())
        #expect(run.code == 0)
        #expect(run.output == "2 rules keep their state (2 unchanged)\n")
    }

    @Test("what a rule is judged by does not cost its state, and is shown")
    func judgement() throws {
        let run = try plan(rules(), rules(when: "fails > 5"))
        #expect(run.code == 0)
        #expect(
            run.output == """
                kept    many  changed, but nothing its state depends on
                          - when fails > 2
                          + when fails > 5
                2 rules keep their state (1 unchanged)

                """)
    }

    @Test("a part of the shape costs the state, and is named")
    func shape() throws {
        let span = try plan(rules(), rules(within: "2m"))
        #expect(span.code == 1)
        #expect(
            span.output == """
                reset   pair  begins anew, since this changed:
                          - within 1m
                          + within 2m
                1 rule keeps its state (1 unchanged), 1 begins anew

                """)
        let step = try plan(rules(), rules(good: #"ok and user != "root""#))
        #expect(step.code == 1)
        #expect(step.output.contains("          - step good: where ok\n"))
        #expect(step.output.contains(#"          + step good: where ok and user != "root""#))
        let type = try plan(rules(), rules().replacing("user: text", "user: ip"))
        #expect(type.output.contains("          - field user text\n          + field user ip\n"))
    }

    @Test("rules come and go, and one that is switched off is gone")
    func names() throws {
        let renamed = try plan(rules(), rules().replacing("rule many", "rule lots"))
        #expect(renamed.code == 1)
        #expect(renamed.output.contains("new     lots\n"))
        #expect(renamed.output.contains("removed many\n"))
        let switchedOff = rules().replacing("rule many {", "rule many {\n  enabled false")
        let off = try plan(rules(), switchedOff)
        #expect(off.output.contains("removed many\n"))
        let added = try plan(switchedOff, rules())
        #expect(added.code == 0)
    }

    @Test("JSON names every rule")
    func json() throws {
        let run = try plan(rules(), rules(within: "2m"), "--format", "json")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        let all = try #require(object["rules"] as? [[String: Any]])
        #expect(all.map { $0["rule"] as? String } == ["many", "pair"])
        #expect(all.map { $0["outcome"] as? String } == ["kept", "reset"])
        let parts = try #require(all[1]["state_parts"] as? [[String: String]])
        #expect(parts == [["before": "within 1m", "after": "within 2m"]])
    }

    @Test("rules that do not compile, and files that are not there, are exit code 2")
    func bad() throws {
        let run = try plan(rules(), "rule x {")
        #expect(run.code == 2)
        #expect(run.errors.contains("new.rules:1"))
        let workspace = try Workspace(["old.rules": rules()])
        #expect(try workspace.martlet("plan", "old.rules", "none.rules").code == 2)
        #expect(try workspace.martlet("plan", "old.rules").code == 3)
    }
}

extension String {
    fileprivate func replacing(_ old: String, _ new: String) -> String {
        replacingOccurrences(of: old, with: new)
    }
}
