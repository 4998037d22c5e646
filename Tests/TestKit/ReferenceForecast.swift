import Foundation
import RuleModel

/// M2 by the textbook: whole columns of levels, trends and seasons, each value by its index in time.
struct ReferenceSmoothing {
    /// What is foreseen at each value for the one `steps` later; nil before the smoothing begins.
    var ahead: [Double?]
    /// The rise per value.
    var slopes: [Double?]
    /// One-step errors; nil at missing values.
    var errors: [Double?]

    /// - Parameters:
    ///   - begin: The first value that is smoothed.
    ///   - season: The deviations of the `season.count` values before `begin`; empty without a season.
    init(_ values: [Double?], from begin: Int, level: Double, season: [Double], steps: Int) {
        let (alpha, beta, gamma, phi) = (0.15, 0.05, 0.3, 0.98)
        let m = season.count
        var l = level
        var b = 0.0
        var s = [Double](repeating: 0, count: max(0, begin - m)) + season
        ahead = Array(repeating: nil, count: values.count)
        slopes = ahead
        errors = ahead
        let reach = (1...steps).map { pow(phi, Double($0)) }.reduce(0, +)
        func foresee(_ t: Int) {
            let laps = m == 0 ? 0 : (steps + m - 1) / m
            ahead[t] = l + reach * b + (m == 0 ? 0 : s[t + steps - laps * m])
            slopes[t] = b
        }
        if begin > 0 { foresee(begin - 1) }
        for t in begin..<max(begin, values.count) {
            let part = m == 0 ? 0 : s[t - m]
            let foreseen = l + phi * b + part
            let e = (values[t] ?? foreseen) - foreseen
            if values[t] != nil { errors[t] = e }
            (l, b) = (l + phi * b + alpha * e, phi * b + alpha * beta * e)
            s.append(part + gamma * (1 - alpha) * e)
            foresee(t)
        }
    }
}

/// The forecasts of each bucket of a key.
func referenceForecasts(
    _ values: [Double?], _ plan: ForecastPlan, of metric: MetricPlan
) -> [MetricRecord.Forecast] {
    let name = metric.measures[plan.measure].name
    guard let step = metric.window.bucketStep else { return [] }
    let steps = Int(plan.horizon.nanoseconds / step.nanoseconds)
    var trending: ReferenceSmoothing?
    if let first = values.firstIndex(where: { $0 != nil }) {
        trending = ReferenceSmoothing(
            values, from: first + 1, level: values[first] ?? 0, season: [], steps: steps)
    }
    var seasonal: ReferenceSmoothing?
    var seasonalFrom = Int.max
    if let season = plan.season {
        let m = Int(season.span.nanoseconds / step.nanoseconds)
        // The first whole season with a value in it starts, the next one proves.
        let laps = stride(from: 0, through: values.count - m, by: m)
        if let start = laps.first(where: { values[$0..<$0 + m].contains { $0 != nil } }) {
            let known = values[start..<start + m].compactMap { $0 }
            let mean = known.reduce(0, +) / Double(known.count)
            seasonal = ReferenceSmoothing(
                values, from: start + m, level: mean,
                season: values[start..<start + m].map { ($0 ?? mean) - mean }, steps: steps)
            seasonalFrom = start + 2 * m - 1
        }
    }
    /// Which smoothing speaks at a bucket.
    func speaker(_ t: Int) -> ReferenceSmoothing? {
        if t >= seasonalFrom { return seasonal }
        return values[...t].count(where: { $0 != nil }) >= 2 ? trending : nil
    }
    func prediction(_ t: Int) -> (expected: Double, halfWidth: Double?)? {
        guard t >= 0, let speaker = speaker(t), let expected = speaker.ahead[t] else { return nil }
        let isTrending = t < seasonalFrom
        var errors: [Double] = []
        for later in 0...t where later >= steps {
            // A trend of one value foresees nothing.
            let origin = later - steps
            let seen = values[...origin].count { $0 != nil }
            if isTrending, seen < 2 { continue }
            if let value = values[later], let foreseen = speaker.ahead[origin] {
                errors.append(abs(value - foreseen))
            }
        }
        let latest = errors.suffix(400).sorted()
        guard latest.count >= 19 else { return (expected, nil) }
        let rank = Int((0.95 * Double(latest.count + 1)).rounded(.up))
        return (expected, latest[rank - 1])
    }
    return values.indices.map { t in
        var forecast = MetricRecord.Forecast(measure: name)
        if let told = prediction(t - steps) {
            forecast.expected = told.expected
            forecast.low = told.halfWidth.map { told.expected - $0 }
            forecast.high = told.halfWidth.map { told.expected + $0 }
        }
        if let told = prediction(t) {
            forecast.ahead = told.expected
            forecast.aheadLow = told.halfWidth.map { told.expected - $0 }
            forecast.aheadHigh = told.halfWidth.map { told.expected + $0 }
        }
        let source = t >= seasonalFrom ? seasonal : trending
        let errors = (source?.errors[...t] ?? []).compactMap { $0 }
        if let slope = source?.slopes[t], errors.count >= 19 {
            var variance = 0.0
            for (index, error) in errors.enumerated() {
                let weight = max(1 / Double(index + 1), 0.05)
                variance = (1 - weight) * variance + weight * error * error
            }
            // Where there is no trend it is the sum of αβφᵏe, so its variance is a geometric series.
            let bound = 1.96 * sqrt(variance * pow(0.15 * 0.05, 2) / (1 - pow(0.98, 2)))
            forecast.slope = slope
            forecast.trend = slope > bound ? .up : slope < -bound ? .down : .flat
        }
        return forecast
    }
}
