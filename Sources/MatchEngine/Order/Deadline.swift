/// A time at which a machine wants to be called for a key; at one time by depth, rule and key.
///
/// Deadlines are never removed early: one whose key has gone or has another wish is skipped when it
/// comes up (`KeyTable.isCurrent`).
struct Deadline: Comparable, Sendable {
    var time: Int64
    /// That of the rule (`RulePlace.depth`).
    var depth: Int32
    var rule: Int32
    var slot: UInt32
    var keyHash: UInt64
    /// Of the key's slot when the wish was made.
    var generation: UInt32

    static func < (left: Deadline, right: Deadline) -> Bool {
        if left.time != right.time { return left.time < right.time }
        if left.depth != right.depth { return left.depth < right.depth }
        if left.rule != right.rule { return left.rule < right.rule }
        if left.keyHash != right.keyHash { return left.keyHash < right.keyHash }
        // Two keys of one hash: rare, and told apart by what is the same in every run.
        return (left.slot, left.generation) < (right.slot, right.generation)
    }
}
