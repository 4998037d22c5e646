import RuleModel

/// A bucket of a metric as the reference matcher finds it.
public struct ReferenceBucket: Sendable, Equatable {
    public var start: Timestamp
    public var end: Timestamp
    public var key: [Value]
    public var measures: [Value]
    public var forecasts: [MetricRecord.Forecast]
}

extension ReferenceMatcher {
    /// All buckets of a metric that the watermark has passed (M1), key by key.
    public func buckets(
        of plan: RulePlan, in arrived: [ReferenceEvent], watermark: Timestamp
    ) -> [ReferenceBucket] {
        guard case .metric(let metric) = plan.pattern else { return [] }
        let events = referenceOrder(arrived, lateness: .zero).events
        var keys: [[Value]] = []
        var found: [ReferenceBucket] = []
        for event in events {
            guard let key = referenceKey(of: event, in: metric.input, tables, lists),
                holds(metric.condition, event),
                !keys.contains(where: { referenceEqual(.list($0), .list(key)) == true })
            else { continue }
            keys.append(key)
            let own = events.filter { other in
                guard let found = referenceKey(of: other, in: metric.input, tables, lists) else {
                    return false
                }
                return referenceEqual(.list(found), .list(key)) == true
                    && holds(metric.condition, other)
            }
            for life in lives(own, metric) {
                let spans = spans(of: life, metric, watermark)
                let measures = spans.map { span in
                    metric.measures.map { measure($0, of: life[span.events]) }
                }
                let forecasts = metric.forecasts.map { forecast in
                    referenceForecasts(
                        measures.map { decimal($0[forecast.measure]) }, forecast, of: metric)
                }
                for (index, span) in spans.enumerated() {
                    found.append(
                        ReferenceBucket(
                            start: span.start, end: span.end, key: key, measures: measures[index],
                            forecasts: forecasts.map { $0[index] }))
                }
            }
        }
        return found
    }

    /// The events from when a key is first seen until it is forgotten, again and again.
    private func lives(_ events: [ReferenceEvent], _ plan: MetricPlan) -> [[ReferenceEvent]] {
        var lives: [[ReferenceEvent]] = []
        for event in events {
            if let last = lives.last?.last, event.instant - last.instant <= plan.forgetAfter {
                lives[lives.count - 1].append(event)
            } else {
                lives.append([event])
            }
        }
        return lives
    }

    private struct Span {
        var start: Timestamp
        var end: Timestamp
        /// Positions of the events in it.
        var events: Range<Int>
    }

    /// The buckets of a life that are judged before the watermark.
    private func spans(
        of life: [ReferenceEvent], _ plan: MetricPlan, _ watermark: Timestamp
    ) -> [Span] {
        guard let first = life.first, let last = life.last else { return [] }
        var spans: [Span] = []
        switch plan.window.kind {
        case .tumbling(let size), .hopping(let size, every: _):
            let step = plan.window.bucketStep ?? size
            let until = min(last.instant + plan.forgetAfter, watermark - TimeSpan(nanoseconds: 1))
            var start = Timestamp(nanoseconds: 0)
            // T1: aligned to 1970; the first bucket is the first to end behind the first event.
            let behind = (first.instant - size - start).nanoseconds
            start = start + step * (behind / step.nanoseconds - 1)
            while start + size <= until {
                if start + size > first.instant {
                    let inside = life.indices.filter {
                        life[$0].instant >= start && life[$0].instant < start + size
                    }
                    let range = inside.first.map { $0..<$0 + inside.count } ?? 0..<0
                    spans.append(Span(start: start, end: start + size, events: range))
                }
                start = start + step
            }
        case .session(let gap, max: let longest):
            var begin = 0
            for index in life.indices {
                let next = index + 1 < life.count ? life[index + 1].instant : nil
                let isOver = next.map { $0 - life[index].instant > gap } ?? true
                let isLong = next.map { $0 - life[begin].instant > longest } ?? false
                guard isOver || isLong else { continue }
                let end = isOver ? life[index].instant + gap : next ?? watermark
                // An event ends a session at its own instant, a gap needs the watermark behind it.
                if !isOver || end < watermark {
                    spans.append(
                        Span(start: life[begin].instant, end: end, events: begin..<index + 1))
                }
                begin = index + 1
            }
        case .sliding, .last: break
        }
        return spans
    }

    private func measure(_ plan: MeasurePlan, of events: ArraySlice<ReferenceEvent>) -> Value {
        var samples: [(time: Timestamp, value: Value)] = []
        for event in events where holds(plan.condition, event) {
            var term = ReferenceTerm(tables: tables, lists: lists)
            term.event = event
            let value = plan.argument.map { term.value($0) } ?? .bool(true)
            if !value.isMissing { samples.append((event.time, value)) }
        }
        // H3: of nothing at all there are no different values.
        if plan.function == .distinct, events.isEmpty { return .missing }
        if plan.function == .rate { return referenceRate(samples) }
        return referenceAggregate(plan.function, samples.map(\.value), parameter: plan.parameter)
    }

    private func holds(_ condition: Term?, _ event: ReferenceEvent) -> Bool {
        var term = ReferenceTerm(tables: tables, lists: lists)
        term.event = event
        return term.holds(condition)
    }
}

private func decimal(_ value: Value) -> Double? {
    switch value {
    case .int(let number): Double(number)
    case .float(let number): number
    default: nil
    }
}
