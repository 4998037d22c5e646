import RuleModel

/// Events that wait until the watermark passes them, in the order of T0: by time, then by arrival.
///
/// A queue of references to rows; batches live as long as a row of theirs waits.
struct ReorderBuffer: Sendable {
    private struct Entry: Comparable, Sendable {
        var time: Int64
        var arrival: UInt64
        var batch: Int32
        var row: Int32

        static func < (left: Entry, right: Entry) -> Bool {
            if left.time != right.time { return left.time < right.time }
            return left.arrival < right.arrival
        }
    }

    private var entries = LaneQueue<Entry>()
    private var batches: [LoadedBatch?] = []
    /// How many rows of each batch wait.
    private var rowCounts: [Int] = []
    private var free: [Int32] = []

    var count: Int { entries.count }
    /// The order time of the first event, or nil.
    var earliest: Int64? { entries.first?.time }

    /// Lets rows of a batch wait, each with its order time.
    mutating func add(_ batch: LoadedBatch, rows: [(row: Int, time: Timestamp)]) {
        guard !rows.isEmpty else { return }
        let index: Int32
        if let reused = free.popLast() {
            index = reused
        } else {
            index = Int32(batches.count)
            batches.append(nil)
            rowCounts.append(0)
        }
        batches[Int(index)] = batch
        rowCounts[Int(index)] = rows.count
        for (row, time) in rows {
            entries.push(
                Entry(
                    time: time.nanoseconds, arrival: batch.events.arrivals[row], batch: index,
                    row: Int32(row)))
        }
    }

    /// Takes the first event out.
    mutating func pop() -> (event: Event, time: Timestamp)? {
        guard let entry = entries.pop() else { return nil }
        let place = Int(entry.batch)
        guard let batch = batches[place] else { return nil }
        let event = Event(batch: batch, row: Int(entry.row))
        rowCounts[place] -= 1
        if rowCounts[place] == 0 {
            batches[place] = nil
            free.append(entry.batch)
        }
        return (event, Timestamp(nanoseconds: entry.time))
    }

    /// All that waits, in order.
    ///
    /// - Complexity: O(n log n).
    var inOrder: [(event: Event, time: Timestamp)] {
        var copy = self
        var events: [(event: Event, time: Timestamp)] = []
        events.reserveCapacity(count)
        while let next = copy.pop() { events.append(next) }
        return events
    }

    /// Judges the conditions of all waiting events again, since a list has changed.
    mutating func reload(_ load: (EventBatch) -> LoadedBatch) {
        for index in batches.indices {
            if let batch = batches[index] { batches[index] = load(batch.events) }
        }
    }
}
