import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite("martlet doctor") struct DoctorCommandTests {
    private let event =
        #"{"time":"2026-01-01T00:00:01Z","type":"login","user":"a","ok":true}"# + "\n"

    private func rules(_ blocks: String, list: String = "good.txt") -> String {
        """
        event login { user: text  ok: bool }
        list good of text from "\(list)"
        rule r {
          sequence within 5m {
            a: login where not ok and user not in list good
            then b: login where ok
          }
          alert "{a.user}"
        }
        \(blocks)

        """
    }

    /// The outcome and the sentence of each check, by what was looked at; of several the last.
    private func checks(_ run: CommandRun) throws -> [String: (outcome: String, what: String)] {
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        let page = try #require(object as? [String: Any])
        var checks: [String: (outcome: String, what: String)] = [:]
        var failed = 0
        for case let check as [String: Any] in try #require(page["checks"] as? [Any]) {
            let subject = try #require(check["subject"] as? String)
            let outcome = try #require(check["outcome"] as? String)
            checks[subject] = (outcome, try #require(check["what"] as? String))
            if outcome == "fail" { failed += 1 }
        }
        #expect(page["failed"] as? Int == failed)
        return checks
    }

    @Test("where nothing is wrong it says so, and changes nothing")
    func healthy() throws {
        let workspace = try Workspace([
            "r.rules": rules(
                """
                source in { file "events.ndjson" }
                sink out { file "alerts.ndjson" }
                sink db { sqlite "alerts.db" }
                engine { data "state/" }
                """),
            "good.txt": "root\n", "events.ndjson": event,
        ])
        let run = try workspace.martlet("doctor", "--rules", "r.rules", "--format", "json")
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        let checks = try self.checks(run)
        #expect(checks["rules"]?.outcome == "ok")
        #expect(checks["list good"]?.what == "1 row")
        #expect(checks["source in"]?.what == "of the first 1 line rules read 1")
        #expect(checks["sink out"]?.outcome == "ok")
        #expect(checks["sink db"]?.outcome == "ok")
        #expect(checks["data folder"]?.outcome == "ok")
        let names = try FileManager.default.contentsOfDirectory(atPath: workspace.path)
        #expect(names.sorted() == ["events.ndjson", "good.txt", "r.rules"])
    }

    @Test("what stands in the way is told by itself, with what to do, and the exit code is 4")
    func faults() throws {
        let workspace = try Workspace([
            "r.rules": rules(
                """
                source absent { file "absent.ndjson" }
                source later { file { path "later.ndjson" follow } }
                source mixed { file "mixed.ndjson" }
                source other { file "other.ndjson" }
                source again { file "again.ndjson"  dedup id for 10m }
                source kafka { kafka { brokers ["127.0.0.1:9092"] topic "x" } }
                sink nowhere { file "absent/alerts.ndjson" }
                sink folder { file "folder" }
                sink broken { sqlite "broken.db" }
                sink closed { webhook { url "http://127.0.0.1:9/" } }
                sink metadata { webhook { url "http://169.254.169.254/" } }
                sink unset { webhook { url secret env "MARTLET_TEST_NOT_SET" } }
                engine { memory 900000GB }
                """, list: "absent.txt"),
            "mixed.ndjson": event + "rubbish\n"
                + #"{"time":"2025-12-31T23:59:57Z","type":"login","user":"a","ok":true}"# + "\n",
            "other.ndjson": #"{"time":"2026-01-01T00:00:01Z","type":"logout"}"# + "\n",
            "again.ndjson": event,
            "folder/x": "", "broken.db": "this is no database, and it is long enough to be sure\n",
        ])
        let run = try workspace.martlet("doctor", "--rules", "r.rules", "--format", "json")
        #expect(run.code == 4)
        let checks = try self.checks(run)
        for (subject, outcome, word) in [
            ("list good", "fail", "absent.txt"), ("source absent", "fail", "there is no file"),
            ("source later", "warn", "there is no file"),
            ("source mixed", "warn", "out of order by up to 4s, and `lateness` is 0s"),
            ("source other", "warn", "their types are `logout`"),
            ("source again", "warn", "1 have no `id`, which `dedup` compares"),
            ("source kafka", "fail", "this version reads `file` and `stdin`, and not `kafka`"),
            ("sink nowhere", "fail", "cannot be made"), ("sink folder", "fail", "is a folder"),
            ("sink broken", "fail", "file is not a database"),
            ("sink closed", "fail", "127.0.0.1:9: "), ("sink metadata", "fail", "link-local"),
            ("sink unset", "fail", "the variable `MARTLET_TEST_NOT_SET` with a secret is not set"),
            ("data folder", "warn", "there is none"), ("memory", "warn", "this machine has"),
        ] {
            let check = try #require(checks[subject], "\(subject)")
            #expect(check.outcome == outcome && check.what.contains(word), "\(subject): \(check)")
        }
        let text = try workspace.martlet("doctor", "--rules", "r.rules")
        #expect(text.code == 4)
        #expect(text.output.contains("FAIL  source absent     there is no file `"))
        #expect(text.output.contains("      -> name a file that is there"))

        try workspace.write("bad.rules", "rule x {")
        let bad = try workspace.martlet("doctor", "--rules", "bad.rules")
        #expect(bad.code == 4)
        #expect(bad.output.contains("FAIL  rules             1 error, so no engine starts"))
    }

    @Test("a webhook is asked with HEAD, and its answer is judged")
    func webhooks() throws {
        let workspace = try Workspace(["good.txt": "root\n"])
        let server = try LoopbackServer(in: workspace)
        let statuses = [200, 405, 301, 403, 404, 503]
        let sinks = statuses.map { status in
            #"sink s\#(status) { webhook { url "http://127.0.0.1:\#(server.port)/\#(status)" } }"#
        }
        try workspace.write("r.rules", rules(sinks.joined(separator: "\n")))
        let run = try workspace.martlet("doctor", "--rules", "r.rules", "--format", "json")
        #expect(run.code == 0, "\(run.output)")
        let checks = try self.checks(run)
        for status in statuses {
            let check = try #require(checks["sink s\(status)"])
            #expect(check.outcome == (status == 200 || status == 405 ? "ok" : "warn"))
            #expect(check.what.contains("answered \(status)"))
        }
        #expect(try server.asked.map(\.line) == statuses.map { "HEAD /\($0)" })
    }

    @Test("it reads the data folder, and asks the engine that runs on it")
    func engine() throws {
        let workspace = try Workspace([
            "good.txt": "root\n",
            "r.rules": rules("sink closed { webhook { url \"http://127.0.0.1:9/\" } }")
                .replacing("alert \"{a.user}\"", with: "alert \"{a.user}\"\n  send to closed"),
        ])
        let engine = try workspace.start(["run", "--rules", "r.rules", "--data", "state"])
        #expect(
            try engine.wait {
                FileManager.default.fileExists(atPath: workspace.path + "/state/control.sock")
            })
        let failed = event.replacing("true", with: "false")
        try engine.send(failed + event.replacing("00:01", with: "00:02"))
        func trouble() throws -> [String: (outcome: String, what: String)] {
            let client = try workspace.start([
                "doctor", "--rules", "r.rules", "--data", "state", "--format", "json",
            ])
            return try self.checks(client.wait())
        }
        #expect(
            try engine.wait {
                try trouble()["sink closed"]?.what.contains("1 alert waiting") ?? false
            })
        let checks = try trouble()
        #expect(checks["engine"]?.what.contains("2 events") == true, "\(checks)")
        #expect(checks["sink closed"]?.outcome == "fail")
        engine.interrupt()
        _ = try engine.wait()
        let newest = try #require(
            try FileManager.default.contentsOfDirectory(atPath: workspace.path + "/state")
                .filter { $0.hasPrefix("checkpoint-") }.max())
        let handle = try #require(
            FileHandle(forUpdatingAtPath: workspace.path + "/state/" + newest))
        try handle.seek(toOffset: 40)
        try handle.write(contentsOf: Data([0xFF, 0x00, 0xFF]))
        try handle.close()
        let damaged = try workspace.martlet(
            "doctor", "--rules", "r.rules", "--data", "state")
        #expect(damaged.code == 4)
        #expect(damaged.output.contains("FAIL  data folder       `\(newest)` is damaged"))
    }
}
