import RuleModel

/// The keys of one rule: open addressing over slots, each key's values stored once.
///
/// Slots are small numbers that are used again, so that a machine keeps its state in arrays. When
/// the table is full the least recently used key goes (T9).
struct KeyTable: Sendable {
    private struct Slot: Sendable {
        var values: [Value]
        var hash: UInt64
        var generation: UInt32 = 0
        var isUsed = true
        var scheduled = Timestamp.distantFuture
        var doubts = Doubts()
        /// Neighbours in order of use, as indices; -1 at the ends.
        var newer: Int32 = -1
        var older: Int32 = -1
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
    private var free: [Int32] = []
    /// The size is a power of two, and at least half of them are free.
    private var places = Array(repeating: Place(), count: 4)
    private var newest: Int32 = -1
    private var oldest: Int32 = -1
    private(set) var count = 0
    /// Set once a key was evicted: a key that appears after that may be one of those.
    private(set) var hasEvicted = false
    /// How many keys there may be now; less than at first when memory is short.
    private(set) var capacity: Int
    private let fullCapacity: Int

    init(capacity: Int) {
        self.capacity = max(1, capacity)
        fullCapacity = self.capacity
    }

    /// The key not used for longest.
    var leastRecent: KeySlot? { oldest < 0 ? nil : KeySlot(index: Int(oldest)) }

    /// Lets there be so many keys at most, and says that some were evicted for it.
    mutating func shrink(to count: Int) {
        capacity = max(1, min(capacity, count))
        hasEvicted = true
    }

    /// Lets there be a quarter more keys again, up to what the rule may have.
    mutating func widen() { capacity = min(fullCapacity, capacity + capacity / 4 + 1) }

    func values(_ key: KeySlot) -> [Value] { slots[key.index].values }
    func hash(_ key: KeySlot) -> UInt64 { slots[key.index].hash }
    func generation(_ key: KeySlot) -> UInt32 { slots[key.index].generation }
    func scheduled(_ key: KeySlot) -> Timestamp { slots[key.index].scheduled }
    func doubts(_ key: KeySlot) -> Doubts { slots[key.index].doubts }

    mutating func setScheduled(_ key: KeySlot, _ time: Timestamp) {
        slots[key.index].scheduled = time
    }
    mutating func addDoubts(_ key: KeySlot, _ doubts: Doubts) {
        slots[key.index].doubts.insert(doubts)
    }

    /// Whether a deadline entry is the wish that its key has now.
    func isCurrent(_ entry: Deadline) -> Bool {
        let slot = slots[Int(entry.slot)]
        return slot.isUsed && slot.generation == entry.generation
            && slot.scheduled.nanoseconds == entry.time
    }

    /// All keys, that not used for longest first.
    var keysByUse: [KeySlot] {
        var keys: [KeySlot] = []
        keys.reserveCapacity(count)
        var index = oldest
        while index >= 0 {
            keys.append(KeySlot(index: Int(index)))
            index = slots[Int(index)].newer
        }
        return keys
    }

    /// Finds a key by hash and comparison without marking it as used. O(1).
    func peek(hash: UInt64, where matches: ([Value]) -> Bool) -> KeySlot? {
        let mask = places.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        let tag = Place.tag(hash)
        while places[place].number != 0 {
            let index = Int(places[place].number) - 1
            if places[place].tag == tag, slots[index].hash == hash, matches(slots[index].values) {
                return KeySlot(index: index)
            }
            place = (place + 1) & mask
        }
        return nil
    }

    /// Finds a key by hash and comparison and marks it as used last. O(1).
    mutating func find(hash: UInt64, where matches: ([Value]) -> Bool) -> KeySlot? {
        guard let slot = peek(hash: hash, where: matches) else { return nil }
        touch(Int32(slot.index))
        return slot
    }

    /// Finds a key or adds it. `evicted` is the slot that was emptied to make room; its number may
    /// be that of the new key. The caller lets the machine forget it before it goes on.
    mutating func findOrInsert(
        _ values: [Value], hash: UInt64
    ) -> (slot: KeySlot, isNew: Bool, evicted: KeySlot?) {
        if let slot = find(hash: hash, where: { $0 == values }) { return (slot, false, nil) }
        let inserted = insert(values, hash: hash)
        return (inserted.slot, true, inserted.evicted)
    }

    /// Adds a key that is not there.
    mutating func insert(_ values: [Value], hash: UInt64) -> (slot: KeySlot, evicted: KeySlot?) {
        var evicted: KeySlot?
        if count == capacity {
            let victim = KeySlot(index: Int(oldest))
            remove(victim)
            hasEvicted = true
            evicted = victim
        }
        if (count + 1) * 2 > places.count { grow() }
        let index: Int32
        if let reused = free.popLast() {
            index = reused
            let generation = slots[Int(index)].generation
            slots[Int(index)] = Slot(values: values, hash: hash, generation: generation)
        } else {
            index = Int32(slots.count)
            slots.append(Slot(values: values, hash: hash))
        }
        if hasEvicted { slots[Int(index)].doubts = .evictedKeys }
        place(index)
        link(index)
        count += 1
        return (KeySlot(index: Int(index)), evicted)
    }

    mutating func remove(_ key: KeySlot) {
        let index = Int32(key.index)
        guard slots[key.index].isUsed else { return }
        unplace(index)
        unlink(index)
        slots[key.index].isUsed = false
        slots[key.index].generation &+= 1
        slots[key.index].values = []
        slots[key.index].scheduled = .distantFuture
        free.append(index)
        count -= 1
    }

    /// Takes over that keys were evicted, from the table that this one continues.
    mutating func noteEvicted() { hasEvicted = true }

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

    // MARK: - Order of use

    private mutating func touch(_ index: Int32) {
        guard newest != index else { return }
        unlink(index)
        link(index)
    }

    private mutating func link(_ index: Int32) {
        slots[Int(index)].older = newest
        slots[Int(index)].newer = -1
        if newest >= 0 { slots[Int(newest)].newer = index }
        newest = index
        if oldest < 0 { oldest = index }
    }

    private mutating func unlink(_ index: Int32) {
        let (newer, older) = (slots[Int(index)].newer, slots[Int(index)].older)
        if newer >= 0 { slots[Int(newer)].older = older } else { newest = older }
        if older >= 0 { slots[Int(older)].newer = newer } else { oldest = newer }
    }
}
