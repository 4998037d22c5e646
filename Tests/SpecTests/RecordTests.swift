import MatchEngine
import RuleCompiler
import RuleModel
import TestKit
import Testing

import struct RuleSyntax.SourceText

/// What alert records and reports say, beyond when they come.
@Suite("Records") struct RecordTests {
    private func program(_ body: String) throws -> Program {
        let text = "event a { k: text  v: number? }\nevent b { k: text }\nrule r {\n\(body)\n}\n"
        return try #require(compile([SourceText(name: "r.rules", text: text)]).program)
    }

    private func event(_ type: String, _ second: Int64, _ key: String) -> TestEvent {
        TestEvent(type, at: .second * second, ["k": .text(key)])
    }

    @Test("T12 an episode has one id, the next one and another key have others")
    func episodes() throws {
        let program = try program(
            """
            threshold by k {
              over a
              window 2s sliding
              when count >= 2
            }
            alert "found"
            """)
        let events = [
            event("a", 0, "p"), event("a", 1, "p"), event("a", 1, "q"), event("a", 1, "q"),
            event("a", 10, "p"), event("a", 11, "p"),
        ]
        let end = TestEvent.epoch + .second * 30
        let alerts = EngineRun().alerts(of: program, lists: [], events: events, end: end)
        let first = alerts.filter { $0.key.first?.value == .text("p") }
        #expect(first.map(\.state) == [.firing, .resolved, .firing, .resolved])
        try #require(first.count == 4)
        #expect(first[0].id == first[1].id)
        #expect(first[2].id == first[3].id)
        #expect(Set(alerts.map(\.id)).count == 3)
    }

    @Test("T12 an id depends on rule, key and instant alone")
    func identity() throws {
        let body = """
            sequence by k within 9s {
              x: a
              then y: b
            }
            """
        let plain = try program(body + "\nalert \"one\"")
        let other = try program("severity high\n" + body + "\nalert \"two {k}\"\nattach x.v")
        let events = [event("a", 0, "p"), event("b", 2, "p")]
        let more = [event("a", 0, "q"), event("a", 1, "p")] + events.dropFirst()
        let ids = EngineRun().alerts(of: plain, lists: [], events: events, end: nil).map(\.id)
        #expect(ids.count == 1)
        #expect(EngineRun().alerts(of: other, lists: [], events: events, end: nil).map(\.id) == ids)
        #expect(EngineRun().alerts(of: plain, lists: [], events: more, end: nil).map(\.id) == ids)
    }

    @Test("S9 a run that dies is reported as a near miss, not as an alert")
    func nearMisses() throws {
        let program = try program(
            """
            sequence by k within 3s report partial overlap each {
              x: a
              then y: b
            }
            alert "found"
            """)
        var options = EngineOptions()
        options.keepsPartialMatches = true
        var engine = Engine(program: program, environment: EngineEnvironment(), options: options)
        var alerts: [Alert] = []
        let batch = makeBatch([event("a", 0, "p")], tables: program.tables)
        engine.process(batch, rows: 0..<1, emitting: &alerts)
        engine.advance(to: TestEvent.epoch + .second * 9, emitting: &alerts)
        #expect(alerts.isEmpty)
        let partial = engine.takePartialMatches()
        #expect(partial.map(\.filledSteps) == [["x"]])
        #expect(partial.map(\.key) == [[.text("p")]])
        #expect(partial.map(\.firstTime) == [TestEvent.epoch])
        #expect(engine.takePartialMatches().isEmpty)
    }

    @Test("T6 T3 what is left out is counted") func counters() throws {
        let program = try program(
            """
            sequence by k within 9s {
              x: a
              then y: b
            }
            alert "found"
            """)
        var options = EngineOptions()
        options.lateness = [.second]
        var engine = Engine(program: program, environment: EngineEnvironment(), options: options)
        var alerts: [Alert] = []
        let events = [
            event("a", 5, "p"), TestEvent("a", at: .second * 5, [:]), event("a", 4, "p"),
            event("b", 2, "p"),
        ]
        let batch = makeBatch(events, tables: program.tables)
        engine.process(batch, rows: 0..<batch.count, emitting: &alerts)
        engine.advance(to: TestEvent.epoch + .second * 9, emitting: &alerts)
        #expect(engine.counters.rules[0].missingKeys == 1)
        #expect(engine.counters.rules[0].late == 1)
        #expect(engine.counters.sources[0].late == 1)
        #expect(engine.counters.sources[0].outOfOrder == 2)
        #expect(engine.counters.sources[0].worstDisorder == .second * 3)
    }
}
