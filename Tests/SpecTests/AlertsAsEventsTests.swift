import MatchEngine
import RuleCompiler
import RuleModel
import TestKit
import Testing

import struct RuleSyntax.SourceText

/// Rules over alerts and over risks, beyond what the shipped rules show.
@Suite("Alerts as events") struct AlertsAsEventsTests {
    /// The records of all rules, as `rule state@second`, in order; the same for one engine and three.
    private func records(
        _ rules: String, _ events: [(String, Int64, String)], end: Int64 = 100
    ) throws -> [String] {
        let text = "event a { k: text }\nevent b { k: text }\n" + rules
        let result = compile([SourceText(name: "r.rules", text: text)])
        let program = try #require(
            result.program, "\(result.diagnostics.map(\.message))")
        let events = events.map { TestEvent($0.0, at: .second * $0.1, ["k": .text($0.2)]) }
        let runs = [1, 3].map { shards in
            var run = EngineRun()
            run.shards = shards
            let alerts = run.alerts(
                of: program, lists: inlineLists(program.tables), events: events,
                end: TestEvent.epoch + .second * end)
            return alerts.map { alert in
                let second = (alert.matchedAt - TestEvent.epoch).nanoseconds / 1_000_000_000
                return "\(alert.rule) \(alert.state)@\(second)"
            }
        }
        #expect(runs[0] == runs[1])
        return runs[0]
    }

    private func rule(_ name: String, _ body: String, _ more: String = "") -> String {
        "rule \(name) {\n\(more)\n\(body)\nalert \"x\"\n}\n"
    }

    @Test("a chain of three levels, with the alerts behind the events of their instant")
    func chain() throws {
        let rules =
            rule("one", "sequence by k { x: a }") + rule("two", "sequence by k { x: b }")
            + rule("both", "sequence by k within 9s { x: alert one\nthen y: alert two }")
            + rule("top", "sequence by k { x: alert both }")
        #expect(
            try records(rules, [("a", 0, "p"), ("b", 3, "p"), ("b", 4, "q"), ("a", 9, "z")]) == [
                "one firing@0", "two firing@3", "both firing@3", "top firing@3", "two firing@4",
                "one firing@9",
            ])
    }

    @Test("an alert at the very end of an absence still counts")
    func deadline() throws {
        let rules =
            rule("quiet", "sequence by k { x: a\nthen no y: b within 5s }")
            + rule("lonely", "sequence by k { x: a\nthen no y: alert quiet within 5s }")
            + rule("calm", "sequence by k { x: a\nthen no y: alert quiet within 4s }")
        #expect(
            try records(rules, [("a", 0, "p"), ("a", 50, "z")], end: 52)
                == ["calm firing@4", "quiet firing@5"])
    }

    @Test("beginnings only, unless the condition asks for the state")
    func states() throws {
        let rules =
            rule("busy", "threshold by k {\nover a\nwindow 2s\nwhen count >= 2\n}")
            + rule("began", "sequence by k { x: alert busy }")
            + rule("ended", "sequence by k { x: alert busy where state == \"resolved\" }")
        #expect(
            try records(rules, [("a", 0, "p"), ("a", 1, "p"), ("b", 50, "p")]) == [
                "busy firing@1", "began firing@1", "busy resolved@2", "ended firing@2",
            ])
    }

    @Test("severities have an order of their own")
    func severities() throws {
        let rules =
            rule("mild", "sequence by k { x: a }", "severity low")
            + rule("bad", "sequence by k { x: b }", "severity high")
            + rule("over", "sequence by k { x: alert where severity >= medium }")
            + rule("under", "sequence by k { x: alert where severity < medium }")
        #expect(
            try records(rules, [("a", 0, "p"), ("b", 3, "p")]) == [
                "mild firing@0", "under firing@0", "bad firing@3", "over firing@3",
            ])
    }

    @Test("points add up over rules and are forgotten after a day")
    func risks() throws {
        let day: Int64 = 86_400
        let rules =
            rule("one", "sequence by k { x: a }", "risk 30 on k")
            + rule("two", "sequence by k { x: b }", "risk 40 on k")
            + rule("risky", "sequence by k { x: risk.k where score >= 70 and points == 40 }")
        #expect(
            try records(
                rules,
                [("a", 0, "p"), ("b", 1, "q"), ("b", 2, "p"), ("b", day + 60, "p")], end: 2 * day)
                == [
                    "one firing@0", "two firing@1", "two firing@2", "risky firing@2",
                    "two firing@86460",
                ])
    }

    @Test("what comes from outside under the name of an alert is none")
    func outside() {
        let tables = RuleSetTables()
        var read = tables
        read.eventTypes = ["alert", "login", "metric.load", "risk.host"]
        #expect(read.outsideTypes == [nil, "login", nil, nil])
    }
}
