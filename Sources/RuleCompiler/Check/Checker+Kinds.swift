import RuleModel
import RuleSyntax

// `correlation`, `anomaly_cluster` and `metric`: checked in full, not run by this version.

extension Checker {
    mutating func correlation(_ syntax: CorrelationSyntax, _ pattern: PatternSyntax) {
        rule.kind = .correlation
        rule.notRun = "a correlation"
        beginKeys(syntax.keys)
        if let list = syntax.keys?.list { report(.keyListOutsideThreshold(at: list.range)) }
        positive(syntax.within)
        if syntax.within == nil, !hasSyntaxError(in: pattern.range) {
            report(.unboundedCorrelation(at: pattern.keyword))
        }
        for (index, member) in syntax.members.enumerated() {
            if let first = rule.stepIndex[member.name.text] {
                report(
                    .duplicateName(
                        member.name.text, kind: "member", at: member.name.range,
                        first: rule.steps[first].name.range, place: nil))
            } else {
                rule.stepIndex[member.name.text] = index
            }
            let event = stream(member.source)?.event ?? unknownEvent()
            rule.steps.append(
                StepSymbol(
                    name: member.name, role: .taken, event: event, element: index, group: nil,
                    isRepeated: false, isOptional: syntax.atLeast != nil, number: index + 1))
        }
        for (index, member) in syntax.members.enumerated() {
            let event = rule.steps[index].event
            _ = keyFields(of: event, aliases: member.aliases, input: member.source.range)
            if let where_ = member.source.condition {
                _ = condition(
                    where_, in: Scope(.event(event), reader: index), keyword: "where",
                    keywordRange: member.source.whereRange)
            }
        }
        if syntax.members.count < 2, !hasSyntaxError(in: pattern.range) {
            report(.groupTooSmall("correlation", at: pattern.keyword))
        }
        if let count = syntax.atLeast,
            count.value < 1 || count.value > max(1, syntax.members.count)
        {
            report(.moreThanMembers(count.value, members: syntax.members.count, at: count.range))
        }
        for name in syntax.order { member(name) }
        for precedence in syntax.precedences {
            member(precedence.earlier)
            member(precedence.later)
            positive(precedence.within)
        }
        switch syntax.strength {
        case nil: break
        case .lift(let later, let earlier, let lag, let limit, let over, let count, _):
            member(later)
            member(earlier)
            positive(lag)
            positive(over)
            number(limit, "lift")
            atLeastOne(count)
        case .movesWith(let first, let second, let over, let step, _, let limit, let count):
            _ = expression(first, in: Scope(.match))
            _ = expression(second, in: Scope(.match))
            positive(over)
            positive(step)
            number(limit, "moves_with")
            atLeastOne(count)
        }
    }

    private mutating func member(_ name: Name) {
        if rule.stepIndex[name.text] == nil {
            report(
                .unknownStep(name.text, at: name.range, similarTo: rule.steps.map(\.name.text)))
        }
    }

    private mutating func number(_ syntax: ExpressionSyntax, _ word: String) {
        let typed = expression(syntax, in: .constant)
        if typed.type != .number, !typed.type.isUnknown {
            report(
                .operandType(
                    word, wanted: ValueType.number, typed.type, at: syntax.range,
                    place: syntax.range))
        }
    }

    mutating func anomalyCluster(_ syntax: AnomalyClusterSyntax, _ pattern: PatternSyntax) {
        rule.kind = .anomaly
        rule.notRun = "an anomaly cluster"
        beginKeys(syntax.keys)
        if let list = syntax.keys?.list { report(.keyListOutsideThreshold(at: list.range)) }
        for series in syntax.series {
            positive(series.every)
            guard let stream = stream(series.source) else { continue }
            _ = keyFields(of: stream.event, aliases: [], input: series.source.range)
            fieldExists(series.member, in: stream.event)
            if let where_ = series.source.condition {
                _ = condition(
                    where_, in: Scope(.event(stream.event)), keyword: "where",
                    keywordRange: series.source.whereRange)
            }
            let measure = MeasureSyntax(
                name: series.name, aggregate: series.aggregate, range: series.range)
            measures([measure], over: stream.event)
        }
        switch syntax.baseline {
        case nil: break
        case .last(let count): atLeastOne(count)
        case .seasonal(_, over: let over): positive(over)
        }
        if let criterion = syntax.criterion {
            _ = condition(criterion.condition, in: Scope(.window), keyword: "anomalous when")
            if let required = criterion.required, let outOf = criterion.outOf {
                atLeastOne(required)
                if required.value > outOf.value {
                    report(.reversedQuantity(required.value, outOf.value, at: required.range))
                }
            }
        }
        if let count = syntax.atLeastMembers { atLeastOne(count) }
        positive(syntax.within)
        if let member = syntax.member,
            !syntax.series.isEmpty,
            !syntax.series.contains(where: { $0.member.text == member.text })
        {
            report(
                .unknownName(
                    member.text, at: member.range, similarTo: syntax.series.map(\.member.text)))
        }
        if let name = syntax.linkedBy {
            if let list = symbols.listIndex[name.text] {
                if symbols.lists[list].kind != .pair {
                    report(
                        .linksNeedPairs(
                            name.text, kind: symbols.lists[list].kind.rawValue, at: name.range,
                            declared: symbols.lists[list].declaration.name.range))
                }
            } else {
                report(.unknownList(name.text, at: name.range, similarTo: listNames))
            }
        }
        for option in syntax.options {
            switch option {
            case .adaptAfter(let span), .updateEvery(let span), .maxSpan(let span): positive(span)
            case .minSpread(let value): number(value, "min spread")
            case .atLeastValues(let count): atLeastOne(count)
            }
        }
    }

    private mutating func fieldExists(_ path: PathSyntax, in event: Int) {
        if symbols.events[event].isClosed, symbols.events[event].index[path.text] == nil {
            reportUnknownField(path.segments, of: event, at: path.range, includingSteps: false)
        }
    }

    mutating func metric(_ metric: MetricDeclaration) {
        rule = RuleContext()
        rule.kind = .threshold
        rule.name = metric.name.text
        beginKeys(metric.keys)
        if let list = metric.keys?.list { report(.keyListOutsideThreshold(at: list.range)) }
        guard let over = metric.over, let stream = stream(over) else { return }
        rule.input = stream.event
        _ = keyFields(of: stream.event, aliases: [], input: over.range)
        if let where_ = over.condition {
            _ = condition(
                where_, in: Scope(.event(stream.event)), keyword: "where",
                keywordRange: over.whereRange)
        }
        if let window = metric.window {
            _ = self.window(window)
        } else if !hasSyntaxError(in: metric.range) {
            report(.missingWindow(at: metric.name.range))
        }
        measures(metric.measures, over: stream.event)
        for forecast in metric.forecasts {
            positive(forecast.horizon)
            if rule.measureIndex[forecast.measure.text] == nil {
                report(
                    .unknownName(
                        forecast.measure.text, at: forecast.measure.range,
                        similarTo: metric.measures.map(\.name.text)))
            }
        }
        report(.notRun("a metric", name: metric.name.text, at: metric.name.range))
    }
}
