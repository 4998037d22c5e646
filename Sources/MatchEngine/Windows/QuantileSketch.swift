/// Counts of numbers in log-linear buckets, from which any quantile can be told within 0.8 %.
///
/// A bucket holds the numbers that share their sign, their power of two and the first six bits
/// behind it, so each power of two has 64 buckets of equal width. The middle of a bucket is at most
/// 1/128 of a number away from it. Numbers can be taken out again, so that the sketch follows a
/// sliding window without further error; no logarithm is needed, so that every machine agrees.
///
/// Assumes nothing about the data. Subnormal numbers count as zero.
/// - SeeAlso: Tene, "HdrHistogram: A High Dynamic Range Histogram", 2012 (the buckets); Masson, Rim,
///   Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees",
///   VLDB 2019, §2 (quantiles with relative error).
struct QuantileSketch: Sendable {
    /// The largest relative error of a quantile.
    static let relativeError = 1.0 / 128
    /// How many bits of a number are not part of its bucket's name.
    private static let droppedBits: UInt64 = 46

    private var positive = SparseCounts()
    private var negative = SparseCounts()
    private var zeros = 0

    /// - Precondition: not a NaN.
    mutating func add(_ number: Double) { change(number, by: 1) }

    /// - Precondition: the number was added before and not removed since.
    mutating func remove(_ number: Double) { change(number, by: -1) }

    /// About the number that has `rank` numbers before it in sorted order.
    /// - Precondition: `rank` is at least 0 and less than the count of numbers.
    /// - Complexity: O(buckets).
    func value(atRank rank: Int) -> Double {
        var rest = rank
        if rest < negative.total {
            // The most negative numbers are in the highest bucket.
            return -QuantileSketch.middle(negative.bucket(atRank: negative.total - 1 - rest))
        }
        rest -= negative.total
        if rest < zeros { return 0 }
        return QuantileSketch.middle(positive.bucket(atRank: rest - zeros))
    }

    private mutating func change(_ number: Double, by difference: Int) {
        if number.magnitude < .leastNormalMagnitude {
            zeros += difference
        } else {
            // Infinity goes with the largest numbers.
            let magnitude = min(number.magnitude, .greatestFiniteMagnitude)
            let bucket = magnitude.bitPattern >> QuantileSketch.droppedBits
            if number > 0 {
                positive.change(bucket, by: difference)
            } else {
                negative.change(bucket, by: difference)
            }
        }
    }

    private static func middle(_ bucket: UInt64) -> Double {
        let half: UInt64 = 1 << (droppedBits - 1)
        return Double(bitPattern: bucket << droppedBits | half)
    }
}

/// Counts by bucket, sorted; buckets without a count are not there.
private struct SparseCounts: Sendable {
    private var buckets: [UInt64] = []
    private var counts: [Int] = []
    private(set) var total = 0

    mutating func change(_ bucket: UInt64, by difference: Int) {
        total += difference
        let index = buckets.lowerBound(of: bucket)
        if index == buckets.count || buckets[index] != bucket {
            buckets.insert(bucket, at: index)
            counts.insert(difference, at: index)
        } else {
            counts[index] += difference
            if counts[index] == 0 {
                buckets.remove(at: index)
                counts.remove(at: index)
            }
        }
    }

    func bucket(atRank rank: Int) -> UInt64 {
        var rest = rank
        for (index, count) in counts.enumerated() {
            if rest < count { return buckets[index] }
            rest -= count
        }
        return buckets.last ?? 0
    }
}

// MARK: - Snapshot

extension QuantileSketch: StateCoded {
    /// How many numbers are in it.
    var count: Int { positive.total + negative.total + zeros }

    func write(to writer: inout StateWriter) {
        writer.write(positive)
        writer.write(negative)
        writer.write(zeros)
    }

    init(from reader: inout StateReader) throws(SnapshotError) {
        positive = try reader.read()
        negative = try reader.read()
        zeros = try reader.int(in: 0...(1 << 40))
    }
}

extension SparseCounts: StateCoded {
    func write(to writer: inout StateWriter) {
        writer.write(buckets.count)
        for (bucket, count) in zip(buckets, counts) {
            writer.write(unsigned: bucket)
            writer.write(count)
        }
    }

    init(from reader: inout StateReader) throws(SnapshotError) {
        for _ in 0..<(try reader.count()) {
            let bucket = try reader.unsigned()
            // A bucket is the upper bits of a number, without its sign.
            guard bucket > buckets.last ?? 0, bucket < 1 << 17 else {
                throw reader.damaged("buckets out of order")
            }
            let count = try reader.int(in: 1...(1 << 40))
            buckets.append(bucket)
            counts.append(count)
            total += count
        }
    }
}

extension Array where Element: Comparable {
    /// The index of the first element that is not less than `element`, in a sorted array.
    func lowerBound(of element: Element) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension QuantileSketch {
    /// What a record says of a percentile that is an estimate.
    static func note(on measure: String) -> String {
        let percent = (relativeError * 1000).rounded() / 10
        return "\(measure) is estimated within \(percent) %: "
            + "there are more than \(OrderStatistics.exactLimit) values"
    }
}
