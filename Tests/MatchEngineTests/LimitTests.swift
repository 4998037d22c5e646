import RuleModel
import TestKit
import Testing

@testable import MatchEngine

/// T9: what is dropped at a limit, that it is counted, and that alerts say so.
@Suite("Limits") struct LimitTests {
    private static let schema = "event login { user: text  ok: bool }\n"

    private static let pair = """
        rule pair {
          sequence by user within 10m {
            bad: login where not ok
            then good: login where ok
          }
          alert "{user}"
        }

        """

    private static func login(_ second: Int64, _ user: String, ok: Bool = false) -> TestEvent {
        TestEvent("login", at: .second * second, ["user": .text(user), "ok": .bool(ok)])
    }

    private typealias L = LimitTests

    @Test("T9 a flood of keys leaves no deadlines behind")
    func deadlines() throws {
        let rules = try CompiledRules(
            L.schema + """
                rule silent {
                  sequence by user {
                    bad: login where not ok
                    then no good: login where ok within 1h
                  }
                  alert "{user}"
                }
                """)
        var options = EngineOptions()
        options.limits.keysPerRule = 100
        var engine = rules.engine(options)
        var output: [Alert] = []
        rules.process(
            (0..<20_000).map { L.login(Int64($0 / 100), "u\($0)") }, by: &engine,
            emitting: &output)
        #expect(engine.counters.rules[0].evictedKeys == 19_900)
        #expect(engine.context.deadlines.count <= 4097)
        engine.advance(to: TestEvent.epoch + .hour * 3, emitting: &output)
        let alerts = output.filter { $0.kind == "sequence" }
        #expect(alerts.count == 100)
        #expect(alerts.allSatisfy { !$0.incompleteBecause.isEmpty })
    }

    @Test("T9 when memory is short the largest rule gives, the oldest keys go, and alerts say so")
    func shed() throws {
        let few = L.pair.replacing("rule pair", "rule few").replacing(
            "not ok", "not ok and user == \"hot\"")
        let rules = try CompiledRules(L.schema + L.pair + few)
        var engine = rules.engine()
        var output: [Alert] = []
        rules.process(
            [L.login(0, "hot")] + (0..<1000).map { L.login(1, "u\($0)") } + [L.login(2, "hot")],
            by: &engine, emitting: &output)
        engine.shed(0.5, emitting: &output)
        #expect(engine.holdings.rules.map(\.keys) == [500, 1])
        #expect(engine.counters.rules.map(\.evictedKeys) == [501, 0])
        #expect(engine.counters.overflows.shortages == 1)
        #expect(engine.counters.overflows.keysForMemory == 501)
        #expect(output.map(\.rule) == ["engine.overflow"])
        output = []
        rules.process(
            [
                L.login(3, "hot", ok: true), L.login(3, "u1"), L.login(3, "u1", ok: true),
                L.login(3, "u999", ok: true),
            ], by: &engine, firstArrival: 2000, emitting: &output)
        let told = output.map { "\($0.rule) \($0.message) \($0.incompleteBecause.isEmpty)" }
        #expect(
            told.sorted() == [
                "few hot true", "pair hot true", "pair u1 false", "pair u999 true",
            ])
        // There are no more keys than were left, until there is memory again.
        rules.process(
            (0..<600).map { L.login(4, "v\($0)") }, by: &engine, firstArrival: 3000,
            emitting: &output)
        #expect(engine.holdings.rules[0].keys == 500)
        engine.widen()
        rules.process(
            (0..<1000).map { L.login(5, "w\($0)") }, by: &engine, firstArrival: 4000,
            emitting: &output)
        #expect(engine.holdings.rules[0].keys == 626)
    }

    @Test("T9 when memory is short a large window grows no further, and says so")
    func shedWindow() throws {
        let rules = try CompiledRules(
            L.schema + """
                rule busy {
                  threshold by ok {
                    over login
                    window 1h sliding
                    measure all = count
                    when all >= 11000
                  }
                  alert "{all}"
                }
                """)
        var engine = rules.engine()
        var output: [Alert] = []
        rules.process(
            (0..<10_500).map { _ in L.login(1, "u") }, by: &engine, emitting: &output)
        engine.shed(0.1, emitting: &output)
        #expect(engine.holdings.rules[0].keys == 1)
        rules.process(
            (0..<1000).map { _ in L.login(2, "u") }, by: &engine, firstArrival: 20_000,
            emitting: &output)
        #expect(engine.counters.rules[0].droppedEvents == 1000)
        for _ in 0..<5 { engine.widen() }
        rules.process(
            (0..<1000).map { _ in L.login(3, "u") }, by: &engine, firstArrival: 30_000,
            emitting: &output)
        let alerts = output.filter { $0.kind == "threshold" }
        #expect(alerts.count == 1 && !alerts[0].incompleteBecause.isEmpty)
    }

    @Test("T9 entities with points have a limit, and so have the points of one")
    func risks() throws {
        let rules = try CompiledRules(
            L.schema + """
                rule risky {
                  sequence by user within 1m { one: login where not ok }
                  alert "{user}"
                  risk 1 on user
                }
                """)
        var options = EngineOptions()
        options.limits.riskEntities = 10
        options.limits.pointsPerEntity = 5
        var engine = rules.engine(options)
        var output: [Alert] = []
        rules.process(
            (0..<8).map { L.login(Int64($0), "ann") }
                + (8..<20).map { L.login(Int64($0), "u\($0)") },
            by: &engine, emitting: &output)
        let alerts = output.filter { $0.kind == "sequence" }
        #expect(alerts.prefix(8).map { $0.risks[0].score } == [1, 2, 3, 4, 5, 5, 5, 5])
        #expect(
            alerts.prefix(8).map(\.incompleteBecause.isEmpty) == [
                true, true, true, true, true, false, false, false,
            ])
        // Three points of ann; then ann and those after her, two at a time.
        #expect(engine.counters.rules[0].droppedRisks > 3)
        #expect(alerts.suffix(3).allSatisfy { !$0.incompleteBecause.isEmpty })
        #expect(output.contains { $0.reason == "risks" })
    }

    @Test("T9 early alerts and corrections have limits that only cost what they are")
    func earlyAndLate() throws {
        let rules = try CompiledRules(L.schema + L.pair)
        var options = EngineOptions()
        options.lateness = [.minute]
        options.judgesEarly = [true]
        options.corrections = [.hour]
        options.limits.earlyAlerts = 2
        options.limits.correctable = 10
        var engine = rules.engine(options)
        var output: [Alert] = []
        rules.process(
            (0..<20).flatMap { [L.login($0, "u\($0)"), L.login($0, "u\($0)", ok: true)] },
            by: &engine, emitting: &output)
        #expect(output.count { $0.isEarly } == 2)
        #expect(engine.counters.overflows.untoldEarly == 18)
        engine.advance(to: TestEvent.epoch + .minute * 2, emitting: &output)
        #expect(Set(output.filter { $0.kind == "sequence" }.map(\.message)).count == 20)
        #expect(engine.counters.overflows.forgottenForCorrection > 20)
    }

    @Test("T9 what `suppress by` cannot remember is sent, counted and marked")
    func suppression() throws {
        let rules = try CompiledRules(
            L.schema + """
                rule one {
                  sequence by user within 1m { bad: login where not ok }
                  alert "{user}"
                  suppress by user for 1h
                }
                """)
        var engine = rules.engine()
        var output: [Alert] = []
        rules.process(
            (0..<4).map { L.login($0, "u\($0)") } + (0..<4).map { L.login(9, "u\($0)") },
            by: &engine, emitting: &output)
        var stage = AlertStage(program: rules.program, memory: 3)
        var sent: [Alert] = []
        stage.process(output, emitting: &sent)
        #expect(sent.map(\.message) == ["u0", "u1", "u2", "u3", "u0", "u1", "u2", "u3"])
        #expect(
            sent.map(\.incompleteBecause.isEmpty) == [
                true, true, true, false, false, false, false, false,
            ])
        #expect(stage.counters.forgotten == 5)
        let again = try AlertStage(restoring: stage.snapshot(), program: rules.program)
        #expect(again.counters == stage.counters)
    }
}

extension String {
    fileprivate func replacing(_ old: String, _ new: String) -> String {
        split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
    }
}
