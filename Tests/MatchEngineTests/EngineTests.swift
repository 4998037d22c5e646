import RuleModel
import TestKit
import Testing

@testable import MatchEngine

@Suite("Engine") struct EngineTests {
    private let pair = PlanSketch.sequence([PlanSketch.step("x", 0), PlanSketch.step("y", 1)])

    private func makeEngine(_ rule: RulePlan, _ options: EngineOptions = EngineOptions()) -> Engine
    {
        Engine(
            program: PlanSketch.program(rule), environment: EngineEnvironment(), options: options)
    }

    @Test("T2 without lateness an older event stands where the one before it stood")
    func outOfOrder() {
        var engine = makeEngine(PlanSketch.rule(pair))
        var output: [Alert] = []
        let batch = makeBatch(PlanSketch.events("a5 b3"), tables: PlanSketch.tables)
        engine.process(batch, rows: 0..<2, emitting: &output)
        #expect(output.map(\.matchedAt) == [TestEvent.epoch + .second * 5])
        #expect(output.first?.steps[1].events[0].time == TestEvent.epoch + .second * 3)
        #expect(engine.counters.sources[0].outOfOrder == 1)
        #expect(engine.counters.sources[0].worstDisorder == .second * 2)
    }

    @Test("T2 T3 with lateness events wait for their place, and late ones change nothing")
    func lateness() {
        var options = EngineOptions()
        options.lateness = [.second * 2]
        var engine = makeEngine(PlanSketch.rule(pair), options)
        var output: [Alert] = []
        // The `a` at 4 comes after the `b` at 5 and before it in time; the one at 1 is late.
        let batch = makeBatch(PlanSketch.events("b5 a4 a1 c9"), tables: PlanSketch.tables)
        engine.process(batch, rows: 0..<4, emitting: &output)
        #expect(output.map(\.matchedAt) == [TestEvent.epoch + .second * 5])
        #expect(engine.counters.sources[0].late == 1)
        #expect(engine.counters.rules[0].late == 1)
    }

    @Test("T2 the slowest source holds the others back until it is idle or closed")
    func twoSources() {
        var options = EngineOptions()
        options.lateness = [.second, .second]
        var engine = makeEngine(PlanSketch.rule(pair), options)
        var output: [Alert] = []
        let batch = makeBatch(PlanSketch.events("a1 b2 c20"), tables: PlanSketch.tables)
        engine.process(batch, rows: 0..<3, emitting: &output)
        #expect(output.isEmpty)
        engine.markIdle(1, emitting: &output)
        #expect(output.count == 1)
    }

    @Test("T3 what a source brings in order after it was idle is late where others have gone on")
    func lateBehindOthers() {
        var options = EngineOptions()
        options.lateness = [.second, .second]
        var engine = makeEngine(PlanSketch.rule(pair), options)
        var output: [Alert] = []
        engine.markIdle(1, emitting: &output)
        let batch = makeBatch(PlanSketch.events("a1 c20"), tables: PlanSketch.tables)
        engine.process(batch, rows: 0..<2, emitting: &output)
        var late = makeBatch(PlanSketch.events("b2 b3"), tables: PlanSketch.tables)
        late.source = 1
        engine.process(late, rows: 0..<2, emitting: &output)
        #expect(output.isEmpty)
        #expect(engine.counters.sources[1].late == 2)
    }

    @Test("events that wait are processed when the last source is closed")
    func closing() {
        var options = EngineOptions()
        options.lateness = [.minute]
        var engine = makeEngine(PlanSketch.rule(pair), options)
        var output: [Alert] = []
        let batch = makeBatch(PlanSketch.events("b2 a1"), tables: PlanSketch.tables)
        engine.process(batch, rows: 0..<2, emitting: &output)
        #expect(output.isEmpty)
        engine.closeSource(0, emitting: &output)
        #expect(output.count == 1)
    }

    @Test("T9 when too many events wait the watermark moves on, and that is counted")
    func waitingLimit() {
        var options = EngineOptions()
        options.lateness = [.minute]
        options.limits.waitingEvents = 2
        var engine = makeEngine(PlanSketch.rule(pair), options)
        var output: [Alert] = []
        let batch = makeBatch(PlanSketch.events("a1 b2 a3 a4 b1"), tables: PlanSketch.tables)
        engine.process(batch, rows: 0..<4, emitting: &output)
        #expect(output.map(\.matchedAt) == [TestEvent.epoch + .second * 2])
        #expect(engine.counters.hurriedEvents == 2)
        engine.process(batch, rows: 4..<5, emitting: &output)
        #expect(engine.counters.sources[0].late == 1)
    }

    @Test("T6 an event without a part of the key is counted and left out")
    func missingKey() {
        var engine = makeEngine(PlanSketch.rule(pair))
        var output: [Alert] = []
        var events = PlanSketch.events("a1 b2")
        events[0].fields["k"] = nil
        let batch = makeBatch(events, tables: PlanSketch.tables)
        engine.process(batch, rows: 0..<2, emitting: &output)
        #expect(output.isEmpty)
        #expect(engine.counters.rules[0].missingKeys == 1)
    }

    @Test("T12 ids are those of rule, key and time, also of several matches at one instant")
    func identities() {
        let rule = PlanSketch.rule(PlanSketch.sequence([PlanSketch.step("x", 0)], within: nil))
        func ids(_ rule: RulePlan) -> [String] {
            EngineRun().alerts(
                of: PlanSketch.program(rule), lists: [], events: PlanSketch.events("a1 a1 a2"),
                end: nil
            ).map(\.id)
        }
        let found = ids(rule)
        #expect(Set(found).count == 3)
        #expect(found.allSatisfy { $0.utf8.count == 32 })
        #expect(ids(rule) == found)
        var renamed = rule
        renamed.name = "other"
        #expect(Set(ids(renamed) + found).count == 6)
        // Written down: ids are compared across versions and machines.
        let id = AlertID.text(
            rule: "r", key: [.text("p")], time: Timestamp(nanoseconds: 1), number: 0)
        #expect(id == "64106e4d4a380669ca04fe5d6b2994aa")
    }

    @Test("what is masked appears nowhere in the record")
    func masks() {
        var rule = PlanSketch.rule(pair)
        rule.emit.message = [
            .text("u "), .term(.stepField(StepID(0), .only, PlanSketch.text), .plain),
            .text(" k "), .term(.key(0), .plain),
            .text(" v "), .term(.stepField(StepID(1), .only, PlanSketch.number), .plain),
        ]
        rule.emit.attach = [
            .init(name: "x.u", term: .stepField(StepID(0), .only, PlanSketch.text))
        ]
        rule.emit.mask = [.key(0), .stepField(StepID(0), .only, PlanSketch.text)]
        guard case .sequence(var plan) = rule.pattern else { return }
        for index in plan.steps.indices { plan.steps[index].captured.append(PlanSketch.key) }
        rule.pattern = .sequence(plan)
        var events = PlanSketch.events("a1:1 b2:7", key: "secret-key")
        events[0].fields["u"] = .text("secret-user")
        let alerts = EngineRun().alerts(
            of: PlanSketch.program(rule), lists: [], events: events, end: nil)
        #expect(alerts.count == 1)
        #expect(alerts.first?.message == "u *** k *** v 7")
        #expect(!"\(alerts)".contains("secret"))
    }

    @Test("unless is judged when the rule matches; it silences and does not stop the state")
    func unless() {
        var rule = PlanSketch.rule(pair)
        rule.unless = PlanSketch.compare(
            .equal, .stepField(StepID(1), .only, PlanSketch.number), .constant(.int(1)))
        var engine = makeEngine(rule)
        var output: [Alert] = []
        let batch = makeBatch(PlanSketch.events("a1 b2:1 a3 b4:2"), tables: PlanSketch.tables)
        engine.process(batch, rows: 0..<4, emitting: &output)
        #expect(output.map(\.matchedAt) == [TestEvent.epoch + .second * 4])
        #expect(engine.counters.rules[0].silenced == 1)
        #expect(engine.counters.rules[0].alerts == 1)
    }

    @Test("membership is judged with the list in force when the event is processed")
    func lists() {
        var tables = PlanSketch.tables
        tables.lists = [
            ListPlan(
                name: "names", kind: .text, path: nil, declaredIn: "", keyColumn: nil, refresh: nil,
                values: [])
        ]
        var step = PlanSketch.step("x", 0)
        step.eventCondition = .inList(.field(PlanSketch.text), ListID(0), ignoringCase: false)
        let rule = PlanSketch.rule(PlanSketch.sequence([step], within: nil))
        let program = makeProgram(rule, tables)
        let table = ListTable(kind: .text, columns: ["value"], keyColumn: 0, rows: [[.text("x")]])
        var events = PlanSketch.events("a1 a2 c9")
        for index in 0..<2 { events[index].fields["u"] = .text("x") }
        for lateness in [TimeSpan.zero, .second * 5] {
            var options = EngineOptions()
            options.lateness = [lateness]
            var engine = Engine(
                program: program, environment: EngineEnvironment(), options: options)
            var output: [Alert] = []
            let batch = makeBatch(events, tables: tables)
            engine.process(batch, rows: 0..<1, emitting: &output)
            engine.setList(ListID(0), table, at: TestEvent.epoch + .second, emitting: &output)
            engine.process(batch, rows: 1..<3, emitting: &output)
            // With lateness the first event was still waiting when the list came.
            #expect(output.count == (lateness == .zero ? 1 : 2))
            #expect(output.first?.listVersions.count == 1)
        }
    }
}
