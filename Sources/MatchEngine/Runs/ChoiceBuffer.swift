import RuleModel

/// The events of one key that may be part of a match, in T0 order.
///
/// The first of them can begin a match: what has no beginning before it is of no use.
struct ChoiceBuffer: Sendable {
    /// Those before `head` are gone.
    private var storage: [CapturedEvent] = []
    private var head = 0
    /// How many events there are for each step, and how many that may begin a match.
    private var counts: [Int] = []
    private(set) var starts = 0

    var isEmpty: Bool { head == storage.count }
    var count: Int { storage.count - head }
    var events: ArraySlice<CapturedEvent> { storage[head...] }
    /// The order time of the oldest event; nil without events.
    var firstInstant: Timestamp? { isEmpty ? nil : storage[head].instant }

    /// All events in an array of their own places, for a search.
    mutating func compacted() -> [CapturedEvent] {
        compact()
        return storage
    }

    /// How many events fit a step.
    func count(ofStep step: Int) -> Int { step < counts.count ? counts[step] : 0 }

    mutating func append(_ event: CapturedEvent, stepCount: Int) {
        if counts.isEmpty { counts = Array(repeating: 0, count: stepCount) }
        note(event, 1)
        storage.append(event)
    }

    mutating func removeLast() {
        if let event = storage.popLast() { note(event, -1) }
    }

    /// Drops the oldest event, and those behind it that have no beginning before them then.
    mutating func removeFirst() {
        repeat {
            note(storage[head], -1)
            storage[head].values = []
            head += 1
        } while !isEmpty && storage[head].starts == 0
        if isEmpty {
            removeAll()
        } else if head > 64, head * 2 > storage.count {
            compact()
        }
    }

    /// Drops an old event: of those that begin nothing the oldest that only the preferred steps
    /// need, else the oldest of them, else the oldest of all. So a long repetition loses some of its
    /// events, and not what began it.
    mutating func removeOldest(preferring steps: UInt64) {
        compact()
        // Within the first few: the search stays short, and what is dropped is old.
        let near = storage.indices.prefix(64).filter { storage[$0].starts == 0 }
        guard let place = near.first(where: { storage[$0].steps & ~steps == 0 }) ?? near.first
        else {
            removeFirst()
            return
        }
        note(storage[place], -1)
        storage.remove(at: place)
    }

    mutating func removeAll() {
        storage.removeAll(keepingCapacity: storage.count < 64)
        head = 0
        starts = 0
        for step in counts.indices { counts[step] = 0 }
    }

    /// Changes events, and drops those that are of no use then.
    mutating func change(_ change: (inout CapturedEvent) -> Void) {
        let stepCount = counts.count
        var kept: [CapturedEvent] = []
        for var event in events {
            change(&event)
            if event.steps == 0 || (kept.isEmpty && event.starts == 0) { continue }
            kept.append(event)
        }
        removeAll()
        for event in kept { append(event, stepCount: stepCount) }
    }

    private mutating func note(_ event: CapturedEvent, _ difference: Int) {
        if event.starts != 0 { starts += difference }
        var rest = event.steps
        while rest != 0 {
            counts[rest.trailingZeroBitCount] += difference
            rest &= rest - 1
        }
    }

    private mutating func compact() {
        guard head > 0 else { return }
        storage.removeFirst(head)
        head = 0
    }
}
