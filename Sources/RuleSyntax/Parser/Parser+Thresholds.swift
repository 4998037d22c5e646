// `threshold by KEYS { ... }` and `metric NAME { ... }`, which share windows and measures.

extension Parser {
    mutating func threshold() -> ThresholdSyntax {
        let start = previous.range
        var threshold = ThresholdSyntax(
            keys: nil, over: nil, window: nil, measures: [], when: nil, whenFor: nil,
            atLeastEvents: nil,
            resolveWhen: nil, resolveFor: nil, options: [])
        if at(.by) { threshold.keys = keys() }
        let known = diagnostics.count
        var given: [String: SourceRange] = [:]
        block("this threshold", endsEarly: { $0.isAtActionOfRule }) { parser in
            parser.thresholdClause(into: &threshold, &given)
            parser.endClause { $0.keyword.map(Self.thresholdWords.contains) == true }
        }
        guard diagnostics.count == known, !isPanicking else { return threshold }
        if threshold.over == nil {
            report(
                .missingClause(
                    "this threshold does not say which events it counts", "`over` is missing here",
                    at: start,
                    help: "add a line such as `over ssh.login where outcome == \"failure\"`"))
        } else if threshold.when == nil {
            report(
                .missingClause(
                    "this threshold does not say when it fires", "`when` is missing here",
                    at: start,
                    help: "add a line such as `when count >= 20`"))
        }
        return threshold
    }

    static let thresholdWords: [Keyword] = [
        .over, .window, .measure, .when, .resolve, .remind, .stale, .on, .reset, .forget,
    ]

    /// Whether an action of the rule begins here, so that the block before must have ended.
    var isAtActionOfRule: Bool {
        guard current.startsLine, !peek().startsLine else { return false }
        switch current.keyword {
        case .alert: return peek().isText
        case .suppress, .group: return peek().keyword == .by
        case .send: return peek().keyword == .to
        case .mask, .attach, .risk, .severity, .title: return peek().kind != .colon
        default: return false
        }
    }

    private mutating func thresholdClause(
        into threshold: inout ThresholdSyntax, _ given: inout [String: SourceRange]
    ) {
        let start = current
        guard let keyword = clauseKeyword(among: Self.thresholdWords, of: "threshold") else {
            return
        }
        switch keyword {
        case .over:
            threshold.over = sourceSyntax()
        case .window:
            threshold.window = window(from: start.range)
        case .measure:
            if let measure = measure(from: start.range) { threshold.measures.append(measure) }
            return
        case .when:
            threshold.when = expression()
            while !isPanicking, isContinued {
                if take(.for) != nil {
                    threshold.whenFor = duration()
                } else if at(.at) {
                    expect(.at, .least)
                    threshold.atLeastEvents = integer("how many events")
                    expect(.events)
                } else {
                    break
                }
            }
        case .resolve:
            expect(.when)
            threshold.resolveWhen = expression()
            if take(.for) != nil { threshold.resolveFor = duration() }
        default:
            if let kind = option(keyword) {
                threshold.options.append(ThresholdOption(kind, range(from: start.range)))
            }
        }
        once(keyword.rawValue, "`\(keyword.rawValue)` is given once", at: start.range, &given)
    }

    private mutating func option(_ keyword: Keyword) -> ThresholdOption.Kind? {
        switch keyword {
        case .remind:
            expect(.every)
            return duration().map { .remind(every: $0) }
        case .stale:
            expect(.after)
            return duration().map { .stale(after: $0) }
        case .on:
            expect(.no, .data)
            switch current.keyword {
            case .resolve: advance(); return .onNoData(.resolve)
            case .keep: advance(); return .onNoData(.keep)
            case .fire: advance(); return .onNoData(.fire)
            default:
                expected(oneOf: .resolve, .keep, .fire)
                return nil
            }
        case .reset:
            expect(.after, .match)
            return .resetAfterMatch
        case .forget:
            expect(.after)
            return duration().map { .forget(after: $0) }
        default:
            return nil
        }
    }
}

// MARK: - Windows and measures

extension Parser {
    /// What stands behind `window`.
    private mutating func window(from start: SourceRange) -> WindowSyntax? {
        guard let kind = windowKind() else { return nil }
        var zone: TextLiteral?
        if at(.aligned), isContinued {
            expect(.aligned, .to)
            zone = textLiteral("a time zone in quotes, such as `\"Europe/Berlin\"`")
        }
        return WindowSyntax(kind, zone: zone, range: range(from: start))
    }

    private mutating func windowKind() -> WindowSyntax.Kind? {
        if take(.session) != nil {
            expect(.gap)
            guard let gap = duration() else { return nil }
            expect(.max)
            return duration().map { .session(gap: gap, max: $0) }
        }
        if take(.last) != nil {
            guard let count = integer("how many events") else { return nil }
            expect(.events)
            return .last(count)
        }
        guard let length = duration() else { return nil }
        if take(.sliding) != nil { return .sliding(length) }
        if take(.tumbling) != nil { return .tumbling(length) }
        if take(.hopping) != nil {
            expect(.every)
            return duration().map { .hopping(length, every: $0) }
        }
        // A window slides unless it says otherwise.
        return .sliding(length)
    }

    /// What stands behind `measure`.
    private mutating func measure(from start: SourceRange) -> MeasureSyntax? {
        let name = name("a name for the measure")
        expect(.assign, "`=`")
        let aggregate = aggregate()
        return isPanicking && aggregate.function.text.isEmpty
            ? nil : MeasureSyntax(name: name, aggregate: aggregate, range: range(from: start))
    }

    /// `count where status >= 500`, `percentile(95, duration_ms)`
    mutating func aggregate() -> AggregateSyntax {
        let function = name("a measure, such as `count` or `sum(amount)`")
        var arguments: [ExpressionSyntax] = []
        if at(.leftParenthesis), !current.startsLine, !isPanicking {
            layout[index] = .glued
            arguments =
                bracketed(.leftParenthesis, .rightParenthesis, "`(`") { $0.expression() } ?? []
        }
        let condition = take(.where) == nil ? nil : expression()
        return AggregateSyntax(
            function: function, arguments: arguments, condition: condition,
            range: range(from: function.range))
    }
}

// MARK: - Metrics

extension Parser {
    mutating func metricDeclaration() -> MetricDeclaration {
        let start = advance().range
        let name = name("a name for the metric")
        var metric = MetricDeclaration(
            name: name, keys: nil, over: nil, window: nil, measures: [], forecasts: [], show: nil,
            range: start)
        let known = diagnostics.count
        var given: [String: SourceRange] = [:]
        block("metric `\(name.text)`") { parser in
            parser.metricClause(into: &metric, &given)
            parser.endClause { $0.keyword.map(Self.metricWords.contains) == true }
        }
        metric.range = range(from: start)
        if metric.over == nil, diagnostics.count == known, !isPanicking {
            report(
                .missingClause(
                    "metric `\(name.text)` does not say which events it measures",
                    "`over` is missing here", at: name.range,
                    help: "add a line such as `over transaction`"))
        }
        return metric
    }

    private static let metricWords: [Keyword] = [
        .by, .over, .window, .measure, .forecast, .forget, .show,
    ]

    private mutating func metricClause(
        into metric: inout MetricDeclaration, _ given: inout [String: SourceRange]
    ) {
        let start = current
        if at(.by), peek().kind != .colon {
            metric.keys = keys()
            once("by", "`by` is given once", at: start.range, &given)
            return
        }
        guard let keyword = clauseKeyword(among: Self.metricWords, of: "metric") else { return }
        switch keyword {
        case .over:
            metric.over = sourceSyntax()
        case .window:
            metric.window = window(from: start.range)
        case .measure:
            if let measure = measure(from: start.range) { metric.measures.append(measure) }
            return
        case .forecast:
            if let forecast = forecast(from: start.range) { metric.forecasts.append(forecast) }
            return
        case .forget:
            expect(.after)
            metric.forgetAfter = duration()
        case .show:
            metric.show = textLiteral("a caption in quotes")
        default:
            // A misspelled `by`, read as one.
            let fields = separated { $0.path("the name of a field") }
            metric.keys = KeySyntax(fields: fields, list: nil, range: range(from: start.range))
        }
        once(keyword.rawValue, "`\(keyword.rawValue)` is given once", at: start.range, &given)
    }

    /// What stands behind `forecast`: `total for 15m seasonal daily`.
    private mutating func forecast(from start: SourceRange) -> MetricDeclaration.Forecast? {
        let measure = name("the name of a measure")
        expect(.for)
        guard let horizon = duration() else { return nil }
        let season = take(.seasonal) == nil ? nil : season()
        return MetricDeclaration.Forecast(
            measure: measure, horizon: horizon, season: season, range: range(from: start))
    }

    /// `daily` or `weekly`
    mutating func season() -> Season? {
        if take(.daily) != nil { return .daily }
        if take(.weekly) != nil { return .weekly }
        expected(oneOf: .daily, .weekly)
        return nil
    }
}
