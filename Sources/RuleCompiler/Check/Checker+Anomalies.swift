import RuleModel
import RuleSyntax

// `anomaly_cluster`: series for each member of a group, a baseline, a score, and what a cluster is
// (A1 to A7).

extension Checker {
    mutating func anomalyCluster(
        _ syntax: AnomalyClusterSyntax, _ pattern: PatternSyntax
    ) -> AnomalyPlan? {
        rule.kind = .anomaly
        beginKeys(syntax.keys)
        if let list = syntax.keys?.list { report(.keyListOutsideThreshold(at: list.range)) }
        var inputs: [InputPlan] = []
        let series = syntax.series.compactMap { self.series($0, &inputs) }
        if let first = syntax.series.first {
            for other in syntax.series.dropFirst() {
                if other.every.nanoseconds != first.every.nanoseconds {
                    report(.seriesBucketsDiffer(at: other.every.range, first: first.every.range))
                }
                if other.member.text != first.member.text {
                    report(
                        .seriesMembersDiffer(
                            other.member.text, first.member.text, at: other.member.range,
                            first: first.member.range))
                }
            }
        }
        rule.clusterMember = syntax.series.first?.member.text ?? ""
        if let member = syntax.member, member.text == rule.clusterMember {
            for field in rule.clusterMemberFields { use(.field, at: member.range, of: field) }
        }
        let baseline = syntax.baseline.map { self.baseline($0) }
        let known = diagnostics.count
        let when = syntax.criterion.map { criterion in
            condition(criterion.condition, in: Scope(.window), keyword: "anomalous when")
        }
        if let criterion = syntax.criterion, let when, !when.hasScore, diagnostics.count == known {
            report(.noScore(at: criterion.condition.range))
        }
        if let criterion = syntax.criterion, let required = criterion.required,
            let outOf = criterion.outOf
        {
            atLeastOne(required)
            if required.value > outOf.value {
                report(.reversedQuantity(required.value, outOf.value, at: required.range))
            }
        }
        if let count = syntax.atLeastMembers { atLeastOne(count) }
        positive(syntax.within)
        if let member = syntax.member, !syntax.series.isEmpty,
            !syntax.series.contains(where: { $0.member.text == member.text })
        {
            report(
                .unknownName(
                    member.text, at: member.range, similarTo: syntax.series.map(\.member.text)))
        }
        guard let baseline, let when, let first = syntax.series.first, !series.isEmpty,
            let within = syntax.within, let atLeast = syntax.atLeastMembers
        else { return nil }
        var plan = AnomalyPlan(
            inputs: inputs, series: series, every: span(first.every),
            memberName: first.member.text, baseline: baseline, adaptAfter: .day,
            minimumSpread: nil, minimumValues: baseline.warmUp, when: when,
            required: max(1, syntax.criterion?.required?.value ?? 1),
            outOf: max(1, syntax.criterion?.outOf?.value ?? 1),
            minimumMembers: max(1, atLeast.value), within: span(within),
            linkedBy: syntax.linkedBy.flatMap { links($0) }, maxSpan: nil, updateEvery: .minute,
            scoreLimit: scoreLimit(in: when))
        for option in syntax.options { apply(option, to: &plan, within: within.range) }
        checkHistory(plan, syntax)
        return plan
    }

    private mutating func series(
        _ syntax: AnomalyClusterSyntax.Series, _ inputs: inout [InputPlan]
    ) -> SeriesPlan? {
        positive(syntax.every)
        guard let stream = stream(syntax.source) else { return nil }
        let event = stream.event
        let input = InputPlan(
            name: stream.name, type: fields.eventType(symbols.events[event].name),
            condition: stream.condition,
            key: keyFields(of: event, aliases: [], input: syntax.source.range),
            producer: stream.producer)
        let term = syntax.source.condition.map { where_ in
            condition(
                where_, in: Scope(.event(event)), keyword: "where",
                keywordRange: syntax.source.whereRange)
        }
        let count = rule.measures.count
        measures(
            [MeasureSyntax(name: syntax.name, aggregate: syntax.aggregate, range: syntax.range)],
            over: event)
        guard rule.measures.count > count, let measure = rule.measures.last else { return nil }
        guard let member = memberField(syntax.member, of: event) else { return nil }
        return SeriesPlan(
            input: inputs.indexOrAppend(input), condition: term, measure: measure, member: member)
    }

    /// The field by which members are told apart; nil when there is none (reported).
    private mutating func memberField(_ path: PathSyntax, of event: Int) -> FieldID? {
        let symbol = symbols.events[event]
        if let field = symbol.field(path.text) {
            if field.type.element != nil {
                report(.listAsKey(path.text, field.type, at: path.range))
                return nil
            }
            use(.field, at: path.range, of: field.range, type: field.type)
            if let declared = field.range { rule.clusterMemberFields.append(declared) }
            return fields.field(field.path, field.type)
        }
        if symbol.isClosed {
            reportUnknownField(path.segments, of: event, at: path.range, includingSteps: false)
            return nil
        }
        return fields.field(FieldPath(path.segments.map(\.text)), .unknown)
    }

    private mutating func baseline(_ syntax: AnomalyClusterSyntax.Baseline) -> BaselinePlan {
        switch syntax {
        case .last(let count):
            atLeastOne(count)
            return .last(max(1, count.value))
        case .seasonal(let season, over: let over):
            positive(over)
            let plan: SeasonPlan = season == .daily ? .daily : .weekly
            if over.nanoseconds > 0, span(over) < plan.span {
                report(
                    .seasonBeyondHistory(
                        season.rawValue, plan.span.description, span(over).description,
                        at: over.range))
            }
            return .seasonal(plan, over: span(over))
        }
    }

    private mutating func links(_ name: Name) -> ListID? {
        useList(name)
        guard let index = symbols.listIndex[name.text] else {
            report(.unknownList(name.text, at: name.range, similarTo: listNames))
            return nil
        }
        let list = symbols.lists[index]
        if list.kind != .pair {
            report(
                .linksNeedPairs(
                    name.text, kind: list.kind.rawValue, at: name.range,
                    declared: list.declaration.name.range))
            return nil
        }
        return list.id
    }

    private mutating func apply(
        _ option: AnomalyClusterSyntax.Option, to plan: inout AnomalyPlan, within: SourceRange
    ) {
        switch option {
        case .adaptAfter(let length):
            positive(length)
            plan.adaptAfter = span(length)
        case .updateEvery(let length):
            positive(length)
            plan.updateEvery = span(length)
        case .maxSpan(let length):
            positive(length)
            plan.maxSpan = span(length)
            if length.nanoseconds > 0, span(length) < plan.within {
                report(
                    .spanBelowWithin(at: length.range, within: within, span(length).description))
            }
        case .minSpread(let value):
            plan.minimumSpread = number(value, "min spread")
            if let spread = plan.minimumSpread, spread <= 0 { report(.badSpread(at: value.range)) }
        case .atLeastValues(let count):
            atLeastOne(count)
            plan.minimumValues = max(1, count.value)
        }
    }

    /// A baseline that can never hold as many values as it must is a rule that can never fire.
    private mutating func checkHistory(_ plan: AnomalyPlan, _ syntax: AnomalyClusterSyntax) {
        let most: Int
        switch plan.baseline {
        case .last(let count): most = count
        case .seasonal(let season, let over):
            most = Int(clamping: over.nanoseconds / max(1, season.span.nanoseconds))
            if plan.every > .zero, season.span.nanoseconds % plan.every.nanoseconds != 0,
                let first = syntax.series.first,
                case .seasonal(_, over: let length)? = syntax.baseline
            {
                report(
                    .seasonNotInBuckets(
                        season.rawValue, every: plan.every.description, at: first.every.range,
                        baseline: length.range))
            }
        }
        guard plan.minimumValues > most else { return }
        for case .atLeastValues(let count) in syntax.options {
            report(.baselineTooShort(wanted: count.value, most: most, at: count.range))
            return
        }
        if case .last(let count)? = syntax.baseline {
            report(.baselineTooShort(wanted: plan.minimumValues, most: most, at: count.range))
        } else if case .seasonal(_, over: let over)? = syntax.baseline {
            report(.baselineTooShort(wanted: plan.minimumValues, most: most, at: over.range))
        }
    }

    /// `robust_z(p95)`, `z(p95)`, `ratio(p95)`, `ewma(p95, 0.3)`; nil when it is no such call.
    mutating func score(
        _ name: Name, _ arguments: [ExpressionSyntax], _ scope: Scope, range: SourceRange
    ) -> Typed? {
        guard rule.kind == .anomaly, let function = ScoreFunction(rawValue: name.text) else {
            return nil
        }
        if case .match = scope.subject {
            report(.measureOfMembers(name.text, at: range))
            return .unknown(range)
        }
        let wanted = function == .ewma ? 2 : 1
        guard arguments.count == wanted else {
            report(
                .argumentCount(
                    name.text, wanted: wanted, isVariadic: false, found: arguments.count,
                    signature: function.signature, at: range, name: name.range))
            return .unknown(range)
        }
        let typed = check(arguments[0], scope)
        var parameter: Double?
        if function == .ewma {
            guard let smoothing = number(arguments[1], "ewma") else { return .unknown(range) }
            if smoothing <= 0 || smoothing > 1 { report(.badSmoothing(at: arguments[1].range)) }
            parameter = smoothing
        }
        if typed.type.isUnknown { return .unknown(range) }
        guard case .measure(let measure, .now) = typed.term else {
            report(.scoreOfMeasure(name.text, at: arguments[0].range))
            return .unknown(range)
        }
        return Typed(
            .score(function, measure: measure, parameter: parameter), .number, isOptional: true,
            range: range)
    }

    /// `members.count`, `members.first.score`, `members.service`; nil when it is no such name.
    func clusterName(_ names: [Name], range: SourceRange) -> Typed? {
        guard rule.kind == .anomaly, names.count > 1, names[0].text == "members" else {
            return nil
        }
        if names.count == 2, names[1].text == "count" {
            return Typed(.clusterCount, .number, range: range)
        }
        var rest = names.dropFirst()
        var occurrence: Term.Occurrence?
        if names[1].text == "first" || names[1].text == "last" {
            occurrence = names[1].text == "first" ? .first : .last
            rest = rest.dropFirst()
        }
        let word = rest.map(\.text).joined(separator: ".")
        let field = word == rule.clusterMember ? .name : ClusterField(rawValue: word)
        guard let field else { return nil }
        return Typed(
            .clusterField(field, occurrence), occurrence == nil ? .list(field.type) : field.type,
            isOptional: false, range: range)
    }

    /// A measure outside of the condition, where every member has its own; nil when it is none.
    mutating func measureOfMembers(_ names: [Name], range: SourceRange) -> Typed? {
        guard rule.kind == .anomaly, names.count == 1, rule.measureIndex[names[0].text] != nil
        else {
            return nil
        }
        report(.measureOfMembers(names[0].text, at: range))
        return .unknown(range)
    }

    /// The number that the first score of a condition is compared with.
    private func scoreLimit(in term: Term) -> Double? {
        var limit: Double?
        term.forEach { term in
            guard limit == nil, case .compare(_, let left, let right, _) = term else { return }
            for (score, bound) in [(left, right), (right, left)] {
                var isScore = false
                score.forEach { if case .score = $0 { isScore = true } }
                guard isScore else { continue }
                switch bound {
                case .constant(.int(let value)): limit = abs(Double(value))
                case .constant(.float(let value)): limit = abs(value)
                case .negate(.constant(.int(let value))): limit = abs(Double(value))
                case .negate(.constant(.float(let value))): limit = abs(value)
                default: continue
                }
                return
            }
        }
        return limit
    }
}

extension BaselinePlan {
    /// Values below which nothing is anomalous when the rule does not say (A4).
    var warmUp: Int {
        switch self {
        case .last: 30
        case .seasonal: 3
        }
    }
}

extension ScoreFunction {
    var signature: String {
        ScoreBuiltin.all.first { $0.function == self }?.signature ?? rawValue
    }
}

extension ClusterField {
    var type: ValueType {
        switch self {
        case .name, .measure: .text
        case .onset: .time
        case .value, .baseline, .spread, .score: .number
        }
    }
}

extension Term {
    fileprivate var hasScore: Bool {
        var found = false
        forEach { if case .score = $0 { found = true } }
        return found
    }
}
