/// Exponential smoothing of a series with a damped trend and, where there is one, an additive season
/// (Holt-Winters).
///
///     e = y - (l + φb + s)
///     l ← l + φb + αe        b ← φb + αβe        s ← s + γ(1 - α)e
///
/// `s` is that of the value's phase. A missing value moves the series on as foreseen. The weights are
/// fixed: fitting them to each key costs a search and gains little on short series. Assumes that the
/// spread does not grow with the level; not for series that are mostly zero.
///
/// - SeeAlso: Gardner & McKenzie, "Forecasting Trends in Time Series", Management Science 1985;
///   Hyndman & Athanasopoulos, "Forecasting: Principles and Practice", 3rd ed., §8.2 and §8.3.
struct Smoothing: Sendable {
    struct Weights: Sendable {
        /// α, of the newest value in the level.
        var level: Double
        /// β, of the newest change of level in the trend.
        var trend: Double
        /// γ, of the newest value in the season.
        var season: Double
        /// φ, what is left of the trend from one bucket to the next.
        var damping: Double

        static let standard = Weights(level: 0.15, trend: 0.05, season: 0.3, damping: 0.98)

        /// φ + φ² + … + φʰ: how many trends lie between now and `steps` buckets ahead.
        func reach(_ steps: Int) -> Double {
            var power = 1.0
            var sum = 0.0
            for _ in 0..<max(0, steps) {
                power *= damping
                sum += power
            }
            return sum
        }

        /// The standard deviation of the trend where there is none, in standard deviations of the
        /// one-step errors: each step keeps φ of it and adds αβ of an error.
        var spreadOfTrend: Double {
            level * trend / (1 - damping * damping).squareRoot()
        }
    }

    let weights: Weights
    private(set) var level: Double
    /// The rise from one value to the next.
    private(set) var trend = 0.0
    /// By phase; empty without a season.
    private(set) var season: [Double]
    /// The phase of the next value.
    private var phase = 0

    init(level: Double, season: [Double] = [], weights: Weights = .standard) {
        self.level = level
        self.season = season
        self.weights = weights
    }

    /// Starts from a whole season: its mean is the level, what differs from it the season.
    ///
    /// Nil when all values are missing. A phase without a value is taken to be like the mean.
    init?(season values: [Double?], weights: Weights = .standard) {
        let known = values.compactMap { $0 }
        guard !known.isEmpty else { return nil }
        let mean = known.reduce(0, +) / Double(known.count)
        self.init(level: mean, season: values.map { ($0 ?? mean) - mean }, weights: weights)
    }

    /// Takes the next value. Returns how far it was from what was foreseen; nil for a missing one.
    mutating func learn(_ value: Double?) -> Double? {
        let drift = weights.damping * trend
        let base = level + drift
        let part = season.isEmpty ? 0 : season[phase]
        let error = value.map { $0 - (base + part) }
        level = base + weights.level * (error ?? 0)
        trend = drift + weights.level * weights.trend * (error ?? 0)
        if !season.isEmpty {
            season[phase] = part + weights.season * (1 - weights.level) * (error ?? 0)
            phase = (phase + 1) % season.count
        }
        return error
    }

    /// What is foreseen so many values ahead, 1 being the next.
    ///
    /// - Parameter reach: `Weights.reach` of the steps, worked out once.
    func forecast(steps: Int, reach: Double) -> Double {
        let part = season.isEmpty ? 0 : season[(phase + steps - 1) % season.count]
        return level + reach * trend + part
    }
}

// MARK: - Snapshot

extension Smoothing {
    func write(to writer: inout StateWriter) {
        writer.write(level)
        writer.write(trend)
        writer.write(season)
        writer.write(phase)
    }

    /// - Parameter steps: Values of one season; 0 without one.
    init(from reader: inout StateReader, season steps: Int) throws(SnapshotError) {
        weights = .standard
        level = try reader.read()
        trend = try reader.read()
        season = try reader.readArray()
        guard season.count == steps else {
            throw reader.damaged("a season of \(season.count) values")
        }
        phase = try reader.int(in: 0...max(0, steps - 1))
    }
}
