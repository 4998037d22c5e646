import MatchEngine
import RuleCompiler
import RuleModel
import TestKit
import Testing

import struct RuleSyntax.SourceText

/// T2a: what may be told before the watermark has passed it, and how that ends.
@Suite("Early alerts") struct EarlyTests {
    private func program(_ body: String) throws -> Program {
        let text = "event a { k: text }\nevent b { k: text }\nrule r {\n\(body)\n}\n"
        return try #require(compile([SourceText(name: "r.rules", text: text)]).program)
    }

    private func event(_ type: String, _ second: Int64) -> TestEvent {
        TestEvent(type, at: .second * second, ["k": .text("p")])
    }

    /// The records in the order in which they are told, as `state@second`, early ones marked.
    private func told(_ body: String, _ events: [TestEvent], lateness: Int64 = 10) throws
        -> [String]
    {
        let program = try program(body)
        var options = EngineOptions()
        options.lateness = [.second * lateness]
        options.judgesEarly = [true]
        var engine = Engine(
            program: program, environment: EngineEnvironment(), options: options)
        var alerts: [Alert] = []
        for (index, event) in events.enumerated() {
            let batch = makeBatch(
                [event], tables: program.tables, firstArrival: UInt64(index + 1))
            engine.process(batch, rows: 0..<1, emitting: &alerts)
        }
        engine.closeSource(0, emitting: &alerts)
        return alerts.map { alert in
            let second = (alert.matchedAt - TestEvent.epoch).nanoseconds / 1_000_000_000
            let reason = alert.reason.map { " (\($0))" } ?? ""
            return "\(alert.isEarly ? "early " : "")\(alert.state)@\(second)\(reason)"
        }
    }

    private let pair = "sequence by k within 9s {\nx: a\nthen y: b\n}\nalert \"{x.time}\""

    @Test("T2a a match is told on arrival and confirmed in silence")
    func confirmed() throws {
        #expect(
            try told(pair, [event("a", 0), event("b", 3), event("a", 60)]) == ["early firing@3"])
    }

    @Test("T2a events that arrive in the wrong order match in the order of their times")
    func disorder() throws {
        #expect(
            try told(pair, [event("b", 3), event("a", 0), event("a", 60)]) == ["early firing@3"])
        // The other way round they are no match, though they arrive so.
        #expect(try told(pair, [event("a", 3), event("b", 0), event("a", 60)]) == [])
    }

    @Test("T2a an early alert that says something else than the ordered one is corrected")
    func changed() throws {
        let found = try told(pair, [event("a", 2), event("b", 3), event("a", 0), event("a", 60)])
        #expect(found.count == 2)
        #expect(found.first == "early firing@3")
        #expect(
            found.last
                == "corrected@3 (first event was 2026-01-01T00:00:02Z, is 2026-01-01T00:00:00Z; "
                + "other events for x)")
    }

    @Test("T2a an early alert whose match is undone is taken back, and the other one is told")
    func withdrawn() throws {
        // The late `b` takes the only `a`.
        let found = try told(pair, [event("a", 0), event("b", 5), event("b", 2), event("a", 60)])
        #expect(
            found == [
                "early firing@5", "early firing@2",
                "corrected@5 (withdrawn: an event that came later has undone the match)",
            ])
    }

    @Test("T2a a count that is reached is told early; a late event moves it forward")
    func threshold() throws {
        let body =
            "threshold by k {\nover a\nwindow 9s sliding\nwhen count >= 3\n}\nalert \"{count}\""
        #expect(
            try told(body, [event("a", 0), event("a", 1), event("a", 2), event("b", 60)])
                == ["early firing@2", "resolved@9"])
        #expect(
            try told(
                body, [event("a", 0), event("a", 1), event("a", 5), event("a", 2), event("b", 60)])
                == [
                    "early firing@5", "early firing@2", "resolved@10",
                    "corrected@5 (withdrawn: an event that came later has undone the match)",
                ])
    }

    @Test(
        "T2a what later events could undo is told in order only",
        arguments: [
            "sequence by k within 9s {\nx: a\nthen y: b\nuntil z: a\n}",
            "sequence by k within 9s {\nx: a\nwithout z: a\nthen y: b\n}",
            "sequence by k within 9s {\nx: a\nthen immediately y: b\n}",
            "sequence by k within 9s {\n1 to 2 x: a\nthen y: b\n}",
            "threshold by k {\nover a\nwindow 9s\nwhen count <= 3\n}",
            "threshold by k {\nover a\nwindow 9s\nwhen count >= 1 for 2s\n}",
        ])
    func notEarly(_ pattern: String) throws {
        let found = try told(
            pattern + "\nalert \"x\"", [event("a", 0), event("b", 3), event("a", 60)])
        #expect(!found.contains { $0.hasPrefix("early") })
        #expect(found.contains { $0.hasPrefix("firing") })
    }

    @Test("T2a `early off` holds a rule back until the watermark")
    func off() throws {
        let found = try told(
            "early off\n" + pair, [event("a", 0), event("b", 3), event("a", 60)])
        #expect(found == ["firing@3"])
    }
}
