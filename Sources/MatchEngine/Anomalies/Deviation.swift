import RuleModel

/// How unusual a value is, and what that rests on (A3).
struct Deviation: Sendable, Equatable {
    var score: Double
    /// The middle of the baseline that the value was compared with.
    var middle: Double
    /// How far values of the baseline usually lie from its middle; never below the least spread.
    var spread: Double
}

/// A score that a rule's condition asks for. Every score of an anomaly cluster comes from here.
struct ScoreUse: Sendable, Equatable {
    var function: ScoreFunction
    /// Index of the measure.
    var measure: Int
    /// The smoothing of `ewma`.
    var parameter: Double?

    /// The score of a value against a baseline; nil when there is none.
    ///
    /// - Parameter minimumSpread: As in `AnomalyPlan`.
    func deviation(
        of value: Double, from baseline: Baseline, minimumSpread: Double?
    ) -> Deviation? {
        var middle = baseline.median
        var spread: Double
        switch function {
        case .robustZ, .ratio: spread = baseline.medianDeviation
        case .z:
            middle = baseline.mean
            spread = baseline.standardDeviation
        case .ewma: (middle, spread) = baseline.smoothed(by: parameter ?? 1)
        }
        let least = minimumSpread ?? (baseline.median == 0 ? 1 : abs(baseline.median) / 100)
        spread = max(spread, least)
        let score: Double
        switch function {
        case .robustZ: score = 0.6745 * (value - middle) / spread
        case .z, .ewma: score = (value - middle) / spread
        case .ratio: score = value / middle
        }
        // A ratio to a median of 0, or numbers too large to subtract.
        guard score.isFinite else { return nil }
        return Deviation(score: score, middle: middle, spread: spread)
    }
}

/// The earlier values that a bucket is compared with (A2).
struct Baseline: Sendable {
    /// Oldest first.
    private let values: [Double]
    let median: Double

    /// - Precondition: there is a value, and all are finite.
    init(_ values: [Double]) {
        precondition(!values.isEmpty, "a baseline has values")
        self.values = values
        median = Baseline.median(of: values)
    }

    /// The median of the distances from the median (MAD).
    var medianDeviation: Double { Baseline.median(of: values.map { abs($0 - median) }) }

    var mean: Double { values.reduce(0, +) / Double(values.count) }

    /// With n - 1 below the line; 0 for a single value.
    var standardDeviation: Double {
        guard values.count > 1 else { return 0 }
        let mean = mean
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count - 1)).squareRoot()
    }

    /// Mean and deviation in which each value weighs `weight`, and all before it the rest.
    ///
    /// - SeeAlso: West, "Updating Mean and Variance Estimates: An Improved Method", 1979.
    func smoothed(by weight: Double) -> (mean: Double, deviation: Double) {
        var mean = values[0]
        var variance = 0.0
        for value in values.dropFirst() {
            let difference = value - mean
            let step = weight * difference
            mean += step
            variance = (1 - weight) * (variance + difference * step)
        }
        return (mean, variance.squareRoot())
    }

    private static func median(of values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
