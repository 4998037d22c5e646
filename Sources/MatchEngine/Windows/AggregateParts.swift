import RuleModel

extension Aggregate {
    /// A sum, and how many values are in it. Numbers and spans do not mix.
    struct Total: Sendable {
        private var sumOfAll = ExactSum()
        private var numbers = 0
        private var spans = 0
        /// Whether the empty sum is `0s` and not `0`.
        private(set) var hasSeenSpan = false

        /// Takes over that there was a span.
        mutating func noteSpan() { hasSeenSpan = true }

        mutating func add(_ value: Value) {
            switch Quantity(value) {
            case .whole(let number):
                numbers += 1
                sumOfAll.add(number)
            case .decimal(let number):
                numbers += 1
                sumOfAll.add(number)
            case .span(let nanoseconds):
                spans += 1
                hasSeenSpan = true
                sumOfAll.add(nanoseconds)
            case .time, nil: break
            }
        }

        mutating func remove(_ value: Value) {
            switch Quantity(value) {
            case .whole(let number):
                numbers -= 1
                sumOfAll.remove(number)
            case .decimal(let number):
                numbers -= 1
                sumOfAll.remove(number)
            case .span(let nanoseconds):
                spans -= 1
                sumOfAll.remove(nanoseconds)
            case .time, nil: break
            }
        }

        var sum: Value {
            if spans > 0 {
                guard numbers == 0, let nanoseconds = sumOfAll.wholeValue else { return .missing }
                return .span(TimeSpan(nanoseconds: nanoseconds))
            }
            if numbers == 0 { return hasSeenSpan ? .span(.zero) : .int(0) }
            if let whole = sumOfAll.wholeValue { return .int(whole) }
            return sumOfAll.rounded.map { .float($0) } ?? .missing
        }

        var average: Value {
            if spans > 0 {
                guard numbers == 0, let total = sumOfAll.rounded,
                    let nanoseconds = Int64(exactly: (total / Double(spans)).rounded())
                else { return .missing }
                return .span(TimeSpan(nanoseconds: nanoseconds))
            }
            guard numbers > 0, let total = sumOfAll.rounded else { return .missing }
            return .float(total / Double(numbers))
        }
    }

    /// The least or the greatest value: those that may still become it, in order of their events.
    ///
    /// A later value that is at least as extreme makes an earlier one forgettable, since the
    /// earlier one leaves first.
    /// - SeeAlso: Lemire, "Streaming Maximum-Minimum Filter Using No More than Three Comparisons per
    ///   Element", 2006.
    struct Extreme: Sendable {
        private struct Candidate: Sendable {
            var position: Int
            var quantity: Quantity
        }

        let isMaximum: Bool
        private var candidates = Queue<Candidate>()

        init(isMaximum: Bool) { self.isMaximum = isMaximum }

        mutating func add(_ sample: Sample) {
            guard let quantity = Quantity(sample.value) else { return }
            while let last = candidates.last?.quantity,
                isMaximum ? last < quantity : quantity < last
            {
                candidates.removeLast()
            }
            candidates.append(Candidate(position: sample.position, quantity: quantity))
        }

        /// For samples that never leave: the first candidate stays the one.
        mutating func accumulate(_ sample: Sample) {
            add(sample)
            while candidates.count > 1 { candidates.removeLast() }
        }

        mutating func remove(_ sample: Sample) {
            if candidates.first?.position == sample.position { candidates.removeFirst() }
        }

        var value: Value { candidates.first?.quantity.value ?? .missing }
    }

    /// The percentile of numbers, or of spans.
    struct Percentile: Sendable {
        let percent: Double
        private var numbers = OrderStatistics()
        private var spans = 0

        init(percent: Double) { self.percent = percent }

        /// The percentile of all these at once, which is faster than one by one.
        init(percent: Double, of values: some Sequence<Value>, isEstimated: Bool) {
            self.percent = percent
            var decimals: [Double] = []
            for value in values {
                guard let quantity = Quantity(value), let number = quantity.decimal else {
                    continue
                }
                if case .span = quantity { spans += 1 }
                decimals.append(number)
            }
            numbers.rebuild(from: decimals, isEstimated: isEstimated)
        }

        var isEstimated: Bool { numbers.isEstimated }

        mutating func add(_ value: Value) {
            guard let quantity = Quantity(value), let number = quantity.decimal else { return }
            if case .span = quantity { spans += 1 }
            numbers.add(number)
        }

        mutating func remove(_ value: Value) -> Bool {
            guard let quantity = Quantity(value), let number = quantity.decimal else {
                return false
            }
            if case .span = quantity { spans -= 1 }
            return numbers.remove(number)
        }

        var value: Value {
            guard let number = numbers.percentile(percent) else { return .missing }
            if spans == 0 { return .float(number) }
            guard spans == numbers.count, let nanoseconds = Int64(exactly: number.rounded()) else {
                return .missing
            }
            return .span(TimeSpan(nanoseconds: nanoseconds))
        }
    }

    /// How fast a counter rises, per second, from the first value of the window to the last.
    ///
    /// A value below the one before means that the counter began anew at 0 in between, so the whole
    /// value is rise. Nothing is extrapolated to the edges of the window. Missing below two values,
    /// and when all have one time.
    struct Rate: Sendable {
        private var samples = Queue<Sample>()
        private var rise = ExactSum()

        mutating func add(_ sample: Sample) {
            guard Rate.isNumber(sample.value) else { return }
            if let before = samples.last {
                count(from: before.value, to: sample.value, adding: true)
            }
            samples.append(sample)
        }

        /// For samples that never leave: the first and the last one tell the time between.
        mutating func accumulate(_ sample: Sample) {
            add(sample)
            guard samples.count > 2, let last = samples.last else { return }
            samples.removeLast()
            samples.removeLast()
            samples.append(last)
        }

        mutating func remove(_ sample: Sample) {
            guard let first = samples.first, first.position == sample.position else { return }
            samples.removeFirst()
            if let next = samples.first { count(from: first.value, to: next.value, adding: false) }
        }

        var value: Value {
            guard let first = samples.first, let last = samples.last, last.time > first.time,
                let rise = rise.rounded
            else { return .missing }
            let elapsed = TimeSpan(nanoseconds: last.time) - TimeSpan(nanoseconds: first.time)
            return .float(rise / elapsed.seconds)
        }

        /// Adds the rise between two neighbours to the sum, or takes it out.
        private mutating func count(from before: Value, to after: Value, adding: Bool) {
            change(after, negated: false, adding: adding)
            if !Rate.isReset(from: before, to: after) {
                change(before, negated: true, adding: adding)
            }
        }

        private mutating func change(_ value: Value, negated: Bool, adding: Bool) {
            switch value {
            case .int(let number):
                if adding != negated { rise.add(number) } else { rise.remove(number) }
            case .float(let number):
                let part = negated ? -number : number
                if adding { rise.add(part) } else { rise.remove(part) }
            default: break
            }
        }

        private static func isNumber(_ value: Value) -> Bool {
            switch value {
            case .int: true
            case .float(let number): number.isFinite
            default: false
            }
        }

        private static func isReset(from before: Value, to after: Value) -> Bool {
            guard let before = Quantity(before), let after = Quantity(after) else { return false }
            return after < before
        }
    }
}

// MARK: - Snapshot

extension Aggregate.Total: StateCoded {
    func write(to writer: inout StateWriter) {
        writer.write(sumOfAll)
        writer.write(numbers)
        writer.write(spans)
        writer.write(hasSeenSpan)
    }

    init(from reader: inout StateReader) throws(SnapshotError) {
        sumOfAll = try reader.read()
        numbers = try reader.tally()
        spans = try reader.tally()
        hasSeenSpan = try reader.bool()
    }
}

extension Aggregate.Percentile {
    func write(to writer: inout StateWriter) {
        writer.write(numbers)
        writer.write(spans)
    }

    init(from reader: inout StateReader, percent: Double) throws(SnapshotError) {
        self.percent = percent
        numbers = try reader.read()
        spans = try reader.tally()
    }
}

extension Aggregate.Rate {
    /// The rise is more than that of the samples: those between the first and the last are not kept.
    func write(to writer: inout StateWriter) {
        writer.write(samples.elements)
        writer.write(rise)
    }

    init(from reader: inout StateReader) throws(SnapshotError) {
        for sample: Aggregate.Sample in try reader.readArray() {
            guard Aggregate.Rate.isNumber(sample.value) else {
                throw reader.damaged("a counter that is no number")
            }
            samples.append(sample)
        }
        rise = try reader.read()
    }
}

extension Aggregate.Sample: StateCoded {
    func write(to writer: inout StateWriter) {
        writer.write(position)
        writer.write(time)
        writer.write(value)
    }

    init(from reader: inout StateReader) throws(SnapshotError) {
        position = try reader.tally()
        time = try reader.int64()
        value = try reader.read()
    }
}

extension Value {
    /// The form that is equal for values that compare equal: whole numbers are whole however they
    /// were written (T7). Nil for a missing value and for a number that is none.
    var canonical: Value? {
        switch self {
        case .missing: return nil
        case .float(let number):
            if number.isNaN { return nil }
            return Int64(exactly: number).map { .int($0) } ?? self
        case .list(let values): return .list(values.map { $0.canonical ?? .missing })
        case .bool, .int, .text, .ip, .network, .time, .span: return self
        }
    }
}
