import CPrefetch
import RuleModel

/// The keys of one rule: open addressing over slots, each key's values stored once.
///
/// Slots are small numbers that are used again, so that a machine keeps its state in arrays. When
/// the table is full the least recently used key goes (T9).
struct KeyTable: Sendable {
    private struct Slot: Sendable {
        var hash: UInt64
        var scheduled = Timestamp.distantFuture
        /// When the key was used last, counted in uses of keys; 0 for a free slot. It stands above the
        /// bits of the doubts.
        var stamp: UInt64

        init(hash: UInt64, use: UInt64) {
            self.hash = hash
            stamp = use << 8
        }

        var isUsed: Bool { use != 0 }
        var use: UInt64 {
            get { stamp >> 8 }
            set { stamp = newValue << 8 | stamp & 0xFF }
        }
        var doubts: Doubts {
            get { Doubts(rawValue: UInt8(truncatingIfNeeded: stamp)) }
            set { stamp = use << 8 | UInt64(newValue.rawValue) }
        }
    }

    /// Where a key may be found.
    private struct Place: Sendable {
        /// The upper half of the key's hash: without a look at the slot, which lies somewhere else in
        /// memory, nearly all other keys are told apart.
        var tag: UInt32 = 0
        /// Slot index + 1; 0 is a free place.
        var number: Int32 = 0

        init() {}

        init(slot: Int32, hash: UInt64) {
            tag = Place.tag(hash)
            number = slot + 1
        }

        static func tag(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 32) }
    }

    /// Why what a key's alerts say may be incomplete (T9).
    struct Doubts: OptionSet, Sendable {
        let rawValue: UInt8

        static let late = Doubts(rawValue: 1)
        static let evictedKeys = Doubts(rawValue: 2)
        static let droppedRuns = Doubts(rawValue: 4)
        static let droppedEvents = Doubts(rawValue: 8)
        static let exhaustedSearch = Doubts(rawValue: 16)
        static let droppedValues = Doubts(rawValue: 32)
        static let droppedMembers = Doubts(rawValue: 64)
    }

    private var slots: [Slot] = []
    /// The values of all keys, `width` for each slot.
    private var parts: [Value] = []
    private let width: Int
    private var free: [Int32] = []
    /// The size is a power of two, and at least a third of them are free.
    private var places = KeyTable.noPlaces
    /// One for all rules that have no key yet.
    private static let noPlaces = Array(repeating: Place(), count: 4)
    private var uses: UInt64 = 0
    /// The keys that were used least recently when this was made, and when that was: the oldest is the
    /// last. One that was used since is no longer due.
    private var due: [(use: UInt64, slot: Int32)] = []
    private(set) var count = 0
    /// Set once a key was evicted: a key that appears after that may be one of those.
    private(set) var hasEvicted = false
    /// How many keys there may be now; less than at first when memory is short.
    private(set) var capacity: Int
    private let fullCapacity: Int

    /// - Parameter width: How many values a key has.
    init(capacity: Int, width: Int) {
        self.capacity = max(1, capacity)
        self.width = width
        fullCapacity = self.capacity
    }

    /// Lets there be so many keys at most, and says that some were evicted for it.
    mutating func shrink(to count: Int) {
        capacity = max(1, min(capacity, count))
        hasEvicted = true
    }

    /// Lets there be a quarter more keys again, up to what the rule may have.
    mutating func widen() { capacity = min(fullCapacity, capacity + capacity / 4 + 1) }

    @inline(__always)
    func values(_ key: KeySlot) -> [Value] {
        Array(parts[key.index * width..<(key.index + 1) * width])
    }
    @inline(__always)
    func hash(_ key: KeySlot) -> UInt64 { slots[key.index].hash }
    @inline(__always)
    func scheduled(_ key: KeySlot) -> Timestamp { slots[key.index].scheduled }
    @inline(__always)
    func doubts(_ key: KeySlot) -> Doubts { slots[key.index].doubts }

    mutating func setScheduled(_ key: KeySlot, _ time: Timestamp) {
        slots[key.index].scheduled = time
    }
    mutating func addDoubts(_ key: KeySlot, _ doubts: Doubts) {
        slots[key.index].doubts.insert(doubts)
    }

    /// Whether a deadline entry is the wish that its key has now.
    @inline(__always)
    func isCurrent(_ entry: Deadline) -> Bool {
        let slot = slots[Int(entry.slot)]
        // A slot that another key has got is known by the hash; the same key come back means the same.
        return slot.isUsed && slot.hash == entry.keyHash
            && slot.scheduled.nanoseconds == entry.time
    }

    /// All keys, that not used for longest first. O(count log count).
    var keysByUse: [KeySlot] {
        slots.indices.filter { slots[$0].isUsed }.sorted { slots[$0].use < slots[$1].use }
            .map { KeySlot(index: $0) }
    }

    /// The keys that were used last, at most so many, that not used for longest first. O(count).
    func recentKeys(_ most: Int) -> [KeySlot] {
        var recent: [KeySlot] = []
        func trim() {
            recent.sort { slots[$0.index].use < slots[$1.index].use }
            recent.removeFirst(max(0, recent.count - most))
        }
        for index in slots.indices where slots[index].isUsed {
            recent.append(KeySlot(index: index))
            if recent.count >= 4 * most { trim() }
        }
        trim()
        return recent
    }

    /// The keys whose values are those wanted. O(count).
    func keys(where isWanted: (ArraySlice<Value>) -> Bool) -> [KeySlot] {
        slots.indices.filter { index in
            slots[index].isUsed && isWanted(parts[index * width..<(index + 1) * width])
        }.map { KeySlot(index: $0) }
    }

    /// Finds a key by hash and comparison without marking it as used. O(1).
    ///
    /// - Parameter matches: Whether a key's values, of which there are as many as the table is wide, are
    ///   those wanted.
    @inline(__always)
    func peek(hash: UInt64, where matches: (_ values: UnsafePointer<Value>) -> Bool) -> KeySlot? {
        let mask = places.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        let tag = Place.tag(hash)
        while places[place].number != 0 {
            let index = Int(places[place].number) - 1
            if places[place].tag == tag, slots[index].hash == hash,
                // Every slot has its values in `parts`; a table that is not wide has none to look at.
                parts.withUnsafeBufferPointer({ parts in
                    width == 0 || matches(parts.baseAddress.unsafelyUnwrapped + index * width)
                })
            {
                return KeySlot(index: index)
            }
            place = (place + 1) & mask
        }
        return nil
    }

    /// Asks for the memory in which `likelySlot` will look. Small tables are in the cache already.
    @inline(__always)
    mutating func prefetchPlace(_ hash: UInt64) {
        guard places.count > KeyTable.smallSize else { return }
        let place = Int(truncatingIfNeeded: hash) & (places.count - 1)
        places.withUnsafeBufferPointer { prefetch($0.baseAddress.unsafelyUnwrapped + place) }
    }

    /// The slot in which the key with this hash is, most likely; nil when there is none, and in small
    /// tables. Good for asking for memory and for nothing else.
    @inline(__always)
    mutating func likelySlot(_ hash: UInt64) -> KeySlot? {
        guard places.count > KeyTable.smallSize else { return nil }
        let mask = places.count - 1
        let tag = Place.tag(hash)
        var place = Int(truncatingIfNeeded: hash) & mask
        while places[place].number != 0 {
            if places[place].tag == tag { return KeySlot(index: Int(places[place].number) - 1) }
            place = (place + 1) & mask
        }
        return nil
    }

    @inline(__always)
    mutating func prefetchSlot(_ key: KeySlot) {
        slots.withUnsafeBufferPointer { prefetch($0.baseAddress.unsafelyUnwrapped + key.index) }
        parts.withUnsafeBufferPointer { parts in
            if let parts = parts.baseAddress { prefetch(parts + key.index * width) }
        }
    }

    private static var smallSize: Int { 1024 }

    func peek(_ values: [Value], hash: UInt64) -> KeySlot? {
        peek(hash: hash) { own in values.indices.allSatisfy { own[$0] == values[$0] } }
    }

    /// Finds a key by hash and comparison and marks it as used last. O(1).
    @inline(__always)
    mutating func find(
        hash: UInt64, where matches: (_ values: UnsafePointer<Value>) -> Bool
    ) -> KeySlot? {
        guard let key = peek(hash: hash, where: matches) else { return nil }
        uses += 1
        slots[key.index].use = uses
        return key
    }

    /// Finds a key or adds it. `evicted` is the slot that was emptied to make room; its number may
    /// be that of the new key. The caller lets the machine forget it before it goes on.
    mutating func findOrInsert(
        _ values: [Value], hash: UInt64
    ) -> (slot: KeySlot, isNew: Bool, evicted: KeySlot?) {
        if let key = peek(values, hash: hash) {
            uses += 1
            slots[key.index].use = uses
            return (key, false, nil)
        }
        let inserted = insert(values, hash: hash)
        return (inserted.slot, true, inserted.evicted)
    }

    /// Adds a key that is not there.
    ///
    /// - Precondition: it has as many values as the table is wide.
    mutating func insert(
        _ values: [Value], hash: UInt64
    ) -> (slot: KeySlot, evicted: KeySlot?) {
        insert(hash: hash) { values[$0] }
    }

    /// The same with the parts of the key one by one.
    @inline(__always)
    mutating func insert(
        hash: UInt64, part: (Int) -> Value
    ) -> (slot: KeySlot, evicted: KeySlot?) {
        var evicted: KeySlot?
        if count == capacity, let victim = leastRecent() {
            remove(victim)
            hasEvicted = true
            evicted = victim
        }
        if (count + 1) * 3 > places.count * 2 { grow() }
        uses += 1
        let index: Int
        if let reused = free.popLast() {
            index = Int(reused)
            slots[index] = Slot(hash: hash, use: uses)
            for offset in 0..<width { parts[index * width + offset] = part(offset) }
        } else {
            index = slots.count
            slots.append(Slot(hash: hash, use: uses))
            for offset in 0..<width { parts.append(part(offset)) }
        }
        if hasEvicted { slots[index].doubts = .evictedKeys }
        place(Int32(index))
        count += 1
        return (KeySlot(index: index), evicted)
    }

    /// Makes room for so many more keys at once; those that do not fit the table are not meant.
    mutating func reserve(_ more: Int) {
        let wanted = min(count + more, capacity)
        slots.reserveCapacity(wanted)
        parts.reserveCapacity(wanted * width)
        while wanted * 3 > places.count * 2 { grow() }
    }

    mutating func remove(_ key: KeySlot) {
        guard slots[key.index].isUsed else { return }
        unplace(Int32(key.index))
        slots[key.index] = Slot(hash: 0, use: 0)
        for index in key.index * width..<(key.index + 1) * width { parts[index] = .missing }
        free.append(Int32(key.index))
        count -= 1
    }

    /// Takes over that keys were evicted, from the table that this one continues.
    mutating func noteEvicted() { hasEvicted = true }

    // MARK: - Order of use

    /// The key not used for longest. O(1) amortised: an eighth of the keys is put in order at a time.
    mutating func leastRecent() -> KeySlot? {
        while count > 0 {
            while let oldest = due.popLast() {
                if slots[Int(oldest.slot)].use == oldest.use {
                    return KeySlot(index: Int(oldest.slot))
                }
            }
            var used = slots.indices.compactMap { index in
                slots[index].isUsed ? (use: slots[index].use, slot: Int32(index)) : nil
            }
            used.sort { $0.use < $1.use }
            due = used.prefix(max(1, used.count / 8)).reversed()
        }
        return nil
    }

    // MARK: - Places

    private mutating func place(_ index: Int32) {
        let mask = places.count - 1
        var place = Int(truncatingIfNeeded: slots[Int(index)].hash) & mask
        while places[place].number != 0 { place = (place + 1) & mask }
        places[place] = Place(slot: index, hash: slots[Int(index)].hash)
    }

    private mutating func grow() {
        places = Array(repeating: Place(), count: places.count * 2)
        for index in slots.indices where slots[index].isUsed { place(Int32(index)) }
    }

    /// Takes a slot out and closes the gap, so that no chain of probing is broken.
    private mutating func unplace(_ index: Int32) {
        let mask = places.count - 1
        var hole = Int(truncatingIfNeeded: slots[Int(index)].hash) & mask
        while places[hole].number != index + 1 { hole = (hole + 1) & mask }
        var next = (hole + 1) & mask
        while places[next].number != 0 {
            let home = Int(truncatingIfNeeded: slots[Int(places[next].number) - 1].hash) & mask
            // The entry may move into the hole when its home is not between the hole and itself.
            if (next - home) & mask >= (next - hole) & mask {
                places[hole] = places[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        places[hole] = Place()
    }
}
