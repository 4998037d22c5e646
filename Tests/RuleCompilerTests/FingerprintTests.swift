import RuleCompiler
import RuleModel
import Testing

@Suite struct FingerprintTests {
    private typealias Samples = PlanSamples

    private func rule(_ condition: Term = PlanSamples.userIs("a")) -> RulePlan {
        Samples.rule(
            0, "r",
            .sequence(Samples.sequence([Samples.step("x", event: condition), Samples.step("y")])))
    }

    private func marks(_ plan: RulePlan, _ tables: RuleSetTables = PlanSamples.tables) -> [UInt64] {
        let plan = plan.fingerprinted(tables: tables)
        return [plan.fingerprint, plan.shape]
    }

    @Test("other rules, which move every index, change nothing")
    func otherRules() {
        // The same rule behind one that reads other fields and event types.
        var tables = RuleSetTables()
        tables.eventTypes = ["other", "login"]
        tables.columns = [FieldPath(["zone"])] + Samples.tables.columns
        tables.fields = [Field(path: FieldPath(["zone"]), column: 0, type: .text)]
        tables.fields += Samples.tables.fields.map {
            Field(path: $0.path, column: $0.column + 1, type: $0.type)
        }
        func moved(_ field: FieldID) -> FieldID { FieldID(rawValue: field.rawValue + 1) }
        var sequence = Samples.sequence([
            Samples.step(
                "x",
                event: .compare(
                    .equal, .field(moved(Samples.user)), .constant(.text("a")), ignoringCase: false)
            ),
            Samples.step("y"),
        ])
        sequence.inputs[0].type = EventTypeID(rawValue: 1)
        sequence.inputs[0].key = [moved(Samples.host)]
        let plan = Samples.rule(7, "r", .sequence(sequence))
        #expect(marks(plan, tables) == marks(rule()))
    }

    @Test("the order of `and` changes nothing")
    func order() {
        let (a, b) = (Samples.userIs("a"), Samples.amountAbove(5))
        #expect(marks(rule(.and([a, b]))) == marks(rule(.and([b, a]))))
        #expect(marks(rule(.and([a, b]))) != marks(rule(.or([a, b]))))
    }

    @Test("metadata, message and routing change the fingerprint and not the shape")
    func metadata() {
        let before = marks(rule())
        var plan = rule()
        plan.metadata.severity = .high
        plan.emit.message = [.text("hello")]
        plan.emit.sinks = ["soc"]
        let after = marks(plan)
        #expect(after[0] != before[0])
        #expect(after[1] == before[1])
    }

    @Test("conditions, names, types, keys, windows and policies are shape")
    func shape() throws {
        let before = marks(rule())[1]
        #expect(marks(rule(Samples.userIs("b")))[1] != before)
        func changed(_ change: (inout SequencePlan) -> Void) throws -> UInt64 {
            var plan = rule()
            guard case .sequence(var sequence) = plan.pattern else { return before }
            change(&sequence)
            plan.pattern = .sequence(sequence)
            return marks(plan)[1]
        }
        #expect(try changed { _ in } == before)
        #expect(try changed { $0.steps[0].name = "z" } != before)
        #expect(try changed { $0.steps[0].minimum = 0 } != before)
        #expect(try changed { $0.within = .hour } != before)
        #expect(try changed { $0.overlap = .each } != before)
        #expect(try changed { $0.inputs[0].key = [Samples.user] } != before)
        #expect(try changed { $0.elements[1].immediately = true } != before)
        #expect(try changed { $0.steps[0].captured = [Samples.user] } == before)
        var tables = Samples.tables
        tables.fields[0].type = .ip
        tables.eventTypes = ["logon"]
        #expect(marks(rule(), tables)[1] != before)
    }

    @Test("limits of a threshold are no shape; its window and measures are")
    func threshold() {
        let measure = MeasurePlan(
            name: "m", function: .sum, argument: .field(Samples.amount), parameter: nil,
            condition: nil)
        func plan(_ limit: Int64, _ change: (inout ThresholdPlan) -> Void = { _ in }) -> RulePlan {
            var threshold = Samples.threshold(
                when: .compare(
                    .greater, .measure(0, .now), .constant(.int(limit)), ignoringCase: false),
                measures: [measure])
            change(&threshold)
            return Samples.rule(0, "r", .threshold(threshold))
        }
        let before = marks(plan(3))
        #expect(marks(plan(4))[0] != before[0])
        #expect(marks(plan(4))[1] == before[1])
        #expect(marks(plan(3) { $0.holdFor = .minute })[1] == before[1])
        #expect(marks(plan(3) { $0.window.kind = .sliding(.hour) })[1] != before[1])
        #expect(marks(plan(3) { $0.measures[0].function = .avg })[1] != before[1])
        // Looking back needs history that was not kept before.
        #expect(
            marks(
                plan(3) {
                    $0.when = .compare(
                        .greater, .measure(0, .now), .measure(0, .previous), ignoringCase: false)
                })[1] != before[1])
    }
}

@Suite struct BoundTests {
    private typealias Samples = PlanSamples

    private func bound(
        _ steps: [StepPlan], engine: EnginePlan = EnginePlan(),
        _ change: (inout SequencePlan) -> Void = { _ in }
    ) -> StateBound {
        var sequence = Samples.sequence(steps)
        change(&sequence)
        return bounded(
            Samples.rule(0, "r", .sequence(sequence)), tables: Samples.tables,
            engine: engine
        ).bound
    }

    @Test("a rule that one event decides keeps nothing")
    func stateless() {
        let bound = bound([Samples.step("x")])
        #expect(bound.runsPerKey == 0)
        #expect(bound.bytesPerKey == 0)
    }

    @Test("runs follow from the policy, events from the quantities, bytes from the captured fields")
    func policies() {
        let steps = [Samples.step("x"), Samples.step("y")]
        #expect(bound(steps).runsPerKey == 1)
        #expect(bound(steps).eventsPerRun == 1000)
        #expect(bound(steps) { $0.overlap = .latest }.runsPerKey == 1)
        #expect(bound(steps) { $0.overlap = .latest }.eventsPerRun == 2)
        #expect(bound(steps) { $0.overlap = .each }.runsPerKey == 1000)
        #expect(
            bound(steps) {
                $0.overlap = .each; $0.runLimit = 7
            }.runsPerKey == 7)
        let many = [Samples.step("x", minimum: 3000, maximum: nil), Samples.step("y")]
        #expect(bound(many).eventsPerRun == 6002)
        let heavy = [
            Samples.step("x", captured: [Samples.user, Samples.amount]), Samples.step("y"),
        ]
        // Two values of 24 bytes at least in each of 1,000 events.
        #expect(bound(heavy).bytesPerKey >= bound(steps).bytesPerKey + 48_000)
    }

    @Test("keys are those of the engine block, or 100,000; one without a key")
    func keys() {
        #expect(bound([Samples.step("x")]).keys == 100_000)
        var engine = EnginePlan()
        engine.keysPerRule = 50
        #expect(bound([Samples.step("x")], engine: engine).keys == 50)
        var plan = Samples.rule(0, "r", .sequence(Samples.sequence([Samples.step("x")])))
        plan.keyNames = []
        #expect(bounded(plan, tables: Samples.tables, engine: engine).bound.keys == 1)
    }

    @Test("events of a key are those of the engine block, more where the rule needs them")
    func events() {
        var engine = EnginePlan()
        engine.eventsPerKey = 20
        let steps = [Samples.step("x"), Samples.step("y")]
        #expect(bound(steps, engine: engine).eventsPerRun == 20)
        let many = [Samples.step("x", minimum: 30, maximum: nil), Samples.step("y")]
        #expect(bound(many, engine: engine).eventsPerRun == 62)
    }

    @Test("absurd quantities do not overflow")
    func absurd() {
        let steps = [
            Samples.step("x", minimum: .max, maximum: .max),
            Samples.step("y", minimum: .max, maximum: nil),
        ]
        let bound = bound(steps) { $0.runLimit = .max }
        #expect(bound.bytesPerKey == .max)
    }
}
