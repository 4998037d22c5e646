import Foundation
import Testing

private func rules(_ limit: Int) -> String {
    """
    event login {
      user: text
      ok: bool
    }

    rule many {
      confidence 90%
      threshold by user {
        over login where not ok
        window 1m sliding
        measure n = count
        when n >= \(limit)
      }
      alert "{user} failed {n} times"
    }

    """
}

/// Ann fails six times, Ben four times.
private func events(day: Int) -> String {
    (0..<10).map { index in
        let user = index < 6 ? "ann" : "ben"
        return
            #"{"type":"login","time":"2026-01-0\#(day)T00:00:0\#(index)Z","user":"\#(user)","ok":false}"#
            + "\n"
    }.joined()
}

@Suite("Judging alerts") struct JudgeCommandTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace([
            "r.rules": rules(4), "stricter.rules": rules(5), "e.ndjson": events(day: 1),
            "later.ndjson": events(day: 2),
        ])
        #expect(try run("e.ndjson", to: "out.ndjson").code == 0)
    }

    private func run(_ file: String, to output: String) throws -> CommandRun {
        try workspace.martlet(
            "run", file, "--rules", "r.rules", "--data", "state", "--to", output)
    }

    /// The alerts of the data folder, by user.
    private func alerts() throws -> [String: [String: Any]] {
        let text = try workspace.martlet("alerts", "--data", "state", "--format", "json").output
        var alerts: [String: [String: Any]] = [:]
        for line in text.split(separator: "\n") {
            let alert = try #require(
                JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let key = try #require(alert["key"] as? [String: String])
            alerts[try #require(key["user"])] = alert
        }
        return alerts
    }

    private func judge(_ id: String, _ more: String...) throws -> CommandRun {
        try workspace.start(["alerts", "judge", id] + more + ["--data", "state"]).finish()
    }

    @Test("a judgement is kept, shown, and what confidence comes from")
    func judged() throws {
        let ben = try #require(alerts()["ben"]?["id"] as? String)
        let run = try judge(String(ben.prefix(8)), "wrong", "--note", "the \u{1B}[1mbackup job")
        #expect(run.code == 0)
        #expect(run.errors.contains("many: 0 of 1 judged alert right"))
        let line = try #require(
            try workspace.martlet("alerts", "--data", "state", "--format", "text").output
                .split(separator: "\n").last)
        #expect(line.hasSuffix("  id \(ben.prefix(8))  WRONG: the \\u{1b}[1mbackup job"))
        #expect(try alerts()["ben"]?["judged"] as? String == "wrong")
        #expect(try alerts()["ben"]?["note"] as? String == "the \u{1B}[1mbackup job")
        #expect(try alerts()["ann"]?["judged"] == nil)

        // (10 * 0.9 + 0) / (10 + 1)
        #expect(try self.run("later.ndjson", to: "later.out").code == 0)
        #expect(try workspace.read("out.ndjson").contains(#""confidence":0.9,"#))
        #expect(try workspace.read("later.out").contains(#""confidence":0.8181818181818182,"#))

        // The last judgement counts.
        #expect(try judge(ben, "right").errors.contains("many: 1 of 1 judged alert right"))
        let now = try workspace.martlet("alerts", "--data", "state", "--format", "text").output
        #expect(now.contains("  id \(ben.prefix(8))  right\n"))
        #expect(try workspace.martlet("state", "backup", "copy", "--data", "state").code == 0)
        #expect(
            try workspace.martlet("state", "ls", "--data", "copy").output.contains("2 judgements"))
    }

    @Test("what is torn at the end hides no later judgement")
    func torn() throws {
        let found = try alerts()
        let (ann, ben) = (
            try #require(found["ann"]?["id"] as? String),
            try #require(found["ben"]?["id"] as? String)
        )
        #expect(try judge(ann, "wrong").code == 0)
        let log = URL(fileURLWithPath: workspace.path + "/state/judgements")
        try (Data(contentsOf: log) + Data([9, 0, 0, 0, 1])).write(to: log)
        #expect(try judge(ben, "right").errors.contains("many: 1 of 2 judged alerts right"))
        #expect(try alerts()["ann"]?["judged"] as? String == "wrong")
    }

    @Test("what cannot be judged is told, and nothing is kept")
    func refused() throws {
        let ann = try #require(alerts()["ann"]?["id"] as? String)
        #expect(try judge("zzz", "right").errors.contains("no alert with the id `zzz`"))
        #expect(try judge("", "right").errors.contains("2 alerts have an id that begins with"))
        #expect(try judge(ann, "maybe").code == 3)
        #expect(try judge(ann).code == 3)
        let note = try workspace.martlet("alerts", "--note", "x", "--data", "state")
        #expect(note.code == 3)
        #expect(note.errors.contains("`--note` belongs to `judge`"))
        #expect(!FileManager.default.fileExists(atPath: workspace.path + "/state/judgements"))
    }

    @Test("a diff tells how many judged alerts are wrong, before and after")
    func difference() throws {
        let found = try alerts()
        #expect(try judge(try #require(found["ben"]?["id"] as? String), "wrong").code == 0)
        #expect(try judge(try #require(found["ann"]?["id"] as? String), "right").code == 0)
        let text = try workspace.martlet(
            "diff", "r.rules", "stricter.rules", "--on", "e.ndjson", "--judged", "state")
        // Ann's alert comes a second later and is the same evidence.
        #expect(
            text.output.contains(
                "many   +0  -1  1 moved   (2 -> 1 alerts)   1 wrong of 2 judged -> 0 wrong of 1 judged"
            ))
        let json = try workspace.martlet(
            "diff", "r.rules", "stricter.rules", "--on", "e.ndjson", "--judged", "state",
            "--format", "json")
        #expect(
            json.output.contains(
                #""judged":{"old":{"judged":2,"wrong":1},"new":{"judged":1,"wrong":0}}"#))
        let later = try workspace.martlet(
            "diff", "r.rules", "stricter.rules", "--on", "later.ndjson", "--judged", "state")
        #expect(later.output.contains("(2 -> 1 alerts)   none judged"))
        let nowhere = try workspace.martlet(
            "diff", "r.rules", "stricter.rules", "--on", "e.ndjson", "--judged", "nowhere")
        #expect(nowhere.code == 3)
        #expect(nowhere.errors.contains("there is no data folder `nowhere`"))
    }
}
