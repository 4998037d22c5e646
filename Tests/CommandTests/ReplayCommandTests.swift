import Foundation
import Testing

private let rules = """
    event login {
      user: text
      ok: bool
    }

    rule failed {
      severity high
      title "A <failed> login"
      sequence by user within 1m {
        a: login where not ok
        then b: login where not ok
      }
      alert "{user} failed twice"
    }

    """

private func failure(_ user: String, _ time: String) -> String {
    #"{"type":"login","time":"\#(time)","user":"\#(user)","ok":false}"# + "\n"
}

/// Two failures of a user each: three pairs on the first day, one on the second.
private let events =
    ["00:00:0", "00:10:0", "00:20:0"].map { minute in
        failure("ann", "2026-01-01T\(minute)1Z") + failure("ann", "2026-01-01T\(minute)5Z")
    }.joined()
    + failure("<b>&", "2026-01-02T00:00:01Z") + failure("<b>&", "2026-01-02T00:00:05Z")

@Suite("replay with a span, a report, a budget and expectations") struct ReplayCommandTests {
    private func workspace() throws -> Workspace {
        try Workspace(["r.rules": rules, "e.ndjson": events])
    }

    private func replay(_ workspace: Workspace, _ more: String...) throws -> CommandRun {
        try workspace.start(
            ["replay", "e.ndjson", "--rules", "r.rules", "--format", "json"] + more
        ).finish()
    }

    @Test("a span shows its own alerts, and what began before it still counts")
    func span() throws {
        let run = try replay(
            workspace(), "--from", "2026-01-01T00:10:03Z", "--until", "2026-01-01T00:20:05Z")
        #expect(run.code == 0)
        let times = run.output.split(separator: "\n").compactMap { line in
            String(line).components(separatedBy: "\"matched_at\":\"").last.map {
                String($0.prefix(20))
            }
        }
        #expect(times == ["2026-01-01T00:10:05Z", "2026-01-01T00:20:05Z"])
        let whole = try replay(workspace(), "--from", "2026-01-02")
        #expect(whole.output.split(separator: "\n").count == 1)
        let turned = try replay(workspace(), "--from", "2026-01-02", "--until", "2026-01-01")
        #expect(turned.code == 3)
    }

    @Test("a pace changes no byte of the alerts, and what is none is refused")
    func speed() throws {
        let plain = try replay(workspace())
        // A day of events takes less than a tenth of a second.
        let paced = try replay(workspace(), "--speed", "1000000")
        #expect(paced.code == 0)
        #expect(paced.output == plain.output)
        #expect(plain.output.split(separator: "\n").count == 4)
        for speed in ["0", "-1", "nan", "inf", "0x10", "1e3", "1..2", ".", "", "1000001", "max"] {
            let run = try replay(workspace(), "--speed", speed)
            #expect(run.code == 3, "\(speed)")
            #expect(run.output == "")
            #expect(run.errors.contains("and got `\(speed)`"), "\(run.errors)")
        }
    }

    @Test("a replay with a pace writes alerts as they come, and ends when asked to")
    func paced() throws {
        let workspace = try workspace()
        // The first pair is four seconds apart, the next comes in ten minutes.
        let run = try workspace.start(
            ["replay", "e.ndjson", "--rules", "r.rules", "--format", "json", "--speed", "8"])
        #expect(try run.wait(until: { try run.output().contains("2026-01-01T00:00:05Z") }))
        run.interrupt()
        let end = try run.wait()
        #expect(end.code == 130)
        #expect(end.output.split(separator: "\n").count == 1)
    }

    @Test("a budget names the rule and its worst day")
    func budget() throws {
        let kept = try replay(workspace(), "--budget", "3/day")
        #expect(kept.code == 0)
        let over = try replay(workspace(), "--budget", "2/day")
        #expect(over.code == 1)
        #expect(
            over.errors.contains("failed raised 3 alerts on 2026-01-01, and 2 a day are allowed"))
        #expect(try replay(workspace(), "--budget", "2/hour").code == 3)
    }

    @Test("alerts that are missing or too much fail what was expected")
    func expect() throws {
        let workspace = try workspace()
        let all = try replay(workspace)
        try workspace.write("all.ndjson", all.output)
        let same = try replay(workspace, "--expect", "all.ndjson")
        #expect(same.code == 0)
        #expect(same.errors.contains("4 of 4 expected came"))
        let ann = #"{"rule":"failed","key":{"user":"ann"}}"# + "\n"
        try workspace.write("few.ndjson", ann + ann)
        let few = try replay(workspace, "--expect", "few.ndjson")
        #expect(few.code == 1)
        #expect(few.errors.contains("surplus: failed user=ann firing at 2026-01-01T00:20:05Z"))
        #expect(few.errors.contains("2 of 2 expected came, 2 came that were not expected"))
        try workspace.write("other.ndjson", #"{"rule":"failed","severity":"low"}"#)
        let other = try replay(workspace, "--expect", "other.ndjson", "--until", "2026-01-01")
        #expect(other.code == 1)
        #expect(other.errors.contains("missing (line 1)"))
        try workspace.write("bad.ndjson", "[]\n")
        #expect(try replay(workspace, "--expect", "bad.ndjson").code == 3)
    }

    @Test("the report is one page without scripts, and text from the data is inert in it")
    func report() throws {
        let workspace = try workspace()
        let run = try replay(workspace, "--report", "r.html", "--budget", "2/day")
        #expect(run.code == 1)
        let page = try workspace.read("r.html")
        #expect(page.hasPrefix("<!DOCTYPE html>"))
        #expect(!page.contains("<script"))
        #expect(!page.contains("http://") && !page.contains("https://"))
        #expect(page.contains("default-src 'none'"))
        #expect(page.contains("user=&lt;b&gt;&amp;"))
        #expect(page.contains("A &lt;failed&gt; login"))
        #expect(!page.contains("<b>&"))
        #expect(page.contains("Over the budget of 2 alerts a day:"))
        #expect(page.contains("2026-01-01: 3 high"))
        #expect(page.contains("2026-01-02: 1 high"))
        // Each opened element of the charts is closed.
        #expect(
            page.components(separatedBy: "<rect").count
                == page.components(separatedBy: "</rect>").count)
        // What is not there is said, not drawn.
        let empty = try replay(workspace, "--report", "n.html", "--until", "2025-01-01")
        #expect(empty.code == 0)
        #expect(try workspace.read("n.html").contains("No alert."))
    }
}
