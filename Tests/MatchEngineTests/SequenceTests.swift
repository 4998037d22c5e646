import MatchEngine
import RuleModel
import TestKit
import Testing

@Suite("Sequences") struct SequenceTests {
    private let pair = PlanSketch.sequence([PlanSketch.step("x", 0), PlanSketch.step("y", 1)])

    @Test("S2 a start that is too old does not hide a later one")
    func laterStart() {
        var plan = pair
        plan.within = .minute * 10
        plan.horizon = plan.within
        #expect(PlanSketch.run(plan, "a0 a540 b630") == ["10m30s firing key p x=2 y=3"])
    }

    @Test("S2 the earliest start is reported, and a match uses up what came before")
    func earliestStart() {
        #expect(PlanSketch.run(pair, "a0 a1 b2 b3") == ["2s firing key p x=1 y=3"])
    }

    @Test("T1 exactly the limit still counts, a nanosecond more does not")
    func limitIsClosed() {
        #expect(PlanSketch.run(pair, "a1 b11") == ["11s firing key p x=1 y=2"])
        #expect(PlanSketch.run(pair, "a1 b11.000000001") == [])
    }

    @Test("a choice is found although the greedy one fails")
    func backtracks() {
        // The last `y` must have the value of `x`, which only the second start has.
        var last = PlanSketch.step("y", 1)
        last.runCondition = PlanSketch.compare(
            .equal, .field(PlanSketch.number), .stepField(StepID(0), .only, PlanSketch.number))
        let plan = PlanSketch.sequence([PlanSketch.step("x", 0), last])
        #expect(PlanSketch.run(plan, "a1:1 a2:2 b3:2") == ["3s firing key p x=2 y=3"])
    }

    @Test("a long repetition is matched whole, and without trying its parts")
    func longRepetition() {
        let plan = PlanSketch.sequence(
            [
                PlanSketch.step("x", 0), PlanSketch.repeated("y", 1, 1, nil),
                PlanSketch.step("z", 2),
            ],
            within: 100_000)
        let middle = (1...3000).map { "b\($0)" }.joined(separator: " ")
        let found = PlanSketch.run(plan, "a0 \(middle) c4000")
        #expect(found.count == 1)
        #expect(found.first?.hasSuffix("z=3002") == true)
        #expect(found.first?.contains("y=2,3,4,") == true)
    }

    @Test("many failing ends after a long repetition stay cheap and give up nothing")
    func failingEnds() {
        var last = PlanSketch.step("z", 2)
        last.runCondition = PlanSketch.compare(
            .equal, .field(PlanSketch.number), .stepField(StepID(0), .only, PlanSketch.number))
        let plan = PlanSketch.sequence(
            [PlanSketch.step("x", 0), PlanSketch.repeated("y", 1, 1, nil), last], within: 100_000)
        let middle = (1...600).map { "b\($0) c\($0):9" }.joined(separator: " ")
        var run = EngineRun()
        run.limits.workPerEvent = 20_000
        let found = PlanSketch.run(
            PlanSketch.rule(plan), PlanSketch.events("a0:1 a0:1 a0:1 \(middle) c4000:1"), run)
        #expect(found.count == 1)
        #expect(found.first?.hasSuffix("z=1204") == true)
    }

    @Test("a search that is cut short is counted, told, and marks the alerts of its key")
    func exhaustedSearch() {
        // Each `y` depends on the one before, so every combination has to be tried.
        var steps = [PlanSketch.step("x", 0)]
        for index in 1...6 {
            var step = PlanSketch.step("y\(index)", 0)
            step.runCondition = PlanSketch.compare(
                .greaterOrEqual, .field(PlanSketch.number),
                .stepField(StepID(index - 1), .only, PlanSketch.number))
            steps.append(step)
        }
        var last = PlanSketch.step("z", 1)
        last.runCondition = PlanSketch.compare(
            .less, .field(PlanSketch.number),
            .arithmetic(
                .subtract, .stepField(StepID(0), .only, PlanSketch.number),
                .stepField(StepID(6), .only, PlanSketch.number)))
        steps.append(last)
        let rule = PlanSketch.rule(PlanSketch.sequence(steps, within: 1000))
        let starts = (1...40).map { "a\($0):1" }.joined(separator: " ")
        let alerts = EngineRun().alerts(
            of: PlanSketch.program(rule), lists: [],
            events: PlanSketch.events(starts + " b50:5"), end: nil)
        #expect(alerts.map(\.kind) == ["engine"])
        #expect(alerts.first?.reason == "searches")
    }

    @Test("S5 a trailing absence fires strictly after its deadline, and once")
    func trailingAbsence() {
        let plan = PlanSketch.sequence(
            [PlanSketch.step("x", 0), PlanSketch.step("no", 1)],
            [
                ElementPlan(.step(StepID(0))), ElementPlan(.absence(StepID(1), .second * 3)),
            ])
        #expect(PlanSketch.run(plan, "a1", until: 4) == ["4s firing key p x=1"])
        #expect(PlanSketch.run(plan, "a1 b4", until: 9) == [])
        #expect(PlanSketch.run(plan, "a1 b4.000000001", until: 9) == ["4s firing key p x=1"])
    }

    @Test("an absence at the start needs the input to be watched for so long")
    func leadingAbsence() {
        let elements = [
            ElementPlan(.absence(StepID(0), .second * 3)), ElementPlan(.step(StepID(1))),
        ]
        var plan = PlanSketch.sequence(
            [PlanSketch.step("no", 1), PlanSketch.step("x", 0)], elements)
        #expect(PlanSketch.run(plan, "c1 a3 a4 b4.5 a6") == ["4s firing key p x=3"])
        plan.assumesAbsentAtStart = true
        #expect(PlanSketch.run(plan, "c1 a3").count == 1)
    }

    @Test("S9 a key without events is forgotten when its time is over")
    func stateShrinks() {
        let program = PlanSketch.program(PlanSketch.rule(pair))
        var engine = Engine(
            program: program, environment: EngineEnvironment(), options: EngineOptions())
        var output: [Alert] = []
        let batch = makeBatch(PlanSketch.events("a1 a2 a3 c3"), tables: PlanSketch.tables)
        engine.process(batch, rows: 0..<batch.count, emitting: &output)
        #expect(engine.keysInUse == 1)
        engine.advance(to: TestEvent.epoch + .second * 13, emitting: &output)
        #expect(engine.keysInUse == 1)
        engine.advance(
            to: TestEvent.epoch + .second * 13 + TimeSpan(nanoseconds: 1), emitting: &output)
        #expect(engine.keysInUse == 0)
        #expect(output.isEmpty)
    }

    @Test("a rule of one event keeps no state at all")
    func oneEvent() {
        let program = PlanSketch.program(
            PlanSketch.rule(PlanSketch.sequence([PlanSketch.step("x", 0)], within: nil)))
        var engine = Engine(
            program: program, environment: EngineEnvironment(), options: EngineOptions())
        var output: [Alert] = []
        let batch = makeBatch(PlanSketch.events("a1 b2 a3"), tables: PlanSketch.tables)
        engine.process(batch, rows: 0..<batch.count, emitting: &output)
        #expect(output.count == 2)
        #expect(engine.keysInUse == 0)
    }

    @Test("T9 over the limit the oldest run goes, is counted, and marks later alerts")
    func runLimit() {
        var plan = pair
        plan.overlap = .each
        plan.runLimit = 2
        let alerts = EngineRun().alerts(
            of: PlanSketch.program(PlanSketch.rule(plan)), lists: [],
            events: PlanSketch.events("a1 a2 a3 b4"), end: nil)
        #expect(alerts.map(\.kind) == ["engine", "sequence", "sequence"])
        #expect(alerts[0].message.contains("sketch"))
        #expect(alerts[1].steps[0].events.first?.time == TestEvent.epoch + .second * 2)
        #expect(alerts[1].incompleteBecause.count == 1)
    }

    @Test("T9 over the limit the least recently used key goes")
    func keyLimit() {
        var rule = PlanSketch.rule(pair)
        rule.bound.keys = 2
        let events =
            PlanSketch.events("a1", key: "p") + PlanSketch.events("a2", key: "q")
            + PlanSketch.events("a3", key: "p") + PlanSketch.events("a4", key: "r")
            + PlanSketch.events("b5", key: "q") + PlanSketch.events("b6", key: "p")
        let alerts = EngineRun().alerts(
            of: PlanSketch.program(rule), lists: [], events: events, end: nil)
        #expect(alerts.filter { $0.kind == "sequence" }.map { $0.key[0].value } == [.text("p")])
        #expect(alerts.first?.reason == "keys")
    }

    @Test("report partial tells how far a run came that ran out of time")
    func partialMatches() {
        var plan = PlanSketch.sequence([
            PlanSketch.step("x", 0), PlanSketch.step("y", 1), PlanSketch.step("z", 2),
        ])
        plan.reportsPartial = true
        for overlap in [SequencePlan.Overlap.none, .each] {
            plan.overlap = overlap
            var options = EngineOptions()
            options.keepsPartialMatches = true
            var engine = Engine(
                program: PlanSketch.program(PlanSketch.rule(plan)),
                environment: EngineEnvironment(), options: options)
            var output: [Alert] = []
            let batch = makeBatch(PlanSketch.events("a1 b2"), tables: PlanSketch.tables)
            engine.process(batch, rows: 0..<batch.count, emitting: &output)
            engine.advance(to: TestEvent.epoch + .minute, emitting: &output)
            let partial = engine.takePartialMatches()
            #expect(partial.map(\.filledSteps) == [["x", "y"]])
            #expect(output.isEmpty)
        }
    }

    @Test("open deadlines are counted and stay open at the end of the input")
    func openDeadlines() {
        let plan = PlanSketch.sequence(
            [PlanSketch.step("x", 0), PlanSketch.step("no", 1)],
            [ElementPlan(.step(StepID(0))), ElementPlan(.absence(StepID(1), .second * 3))])
        for overlap in [SequencePlan.Overlap.none, .each] {
            var copy = plan
            copy.overlap = overlap
            var engine = Engine(
                program: PlanSketch.program(PlanSketch.rule(copy)),
                environment: EngineEnvironment(), options: EngineOptions())
            var output: [Alert] = []
            let batch = makeBatch(PlanSketch.events("a1 c2"), tables: PlanSketch.tables)
            engine.process(batch, rows: 0..<batch.count, emitting: &output)
            engine.closeSource(0, emitting: &output)
            #expect(output.isEmpty)
            #expect(engine.openDeadlines == 1)
        }
    }

    @Test("inputs with other names for the key come together")
    func keyAliases() {
        // `x: a by text`, `y: b by k`.
        var plan = pair
        plan.inputs[0].key = [PlanSketch.text]
        var first = PlanSketch.events("a1", key: "other")
        first[0].fields["u"] = .text("p")
        let alerts = PlanSketch.run(
            PlanSketch.rule(plan), first + PlanSketch.events("b2", key: "p"))
        #expect(alerts == ["2s firing key p x=1 y=1"])
    }
}

@Suite("Limits of sequences") struct SequenceLimitTests {
    @Test("T9 a repetition beyond the bound loses old events and not its beginning")
    func longRepetition() {
        let plan = PlanSketch.sequence(
            [
                PlanSketch.step("x", 0), PlanSketch.repeated("y", 1, 1, nil),
                PlanSketch.step("z", 2),
            ],
            within: 1000)
        var rule = PlanSketch.rule(plan)
        rule.bound.eventsPerRun = 10
        let middle = (1...30).map { "b\($0)" }.joined(separator: " ")
        let alerts = EngineRun().alerts(
            of: PlanSketch.program(rule), lists: [], events: PlanSketch.events("a0 \(middle) c40"),
            end: nil)
        let match = alerts.first { $0.kind == "sequence" }
        #expect(match?.steps.map(\.name) == ["x", "y", "z"])
        #expect(match?.steps[1].events.count == 9)
        #expect(match?.incompleteBecause.count == 1)
    }

    @Test("of many events of a step an alert shows the first and the last, and counts the rest")
    func shownEvents() {
        let plan = PlanSketch.sequence(
            [PlanSketch.repeated("y", 1, 5, nil), PlanSketch.step("z", 2)], within: 1000)
        var run = EngineRun()
        run.limits.eventsPerAlertStep = 4
        let middle = (1...9).map { "b\($0)" }.joined(separator: " ")
        let alerts = run.alerts(
            of: PlanSketch.program(PlanSketch.rule(plan)), lists: [],
            events: PlanSketch.events("\(middle) c40"), end: nil)
        let shown = alerts.first?.steps[0].events.map { $0.time - TestEvent.epoch }
        #expect(shown == [1, 2, 8, 9].map { TimeSpan.second * $0 })
        #expect(alerts.first?.steps[0].omitted == 5)
    }

    @Test("strength says how far the evidence went beyond what was needed")
    func strength() {
        func strength(_ plan: SequencePlan, _ text: String) -> Double? {
            EngineRun().alerts(
                of: PlanSketch.program(PlanSketch.rule(plan)), lists: [],
                events: PlanSketch.events(text), end: nil
            ).first?.strength
        }
        let pair = PlanSketch.sequence([PlanSketch.step("x", 0), PlanSketch.step("y", 1)])
        #expect(strength(pair, "a0 b4") == 0.6)
        let repeated = PlanSketch.sequence(
            [PlanSketch.repeated("x", 0, 2, nil), PlanSketch.step("y", 1)])
        #expect(strength(repeated, "a0 a1 a2 a3 b4") == (0.6 + 0.5) / 2)
        #expect(strength(PlanSketch.sequence([PlanSketch.step("x", 0)], within: nil), "a1") == 1)
    }
}
