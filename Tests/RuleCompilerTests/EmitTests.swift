import RuleCompiler
import RuleModel
import Testing

@Suite struct EmitTests {
    private typealias Samples = PlanSamples

    private func emitted(_ patterns: PatternPlan...) -> Program {
        emit(
            patterns.enumerated().map { Samples.rule($0, "r\($0)", $1) }, tables: Samples.tables)
    }

    private func sequence(_ rule: RuleProgram) throws -> SequenceProgram {
        guard case .sequence(let sequence) = rule.pattern else {
            throw EmitTestError.notASequence
        }
        return sequence
    }

    enum EmitTestError: Error { case notASequence }

    @Test("a thousand rules with the same condition share one bit")
    func sharing() throws {
        let plans = (0..<1000).map { index in
            Samples.rule(
                index, "r\(index)",
                .sequence(Samples.sequence([Samples.step("hit", event: Samples.userIs("root"))])))
        }
        let program = emit(plans, tables: Samples.tables)
        #expect(program.rules.count == 1000)
        #expect(program.eventConditions.count == 1)
        #expect(program.code.instructions.count == 3)
        #expect(program.faults == [])
    }

    @Test("the order and nesting of `and` and `or` make no new condition")
    func canonicalOrder() throws {
        let (a, b, c) = (Samples.userIs("a"), Samples.userIs("b"), Samples.amountAbove(5))
        let program = emitted(
            .sequence(Samples.sequence([Samples.step("x", event: .and([a, .and([c, b])]))])),
            .sequence(Samples.sequence([Samples.step("x", event: .and([b, a, c, a]))])),
            .sequence(Samples.sequence([Samples.step("x", event: .or([a, b]))])),
            .sequence(Samples.sequence([Samples.step("x", event: .or([b, a]))])))
        #expect(program.eventConditions.count == 2)
        let conditions = try program.rules.map { try sequence($0).steps[0].condition }
        #expect(conditions[0] == conditions[1])
        #expect(conditions[2] == conditions[3])
        #expect(conditions[0] != conditions[2])
    }

    @Test("a step's bit holds the condition of its `select` too")
    func inputConditions() throws {
        let (a, b) = (Samples.userIs("a"), Samples.amountAbove(5))
        let program = emitted(
            .sequence(Samples.sequence([Samples.step("x", event: b)], input: Samples.input(a))),
            .sequence(Samples.sequence([Samples.step("x", event: .and([b, a]))])),
            .sequence(Samples.sequence([Samples.step("x")], input: Samples.input(a))))
        let rules = try program.rules.map { try sequence($0) }
        #expect(rules[0].steps[0].condition == rules[1].steps[0].condition)
        #expect(rules[1].inputs[0].condition == nil)
        #expect(rules[2].steps[0].condition == rules[0].inputs[0].condition)
        #expect(program.eventConditions.count == 2)
    }

    @Test("rules that are off, and kinds that are not run, are left out; ids stay")
    func leftOut() {
        var off = Samples.rule(0, "off", .sequence(Samples.sequence([Samples.step("x")])))
        off.metadata.isEnabled = false
        let other = Samples.rule(
            1, "other",
            .metric(
                MetricPlan(
                    input: InputPlan(
                        name: "a", type: EventTypeID(rawValue: 0), condition: nil, key: []),
                    condition: nil, window: WindowPlan(.tumbling(.second)),
                    measures: [], forecasts: [], show: nil)))
        let on = Samples.rule(2, "on", .sequence(Samples.sequence([Samples.step("x")])))
        let program = emit([off, other, on], tables: Samples.tables)
        #expect(program.rules.map(\.id) == [RuleID(2)])
        #expect(program.code.instructions.isEmpty)
    }

    @Test("`mask` hides a key also where a step keeps it as a field")
    func masks() throws {
        var rule = Samples.rule(
            0, "r",
            .sequence(
                Samples.sequence([
                    Samples.step("x", captured: [Samples.host]), Samples.step("y"),
                ])))
        rule.emit.mask = [.key(0), .stepField(StepID(1), .only, Samples.user), .key(0)]
        let emit = try #require(emit([rule], tables: Samples.tables).rules.first).emit
        #expect(emit.maskedKeys == [0])
        #expect(
            emit.maskedFields == [
                .init(step: StepID(1), field: Samples.user),
                .init(step: StepID(0), field: Samples.host),
            ])
    }

    @Test("every kind of term becomes a sound program")
    func everyTerm() {
        let field = Term.field(Samples.user)
        let step = StepID(0)
        let terms: [Term] = [
            .stepField(step, .first, Samples.user), .stepList(step, Samples.user), .stepCount(step),
            .stepAggregate(.avg, step, Samples.amount), .key(0), .fact(.duration), .not(field),
            .pattern(field, "a+", ignoringCase: true),
            .member(field, of: .list([field]), ignoringCase: false),
            .inNetwork(field, field), .exists(field), .otherwise(field, .constant(.int(1))),
            .arithmetic(.add, .negate(field), field), .call(.max, [field, field]),
            .quantified(
                all: true, in: field, variable: 0,
                .compare(.less, .variable(0), field, ignoringCase: true)),
            .textTest(.like, field, .constant(.text("a*")), ignoringCase: true),
        ]
        var rule = Samples.rule(
            0, "r", .sequence(Samples.sequence([Samples.step("x", run: .or(terms))])))
        rule.unless = .and(terms)
        rule.emit.message = [.text("x"), .term(.list(terms), .plain)]
        let other = Samples.rule(
            1, "t",
            .threshold(
                Samples.threshold(
                    when: .compare(
                        .greater, .measure(0, .now), .measure(0, .earlier(.day)),
                        ignoringCase: false),
                    measures: [
                        MeasurePlan(
                            name: "m", function: .sum, argument: field, parameter: nil,
                            condition: .exists(field))
                    ])))
        #expect(emit([rule, other], tables: Samples.tables).faults == [])
    }

    @Test("a program with an index out of range is found faulty")
    func faults() throws {
        let sound = emitted(
            .sequence(Samples.sequence([Samples.step("x", event: Samples.userIs("a"))])))
        #expect(sound.faults == [])

        var forward = sound
        let last = forward.code.instructions.count - 1
        forward.code.instructions[last].a = Int32(last)
        #expect(forward.faults.count == 1)

        var condition = sound
        condition.eventConditions = []
        #expect(!condition.faults.isEmpty)

        var key = sound
        key.rules[0].emit.maskedKeys = [1]
        #expect(!key.faults.isEmpty)

        var read = sound
        read.code.instructions.append(Instruction(.stepCount, a: 7))
        read.rules[0].unless = CodeID(Int32(read.code.instructions.count - 1))
        #expect(!read.faults.isEmpty)
    }
}

@Suite struct SplitTests {
    @Test("each part of a conjunction goes to the side it needs")
    func split() {
        let (a, b) = (PlanSamples.userIs("a"), PlanSamples.amountAbove(5))
        let run = Term.compare(
            .equal, .field(PlanSamples.user), .stepField(StepID(0), .only, PlanSamples.user),
            ignoringCase: false)
        #expect(splitCondition(a) == (a, nil))
        #expect(splitCondition(run) == (nil, run))
        #expect(
            splitCondition(.and([a, run, .and([b, run])])) == (.and([a, b]), .and([run, run])))
        // A disjunction cannot be split: either side alone may make it true.
        #expect(splitCondition(.or([a, run])) == (nil, .or([a, run])))
    }
}
