extension RulePlan {
    /// The plan as text: what the rule means, one fact a line, with names instead of indices.
    ///
    /// Stable, so that golden tests can hold it, and independent of all other rules.
    public func description(tables: RuleSetTables) -> String {
        let text = PlanText(self, tables: tables)
        let lines = text.stateLines + text.judgementLines + text.emissionLines
        return "rule \(name)\n" + lines.map { "  \($0)\n" }.joined()
    }
}

extension PlanText {
    /// What the state depends on (T10).
    var stateLines: [String] {
        switch plan.pattern {
        case .sequence(let sequence): ["sequence"] + keyLines(sequence.inputs) + lines(sequence)
        case .threshold(let threshold):
            ["threshold"] + keyLines([threshold.input]) + lines(threshold)
        case .correlation(let correlation):
            ["correlation"] + keyLines(correlation.inputs) + lines(correlation)
        case .anomaly(let anomaly): ["anomaly_cluster"] + keyLines(anomaly.inputs) + lines(anomaly)
        case .metric(let metric): ["metric"] + keyLines([metric.input]) + lines(metric)
        }
    }

    private func keyLines(_ inputs: [InputPlan]) -> [String] {
        var lines: [String] = []
        if !plan.keyNames.isEmpty {
            let list = plan.keyList.map { " from list \(name($0))" } ?? ""
            lines.append("key \(plan.keyNames.joined(separator: ", "))\(list)")
        }
        for input in inputs {
            let fields = input.key.map(typed).joined(separator: ", ")
            lines.append(
                "input \(input.name): \(tables.eventTypes[Int(input.type.rawValue)])"
                    + (fields.isEmpty ? "" : " by \(fields)")
                    + (input.condition.map { " where \(text($0))" } ?? ""))
        }
        return lines
    }

    // MARK: - Sequence

    private func lines(_ plan: SequencePlan) -> [String] {
        var lines = plan.steps.flatMap { step in self.lines(step, of: plan) }
        lines.append("order \(text(plan.elements))")
        if let until = plan.until { lines.append("until \(name(until))") }
        if let within = plan.within { lines.append("within \(within)") }
        lines.append("overlap \(plan.overlap.words)")
        if plan.restartsOnRepeat { lines.append("restart on repeat") }
        if let limit = plan.runLimit { lines.append("at most \(limit) runs") }
        if plan.reportsPartial { lines.append("report partial") }
        if let step = plan.resumeAt { lines.append("after match resume at \(name(step))") }
        if plan.assumesAbsentAtStart { lines.append("assume absent at start") }
        return lines
    }

    private func lines(_ step: StepPlan, of plan: SequencePlan) -> [String] {
        var first = "step \(step.name): \(plan.inputs[step.input].name)"
        if let quantity = step.quantityWords { first += ", \(quantity)" }
        if let gap = step.gapLimit { first += ", within \(gap) of the step before" }
        if step.isReluctant { first += ", as few as possible" }
        var lines = [first]
        if let condition = step.eventCondition { lines.append("  where \(text(condition))") }
        if let condition = step.runCondition { lines.append("  and per run \(text(condition))") }
        return lines
    }

    func text(_ elements: [ElementPlan], separator: String = " then ") -> String {
        elements.map { ($0.immediately ? "immediately " : "") + text($0) }.joined(
            separator: separator)
    }

    private func text(_ element: ElementPlan) -> String {
        switch element.kind {
        case .step(let step): name(step)
        case .absence(let step, let span): "no \(name(step)) for \(span)"
        case .without(let step): "(without \(name(step)))"
        case .all(let elements): "all of (\(text(elements, separator: ", ")))"
        case .any(let elements): "any of (\(text(elements, separator: ", ")))"
        }
    }

    // MARK: - Threshold

    private func lines(_ plan: ThresholdPlan) -> [String] {
        var lines: [String] = []
        if let condition = plan.condition { lines.append("where \(text(condition))") }
        lines.append("window \(plan.window.words)")
        for (index, measure) in plan.measures.enumerated() {
            let times = readTimes(of: index).map { ", also \($0)" }.joined()
            let name = measure.name.isEmpty ? "" : "\(measure.name) = "
            lines.append("measure \(name)\(text(measure))\(times)")
        }
        if plan.resetsAfterMatch { lines.append("reset after match") }
        return lines
    }

    /// The earlier windows in which a measure is looked at: how much history must be kept.
    private func readTimes(of measure: Int) -> [String] {
        var times: Set<String> = []
        for term in plan.matchTerms {
            term.forEach { term in
                switch term {
                case .measure(measure, .previous): times.insert("in the window before")
                case .measure(measure, .earlier(let span)): times.insert("\(span) earlier")
                default: break
                }
            }
        }
        return times.sorted()
    }

    // MARK: - What is judged, and what is said

    var judgementLines: [String] {
        var lines: [String] = []
        if case .threshold(let threshold) = plan.pattern {
            var when = "when \(text(threshold.when))"
            if threshold.holdFor != .zero { when += " for \(threshold.holdFor)" }
            lines.append(when)
            if threshold.minimumEvents > 0 {
                lines.append("at least \(threshold.minimumEvents) events")
            }
            let resolve = threshold.resolveWhen.map { text($0) } ?? "not so"
            lines.append(
                "resolve when \(resolve)"
                    + (threshold.resolveFor == .zero ? "" : " for \(threshold.resolveFor)"))
            if let remind = threshold.remindEvery { lines.append("remind every \(remind)") }
            lines.append("stale after \(threshold.staleAfter)")
            lines.append("on no data \(threshold.onNoData.rawValue)")
            lines.append("forget after \(threshold.forgetAfter)")
        }
        if case .metric(let metric) = plan.pattern, let show = metric.show {
            lines.append("show \(PlanText.quoted(show))")
        }
        if !plan.emit.isEarly { lines.append("early off") }
        if let unless = plan.unless { lines.append("unless \(text(unless))") }
        for active in plan.active {
            let schedule = tables.schedules[active.schedule.rawValue]
            lines.append(
                "active \(active.during ? "during" : "outside") \(schedule.name): \(schedule.words)"
            )
        }
        for list in usedLists { lines.append("list \(list.words)") }
        let fields = readFields.map(typed)
        if !fields.isEmpty { lines.append("reads \(fields.joined(separator: ", "))") }
        return lines
    }

    var emissionLines: [String] {
        var lines = metadataLines
        let emit = plan.emit
        let message = emit.message.map { part in
            switch part {
            case .text(let text): text
            case .term(let term, let format): "{\(text(term))\(format.words)}"
            }
        }.joined()
        if !message.isEmpty { lines.append("alert \(PlanText.quoted(message))") }
        if !emit.attach.isEmpty {
            let parts = emit.attach.map { attached in
                let term = text(attached.term)
                return term == attached.name ? term : "\(attached.name) = \(term)"
            }
            lines.append("attach \(parts.joined(separator: ", "))")
        }
        for risk in emit.risks {
            lines.append("risk \(text(risk.points)) on \(risk.name) \(text(risk.entity))")
        }
        if !emit.mask.isEmpty { lines.append("mask \(list(emit.mask))") }
        if let suppress = emit.suppress {
            lines.append("suppress by \(list(suppress.by)) for \(suppress.span)")
        }
        if let group = emit.group { lines.append("group by \(list(group.by)) for \(group.span)") }
        if !emit.sinks.isEmpty { lines.append("send to \(emit.sinks.joined(separator: ", "))") }
        return lines
    }

    private var metadataLines: [String] {
        let metadata = plan.metadata
        var lines = ["severity \(metadata.severity.rawValue)"]
        func add(_ word: String, _ texts: [String]) {
            if !texts.isEmpty {
                lines.append("\(word) \(texts.map(PlanText.quoted).joined(separator: ", "))")
            }
        }
        add("title", [metadata.title].compactMap { $0 })
        add("tags", metadata.tags)
        add("attack", metadata.attack)
        add("owner", [metadata.owner].compactMap { $0 })
        add("runbook", [metadata.runbook].compactMap { $0 })
        add("references", metadata.references)
        add("falsepositives", metadata.falsePositives)
        if metadata.confidence != RuleMetadata().confidence {
            lines.append("confidence \(Value.text(of: metadata.confidence))")
        }
        if !metadata.isEnabled { lines.append("enabled no") }
        return lines
    }

    private func list(_ terms: [Term]) -> String { terms.map(text).joined(separator: ", ") }

    // MARK: - What a rule uses

    /// A field with the type it is read as, which decides what compares.
    private func typed(_ field: FieldID) -> String {
        if field == .time || field == .type { return name(field) }
        return "\(name(field)) \(tables.fields[Int(field.rawValue)].type.words)"
    }

    /// Every field of an event that the rule looks at, by name.
    public var readFields: [FieldID] { fields(in: plan.terms) }

    /// The fields of which the rule keeps something, as they are read.
    var stateFieldLines: [String] { fields(in: plan.stateTerms).map(typed) }

    /// The fields that expressions and the key read.
    private func fields(in terms: [Term]) -> [FieldID] {
        var fields: Set<FieldID> = []
        for term in terms {
            term.forEach { term in
                switch term {
                case .field(let field), .stepField(_, _, let field), .stepList(_, let field),
                    .stepAggregate(_, _, let field):
                    fields.insert(field)
                default: break
                }
            }
        }
        for input in plan.inputs { fields.formUnion(input.key) }
        // Each name is spelled once, not once for each comparison.
        let named = fields.map { (name: Text(name($0)), field: $0) }
        return named.sorted { ($0.name, $0.field.rawValue) < ($1.name, $1.field.rawValue) }
            .map(\.field)
    }

    private var usedLists: [ListPlan] {
        var lists: Set<ListID> = []
        if let list = plan.keyList { lists.insert(list) }
        for term in plan.terms {
            term.forEach { term in
                switch term {
                case .inList(_, let list, _), .lookup(let list, key: _, _): lists.insert(list)
                default: break
                }
            }
        }
        return lists.map { tables.lists[$0.rawValue] }.sorted { Text($0.name) < Text($1.name) }
    }
}

extension RulePlan {
    /// The inputs of the pattern.
    public var inputs: [InputPlan] {
        switch pattern {
        case .sequence(let sequence): sequence.inputs
        case .threshold(let threshold): [threshold.input]
        case .correlation(let correlation): correlation.inputs
        case .anomaly(let anomaly): anomaly.inputs
        case .metric(let metric): [metric.input]
        }
    }

    /// Whether it is a `metric`, which makes events and no alerts.
    public var isMetric: Bool {
        if case .metric = pattern { return true }
        return false
    }

    /// The measures of the pattern, by the index that expressions use.
    public var measures: [MeasurePlan] {
        switch pattern {
        case .sequence, .correlation: []
        case .threshold(let threshold): threshold.measures
        case .anomaly(let anomaly): anomaly.series.map(\.measure)
        case .metric(let metric): metric.measures
        }
    }

    /// Every expression of the rule; probes of tests are not part of it.
    public var terms: [Term] { stateTerms + matchTerms }

    /// The expressions that decide what the rule keeps.
    var stateTerms: [Term] {
        var terms = inputs.compactMap(\.condition)
        switch pattern {
        case .sequence(let sequence):
            for step in sequence.steps {
                terms += [step.eventCondition, step.runCondition].compactMap { $0 }
            }
        case .threshold(let threshold): terms += [threshold.condition].compactMap { $0 }
        case .correlation(let correlation):
            terms += correlation.members.compactMap(\.condition)
            if case .movement(let movement)? = correlation.strength {
                terms += [movement.first.value, movement.second.value]
            }
        case .anomaly(let anomaly): terms += anomaly.series.compactMap(\.condition)
        case .metric(let metric): terms += [metric.condition].compactMap { $0 }
        }
        for measure in measures {
            terms += [measure.argument, measure.condition].compactMap { $0 }
        }
        return terms
    }

    /// The expressions that are judged with a window or a match at hand.
    var matchTerms: [Term] {
        var terms: [Term] = []
        if case .threshold(let threshold) = pattern {
            terms += [threshold.when] + [threshold.resolveWhen].compactMap { $0 }
        }
        if case .anomaly(let anomaly) = pattern { terms.append(anomaly.when) }
        terms += [unless].compactMap { $0 }
        for part in emit.message {
            if case .term(let term, _) = part { terms.append(term) }
        }
        terms += emit.attach.map(\.term) + emit.mask
        terms += emit.risks.flatMap { [$0.points, $0.entity] }
        return terms + (emit.suppress?.by ?? []) + (emit.group?.by ?? [])
    }
}

// MARK: - Words

extension SequencePlan.Overlap {
    /// As the language writes it behind `overlap`.
    public var words: String {
        switch self {
        case .none: "none"
        case .each: "each"
        case .latest: "latest"
        case .all(let limit): "all limit \(limit)"
        }
    }
}

extension StepPlan {
    /// The quantity as the language writes it, for example `at least 5`; nil for a single step.
    public var quantityWords: String? {
        switch (minimum, maximum) {
        case (1, 1): isRepeated ? "exactly 1" : nil
        case (0, 1) where !isRepeated: "optional"
        case (0, nil): "any number"
        case (let minimum, nil): "at least \(minimum)"
        case (let minimum, let maximum?) where minimum == maximum: "exactly \(minimum)"
        case (let minimum, let maximum?): "\(minimum) to \(maximum)"
        }
    }
}

extension WindowPlan {
    /// As the language writes it behind `window`.
    public var words: String {
        let zone = zone.map { " aligned to \(PlanText.quoted($0))" } ?? ""
        switch kind {
        case .sliding(let span): return "\(span) sliding\(zone)"
        case .tumbling(let span): return "\(span) tumbling\(zone)"
        case .hopping(let span, every: let step): return "\(span) hopping every \(step)\(zone)"
        case .session(gap: let gap, max: let longest):
            return "session gap \(gap) max \(longest)\(zone)"
        case .last(let count): return "last \(count) events\(zone)"
        }
    }
}

extension SchedulePlan {
    fileprivate var words: String {
        let spans = spans.map { span in
            "\(span.days.map(String.init).joined(separator: ",")) \(span.startMinute)-\(span.endMinute)"
        }
        return spans.joined(separator: "; ") + " in \(zone)"
    }
}

extension ListPlan {
    fileprivate var words: String {
        var words = "\(name) of \(kind.rawValue)"
        if let path {
            // Where the rules lie is not part of their meaning; the file next to them is.
            words += " from \(PlanText.quoted(path))"
        } else {
            words += " = \(PlanText.literal(.list(values)))"
        }
        if let keyColumn { words += " key \(keyColumn)" }
        return words
    }
}

extension EmitPlan.MessageFormat {
    fileprivate var words: String {
        switch self {
        case .plain: ""
        case .masked: " | masked"
        case .inZone(let zone): " | in \(PlanText.quoted(zone))"
        case .first(let count): " | first \(count)"
        }
    }
}

extension ValueType {
    public var words: String {
        switch self {
        case .unknown: "unknown"
        case .bool: "bool"
        case .number: "number"
        // The cases decide what the checker says, not how values compare.
        case .text, .enumeration: "text"
        case .ip: "ip"
        case .network: "cidr"
        case .time: "time"
        case .span: "duration"
        case .list(let element): "[\(element.words)]"
        case .event: "event"
        }
    }
}
