/// One way of smoothing with what it has foreseen and how wrong it was.
struct Predictor: Sendable {
    /// What is foreseen of a bucket.
    struct Prediction: Sendable, Equatable {
        var expected: Double
        /// Half of the 95 % interval; nil until there are enough errors.
        var halfWidth: Double?
    }

    private struct Pending: Sendable {
        /// The number of the bucket that it is about.
        var bucket: Int
        var prediction: Prediction
        var isTold: Bool
    }

    private(set) var smoothing: Smoothing
    private var pending = Queue<Pending>()
    /// Of predictions at the horizon.
    private var errors = RollingErrors()
    /// The mean square of one-step errors, the newest of which counts a twentieth.
    private var variance = 0.0
    private var stepErrors = 0

    private static let weightOfNewestError = 0.05
    /// 97.5 % of a normal distribution lie below so many standard deviations.
    private static let normalBound = 1.96

    init(_ smoothing: Smoothing) { self.smoothing = smoothing }

    /// Whether a prediction waits for its bucket.
    var isWaiting: Bool { !pending.isEmpty }

    /// Takes out what was foreseen for a bucket, and learns how wrong that was. Returns it if it was told.
    mutating func settle(bucket: Int, value: Double?) -> Prediction? {
        guard let next = pending.first, next.bucket == bucket else { return nil }
        pending.removeFirst()
        if let value { errors.add(value - next.prediction.expected) }
        return next.isTold ? next.prediction : nil
    }

    mutating func learn(_ value: Double?) {
        guard let error = smoothing.learn(value) else { return }
        stepErrors += 1
        // The plain mean until a twentieth is the larger weight.
        let weight = max(1 / Double(stepErrors), Predictor.weightOfNewestError)
        variance += weight * (error * error - variance)
    }

    /// Foresees the bucket `steps` behind `bucket`.
    ///
    /// - Parameter isTold: Whether others get to know of it; else it is only for learning.
    mutating func predict(
        from bucket: Int, steps: Int, reach: Double, isTold: Bool
    ) -> Prediction {
        let prediction = Prediction(
            expected: smoothing.forecast(steps: steps, reach: reach), halfWidth: errors.halfWidth)
        pending.append(Pending(bucket: bucket + steps, prediction: prediction, isTold: isTold))
        return prediction
    }

    /// The rise from one bucket to the next, and half of its 95 % interval: what the noise alone would
    /// make of it. Nil until the noise is known.
    var slope: (value: Double, halfWidth: Double)? {
        guard stepErrors >= RollingErrors.countMin else { return nil }
        let spread = variance.squareRoot() * smoothing.weights.spreadOfTrend
        return (smoothing.trend, Predictor.normalBound * spread)
    }

    // MARK: - Snapshot

    func write(to writer: inout StateWriter) {
        smoothing.write(to: &writer)
        writer.write(pending.count)
        for waiting in pending.elements {
            writer.write(waiting.bucket)
            writer.write(waiting.prediction.expected)
            writer.write(waiting.prediction.halfWidth)
            writer.write(waiting.isTold)
        }
        writer.write(errors)
        writer.write(variance)
        writer.write(stepErrors)
    }

    /// - Parameters:
    ///   - bucket: The one that is judged next: what is foreseen is about it or one of those behind it,
    ///     `steps` in all.
    ///   - season: Buckets of one season of this smoothing; 0 without one.
    init(
        from reader: inout StateReader, bucket: Int, steps: Int, season: Int
    ) throws(SnapshotError) {
        smoothing = try Smoothing(from: &reader, season: season)
        var next = bucket
        for _ in 0..<(try reader.count()) {
            let waiting = Pending(
                bucket: try reader.int(),
                prediction: Prediction(
                    expected: try reader.read(), halfWidth: try reader.readOptional()),
                isTold: try reader.bool())
            // One that is passed over would wait for ever, and those behind it too.
            guard waiting.bucket >= next, waiting.bucket - bucket < steps else {
                throw reader.damaged("a forecast of no bucket to come")
            }
            next = waiting.bucket + 1
            pending.append(waiting)
        }
        errors = try reader.read()
        variance = try reader.read()
        stepErrors = try reader.tally()
    }
}
