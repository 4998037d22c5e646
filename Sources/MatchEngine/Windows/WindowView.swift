import RuleModel

/// A range of a key's events and the measures over it. Both ends only ever move forward.
///
/// The window of now, the window just before it and the window of a week ago are three views of one
/// buffer (H10).
struct WindowView: Sendable {
    private(set) var lower: Int
    private(set) var upper: Int
    /// One for each measure; nil for those that nobody asks this view for.
    private var aggregates: [Aggregate?]

    /// - Parameter measures: Indices of the measures that are wanted.
    init(layout: WindowLayout, measures: Set<Int>, at position: Int = 0) {
        lower = position
        upper = position
        aggregates = layout.measures.enumerated().map { index, measure in
            measures.contains(index)
                ? Aggregate(measure.function, parameter: measure.parameter) : nil
        }
    }

    var count: Int { upper - lower }
    var isEmpty: Bool { upper == lower }

    /// A measure of the events in the view. H3: on an empty window `count` and `sum` are 0, all others
    /// are missing.
    func value(_ measure: Int) -> Value {
        guard let aggregate = aggregates[measure] else { return .missing }
        if case .distinct = aggregate, isEmpty { return .missing }
        return aggregate.value
    }

    /// Whether a measure carries the error of a sketch.
    func isEstimated(_ measure: Int) -> Bool { aggregates[measure]?.isEstimated ?? false }

    /// Moves both ends to the events with instants in `first ... last`. Returns whether the view changed.
    /// - Precondition: neither bound is before the one of the call before.
    mutating func move(
        first: Int64, last: Int64, in buffer: WindowBuffer, layout: WindowLayout
    ) -> Bool {
        var newLower = lower
        while newLower < buffer.end, buffer.instant(newLower) < first { newLower += 1 }
        var newUpper = max(upper, newLower)
        while newUpper < buffer.end, buffer.instant(newUpper) <= last { newUpper += 1 }
        return move(to: newLower..<newUpper, in: buffer, layout: layout)
    }

    /// Moves both ends to these positions. Returns whether the view changed.
    /// - Precondition: neither bound is before the one of the call before, and all are in the buffer.
    mutating func move(
        to range: Range<Int>, in buffer: WindowBuffer, layout: WindowLayout
    ) -> Bool {
        guard range.lowerBound != lower || range.upperBound != upper else { return false }
        let removed = lower..<max(lower, min(range.lowerBound, upper))
        let added = max(upper, range.lowerBound)..<max(range.upperBound, range.lowerBound, upper)
        // A bucket has nothing in common with the one before.
        let isDisjoint = range.lowerBound >= upper
        lower = range.lowerBound
        upper = max(range.upperBound, range.lowerBound)
        for (index, measure) in layout.measures.enumerated() where aggregates[index] != nil {
            if isDisjoint, measure.function == .percentile || measure.function == .avg {
                rebuild(index, from: buffer, measure: measure)
                continue
            }
            for position in added {
                if let sample = buffer.sample(position, for: measure) {
                    aggregates[index]?.add(sample)
                }
            }
            var needsRebuild = false
            for position in removed {
                if let sample = buffer.sample(position, for: measure) {
                    needsRebuild = aggregates[index]?.remove(sample) ?? false || needsRebuild
                }
            }
            if needsRebuild { rebuild(index, from: buffer, measure: measure) }
        }
        return true
    }

    private mutating func rebuild(
        _ index: Int, from buffer: WindowBuffer, measure: WindowLayout.Measure
    ) {
        aggregates[index] = Aggregate(
            measure.function, parameter: measure.parameter, hasHistory: false,
            samples: (lower..<upper).lazy.compactMap { buffer.sample($0, for: measure) })
    }

    // MARK: - Snapshot

    /// The measures are not written, since the events in the buffer tell them: only what these do not.
    func write(to writer: inout StateWriter, start: Int) {
        writer.write(lower - start)
        writer.write(upper - start)
        writer.write(aggregates.count)
        for aggregate in aggregates { writer.write(aggregate?.hasHistory ?? false) }
    }

    /// - Parameters:
    ///   - buffer: The events, from position 0.
    ///   - measures: Indices of the measures that are wanted.
    init(
        from reader: inout StateReader, buffer: WindowBuffer, layout: WindowLayout,
        measures: Set<Int>
    ) throws(SnapshotError) {
        lower = try reader.int(in: 0...buffer.end)
        upper = try reader.int(in: lower...buffer.end)
        guard try reader.count() == layout.measures.count else {
            throw reader.damaged("a window of other measures")
        }
        aggregates = []
        for (index, measure) in layout.measures.enumerated() {
            let hasHistory = try reader.bool()
            aggregates.append(
                measures.contains(index)
                    ? Aggregate(
                        measure.function, parameter: measure.parameter, hasHistory: hasHistory,
                        samples: (lower..<upper).lazy.compactMap {
                            buffer.sample($0, for: measure)
                        }) : nil)
        }
    }
}
