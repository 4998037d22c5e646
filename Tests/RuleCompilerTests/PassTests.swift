import RuleCompiler
import RuleModel
import TestKit
import Testing

@Suite struct PassTests {
    private typealias Samples = PlanSamples

    private func condition(after passes: Term) throws -> Term? {
        let plan = optimised(
            Samples.rule(0, "r", .sequence(Samples.sequence([Samples.step("x", event: passes)]))))
        guard case .sequence(let sequence) = plan.pattern else { return nil }
        return sequence.steps[0].eventCondition
    }

    @Test("double negation, nesting, duplicates and constants disappear")
    func simplifying() throws {
        let (a, b) = (Samples.userIs("a"), Samples.amountAbove(5))
        #expect(try condition(after: .not(.not(a))) == a)
        #expect(
            try condition(after: .and([a, .and([b, a]), .constant(.bool(true))])) == .and([a, b]))
        #expect(try condition(after: .or([a, .or([a])])) == a)
        #expect(try condition(after: .or([a, .constant(.bool(true))])) == nil)
        #expect(
            try condition(after: .and([a, .constant(.bool(false))])) == .constant(.bool(false)))
        #expect(try condition(after: .and([a, b, .not(a)])) == .constant(.bool(false)))
        #expect(
            try condition(after: .not(a))
                == .compare(
                    .notEqual, .field(Samples.user), .constant(.text("a")), ignoringCase: false))
        // `not (amount > 5)` holds without an amount and `amount <= 5` does not (T6).
        #expect(try condition(after: .not(b)) == .not(b))
    }

    @Test("constants are worked out and stand on the right")
    func folding() throws {
        let sum = Term.arithmetic(.multiply, .constant(.int(60)), .constant(.int(24)))
        let mirrored = Term.compare(.less, sum, .field(Samples.amount), ignoringCase: false)
        #expect(
            try condition(after: mirrored)
                == .compare(
                    .greater, .field(Samples.amount), .constant(.int(1440)), ignoringCase: false))
        #expect(
            try condition(
                after: .compare(
                    .greater, .constant(.int(5)), .constant(.int(3)), ignoringCase: false)) == nil)
        // Division by zero has no answer, and only the engine says what that means.
        let division = Term.exists(.arithmetic(.divide, .constant(.int(1)), .constant(.int(0))))
        #expect(try condition(after: division) == division)
    }

    @Test("what is said of each element of a constant list is written out")
    func unrolling() throws {
        func has(_ part: Term) -> Term {
            .textTest(.contains, .field(Samples.user), part, ignoringCase: true)
        }
        let list = Term.constant(.list([.text("a"), .text("b")]))
        let (a, b) = (has(.constant(.text("a"))), has(.constant(.text("b"))))
        for (all, expected) in [(false, Term.or([a, b])), (true, .and([a, b]))] {
            #expect(
                try condition(
                    after: .quantified(all: all, in: list, variable: 0, has(.variable(0))))
                    == expected)
        }
        // An inner element keeps its place.
        let inner = Term.quantified(
            all: false, in: .field(Samples.user), variable: 1,
            .compare(.equal, .variable(1), .variable(0), ignoringCase: false))
        guard
            case .or(let parts)? = try condition(
                after: .quantified(all: false, in: list, variable: 0, inner))
        else {
            Issue.record("not unrolled")
            return
        }
        let expected = ["a", "b"].map { text in
            Term.quantified(
                all: false, in: .field(Samples.user), variable: 1,
                .compare(
                    .equal, .variable(1), .constant(.text(Text(text))), ignoringCase: false))
        }
        #expect(parts == expected)
    }

    @Test("`a and not a` stays in a threshold, where `a` may be unknown")
    func threeValued() throws {
        let high = Term.compare(
            .greater, .measure(0, .now), .constant(.int(3)), ignoringCase: false)
        let when = Term.or([.and([high, .not(high)]), .not(high)])
        let plan = optimised(
            Samples.rule(0, "r", .threshold(Samples.threshold(when: when, measures: []))))
        guard case .threshold(let threshold) = plan.pattern else {
            Issue.record("not a threshold")
            return
        }
        #expect(threshold.when == when)
    }

    @Test("what a pass makes event-only is judged per batch")
    func splitting() throws {
        let (a, b) = (Samples.userIs("a"), Samples.amountAbove(5))
        let other = Term.compare(
            .equal, .field(Samples.user), .stepField(StepID(0), .only, Samples.user),
            ignoringCase: false)
        let nested = Term.and([.not(.not(.and([other, a])))])
        let plan = optimised(
            Samples.rule(
                0, "r",
                .sequence(
                    Samples.sequence([Samples.step("x"), Samples.step("y", event: b, run: nested)]))
            ))
        guard case .sequence(let sequence) = plan.pattern else { return }
        #expect(sequence.steps[1].eventCondition == .and([b, a]))
        #expect(sequence.steps[1].runCondition == other)
    }

    @Test("`explain --passes` sees only the passes that changed something")
    func changedPasses() {
        let plain = Samples.rule(
            0, "r", .sequence(Samples.sequence([Samples.step("x", event: Samples.userIs("a"))])))
        #expect(passesThatChange(plain).isEmpty)
        let negated = Samples.rule(
            0, "r",
            .sequence(Samples.sequence([Samples.step("x", event: .not(.not(Samples.userIs("a"))))]))
        )
        #expect(passesThatChange(negated).map(\.pass) == ["simplify conditions"])
    }

    @Test("no pass changes a match", arguments: 0..<400)
    func meaning(seed: Int) {
        var random = RandomSource(seed: UInt64(seed))
        let plan: RulePlan
        if seed.isMultiple(of: 2) {
            plan = Samples.rule(
                0, "r",
                .sequence(
                    Samples.sequence([
                        Samples.step("x", event: randomCondition(&random, depth: 4, .event)),
                        Samples.step("y", run: randomCondition(&random, depth: 4, .run)),
                    ])))
        } else {
            plan = Samples.rule(
                0, "r",
                .threshold(
                    Samples.threshold(
                        when: randomCondition(&random, depth: 4, .window),
                        measures: [
                            MeasurePlan(
                                name: "m", function: .max, argument: .field(Samples.amount),
                                parameter: nil,
                                condition: randomCondition(&random, depth: 2, .event)),
                            MeasurePlan(
                                name: "n", function: .count, argument: nil, parameter: nil,
                                condition: nil),
                        ])))
        }
        var events: [ReferenceEvent] = []
        for index in 0..<12 {
            var fields: [FieldID: Value] = [Samples.host: .text("h")]
            if random.chance(70) { fields[Samples.user] = .text(random.pick(["a", "b"])) }
            if random.chance(70) { fields[Samples.amount] = .int(Int64(random.number(0...3))) }
            events.append(
                ReferenceEvent(
                    type: Samples.login,
                    time: Timestamp(nanoseconds: 0) + .second * Int64(index * 9),
                    arrival: UInt64(index), fields: fields))
        }
        let matcher = ReferenceMatcher(tables: Samples.tables)
        let end = Timestamp(nanoseconds: 0) + .hour
        var changed = plan
        for pass in Pass.all {
            let next = pass.run(changed)
            #expect(
                matcher.matches(of: changed, in: events, watermark: end)
                    == matcher.matches(of: next, in: events, watermark: end),
                "\(pass.name): \(changed.pattern) -> \(next.pattern)")
            changed = next
        }
    }

    private enum Place { case event, run, window }

    private func randomCondition(_ random: inout RandomSource, depth: Int, _ place: Place) -> Term {
        if depth > 0, random.chance(70) {
            let parts = (0..<random.number(1...3)).map { _ in
                randomCondition(&random, depth: depth - 1, place)
            }
            switch random.number(0...2) {
            case 0: return .and(parts)
            case 1: return .or(parts)
            default: return .not(parts[0])
            }
        }
        if random.chance(10) { return .constant(.bool(random.chance(50))) }
        let number: Term = .arithmetic(
            random.pick([.add, .subtract, .multiply]), .constant(.int(Int64(random.number(0...2)))),
            .constant(.int(1)))
        let left: Term
        switch place {
        case .window: left = .measure(random.number(0...1), .now)
        case .run where random.chance(40): left = .stepField(StepID(0), .only, Samples.amount)
        case .event, .run:
            if random.chance(30) {
                return random.pick([Samples.userIs("a"), .exists(.field(Samples.user))])
            }
            left = .field(Samples.amount)
        }
        let comparison = random.pick(Comparison.allCases)
        return random.chance(50)
            ? .compare(comparison, left, number, ignoringCase: false)
            : .compare(comparison, number, left, ignoringCase: false)
    }
}
