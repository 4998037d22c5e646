import RuleModel

/// What became of the state of each rule when an engine took over from another (T10).
public struct RestoreReport: Sendable, Equatable {
    public struct Rule: Sendable, Equatable {
        public var name: String
        public var outcome: ReloadOutcome
        /// Keys with state, and matches of them that have begun; of a rule that was reset or removed
        /// those that were dropped.
        public var keys = 0
        public var openMatches = 0

        public init(_ name: String, _ outcome: ReloadOutcome, keys: Int = 0, openMatches: Int = 0) {
            self.name = name
            self.outcome = outcome
            self.keys = keys
            self.openMatches = openMatches
        }
    }

    /// The rules of the program in its order, then those removed in the order they had.
    public var rules: [Rule] = []

    public init() {}

    /// This report and that of another shard of the same engine together.
    public func adding(shard other: RestoreReport) -> RestoreReport {
        var sum = self
        let indices = Dictionary(
            rules.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        for rule in other.rules {
            if let index = indices[rule.name] {
                sum.rules[index].keys += rule.keys
                sum.rules[index].openMatches += rule.openMatches
                // A shard that held nothing of the rule has nothing to say of it.
                if sum.rules[index].outcome == .new { sum.rules[index].outcome = rule.outcome }
            } else {
                sum.rules.append(rule)
            }
        }
        return sum
    }
}
