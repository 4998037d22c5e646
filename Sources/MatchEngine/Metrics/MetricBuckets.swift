import RuleModel

/// The open buckets of one key, or its open session.
///
/// No event is kept: each is added to the aggregates of the buckets it falls into and let go.
struct MetricBuckets: Sendable {
    struct Bucket: Sendable {
        var start: Timestamp
        var end: Timestamp
        var events = 0
        /// One for each measure.
        var aggregates: [Aggregate]

        init(_ rule: MetricRule, start: Timestamp, end: Timestamp) {
            self.start = start
            self.end = end
            aggregates = rule.layout.measures.map {
                Aggregate($0.function, parameter: $0.parameter)
            }
        }

        /// H3: of an empty bucket `count` and `sum` are 0, all others are missing.
        func value(_ measure: Int) -> Value {
            if case .distinct = aggregates[measure], events == 0 { return .missing }
            return aggregates[measure].value
        }
    }

    /// In order of their ends.
    private var open: [Bucket] = []

    init() {}

    /// When the first of them ends.
    var nextEnd: Timestamp { open.first?.end ?? .distantFuture }

    /// Whether an event at this instant ends the open session, by being too far from its first event.
    func endsSession(at instant: Timestamp, rule: MetricRule) -> Bool {
        guard case .session(gap: _, max: let longest) = rule.window, let first = open.first else {
            return false
        }
        return instant - first.start > longest
    }

    /// Takes an event. Returns whether a value had to be left out for the limit.
    mutating func add(
        _ event: Event, at instant: Timestamp, rule: MetricRule, evaluator: TermEvaluator
    ) -> Bool {
        makeRoom(at: instant, rule: rule)
        let layout = rule.layout
        let arguments = layout.arguments.map {
            evaluator.value($0, of: event)
        }
        var isFull = false
        for index in open.indices where open[index].start <= instant && instant < open[index].end {
            open[index].events += 1
            for (place, measure) in layout.measures.enumerated() {
                if let condition = measure.condition, !event.passes(layout.conditions[condition]) {
                    continue
                }
                let value = measure.argument.map { arguments[$0] } ?? .missing
                if open[index].aggregates[place].isFull(rule.distinctLimit, for: value) {
                    isFull = true
                    continue
                }
                open[index].aggregates[place].accumulate(
                    Aggregate.Sample(
                        position: open[index].events, time: event.time.nanoseconds, value: value))
            }
        }
        return isFull
    }

    /// Takes out the bucket that ends first.
    mutating func takeFirst(rule: MetricRule) -> Bucket? {
        guard !open.isEmpty else { return nil }
        let bucket = open.removeFirst()
        // The key goes on with empty buckets as long as it is remembered.
        if open.isEmpty, let grid = rule.grid {
            append(grid.bucket(endingAfter: bucket.end), rule)
        }
        return bucket
    }

    /// Opens the buckets that hold this instant.
    private mutating func makeRoom(at instant: Timestamp, rule: MetricRule) {
        if case .session(let gap, max: _) = rule.window {
            if open.isEmpty { open.append(Bucket(rule, start: instant, end: instant)) }
            open[0].end = instant + gap
            return
        }
        guard let grid = rule.grid else { return }
        if open.isEmpty { append(grid.bucket(endingAfter: instant), rule) }
        while let last = open.last {
            let next = grid.bucket(endingAfter: last.end)
            // At the end of all time there is no further bucket.
            guard next.start <= instant, next.end > last.end else { return }
            append(next, rule)
        }
    }

    private mutating func append(_ bucket: BucketGrid.Bucket, _ rule: MetricRule) {
        open.append(Bucket(rule, start: bucket.start, end: bucket.end))
    }

    // MARK: - Snapshot

    func write(to writer: inout StateWriter) {
        writer.write(open.count)
        for bucket in open { bucket.write(to: &writer) }
    }

    /// - Parameter lastEvent: When the latest event came: what ended before it has been judged.
    init(
        from reader: inout StateReader, rule: MetricRule, lastEvent: Timestamp
    ) throws(SnapshotError) {
        let count = try reader.count()
        guard rule.grid != nil || count <= 1 else {
            throw reader.damaged("\(count) open sessions of one key")
        }
        for _ in 0..<count {
            let bucket = try Bucket(from: &reader, rule: rule)
            let isInOrder = open.last.map { $0.end < bucket.end } ?? (lastEvent <= bucket.end)
            guard isInOrder, bucket.start <= bucket.end else {
                throw reader.damaged("buckets out of order")
            }
            open.append(bucket)
        }
    }
}

extension MetricBuckets.Bucket {
    func write(to writer: inout StateWriter) {
        writer.write(start)
        writer.write(end)
        writer.write(events)
        for aggregate in aggregates { aggregate.write(to: &writer) }
    }

    init(from reader: inout StateReader, rule: MetricRule) throws(SnapshotError) {
        start = try reader.read()
        end = try reader.read()
        events = try reader.tally()
        aggregates = []
        for measure in rule.layout.measures {
            aggregates.append(
                try Aggregate(from: &reader, measure.function, parameter: measure.parameter))
        }
    }
}
