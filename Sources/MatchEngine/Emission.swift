import RuleModel

/// What a machine knows of a record; the emission adds what the rule says.
struct MatchRecord: Sendable {
    /// From `MachineContext.makeAlertID`; the records of one episode share it.
    var id: String
    var state: Alert.State
    /// `sequence` or `threshold`.
    var kind: String
    var matchedAt: Timestamp
    var firstTime: Timestamp
    var lastTime: Timestamp
    var strength: Double
    /// All measures of a threshold in order; masked by the emission.
    var measures: [Alert.NamedValue] = []
    /// The steps of a sequence, already masked.
    var steps: [Alert.Step] = []
    var reason: String?
    /// Whether `unless` and `active` may keep the record silent. False for the end of an episode
    /// whose beginning was handed out.
    var mayBeSilenced = true
}

/// What the emission keeps between records.
struct EmissionState: Sendable {
    init(program: Program) {}
}

extension MachineContext {
    /// The identity of a new episode (T12): a hash of the rule's name, the key and the time of the
    /// first match. A further episode of one key at the same instant gets another id.
    mutating func makeAlertID(key: KeySlot, matchedAt: Timestamp) -> String { "" }

    /// Builds a record and hands it out, unless the rule is to be silent now.
    ///
    /// - Parameter terms: Answers for steps, measures and the current event; key and facts are
    ///   answered by the emission.
    /// - Returns: Whether the record was handed out.
    @discardableResult
    mutating func emit(_ record: MatchRecord, key: KeySlot, terms: some TermContext) -> Bool {
        false
    }
}
