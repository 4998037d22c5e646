import RuleModel

/// The events of one key that some window still needs, in order, in columns.
///
/// An event is known by its position: how many came before it in the life of the key.
struct WindowBuffer: Sendable {
    private var instants = Queue<Int64>()
    private var times = Queue<Int64>()
    /// `WindowLayout.wordsPerEvent` words for each event.
    private var conditionBits = Queue<UInt64>()
    /// One column for each argument.
    private var values: [Queue<Value>]
    private let words: Int
    /// The position of the first event that is still here.
    private(set) var start = 0

    init(layout: WindowLayout) {
        words = layout.wordsPerEvent
        values = Array(repeating: Queue(), count: layout.arguments.count)
    }

    /// The position that the next event will have.
    var end: Int { start + instants.count }
    var count: Int { instants.count }

    /// Appends an event.
    /// - Parameters:
    ///   - instant: The time of processing, which never falls (T2).
    ///   - time: The event's own time.
    ///   - passes: Whether the event passes the condition of this index.
    ///   - argument: The value of the argument of this index.
    mutating func append(
        instant: Timestamp, time: Timestamp, passes: (Int) -> Bool, argument: (Int) -> Value,
        conditionCount: Int
    ) {
        instants.append(instant.nanoseconds)
        times.append(time.nanoseconds)
        var word: UInt64 = 0
        for index in 0..<conditionCount {
            if passes(index) { word |= 1 << UInt64(index % 64) }
            if index % 64 == 63 || index == conditionCount - 1 {
                conditionBits.append(word)
                word = 0
            }
        }
        for index in values.indices { values[index].append(argument(index)) }
    }

    /// Lets go of the events before a position.
    mutating func drop(before position: Int) {
        let number = min(position, end) - start
        guard number > 0 else { return }
        instants.removeFirst(number)
        times.removeFirst(number)
        conditionBits.removeFirst(number * words)
        for index in values.indices { values[index].removeFirst(number) }
        start += number
    }

    // Positions given to the following are in `start ..< end`.

    /// When the event was processed, in nanoseconds.
    func instant(_ position: Int) -> Int64 { instants[position - start] }

    /// The event's own time.
    func time(_ position: Int) -> Timestamp { Timestamp(nanoseconds: times[position - start]) }

    /// What a measure takes from an event; nil when the measure's condition does not hold.
    func sample(_ position: Int, for measure: WindowLayout.Measure) -> Aggregate.Sample? {
        let index = position - start
        if let condition = measure.condition {
            let word = conditionBits[index * words + condition / 64]
            guard word >> UInt64(condition % 64) & 1 == 1 else { return nil }
        }
        let value = measure.argument.map { values[$0][index] } ?? .missing
        return Aggregate.Sample(position: position, time: times[index], value: value)
    }

    // MARK: - Snapshot

    /// Positions begin at 0 again: what is written of views is counted from `start`.
    func write(to writer: inout StateWriter) {
        writer.write(count)
        writer.write(words)
        writer.write(values.count)
        var before: Int64 = 0
        for index in 0..<count {
            writer.write(instants[index] &- before)
            writer.write(times[index] &- instants[index])
            before = instants[index]
        }
        for index in 0..<count * words { writer.write(unsigned: conditionBits[index]) }
        for column in values {
            for index in 0..<count { writer.write(column[index]) }
        }
    }

    init(from reader: inout StateReader, layout: WindowLayout) throws(SnapshotError) {
        self.init(layout: layout)
        let count = try reader.count()
        guard try reader.int() == words, try reader.int() == values.count else {
            throw reader.damaged("a window of other measures")
        }
        var before: Int64 = 0
        for index in 0..<count {
            let instant = before &+ (try reader.int64())
            guard index == 0 || instant >= before, instant <= reader.now.nanoseconds else {
                throw reader.damaged("events that are not in order")
            }
            instants.append(instant)
            times.append(instant &+ (try reader.int64()))
            before = instant
        }
        for _ in 0..<count * words { conditionBits.append(try reader.unsigned()) }
        for column in values.indices {
            for _ in 0..<count { values[column].append(try reader.read()) }
        }
    }
}
