/// A time at which a machine wants to be called for a key; at one time by depth, rule and key.
///
/// Deadlines are never removed early: one whose key has gone or has another wish is skipped when it
/// comes up (`KeyTable.isCurrent`).
struct Deadline: Comparable, Sendable {
    var time: Int64
    /// The place of the rule in the order of depths and rules (`MachineContext.ranks`).
    var rank: Int32
    var slot: UInt32
    var keyHash: UInt64

    static func < (left: Deadline, right: Deadline) -> Bool {
        if left.time != right.time { return left.time < right.time }
        if left.rank != right.rank { return left.rank < right.rank }
        if left.keyHash != right.keyHash { return left.keyHash < right.keyHash }
        // Two keys of one hash: rare, and told apart by what is the same in every run.
        return left.slot < right.slot
    }
}
