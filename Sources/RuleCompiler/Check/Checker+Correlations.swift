import RuleModel
import RuleSyntax

// `correlation`: members, how they come together, and how unusual that must be (C1 to C7).

extension Checker {
    mutating func correlation(
        _ syntax: CorrelationSyntax, _ pattern: PatternSyntax
    ) -> CorrelationPlan {
        rule.kind = .correlation
        beginKeys(syntax.keys)
        if let list = syntax.keys?.list { report(.keyListOutsideThreshold(at: list.range)) }
        positive(syntax.within)
        if syntax.within == nil, !hasSyntaxError(in: pattern.range) {
            report(.unboundedCorrelation(at: pattern.keyword))
        }
        let streams = declareMembers(syntax)
        var plan = CorrelationPlan(
            inputs: [], members: [], within: syntax.within.map(span) ?? .zero,
            required: syntax.members.count, order: [], precedences: [], strength: nil,
            isOncePerEvent: syntax.oncePerEvent)
        for (index, member) in syntax.members.enumerated() {
            plan.members.append(self.member(index, member, streams[index], &plan.inputs))
        }
        if syntax.members.count < 2, !hasSyntaxError(in: pattern.range) {
            report(.groupTooSmall("correlation", at: pattern.keyword))
        }
        if syntax.members.count > Checker.stepsMax {
            report(
                .tooManySteps(
                    syntax.members.count, of: "correlation", max: Checker.stepsMax,
                    at: syntax.members[Checker.stepsMax].name.range))
        }
        if let count = syntax.atLeast {
            if count.value < 1 || count.value > max(1, syntax.members.count) {
                report(
                    .moreThanMembers(count.value, members: syntax.members.count, at: count.range))
            }
            plan.required = count.value
        }
        for name in syntax.order {
            guard let member = member(name) else { continue }
            plan.order.append(member)
        }
        for precedence in syntax.precedences {
            positive(precedence.within)
            guard let earlier = member(precedence.earlier), let later = member(precedence.later)
            else { continue }
            plan.precedences.append(
                PrecedencePlan(earlier: earlier, later: later, within: span(precedence.within)))
        }
        reportContradictingOrder(syntax)
        let range = syntax.strengthRange ?? pattern.keyword
        plan.strength = syntax.strength.flatMap { strength($0, at: range) }
        return plan
    }

    // MARK: - Order

    /// E0529: members named twice, and a member that is to come both before and behind another.
    private mutating func reportContradictingOrder(_ syntax: CorrelationSyntax) {
        typealias Edge = (from: Name, to: Name, isStrict: Bool)
        var edges: [Edge] = []
        for (place, name) in syntax.order.enumerated() {
            if syntax.order[..<place].contains(where: { $0.text == name.text }) {
                report(.memberTwice(name.text, at: name.range))
                return
            }
            if place > 0 { edges.append((syntax.order[place - 1], name, false)) }
        }
        for precedence in syntax.precedences {
            if precedence.earlier.text == precedence.later.text {
                report(.memberTwice(precedence.later.text, at: precedence.later.range))
                return
            }
            edges.append((precedence.earlier, precedence.later, true))
        }
        // A circle of `order` alone is excluded above, so a circle has a `before` in it.
        for edge in edges where edge.isStrict {
            var reached = [edge.to.text]
            var place = 0
            while place < reached.count {
                for next in edges where next.from.text == reached[place] {
                    if next.to.text == edge.from.text {
                        report(
                            .membersContradict(
                                edge.from.text, edge.to.text, at: edge.from.range,
                                other: next.to.range))
                        return
                    }
                    if !reached.contains(next.to.text) { reached.append(next.to.text) }
                }
                place += 1
            }
        }
    }

    // MARK: - Members

    /// Makes the members known by name, so that messages can read them.
    private mutating func declareMembers(_ syntax: CorrelationSyntax) -> [ResolvedStream?] {
        syntax.members.enumerated().map { index, member in
            if let first = rule.stepIndex[member.name.text] {
                report(
                    .duplicateName(
                        member.name.text, kind: "member", at: member.name.range,
                        first: rule.steps[first].name.range, place: nil))
            } else {
                rule.stepIndex[member.name.text] = index
                declare(.step, member.name.range)
            }
            // The end of an alert is told too where a member lasts (C5).
            let stream = stream(
                member.source, alertStates: lasts(member.source) ? .all : .beginnings)
            rule.steps.append(
                StepSymbol(
                    name: member.name, role: .taken, event: stream?.event ?? unknownEvent(),
                    element: index, group: nil, isRepeated: false,
                    isOptional: syntax.atLeast != nil, number: index + 1))
            return stream
        }
    }

    private mutating func member(
        _ index: Int, _ syntax: CorrelationSyntax.Member, _ stream: ResolvedStream?,
        _ inputs: inout [InputPlan]
    ) -> MemberPlan {
        let event = rule.steps[index].event
        let input = InputPlan(
            name: stream?.name ?? "", type: fields.eventType(symbols.events[event].name),
            condition: stream?.condition,
            key: keyFields(of: event, aliases: syntax.aliases, input: syntax.source.range),
            producer: stream?.producer)
        var term: Term?
        if let where_ = syntax.source.condition {
            let condition = condition(
                where_, in: Scope(.event(event), reader: index), keyword: "where",
                keywordRange: syntax.source.whereRange)
            if !condition.isEventOnly {
                report(.memberReadsMember(syntax.name.text, at: where_.range))
            }
            term = condition
        }
        let isInterval = lasts(syntax.source)
        if isInterval {
            // The engine tells by these whose alerts they are, and beginnings from ends.
            for name in ["id", "state", "rule"] { _ = fields.field(FieldPath([name]), .text) }
        }
        return MemberPlan(
            name: syntax.name.text, input: inputs.indexOrAppend(input), condition: term,
            isInterval: isInterval, captured: [])
    }

    /// Whether a member is over alerts that have an end, or may have one. Who asks for `state` wants
    /// the records as they come.
    private func lasts(_ source: SourceSyntax) -> Bool {
        guard case .alert(let name) = source.stream, !(source.condition?.names("state") ?? false)
        else { return false }
        guard let name, let index = symbols.ruleIndex[name.text] else { return true }
        switch symbols.rules[index].pattern?.kind {
        case .sequence?, nil: return false
        case .threshold?, .anomalyCluster?: return true
        case .correlation(let correlation)?: return !correlation.oncePerEvent
        }
    }

    /// A member by its name; nil when there is none (reported).
    private mutating func member(_ name: Name) -> StepID? {
        if let index = rule.stepIndex[name.text] {
            use(.step, at: name.range, of: rule.steps[index].name.range)
            return StepID(index)
        }
        report(.unknownStep(name.text, at: name.range, similarTo: rule.steps.map(\.name.text)))
        return nil
    }

    // MARK: - Strength

    /// Buckets times lags that `moves_with` may compare.
    private static let comparisonsMax: Int64 = 1_000_000

    private mutating func strength(
        _ syntax: CorrelationSyntax.Strength, at range: SourceRange
    ) -> StrengthPlan? {
        switch syntax {
        case .lift(let later, let earlier, let lag, let limit, let over, let count, let pooled):
            positive(lag)
            positive(over)
            atLeastOne(count)
            if later.text == earlier.text { report(.memberTwice(earlier.text, at: earlier.range)) }
            if span(over) <= span(lag), span(over) > .zero {
                report(
                    .strengthNeverKnown(
                        "what follows within \(span(lag)) cannot be learnt in \(span(over))",
                        at: over.range, label: "not longer than the \(span(lag)) to wait"))
            }
            guard let later = member(later), let earlier = member(earlier),
                let limit = number(limit, "lift")
            else { return nil }
            return .lift(
                LiftPlan(
                    later: later, earlier: earlier, lag: span(lag), limit: limit, over: span(over),
                    minimum: max(1, count.value), isPooled: pooled))
        case .movesWith(let first, let second, let over, let step, let lag, let limit, let count):
            positive(over)
            positive(step)
            atLeastOne(count)
            let lagMax = lag.map(span) ?? .zero
            if span(step) > .zero {
                let buckets = span(over).nanoseconds / span(step).nanoseconds
                let lags = lagMax.nanoseconds / span(step).nanoseconds + 1
                let (work, isTooLong) = buckets.multipliedReportingOverflow(by: lags)
                if isTooLong || work > Checker.comparisonsMax {
                    report(
                        .movementTooFine(
                            buckets: buckets, lags: lags, max: Checker.comparisonsMax, at: range))
                } else if buckets < Int64(max(2, count.value)) {
                    report(
                        .strengthNeverKnown(
                            "\(max(2, count.value)) points are needed, and \(span(over)) have "
                                + "\(buckets) buckets of \(span(step))",
                            at: over.range, label: "too short"))
                }
            }
            guard let first = side(first), let second = side(second),
                let limit = number(limit, "moves_with")
            else { return nil }
            return .movement(
                MovementPlan(
                    first: first, second: second, over: span(over), step: span(step),
                    lagMax: lagMax, limit: limit, minimum: max(2, count.value)))
        }
    }

    /// A value of one member's events, as `moves_with` follows it.
    private mutating func side(_ syntax: ExpressionSyntax) -> MovementPlan.Side? {
        let typed = expression(syntax, in: Scope(.match))
        if typed.type.isUnknown, typed.term == .constant(.missing) { return nil }
        var members: Set<StepID> = []
        var isOfEvents = true
        typed.term.forEach { term in
            switch term {
            case .stepField(let member, .only, _): members.insert(member)
            case .key, .fact, .measure: isOfEvents = false
            default: break
            }
        }
        guard let member = members.first, members.count == 1, isOfEvents,
            typed.type == .number || typed.type.isUnknown
        else {
            report(.movementOfOneMember(at: syntax.range))
            return nil
        }
        let value = typed.term.rewritten { term in
            if case .stepField(_, _, let field) = term { return .field(field) }
            return term
        }
        return MovementPlan.Side(member: member, value: value)
    }

    /// A constant number; nil when it is none (reported).
    mutating func number(_ syntax: ExpressionSyntax, _ word: String) -> Double? {
        let typed = expression(syntax, in: .constant)
        switch typed.term {
        case .constant(.int(let value)): return Double(value)
        case .constant(.float(let value)): return value
        case .negate(.constant(.int(let value))): return -Double(value)
        case .negate(.constant(.float(let value))): return -value
        default: break
        }
        if !typed.type.isUnknown {
            report(
                .operandType(
                    word, wanted: ValueType.number, typed.type, at: syntax.range,
                    place: syntax.range))
        }
        return nil
    }
}

extension Array where Element: Equatable {
    /// The index of the element, which is appended when it is not there.
    mutating func indexOrAppend(_ element: Element) -> Int {
        if let index = firstIndex(of: element) { return index }
        append(element)
        return count - 1
    }
}
