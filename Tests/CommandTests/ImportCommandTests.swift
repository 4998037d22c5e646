import Foundation
import Testing

@Suite("martlet import") struct ImportCommandTests {
    private let sigma = """
        title: Whoami
        name: whoami
        level: medium
        logsource: {product: linux, category: process_creation}
        detection:
          selection: {Image|endswith: /whoami, User|contains: [a, b, c]}
          condition: selection
        """

    private let correlation = """
        title: Often
        correlation:
          type: event_count
          rules: [whoami]
          group-by: [User]
          timespan: 1m
          condition: {gte: 2}
        """

    @Test("a folder of rules becomes a folder of rules that check and run")
    func folder() throws {
        let workspace = try Workspace([
            "sigma/whoami.yml": sigma, "sigma/deep/often.yaml": correlation,
            "sigma/notes.txt": "not a rule",
        ])
        let run = try workspace.martlet("import", "sigma", "sigma", "-o", "rules")
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.errors.contains("2 of 2 rules imported"))
        #expect(try workspace.read("rules/often.rules").contains("import \"whoami.rules\""))
        #expect(try workspace.martlet("fmt", "--check", "rules").code == 0)
        let check = try workspace.martlet("check", "rules")
        #expect(check.code == 0, "\(check.output)\(check.errors)")
        let events = [(0, "ann"), (1, "bob"), (2, "ANN"), (3, "zed")].map { second, user in
            "{\"time\":\"2026-01-01T00:00:0\(second)Z\",\"Image\":\"/bin/WHOAMI\",\"User\":\"\(user)\"}\n"
        }.joined()
        try workspace.write("events.ndjson", events)
        let replay = try workspace.martlet(
            "replay", "events.ndjson", "--rules", "rules", "--type", "linux.process_creation",
            "--format", "text")
        #expect(replay.code == 0, "\(replay.errors)")
        #expect(!replay.output.contains("Whoami"), "correlated rules raise no alerts of their own")
    }

    @Test("without a folder all rules are one file on standard output, which runs")
    func standardOutput() throws {
        let workspace = try Workspace()
        let run = try workspace.martlet("import", "sigma", "-", input: sigma)
        #expect(run.code == 0)
        try workspace.write("whoami.rules", run.output)
        try workspace.write(
            "events.ndjson",
            """
            {"time":"2026-01-01T00:00:00Z","Image":"/usr/bin/whoami","User":"bob"}
            {"time":"2026-01-01T00:00:01Z","Image":"/usr/bin/who","User":"bob"}
            {"time":"2026-01-01T00:00:02Z","Image":"/usr/bin/whoami"}

            """)
        let replay = try workspace.martlet(
            "replay", "events.ndjson", "--rules", "whoami.rules", "--type",
            "linux.process_creation", "--format", "json")
        let lines = replay.output.split(separator: "\n")
        #expect(lines.count == 1)
        #expect(lines.first?.contains("\"hit.User\":\"bob\"") == true, "\(replay.output)")
    }

    @Test("what is lost is said, reported and the exit code")
    func losses() throws {
        let workspace = try Workspace([
            "a.yml": sigma.replacingOccurrences(of: "endswith", with: "sounds_like"),
            "b.yml": sigma,
        ])
        let run = try workspace.martlet(
            "import", "sigma", "a.yml", "b.yml", "-o", "out", "--report", "loss.json")
        #expect(run.code == 1)
        #expect(run.errors.contains("a.yml:6: lost: Whoami: detection.selection: "))
        #expect(run.errors.contains("1 of 2 rules imported"))
        let report = try workspace.read("loss.json")
        let object = try JSONSerialization.jsonObject(with: Data(report.utf8)) as? [String: Any]
        #expect(object?["lost"] as? Int == 1)
        #expect((object?["notes"] as? [[String: Any]])?.first?["line"] as? Int == 6)
        #expect(try workspace.martlet("import", "sigma", "nowhere.yml").code == 2)
        #expect(try workspace.martlet("import", "yara", "b.yml").code == 3)
        #expect(try workspace.martlet("import").code == 3)
    }

    @Test("a mapping names event types and fields")
    func mapping() throws {
        let workspace = try Workspace([
            "rule.yml": sigma,
            "map.yml": """
            - logsource: {product: linux}
              event: host.process
              where: action == "start"
              fields: {Image: process.executable}
            """,
        ])
        let run = try workspace.martlet("import", "sigma", "rule.yml", "--mapping", "map.yml")
        #expect(run.code == 0)
        #expect(run.output.contains("process.executable ends with"))
        #expect(run.output.contains("= host.process where action == \"start\""))
    }

    @Test("a query of EQL becomes a rule that runs")
    func eql() throws {
        let query = """
            // Started after a download.
            sequence by host with maxspan=1m
              [file where name : "*.EXE"] by path
              [process where parent != "updater"] by executable
            """
        let workspace = try Workspace(["queries/download.eql": query])
        let run = try workspace.martlet("import", "eql", "queries", "-o", "rules")
        #expect(run.code == 0, "\(run.errors)")
        #expect(try workspace.martlet("check", "rules").code == 0)
        func event(_ second: Int, _ fields: String) -> String {
            "{\"time\":\"2026-01-01T00:00:\(10 + second)Z\",\"host\":\"h\",\(fields)}\n"
        }
        try workspace.write(
            "events.ndjson",
            event(0, #""event":{"category":"file"},"name":"a.exe","path":"/a.exe""#)
                + event(1, #""event":{"category":["process"]},"executable":"/a.exe""#)
                + event(
                    2, #""event":{"category":["process"]},"executable":"/a.exe","parent":"cmd""#))
        let replay = try workspace.martlet(
            "replay", "events.ndjson", "--rules", "rules", "--type", "ecs.event", "--format", "json"
        )
        #expect(replay.code == 0, "\(replay.errors)")
        let lines = replay.output.split(separator: "\n")
        #expect(lines.count == 1, "of an event without `parent` nothing is known")
        #expect(lines.first?.contains("\"matched_at\":\"2026-01-01T00:00:12Z\"") == true)
        let lost = try workspace.martlet(
            "import", "eql", "-", input: "sample by a [any where true]")
        #expect(lost.code == 1)
        #expect(lost.errors.contains("standard input:1: lost: "))
    }
}
