import RuleModel
import Testing

@testable import MatchEngine

/// Random numbers that are the same in every run.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite("Aggregates of windows")
struct AggregateTests {
    // MARK: - Against recomputation

    /// What each function gives for the values of a window, computed from nothing.
    static func naive(
        _ function: AggregateFunction, _ samples: [Aggregate.Sample], percent: Double
    ) -> Value {
        let values = samples.map(\.value).filter { !$0.isMissing }
        let numbers = values.compactMap { Quantity($0)?.decimal }
        switch function {
        case .count: return .int(Int64(samples.count))
        case .sum:
            // All test values are whole numbers of 1/8, so that this sum is exact.
            let total = numbers.reduce(0, +)
            let isWhole = values.allSatisfy { if case .int = $0 { true } else { false } }
            return isWhole ? .int(Int64(total)) : .float(total)
        case .avg:
            return numbers.isEmpty ? .missing : .float(numbers.reduce(0, +) / Double(numbers.count))
        case .min: return numbers.min().map { .float($0) } ?? .missing
        case .max: return numbers.max().map { .float($0) } ?? .missing
        case .distinct: return .int(Int64(Set(numbers).count))
        case .percentile:
            let sorted = numbers.sorted()
            if sorted.isEmpty { return .missing }
            let rank = percent / 100 * Double(sorted.count - 1)
            let below = Int(rank.rounded(.down))
            let above = min(below + 1, sorted.count - 1)
            return .float(sorted[below] + (rank - Double(below)) * (sorted[above] - sorted[below]))
        case .rate:
            let points = samples.filter { !$0.value.isMissing }
            guard let first = points.first, let last = points.last, first.time < last.time else {
                return .missing
            }
            var rise = 0.0
            for (before, after) in zip(numbers, numbers.dropFirst()) {
                rise += after < before ? after : after - before
            }
            return .float(rise / TimeSpan(nanoseconds: last.time - first.time).seconds)
        case .first: return values.first ?? .missing
        case .last: return values.last ?? .missing
        }
    }

    static func isEqual(_ left: Value, _ right: Value) -> Bool {
        if let left = Quantity(left)?.decimal, let right = Quantity(right)?.decimal {
            return left == right
        }
        return left == right
    }

    @Test(
        "Every measure of a sliding window is that of its events, however it slid",
        arguments: 1...40)
    func againstRecomputation(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        let percent = Double(Int.random(in: 0...100, using: &random))
        for function in AggregateFunction.allCases {
            var aggregate = Aggregate(function, parameter: percent)
            var window: [Aggregate.Sample] = []
            for position in 0..<120 {
                let value: Value =
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0: .missing
                    case 1...4: .int(Int64.random(in: -4...12, using: &random))
                    default: .float(Double(Int.random(in: -40...80, using: &random)) / 8)
                    }
                let sample = Aggregate.Sample(
                    position: position, time: Int64(position) * 700_000_000, value: value)
                aggregate.add(sample)
                window.append(sample)
                let leaving =
                    Int.random(in: 0...3, using: &random) == 0
                    ? Int.random(in: 0...window.count, using: &random) : 0
                for _ in 0..<leaving {
                    let mustRebuild = aggregate.remove(window.removeFirst())
                    #expect(!mustRebuild)
                }
                let expected = AggregateTests.naive(function, window, percent: percent)
                #expect(
                    AggregateTests.isEqual(aggregate.value, expected),
                    "\(function) at \(position): \(aggregate.value), not \(expected)")
            }
        }
    }

    @Test(
        "A sum is exact and rounded once, whatever was added and removed before", arguments: 1...200
    )
    func exactSums(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        var sum = ExactSum()
        /// In units of 2^-60.
        var exact: Int128 = 0
        var inside: [(number: Double, units: Int128)] = []
        for _ in 0..<100 {
            if Int.random(in: 0..<3, using: &random) == 0, !inside.isEmpty {
                let removed = inside.remove(at: Int.random(in: 0..<inside.count, using: &random))
                sum.remove(removed.number)
                exact -= removed.units
            } else {
                let digits = Int64.random(in: -(1 << 53)...(1 << 53), using: &random)
                let shift = Int.random(in: 0...60, using: &random)
                let number = Double(digits) / Double(UInt64(1) << UInt64(shift))
                let units = Int128(digits) << Int128(60 - shift)
                sum.add(number)
                exact += units
                inside.append((number, units))
            }
            #expect(sum.rounded == Double(exact) / Double(UInt64(1) << 60))
        }
    }

    @Test("Ten times 0.1 is 1, and what a huge number hid is there when it has gone")
    func sumsThatRoundingWouldSpoil() {
        var sum = ExactSum()
        for _ in 0..<10 { sum.add(0.1) }
        #expect(sum.rounded == 1)
        sum.add(1e200)
        sum.add(Int64(7))
        #expect(sum.rounded == 1e200)
        sum.remove(1e200)
        #expect(sum.rounded == 8)
        for _ in 0..<10 { sum.remove(0.1) }
        #expect(sum.wholeValue == 7)
    }

    @Test("A sum beyond the range of numbers is infinite while it is, and not a moment longer")
    func sumsOutOfRange() {
        var sum = ExactSum()
        sum.add(1e308)
        sum.add(1e308)
        #expect(sum.rounded == .infinity)
        sum.add(-.infinity)
        #expect(sum.rounded == nil)
        sum.remove(-.infinity)
        sum.remove(1e308)
        sum.remove(1e308)
        sum.add(0.5)
        #expect(sum.rounded == 0.5)
        var whole = Aggregate.Total()
        whole.add(.int(.max))
        whole.add(.int(.max))
        #expect(whole.sum == .float(0x1p64))
        whole.remove(.int(.max))
        #expect(whole.sum == .int(.max))
    }

    // MARK: - Percentiles

    @Test("Percentiles are exact up to 10,000 values and within 0.8 % beyond, also after shrinking")
    func sketching() {
        var random = SeededNumbers(seed: 7)
        var aggregate = Aggregate(.percentile, parameter: 95)
        let numbers = (0..<30_000).map { _ in Double.random(in: -1...1, using: &random) }.map {
            $0 < 0 ? $0 * 1000 : 1 / max($0, 1e-9)
        }
        func sample(_ position: Int) -> Aggregate.Sample {
            Aggregate.Sample(position: position, time: 0, value: .float(numbers[position]))
        }
        func exact(_ range: Range<Int>) -> Double {
            let samples = range.map(sample)
            guard case .float(let number) = AggregateTests.naive(.percentile, samples, percent: 95)
            else { return .nan }
            return number
        }
        func value() -> Double { Quantity(aggregate.value)?.decimal ?? .nan }
        for position in 0..<10_000 { aggregate.add(sample(position)) }
        #expect(!aggregate.isEstimated && value() == exact(0..<10_000))
        for position in 10_000..<30_000 { aggregate.add(sample(position)) }
        #expect(aggregate.isEstimated)
        #expect(abs(value() / exact(0..<30_000) - 1) <= QuantileSketch.relativeError)
        for position in 0..<10_000 {
            let mustRebuild = aggregate.remove(sample(position))
            #expect(!mustRebuild)
        }
        #expect(abs(value() / exact(10_000..<30_000) - 1) <= QuantileSketch.relativeError)
        for position in 10_000..<19_999 {
            let mustRebuild = aggregate.remove(sample(position))
            #expect(!mustRebuild)
        }
        // With 10,000 left exactness is promised again, so all are asked for.
        let mustRebuild = aggregate.remove(sample(19_999))
        #expect(mustRebuild)
    }

    @Test(
        "Numbers parted at a rank stand there as if all were sorted",
        arguments: [
            "random", "alike", "rising", "falling", "infinite", "a comb", "few",
        ])
    func parting(_ kind: String) {
        var random = SeededNumbers(seed: 7)
        for count in [1, 2, 3, 17, 18, 19, 64, 500] {
            let numbers = (0..<count).map { index -> Double in
                switch kind {
                case "random": Double(random.next() % 1_000)
                case "alike": 5
                case "rising": Double(index)
                case "falling": Double(-index)
                case "infinite": [-.infinity, .infinity, 0][Int(random.next() % 3)]
                // Hard for a median of three.
                case "a comb": Double(index % 2 == 0 ? index : count - index)
                default: Double(random.next() % 3)
                }
            }
            let sorted = numbers.sorted()
            for rank in [0, count / 3, count / 2, count * 95 / 100, count - 1] {
                var parted = numbers
                parted.withUnsafeMutableBufferPointer { OrderStatistics.part($0, atRank: rank) }
                #expect(parted[rank] == sorted[rank])
                #expect(parted[..<rank].allSatisfy { $0 <= sorted[rank] })
                #expect(parted[rank...].allSatisfy { $0 >= sorted[rank] })
                #expect(parted.sorted() == sorted)
            }
            var statistics = OrderStatistics()
            statistics.rebuild(from: numbers)
            let percents = [0, 33, 50, 95, 99.9, 100]
            let before = percents.map { statistics.percentile($0) }
            // One that comes and goes has them sorted.
            statistics.add(1)
            _ = statistics.remove(1)
            #expect(percents.map { statistics.percentile($0) } == before)
        }
    }

    @Test("A window that shrinks to 10,000 values gives exact percentiles again")
    func exactAfterShrinking() {
        let layout = WindowLayout(measures: [
            MeasureProgram(
                name: "p", function: .percentile, argument: CodeID(0), parameter: 50, condition: nil
            )
        ])
        var buffer = WindowBuffer(layout: layout)
        var view = WindowView(layout: layout, measures: [0])
        for index in 0..<12_000 {
            buffer.append(
                instant: Timestamp(nanoseconds: Int64(index)), time: Timestamp(nanoseconds: 0),
                passes: { _ in true }, argument: { _ in .int(Int64(index)) }, conditionCount: 0)
        }
        _ = view.move(to: 0..<12_000, in: buffer, layout: layout)
        #expect(view.isEstimated(0))
        _ = view.move(to: 2000..<12_000, in: buffer, layout: layout)
        #expect(!view.isEstimated(0))
        #expect(view.value(0) == .float(6999.5))
    }

    @Test("The sketch keeps every quantile of any numbers within its error", arguments: 1...20)
    func sketchError(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        var sketch = QuantileSketch()
        var numbers: [Double] = []
        for _ in 0..<500 {
            let magnitude = Double.random(in: -300...300, using: &random)
            var number = 1.0
            for _ in 0..<Int(magnitude.magnitude) { number *= magnitude < 0 ? 0.1 : 10 }
            number *= Double.random(in: -10...10, using: &random)
            let isZero = Int.random(in: 0..<20, using: &random) == 0
            numbers.append(isZero ? 0 : number)
            sketch.add(numbers[numbers.count - 1])
        }
        for _ in 0..<200 { sketch.remove(numbers.removeLast()) }
        numbers.sort()
        for (rank, number) in numbers.enumerated() {
            let estimate = sketch.value(atRank: rank)
            #expect(abs(estimate - number) <= number.magnitude * QuantileSketch.relativeError)
        }
    }

    // MARK: - Values of all kinds

    @Test("Values that compare equal are one to `distinct`, and text is compared by code points")
    func distinctValues() {
        var aggregate = Aggregate(.distinct, parameter: nil)
        let values: [Value] = [
            .int(2), .float(2), .text("2"), .text("\u{E9}"), .text("e\u{301}"), .bool(true),
            .missing,
            .float(.nan), .list([.int(1)]), .list([.float(1)]), .ip(IPAddress(version4: 1)),
        ]
        for (position, value) in values.enumerated() {
            aggregate.add(Aggregate.Sample(position: position, time: 0, value: value))
        }
        // 2 and "2", two spellings of é, true, a list, an address.
        #expect(aggregate.value == .int(7))
        for (position, value) in values.enumerated() {
            _ = aggregate.remove(Aggregate.Sample(position: position, time: 0, value: value))
        }
        #expect(aggregate.value == .int(0))
    }

    @Test("Spans are added, averaged and ranked as spans; other kinds are missing")
    func spans() {
        let minute = Value.span(TimeSpan.minute)
        let values = [
            minute, .span(TimeSpan.minute * 3), .text("x"), .time(Timestamp(nanoseconds: 9)),
        ]
        func value(_ function: AggregateFunction) -> Value {
            var aggregate = Aggregate(function, parameter: 50)
            for (position, value) in values.enumerated() {
                aggregate.add(Aggregate.Sample(position: position, time: 0, value: value))
            }
            return aggregate.value
        }
        #expect(value(.sum) == .span(TimeSpan.minute * 4))
        #expect(value(.avg) == .span(TimeSpan.minute * 2))
        #expect(value(.percentile) == .span(TimeSpan.minute * 2))
        #expect(value(.min) == minute)
        #expect(value(.last) == values[3])
    }

    @Test("Whole numbers and decimals are put in order by value, also where decimals have gaps")
    func orderOfNumbers() {
        let big = Int64(1) << 53
        #expect(Quantity.decimal(Double(big)) < Quantity.whole(big + 1))
        #expect(!(Quantity.whole(big + 1) < Quantity.decimal(Double(big))))
        #expect(Quantity.whole(.max) < Quantity.decimal(0x1p63))
        #expect(Quantity.decimal(-0x1p64) < Quantity.whole(.min))
        #expect(Quantity.whole(1) < Quantity.decimal(1.5))
        #expect(Quantity.decimal(-1.5) < Quantity.whole(-1))
        #expect(
            !(Quantity.whole(2) < Quantity.decimal(2)) && !(Quantity.decimal(2) < Quantity.whole(2))
        )
    }

    // MARK: - Buckets

    @Test("A bucket that ends behind an instant is the first of its kind", arguments: 1...50)
    func bucketsAreNext(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        let zone = Bool.random(using: &random) ? ScheduleTests.berlin : nil
        let isDays = Bool.random(using: &random)
        let unit = isDays ? TimeSpan.day : TimeSpan.minute
        let step = unit * Int64.random(in: 1...9, using: &random)
        let size = unit * Int64.random(in: 1...20, using: &random)
        let grid = BucketGrid(size: size, step: step, zone: zone)
        let middle = ScheduleTests.instant(2026, 3, 29, 0).nanoseconds
        var time = Timestamp(
            nanoseconds: Int64.random(in: middle - 90 * 86_400_000_000_000...middle, using: &random)
        )
        var before: BucketGrid.Bucket?
        for _ in 0..<200 {
            let bucket = grid.bucket(endingAfter: time)
            #expect(bucket.start < bucket.end && bucket.end > time)
            #expect(bucket == grid.bucket(endingAfter: bucket.end - TimeSpan(nanoseconds: 1)))
            if let before {
                let distance = bucket.start - before.start
                #expect(
                    abs((distance - step).nanoseconds)
                        <= (grid.isCalendar ? TimeSpan.hour : .zero).nanoseconds)
                // Nothing between two buckets is left out or counted twice when they do not overlap.
                if size == step { #expect(bucket.start == before.end) }
            }
            if !grid.isCalendar {
                #expect(bucket.start.nanoseconds % step.nanoseconds == 0)
            } else {
                #expect(zone?.local(bucket.start).dayAndNanosecond.nanosecond == 0)
            }
            before = bucket
            time = bucket.end
        }
    }

    @Test("Buckets at the ends of time do not trap")
    func bucketsAtTheEnds() {
        for zone in [nil, ScheduleTests.berlin] {
            for size in [TimeSpan.second, TimeSpan.day, TimeSpan.day * 7] {
                let grid = BucketGrid(size: size, step: size, zone: zone)
                for time in [
                    Timestamp.distantPast, .distantFuture, Timestamp(nanoseconds: .max - 1),
                ] {
                    let bucket = grid.bucket(endingAfter: time)
                    #expect(bucket.end >= time)
                    _ = grid.bucket(before: bucket)
                }
            }
        }
    }
}
