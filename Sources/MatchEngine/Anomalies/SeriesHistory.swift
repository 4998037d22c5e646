import RuleModel

/// The values of one series of one member, bucket by bucket (A1, A2).
struct SeriesHistory: Sendable {
    private struct Entry: Sendable {
        var bucket: Int64
        var value: Double
        var isAnomalous: Bool
    }

    private var entries = Queue<Entry>()

    var count: Int { entries.count }

    /// - Precondition: later than all buckets before it.
    mutating func append(_ value: Double, bucket: Int64, isAnomalous: Bool) {
        entries.append(Entry(bucket: bucket, value: value, isAnomalous: isAnomalous))
    }

    /// The values that a bucket is compared with, oldest first, and nothing kept that no later bucket
    /// will be compared with either.
    mutating func baseline(of bucket: Int64, rule: AnomalyRule) -> [Double] {
        switch rule.program.baseline {
        case .last(let count): last(count, before: bucket, rule: rule)
        case .seasonal: samePhase(as: bucket, rule: rule)
        }
    }

    private mutating func last(_ count: Int, before bucket: Int64, rule: AnomalyRule) -> [Double] {
        var values: [Double] = []
        var index = entries.count
        while index > 0, values.count < count {
            index -= 1
            if isAdmitted(entries[index], to: bucket, rule) { values.append(entries[index].value) }
        }
        // What is admitted stays so: older values are behind `count` others for ever.
        if values.count == count { entries.removeFirst(index) }
        values.reverse()
        return values
    }

    private mutating func samePhase(as bucket: Int64, rule: AnomalyRule) -> [Double] {
        var unused = 0
        while unused < entries.count, distance(from: entries[unused], to: bucket) > rule.bucketsBack
        {
            unused += 1
        }
        entries.removeFirst(unused)
        var values: [Double] = []
        guard let first = entries.first?.bucket, first < bucket else { return values }
        var earlier = bucket - (bucket - first) / rule.bucketsPerSeason * rule.bucketsPerSeason
        while earlier < bucket {
            if let entry = entry(of: earlier), isAdmitted(entry, to: bucket, rule) {
                values.append(entry.value)
            }
            earlier += rule.bucketsPerSeason
        }
        return values
    }

    /// Whether a value takes part in the baseline of a bucket: an anomalous one only when
    /// `adapt after` has passed since.
    private func isAdmitted(_ entry: Entry, to bucket: Int64, _ rule: AnomalyRule) -> Bool {
        !entry.isAnomalous
            || rule.program.every * distance(from: entry, to: bucket) >= rule.program.adaptAfter
    }

    /// Buckets of a nanosecond, centuries apart, are more than can be counted.
    private func distance(from entry: Entry, to bucket: Int64) -> Int64 {
        let (distance, overflow) = bucket.subtractingReportingOverflow(entry.bucket)
        return overflow ? .max : distance
    }

    /// Binary search. O(log buckets).
    private func entry(of bucket: Int64) -> Entry? {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].bucket < bucket { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].bucket == bucket ? entries[low] : nil
    }
}

// MARK: - Snapshot

extension SeriesHistory: StateCoded {
    func write(to writer: inout StateWriter) {
        writer.write(entries.count)
        var before: Int64 = 0
        for index in 0..<entries.count {
            writer.write(entries[index].bucket &- before)
            writer.write(entries[index].value)
            writer.write(entries[index].isAnomalous)
            before = entries[index].bucket
        }
    }

    init(from reader: inout StateReader) throws(SnapshotError) {
        var before: Int64 = 0
        for index in 0..<(try reader.count()) {
            let bucket = before &+ (try reader.int64())
            let value: Double = try reader.read()
            guard index == 0 || bucket > before, value.isFinite else {
                throw reader.damaged("values out of order")
            }
            entries.append(
                Entry(bucket: bucket, value: value, isAnomalous: try reader.bool()))
            before = bucket
        }
    }
}
