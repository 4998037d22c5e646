import Foundation
import Testing

private let guessing = """
    event login {
      user: text
      ok: bool
    }

    rule guessing {
      severity high
      sequence by user within 5m {
        at least 3 fails: login where not ok
        then success: login where ok
      }
      alert "{fails.count} failures of {user}"
    }

    test "three failures and a success" for guessing {
      at 0s login { user: "ann", ok: false } repeat 3 every 1s
      at 9s login { user: "ann", ok: true }
      expect alert at 9s with fails.count == 3
      expect nothing else
    }

    """

/// Three failures and a success of one user, one second apart.
private let attack = (0..<4).map { index in
    #"{"type":"login","time":"2026-01-01T00:00:0\#(index)Z","user":"ann","ok":\#(index == 3)}"#
        + "\n"
}.joined()

@Suite("the command line")
struct CommandTests {
    // MARK: - Arguments

    @Test("an unknown verb and an unknown flag are refused with the nearest one")
    func unknownWords() throws {
        let workspace = try Workspace()
        let verb = try workspace.martlet("chekc")
        #expect(verb.code == 3)
        #expect(verb.errors.contains("`check`"))
        let flag = try workspace.martlet("check", "--fromat", "json")
        #expect(flag.code == 3)
        #expect(flag.errors.contains("`--format`"))
        let surplus = try workspace.martlet("version", "now")
        #expect(surplus.code == 3)
        #expect(surplus.errors.contains("`now`"))
        let value = try workspace.martlet("check", "--format", "xml")
        #expect(value.code == 3)
        #expect(value.errors.contains("`sarif`"))
    }

    @Test(
        "every verb has a page",
        arguments: [
            "check", "fmt", "run", "reload", "status", "replay", "test", "plan", "explain", "graph",
            "bench", "import",
            "completions", "diff", "docs", "fields", "fix", "from-json", "init", "new", "to-json",
            "version",
        ])
    func helpPages(verb: String) throws {
        let page = try Workspace().martlet(verb, "--help")
        #expect(page.code == 0)
        #expect(page.output.contains("usage: martlet \(verb)"))
        #expect(page.errors.isEmpty)
        let overview = try Workspace().martlet("--help")
        #expect(overview.output.contains("  \(verb)"))
    }

    @Test("a flag can be set by its variable, and the flag wins")
    func variables() throws {
        let workspace = try Workspace(["a.rules": "rule x {\n"])
        let json = try workspace.martlet(
            "check", "a.rules", environment: ["MARTLET_FORMAT": "json"])
        #expect(json.output.hasPrefix("{"))
        let text = try workspace.martlet(
            "check", "a.rules", "--format", "text", environment: ["MARTLET_FORMAT": "json"])
        #expect(text.output.hasPrefix("error["))
    }

    // MARK: - check, fmt, test

    @Test("check exits 2 on an error, 1 on a warning at the level asked for, 0 on good rules")
    func checkCodes() throws {
        let workspace = try Workspace([
            "good.rules": guessing,
            "bad.rules": guessing.replacing("at least 3", with: "at leest 3"),
            "careless.rules": """
            event login { user: text? }
            rule r {
              sequence { a: login where user != "root" }
              alert "x"
            }
            """,
        ])
        #expect(try workspace.martlet("check", "good.rules").code == 0)
        #expect(try workspace.martlet("check", "bad.rules").code == 2)
        #expect(try workspace.martlet("check", "careless.rules").code == 0)
        let strict = try workspace.martlet("check", "careless.rules", "--fail-level", "warning")
        #expect(strict.code == 1)
        #expect(strict.output.contains("W0406"))
        let absent = try workspace.martlet("check", "nothing.rules")
        #expect(absent.code == 2)
        #expect(absent.errors.contains("nothing.rules"))
        #expect(!absent.errors.contains("no problems"))
        let partly = try workspace.martlet("check", "good.rules", "nothing.rules")
        #expect(partly.code == 2)
        #expect(partly.errors.contains("1 rule in 1 file, 1 path could not be read"))
        let one = try workspace.martlet("check", "bad.rules")
        #expect(one.errors.contains("0 of 1 rule is good"))
    }

    @Test("a bad file never hides the errors of another")
    func twoBadFiles() throws {
        let workspace = try Workspace([
            "a.rules": "rule a {\n", "b.rules": "rule b {\n", "c.rules": guessing,
        ])
        let run = try workspace.martlet("check", ".")
        #expect(run.output.contains("a.rules:1"))
        #expect(run.output.contains("b.rules:1"))
        #expect(run.errors.contains("in 3 files"))
    }

    @Test("fmt rewrites a file once, keeps its mode, and leaves a broken one alone")
    func formatting() throws {
        let ugly = "rule   r {\nsequence{ a:x where b==1 }\n   alert \"x\"\n}\n"
        let workspace = try Workspace(["ugly.rules": ugly, "broken.rules": "rule {{{"])
        #expect(try workspace.martlet("fmt", "--check", "ugly.rules").code == 1)
        let diff = try workspace.martlet("fmt", "--diff", "ugly.rules")
        #expect(diff.code == 1)
        #expect(diff.output.contains("-rule   r {"))
        #expect(diff.output.contains("+rule r {"))
        #expect(try workspace.read("ugly.rules") == ugly)
        #expect(try workspace.martlet("fmt", "ugly.rules").code == 0)
        #expect(try workspace.martlet("fmt", "--check", "ugly.rules").code == 0)
        #expect(try workspace.martlet("fmt", "broken.rules").code == 2)
        #expect(try workspace.read("broken.rules") == "rule {{{")
    }

    @Test("test tells what was expected, what came, and which values differed")
    func testFailures() throws {
        let workspace = try Workspace([
            "good.rules": guessing,
            "bad.rules": guessing.replacing("fails.count == 3", with: "fails.count == 4"),
        ])
        let good = try workspace.martlet("test", "good.rules")
        #expect(good.code == 0)
        #expect(good.errors.contains("1 passed, 0 failed"))
        let bad = try workspace.martlet("test", "bad.rules")
        #expect(bad.code == 1)
        #expect(bad.output.contains("FAIL"))
        #expect(bad.output.contains("`fails.count == 4` compared 3 with 4"))
    }

    @Test("test lets the engine crash and go on from a snapshot, with what it knew")
    func crashes() throws {
        let workspace = try Workspace()
        try workspace.write(
            "crash.rules",
            """
            event login { user: text  ok: bool }
            rule three {
              threshold by user {
                over login where not ok
                window 1m sliding
                when count >= 3 for 10s
              }
              alert "{user}: {count}"
              suppress by user for 1h
            }
            test "the count, the clock and the silence outlive a crash" for three {
              at 0s login { user: "ann", ok: false } repeat 3 every 1s
              crash at 1s
              crash at 5s
              at 8s login { user: "bob", ok: true }
              crash at 12s
              at 2m login { user: "ann", ok: false } repeat 3 every 1s
              crash at 2m2s
              expect alert at 12s with count == 3
              expect resolve at 1m
              expect nothing else before 3m
            }
            """)
        let good = try workspace.martlet("test", "crash.rules")
        #expect(good.code == 0, "\(good.output)\(good.errors)")
    }

    @Test("test tells how far the nearest candidate came where no alert did")
    func nearestCandidate() throws {
        let workspace = try Workspace([
            "few.rules": guessing.replacing("repeat 3", with: "repeat 2"),
            "none.rules": guessing.replacing("ok: false }", with: "ok: true }"),
        ])
        let few = try workspace.martlet("test", "few.rules")
        #expect(few.code == 1)
        #expect(few.output.contains("no alert at all"))
        #expect(few.output.contains("user=ann  fails ×2 of 3 0s to 1s -> 1 more missing"))
        let none = try workspace.martlet("test", "none.rules")
        #expect(none.output.contains("user=ann  no event began a match; the nearest:"))
    }

    // MARK: - replay and run

    @Test("replay prints one JSON object for each alert, with the time of the events")
    func replaying() throws {
        let workspace = try Workspace(["g.rules": guessing, "in.ndjson": attack])
        let run = try workspace.martlet("replay", "in.ndjson", "--rules", "g.rules")
        #expect(run.code == 0)
        #expect(run.output.contains(#""matched_at":"2026-01-01T00:00:03Z""#))
        #expect(run.output.contains("3 failures of ann"))
        #expect(run.output.split(separator: "\n").count == 1)
        let again = try workspace.martlet(
            "replay", "in.ndjson", "--rules", "g.rules", "--threads", "3")
        #expect(again.output == run.output)
        let strict = try workspace.martlet(
            "replay", "in.ndjson", "--rules", "g.rules", "--fail-on-alert")
        #expect(strict.code == 1)
    }

    @Test("events of types that no rule reads are counted, with the types that rules read")
    func unreadTypes() throws {
        let workspace = try Workspace(["r.rules": guessing, "x.ndjson": attack])
        let run = try workspace.martlet(
            "replay", "x.ndjson", "--rules", "r.rules", "--type", "logon")
        #expect(run.code == 0)
        #expect(
            run.errors.contains("4 events of types that no rule reads; these rules read `login`"))
    }

    @Test("several files are merged by event time")
    func merging() throws {
        let lines = attack.split(separator: "\n").map { $0 + "\n" }
        let workspace = try Workspace([
            "g.rules": guessing, "late.ndjson": "\(lines[1])\(lines[3])",
            "early.ndjson": "\(lines[0])\(lines[2])",
        ])
        let run = try workspace.martlet(
            "replay", "late.ndjson", "early.ndjson", "--rules", "g.rules")
        #expect(run.output.contains("3 failures of ann"))
        #expect(!run.errors.contains("out of order"))
    }

    @Test("how far events are out of order is told, with what would put them in order")
    func disorder() throws {
        let lines = attack.split(separator: "\n").map { $0 + "\n" }
        let workspace = try Workspace([
            "g.rules": guessing, "x.ndjson": "\(lines[1])\(lines[0])\(lines[2])\(lines[3])",
        ])
        let plain = try workspace.martlet("replay", "x.ndjson", "--rules", "g.rules")
        let advice = try #require(plain.errors.firstMatch(of: #/`--lateness (\w+)` would/#))
        let ordered = try workspace.martlet(
            "replay", "x.ndjson", "--rules", "g.rules", "--lateness", String(advice.1))
        #expect(ordered.output.contains("3 failures of ann"))
        #expect(ordered.errors.contains("put in order within the allowed lateness"))
        #expect(!ordered.errors.contains("would put"))
    }

    @Test("files whose times lie between each other's give what one sorted file gives")
    func interleavedFiles() throws {
        let lines = (0..<6000).map { index in
            #"{"type":"login","time":\#(1_767_225_600 + index),"user":"u\#(index % 7)","ok":\#(index % 5 == 0)}"#
                + "\n"
        }
        func part(_ isWanted: (Int) -> Bool) -> String {
            lines.indices.filter(isWanted).map { lines[$0] }.joined()
        }
        let workspace = try Workspace([
            "r.rules": guessing, "all.ndjson": lines.joined(),
            // Turns of one row, then of a hundred, then of one again.
            "a.ndjson": part { $0 < 2000 || $0 >= 4000 ? $0 % 2 == 0 : $0 / 100 % 2 == 0 },
            "b.ndjson": part { $0 < 2000 || $0 >= 4000 ? $0 % 2 == 1 : $0 / 100 % 2 == 1 },
        ])
        let sorted = try workspace.martlet("replay", "all.ndjson", "--rules", "r.rules")
        #expect(sorted.output.split(separator: "\n").count > 100)
        for threads in ["1", "3"] {
            let merged = try workspace.martlet(
                "replay", "a.ndjson", "b.ndjson", "--rules", "r.rules", "--threads", threads)
            #expect(merged.output == sorted.output)
        }
    }

    @Test("bad lines are told, counted and kept, and the good ones are processed")
    func badLines() throws {
        let lines = attack.split(separator: "\n").map { $0 + "\n" }
        let bad =
            "{\"type\":\"login\",\n" + lines[0] + "\u{0}\n" + lines[1] + "[1,2]\n" + lines[2]
            + lines[3]
        let workspace = try Workspace(["g.rules": guessing, "in.ndjson": bad])
        let run = try workspace.martlet(
            "replay", "in.ndjson", "--rules", "g.rules", "--dead-letter", "dead.ndjson")
        #expect(run.output.contains("3 failures of ann"))
        #expect(run.errors.contains("in.ndjson:1"))
        #expect(run.errors.contains("3 of 7 lines could not be read"))
        #expect(try workspace.read("dead.ndjson").split(separator: "\n").count == 3)
    }

    @Test("the summary counts the records of the engine itself beside those of rules")
    func engineRecords() throws {
        let workspace = try Workspace([
            "r.rules": guessing + "engine { keys per rule 1 }\n",
            // What waits for bob gives way to ann.
            "x.ndjson": attack.replacing("ann", with: "bob").split(separator: "\n")[0] + "\n"
                + attack,
        ])
        let run = try workspace.martlet("replay", "x.ndjson", "--rules", "r.rules")
        #expect(run.output.contains("engine.overflow"))
        #expect(run.errors.contains("2 alert records: guessing 1, engine 1"))
    }

    @Test("an input that is not there fails, and rules that do not compile run nothing")
    func failures() throws {
        let workspace = try Workspace([
            "g.rules": guessing, "bad.rules": "rule {", "in.ndjson": attack,
        ])
        let absent = try workspace.martlet("replay", "nothing.ndjson", "--rules", "g.rules")
        #expect(absent.code == 4)
        #expect(absent.errors.contains("nothing.ndjson"))
        let broken = try workspace.martlet("replay", "in.ndjson", "--rules", "bad.rules")
        #expect(broken.code == 2)
        #expect(broken.output.isEmpty)
    }

    @Test("run reads standard input as it comes and ends cleanly on an interrupt")
    func running() throws {
        let workspace = try Workspace(["g.rules": guessing])
        let run = try workspace.start(["run", "--rules", "g.rules"])
        try run.send(attack)
        #expect(try run.wait { try run.output().contains("3 failures of ann") })
        run.interrupt()
        let end = try run.wait()
        #expect(end.code == 130)
        #expect(end.errors.contains("4 events"))
        #expect(end.output.contains("emitted_at"))
    }

    @Test("a rule that is switched off is counted, never passed over")
    func switchedOff() throws {
        let workspace = try Workspace([
            "g.rules": guessing.replacingOccurrences(
                of: "rule guessing {", with: "rule guessing {\n  enabled false")
        ])
        let check = try workspace.martlet("check", "g.rules")
        #expect((check.output + check.errors).contains("1 switched off"))
    }

    @Test("a list file that changes is used without a restart, and a bad one leaves the old")
    func listReload() throws {
        let workspace = try Workspace([
            "l.rules": """
            event hit { host: text }
            list watched of text from "hosts.txt" refresh 100ms
            rule watched_host {
              sequence { h: hit where host in list watched }
              alert "hit on {h.host}"
            }
            """, "hosts.txt": "alpha\n",
        ])
        let run = try workspace.start(["run", "--rules", "l.rules"])
        func send(_ host: String) throws {
            try run.send(#"{"type":"hit","time":"2026-01-01T00:00:00Z","host":"\#(host)"}"# + "\n")
        }
        try send("alpha")
        #expect(try run.wait { try run.output().contains("hit on alpha") })
        try workspace.write("hosts.txt", "alpha\nbeta\n")
        #expect(
            try run.wait {
                try send("beta")
                return try run.output().contains("hit on beta")
            })
        try workspace.write("hosts.txt", Data([0x61, 0xFF, 0x0A]))
        #expect(try run.wait { try run.errors().contains("hosts.txt") })
        try send("beta")
        run.interrupt()
        #expect(try run.wait().code == 130)
    }
}
