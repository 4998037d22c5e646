import RuleModel

/// A rule and a stream for it.
public struct GeneratedCase: Sendable, Equatable {
    public var seed: UInt64
    public var rule: GeneratedRule
    /// In order of arrival, which is mostly that of time.
    public var events: [TestEvent]
    /// How far event time goes in the end.
    public var end: TimeSpan
}

/// Makes small random rules and streams: few fields with tiny alphabets and many ties in time, so
/// that rare orders of events are not rare.
public struct Generator {
    public enum Kind: Sendable { case sequence, threshold, correlation, condition }

    private var random: RandomSource
    private let seed: UInt64

    public init(seed: UInt64) {
        self.seed = seed
        random = RandomSource(seed: seed)
    }

    /// The case of this generator's seed.
    public mutating func makeCase(_ kind: Kind) -> GeneratedCase {
        let key: [String] = random.pick([["k"], ["k"], ["k"], [], ["k", "u"]])
        let pattern: GeneratedRule.Pattern =
            switch kind {
            case .sequence: .sequence(makeSequence(key: key))
            case .threshold: .threshold(makeThreshold(key: key))
            case .correlation: .correlation(makeCorrelation(key: key))
            case .condition: .condition(makeCondition())
            }
        var rule = GeneratedRule(key: key, pattern: pattern)
        if case .threshold(let threshold) = pattern, threshold.isListed { rule.key = ["k"] }
        if kind == .condition { return makeConditionCase(rule) }
        var events = makeStream(kind == .sequence ? random.number(2...11) : random.number(1...14))
        if case .correlation(let correlation) = pattern {
            // An update a minute needs minutes.
            let scale = correlation.scale
            for index in events.indices { events[index].time = events[index].time * scale }
        }
        let last = events.map(\.time).max() ?? .zero
        let end = last + TimeSpan(nanoseconds: 1) + .second * Int64(random.pick([0, 0, 2, 5, 30]))
        return GeneratedCase(seed: seed, rule: rule, events: events, end: end)
    }

    private mutating func makeCondition() -> String {
        var generator = ConditionGenerator(random: random)
        return generator.condition(2)
    }

    private func makeConditionCase(_ rule: GeneratedRule) -> GeneratedCase {
        var generator = ConditionGenerator(random: RandomSource(seed: seed ^ 0x6576_656e_7473))
        let events = (1...40).map { number in
            TestEvent("e", at: .second * Int64(number), generator.fields(number))
        }
        return GeneratedCase(
            seed: seed, rule: GeneratedRule(key: [], pattern: rule.pattern), events: events,
            end: .second * 50)
    }

    // MARK: - Streams

    private mutating func makeStream(_ count: Int) -> [TestEvent] {
        var events: [TestEvent] = []
        var second = Int64(random.number(0...3))
        let isDisordered = random.chance(12)
        for number in 1...count {
            second += Int64(random.pick([0, 0, 0, 0, 1, 1, 1, 2, 3, random.chance(20) ? 9 : 1]))
            var fields: [String: Value] = ["n": .int(Int64(number))]
            // A missing key belongs to no key (T6).
            if !random.chance(2) { fields["k"] = .text(random.chance(80) ? "p" : "q") }
            if random.chance(85) { fields["v"] = makeNumber() }
            if random.chance(80) { fields["u"] = .text(random.pick(["x", "y", "X"])) }
            // The wrong type compares as missing (T7).
            if random.chance(2) { fields["u"] = .int(1) }
            if random.chance(2) { fields["v"] = .text("1") }
            if random.chance(50) { fields["x.y"] = makeNumber() }
            // Now and then one arrives behind its time (T2).
            let delay = isDisordered && random.chance(25) ? Int64(random.number(1...3)) : 0
            let time = TimeSpan.second * max(0, second - delay)
            events.append(TestEvent(random.pick(["a", "a", "b", "b", "c"]), at: time, fields))
        }
        return events
    }

    private mutating func makeNumber() -> Value {
        random.chance(90)
            ? .int(Int64(random.number(0...3))) : .float(random.pick([0.5, 1.0, 2.5]))
    }

    // MARK: - Correlations

    private mutating func makeCorrelation(key: [String]) -> GeneratedCorrelation {
        let scale = random.pick([1, 1, 1, 15])
        let names =
            random.chance(60)
            ? ["m0", "m1"]
            : random.chance(70)
                ? ["m0", "m1", "m2"]
                : ["m0", "m1", "m2", "m3"]
        var members = names.map { makeStep($0, [], key: key) }
        let within = random.pick([0, 1, 2, 3, 4, 6, 9]) * scale
        var clauses: [String] = []
        if random.chance(35) {
            clauses.append("at least \(random.number(1...names.count)) of them")
        }
        var shuffled = names
        for place in names.indices {
            shuffled.swapAt(place, random.number(place...names.count - 1))
        }
        if random.chance(40) {
            clauses.append(
                "order "
                    + shuffled.prefix(random.number(2...names.count))
                    .joined(separator: ", "))
        }
        while random.chance(30), clauses.count < 4 {
            let first = random.number(0...names.count - 2)
            let second = random.number(first + 1...names.count - 1)
            clauses.append(
                "\(shuffled[first]) before \(shuffled[second]) within "
                    + "\(max(1, random.number(0...4) * scale))s")
        }
        if random.chance(40) { clauses.append(makeStrength(names, scale: scale, &members)) }
        if random.chance(25) { clauses.append("once per event") }
        return GeneratedCorrelation(
            within: max(1, within), members: members, clauses: clauses, scale: Int64(scale))
    }

    private mutating func makeStrength(
        _ names: [String], scale: Int, _ members: inout [GeneratedStep]
    ) -> String {
        let limit = random.pick(["0", "0", "0.5", "1", "1.5", "2"])
        let over = random.pick([5, 8, 12, 20, 40])
        if random.chance(60) {
            let isPooled = random.chance(30)
            // An event of two keys would come to the pool twice.
            if isPooled { for index in members.indices { members[index].alias = nil } }
            let lag = random.number(1...4)
            return
                "strength lift(\(names[1]) after \(names[0]) within \(lag * scale)s) >= \(limit) "
                + "over \(over * scale)s with at least \(random.number(1...2))"
                + (isPooled ? " pooled" : "")
        }
        let step = random.number(1...2)
        let coefficient = random.pick(["-1", "-1", "-0.5", "0", "0.5", "1"])
        let lag = random.chance(60) ? "lag 0..\(random.number(0...3) * step * scale)s " : ""
        return "strength moves_with(\(names[0]).v, \(names[1]).v) over \(over * scale)s "
            + "step \(step * scale)s \(lag)>= \(coefficient) with at least "
            + "\(random.number(2...3)) points"
    }

    // MARK: - Sequences

    private mutating func makeSequence(key: [String]) -> GeneratedSequence {
        let policies = [
            "", "", "", "", "overlap none", "overlap each", "overlap each", "overlap latest",
            "overlap latest", "overlap all limit 3", "overlap all limit 100", "restart on repeat",
            "restart on repeat", "after match resume at",
        ]
        var policy = random.pick(policies)
        var within: Int? = random.pick([1, 2, 3, 4, 6, 9, 20])
        let isUnbounded = random.chance(8)
        var earlier: [GeneratedStep] = []
        var elements: [GeneratedElement] = []
        let count = random.number(1...3)
        let startsWithAbsence = random.chance(8)
        if startsWithAbsence {
            elements.append(.absence(makeStep("no0", [], key: key), random.number(1...4)))
        }
        for index in 0..<count {
            let isFirst = index == 0
            let isLast = index == count - 1
            if !isFirst, random.chance(15) {
                elements.append(.without(makeStep("w\(index)", earlier, key: key)))
            }
            if random.chance(10) {
                let isAll = random.chance(50)
                let names =
                    ["s\(index)g", "s\(index)h"] + (random.chance(30) ? ["s\(index)i"] : [])
                let steps = names.map { makeStep($0, earlier, key: key) }
                elements.append(isAll ? .all(steps) : .any(steps))
                earlier += steps
                continue
            }
            let quantity = makeQuantity(
                isFirst: isFirst, isLast: isLast)
            var step = makeStep("s\(index)", earlier, key: key, quantity: quantity)
            if !isFirst, random.chance(15) { step.gap = random.number(1...min(4, within ?? 4)) }
            switch step.quantity {
            case .atLeast, .between, .any: step.isReluctant = random.chance(15)
            default: break
            }
            elements.append(.step(step, immediately: !isFirst && random.chance(15)))
            earlier.append(step)
        }
        if random.chance(15) {
            elements.append(
                .absence(makeStep("no9", earlier, key: key), random.number(1...4)))
        }
        if policy == "after match resume at" {
            let single = elements.flatMap(\.steps).filter { $0.quantity == .one }.map(\.name)
            let others = single.filter { !(elements.first?.steps.map(\.name) ?? []).contains($0) }
            policy = others.isEmpty ? "" : policy + " " + random.pick(others)
        }
        let until = random.chance(15) ? makeStep("u9", earlier, key: key) : nil
        if isUnbounded {
            within = nil
            policy += (policy.isEmpty ? "" : " ") + "unbounded limit 1000 runs"
        }
        if startsWithAbsence, random.chance(30) {
            policy += (policy.isEmpty ? "" : " ") + "assume absent at start"
        }
        return GeneratedSequence(within: within, policy: policy, elements: elements, until: until)
    }

    private mutating func makeQuantity(
        isFirst: Bool, isLast: Bool
    ) -> GeneratedStep.Quantity {
        if random.chance(65) { return .one }
        let quantities: [GeneratedStep.Quantity] = [
            .atLeast(1), .atLeast(2), .atLeast(2), .atLeast(3), .exactly(2), .between(1, 2),
            .between(2, 3), .optional, .optional, .any, .any,
        ]
        let quantity = random.pick(quantities)
        let mayBeNone = quantity == .optional || quantity == .any
        return mayBeNone && (isFirst || isLast) ? .one : quantity
    }

    private mutating func makeStep(
        _ name: String, _ earlier: [GeneratedStep], key: [String],
        quantity: GeneratedStep.Quantity = .one
    ) -> GeneratedStep {
        var step = GeneratedStep(
            name: name, source: random.pick(["a", "a", "b", "b", "c", "big_a"]))
        step.quantity = quantity
        if key == ["k"], random.chance(4) { step.alias = "u" }
        while random.chance(28), step.conditions.count < 2 {
            step.conditions.append(makeCondition(earlier, of: step))
        }
        return step
    }

    private mutating func makeCondition(
        _ earlier: [GeneratedStep], of step: GeneratedStep
    ) -> String {
        let limit = random.number(0...2)
        if step.isRepeated, random.chance(25) {
            return random.pick([
                "\(step.name).count < \(limit + 1)", "v not in \(step.name).v",
                "(\(step.name).count == 0 or v >= \(step.name).last.v)", "u in \(step.name).u",
            ])
        }
        if let other = earlier.isEmpty ? nil : random.pick(earlier), random.chance(55) {
            let name = other.name
            if other.isRepeated {
                return random.pick([
                    "v in \(name).v", "v not in \(name).v", "\(name).count >= \(limit + 1)",
                    "v > \(name).last.v", "u == \(name).first.u", "v < sum(\(name).v)",
                    "v >= avg(\(name).v)", "v == max(\(name).v)", "min(\(name).v) <= v",
                    "distinct(\(name).u) == 1", "any w in \(name).v: w > v",
                    "time - \(name).last.time <= 2s",
                ])
            }
            return random.pick([
                "v > \(name).v", "v == \(name).v", "v != \(name).v", "u == \(name).u",
                "u != \(name).u", "u == \(name).u ignoring case", "v + \(name).v >= 2",
                "not (v == \(name).v)", "time - \(name).time >= 1s", "(\(name).v else 1) <= v",
            ])
        }
        return random.pick([
            "v > \(limit)", "v == \(limit)", "v != \(limit)", "u == \"x\"", "u != \"x\"",
            "u missing", "u exists", "v in [\(limit), 3]", "v not in [\(limit)]",
            "not (u == \"x\")", "u in list names", "u not in list names", "x.y >= \(limit)",
            "u == \"x\" ignoring case", "(v > 2 or u == \"y\")", "v % 2 == 0",
        ])
    }

    // MARK: - Thresholds

    private mutating func makeThreshold(key: [String]) -> GeneratedThreshold {
        let span = random.number(1...5)
        let isListed = random.chance(15)
        let isFixed = random.chance(80)
        let step = random.number(1...2)
        let window: String
        if isFixed {
            window = random.pick([
                "\(span)s sliding", "\(span)s sliding", "\(span)s sliding", "\(span)s tumbling",
                "\(span * step)s hopping every \(step)s",
            ])
        } else {
            window = random.pick([
                "session gap \(random.number(1...3))s max \(span + 3)s", "last \(span) events",
            ])
        }
        let measures = (0..<random.number(1...2)).map { _ in makeMeasure() }
        let names = measures.indices.map { "m\($0)" }
        let hasPast = window.hasSuffix("sliding") || window.hasSuffix("tumbling")
        var when = makeTest(names, hasPast: hasPast && random.chance(20), span: span)
        if random.chance(25) {
            let second = makeTest(names, hasPast: false, span: span)
            when = random.pick(["\(when) and \(second)", "\(when) or \(second)", "not (\(when))"])
        }
        var rule = GeneratedThreshold(
            isListed: isListed, source: makeSource(), window: window, measures: measures,
            when: when, holdFor: random.chance(35) ? random.number(1...4) : nil,
            atLeast: random.chance(20) ? random.number(1...3) : nil, resolve: nil, resolveFor: nil,
            options: [])
        if random.chance(35) {
            rule.resolve = makeTest(names, hasPast: false, span: span)
            rule.resolveFor = random.chance(50) ? random.number(1...4) : nil
        }
        if random.chance(20) { rule.options.append("remind every \(random.number(1...3))s") }
        if random.chance(25) { rule.options.append("stale after \(random.number(1...6))s") }
        if random.chance(30) {
            rule.options.append("on no data " + random.pick(["resolve", "keep", "fire"]))
        }
        if random.chance(12) { rule.options.append("reset after match") }
        if random.chance(8) { rule.options.append("forget after \(random.number(6...12))s") }
        return rule
    }

    private mutating func makeSource() -> String {
        let type = random.pick(["a", "a", "a", "big_a", "b"])
        return random.chance(30)
            ? type + " where " + random.pick(["v >= 1", "u == \"x\"", "u exists"]) : type
    }

    private mutating func makeMeasure() -> String {
        random.pick([
            "count", "count", "count", "count where v > 1", "sum(v)", "avg(v)", "min(v)", "max(v)",
            "distinct(u)", "percentile(50, v)", "percentile(90, v)", "first(v)", "last(v)",
            "sum(v) where u == \"x\"", "distinct(v)", "distinct(u) where v > 1",
        ])
    }

    private mutating func makeTest(_ names: [String], hasPast: Bool, span: Int) -> String {
        let name = random.pick(names)
        let limit = random.number(0...3)
        if hasPast {
            return random.pick([
                "\(name) > previous(\(name))", "\(name) >= 2 * previous(\(name))",
                "\(name) != same_time(\(name), \(span * 2)s)", "previous(\(name)) == \(limit)",
            ])
        }
        if names.count > 1, random.chance(20) {
            return "m0 / m1 >= \(random.pick(["0.5", "1", "50%"]))"
        }
        return "\(name) " + random.pick([">=", ">=", ">", "<", "<=", "==", "!="]) + " \(limit)"
    }
}

extension GeneratedStep {
    /// Whether its fields are lists.
    var isRepeated: Bool { quantity != .one && quantity != .optional }
}
