import MatchEngine
import RuleCompiler
import RuleModel
import TestKit
import Testing

import struct RuleSyntax.SourceText

/// What the records of anomaly clusters say, and what a marble cannot draw.
@Suite("Anomaly clusters") struct AnomalyTests {
    private static let criterion = "anomalous when robust_z(m) > 2"
    private static let plain = """
        measure m = sum(v) of a every 1s by u
        baseline last 4
        at least 2 values
        anomalous when robust_z(m) > 2
        cluster when at least 2 u within 2s
        """

    private func program(
        _ pattern: String = plain, by key: String = "by k", more: String = ""
    ) throws -> Program {
        let text = """
            event a { k: text  u: text?  v: number }
            list links of pair = [["x", "y"]]
            rule r {
              anomaly_cluster \(key) {
            \(pattern)
              }
              alert "{members.count}: {members.first.u} {members.first.score}, {members.u}"
            \(more)
            }
            """
        let compilation = compile([SourceText(name: "r.rules", text: text)])
        return try #require(compilation.program, "\(compilation.diagnostics.map(\.message))")
    }

    private func event(_ second: Int64, _ member: String?, _ value: Int64, key: String = "p")
        -> TestEvent
    {
        var fields: [String: Value] = ["k": .text(key), "v": .int(value)]
        fields["u"] = member.map { .text($0) }
        return TestEvent("a", at: .second * second, fields)
    }

    /// Two members at 1, and at second 3 at 9 and 5.
    private var events: [TestEvent] {
        (0..<6).flatMap { second in
            [event(second, "x", second == 3 ? 9 : 1), event(second, "y", second == 3 ? 5 : 1)]
        }
    }

    private func alerts(
        _ program: Program, _ events: [TestEvent], _ run: EngineRun = EngineRun(),
        lists: [ListTable] = []
    ) -> [Alert] {
        run.alerts(
            of: program, lists: lists, events: events, end: TestEvent.epoch + .second * 20)
    }

    @Test("A7 the alert lists its members with value, baseline, spread and score")
    func record() throws {
        let alerts = alerts(try program(), events)
        #expect(alerts.map(\.state) == [.firing, .resolved])
        let firing = try #require(alerts.first)
        #expect(firing.kind == "anomaly_cluster")
        #expect(firing.matchedAt == TestEvent.epoch + .second * 4)
        #expect(firing.id == alerts.last?.id)
        #expect(firing.members.map(\.name) == [.text("x"), .text("y")])
        #expect(firing.members.map(\.value) == [9, 5])
        #expect(firing.members.map(\.baseline) == [1, 1])
        #expect(firing.members.map(\.measure) == ["m", "m"])
        // Three equal values: 1 % of the median.
        #expect(firing.members.map(\.spread) == [0.01, 0.01])
        #expect(firing.message == "2: x \(0.6745 * 8 / 0.01), x, y")
        #expect(firing.incompleteBecause.isEmpty)
        var bytes: [UInt8] = []
        firing.appendJSON(emittedAt: nil, to: &bytes)
        let json = String(decoding: bytes, as: UTF8.self)
        let onset = #""members":[{"name":"x","onset":"2026-01-01T00:00:04Z","measure":"m","#
        #expect(json.contains(onset + #""value":9,"baseline":1,"spread":0.01,"score":539.6"#))
    }

    @Test("the strength is the mean score beyond the limit, squashed")
    func strength() throws {
        let pattern = AnomalyTests.plain.replacing(
            "at least 2 values", with: "min spread 4\nat least 2 values"
        )
        .replacing("robust_z(m) > 2", with: "z(m) >= 1")
        // Scores (9 - 1) / 4 = 2 and (5 - 1) / 4 = 1: their mean is 1.5 times the limit.
        let firing = try #require(alerts(try program(pattern), events).first)
        #expect(abs(firing.strength - 0.3934693402873666) < 1e-12)
    }

    @Test("T6 an event without the field that names the member is counted")
    func missingMember() throws {
        let program = try program()
        var engine = Engine(
            program: program, environment: EngineEnvironment(), options: EngineOptions())
        var output: [Alert] = []
        let batch = makeBatch([event(0, nil, 1), event(0, "x", 1)], tables: program.tables)
        engine.process(batch, rows: 0..<2, emitting: &output)
        #expect(engine.counters.rules[0].missingMembers == 1)
    }

    @Test("T9 of too many members those without events for longest go, and it is told")
    func memberLimit() throws {
        var run = EngineRun()
        run.limits.membersPerGroup = 2
        let third = event(2, "z", 1)
        let found = alerts(try program(), events.prefix(4) + [third] + events.dropFirst(4), run)
        #expect(found.first?.rule == "engine.overflow")
        #expect(found.first?.reason == "members")
        // Each member that comes drops another one, so none is known for long enough.
        #expect(!found.contains { $0.rule == "r" })
    }

    @Test("members are forgotten after a day, and groups with them")
    func forgetting() throws {
        let program = try program(
            AnomalyTests.plain.replacing("every 1s", with: "every 1h").replacing(
                "within 2s", with: "within 2h"))
        var engine = Engine(
            program: program, environment: EngineEnvironment(), options: EngineOptions())
        var output: [Alert] = []
        let batch = makeBatch([event(0, "x", 1)], tables: program.tables)
        engine.process(batch, rows: 0..<1, emitting: &output)
        engine.advance(to: TestEvent.epoch + .hour * 24 + .second, emitting: &output)
        #expect(engine.keysInUse == 1)
        engine.advance(to: TestEvent.epoch + .hour * 25 + .second, emitting: &output)
        #expect(engine.keysInUse == 0)
        #expect(output.isEmpty)
    }

    @Test("a cluster whose beginning is kept silent stays silent")
    func silence() throws {
        let program = try program(more: "unless k == \"p\"")
        #expect(alerts(program, events).isEmpty)
        let others = events.map { event in
            var event = event
            event.fields["k"] = .text("q")
            return event
        }
        #expect(alerts(program, others).count == 2)
    }

    @Test("A6 links are those of the list in force")
    func linksReload() throws {
        let pattern = AnomalyTests.plain.replacing("within 2s", with: "within 2s linked by links")
        let program = try program(pattern)
        func run(_ rows: [[Value]]) -> [Alert] {
            var engine = Engine(
                program: program, environment: EngineEnvironment(), options: EngineOptions())
            var output: [Alert] = []
            let batch = makeBatch(events, tables: program.tables)
            engine.process(batch, rows: 0..<4, emitting: &output)
            let list = ListTable(kind: .pair, columns: ["a", "b"], keyColumn: 0, rows: rows)
            engine.setList(ListID(0), list, at: engine.time, emitting: &output)
            engine.process(batch, rows: 4..<batch.count, emitting: &output)
            return output
        }
        #expect(run([]).isEmpty)
        #expect(run([[.text("y"), .text("x")]]).map(\.state) == [.firing])
        #expect(run([[.text("y"), .text("x")]]).first?.listVersions.map(\.name) == ["links"])
    }

    @Test("`mask members.u` hides the names wherever the alert shows them")
    func masks() throws {
        let firing = try #require(
            alerts(try program(more: "mask members.u\nattach members.u, members.score"), events)
                .first)
        #expect(firing.members.map(\.name) == [.text("***"), .text("***")])
        #expect(firing.message.hasPrefix("2: *** "))
        #expect(firing.message.hasSuffix(", ***"))
        #expect(firing.attached.first?.value == .text("***"))
        #expect(firing.attached.last?.value != .text("***"))
    }

    @Test("T3 a late event marks the alerts of its group")
    func late() throws {
        var run = EngineRun()
        run.lateness = .second
        run.pieces = [1]
        var events = events
        events.insert(event(0, "x", 1), at: 6)
        let found = alerts(try program(), events, run)
        #expect(found.first?.incompleteBecause == ["events of this key came too late"])
    }
}
