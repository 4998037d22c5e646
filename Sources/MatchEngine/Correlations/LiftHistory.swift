import RuleModel

/// How often one member followed another, and how often it would have by chance (C6).
///
/// Exact, and kept up event by event. Of the earlier member every occurrence of the learning period
/// is kept, with whether the later one has followed. Of the later member only the spans are kept in
/// which a random moment would have been followed by it: the union of `[b - L, b)`.
struct LiftHistory: Sendable {
    struct Rates: Sendable, Equatable {
        /// The share of occurrences that were followed.
        var after: Double
        /// The share of all time that was.
        var base: Double
        var occurrences: Int
        var lift: Double
    }

    private struct Occurrence: Sendable {
        var time: Timestamp
        var isFollowed: Bool
    }

    private struct Covered: Sendable {
        var start: Timestamp
        var end: Timestamp
        /// The length of all spans before this one.
        var before: Int128

        var length: Int128 { Int128(end.nanoseconds) - Int128(start.nanoseconds) }
    }

    private let plan: LiftPlan
    private let limit: Int
    private var occurrences = Queue<Occurrence>()
    /// Of the first so many the outcome is known, and of those so many were followed.
    private var known = 0
    private var followed = 0
    private var covered = Queue<Covered>()

    /// - Parameter limit: Occurrences that are kept at most.
    init(_ plan: LiftPlan, limit: Int) {
        self.plan = plan
        self.limit = limit
    }

    var isEmpty: Bool { occurrences.isEmpty && covered.isEmpty }

    /// When everything that is kept now has left the learning period.
    var end: Timestamp {
        let last = max(occurrences.last?.time ?? .distantPast, covered.last?.end ?? .distantPast)
        // One that is exactly as old as the period still belongs to it.
        return last + plan.over + TimeSpan(nanoseconds: 1)
    }

    /// The earlier member occurs.
    ///
    /// - Returns: Whether the oldest occurrence was dropped for the limit.
    mutating func noteEarlier(at time: Timestamp) -> Bool {
        leave(at: time)
        occurrences.append(Occurrence(time: time, isFollowed: false))
        guard occurrences.count > limit else { return false }
        dropFirst()
        return true
    }

    /// The later member occurs. Times never fall.
    mutating func noteLater(at time: Timestamp) {
        var place = occurrences.count - 1
        while place >= 0, occurrences[place].time >= time - plan.lag {
            if occurrences[place].time < time {
                // Whatever followed this one followed those before it as well, if they are so near.
                if occurrences[place].isFollowed { break }
                occurrences[place].isFollowed = true
                if place < known { followed += 1 }
            }
            place -= 1
        }
        let start = time - plan.lag
        if let last = covered.last, start <= last.end {
            covered[covered.count - 1].end = time
        } else {
            let before = covered.last.map { $0.before + $0.length } ?? 0
            covered.append(Covered(start: start, end: time, before: before))
        }
        leave(at: time)
    }

    /// The rates of the learning period that ends now; nil while they are unknown: below the
    /// minimum of occurrences, before there is any time to measure, and when the later member
    /// never came.
    mutating func rates(at now: Timestamp, watchedFrom: Timestamp) -> Rates? {
        leave(at: now)
        while known < occurrences.count, occurrences[known].time + plan.lag <= now {
            if occurrences[known].isFollowed { followed += 1 }
            known += 1
        }
        let start = max(now - plan.over, watchedFrom)
        let end = now - plan.lag
        guard known >= plan.minimum, known > 0, end > start else { return nil }
        let measured = length(before: end) - length(before: start)
        guard measured > 0 else { return nil }
        let all = Int128(end.nanoseconds) - Int128(start.nanoseconds)
        return Rates(
            after: Double(followed) / Double(known), base: Double(measured) / Double(all),
            occurrences: known,
            // In one division, so that a lift of exactly 3 is 3.
            lift: Double(Int128(followed) * all) / Double(Int128(known) * measured))
    }

    /// Drops what has left the learning period.
    mutating func leave(at now: Timestamp) {
        let start = now - plan.over
        while let first = occurrences.first, first.time < start { dropFirst() }
        while let first = covered.first, first.end < start { covered.removeFirst() }
    }

    private mutating func dropFirst() {
        if known > 0 {
            known -= 1
            if occurrences[0].isFollowed { followed -= 1 }
        }
        occurrences.removeFirst()
    }

    /// How much of the time before an instant is covered. What has been dropped counts as a whole.
    private func length(before time: Timestamp) -> Int128 {
        var lower = 0
        var upper = covered.count
        while lower < upper {
            let middle = (lower + upper) / 2
            if covered[middle].start < time { lower = middle + 1 } else { upper = middle }
        }
        guard lower > 0 else { return covered.first?.before ?? 0 }
        let span = covered[lower - 1]
        return span.before + Int128(min(time, span.end).nanoseconds)
            - Int128(span.start.nanoseconds)
    }

    // MARK: - Snapshot

    func write(to writer: inout StateWriter) {
        writer.write(occurrences.count)
        for occurrence in occurrences.elements {
            writer.write(occurrence.time)
            writer.write(occurrence.isFollowed)
        }
        writer.write(known)
        writer.write(covered.count)
        for span in covered.elements {
            writer.write(span.start)
            writer.write(span.end)
        }
    }

    init(
        from reader: inout StateReader, _ plan: LiftPlan, limit: Int
    ) throws(SnapshotError) {
        self.init(plan, limit: limit)
        for _ in 0..<(try reader.count()) {
            let time = try reader.past()
            guard occurrences.last.map({ $0.time <= time }) ?? true else {
                throw reader.damaged("occurrences that are not in order")
            }
            occurrences.append(Occurrence(time: time, isFollowed: try reader.bool()))
        }
        known = try reader.int(in: 0...occurrences.count)
        followed = occurrences.elements.prefix(known).count { $0.isFollowed }
        for _ in 0..<(try reader.count()) {
            let (start, end) = (try reader.past(), try reader.past())
            guard start <= end, covered.last.map({ $0.end < start }) ?? true else {
                throw reader.damaged("spans that are not in order")
            }
            let before = covered.last.map { $0.before + $0.length } ?? 0
            covered.append(Covered(start: start, end: end, before: before))
        }
    }
}

extension LiftHistory.Rates: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init(
            after: try reader.read(), base: try reader.read(), occurrences: try reader.tally(),
            lift: try reader.read())
    }

    func write(to writer: inout StateWriter) {
        writer.write(after)
        writer.write(base)
        writer.write(occurrences)
        writer.write(lift)
    }
}
