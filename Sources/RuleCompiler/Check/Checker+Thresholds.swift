import RuleModel
import RuleSyntax

// `threshold`: a window, its measures, and two conditions on them.

extension Checker {
    mutating func threshold(_ syntax: ThresholdSyntax, _ pattern: PatternSyntax) -> ThresholdPlan? {
        rule.kind = .threshold
        beginKeys(syntax.keys)
        guard let over = syntax.over, let stream = stream(over) else { return nil }
        rule.input = stream.event
        let input = InputPlan(
            name: stream.name, type: fields.eventType(symbols.events[stream.event].name),
            condition: stream.condition,
            key: keyFields(of: stream.event, aliases: [], input: over.range),
            producer: stream.producer)
        let condition = over.condition.map {
            self.condition(
                $0, in: Scope(.event(stream.event)), keyword: "where", keywordRange: over.whereRange
            )
        }
        measures(syntax.measures, over: stream.event)
        let window = syntax.window.map { self.window($0) }
        if window == nil, !hasSyntaxError(in: pattern.range) {
            report(.missingWindow(at: pattern.keyword))
        }
        let when = syntax.when.map { self.condition($0, in: Scope(.window), keyword: "when") }
        let resolve = syntax.resolveWhen.map {
            self.condition($0, in: Scope(.window), keyword: "resolve when")
        }
        if let count = syntax.atLeastEvents { atLeastOne(count) }
        guard let window, let when else { return nil }
        var plan = ThresholdPlan(
            input: input, condition: condition, window: window, measures: [], when: when,
            holdFor: syntax.whenFor.map(span) ?? .zero,
            minimumEvents: max(0, syntax.atLeastEvents?.value ?? 0), resolveWhen: resolve,
            resolveFor: syntax.resolveFor.map(span) ?? .zero, remindEvery: nil,
            staleAfter: window.span, onNoData: .resolve, resetsAfterMatch: false,
            // A key outlives its window, or it would forget what the window still holds.
            forgetAfter: max(.day, window.span))
        for option in syntax.options { apply(option, to: &plan) }
        return plan
    }

    /// Gives the rule its measures, in order.
    mutating func measures(_ measures: [MeasureSyntax], over event: Int) {
        for measure in measures {
            let name = measure.name.text
            if rule.measureIndex[name] != nil || rule.keyIndex[name] != nil {
                let first =
                    measures.first { $0.name.text == name && $0.name != measure.name }?.name.range
                    ?? rule.keyIndex[name].map { rule.keys[$0].range } ?? measure.name.range
                report(
                    .duplicateName(
                        name, kind: "measure", at: measure.name.range, first: first, place: nil))
                continue
            }
            let checked = self.measure(measure.aggregate, name: name, over: event)
            // A measure with a mistake keeps its name, so that its uses are not mistakes as well.
            let plan =
                checked?.0
                ?? MeasurePlan(
                    name: name, function: .count, argument: nil, parameter: nil, condition: nil)
            rule.measureIndex[name] = rule.add(measure: plan, type: checked?.1 ?? .unknown)
            rule.measureRanges[name] = measure.name.range
            declare(.measure, measure.name.range, type: checked?.1)
        }
    }

    mutating func window(_ syntax: WindowSyntax) -> WindowPlan {
        let kind: WindowPlan.Kind
        var isCalendar = false
        switch syntax.kind {
        case .sliding(let size):
            positive(size)
            kind = .sliding(span(size))
        case .tumbling(let size):
            positive(size)
            kind = .tumbling(span(size))
            isCalendar = true
        case .hopping(let size, let every):
            positive(size)
            positive(every)
            if every.nanoseconds > 0, size.nanoseconds > 0,
                size.nanoseconds % every.nanoseconds != 0 || every.nanoseconds > size.nanoseconds
            {
                report(
                    .hopDoesNotDivide(
                        span(size).description, span(every).description, at: every.range,
                        size: size.range))
            }
            kind = .hopping(span(size), every: span(every))
            isCalendar = true
        case .session(let gap, let longest):
            positive(gap)
            positive(longest)
            if gap.nanoseconds > longest.nanoseconds, longest.nanoseconds > 0 {
                report(
                    .sessionGapBeyondMax(
                        span(gap).description, span(longest).description, at: gap.range,
                        max: longest.range))
            }
            kind = .session(gap: span(gap), max: span(longest))
        case .last(let count):
            atLeastOne(count)
            kind = .last(max(1, count.value))
        }
        if let zone = syntax.zone {
            if !isCalendar { report(.alignedWithoutBuckets(at: zone.range)) }
            check(zone: zone)
        }
        return WindowPlan(kind, zone: syntax.zone?.value)
    }

    private mutating func apply(_ option: ThresholdOption, to plan: inout ThresholdPlan) {
        switch option.kind {
        case .remind(let every):
            positive(every)
            plan.remindEvery = span(every)
        case .stale(let after):
            positive(after)
            plan.staleAfter = span(after)
        case .onNoData(let choice):
            plan.onNoData = ThresholdPlan.NoData(rawValue: choice.rawValue) ?? .resolve
        case .resetAfterMatch: plan.resetsAfterMatch = true
        case .forget(let after):
            positive(after)
            plan.forgetAfter = span(after)
        }
    }

    /// `by host from list prod_hosts` (H9).
    mutating func keyList(_ keys: KeySyntax?) -> ListID? {
        guard let keys, let name = keys.list else { return nil }
        useList(name)
        guard let index = symbols.listIndex[name.text] else {
            report(.unknownList(name.text, at: name.range, similarTo: listNames))
            return nil
        }
        let list = symbols.lists[index]
        guard keys.fields.count == 1, let key = rule.keys.first else {
            report(.keyListWithSeveralKeys(at: name.range, keys: keys.range))
            return nil
        }
        switch list.kind {
        case .text, .number, .table:
            let fits =
                list.kind == .table || key.type.isUnknown
                || (list.kind == .text ? key.type.isText : key.type == .number)
            if !fits {
                report(
                    .listKind(
                        name.text, kind: list.kind.rawValue, key.type, at: key.range,
                        declared: list.declaration.name.range))
                return nil
            }
            return list.id
        case .cidr, .pair:
            report(
                .listKind(
                    name.text, kind: list.kind.rawValue, key.type, at: name.range,
                    declared: list.declaration.name.range))
            return nil
        }
    }
}

extension WindowPlan {
    /// The longest time an event stays in the window; a day where only the count is limited.
    var span: TimeSpan {
        switch kind {
        case .sliding(let size), .tumbling(let size), .hopping(let size, every: _): size
        case .session(gap: _, max: let longest): longest
        case .last: .day
        }
    }
}
