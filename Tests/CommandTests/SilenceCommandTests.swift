import Foundation
import Testing

private let rules = """
    event login {
      user: text
      ok: bool
    }

    rule twice {
      severity high
      sequence by user within 5m {
        at least 2 failed: login where not ok
        then in_: login where ok
      }
      alert "{user} got in"
    }

    """

private func guessed(_ user: String, minute: Int) -> String {
    (0..<3).map { index in
        #"{"type":"login","time":"2026-01-01T00:0\#(minute):0\#(index)Z","user":"\#(user)","ok":\#(index == 2)}"#
            + "\n"
    }.joined()
}

@Suite("Silences") struct SilenceCommandTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace(["r.rules": rules, "e.ndjson": guessed("ann", minute: 0)])
    }

    /// Who has an alert in the file of the sink.
    private func told() throws -> [String] {
        let text = (try? workspace.read("out.ndjson")) ?? ""
        return try text.split(separator: "\n").map { line in
            let alert = try #require(
                JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            return try #require((alert["key"] as? [String: String])?["user"])
        }
    }

    private func add(_ text: String) throws {
        let file = try #require(FileHandle(forWritingAtPath: workspace.path + "/e.ndjson"))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    private func status() throws -> [String: Any] {
        let run = try workspace.martlet("status", "--format", "json", "--data", "state")
        return try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
            ?? [:]
    }

    @Test("a running engine keeps silenced alerts from the sinks, and loses none")
    func running() throws {
        let engine = try workspace.start([
            "run", "--follow", "e.ndjson", "--rules", "r.rules", "--data", "state", "--to",
            "out.ndjson",
        ])
        #expect(try engine.wait { try told() == ["ann"] })
        let begun = try workspace.martlet(
            "silence", "rule=tw*  user=a* severity=high", "1h", "--note", "moving", "--data",
            "state")
        #expect(begun.code == 0)
        #expect(begun.errors.contains("it fits 1 of 1 alert of the last day"))
        #expect(try engine.wait { try status()["silences"] as? Int == 1 })
        try add(guessed("ann", minute: 1) + guessed("bob", minute: 2))
        #expect(try engine.wait { try told() == ["ann", "bob"] })
        #expect(try status()["silenced"] as? Int == 1)
        let sinks = try status()["sinks"] as? [[String: Any]]
        #expect(sinks?.first?["delivered"] as? Int == 2)
        let page = try workspace.martlet("status", "--data", "state").output
        #expect(page.contains("silences    1 in force, 1 alert kept from the sinks"))
        #expect(page.contains("sink        file out.ndjson: 2 delivered"))

        let kept = try workspace.martlet("alerts", "--format", "text", "--data", "state").output
        #expect(
            kept.split(separator: "\n").map { $0.hasSuffix("  silenced") } == [false, true, false])
        let json = try workspace.martlet("alerts", "--format", "json", "--data", "state").output
        #expect(json.components(separatedBy: #","silenced":true}"#).count == 2)

        #expect(try workspace.martlet("silence", "rm", "1", "--data", "state").code == 0)
        #expect(try engine.wait { try status()["silences"] as? Int == 0 })
        try add(guessed("ann", minute: 3))
        #expect(try engine.wait { try told() == ["ann", "bob", "ann"] })
        engine.interrupt()
        let end = try engine.wait()
        #expect(end.errors.contains("1 alert silenced: kept, and given to no sink"))
    }

    @Test("silences hold over a restart, are listed, copied, and go when they are over")
    func restart() throws {
        func run() throws -> CommandRun {
            try workspace.martlet(
                "run", "e.ndjson", "--rules", "r.rules", "--data", "state", "--to", "out.ndjson")
        }
        #expect(try run().code == 0)
        func begin(_ condition: String, _ span: String) throws -> CommandRun {
            try workspace.martlet("silence", condition, span, "--data", "state")
        }
        #expect(try begin("user=ann", "1h").errors.hasPrefix("silence 1 until "))
        #expect(try begin("user=zoe", "1s").errors.hasPrefix("silence 2 until "))
        Thread.sleep(forTimeInterval: 2)
        try add(guessed("ann", minute: 1))
        #expect(try run().code == 0)
        #expect(try told() == ["ann"])
        let files = try FileManager.default.contentsOfDirectory(atPath: workspace.path + "/state")
        #expect(files.contains("silence-1") && !files.contains("silence-2"))
        let list = try workspace.martlet("silence", "ls", "--data", "state")
        #expect(list.output.hasPrefix("1  until ") && list.output.hasSuffix("Z  user=ann\n"))
        #expect(try workspace.martlet("state", "verify", "--data", "state").code == 0)
        #expect(try workspace.martlet("state", "backup", "copy", "--data", "state").code == 0)
        let copied = try workspace.martlet("silence", "ls", "--format", "json", "--data", "copy")
        #expect(copied.output.contains(#""number":1,"when":{"user":"ann"}"#))
    }

    @Test(
        "what is no silence is told, and nothing is kept",
        arguments: [
            (["rule", "1h"], "`rule` is not `NAME=VALUE`"),
            (["rule=", "1h"], "`rule=` is not `NAME=VALUE`"),
            (["  ", "1h"], "nothing says which alerts"),
            (["rule=x", "soon"], "needs a duration, and got `soon`"),
            (["rule=x", "91d"], "at most 90 days"),
            (["rm", "7"], "there is no silence `7`"),
            (["rule=x"], "`silence` needs"),
        ])
    func refused(_ words: [String], _ message: String) throws {
        _ = try workspace.martlet(
            "run", "e.ndjson", "--rules", "r.rules", "--data", "state", "--to", "out.ndjson")
        let run = try workspace.start(["silence"] + words + ["--data", "state"]).finish()
        #expect(run.code == 3)
        #expect(run.errors.contains(message))
        #expect(
            try workspace.martlet("silence", "ls", "--data", "state").errors.contains(
                "nothing is silenced"))
    }
}
