import RuleModel

/// Whether a value of one member moves with one of another (C7).
///
/// Both are averaged in buckets `[k*S, (k+1)*S)`; the coefficient is Pearson's, of the pairs of
/// buckets that lie `lag` apart, for every lag up to the longest. Buckets without a value on either
/// side drop their pair.
struct MovementHistory: Sendable {
    struct Movement: Sendable, Equatable {
        /// Rounded to 12 decimals: equal coefficients are equal, whatever order they were added in.
        var coefficient: Double
        var lag: TimeSpan
        var points: Int
    }

    private struct Average: Sendable {
        var bucket: Int64
        var value: Double
    }

    private struct Side: Sendable {
        /// Of complete buckets, in order; those without a value are not there.
        var averages = Queue<Average>()
        /// The one being filled.
        var bucket = Int64.min
        var sum = ExactSum()
        var count = 0

        mutating func add(_ value: Value, to bucket: Int64) {
            if bucket != self.bucket { close(before: bucket) }
            switch value {
            case .int(let number): sum.add(number)
            case .float(let number) where number.isFinite: sum.add(number)
            default: return
            }
            self.bucket = bucket
            count += 1
        }

        /// Ends the bucket being filled if it is an earlier one.
        mutating func close(before bucket: Int64) {
            guard count > 0, self.bucket < bucket else { return }
            if let sum = sum.rounded, sum.isFinite {
                averages.append(Average(bucket: self.bucket, value: sum / Double(count)))
            }
            sum = ExactSum()
            count = 0
        }

        mutating func leave(before oldest: Int64) {
            close(before: oldest)
            while let first = averages.first, first.bucket < oldest { averages.removeFirst() }
        }

        var last: Int64? { count > 0 ? bucket : averages.last?.bucket }
    }

    private let program: MovementProgram
    private var first = Side()
    private var second = Side()
    /// What came out for a range of buckets: complete ones no longer change.
    private var result: (first: Int64, last: Int64, movement: Movement?)?

    init(_ program: MovementProgram) { self.program = program }

    var isEmpty: Bool { first.last == nil && second.last == nil }

    /// When everything that is kept now has left the history.
    var end: Timestamp {
        guard let last = [first.last, second.last].compactMap({ $0 }).max() else {
            return .distantPast
        }
        return Timestamp(nanoseconds: 0) + program.step * (last + 1) + program.over
    }

    mutating func note(_ value: Value, isFirst: Bool, at time: Timestamp) {
        let bucket = time.nanoseconds.flooredQuotient(program.step.nanoseconds)
        if isFirst { first.add(value, to: bucket) } else { second.add(value, to: bucket) }
        leave(at: time)
    }

    /// The movement of the complete buckets of the history; nil while it is unknown.
    mutating func movement(at now: Timestamp) -> Movement? {
        leave(at: now)
        let present = now.nanoseconds.flooredQuotient(program.step.nanoseconds)
        first.close(before: present)
        second.close(before: present)
        let oldest = oldestBucket(at: now)
        if let result, result.first == oldest, result.last == present { return result.movement }
        let movement = strongest()
        result = (oldest, present, movement)
        return movement
    }

    /// Drops buckets that have begun before the history.
    mutating func leave(at now: Timestamp) {
        let oldest = oldestBucket(at: now)
        first.leave(before: oldest)
        second.leave(before: oldest)
    }

    private func oldestBucket(at now: Timestamp) -> Int64 {
        let start = (now - program.over).nanoseconds
        let step = program.step.nanoseconds
        // Rounded up: a bucket that has begun before the history is not whole.
        return start.flooredQuotient(step) + (start.flooredRemainder(step) > 0 ? 1 : 0)
    }

    // MARK: - Coefficient

    /// Of all lags that of the largest coefficient by size, of equal ones the shortest.
    private func strongest() -> Movement? {
        var best: Movement?
        let lags = program.lagMax.nanoseconds / max(1, program.step.nanoseconds)
        for lag in 0...max(0, lags) {
            guard let (coefficient, points) = coefficient(lag: lag) else { continue }
            if let best, best.coefficient.magnitude >= coefficient.magnitude { continue }
            best = Movement(
                coefficient: coefficient, lag: program.step * lag, points: points)
        }
        return best
    }

    /// Nil below the minimum of pairs, or when one side does not move.
    private func coefficient(lag: Int64) -> (coefficient: Double, points: Int)? {
        var x: [Double] = []
        var y: [Double] = []
        var place = 0
        for average in first.averages.elements {
            while place < second.averages.count,
                second.averages[place].bucket < average.bucket + lag
            { place += 1 }
            guard place < second.averages.count else { break }
            if second.averages[place].bucket == average.bucket + lag {
                x.append(average.value)
                y.append(second.averages[place].value)
            }
        }
        guard x.count >= program.minimum, let x = deviations(x), let y = deviations(y) else {
            return nil
        }
        var (xx, yy, xy) = (0.0, 0.0, 0.0)
        for (x, y) in zip(x, y) {
            xx += x * x
            yy += y * y
            xy += x * y
        }
        let coefficient = xy / (xx.squareRoot() * yy.squareRoot())
        guard coefficient.isFinite else { return nil }
        return (min(1, max(-1, (coefficient * 1e12).rounded() / 1e12)), x.count)
    }

    /// How far the values lie from their mean, in parts of the largest such distance, so that
    /// squares neither overflow nor vanish. Nil when all are equal.
    private func deviations(_ values: [Double]) -> [Double]? {
        guard let first = values.first, values.contains(where: { $0 != first }) else { return nil }
        var sum = ExactSum()
        for value in values { sum.add(value) }
        guard let total = sum.rounded, total.isFinite else { return nil }
        let mean = total / Double(values.count)
        let deviations = values.map { $0 - mean }
        let largest = deviations.reduce(0) { max($0, $1.magnitude) }
        guard largest > 0, largest.isFinite else { return nil }
        return deviations.map { $0 / largest }
    }

    // MARK: - Snapshot

    func write(to writer: inout StateWriter) {
        for side in [first, second] {
            writer.write(side.averages.count)
            for average in side.averages.elements {
                writer.write(average.bucket)
                writer.write(average.value)
            }
            writer.write(side.count)
            if side.count > 0 {
                writer.write(side.bucket)
                writer.write(side.sum)
            }
        }
    }

    init(from reader: inout StateReader, _ program: MovementProgram) throws(SnapshotError) {
        self.init(program)
        first = try MovementHistory.side(from: &reader, program)
        second = try MovementHistory.side(from: &reader, program)
    }

    private static func side(
        from reader: inout StateReader, _ program: MovementProgram
    ) throws(SnapshotError) -> Side {
        var side = Side()
        let present = reader.now.nanoseconds.flooredQuotient(program.step.nanoseconds)
        func nextBucket(_ reader: inout StateReader) throws(SnapshotError) -> Int64 {
            let bucket = try reader.int64()
            guard bucket.magnitude < 1 << 60, bucket <= present,
                side.averages.last.map({ $0.bucket < bucket }) ?? true
            else { throw reader.damaged("buckets that are not in order") }
            return bucket
        }
        for _ in 0..<(try reader.count()) {
            let bucket = try nextBucket(&reader)
            side.averages.append(Average(bucket: bucket, value: try reader.double()))
        }
        side.count = try reader.tally()
        if side.count > 0 {
            side.bucket = try nextBucket(&reader)
            side.sum = try reader.read()
        }
        return side
    }
}

extension MovementHistory.Movement: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init(
            coefficient: try reader.read(), lag: try reader.read(), points: try reader.tally())
    }

    func write(to writer: inout StateWriter) {
        writer.write(coefficient)
        writer.write(lag)
        writer.write(points)
    }
}
