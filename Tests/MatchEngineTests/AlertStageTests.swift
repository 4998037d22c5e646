import MatchEngine
import RuleModel
import Testing

@Suite("The alert stage")
struct AlertStageTests {
    /// A stage for one threshold rule.
    static func stage(suppress: Int64? = nil, group: Int64? = nil) -> AlertStage {
        AlertStage(program: program(suppress: suppress, group: group))
    }

    /// A program of one threshold rule, as far as the stage looks at it.
    static func program(suppress: Int64? = nil, group: Int64? = nil) -> Program {
        var emit = EmitProgram()
        emit.suppress = suppress.map { EmitProgram.Spaced(by: [], span: seconds($0)) }
        emit.group = group.map { EmitProgram.Spaced(by: [], span: seconds($0)) }
        let input = InputProgram(name: "e", type: EventTypeID(rawValue: 0), condition: nil, key: [])
        let threshold = ThresholdProgram(
            input: input, condition: nil, window: WindowPlan(.last(1)), measures: [],
            when: CodeID(0),
            holdFor: .zero, minimumEvents: 0, resolveWhen: nil, resolveFor: .zero, remindEvery: nil,
            staleAfter: .day, onNoData: .keep, resetsAfterMatch: false, forgetAfter: .day)
        let rule = RuleProgram(
            id: RuleID(4), name: "r", metadata: RuleMetadata(), keyNames: ["k"], keyList: nil,
            pattern: .threshold(threshold), unless: nil, active: [], emit: emit, probes: [],
            bound: StateBound(runsPerKey: 1, eventsPerRun: 1, keys: 1, bytesPerKey: 1),
            fingerprint: 0, shape: 0, place: RulePlace())
        return Program(
            tables: RuleSetTables(), code: Code(), eventConditions: [], rules: [rule])
    }

    static func alert(
        _ second: Int64, _ key: String, _ state: Alert.State = .firing, id: String? = nil,
        values: [Value] = [.text("x")]
    ) -> Alert {
        let time = Timestamp(nanoseconds: 0) + seconds(second)
        return Alert(
            id: id ?? "\(key)\(second)", rule: "r", ruleID: RuleID(4), fingerprint: 0,
            kind: "threshold", state: state, severity: .high, title: nil, message: "trouble",
            tags: [],
            attack: [], key: [Alert.NamedValue("k", .text(key))], matchedAt: time, firstTime: time,
            lastTime: time, strength: 0, confidence: 1, measures: [], steps: [], attached: [],
            reason: nil, incompleteBecause: [], grouped: 0, listVersions: [], sinks: [], probes: [],
            suppressKey: values, groupKey: values,
            order: AlertOrder(
                instant: time.nanoseconds, arrival: 0, depth: 0, rule: 4, key: 0, serial: 0))
    }

    static func run(_ stage: inout AlertStage, _ alerts: [Alert]) -> [String] {
        var output: [Alert] = []
        stage.process(alerts, emitting: &output)
        return output.map(text)
    }

    static func text(_ alert: Alert) -> String {
        "\(alert.matchedAt.nanoseconds / 1_000_000_000) \(alert.id) \(alert.state)"
            + (alert.reason.map { " \($0) \(alert.grouped): \(alert.message)" } ?? "")
    }

    typealias S = AlertStageTests

    @Test("Without actions every record is sent")
    func passing() {
        var stage = S.stage()
        #expect(
            S.run(&stage, [S.alert(0, "a"), S.alert(0, "b"), S.alert(1, "a", .resolved, id: "a0")])
                == ["0 a0 firing", "0 b0 firing", "1 a0 resolved"])
        #expect(stage.counters.sent == 3 && stage.counters.sentByRule == [3])
    }

    @Test(
        "T1: an alert exactly D after the one that was sent is silent, a nanosecond later it is not"
    )
    func suppressionIsClosed() {
        var stage = S.stage(suppress: 10)
        var late = S.alert(10, "c")
        late.matchedAt = late.matchedAt + TimeSpan(nanoseconds: 1)
        #expect(
            S.run(&stage, [S.alert(0, "a"), S.alert(10, "b"), late]) == [
                "0 a0 firing", "10 c10 firing",
            ])
        #expect(stage.counters.suppressed == 1)
    }

    @Test("A silent alert does not prolong the silence, and other values are not silenced")
    func suppressionFromTheLastSent() {
        var stage = S.stage(suppress: 10)
        let other: [Value] = [.text("y")]
        #expect(
            S.run(
                &stage,
                [
                    S.alert(0, "a"), S.alert(8, "b"), S.alert(9, "c", values: other),
                    S.alert(11, "d"),
                ])
                == ["0 a0 firing", "9 c9 firing", "11 d11 firing"])
    }

    @Test("What follows a silent beginning is silent; the end of an alert that was sent is sent")
    func silentEpisodes() {
        var stage = S.stage(suppress: 10)
        #expect(
            S.run(
                &stage,
                [
                    S.alert(0, "a"), S.alert(5, "b"), S.alert(6, "b", .updated, id: "b5"),
                    S.alert(7, "b", .resolved, id: "b5"), S.alert(8, "a", .resolved, id: "a0"),
                ]) == ["0 a0 firing", "8 a0 resolved"])
        #expect(stage.counters.suppressed == 3)
    }

    @Test("The first of a group goes out at once, the others are told when its span is over")
    func grouping() {
        var stage = S.stage(group: 10)
        var output = S.run(&stage, [S.alert(0, "a"), S.alert(3, "b"), S.alert(10, "c")])
        #expect(output == ["0 a0 firing"])
        // At 10 s sharp another one could still join.
        var told: [Alert] = []
        stage.advance(to: Timestamp(nanoseconds: 0) + seconds(10), emitting: &told)
        #expect(told.isEmpty)
        // The summary comes before the record that is behind the span, which begins a new group.
        output = S.run(&stage, [S.alert(11, "d")])
        #expect(
            output == [
                "10 a0 updated group 2: trouble (and 2 more: k=b, k=c)", "11 d11 firing",
            ])
        #expect(stage.counters.folded == 2)
        stage.finish(emitting: &told)
        #expect(told.isEmpty)
    }

    @Test("A summary names ten keys and counts all, and the end of a folded alert is silent")
    func longGroups() {
        var stage = S.stage(group: 100)
        var alerts = (0..<14).map { S.alert($0, "k\($0)") }
        alerts.append(S.alert(20, "k5", .resolved, id: "k55"))
        alerts.append(S.alert(21, "k0", .resolved, id: "k00"))
        #expect(S.run(&stage, alerts) == ["0 k00 firing", "21 k00 resolved"])
        var told: [Alert] = []
        stage.finish(emitting: &told)
        #expect(told.count == 1 && told[0].grouped == 13)
        #expect(told[0].message.hasSuffix("k=k10, …)"))
        #expect(told[0].lastTime == Timestamp(nanoseconds: 0) + seconds(13))
    }

    @Test("Groups of other values are apart and end in the order of their ends")
    func severalGroups() {
        var stage = S.stage(group: 10)
        let other: [Value] = [.text("y")]
        let sent = S.run(
            &stage,
            [
                S.alert(0, "a"), S.alert(1, "b", values: other), S.alert(2, "c", values: other),
                S.alert(3, "d"),
            ])
        #expect(sent == ["0 a0 firing", "1 b1 firing"])
        var told: [Alert] = []
        stage.finish(emitting: &told)
        #expect(told.map(\.id) == ["a0", "b1"])
    }

    @Test("Suppression comes before grouping")
    func together() {
        var stage = S.stage(suppress: 5, group: 5)
        #expect(
            S.run(&stage, [S.alert(0, "a"), S.alert(1, "b"), S.alert(7, "c")]) == [
                "0 a0 firing", "7 c7 firing",
            ])
        #expect(stage.counters.suppressed == 1 && stage.counters.folded == 0)
    }

    @Test("A stage made of a snapshot goes on as if nothing had been")
    func restart() throws {
        let alerts = [
            S.alert(0, "a"), S.alert(1, "b", values: [.int(1)]), S.alert(3, "c"),
            S.alert(3, "c", .resolved), S.alert(4, "a"), S.alert(5, "d", values: [.int(1)]),
            S.alert(5, "d", .resolved, values: [.int(1)]), S.alert(30, "e"), S.alert(31, "f"),
        ]
        for (suppress, group) in [(10, nil), (nil, 10), (2, 6), (nil, nil)] as [(Int64?, Int64?)] {
            var undisturbed = S.stage(suppress: suppress, group: group)
            let program = S.program(suppress: suppress, group: group)
            var stage = AlertStage(program: program)
            var expected: [Alert] = []
            var found: [Alert] = []
            for alert in alerts {
                undisturbed.process([alert], emitting: &expected)
                let snapshot = stage.snapshot()
                stage = try AlertStage(restoring: snapshot, program: program)
                #expect(stage.snapshot() == snapshot)
                stage.process([alert], emitting: &found)
            }
            undisturbed.finish(emitting: &expected)
            stage.finish(emitting: &found)
            #expect(found == expected)
            #expect(stage.counters == undisturbed.counters)
        }
    }

    @Test(
        "The end of a silent episode stays silent when its rule is gone, and an open group is told")
    func removedRule() throws {
        var stage = S.stage(group: 10)
        _ = S.run(&stage, [S.alert(0, "a"), S.alert(1, "b")])
        let nothing = Program(
            tables: RuleSetTables(), code: Code(), eventConditions: [], rules: [])
        var other = try AlertStage(restoring: stage.snapshot(), program: nothing)
        var output: [Alert] = []
        other.process([S.alert(1, "b", .resolved)], emitting: &output)
        #expect(output.isEmpty)
        other.finish(emitting: &output)
        #expect(output.map(S.text) == ["10 a0 updated group 1: trouble (and 1 more: k=b)"])
    }
}
