import RuleModel

/// What a metric says, made ready for its keys: made once, shared, never changed.
final class MetricRule: Sendable {
    let name: String
    let window: WindowPlan.Kind
    /// The buckets of tumbling and hopping windows; nil: sessions.
    let grid: BucketGrid?
    let layout: WindowLayout
    let forecasts: [ForecastRule]
    let forgetAfter: TimeSpan
    /// Different values that one `distinct` holds (T9).
    let distinctLimit: Int
    /// What the events of the metric call their parts.
    let keyPaths: [FieldPath]
    let measurePaths: [FieldPath]
    /// For each forecast the names of its values: behind that of the measure, and, of an only
    /// forecast, alone.
    let forecastPaths: [[[FieldPath]]]

    init(
        _ rule: RuleProgram, _ metric: MetricProgram, zones: [String: ZoneTable],
        limits: EngineLimits
    ) {
        name = rule.name
        window = metric.window.kind
        let zone = metric.window.zone.map { zones[$0] ?? .utc }
        switch metric.window.kind {
        case .tumbling(let size): grid = BucketGrid(size: size, step: size, zone: zone)
        case .hopping(let size, every: let step):
            grid = BucketGrid(size: size, step: step, zone: zone)
        case .session, .sliding, .last: grid = nil
        }
        layout = WindowLayout(measures: metric.measures)
        forecasts = metric.forecasts.map { ForecastRule($0, of: metric) }
        forgetAfter = metric.forgetAfter
        distinctLimit = max(1, limits.distinctValues)
        func path(_ name: String) -> [String] { name.split(separator: ".").map(String.init) }
        keyPaths = rule.keyNames.map { FieldPath(path($0)) }
        measurePaths = metric.measures.map { FieldPath(path($0.name)) }
        let isOnly = metric.forecasts.count == 1
        forecastPaths = forecasts.map { forecast in
            MetricRecord.Forecast.fieldNames.map { name in
                [FieldPath([forecast.name, name])] + (isOnly ? [FieldPath([name])] : [])
            }
        }
    }
}
