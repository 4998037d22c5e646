import RuleModel

/// A rule's plan in words that a person can read aloud: what it waits for, when it fires, what it
/// keeps, reads and judges, and the machine as a table.
///
/// - Parameter program: For how many rules share a condition; nil when the rule set has errors.
public func explain(_ plan: RulePlan, tables: RuleSetTables, program: Program?) -> String {
    var page = ExplainPage(plan: plan, text: PlanText(plan, tables: tables))
    page.write(program)
    return page.lines.joined(separator: "\n") + "\n"
}

/// The plan as written, and the plan after each pass of the optimiser that changed it.
public func explainPasses(_ plan: RulePlan, in compilation: Compilation) -> String {
    guard let written = compilation.plansAsWritten.first(where: { $0.id == plan.id }) else {
        return ""
    }
    let tables = compilation.tables
    var pages = ["as written\n\n" + written.description(tables: tables)]
    for (pass, plan) in passesThatChange(written) {
        pages.append("after the pass \"\(pass)\"\n\n" + plan.description(tables: tables))
    }
    if pages.count == 1 { pages.append("No pass changes it.\n") }
    return pages.joined(separator: "\n")
}

/// The bound of a rule as the note N0502 words it.
public func boundWords(of plan: RulePlan) -> String {
    guard case .metric(let metric) = plan.pattern else { return boundWords(plan.bound) }
    return "\(counted(metric.window.openBuckets, "open bucket")) per key, no events, "
        + totalWords(plan.bound)
}

private func boundWords(_ bound: StateBound) -> String {
    if bound.runsPerKey == 0 { return "one event decides, so nothing is kept" }
    return
        "\(counted(bound.runsPerKey, "run")) per key, \(counted(bound.eventsPerRun, "event")) per run, "
        + totalWords(bound)
}

/// `about 1.6 kB per key, 100,000 keys = 160 MB at most`
private func totalWords(_ bound: StateBound) -> String {
    "about \(byteWords(bound.bytesPerKey)) per key, \(counted(bound.keys, "key")) = "
        + "\(byteWords(bound.bytesTotal)) at most"
}

/// The bound of a rule in two words, for a place where there is little room.
public func boundTotalWords(_ bound: StateBound) -> String {
    bound.runsPerKey == 0 ? "keeps nothing" : "keeps at most \(byteWords(bound.bytesTotal))"
}

extension StateBound {
    /// Of all keys together.
    fileprivate var bytesTotal: Int {
        let total = bytesPerKey.multipliedReportingOverflow(by: keys)
        return total.overflow ? .max : total.partialValue
    }
}

/// `a, b and c`
func inWords(_ names: [String]) -> String {
    guard let last = names.last, names.count > 1 else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " and \(last)"
}

/// `1,000 events`, `1 run`
func counted(_ count: Int, _ word: String) -> String {
    "\(grouped(count)) \(word)\(count == 1 ? "" : "s")"
}

/// A whole number with a comma between thousands.
func grouped(_ number: Int) -> String {
    var groups: [String] = []
    var rest = number.magnitude
    while rest >= 1000 {
        groups.insert(String(String(1000 + rest % 1000).dropFirst()), at: 0)
        rest /= 1000
    }
    groups.insert(String(rest), at: 0)
    return (number < 0 ? "-" : "") + groups.joined(separator: ",")
}

/// A number of bytes with two or three digits: `352 B`, `6.4 GB`.
private func byteWords(_ count: Int) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    var unit = 0
    var tenths = count.multipliedReportingOverflow(by: 10).overflow ? Int.max : count * 10
    while tenths >= 10_000, unit < units.count - 1 {
        tenths = tenths / 1000 + (tenths % 1000 >= 500 ? 1 : 0)
        unit += 1
    }
    let decimals = tenths < 100 && unit > 0 ? ".\(tenths % 10)" : ""
    let whole = decimals.isEmpty ? (tenths + 5) / 10 : tenths / 10
    return "\(whole)\(decimals) \(units[unit])"
}

private struct ExplainPage {
    let plan: RulePlan
    let text: PlanText
    var lines: [String] = []

    mutating func write(_ program: Program?) {
        lines.append(
            plan.isMetric
                ? "metric \(plan.name)" : "rule \(plan.name) (\(plan.metadata.severity.rawValue))")
        if let title = plan.metadata.title { lines.append("  \(title)") }
        if !plan.metadata.isEnabled { lines.append("  switched off: it is checked and not run") }
        switch plan.pattern {
        case .sequence(let sequence):
            section("Waits for", waits(sequence))
            section("Fires", fires(sequence) + silence + sending)
            section("Keeps in memory", keeps(sequence))
        case .threshold(let threshold):
            section("Watches", watches(threshold))
            section("Fires", fires(threshold) + silence + sending)
            section("Keeps in memory", keeps(threshold))
        case .correlation(let correlation):
            let words = CorrelationWords(plan: correlation, text: text)
            section("Brings together", words.together + inputs(correlation.inputs) + [sameKey])
            section("Fires", words.fires + silence + sending)
            section(
                "Keeps in memory", ["bound: \(boundWords(self.plan.bound))"] + words.keeps)
        case .metric(let metric):
            section("Watches", watches(metric))
            section("Tells", tells(metric))
            section("Keeps in memory", keeps(metric))
        case .anomaly(let anomaly):
            let words = AnomalyWords(plan: anomaly, keys: plan.keyNames, text: text)
            section("Watches", words.watches + inputs(anomaly.inputs))
            section("Fires", words.fires + silence + sending)
            section("Keeps in memory", ["bound: \(boundWords(plan.bound))"] + words.keeps)
        }
        section("Reads", reads)
        section("Judges", judges(program))
        if let machine = Machine(plan, tables: text.tables) { section("Machine", table(machine)) }
    }

    private mutating func section(_ heading: String, _ body: [String]) {
        if body.isEmpty { return }
        lines += ["", heading] + body.map { "  \($0)" }
    }

    private var sameKey: String {
        plan.keyNames.isEmpty
            ? "There is no key: all events count together." : "All have the same \(keyWords)."
    }

    private var keyWords: String { listed(plan.keyNames) }

    /// `a, b and c`
    private func listed(_ names: [String]) -> String { inWords(names) }

    // MARK: - Sequence

    private func waits(_ plan: SequencePlan) -> [String] {
        let words = SequenceWords(plan: plan, text: text)
        var lines: [String] = []
        for (index, element) in plan.elements.enumerated() {
            let then = index == 0 ? "" : element.immediately ? "then immediately " : "then "
            switch element.kind {
            case .step(let id):
                let step = words.step(id)
                let limit = step.gapLimit.map { ", within \($0) of the step before" } ?? ""
                let few = step.isReluctant ? ", as few as possible" : ""
                lines.append(then + words.labelled(id) + limit + few)
            case .absence(let id, let span):
                let name = words.name(id)
                let place = index == 0 ? "in the \(span) before" : "in the \(span) that follow"
                lines.append("\(then)no \(name): \(words.event(id)), \(place)")
            case .without(let id):
                lines.append("without \(words.name(id)) in between: \(words.event(id))")
            case .all(let elements):
                lines.append("\(then)all of these, in any order")
                lines += elements.flatMap(\.takenSteps).map { "  \(words.labelled($0))" }
            case .any(let elements):
                lines.append("\(then)any of these")
                lines += elements.flatMap(\.takenSteps).map { "  \(words.labelled($0))" }
            }
        }
        if let until = plan.until {
            lines.append(
                "all that is open ends when \(words.name(until)) comes: \(words.event(until))")
        }
        lines += inputs(plan.inputs)
        if self.plan.keyNames.isEmpty {
            lines.append("There is no key: all events count together.")
        } else if !plan.isStateless {
            lines.append("All events of a match have the same \(keyWords).")
        }
        if let within = plan.within {
            lines.append("From the first event of a match to the last it takes at most \(within).")
        } else if let horizon = plan.horizon, horizon > .zero {
            lines.append("The limits of the steps together leave at most \(horizon).")
        }
        return lines
    }

    /// What a `select` stands for.
    private func inputs(_ inputs: [InputPlan]) -> [String] {
        inputs.compactMap { input in
            guard let condition = input.condition else { return nil }
            let type = text.tables.eventTypes[Int(input.type.rawValue)]
            return "\(input.name) is \(type) where \(text.text(condition))"
        }
    }

    private func fires(_ plan: SequencePlan) -> [String] {
        if plan.isStateless { return ["At every event that fits."] }
        var lines: [String] = []
        switch plan.elements.last?.kind {
        case .absence(let id, let span)?:
            let before = plan.takenSteps.last.map { $0.name } ?? "the start"
            lines.append(
                "\(span) after \(before), if no \(plan.steps[id.rawValue].name) came by then.")
        case .step(let id)? where plan.steps[id.rawValue].maximum != 1:
            let step = plan.steps[id.rawValue]
            if let until = plan.until {
                let name = plan.steps[until.rawValue].name
                lines.append(
                    "When \(name) comes and \(step.name) has \(grouped(step.minimum)) or more.")
            } else {
                lines.append(
                    "At the event that gives \(step.name) its number \(grouped(step.minimum)).")
            }
        default:
            lines.append("At the event that fills the last step.")
        }
        switch plan.overlap {
        case .none where plan.restartsOnRepeat:
            lines.append("A new first event discards what was open and begins anew.")
        case .none:
            lines.append("At most one alert then, for the choice of events that starts earliest;")
            lines.append("what came before is used up.")
        case .each: lines.append("Every event that fits the first step opens a run of its own.")
        case .latest: lines.append("A newer event takes the place of the one that was waiting.")
        case .all(let limit):
            lines.append("Every combination is a match, at most \(grouped(limit)) at one event.")
        }
        return lines
    }

    private func keeps(_ plan: SequencePlan) -> [String] {
        var lines = ["bound: \(boundWords(of: self.plan))"]
        if self.plan.bound.runsPerKey == 0 { return lines }
        for step in plan.takenSteps {
            let fields = step.captured.map { text.name($0) }
            lines.append(
                "of \(step.name): the time"
                    + (fields.isEmpty ? "" : ", \(fields.joined(separator: ", "))"))
        }
        if let horizon = plan.horizon {
            lines.append("Nothing longer than \(horizon) after the event that began it.")
        } else if let limit = plan.runLimit {
            lines.append(
                "There is no time limit: the oldest of \(counted(limit, "run")) goes first.")
        }
        return lines
    }

    // MARK: - Threshold

    private func watches(_ plan: ThresholdPlan) -> [String] {
        let condition = plan.condition.map { " where \(text.text($0))" } ?? ""
        var lines = ["\(plan.input.name)\(condition), window \(plan.window.words)"]
        lines += inputs([plan.input])
        if self.plan.keyNames.isEmpty {
            lines.append("There is no key: all events count together.")
        } else {
            lines.append("Each \(keyWords) has a window of its own.")
        }
        if let list = self.plan.keyList {
            lines.append(
                "Every \(keyWords) of the list \(text.tables.lists[list.rawValue].name) is watched, even if never seen."
            )
        }
        for measure in plan.measures where !measure.name.isEmpty {
            let function = text.text(measure)
            if function != measure.name { lines.append("\(measure.name) is \(function)") }
        }
        return lines
    }

    private func fires(_ plan: ThresholdPlan) -> [String] {
        let hold = plan.holdFor > .zero ? ", and that holds for \(plan.holdFor) without a gap" : ""
        var lines = ["When \(text.text(plan.when))\(hold)."]
        if plan.minimumEvents > 0 {
            lines.append(
                "With fewer than \(counted(plan.minimumEvents, "event")) nothing is known.")
        }
        let resolve = plan.resolveWhen.map { text.text($0) } ?? "that is no longer so"
        let resolveFor = plan.resolveFor > .zero ? " for \(plan.resolveFor)" : ""
        lines.append("Resolves when \(resolve)\(resolveFor).")
        if let remind = plan.remindEvery {
            lines.append("While it fires, a reminder comes every \(remind).")
        }
        switch plan.onNoData {
        case .resolve: lines.append("When nothing is known for \(plan.staleAfter), it resolves.")
        case .keep: lines.append("When nothing is known, it stays as it is.")
        case .fire: lines.append("When nothing is known for \(plan.staleAfter), it fires.")
        }
        if plan.resetsAfterMatch { lines.append("Firing empties the window.") }
        return lines
    }

    private func keeps(_ plan: ThresholdPlan) -> [String] {
        [
            "bound: \(boundWords(of: self.plan))",
            "A key without events is forgotten after \(plan.forgetAfter).",
        ]
    }

    // MARK: - Metric

    private func watches(_ plan: MetricPlan) -> [String] {
        let condition = plan.condition.map { " where \(text.text($0))" } ?? ""
        var lines = ["\(plan.input.name)\(condition), window \(plan.window.words)"]
        lines += inputs([plan.input])
        if self.plan.keyNames.isEmpty {
            lines.append("There is no key: all events count together.")
        } else {
            lines.append("Each \(keyWords) has buckets of its own.")
        }
        lines += plan.measures.map { "\($0.name) is \(text.text($0))" }
        return lines
    }

    private func tells(_ plan: MetricPlan) -> [String] {
        let name = "metric.\(self.plan.name)"
        var lines: [String]
        if case .session = plan.window.kind {
            lines = ["When a session is over, as the event \(name)."]
        } else {
            lines = ["At the end of each bucket, with events or without, as the event \(name)."]
        }
        for forecast in plan.forecasts {
            let season = forecast.season.map { " that repeats \($0.rawValue)" } ?? ""
            lines.append(
                "Foresees \(plan.measures[forecast.measure].name) for \(forecast.horizon): "
                    + "a damped trend\(season).")
        }
        if !self.plan.place.isRead {
            lines.append("No rule reads it: it is measured for `--metrics` alone.")
        }
        return lines
    }

    private func keeps(_ plan: MetricPlan) -> [String] {
        [
            "bound: \(boundWords(of: self.plan))",
            "A key without events is forgotten after \(plan.forgetAfter).",
        ]
    }

    // MARK: - Alerts

    private var silence: [String] {
        var lines: [String] = []
        if let unless = plan.unless { lines.append("Silent where \(text.text(unless)).") }
        for active in plan.active {
            let name = text.tables.schedules[active.schedule.rawValue].name
            lines.append("Silent \(active.during ? "outside" : "during") \(name).")
        }
        if let suppress = plan.emit.suppress {
            let by = listed(suppress.by.map(text.text))
            lines.append("After an alert, silent for the same \(by), for \(suppress.span).")
        }
        if let group = plan.emit.group {
            let by = listed(group.by.map(text.text))
            lines.append("Alerts of the same \(by) within \(group.span) are sent as one.")
        }
        return lines
    }

    private var sending: [String] {
        plan.emit.sinks.isEmpty ? [] : ["Sent to \(plan.emit.sinks.joined(separator: ", "))."]
    }

    // MARK: - Costs

    private var reads: [String] {
        let fields = text.readFields.map { text.name($0) }
        return fields.isEmpty ? [] : [fields.joined(separator: ", ")]
    }

    private func judges(_ program: Program?) -> [String] {
        var lines: [String] = []
        if let program, let rule = program.rules.first(where: { $0.id == plan.id }) {
            let own = rule.conditions
            if !own.isEmpty {
                let others = Set(program.rules.filter { $0.id != plan.id }.flatMap(\.conditions))
                let shared = own.filter { others.contains($0) }.count
                lines.append(
                    "\(counted(own.count, "condition")) per batch of events, \(shared == 0 ? "none" : grouped(shared)) shared with other rules"
                )
            }
        }
        if case .sequence(let sequence) = plan.pattern {
            for step in sequence.steps {
                guard let condition = step.runCondition else { continue }
                lines.append("per run, at \(step.name): \(text.text(condition))")
            }
        }
        return lines
    }

    private func table(_ machine: Machine) -> [String] {
        let header = ["from", "to", "on", "limit"]
        let rows =
            [header]
            + machine.edges.map { edge in
                [
                    machine.states[edge.from].name, machine.states[edge.to].name, edge.name,
                    edge.limit,
                ]
            }
        let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                cell + String(repeating: " ", count: widths[column] - cell.count + 2)
            }
            return String(cells.joined().reversed().drop { $0 == " " }.reversed())
        }
    }
}

extension RuleProgram {
    /// The distinct bits that the rule looks at, in order.
    fileprivate var conditions: [ConditionID] {
        var conditions: Set<ConditionID> = []
        switch pattern {
        case .sequence(let sequence):
            conditions.formUnion(sequence.inputs.compactMap(\.condition))
            conditions.formUnion(sequence.steps.compactMap(\.condition))
        case .threshold(let threshold):
            conditions.formUnion(
                [threshold.input.condition, threshold.condition].compactMap { $0 })
            conditions.formUnion(threshold.measures.compactMap(\.condition))
        case .correlation(let correlation):
            conditions.formUnion(correlation.inputs.compactMap(\.condition))
            conditions.formUnion(correlation.members.compactMap(\.condition))
        case .anomaly(let anomaly):
            conditions.formUnion(anomaly.inputs.compactMap(\.condition))
            conditions.formUnion(anomaly.series.compactMap(\.condition))
            conditions.formUnion(anomaly.series.compactMap(\.measure.condition))
        case .metric(let metric):
            conditions.formUnion([metric.input.condition, metric.condition].compactMap { $0 })
            conditions.formUnion(metric.measures.compactMap(\.condition))
        }
        return conditions.sorted()
    }
}
