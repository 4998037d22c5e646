import Foundation
import Testing

@Suite("metrics on the command line") struct MetricCommandTests {
    private static let rules = """
        event sale { region: text  amount: number }

        metric revenue {
          by region
          over sale
          window 1m tumbling
          measure total = sum(amount)
          show "Revenue per minute"
        }

        """

    private static let reader = """
        rule high {
          sequence by region { hit: metric.revenue where total > 5 }
          alert "{hit.total}"
        }

        test "one sale of ten" for high {
          at 5s sale { region: "eu", amount: 10 }
          advance to 2m
          expect alert at 1m with hit.total == 10
          expect nothing else
        }

        """

    private static let events = [(5, 10), (65, 3), (125, 1)].map { second, amount in
        #"{"type":"sale","time":\#(1_767_225_600 + second),"region":"eu","amount":\#(amount)}"#
            + "\n"
    }.joined()

    @Test("`--metrics` prints buckets, `--metrics-to` appends them to a file")
    func printed() throws {
        let workspace = try Workspace([
            "a.rules": Self.rules + Self.reader, "sales.ndjson": Self.events,
        ])
        let plain = try workspace.martlet("replay", "sales.ndjson", "--rules", "a.rules")
        #expect(plain.code == 0)
        #expect(!plain.output.contains("\"metric\"") && plain.output.contains("\"rule\":\"high\""))
        let printed = try workspace.martlet(
            "replay", "sales.ndjson", "--rules", "a.rules", "--metrics", "--format", "text")
        #expect(printed.output.contains("2026-01-01 00:01:00 METRIC revenue region=eu  total=10\n"))
        #expect(printed.output.contains("2026-01-01 00:02:00 METRIC revenue region=eu  total=3\n"))
        #expect(printed.output.contains("MEDIUM high region=eu"))
        let file = try workspace.martlet(
            "replay", "sales.ndjson", "--rules", "a.rules", "--metrics-to", "m.ndjson", "--threads",
            "2")
        #expect(file.output == plain.output)
        let lines = try workspace.read("m.ndjson").split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.hasPrefix("{\"metric\":\"revenue\",\"start\":\"2026-") })
    }

    @Test("a metric that no rule reads is measured only where it is asked for")
    func unread() throws {
        let workspace = try Workspace(["a.rules": Self.rules, "sales.ndjson": Self.events])
        let silent = try workspace.martlet("replay", "sales.ndjson", "--rules", "a.rules")
        #expect(silent.code == 2)
        #expect(silent.errors.contains("`--metrics`"))
        let asked = try workspace.martlet(
            "replay", "sales.ndjson", "--rules", "a.rules", "--metrics", "--rule", "revenue")
        #expect(asked.code == 0)
        #expect(asked.output.split(separator: "\n").count == 2)
    }

    @Test("a test of a rule over a metric runs the metric too; explain says what a metric keeps")
    func tests() throws {
        let workspace = try Workspace(["a.rules": Self.rules + Self.reader])
        let run = try workspace.martlet("test", "a.rules")
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        let page = try workspace.martlet("explain", "revenue", "--rules", "a.rules")
        #expect(page.output.hasPrefix("metric revenue\n"))
        #expect(page.output.contains("as the event metric.revenue"))
        #expect(page.output.contains("1 open bucket per key, no events"))
    }
}
