import RuleModel
import TestKit
import Testing

@testable import MatchEngine

@Suite("Evaluation") struct EvaluationTests {
    @Test("a condition comes out alike by column and by row, for whatever a field holds")
    func columnsAgreeWithRows() {
        var tables = PlanSketch.tables
        let kinds: [ValueType] = [
            .text, .number, .unknown, .ip, .bool, .enumeration(["x"]), .list(.text), .time,
        ]
        tables.columns = kinds.indices.map { FieldPath(["f\($0)"]) }
        tables.fields = kinds.enumerated().map { index, kind in
            Field(path: tables.columns[index], column: index, type: kind)
        }
        let values: [Value] = [
            .missing, .bool(true), .bool(false), .int(0), .int(3), .int(.max), .float(0.5),
            .float(3), .float(-1e300), .text(""), .text("x"), .text("X"), .text("Straße"),
            .text("STRASSE"), .text("axb"), .text("10.1.2.3"), .text("2001:db8::1"),
            .text("2026-01-02T03:04:05Z"), .list([.text("x"), .int(3)]), .list([]),
        ]
        var batch = EventBatch(source: 0, fieldCount: kinds.count)
        for index in 0..<200 {
            batch.append(
                type: EventTypeID(rawValue: UInt16(index % 2)), time: TestEvent.epoch,
                arrival: UInt64(index),
                fields: kinds.indices.map { ($0, values[(index / 2 + $0 * 7) % values.count]) })
        }
        // Objects, where nothing is declared, are their text.
        let object = Array(#"{"x":1}"#.utf8)
        for row in stride(from: 0, to: batch.count, by: 9) {
            batch.columns[2][row] = Cell(
                kind: .json, bits: UInt64(batch.bytes.count), length: UInt32(object.count))
        }
        batch.bytes += object
        for (number, term) in terms(kinds.count).enumerated() {
            var step = PlanSketch.step("x", 0)
            step.eventCondition = term
            step.captured = []
            var plan = PlanSketch.sequence([step], within: nil)
            plan.inputs = plan.inputs.map { input in
                var input = input
                input.key = []
                return input
            }
            let program = makeProgram(PlanSketch.rule(plan), tables)
            guard let condition = program.eventConditions.first else {
                Issue.record("no condition \(number)")
                continue
            }
            let evaluator = TermEvaluator(program: program, environment: EngineEnvironment())
            // Column by column, and with an index even for a single condition.
            for conditionsMin in [.max, 1] {
                let columns = ColumnEvaluator(
                    program: program, routes: [],
                    conditionTypes: ConditionTypes(program: program).types,
                    conditionsMin: conditionsMin)
                let loaded = columns.load(batch, rows: 3..<190, with: evaluator)
                for row in 0..<batch.count {
                    let event = Event(batch: loaded, row: row)
                    let isAsked = (3..<190).contains(row) && event.type.rawValue == 0
                    let expected =
                        isAsked && evaluator.holds(condition, in: EventContext(event: event))
                    #expect(
                        event.passes(ConditionID(0)) == expected,
                        "condition \(number), row \(row), \(conditionsMin): \(kinds.indices.map { event.value(FieldID(rawValue: Int32($0))) })"
                    )
                }
            }
        }
    }

    /// Conditions of every shape that has a column form, over every kind of field.
    private func terms(_ fieldCount: Int) -> [Term] {
        var terms: [Term] = []
        for index in 0..<fieldCount {
            let field = Term.field(FieldID(rawValue: Int32(index)))
            let constants: [Value] = [
                .int(3), .float(0.5), .int(.max), .text("x"), .text("straße"),
            ]
            for constant in constants {
                for comparison in Comparison.allCases {
                    for ignoringCase in [false, true] {
                        terms.append(
                            .compare(
                                comparison, field, .constant(constant), ignoringCase: ignoringCase))
                    }
                }
            }
            for test in TextTest.allCases {
                for part in ["", "x", "a*", "STRA"] {
                    terms.append(
                        .textTest(test, field, .constant(.text(part)), ignoringCase: part == "STRA")
                    )
                }
            }
            let list = Term.constant(.list([.text("x"), .text("axb")]))
            terms.append(.member(field, of: list, ignoringCase: false))
            terms.append(.not(.member(field, of: list, ignoringCase: true)))
            terms.append(
                .member(
                    field, of: .list([.constant(.int(3)), .constant(.text("x"))]),
                    ignoringCase: false))
            terms.append(.pattern(field, "^a.b$", ignoringCase: false))
            terms.append(.exists(field))
            terms.append(.not(.exists(field)))
            if let network = IPNetwork("10.0.0.0/8") {
                terms.append(.inNetwork(field, .constant(.network(network))))
            }
            let other = Term.field(FieldID(rawValue: Int32((index + 1) % fieldCount)))
            terms.append(.compare(.equal, field, other, ignoringCase: false))
            terms.append(.and([.exists(field), .not(.exists(other))]))
            terms.append(.or([.not(.exists(field)), .exists(other), .constant(.bool(false))]))
            terms.append(field)
        }
        return terms
    }

    @Test("T6 the plain logic and the three-valued one on missing values")
    func missing() {
        let v = Term.field(FieldID(rawValue: 1))
        let one = Term.constant(.int(1))
        func outcome(_ term: Term) -> (Bool, Bool?) {
            var step = PlanSketch.step("x", 0)
            step.runCondition = term
            let program = PlanSketch.program(
                PlanSketch.rule(PlanSketch.sequence([step], within: nil)))
            guard case .sequence(let sequence) = program.rules[0].pattern,
                let code = sequence.steps[0].runCondition
            else { return (false, nil) }
            let evaluator = TermEvaluator(program: program, environment: EngineEnvironment())
            struct Nothing: TermContext {}
            return (
                evaluator.holds(code, in: Nothing()), evaluator.judge(code, in: Nothing())
            )
        }
        let equal = PlanSketch.compare(.equal, v, one)
        #expect(outcome(equal) == (false, nil))
        #expect(outcome(PlanSketch.compare(.notEqual, v, one)) == (true, nil))
        #expect(outcome(.not(equal)) == (true, nil))
        #expect(outcome(PlanSketch.compare(.less, v, one)) == (false, nil))
        #expect(outcome(.exists(v)) == (false, false))
        #expect(outcome(.and([equal, .constant(.bool(false))])) == (false, false))
        #expect(outcome(.or([equal, .constant(.bool(true))])) == (true, true))
        #expect(outcome(.or([equal, .constant(.bool(false))])) == (false, nil))
        let byZero = Term.arithmetic(.divide, one, .constant(.int(0)))
        #expect(outcome(PlanSketch.compare(.greater, byZero, one)) == (false, nil))
        #expect(outcome(PlanSketch.compare(.equal, .otherwise(v, one), one)) == (true, true))
    }

    @Test("T7 whole numbers and decimals compare by value, exactly")
    func numbers() {
        #expect(Comparisons.equal(.int(2), .float(2)) == true)
        // As a decimal the first would be rounded to the second.
        #expect(
            Comparisons.equal(.int(9_007_199_254_740_993), .float(9_007_199_254_740_992)) == false)
        #expect(Comparisons.order(.int(.max), .float(9.3e18)) == -1)
        #expect(Comparisons.order(.int(.min), .float(-9.3e18)) == 1)
        #expect(Comparisons.order(.float(2.5), .int(2)) == 1)
        #expect(Comparisons.order(.int(1), .text("1")) == nil)
        #expect(Numbers.apply(.add, .int(.max), .int(1)) == .float(9.223372036854775808e18))
        #expect(Numbers.apply(.divide, .int(7), .int(2)) == .float(3.5))
        #expect(Numbers.apply(.divide, .int(6), .int(2)) == .int(3))
        #expect(Numbers.apply(.divide, .int(1), .float(0)) == .missing)
        #expect(Numbers.apply(.remainder, .int(.min), .int(-1)) == .float(0))
        #expect(Numbers.negated(.int(.min)) == .float(9.223372036854775808e18))
    }

    @Test("text folds by simple case folding")
    func folding() {
        #expect(CaseFolding.folded("ÀÉ Straße ΣΊΣΥΦΟΣ ς K") == "àé straße σίσυφοσ σ k")
        #expect(CaseFolding.folded("\u{1E9E}") == "ß")
        #expect(CaseFolding.folded("İ") == "İ")
        #expect(Comparisons.equal(.text("ſ"), .text("S"), ignoringCase: true) == true)
        #expect(Comparisons.equal(.text("é"), .text("e\u{301}")) == false)
    }

    @Test(
        "like takes a star for any text and a question mark for one character",
        arguments: [
            ("*", "", true), ("a*", "abc", true), ("*c", "abc", true), ("a?c", "aéc", true),
            ("a?c", "ac", false), ("*b*b*", "abab", true), ("*b*b*b*", "abab", false),
            ("a\\*c", "a*c", true), ("a\\*c", "abc", false), ("??", "é1", true), ("", "", true),
            ("", "a", false), ("a**", "a", true), ("*é", "xé", true), ("\\", "\\", true),
        ])
    func like(_ pattern: String, _ text: String, _ fits: Bool) {
        #expect(TextTests.holds(.like, Text(text), Text(pattern), ignoringCase: false) == fits)
    }

    @Test("a hostile pattern of stars takes no exponential time")
    func hostileLike() {
        let pattern = String(repeating: "a*", count: 50) + "b"
        let text = String(repeating: "a", count: 2000)
        #expect(!TextTests.holds(.like, Text(text), Text(pattern), ignoringCase: false))
    }

    @Test(
        "addresses are read as written and printed in the usual form",
        arguments: [
            ("1.2.3.4", "1.2.3.4"), ("::ffff:1.2.3.4", "1.2.3.4"), ("::", "::"), ("::1", "::1"),
            ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("1::", "1::"),
            ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
            ("01.2.3.4", nil), ("1.2.3", nil), ("1.2.3.256", nil), ("1.2.3.4.5", nil), (":1", nil),
            ("1:::2", nil), ("1::2::3", nil), ("1:2:3:4:5:6:7", nil), ("1:2:3:4:5:6:7:8:9", nil),
            ("12345::", nil), ("::1:", nil), ("", nil), ("1:2:3:4:5:6:7:8::", nil), ("g::", nil),
            ("1.2.3.4:80", nil), ("::1.2.3.4:1", nil),
        ] as [(String, String?)])
    func addresses(_ text: String, _ printed: String?) {
        #expect(IPAddress(text)?.description == printed)
    }

    @Test("networks hold their addresses")
    func networks() throws {
        let network = try #require(IPNetwork("10.1.0.0/16"))
        #expect(network.contains(try #require(IPAddress("10.1.255.1"))))
        #expect(!network.contains(try #require(IPAddress("10.2.0.1"))))
        #expect(network.description == "10.1.0.0/16")
        #expect(IPNetwork("10.0.0.0/33") == nil)
        #expect(IPNetwork("::/129") == nil)
        #expect(IPNetwork("10.0.0.0/") == nil)
        #expect(IPNetwork("10.0.0.0/+8") == nil)
        #expect(IPNetwork("2001:db8::/32")?.description == "2001:db8::/32")
    }

    @Test("messages print numbers and durations shortly")
    func messages() {
        #expect(ValueText.plain(.float(2)) == "2")
        #expect(ValueText.plain(.float(1.23456)) == "1.235")
        #expect(ValueText.plain(.float(-0.0001)) == "0")
        #expect(ValueText.plain(.float(-12.5)) == "-12.5")
        #expect(ValueText.plain(.float(-0.25)) == "-0.25")
        #expect(ValueText.plain(.float(7.003)) == "7.003")
        #expect(ValueText.plain(.float(0.02)) == "0.02")
        #expect(ValueText.plain(.float(1e20)) == "1e+20")
        #expect(ValueText.plain(.span(.second * 150)) == "2m30s")
        #expect(ValueText.plain(.span(TimeSpan(nanoseconds: 1_234_567_890))) == "1.235s")
        #expect(ValueText.plain(.span(TimeSpan(nanoseconds: 61_400_000_000))) == "1m1s")
        #expect(ValueText.plain(.list([.int(1), .text("a")])) == "1, a")
        let berlin = ZoneTable(transitions: [.init(start: .min, offset: 3600)])
        #expect(
            ValueText.local(TestEvent.epoch, in: berlin) == "2026-01-01T01:00:00+01:00")
    }

    @Test("functions compute what their documentation says")
    func functions() {
        func call(_ function: Function, _ arguments: Value...) -> Value {
            Functions.call(function, arguments)
        }
        #expect(call(.abs, .int(-3)) == .int(3))
        #expect(call(.round, .float(2.5)) == .int(3))
        #expect(call(.floor, .float(-2.5)) == .int(-3))
        #expect(call(.ceil, .float(2.1)) == .int(3))
        #expect(call(.sqrt, .int(-1)) == .missing)
        #expect(call(.max, .int(1), .float(2.5)) == .float(2.5))
        #expect(call(.min, .int(1), .missing) == .missing)
        #expect(call(.hours, .span(.minute * 90)) == .float(1.5))
        #expect(call(.length, .text("aé🙂")) == .int(3))
        #expect(call(.number, .text("1.5")) == .float(1.5))
        #expect(call(.text, .float(2)) == .text("2"))
        #expect(call(.hourOfDay, .time(Timestamp(nanoseconds: -1))) == .int(23))
        #expect(call(.dayOfWeek, .time(TestEvent.epoch)) == .int(4))
        #expect(call(.listAvg, .list([.int(1), .int(2)])) == .float(1.5))
        #expect(call(.listDistinct, .list([.int(1), .float(1), .text("1")])) == .int(2))
        guard
            case .float(let distance) = call(
                .geoKilometres, .float(52.52), .float(13.405), .float(48.8566), .float(2.3522))
        else {
            Issue.record("no distance")
            return
        }
        #expect((distance - 877.46).magnitude < 1)
        #expect(call(.geoKilometres, .int(91), .int(0), .int(0), .int(0)) == .missing)
    }

    @Test("times, durations and lists in fields are read as declared")
    func fields() {
        func read(_ text: String, _ type: ValueType, json: Bool = false) -> Value {
            let bytes = Array(text.utf8)
            let cell = Cell(kind: json ? .json : .text, bits: 0, length: UInt32(bytes.count))
            return CellReader.value(cell, as: type, bytes: bytes)
        }
        #expect(
            read("1970-01-01T01:00:00.5+01:00", .time) == .time(Timestamp(nanoseconds: 500_000_000))
        )
        #expect(read("1970-02-30T00:00:00Z", .time) == .missing)
        #expect(read("1h30m", .span) == .span(.minute * 90))
        #expect(read("90", .span) == .missing)
        #expect(
            read(#"["a\u00e9\n", null, 1, {"b":[1,"]"]}, "c"]"#, .list(.text), json: true)
                == .list([.text("aé\n"), .text("c")]))
        #expect(
            read(#"[1, 2.5, [true], "\ud83d\ude42"]"#, .unknown, json: true)
                == .list([.int(1), .float(2.5), .list([.bool(true)]), .text("🙂")]))
        #expect(read(String(repeating: "[", count: 1000), .unknown, json: true) == .missing)
        #expect(read(#"{"a":1}"#, .text, json: true) == .missing)
    }
}
