import Foundation
import Testing

@Suite("What a data folder holds") struct StateCommandTests {
    private static let rules = """
        event login {
          user: text
          ok: bool
        }

        rule twice {
          sequence by user within 5m {
            at least 2 failed: login where not ok
            then in_: login where ok
          }
          alert "{user} got in"
        }

        rule quiet {
          threshold by user {
            over login
            window 5m sliding
            measure logins = count
            when logins > 100
          }
          alert "{user}"
        }

        """

    private func failures(_ users: Int) -> String {
        (0..<users).map { index in
            #"{"type":"login","time":"2026-01-01T00:00:0\#(index % 5)Z","user":"u\#(index)","ok":false}"#
                + "\n"
        }.joined()
    }

    @Test("what the newest checkpoint holds of each rule is shown, from several shards together")
    func show() throws {
        let workspace = try Workspace(["r.rules": Self.rules])
        func show(_ more: String...) throws -> CommandRun {
            try workspace.start(["state", "show", "--data", "state"] + more).wait()
        }
        let engine = try workspace.start([
            "run", "--rules", "r.rules", "--data", "state", "--threads", "2", "--to", "out.ndjson",
        ])
        try engine.send(failures(40))
        #expect(
            try engine.wait {
                try workspace.martlet("status", "--data", "state").output.contains("40 events")
            })
        let status = try workspace.martlet("status", "--data", "state").output
        #expect(
            status.contains(
                "guarantee   standard input -> file out.ndjson: effectively once (the file is looked"
            ), "\(status)")
        engine.interrupt()
        #expect(try engine.wait().code == 130)

        let json = try show("--format", "json")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let held = try #require(object["rules"] as? [[String: Any]])
        #expect(held.map { $0["name"] as? String } == ["twice", "quiet"])
        #expect(held.map { $0["keys"] as? Int } == [40, 40])
        #expect(held.first?["open_matches"] as? Int == 40)
        #expect(held.allSatisfy { ($0["bytes"] as? Int ?? 0) > 40 })
        #expect(object["last_event_time"] as? String == "2026-01-01T00:00:04Z")
        let text = try show()
        #expect(text.code == 0 && text.output.contains("events up to 2026-01-01T00:00:04Z"))
        #expect(text.output.contains("\ntwice            40            40  "), "\(text.output)")

        // A damaged checkpoint is told; here there is none before it.
        let folder = workspace.path + "/state/"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        let newest = try #require(names.filter { $0.hasPrefix("checkpoint-") }.max())
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder + newest))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(fileURLWithPath: folder + newest))
        let damaged = try show()
        #expect(damaged.errors.contains("\(newest) is damaged"))
        #expect(damaged.code == 4 && damaged.errors.contains("holds no checkpoint"))
    }

    @Test("what cannot be shown is told")
    func faults() throws {
        let workspace = try Workspace(["r.rules": Self.rules])
        let missing = try workspace.martlet("state", "show", "--data", "state")
        #expect(missing.code == 3 && missing.errors.contains("there is no data folder `state`"))
        let form = try workspace.martlet("state", "ls", "--format", "json", "--data", "state")
        #expect(form.code == 3 && form.errors.contains("`--format` goes with `show`"))
    }
}
