import RuleModel

/// Events that wait until the watermark passes them, in the order of T0: by time, then by arrival.
///
/// A queue of references to rows; batches live as long as a row of theirs waits.
struct ReorderBuffer: Sendable {
    /// A row that waits, with its order time.
    struct Entry: Comparable, Sendable {
        var time: Int64
        fileprivate var arrival: UInt64
        fileprivate var batch: Int32
        fileprivate var row: Int32

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
        var isInOrder = true
        var added: [Entry] = []
        added.reserveCapacity(rows.count)
        for (row, time) in rows {
            let entry = Entry(
                time: time.nanoseconds, arrival: batch.events.arrivals[row], batch: index,
                row: Int32(row))
            if let last = added.last, !(last < entry) { isInOrder = false }
            added.append(entry)
        }
        if isInOrder {
            entries.push(ascending: added)
        } else {
            for entry in added { entries.push(entry) }
        }
    }

    /// Takes the events before an instant out, in order and at most so many; nil: whatever their time.
    /// Each is there until `finish`.
    mutating func take(_ most: Int, before limit: Timestamp?, into taken: inout [Entry]) {
        let limit = limit?.nanoseconds
        entries.take(most, while: { entry in limit.map { entry.time < $0 } ?? true }, into: &taken)
    }

    /// An event that was taken out.
    func event(_ entry: Entry) -> Event? {
        batches[Int(entry.batch)].map { Event(batch: $0, row: Int(entry.row)) }
    }

    /// Says that nobody asks for an event any more that was taken out.
    mutating func finish(_ entry: Entry) {
        let place = Int(entry.batch)
        rowCounts[place] -= 1
        if rowCounts[place] == 0 {
            batches[place] = nil
            free.append(entry.batch)
        }
    }

    /// All that waits, in order.
    ///
    /// - Complexity: O(n log n).
    var inOrder: [(event: Event, time: Timestamp)] {
        var copy = entries
        var sorted: [Entry] = []
        copy.take(count, while: { _ in true }, into: &sorted)
        return sorted.compactMap { entry in
            event(entry).map { ($0, Timestamp(nanoseconds: entry.time)) }
        }
    }

    /// Judges the conditions of all waiting events again, since a list has changed.
    mutating func reload(_ load: (EventBatch) -> LoadedBatch) {
        for index in batches.indices {
            if let batch = batches[index] { batches[index] = load(batch.events) }
        }
    }
}
