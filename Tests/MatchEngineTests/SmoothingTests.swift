import RuleModel
import Testing

@testable import MatchEngine

@Suite("Smoothing") struct SmoothingTests {
    private static let series: [Double] = [
        30, 21, 29, 31, 40, 48, 53, 47, 37, 39, 31, 29, 17, 9, 20, 24, 27, 35, 41, 38, 27, 31, 27,
        26, 21, 13, 21, 18, 33, 35, 40, 36, 22, 24, 21, 20, 17, 14, 17, 19, 26, 29, 40, 31, 20, 24,
        18, 26,
    ]

    /// The figures are those of `ETSModel(series, error="add", trend="add", damped_trend=True,
    /// seasonal="add", seasonal_periods=12)` of statsmodels with these weights and initial states.
    @Test("M2 agrees with the ETS(A,Ad,A) model of statsmodels") func statsmodels() {
        let cycle = Self.series.prefix(12)
        let mean = cycle.reduce(0, +) / 12
        // Theirs are αβ and γ(1 - α).
        var smoothing = Smoothing(
            level: 30, season: cycle.map { $0 - mean },
            weights: Smoothing.Weights(
                level: 0.3, trend: 0.05 / 0.3, season: 0.2 / 0.7, damping: 0.9))
        var fitted: [Double] = []
        var squares = 0.0
        for value in Self.series {
            let error = smoothing.learn(value) ?? .nan
            fitted.append(value - error)
            squares += error * error
        }
        func isNear(_ found: [Double], _ wanted: [Double]) -> Bool {
            zip(found, wanted).allSatisfy { abs($0 - $1) < 1e-5 } && found.count == wanted.count
        }
        #expect(isNear(Array(fitted[12..<16]), [31.741742, 17.28928, 21.557565, 21.953278]))
        #expect(isNear([squares], [861.542769]))
        let ahead = (1...4).map {
            smoothing.forecast(steps: $0, reach: smoothing.weights.reach($0))
        }
        #expect(isNear(ahead, [16.227277, 9.285378, 16.728488, 18.569373]))
    }

    @Test("a missing value moves the series on as foreseen") func missing() {
        var smoothing = Smoothing(level: 10, season: [1, -1])
        _ = smoothing.learn(15)
        let reach = smoothing.weights.reach(2)
        let foreseen = smoothing.forecast(steps: 2, reach: reach)
        let next = smoothing.weights.reach(1)
        let error = smoothing.learn(nil)
        #expect(error == nil)
        #expect(abs(smoothing.forecast(steps: 1, reach: next) - foreseen) < 1e-9)
        #expect(Smoothing(season: [nil, nil]) == nil)
        #expect(Smoothing(season: [4, nil])?.season == [0, 0])
    }

    @Test("an interval needs nineteen errors and keeps the latest four hundred") func errors() {
        var errors = RollingErrors()
        for number in 1...18 { errors.add(Double(-number)) }
        #expect(errors.halfWidth == nil)
        errors.add(19)
        #expect(errors.halfWidth == 19)
        errors.add(20)
        #expect(errors.halfWidth == 20)
        for _ in 0..<399 { errors.add(1) }
        // Of 400 the 381st; the one of 20 is the largest of those that are left.
        #expect(errors.count == 400)
        #expect(errors.halfWidth == 1)
        for number in 0..<400 { errors.add(Double(number)) }
        #expect(errors.halfWidth == 380)
        errors.add(.infinity)
        #expect(errors.count == 400)
    }

    @Test(
        "an aggregate of samples that never leave says the same as one of a window",
        arguments: AggregateFunction.allCases)
    func accumulate(function: AggregateFunction) {
        var seed: UInt64 = 5
        var window = Aggregate(function, parameter: 90)
        var bucket = window
        for position in 0..<200 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let number = Int64(seed >> 60)
            let value: Value = number == 3 ? .missing : number == 4 ? .float(4.5) : .int(number)
            let sample = Aggregate.Sample(
                position: position, time: Int64(position) * 1_000_000_000, value: value)
            window.add(sample)
            bucket.accumulate(sample)
            #expect(window.value == bucket.value)
        }
    }
}
