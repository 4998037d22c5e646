import RuleModel

/// A `forecast` line, made ready for the keys of its metric.
struct ForecastRule: Sendable {
    /// Index into the metric's measures.
    let measure: Int
    let name: String
    /// How many buckets ahead.
    let steps: Int
    /// `Smoothing.Weights.reach` of the steps.
    let reach: Double
    /// Buckets of one season; nil without one.
    let seasonSteps: Int?

    /// - Precondition: the window has buckets at a fixed distance that divides horizon and season.
    init(_ forecast: ForecastPlan, of metric: MetricProgram) {
        measure = forecast.measure
        name = metric.measures[forecast.measure].name
        let step = metric.window.bucketStep ?? forecast.horizon
        steps = max(1, Int(forecast.horizon.nanoseconds / step.nanoseconds))
        reach = Smoothing.Weights.standard.reach(steps)
        seasonSteps = forecast.season.map { Int($0.span.nanoseconds / step.nanoseconds) }
    }
}

/// The forecast of one measure of one key (M2).
///
/// From the second value on a damped trend is smoothed. Where a season is named, the first whole
/// season starts a second smoothing, which proves itself in the second season and takes over at its
/// end. What the first one had foreseen until then is still reported when its bucket comes, so that
/// `expected` is always what `ahead` said.
struct Forecaster: Sendable {
    /// How many buckets were judged.
    private var bucket = 0
    private var trending: Predictor?
    private var values = 0
    private var seasonal: Predictor?
    /// The values of the season that starts the seasonal smoothing, until it is whole.
    private var firstSeason: [Double?] = []
    /// Buckets that the seasonal smoothing has followed.
    private var seasonalBuckets = 0

    init() {}

    /// Takes the value of the next bucket; nil where the measure is missing.
    mutating func judge(_ value: Double?, rule: ForecastRule) -> MetricRecord.Forecast {
        defer { bucket += 1 }
        var forecast = MetricRecord.Forecast(measure: rule.name)
        let fromTrend = trending?.settle(bucket: bucket, value: value)
        let fromSeason = seasonal?.settle(bucket: bucket, value: value)
        if let told = fromTrend ?? fromSeason {
            forecast.expected = told.expected
            forecast.low = told.halfWidth.map { told.expected - $0 }
            forecast.high = told.halfWidth.map { told.expected + $0 }
        }
        learn(value, rule: rule)
        if let ahead = predict(rule: rule) {
            forecast.ahead = ahead.expected
            forecast.aheadLow = ahead.halfWidth.map { ahead.expected - $0 }
            forecast.aheadHigh = ahead.halfWidth.map { ahead.expected + $0 }
        }
        if let slope = (isSeasonal(rule) ? seasonal : trending)?.slope {
            forecast.slope = slope.value
            forecast.trend =
                slope.value > slope.halfWidth
                ? .up : slope.value < -slope.halfWidth ? .down : .flat
        }
        return forecast
    }

    /// Whether two seasons have been seen.
    private func isSeasonal(_ rule: ForecastRule) -> Bool {
        guard let steps = rule.seasonSteps else { return false }
        return seasonal != nil && seasonalBuckets >= steps
    }

    private mutating func learn(_ value: Double?, rule: ForecastRule) {
        if value != nil { values += 1 }
        if trending != nil {
            trending?.learn(value)
        } else if let value, !isSeasonal(rule) {
            trending = Predictor(Smoothing(level: value))
        }
        guard let steps = rule.seasonSteps else { return }
        if seasonal != nil {
            seasonal?.learn(value)
            if seasonalBuckets < steps { seasonalBuckets += 1 }
            return
        }
        firstSeason.append(value)
        guard firstSeason.count == steps else { return }
        // A season of missing values says nothing: the next one may start it.
        seasonal = Smoothing(season: firstSeason).map { Predictor($0) }
        firstSeason = []
    }

    private mutating func predict(rule: ForecastRule) -> Predictor.Prediction? {
        let isSeasonal = isSeasonal(rule)
        let fromSeason = seasonal?.predict(
            from: bucket, steps: rule.steps, reach: rule.reach, isTold: isSeasonal)
        if isSeasonal {
            if trending?.isWaiting == false { trending = nil }
            return fromSeason
        }
        guard values >= 2 else { return nil }
        return trending?.predict(
            from: bucket, steps: rule.steps, reach: rule.reach, isTold: true)
    }

    // MARK: - Snapshot

    func write(to writer: inout StateWriter) {
        writer.write(bucket)
        writer.write(values)
        writer.write(trending != nil)
        trending?.write(to: &writer)
        writer.write(seasonal != nil)
        seasonal?.write(to: &writer)
        writer.write(firstSeason.count)
        for value in firstSeason { writer.write(value) }
        writer.write(seasonalBuckets)
    }

    init(from reader: inout StateReader, rule: ForecastRule) throws(SnapshotError) {
        let seasonSteps = rule.seasonSteps ?? 0
        bucket = try reader.tally()
        values = try reader.tally()
        if try reader.bool() {
            trending = try Predictor(from: &reader, bucket: bucket, steps: rule.steps, season: 0)
        }
        if try reader.bool() {
            guard seasonSteps > 0 else { throw reader.damaged("a season that nobody named") }
            seasonal = try Predictor(
                from: &reader, bucket: bucket, steps: rule.steps, season: seasonSteps)
        }
        let known = try reader.count()
        // A season that is whole has started the smoothing.
        guard known < max(1, seasonSteps) else {
            throw reader.damaged("\(known) values of a season that is not whole")
        }
        for _ in 0..<known { firstSeason.append(try reader.readOptional()) }
        seasonalBuckets = try reader.int(in: 0...seasonSteps)
    }
}
