/// The numbers of a window in sorted order, for percentiles.
///
/// Exact up to `exactLimit` numbers. Beyond `sketchStart` a sketch takes over, and hands back when
/// so many have left that exactness is promised again; the gap between the two keeps a window
/// whose size sways around the limit from changing sides at every event.
struct OrderStatistics: Sendable {
    static let exactLimit = 10_000
    static let sketchStart = 11_000

    private var sorted: [Double] = []
    private var sketch: QuantileSketch?
    private(set) var count = 0

    /// Whether percentiles carry the error of the sketch.
    var isEstimated: Bool { sketch != nil }

    /// - Precondition: not a NaN.
    mutating func add(_ number: Double) {
        count += 1
        if sketch != nil {
            sketch?.add(number)
            return
        }
        sorted.insert(number, at: sorted.lowerBound(of: number))
        if count > OrderStatistics.sketchStart { startSketch() }
    }

    private mutating func startSketch() {
        var sketch = QuantileSketch()
        for number in sorted { sketch.add(number) }
        self.sketch = sketch
        sorted = []
    }

    /// Takes out a number that was added before.
    ///
    /// Returns true when there are few enough numbers for exactness, which the sketch cannot give:
    /// then the owner calls `rebuild` with all that are left.
    mutating func remove(_ number: Double) -> Bool {
        count -= 1
        if sketch != nil {
            sketch?.remove(number)
            return count <= OrderStatistics.exactLimit
        }
        let index = sorted.lowerBound(of: number)
        assert(index < sorted.count && sorted[index] == number, "only what was added is removed")
        sorted.remove(at: index)
        return false
    }

    /// Starts anew with these numbers: exactly, unless there are too many or an estimate is to go on.
    mutating func rebuild(from numbers: [Double], isEstimated: Bool = false) {
        sorted = numbers.sorted()
        count = numbers.count
        sketch = nil
        if isEstimated || count > OrderStatistics.sketchStart { startSketch() }
    }

    /// The number below which `percent` of the numbers lie: linear interpolation at rank
    /// `percent / 100 * (count - 1)`. Nil without numbers.
    func percentile(_ percent: Double) -> Double? {
        guard count > 0 else { return nil }
        let rank = min(max(percent / 100, 0), 1) * Double(count - 1)
        let lower = Int(rank)
        let fraction = rank - Double(lower)
        let low = value(atRank: lower)
        // Without the test two infinities would make a NaN.
        if fraction == 0 { return low }
        let high = value(atRank: lower + 1)
        return low == high ? low : low + (high - low) * fraction
    }

    private func value(atRank rank: Int) -> Double {
        sketch?.value(atRank: rank) ?? sorted[rank]
    }
}

// MARK: - Snapshot

extension OrderStatistics: StateCoded {
    func write(to writer: inout StateWriter) {
        writer.write(sketch)
        if sketch == nil { writer.write(sorted) }
    }

    init(from reader: inout StateReader) throws(SnapshotError) {
        sketch = try reader.readOptional()
        if let sketch {
            count = sketch.count
            return
        }
        sorted = try reader.readArray()
        count = sorted.count
        guard zip(sorted, sorted.dropFirst()).allSatisfy({ $0 <= $1 }),
            sorted.first.map({ !$0.isNaN }) ?? true
        else { throw reader.damaged("numbers out of order") }
    }
}
