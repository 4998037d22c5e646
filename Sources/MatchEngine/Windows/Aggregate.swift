import RuleModel

/// One measure over the events of a window that slides: events enter at one end and leave at the
/// other, in the order in which they came.
///
/// A missing value does not take part in anything but `count`. Each change takes O(1), amortised;
/// for `percentile` O(n) of a very small n: moving at most 80 kB of sorted numbers.
enum Aggregate: Sendable {
    case count(Int)
    case sum(Total)
    case average(Total)
    case extreme(Extreme)
    case distinct([Value: Int])
    case percentile(Percentile)
    case rate(Rate)
    case first(Queue<Sample>)
    case last(Sample?)

    /// A value in the window: the number of its event, counted over the life of the key, and the
    /// event's own time in nanoseconds.
    struct Sample: Sendable {
        var position: Int
        var time: Int64
        var value: Value
    }

    /// - Parameter parameter: the `p` of a percentile, 0 to 100.
    init(_ function: AggregateFunction, parameter: Double?) {
        switch function {
        case .count: self = .count(0)
        case .sum: self = .sum(Total())
        case .avg: self = .average(Total())
        case .min: self = .extreme(Extreme(isMaximum: false))
        case .max: self = .extreme(Extreme(isMaximum: true))
        case .distinct: self = .distinct([:])
        case .percentile: self = .percentile(Percentile(percent: parameter ?? 50))
        case .rate: self = .rate(Rate())
        case .first: self = .first(Queue())
        case .last: self = .last(nil)
        }
    }

    /// Samples are added in order of their positions.
    mutating func add(_ sample: Sample) {
        switch consume self {
        case .count(let count): self = .count(count + 1)
        case .sum(var total):
            total.add(sample.value)
            self = .sum(total)
        case .average(var total):
            total.add(sample.value)
            self = .average(total)
        case .extreme(var extreme):
            extreme.add(sample)
            self = .extreme(extreme)
        case .distinct(var counts):
            if let value = sample.value.canonical { counts[value, default: 0] += 1 }
            self = .distinct(counts)
        case .percentile(var percentile):
            percentile.add(sample.value)
            self = .percentile(percentile)
        case .rate(var rate):
            rate.add(sample)
            self = .rate(rate)
        case .first(var samples):
            if !sample.value.isMissing { samples.append(sample) }
            self = .first(samples)
        case .last(let last): self = .last(sample.value.isMissing ? last : sample)
        }
    }

    /// Samples are removed in the order in which they were added.
    ///
    /// Returns true when the measure has to be computed anew from the window, by a fresh aggregate.
    mutating func remove(_ sample: Sample) -> Bool {
        var needsRebuild = false
        switch consume self {
        case .count(let count): self = .count(count - 1)
        case .sum(var total):
            total.remove(sample.value)
            self = .sum(total)
        case .average(var total):
            total.remove(sample.value)
            self = .average(total)
        case .extreme(var extreme):
            extreme.remove(sample)
            self = .extreme(extreme)
        case .distinct(var counts):
            if let value = sample.value.canonical, let count = counts[value] {
                counts[value] = count > 1 ? count - 1 : nil
            }
            self = .distinct(counts)
        case .percentile(var percentile):
            needsRebuild = percentile.remove(sample.value)
            self = .percentile(percentile)
        case .rate(var rate):
            rate.remove(sample)
            self = .rate(rate)
        case .first(var samples):
            if samples.first?.position == sample.position { samples.removeFirst() }
            self = .first(samples)
        case .last(let last):
            self = .last(last?.position == sample.position ? nil : last)
        }
        return needsRebuild
    }

    /// The measure of the window as it is. Without values 0 for `count`, `sum` and `distinct`, missing
    /// for all others; that `distinct` of a window without events is missing (H3) is for the owner to
    /// say, who knows of events without a value.
    var value: Value {
        switch self {
        case .count(let count): .int(Int64(count))
        case .sum(let total): total.sum
        case .average(let total): total.average
        case .extreme(let extreme): extreme.value
        case .distinct(let counts): .int(Int64(counts.count))
        case .percentile(let percentile): percentile.value
        case .rate(let rate): rate.value
        case .first(let samples): samples.first?.value ?? .missing
        case .last(let sample): sample?.value ?? .missing
        }
    }

    /// Whether the value carries the error of a sketch.
    var isEstimated: Bool {
        if case .percentile(let percentile) = self { return percentile.isEstimated }
        return false
    }

    // MARK: - Snapshot

    /// Whether the measure is in a state to which events have led it that are no longer in the window.
    var hasHistory: Bool {
        switch self {
        case .sum(let total): total.hasSeenSpan
        case .percentile(let percentile): percentile.isEstimated
        default: false
        }
    }

    /// The measure of these samples, in the state that `hasHistory` told of.
    init(
        _ function: AggregateFunction, parameter: Double?, hasHistory: Bool,
        samples: some Sequence<Sample>
    ) {
        if function == .percentile {
            self = .percentile(
                Percentile(
                    percent: parameter ?? 50, of: samples.lazy.map(\.value), isEstimated: hasHistory
                ))
            return
        }
        self.init(function, parameter: parameter)
        for sample in samples { add(sample) }
        if hasHistory, case .sum(var total) = self {
            total.noteSpan()
            self = .sum(total)
        }
    }

    /// Writes a measure that only `accumulate` has filled; others are made anew of the samples in their
    /// window.
    func write(to writer: inout StateWriter) {
        switch self {
        case .count(let count): writer.write(count)
        case .sum(let total), .average(let total): writer.write(total)
        case .extreme(let extreme): writer.write(extreme.value)
        case .distinct(let counts):
            writer.write(sorted: counts.keys) { value, writer in writer.write(value) }
        case .percentile(let percentile): percentile.write(to: &writer)
        case .rate(let rate): rate.write(to: &writer)
        case .first(let samples): writer.write(samples.first)
        case .last(let sample): writer.write(sample)
        }
    }

    init(
        from reader: inout StateReader, _ function: AggregateFunction, parameter: Double?
    ) throws(SnapshotError) {
        self.init(function, parameter: parameter)
        switch function {
        case .count: self = .count(try reader.tally())
        case .sum: self = .sum(try reader.read())
        case .avg: self = .average(try reader.read())
        case .min, .max: accumulate(Sample(position: 0, time: 0, value: try reader.read()))
        case .distinct:
            for value: Value in try reader.readArray() {
                add(Sample(position: 0, time: 0, value: value))
            }
        case .percentile:
            self = .percentile(try Percentile(from: &reader, percent: parameter ?? 50))
        case .rate: self = .rate(try Rate(from: &reader))
        case .first, .last:
            if let sample: Sample = try reader.readOptional() { accumulate(sample) }
        }
    }
}
