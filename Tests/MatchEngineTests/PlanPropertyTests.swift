import Foundation
import MatchEngine
import RuleModel
import TestKit
import Testing

/// Random plans against the reference matcher, also of shapes that are rarely written.
@Suite("Random plans") struct PlanPropertyTests {
    @Test("the engine finds what the reference matcher finds", arguments: 0..<16)
    func agreesWithReference(_ part: Int) {
        // `CASES=n` tries more.
        let asked = ProcessInfo.processInfo.environment["CASES"].flatMap { UInt64($0) }
        let count = max(1, (asked ?? 1600) / 16)
        for seed in UInt64(part) * count..<UInt64(part + 1) * count {
            var maker = PlanMaker(random: RandomSource(seed: seed))
            let rule = PlanSketch.rule(maker.makeSequence())
            let events = maker.makeEvents()
            let end = (events.last?.time ?? .zero) + .second * Int64(maker.random.number(0...12))
            let watermark = TestEvent.epoch + end + TimeSpan(nanoseconds: 1)
            let found = inOrder(
                EngineRun().alerts(
                    of: PlanSketch.program(rule), lists: [], events: events, end: watermark
                ).map { TestRecord($0) }
            ).map(\.description)
            let matcher = ReferenceMatcher(tables: PlanSketch.tables)
            let matches = matcher.matches(
                of: rule, in: makeReferenceEvents(events, tables: PlanSketch.tables),
                watermark: watermark)
            let numbers = events.map { plainText($0.fields["n"] ?? .missing) }
            let expected = inOrder(
                matches.map { TestRecord($0, plan: rule, numbers: numbers) }
            ).map(\.description)
            if found != expected {
                Issue.record(
                    """
                    seed \(seed)
                    \(describe(rule))
                    \(events.map(\.description).joined(separator: "\n"))
                    end \(end)
                    expected \(expected.joined(separator: "\n         "))
                    found    \(found.joined(separator: "\n         "))
                    """)
                return
            }
        }
    }

    private func describe(_ rule: RulePlan) -> String {
        guard case .sequence(let plan) = rule.pattern else { return "" }
        var text = "overlap \(plan.overlap) restart \(plan.restartsOnRepeat)"
        text += " within \(plan.within?.description ?? "-")"
        text += " resume \(plan.resumeAt?.rawValue ?? -1) until \(plan.until?.rawValue ?? -1)\n"
        for step in plan.steps {
            text +=
                "\(step.name): \(step.input) \(step.minimum)-\(step.maximum.map { "\($0)" } ?? "*")"
            text += step.isRepeated ? " repeated" : ""
            text += step.isReluctant ? " reluctant" : ""
            text += " gap \(step.gapLimit?.description ?? "-")"
            if let condition = step.eventCondition { text += " where \(condition)" }
            if let condition = step.runCondition { text += " and \(condition)" }
            text += "\n"
        }
        for element in plan.elements { text += "\(element)\n" }
        return text
    }
}

/// Makes random sequences and streams.
struct PlanMaker {
    var random: RandomSource

    mutating func makeEvents() -> [TestEvent] {
        var events: [TestEvent] = []
        var second: Int64 = 1
        for number in 1...random.number(2...12) {
            second += Int64(random.pick([0, 0, 0, 1, 1, 1, 2, 3]))
            var fields: [String: Value] = [
                "n": .int(Int64(number)), "k": .text(random.chance(85) ? "p" : "q"),
            ]
            if random.chance(85) { fields["v"] = .int(Int64(random.number(0...3))) }
            if random.chance(80) { fields["u"] = .text(random.pick(["x", "y"])) }
            events.append(
                TestEvent(random.pick(["a", "a", "b", "b", "c"]), at: .second * second, fields))
        }
        return events
    }

    mutating func makeSequence() -> SequencePlan {
        var steps: [StepPlan] = []
        var elements: [ElementPlan] = []
        let policy = random.number(0...9)
        // Repeats, groups and limits that the run policies leave open are not compared there.
        let isPlain = policy == 8
        let isRun = policy >= 6
        func id() -> StepID { StepID(steps.count - 1) }
        if random.chance(8) {
            steps.append(makeStep("before", []))
            steps[0].runCondition = nil
            elements.append(ElementPlan(.absence(id(), .second * Int64(random.number(1...4)))))
        }
        let count = random.number(1...4)
        var taken: [Int] = []
        for index in 0..<count {
            let (isFirst, isLast) = (index == 0, index == count - 1)
            if !isFirst, random.chance(15) {
                steps.append(makeStep("without\(index)", taken))
                elements.append(ElementPlan(.without(id())))
            }
            if !isPlain, random.chance(12) {
                let isAll = random.chance(60)
                var parts: [ElementPlan] = []
                var added: [Int] = []
                for part in 0..<random.number(2...3) {
                    steps.append(makeStep("g\(index)\(part)", taken + (isAll ? added : [])))
                    added.append(steps.count - 1)
                    parts.append(ElementPlan(.step(id())))
                }
                taken += added
                elements.append(
                    ElementPlan(
                        isAll ? .all(parts) : .any(parts),
                        immediately: !isFirst && random.chance(10)))
                continue
            }
            var step = makeStep("s\(index)", taken)
            if !isPlain, random.chance(40) {
                let bounds: [(Int, Int?)] = [
                    (1, nil), (2, nil), (2, nil), (3, nil), (2, 2), (1, 2), (2, 3), (0, nil),
                    (0, 1),
                ]
                let (minimum, maximum) = random.pick(bounds)
                let isAllowed =
                    (minimum > 0 || !(isFirst || isLast))
                    && !(policy == 9 && isFirst && maximum != nil)
                if isAllowed {
                    step.minimum = minimum
                    step.maximum = maximum
                    step.isRepeated = !(minimum == 0 && maximum == 1)
                    step.isReluctant = !isRun && step.isRepeated && random.chance(20)
                    if step.isRepeated, random.chance(25) {
                        step.runCondition = selfCondition(StepID(steps.count))
                    }
                }
            }
            if !isFirst, random.chance(15) { step.gapLimit = .second * Int64(random.number(1...4)) }
            let isImmediate = !isFirst && step.minimum > 0 && random.chance(12)
            steps.append(step)
            taken.append(steps.count - 1)
            elements.append(ElementPlan(.step(id()), immediately: isImmediate))
        }
        let last = steps.count - 1
        if random.chance(18) {
            steps.append(makeStep("after", taken))
            elements.append(ElementPlan(.absence(id(), .second * Int64(random.number(1...4)))))
        }
        var until: StepID?
        if random.chance(15) {
            steps.append(makeStep("until", taken))
            until = id()
        }
        let within = random.chance(90) ? Int64(random.number(1...12)) : nil
        var plan = PlanSketch.sequence(steps, elements, within: within)
        plan.until = until
        if within == nil { plan.runLimit = 1000 }
        switch policy {
        case 4: plan.overlap = .all(limit: random.number(1...3))
        case 5: plan.overlap = .all(limit: 100)
        case 6, 7: plan.overlap = .each
        case 8: plan.overlap = .latest
        case 9: plan.restartsOnRepeat = true
        default:
            if random.chance(10), steps[last].maximum == 1 { plan.resumeAt = StepID(last) }
        }
        return plan
    }

    private mutating func makeStep(_ name: String, _ earlier: [Int]) -> StepPlan {
        var step = PlanSketch.step(name, random.pick([0, 0, 1, 1, 2]))
        if random.chance(30) {
            step.eventCondition = PlanSketch.compare(
                random.pick([.equal, .notEqual, .greater]), .field(PlanSketch.number),
                .constant(.int(Int64(random.number(0...2)))))
        }
        if !earlier.isEmpty, random.chance(25) {
            let other = StepID(random.pick(earlier))
            let terms: [Term] = [
                PlanSketch.compare(
                    .equal, .field(PlanSketch.number),
                    .stepField(other, .only, PlanSketch.number)),
                PlanSketch.compare(
                    .notEqual, .field(PlanSketch.number),
                    .stepField(other, .last, PlanSketch.number)),
                .member(
                    .field(PlanSketch.number), of: .stepList(other, PlanSketch.number),
                    ignoringCase: false),
                PlanSketch.compare(.greater, .stepCount(other), .constant(.int(1))),
                PlanSketch.compare(
                    .equal, .field(PlanSketch.text), .stepField(other, .first, PlanSketch.text)),
                PlanSketch.compare(
                    .less, .field(PlanSketch.number),
                    .stepAggregate(.sum, other, PlanSketch.number)),
            ]
            step.runCondition = random.pick(terms)
        }
        return step
    }

    private mutating func selfCondition(_ own: StepID) -> Term {
        random.pick([
            PlanSketch.compare(
                .less, .stepCount(own), .constant(.int(Int64(random.number(1...3))))),
            .not(
                .member(
                    .field(PlanSketch.number), of: .stepList(own, PlanSketch.number),
                    ignoringCase: false)),
        ])
    }
}
