/// What the snapshot of one shard holds of each rule, read without the rules.
public struct SnapshotSummary: Sendable {
    /// The state of one rule.
    public struct Rule: Sendable {
        public var name: String
        public var keys: Int
        /// Matches that have begun.
        public var openMatches: Int
        /// The size of its part of the snapshot.
        public var bytes: Int
    }

    /// In the order of the program that the engine ran.
    public var rules: [Rule] = []

    /// - Throws: when the bytes are damaged, of something else, or of a newer version.
    /// - Complexity: linear in the number of rules: state is passed over.
    public init(_ snapshot: [UInt8]) throws(SnapshotError) {
        var reader = StateReader(snapshot)
        try reader.readMark()
        _ = try reader.section("the engine", known: SnapshotForm.engineVersion)
        for _ in 0..<(try reader.count()) {
            let head = try reader.ruleHead()
            let (state, _) = try reader.section(
                "rule \(head.name)", known: SnapshotForm.ruleVersion)
            rules.append(
                Rule(
                    name: head.name, keys: head.keys, openMatches: head.openMatches,
                    bytes: state.bytesLeft))
        }
        try reader.expectEnd(of: "the snapshot")
    }
}
