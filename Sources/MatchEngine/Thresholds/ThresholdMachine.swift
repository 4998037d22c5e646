import RuleModel

/// The state of a `threshold` rule over all its keys (H1 to H10).
struct ThresholdMachine: RuleMachine {
    private let index: Int
    private let threshold: ThresholdProgram
    /// Made when the zones are known.
    private var rule: ThresholdRule?
    /// By `KeySlot.index`.
    private var keys: [ThresholdKey?] = []
    /// What the rule's `from list` names, in the order of the list.
    private var listedKeys: [Value] = []
    private var listedSet: Set<Value> = []

    init(rule index: Int, threshold: ThresholdProgram) {
        self.index = index
        self.threshold = threshold
    }
}
