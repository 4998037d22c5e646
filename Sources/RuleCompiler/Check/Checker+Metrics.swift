import RuleModel
import RuleSyntax

// `metric`: measures over a window as events (M1 to M3).

extension Checker {
    /// Checks a metric. Nil: it has a mistake (reported).
    mutating func metric(_ metric: MetricDeclaration) -> RulePlan? {
        let before = errorCount
        rule = RuleContext()
        rule.kind = .threshold
        rule.name = metric.name.text
        beginKeys(metric.keys)
        defer { noteKeyUses() }
        if let list = metric.keys?.list { report(.keyListOutsideThreshold(at: list.range)) }
        guard let over = metric.over, let stream = stream(over) else { return nil }
        rule.input = stream.event
        let input = InputPlan(
            name: stream.name, type: fields.eventType(symbols.events[stream.event].name),
            condition: stream.condition,
            key: keyFields(of: stream.event, aliases: [], input: over.range),
            producer: stream.producer)
        let condition = over.condition.map { where_ in
            self.condition(
                where_, in: Scope(.event(stream.event)), keyword: "where",
                keywordRange: over.whereRange)
        }
        let window = metric.window.map { self.window($0) }
        if window == nil, !hasSyntaxError(in: metric.range) {
            report(.missingWindow(at: metric.name.range))
        }
        if let syntax = metric.window { checkBuckets(syntax) }
        measures(metric.measures, over: stream.event)
        let forecasts = metric.forecasts.compactMap { forecast in
            self.forecast(forecast, of: metric, window: window)
        }
        reportTakenNames(metric)
        positive(metric.forgetAfter)
        guard let window, errorCount == before, !hasSyntaxError(in: metric.range) else {
            return nil
        }
        let pattern = MetricPlan(
            input: input, condition: condition, window: window, measures: rule.measures,
            forecasts: forecasts,
            forgetAfter: metric.forgetAfter.map { max(span($0), window.span) }
                ?? remembered(window, forecasts),
            show: metric.show?.value)
        return RulePlan(
            id: RuleID(0), name: rule.name, metadata: RuleMetadata(),
            keyNames: rule.keys.map(\.name), keyList: nil, pattern: .metric(pattern), unless: nil,
            active: [], emit: EmitPlan(), probes: [],
            bound: StateBound(runsPerKey: 0, eventsPerRun: 0, keys: 0, bytesPerKey: 0),
            fingerprint: 0, shape: 0, origin: OriginID(0))
    }

    /// A metric is an event for each bucket or session, so its window must have some.
    private mutating func checkBuckets(_ window: WindowSyntax) {
        switch window.kind {
        case .tumbling, .hopping, .session: break
        case .sliding, .last: report(.metricNeedsBuckets(at: window.range))
        }
    }

    /// How long a key without events goes on with empty ones: a day, like the keys of thresholds (H9),
    /// or as long as it takes to see that a season repeats.
    private func remembered(_ window: WindowPlan, _ forecasts: [ForecastPlan]) -> TimeSpan {
        forecasts.reduce(max(.day, window.span)) { span, forecast in
            max(span, forecast.horizon, forecast.season.map { $0.span * 2 } ?? .zero)
        }
    }

    // MARK: - Forecasts

    private mutating func forecast(
        _ syntax: MetricDeclaration.Forecast, of metric: MetricDeclaration, window: WindowPlan?
    ) -> ForecastPlan? {
        positive(syntax.horizon)
        guard let measure = rule.measureIndex[syntax.measure.text] else {
            report(
                .unknownName(
                    syntax.measure.text, at: syntax.measure.range,
                    similarTo: metric.measures.map(\.name.text)))
            return nil
        }
        use(.measure, at: syntax.measure.range, of: rule.measureRanges[syntax.measure.text])
        let first = metric.forecasts.first { $0.measure.text == syntax.measure.text }
        if let first, first.range != syntax.range {
            report(
                .duplicateName(
                    syntax.measure.text, kind: "forecast", at: syntax.measure.range,
                    first: first.measure.range, place: nil))
        }
        let type = rule.measureTypes[measure]
        if type != .number, !type.isUnknown {
            report(.forecastOfNumber(syntax.measure.text, type, at: syntax.measure.range))
        }
        let plan = ForecastPlan(
            measure: measure, horizon: span(syntax.horizon),
            season: syntax.season.map { $0 == .daily ? .daily : .weekly })
        if let window { checkSteps(plan, syntax, window) }
        return plan
    }

    /// A forecast goes from bucket to bucket, and so does a season.
    private mutating func checkSteps(
        _ plan: ForecastPlan, _ syntax: MetricDeclaration.Forecast, _ window: WindowPlan
    ) {
        guard let step = window.bucketStep else {
            if case .session = window.kind { report(.forecastOfSessions(at: syntax.range)) }
            return
        }
        guard step > .zero, plan.horizon > .zero else { return }  // Reported where it stands.
        if plan.horizon.nanoseconds % step.nanoseconds != 0 {
            report(
                .forecastSteps(
                    plan.horizon.description, bucket: step.description, at: syntax.horizon.range))
        }
        guard let season = plan.season else { return }
        let (steps, rest) = season.span.nanoseconds.quotientAndRemainder(
            dividingBy: step.nanoseconds)
        if steps < 2 || rest != 0 {
            report(
                .seasonSteps(season.rawValue, bucket: step.description, at: syntax.range))
        }
    }

    /// The event of a metric has its key, its measures and its forecast side by side.
    private mutating func reportTakenNames(_ metric: MetricDeclaration) {
        guard metric.forecasts.count == 1, let forecast = metric.forecasts.first else { return }
        let names =
            (metric.keys?.fields ?? []).map { (text: $0.text, range: $0.range) }
            + metric.measures.map { (text: $0.name.text, range: $0.name.range) }
        for name in names where MetricRecord.Forecast.fieldNames.contains(name.text) {
            report(
                .duplicateName(
                    name.text, kind: "field of the metric", at: name.range, first: forecast.range,
                    place: nil))
        }
    }

    // MARK: - Metrics as events

    /// A metric with what the checker found out about it.
    struct CheckedMetric {
        var plan: RulePlan?
        var reads: [(producer: Producer, range: SourceRange)]
    }

    /// Each metric is an event type `metric.NAME` with its key, its measures and its forecasts (M1).
    /// What types they have is known when the metric has been checked.
    mutating func addMetricEvents() {
        for metric in symbols.metrics {
            let name = "metric.\(metric.name.text)"
            var event = EventSymbol(
                name: name, kind: .metric(metric.name.text), range: metric.name.range)
            func add(_ path: [String], _ type: ValueType, isOptional: Bool, at range: SourceRange?)
            {
                _ = event.add(
                    EventSymbol.Field(
                        path: FieldPath(path), type: type, isOptional: isOptional, range: range))
            }
            for key in metric.keys?.fields ?? [] {
                add(key.segments.map(\.text), .unknown, isOptional: false, at: key.range)
            }
            for measure in metric.measures {
                add([measure.name.text], .unknown, isOptional: true, at: measure.name.range)
            }
            for forecast in metric.forecasts {
                for field in MetricRecord.Forecast.fieldNames {
                    let type: ValueType =
                        field == "trend" ? .enumeration(["up", "down", "flat"]) : .number
                    add([forecast.measure.text, field], type, isOptional: true, at: forecast.range)
                    if metric.forecasts.count == 1 {
                        add([field], type, isOptional: true, at: forecast.range)
                    }
                }
            }
            if symbols.eventIndex[name] == nil {
                symbols.eventIndex[name] = symbols.events.count
                symbols.events.append(event)
            }
        }
    }

    /// Checks all metrics, those that read others behind those, so that every reader knows the types of
    /// what it reads. In the order of `Symbols.metrics`.
    mutating func checkedMetrics() -> [CheckedMetric] {
        var checked: [Int: CheckedMetric] = [:]
        var open = Array(symbols.metrics.indices)
        while !open.isEmpty {
            // In a circle, which is reported elsewhere, each waits for another.
            let next = open.first { !waits($0, for: open) } ?? open[0]
            open.removeAll { $0 == next }
            let plan = metric(symbols.metrics[next])
            checked[next] = CheckedMetric(plan: plan, reads: rule.reads)
            setTypes(of: symbols.metrics[next])
        }
        return symbols.metrics.indices.compactMap { checked[$0] }
    }

    private func waits(_ index: Int, for open: [Int]) -> Bool {
        guard var source = symbols.metrics[index].over else { return false }
        // A select that leads back to itself is reported elsewhere.
        for _ in 0...symbols.selects.count {
            guard case .named(let path) = source.stream else { return false }
            if path.segments.count == 1, let select = symbols.selectIndex[path.text] {
                source = symbols.selects[select].source
                continue
            }
            return open.contains { "metric.\(symbols.metrics[$0].name.text)" == path.text }
        }
        return false
    }

    /// Gives the metric's event the types that its check has found.
    private mutating func setTypes(of metric: MetricDeclaration) {
        let name = metric.name.text
        guard let event = symbols.eventIndex["metric.\(name)"],
            symbols.events[event].kind == .metric(name)
        else { return }
        func set(_ name: String, _ type: ValueType, isOptional: Bool) {
            guard let field = symbols.events[event].index[name] else { return }
            symbols.events[event].fields[field].type = type
            symbols.events[event].fields[field].isOptional = isOptional
        }
        for key in rule.keys { set(key.name, key.type, isOptional: false) }
        for (measure, type) in zip(rule.measures, rule.measureTypes) {
            set(measure.name, type, isOptional: measure.isOptional)
        }
    }
}
