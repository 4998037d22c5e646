import MatchEngine
import RuleCompiler
import RuleModel
import TestKit
import Testing

import struct RuleSyntax.SourceText

/// T3: what is told of events that came too late, where a source asks for `correction`.
@Suite("Late events") struct LateTests {
    private func told(
        _ body: String, _ events: [(String, Int64)], correction: Int64 = 60, isEarly: Bool = false
    ) throws -> [String] {
        let text = "event a { k: text }\nevent b { k: text }\nrule r {\n\(body)\n}\n"
        let program = try #require(compile([SourceText(name: "r.rules", text: text)]).program)
        var options = EngineOptions()
        options.lateness = [.second * 2]
        options.corrections = [.second * correction]
        options.judgesEarly = [isEarly]
        var engine = Engine(
            program: program, environment: EngineEnvironment(), options: options)
        var alerts: [Alert] = []
        for (index, event) in events.enumerated() {
            let event = TestEvent(event.0, at: .second * event.1, ["k": .text("p")])
            let batch = makeBatch(
                [event], tables: program.tables, firstArrival: UInt64(index + 1))
            engine.process(batch, rows: 0..<1, emitting: &alerts)
        }
        engine.closeSource(0, emitting: &alerts)
        return alerts.map { alert in
            let second = (alert.matchedAt - TestEvent.epoch).nanoseconds / 1_000_000_000
            return "\(alert.state)@\(second)"
                + (alert.reason.map { " " + $0.split(separator: ", ").last! } ?? "")
        }
    }

    private let absence =
        "sequence by k {\nx: a\nthen no y: b within 5s\n}\nalert \"{x.time}\""
    private let pair = "sequence by k within 9s {\nx: a\nthen y: b\n}\nalert \"{x.time}\""

    @Test("T3 a late event that would have kept an absence from firing corrects the alert")
    func cancelled() throws {
        #expect(
            try told(absence, [("a", 0), ("a", 20), ("b", 3), ("a", 60)]) == [
                "firing@5", "corrected@5 would have kept it from firing", "firing@25",
            ])
    }

    @Test("T3 a late event that would have completed a match tells which")
    func missed() throws {
        #expect(
            try told(pair, [("a", 0), ("a", 20), ("b", 3), ("a", 60)]) == [
                "corrected@3 would have completed it"
            ])
    }

    @Test("T3 a correction is told once, and changes no state")
    func once() throws {
        // The second late `b` finds the first one's match told; the `a` at 20 is still open.
        #expect(
            try told(pair, [("a", 0), ("a", 20), ("b", 3), ("b", 3), ("b", 22), ("a", 60)]) == [
                "corrected@3 would have completed it", "firing@22",
            ])
    }

    @Test("T3 nothing is told of what lies further back than the correction, or without it")
    func limits() throws {
        let events: [(String, Int64)] = [("a", 0), ("a", 90), ("b", 3), ("a", 120)]
        #expect(try told(pair, events) == [])
        #expect(try told(pair, [("a", 0), ("a", 20), ("b", 3), ("a", 60)], correction: 0) == [])
    }

    @Test("T3 a late event that changes nothing that was told tells nothing")
    func silent() throws {
        #expect(
            try told(pair, [("a", 0), ("b", 1), ("a", 20), ("b", 3), ("a", 60)]) == ["firing@1"])
    }

    @Test("T3 an alert that was told early can be taken back too")
    func early() throws {
        let threshold =
            "threshold by k {\nover a\nwindow 4s\nwhen count <= 1\n}\nalert \"{count}\""
        let found = try told(
            threshold, [("a", 0), ("a", 20), ("a", 0), ("a", 60)], isEarly: true)
        #expect(found.first == "firing@0")
    }
}
