import RuleModel

/// Which fields of an object are wanted, as a tree of keys that the scanner walks along.
///
/// The path `geo.country` is looked for in every way in which it may be written: as an object in an
/// object (`{"geo": {"country": "DE"}}`) and with a dotted key (`{"geo.country": "DE"}`). Each way
/// has a slot of its own; where several are filled the most nested one counts.
struct Projection: Sendable {
    /// A key of an object on the way to a wanted field, or the name of an event type.
    struct Entry: Sendable {
        /// Where the key stands in `keyBytes`.
        var keyStart: Int32
        var keyCount: Int32
        /// What to do with the value.
        var target: Target
    }

    /// What to do with a value.
    struct Target: Sendable {
        /// The entry that stands for the key; -1 if the value is not wanted.
        var entry: Int32 = -1
        /// The slot that takes the value; -1 for none.
        var slot: Int32 = -1
        /// The node for the keys inside the value if it is an object; -1 for none.
        var child: Int32 = -1
        /// How far down the list of spellings of the time field this one stands; 0 is the best and
        /// `noRole` means that the value is not the time.
        var timeRank: UInt8 = noRole
        /// The same for the field that names the event type.
        var typeRank: UInt8 = noRole

        static let noRole = UInt8.max
        static let unwanted = Target()

        var isWanted: Bool { entry >= 0 }
        var hasRole: Bool { timeRank & typeRank != Target.noRole }
    }

    /// The keys of one object: a hash table over entries, part of `table`.
    struct Node: Sendable {
        var tableStart: Int32 = 0
        var tableMask: Int32 = 0
        /// Where the memo of expected keys begins, and how many places of an object it covers.
        var memoStart: Int32 = 0
        var memoPlaces: Int32 = 0
    }

    private(set) var entries: [Entry] = []
    private(set) var nodes: [Node] = []
    /// Entry numbers at their hashed places; -1 is free.
    private(set) var table: [Int32] = []
    private(set) var keyBytes: [UInt8] = []
    /// The node that holds the names of event types; the `slot` of its entries is the type's number.
    private(set) var typeNode = 0
    private(set) var slotCount = 0
    /// For each wanted field the slots of its spellings, best first.
    private(set) var fieldSlots: [[Int]] = []
    /// How many memo places all nodes have. Those for names of types follow.
    private(set) var memoPlaces = 0
    static let typeMemoPlaces = 8
    /// How often one byte of the input may be copied: once for each slot whose value contains it.
    private(set) var copiesMax = 0

    /// The number of the root node.
    static let root = 0

    init(fields: [FieldPath], eventTypes: [String?], options: InputOptions) {
        var builder = ProjectionBuilder()
        fieldSlots = fields.map { field in
            spellings(of: field).map { builder.slot(for: $0) }
        }
        for (rank, keys) in spellings(of: options.timeField).enumerated() {
            builder.update(keys) { $0.timeRank = UInt8(rank) }
        }
        if options.typeName == nil {
            for (rank, keys) in spellings(of: options.typeField).enumerated() {
                builder.update(keys) { $0.typeRank = UInt8(rank) }
            }
        }
        slotCount = builder.slotCount
        copiesMax = builder.copiesMax(below: Projection.root)
        for node in builder.nodes.indices {
            // Deeper objects are usually small; a place costs 320 bytes.
            addNode(builder.nodes[node], memoPlaces: node == Projection.root ? 64 : 16)
        }
        typeNode = nodes.count
        let names = eventTypes.enumerated().compactMap { index, name in
            name.map { (key: $0, target: Target(slot: Int32(index))) }
        }
        addNode(names, memoPlaces: 0)
    }

    private mutating func addNode(_ keys: [(key: String, target: Target)], memoPlaces places: Int) {
        var size = 4
        while size < keys.count * 2 { size *= 2 }
        nodes.append(
            Node(
                tableStart: Int32(table.count), tableMask: Int32(size - 1),
                memoStart: Int32(memoPlaces), memoPlaces: Int32(places)))
        memoPlaces += places
        let start = table.count
        table += repeatElement(-1, count: size)
        for (key, target) in keys {
            let bytes = Array(key.utf8)
            var entry = Entry(
                keyStart: Int32(keyBytes.count), keyCount: Int32(bytes.count), target: target)
            entry.target.entry = Int32(entries.count)
            keyBytes += bytes
            var place = bytes.withUnsafeBufferPointer { keyHash($0) } & (size - 1)
            while table[start + place] >= 0 { place = (place + 1) & (size - 1) }
            table[start + place] = Int32(entries.count)
            entries.append(entry)
        }
    }

    /// What to do with the value behind a key of a node's object.
    func target(of key: UnsafeBufferPointer<UInt8>, in node: Int) -> Target {
        let node = nodes[node]
        var place = keyHash(key) & Int(node.tableMask)
        while true {
            let number = table[Int(node.tableStart) + place]
            if number < 0 { return .unwanted }
            let entry = entries[Int(number)]
            if Int(entry.keyCount) == key.count,
                keyBytes[Int(entry.keyStart)..<Int(entry.keyStart + entry.keyCount)].elementsEqual(
                    key)
            {
                return entry.target
            }
            place = (place + 1) & Int(node.tableMask)
        }
    }

    /// The entries of a node and of all nodes below it.
    func entries(below node: Int) -> [Entry] {
        let range = nodes[node]
        return table[Int(range.tableStart)...Int(range.tableStart + range.tableMask)]
            .filter { $0 >= 0 }
            .flatMap { number -> [Entry] in
                let entry = entries[Int(number)]
                let child = entry.target.child
                return child < 0 ? [entry] : [entry] + entries(below: Int(child))
            }
    }
}

/// The ways in which a path may be written as keys of nested objects, most nested first.
///
/// A path of up to four segments is looked for in all its spellings (at most eight); a longer one
/// fully nested and as one dotted key only.
func spellings(of path: FieldPath) -> [[String]] {
    let segments = path.segments
    if segments.count > 4 { return [segments, [segments.joined(separator: ".")]] }
    if segments.count < 2 { return [segments] }
    var all: [[String]] = []
    // Bit i says that segment i + 1 is joined to the one before it.
    for joins in 0..<(1 << (segments.count - 1)) {
        var keys = [segments[0]]
        for (index, segment) in segments.dropFirst().enumerated() {
            if joins >> index & 1 == 1 {
                keys[keys.count - 1] += "." + segment
            } else {
                keys.append(segment)
            }
        }
        all.append(keys)
    }
    // The sort keeps the order of the loop among equals only by the second term.
    return all.enumerated()
        .sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }
        .map(\.element)
}

/// A hash of a key's length, its first and its last eight bytes. Stays within the process.
private func keyHash(_ key: UnsafeBufferPointer<UInt8>) -> Int {
    var hash = UInt64(key.count)
    for byte in key.prefix(8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    for byte in key.suffix(8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return Int(truncatingIfNeeded: (hash ^ hash >> 29) & 0x7FFF_FFFF)
}

/// The tree of keys while it grows.
private struct ProjectionBuilder {
    var nodes: [[(key: String, target: Projection.Target)]] = [[]]
    var slotCount = 0

    mutating func update(_ keys: [String], _ change: (inout Projection.Target) -> Void) {
        var node = Projection.root
        for key in keys.dropLast() {
            let index = place(of: key, in: node)
            if nodes[node][index].target.child < 0 {
                nodes[node][index].target.child = Int32(nodes.count)
                nodes.append([])
            }
            node = Int(nodes[node][index].target.child)
        }
        guard let last = keys.last else { return }
        change(&nodes[node][place(of: last, in: node)].target)
    }

    /// The slot of a spelling; two fields that share a spelling share its slot.
    mutating func slot(for keys: [String]) -> Int {
        var slot = slotCount
        update(keys) { target in
            if target.slot < 0 { target.slot = Int32(slot) }
            slot = Int(target.slot)
        }
        slotCount = max(slotCount, slot + 1)
        return slot
    }

    private mutating func place(of key: String, in node: Int) -> Int {
        if let index = nodes[node].firstIndex(where: { Text($0.key) == Text(key) }) { return index }
        nodes[node].append((key, Projection.Target()))
        return nodes[node].count - 1
    }

    func copiesMax(below node: Int) -> Int {
        nodes[node].reduce(0) { most, entry in
            let own = entry.target.slot < 0 ? 0 : 1
            let child = Int(entry.target.child)
            return max(most, own + (child < 0 ? 0 : copiesMax(below: child)))
        }
    }
}
