import Foundation
import Testing

@Suite("martlet bench")
struct BenchTests {
    /// One line of `--format json`.
    private func rows(_ run: CommandRun) throws -> [[String: Any]] {
        try run.output.split(separator: "\n").map { line in
            let row = try JSONSerialization.jsonObject(with: Data(line.utf8))
            return try #require(row as? [String: Any])
        }
    }

    @Test("the queries are measured over events made up from a seed, each beside its bar")
    func queries() throws {
        let arguments = ["queries", "--events", "3000", "--rounds", "1", "--format", "json"]
        let runs = try (0..<2).map { _ in
            let process = try Workspace().start(["bench"] + arguments)
            try process.closeInput()
            let run = try process.wait()
            #expect(run.code == 0)
            return try rows(run)
        }
        let names = runs[0].compactMap { $0["name"] as? String }
        #expect(names.count == 8)
        #expect(names.first == "the bare scan")
        for row in runs[0] where row["unit"] == nil {
            #expect(row["events"] as? Int == 3000)
            #expect((row["cpu_seconds"] as? Double ?? 0) > 0)
            #expect((row["peak_bytes"] as? Int ?? 0) > 1_000_000)
        }
        for row in runs[0] where (row["name"] as? String)?.hasPrefix("Q") == true {
            #expect(row["bar"] != nil && row["met"] is Bool)
        }
        // The same events and so the same alerts each time, some at least.
        let alerts = runs.map { $0.compactMap { $0["alerts"] as? Int } }
        #expect(alerts[0] == alerts[1])
        #expect(alerts[0].contains { $0 > 0 })
        #expect(
            alerts[0][1] + alerts[0][2] + alerts[0][3] + alerts[0][4] + alerts[0][5] == alerts[0][6]
        )
    }

    @Test("the user's own rules are measured on the user's own file, and beside another command")
    func own() throws {
        let workspace = try Workspace([
            "own.rules":
                "rule bad { sequence { a: web.request where a.status == 500 }\n alert \"bad\" }\n",
            "events.ndjson": (0..<200).map { index in
                #"{"kind":"web.request","at":\#(1_700_000_000 + index),"status":\#(index % 10 == 0 ? 500 : 200)}"#
                    + "\n"
            }.joined(),
        ])
        let run = try workspace.martlet(
            "bench", "--rules", "own.rules", "--from", "events.ndjson", "--type-field", "kind",
            "--time-field", "at", "--peer", "test -s {}", "--rounds", "1", "--format", "json")
        #expect(run.code == 0)
        let rows = try rows(run)
        #expect(rows.compactMap { $0["alerts"] as? Int }.prefix(3) == [0, 20, 20])
        #expect(rows.contains { $0["name"] as? String == "test -s {}" })
        let failed = try workspace.martlet(
            "bench", "--peer", "exit 7 #", "--rounds", "1", "--events", "1000")
        #expect(failed.code == 4)
        #expect(failed.errors.contains("7"))
    }

    @Test("the events and queries are written out for other engines, the same each time")
    func written() throws {
        let workspace = try Workspace(["a/none": "", "b/none": ""])
        for folder in ["a", "b"] {
            #expect(
                try workspace.martlet("bench", "--write", folder, "--events", "2000").code == 0)
        }
        let events = try workspace.read("a/shop.ndjson")
        #expect(events.split(separator: "\n").count == 2000)
        #expect(try workspace.read("b/shop.ndjson") == events)
        let run = try workspace.martlet("replay", "a/shop.ndjson", "--rules", "a/q6.rules")
        #expect(run.code == 0)
        #expect(run.errors.contains("2,000 events"))
        #expect(try workspace.martlet("bench", "--write", "no/where").code == 4)
    }

    @Test("words that mean nothing are refused")
    func badUsage() throws {
        let workspace = try Workspace()
        #expect(try workspace.martlet("bench", "qeries").code == 3)
        #expect(try workspace.martlet("bench", "--rules", "x.rules").code == 3)
        #expect(try workspace.martlet("bench", "--events", "3").code == 3)
        #expect(
            try workspace.martlet("bench", "--rules", "x.rules", "--from", "nothing.ndjson").code
                == 4)
    }
}
