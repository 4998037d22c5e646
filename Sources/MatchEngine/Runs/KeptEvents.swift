import CPrefetch
import RuleModel

/// What a key keeps of an event; its fields lie beside it in `KeptEvents`.
struct KeptEvent: Sendable {
    /// Where the event stands (T2), for order and limits.
    var instant: Timestamp
    /// The event's own time, for conditions and messages.
    var time: Timestamp
    /// The steps whose condition on the event alone it passes, as bits.
    var steps: UInt64
    /// The steps with which it may begin a match.
    var starts: UInt64
    /// Which event of the rule's input with this key it is, for `immediately`; from 2^32 on they
    /// begin again.
    var ordinal: UInt32
    var type: EventTypeID
}

extension CapturedEvent {
    init(_ event: KeptEvent, values: ArraySlice<Value>) {
        self.init(
            instant: event.instant, time: event.time, type: event.type,
            ordinal: Int64(event.ordinal), steps: event.steps, starts: event.starts,
            values: Array(values))
    }
}

/// The events that may be part of a match, of all keys of a rule, each key's in T0 order.
///
/// The first event of a key can begin a match: what has no beginning before it is of no use.
///
/// All lie in one array: each key has a block of it, of a power of two of places, and moves to a larger
/// one when that is full. So a key with one event costs no more than the event, events of one key
/// lie side by side, and nothing is asked of the allocator when keys come and go.
struct KeptEvents: Sendable {
    /// The events of one key.
    private struct Span: Sendable {
        /// Where its block begins.
        var block: Int32 = 0
        /// Events before this one of the block are gone.
        var head: Int32 = 0
        var count: Int32 = 0
        /// How many of the events may begin a match.
        var starts: Int32 = 0
        /// The block has 2^`size` places; -1: there is none.
        var size: Int8 = -1

        var first: Int { Int(block + head) }
        /// How many places the block has.
        var room: Int32 { size < 0 ? 0 : 1 << Int32(size) }
        var isFull: Bool { head + count == room }
        var range: Range<Int> { first..<first + Int(count) }
    }

    private let stepCount: Int
    /// Of the program of now, where fields have the numbers that they have in it.
    private var layout: CaptureLayout
    /// By `KeySlot.index`.
    private var spans: [Span] = []
    /// How many events of a key fit each step: `stepCount` numbers for each key.
    private var counts: [Int32] = []
    /// The memory of all blocks.
    private(set) var memory: [KeptEvent] = []
    /// The captured fields: `layout.width` values for each place of the memory.
    private(set) var values: [Value] = []
    /// Blocks that nobody has, by size.
    private var free: [[Int32]] = Array(repeating: [], count: 31)

    init(stepCount: Int, layout: CaptureLayout) {
        self.stepCount = stepCount
        self.layout = layout
    }

    // MARK: - What a key has

    /// Slots of keys that have or had events.
    var keys: some Sequence<KeySlot> { spans.indices.lazy.map { KeySlot(index: $0) } }

    func isEmpty(_ key: KeySlot) -> Bool { count(key) == 0 }
    func count(_ key: KeySlot) -> Int { key.index < spans.count ? Int(spans[key.index].count) : 0 }
    func starts(_ key: KeySlot) -> Int {
        key.index < spans.count ? Int(spans[key.index].starts) : 0
    }

    /// How many events fit a step.
    func count(_ key: KeySlot, ofStep step: Int) -> Int {
        key.index < spans.count ? Int(counts[key.index * stepCount + step]) : 0
    }

    /// The order time of the oldest event; nil without events.
    func firstInstant(_ key: KeySlot) -> Timestamp? {
        isEmpty(key) ? nil : memory[spans[key.index].first].instant
    }

    /// That of the newest.
    func lastInstant(_ key: KeySlot) -> Timestamp? {
        isEmpty(key) ? nil : memory[spans[key.index].range.upperBound - 1].instant
    }

    /// Where the key's events lie in `memory`.
    func places(_ key: KeySlot) -> Range<Int> {
        key.index < spans.count ? spans[key.index].range : 0..<0
    }

    func events(_ key: KeySlot) -> ArraySlice<KeptEvent> { memory[places(key)] }

    /// The key's events where they lie, and the fields of the first of them, behind which those of the others
    /// follow; nil where nothing is captured.
    func withEvents<Result>(
        of key: KeySlot,
        _ body: (UnsafeBufferPointer<KeptEvent>, UnsafePointer<Value>?) -> Result
    ) -> Result {
        let places = places(key)
        return memory.withUnsafeBufferPointer { memory in
            values.withUnsafeBufferPointer { values in
                body(
                    UnsafeBufferPointer(rebasing: memory[places]),
                    values.baseAddress.map { $0 + places.lowerBound * layout.width })
            }
        }
    }

    /// The event at a place of the memory, with its fields.
    func captured(_ place: Int) -> CapturedEvent {
        let width = layout.width
        return CapturedEvent(memory[place], values: values[place * width..<(place + 1) * width])
    }

    // MARK: - Memory that is soon needed

    /// Asks for what says where the events of a key are, and for the first of them.
    @inline(__always)
    mutating func prefetchPlace(_ key: KeySlot) {
        guard key.index < spans.count else { return }
        spans.withUnsafeBufferPointer { prefetch($0.baseAddress.unsafelyUnwrapped + key.index) }
        counts.withUnsafeBufferPointer {
            prefetch($0.baseAddress.unsafelyUnwrapped + key.index * stepCount)
        }
    }
    @inline(__always)
    mutating func prefetchEvents(_ key: KeySlot) {
        guard key.index < spans.count, spans[key.index].size >= 0 else { return }
        let place = spans[key.index].first
        memory.withUnsafeBufferPointer { prefetch($0.baseAddress.unsafelyUnwrapped + place) }
        values.withUnsafeBufferPointer { values in
            if let values = values.baseAddress { prefetch(values + place * layout.width) }
        }
    }

    // MARK: - Changes

    /// Appends an event, with the fields that its steps capture.
    mutating func append(_ event: KeptEvent, _ key: KeySlot, fieldsOf source: Event) {
        let place = place(for: event, key)
        layout.forEach(stepsIn: event.steps) { field, offset in
            values[place * layout.width + offset] = source.value(field)
        }
    }

    /// Gives a key that has no events events that were captured before.
    mutating func fill(_ key: KeySlot, with events: [CapturedEvent]) {
        makeSpan(key)
        if events.count > 1, spans[key.index].size < 0 {
            // A block that holds them all, so that nothing has to move.
            let size = Int8(Int.bitWidth - (events.count - 1).leadingZeroBitCount)
            spans[key.index].block = makeBlock(ofSize: size)
            spans[key.index].size = size
        }
        for event in events { append(event, key) }
    }

    /// Appends an event that was captured before.
    mutating func append(_ event: CapturedEvent, _ key: KeySlot) {
        let kept = KeptEvent(
            instant: event.instant, time: event.time, steps: event.steps, starts: event.starts,
            ordinal: UInt32(truncatingIfNeeded: event.ordinal), type: event.type)
        append(kept, key, values: event.values[...])
    }

    private mutating func append(
        _ event: KeptEvent, _ key: KeySlot, values fields: ArraySlice<Value>
    ) {
        let place = place(for: event, key)
        for (offset, value) in fields.enumerated() { values[place * layout.width + offset] = value }
    }

    /// Lets the last event stand for fewer steps, or drops it when it would be of no use then.
    mutating func restrictLast(_ key: KeySlot, to steps: UInt64) {
        let place = spans[key.index].range.upperBound - 1
        note(memory[place], key, -1)
        memory[place].steps &= steps
        memory[place].starts &= steps
        let isOnly = spans[key.index].count == 1
        if memory[place].steps == 0 || (isOnly && memory[place].starts == 0) {
            clear(place)
            spans[key.index].count -= 1
            if isOnly { removeAll(key) }
        } else {
            note(memory[place], key, 1)
        }
    }

    /// Drops the oldest event, and those behind it that have no beginning before them then.
    mutating func removeFirst(_ key: KeySlot) {
        repeat {
            let place = spans[key.index].first
            note(memory[place], key, -1)
            clear(place)
            spans[key.index].head += 1
            spans[key.index].count -= 1
        } while !isEmpty(key) && memory[spans[key.index].first].starts == 0
        if isEmpty(key) { removeAll(key) }
    }

    /// Drops an old event: of two beginnings in front the first; else, of those that begin nothing, the
    /// oldest that only the preferred steps need, else the oldest of them, else the oldest of all. So a
    /// long repetition loses some of its events, and not what began it.
    mutating func removeOldest(_ key: KeySlot, preferring steps: UInt64) {
        if count(key) > 1, memory[spans[key.index].first + 1].starts != 0 {
            removeFirst(key)
            return
        }
        // Within the first few: the search stays short, and what is dropped is old.
        let near = places(key).prefix(64).filter { memory[$0].starts == 0 }
        guard let place = near.first(where: { memory[$0].steps & ~steps == 0 }) ?? near.first
        else {
            removeFirst(key)
            return
        }
        note(memory[place], key, -1)
        // Those before it, which are few, move up.
        var hole = place
        while hole > spans[key.index].first {
            move(hole - 1, to: hole)
            hole -= 1
        }
        clear(hole)
        spans[key.index].head += 1
        spans[key.index].count -= 1
    }

    mutating func removeAll(_ key: KeySlot) {
        guard key.index < spans.count, spans[key.index].size >= 0 else { return }
        for place in spans[key.index].range { clear(place) }
        free[Int(spans[key.index].size)].append(spans[key.index].block)
        spans[key.index] = Span()
        for step in 0..<stepCount { counts[key.index * stepCount + step] = 0 }
    }

    /// Changes events, and drops those that are of no use then.
    ///
    /// - Parameter change: Given the number of the event among the key's.
    mutating func change(_ key: KeySlot, _ change: (Int, inout KeptEvent) -> Void) {
        let range = places(key)
        var kept = range.lowerBound
        for step in 0..<stepCount { counts[key.index * stepCount + step] = 0 }
        spans[key.index].starts = 0
        for place in range {
            change(place - range.lowerBound, &memory[place])
            let event = memory[place]
            if event.steps == 0 || (kept == range.lowerBound && event.starts == 0) {
                clear(place)
                continue
            }
            if kept != place { move(place, to: kept) }
            kept += 1
            note(event, key, 1)
        }
        spans[key.index].count = Int32(kept - range.lowerBound)
        if kept == range.lowerBound { removeAll(key) }
    }

    /// Takes over all keys; the places of values are the same.
    mutating func takeKeys(from other: inout Self) {
        swap(&self, &other)
        swap(&layout, &other.layout)
    }

    /// Takes over the events that a key of another machine of the same rule has.
    mutating func adopt(_ key: KeySlot, from other: KeptEvents, _ otherKey: KeySlot) {
        removeAll(key)
        let width = layout.width
        for place in other.places(otherKey) {
            append(
                other.memory[place], key,
                values: other.values[place * width..<(place + 1) * width])
        }
    }

    // MARK: - Memory

    private mutating func note(_ event: KeptEvent, _ key: KeySlot, _ difference: Int32) {
        if event.starts != 0 { spans[key.index].starts += difference }
        countSteps(event.steps, key, difference)
    }

    @inline(__always)
    private mutating func countSteps(_ steps: UInt64, _ key: KeySlot, _ difference: Int32) {
        var rest = steps
        while rest != 0 {
            counts[key.index * stepCount + rest.trailingZeroBitCount] += difference
            rest &= rest - 1
        }
    }

    private mutating func move(_ place: Int, to other: Int) {
        memory[other] = memory[place]
        let width = layout.width
        for offset in 0..<width {
            values.swapAt(place * width + offset, other * width + offset)
        }
    }

    /// Lets go of the fields of an event.
    private mutating func clear(_ place: Int) {
        for index in place * layout.width..<(place + 1) * layout.width { values[index] = .missing }
    }

    /// Puts an event behind the last one of a key, without its fields; returns where.
    @inline(__always)
    private mutating func place(for event: KeptEvent, _ key: KeySlot) -> Int {
        makeSpan(key)
        var span = spans[key.index]
        var place = memory.count
        if span.size < 0, free[0].isEmpty {
            // Most keys have one event, and most of those are new.
            span.size = 0
            span.block = Int32(place)
            memory.append(event)
            for _ in 0..<layout.width { values.append(.missing) }
        } else {
            if span.isFull {
                makeRoom(key)
                span = spans[key.index]
            }
            place = span.first + Int(span.count)
            memory[place] = event
        }
        span.count += 1
        if event.starts != 0 { span.starts += 1 }
        spans[key.index] = span
        countSteps(event.steps, key, 1)
        return place
    }

    @inline(__always)
    private mutating func makeSpan(_ key: KeySlot) {
        guard key.index >= spans.count else { return }
        while spans.count <= key.index { spans.append(Span()) }
        while counts.count < spans.count * stepCount { counts.append(0) }
    }

    /// Makes room for one more event in a block that is full, or has none.
    private mutating func makeRoom(_ key: KeySlot) {
        let span = spans[key.index]
        // A block of which half is free again is large enough.
        let isRoomy = span.head > 0 && span.head * 2 >= span.room
        let block = isRoomy ? span.block : makeBlock(ofSize: span.size + 1)
        for offset in 0..<Int(span.count) { move(span.first + offset, to: Int(block) + offset) }
        if !isRoomy {
            if span.size >= 0 { free[Int(span.size)].append(span.block) }
            spans[key.index].size += 1
            spans[key.index].block = block
        }
        spans[key.index].head = 0
    }

    private mutating func makeBlock(ofSize size: Int8) -> Int32 {
        if let block = free[Int(size)].popLast() { return block }
        let block = Int32(memory.count)
        let nothing = KeptEvent(
            instant: .distantPast, time: .distantPast, steps: 0, starts: 0, ordinal: 0,
            type: .unread)
        for _ in 0..<1 << Int(size) {
            memory.append(nothing)
            for _ in 0..<layout.width { values.append(.missing) }
        }
        return block
    }
}
