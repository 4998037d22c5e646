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
        let forecasts = metric.forecasts.compactMap { self.forecast($0, of: metric) }
        guard let window, errorCount == before, !hasSyntaxError(in: metric.range) else {
            return nil
        }
        let pattern = MetricPlan(
            input: input, condition: condition, window: window, measures: rule.measures,
            forecasts: forecasts, show: metric.show?.value)
        return RulePlan(
            id: RuleID(0), name: rule.name, metadata: RuleMetadata(),
            keyNames: rule.keys.map(\.name), keyList: nil, pattern: .metric(pattern), unless: nil,
            active: [], emit: EmitPlan(), probes: [],
            bound: StateBound(runsPerKey: 0, eventsPerRun: 0, keys: 0, bytesPerKey: 0),
            fingerprint: 0, shape: 0, origin: OriginID(0))
    }

    /// A metric is an event for each bucket, so its window must have buckets.
    private mutating func checkBuckets(_ window: WindowSyntax) {
        switch window.kind {
        case .tumbling, .hopping: break
        case .sliding, .session, .last: report(.metricNeedsBuckets(at: window.range))
        }
    }

    private mutating func forecast(
        _ syntax: MetricDeclaration.Forecast, of metric: MetricDeclaration
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
        return ForecastPlan(
            measure: measure, horizon: span(syntax.horizon),
            season: syntax.season.map { $0 == .daily ? .daily : .weekly })
    }
}
