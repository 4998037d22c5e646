import RuleModel

/// Times at which machines want to be called, earliest first; at one time by rule, then by key.
///
/// Entries are never removed early: one whose key has gone or has another wish is skipped when it
/// comes up.
struct DeadlineHeap: Sendable {
    struct Entry: Sendable {
        var time: Int64
        var rule: Int32
        var slot: UInt32
        var keyHash: UInt64
        /// Of the key's slot when the wish was made.
        var generation: UInt32

        static func < (left: Entry, right: Entry) -> Bool {
            if left.time != right.time { return left.time < right.time }
            if left.rule != right.rule { return left.rule < right.rule }
            return left.keyHash < right.keyHash
        }
    }

    private var entries: [Entry] = []

    /// The earliest time, or `Int64.max`.
    var earliest: Int64 { entries.first?.time ?? .max }
    var count: Int { entries.count }

    mutating func push(_ entry: Entry) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child] < entries[parent] else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Entry? {
        guard let top = entries.first else { return nil }
        let last = entries.removeLast()
        guard !entries.isEmpty else { return top }
        entries[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && entries[child] < entries[least] {
                least = child
            }
            guard least != parent else { return top }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
