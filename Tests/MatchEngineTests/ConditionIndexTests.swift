import RuleCompiler
import RuleModel
import TestKit
import Testing

@testable import MatchEngine

/// Many conditions that are found by the values of events must be judged as each one alone.
@Suite("Conditions found by an index") struct ConditionIndexTests {
    private static let fields = [
        Field(path: FieldPath(["a"]), column: 0, type: .text),
        Field(path: FieldPath(["b"]), column: 1, type: .unknown),
        Field(path: FieldPath(["c"]), column: 2, type: .number),
        Field(path: FieldPath(["d"]), column: 3, type: .unknown),
    ]

    private let texts = [
        "", "abc", "abcabc", "ABCDEF", "xx abc-17 yy", "straße 17", "STRASSE", "abd", "bcd-171",
        "K\u{212A}elvin", "kkelvin", "a*c?", "abcdefghijklmnop", "xabcdefghijklmnopx",
    ]

    @Test("what the index says is what each condition says", arguments: 1...12)
    func agrees(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var tables = RuleSetTables()
        tables.eventTypes = ["e", "f"]
        tables.columns = Self.fields.map(\.path)
        tables.fields = Self.fields
        var batch = EventBatch(source: 0, fieldCount: Self.fields.count)
        for index in 0..<150 {
            batch.append(
                type: EventTypeID(rawValue: UInt16(index % 3)), time: TestEvent.epoch,
                arrival: UInt64(index),
                fields: Self.fields.indices.map { ($0, value(&random)) })
        }
        let plans = (0..<60).map { index in
            var step = PlanSketch.step("x", 0)
            step.eventCondition = term(&random, depth: 2)
            step.captured = []
            var plan = PlanSketch.sequence([step], within: nil)
            plan.inputs = plan.inputs.map { input in
                var input = input
                input.type = EventTypeID(rawValue: UInt16(index % 2))
                input.key = []
                return input
            }
            var rule = PlanSketch.rule(plan)
            rule.id = RuleID(index)
            return rule
        }
        let program = emit(plans, tables: tables)
        let types = ConditionTypes(program: program).types
        let evaluator = TermEvaluator(program: program, environment: EngineEnvironment())
        let routes = program.rules.map { KeyRoute.routes(of: $0) }
        let columns = ColumnEvaluator(
            program: program, routes: routes, conditionTypes: types, conditionsMin: 1)
        let loaded = columns.load(batch, rows: 5..<140, with: evaluator)
        for row in 0..<batch.count {
            let event = Event(batch: loaded, row: row)
            let type = event.type
            func isMet(_ condition: Int) -> Bool {
                (5..<140).contains(row) && types[condition].contains(type)
                    && evaluator.holds(
                        program.eventConditions[condition], in: EventContext(event: event))
            }
            for condition in program.eventConditions.indices {
                let isFound = event.passes(ConditionID(Int32(condition)))
                #expect(isFound == isMet(condition), "row \(row), condition \(condition)")
            }
            func wants(_ route: KeyRoute) -> Bool {
                guard route.type == type, (5..<140).contains(row) else { return false }
                return route.conditions.contains { $0.map { isMet(Int($0.rawValue)) } ?? true }
            }
            let wanted = routes.indices.filter { routes[$0].contains(where: wants) }
            let candidates = loaded.candidates
            let found = candidates.places(of: row).map { candidates.rule(at: $0) }
            #expect(found == wanted)
            #expect(candidates.contains(row) == !wanted.isEmpty)
        }
    }

    private func value(_ random: inout RandomSource) -> Value {
        switch random.number(0...9) {
        case 0: .missing
        case 1: .int(Int64(random.number(0...4)))
        case 2: .float(Double(random.number(0...8)) / 2)
        case 3: .list([.text("abc"), .text("17"), .int(2)])
        case 4: .bool(true)
        default: .text(Text(random.pick(texts)))
        }
    }

    private func term(_ random: inout RandomSource, depth: Int) -> Term {
        if depth > 0, random.chance(60) {
            let parts = (0..<random.number(1...3)).map { _ in term(&random, depth: depth - 1) }
            switch random.number(0...6) {
            case 0: return .not(.and(parts))
            case 1, 2: return .or(parts)
            default: return .and(parts)
            }
        }
        let field = Term.field(FieldID(rawValue: Int32(random.number(0...3))))
        let text = Term.constant(.text(Text(random.pick(texts))))
        let ignoringCase = random.chance(40)
        switch random.number(0...6) {
        case 0:
            return .compare(
                random.pick(Comparison.allCases), field,
                .constant(.int(Int64(random.number(0...4)))), ignoringCase: false)
        case 1:
            return .compare(
                random.pick([.equal, .equal, .notEqual]), field, text, ignoringCase: ignoringCase)
        case 2:
            return .member(
                field, of: .constant(.list([.text("abc"), .text("abd")])),
                ignoringCase: ignoringCase)
        case 3:
            let like = random.pick(["*abc*17*", "abc?", "*kelvin", "a\\*c\\?", "*", "str*17"])
            return .textTest(
                .like, field, .constant(.text(Text(like))), ignoringCase: ignoringCase)
        case 4:
            let pattern = random.pick([
                "abc+d*", "(abc|xyz)def", "abc|171", "k+elvin", "(?i)abc", "abc{0,2}x?-17",
                "[abc]bcd-1\\d", "abc\\-17", "\\x61bc", "straß?e", "abc(?:def)?abc", "\\Qabc\\E",
                "bcd[]x]*-17", "abcdefghijklmno",
            ])
            return .pattern(field, pattern, ignoringCase: ignoringCase)
        default:
            return .textTest(
                random.pick([.contains, .startsWith, .endsWith]), field, text,
                ignoringCase: ignoringCase)
        }
    }

    @Test("an expression gives only literals that all its matches contain")
    func literals() {
        func pieces(_ source: String) -> [String] {
            PatternLiteral.ofExpression(Array(source.utf8)).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        #expect(pieces("--token-[0-9a-f]{8}") == ["--token-"])
        #expect(pieces("abcd?efg") == ["abc", "efg"])
        #expect(pieces("ab+cd") == ["ab", "cd"])
        #expect(pieces("^a\\.b$") == ["a.b"])
        #expect(pieces("abc(def)*ghi") == ["abc", "ghi"])
        #expect(pieces("abc[]d]efg\\d+hij") == ["abc", "efg", "hij"])
        #expect(pieces("abc|def") == [])
        #expect(pieces("abc(?i)def") == [])
        #expect(pieces("abc\\Qd|e\\E") == [])
        #expect(pieces("é*abc") == ["abc"])
        #expect(pieces("a{2}bcd{0,1}") == ["bc"])
    }
}
