/// The latest errors of a forecast, and how wide an interval has to be to hold 95 of 100 of them.
///
/// Split conformal prediction: nothing is assumed about the distribution of the errors but that the
/// next one is like those kept. So the interval is the one of the horizon asked for, and holds for
/// any method of forecasting.
///
/// - SeeAlso: Lei, G'Sell, Rinaldo, Tibshirani, Wasserman, "Distribution-Free Predictive Inference
///   for Regression", JASA 2018, §2.2.
struct RollingErrors: Sendable {
    /// Of days or weeks of errors those of the latest few hundred buckets say enough.
    static let countMax = 400
    /// Fewer cannot leave one in twenty outside.
    static let countMin = 19

    private var byAge = Queue<Double>()
    private var sorted: [Double] = []

    var count: Int { byAge.count }

    mutating func add(_ error: Double) {
        let size = error.magnitude
        guard size.isFinite else { return }
        if byAge.count == RollingErrors.countMax, let oldest = byAge.first {
            byAge.removeFirst()
            sorted.remove(at: sorted.lowerBound(of: oldest))
        }
        byAge.append(size)
        sorted.insert(size, at: sorted.lowerBound(of: size))
    }

    /// The ⌈0.95 (n + 1)⌉-th smallest error; nil with fewer than 19.
    var halfWidth: Double? {
        guard count >= RollingErrors.countMin else { return nil }
        return sorted[(95 * (count + 1) + 99) / 100 - 1]
    }
}

// MARK: - Snapshot

extension RollingErrors: StateCoded {
    func write(to writer: inout StateWriter) { writer.write(byAge.elements) }

    init(from reader: inout StateReader) throws(SnapshotError) {
        let errors: [Double] = try reader.readArray()
        guard errors.count <= RollingErrors.countMax,
            errors.allSatisfy({ $0.isFinite && $0 >= 0 })
        else { throw reader.damaged("errors that are no sizes") }
        for error in errors { add(error) }
    }
}
