import RuleModel

/// The state of a `sequence` rule over all its keys (S1 to S9).
struct SequenceMachine: RuleMachine {
    /// How matches are found follows from the policy.
    private enum Kind: Sendable {
        case choices
        case runs
        case chains
    }

    private let kind: Kind
    private let parts: SequenceParts
    // One of them has state; the others stay empty.
    private var choices: ChoiceMachine
    private var runs: RunMachine
    private var chains: ChainMachine
    /// While a snapshot is read.
    private var captures: CaptureReading?

    init(rule: Int, sequence: SequenceProgram, program: Program, limits: EngineLimits) {
        let parts = SequenceParts(
            rule: rule, sequence: sequence, program: program, limits: limits)
        self.parts = parts
        choices = ChoiceMachine(parts: parts, workMax: limits.workPerEvent)
        runs = RunMachine(parts: parts)
        chains = ChainMachine(parts: parts)
        switch sequence.overlap {
        case .none, .all: kind = sequence.restartsOnRepeat ? .runs : .choices
        case .each: kind = ChainMachine.keeps(parts) ? .chains : .runs
        case .latest: kind = .runs
        }
    }

    mutating func begin(at time: Timestamp, in context: inout MachineContext) {}

    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {
        switch kind {
        case .choices: choices.process(event, key: key, in: &context)
        case .runs: runs.process(event, key: key, in: &context)
        case .chains: chains.process(event, key: key, in: &context)
        }
    }

    @inline(__always)
    mutating func prefetchPlace(_ key: KeySlot) {
        if kind == .choices { choices.prefetchPlace(key) }
    }
    @inline(__always)
    mutating func prefetchState(_ key: KeySlot) {
        if kind == .choices { choices.prefetchState(key) }
    }

    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {
        switch kind {
        case .choices: choices.fire(at: time, key: key, in: &context)
        case .runs: runs.fire(at: time, key: key, in: &context)
        case .chains: chains.fire(at: time, key: key, in: &context)
        }
    }

    mutating func forget(_ key: KeySlot) {
        switch kind {
        case .choices: choices.forget(key)
        case .runs: runs.forget(key)
        case .chains: chains.forget(key)
        }
    }

    mutating func adopt(_ key: KeySlot, from other: SequenceMachine, _ otherKey: KeySlot) {
        switch kind {
        case .choices: choices.adopt(key, from: other.choices, otherKey)
        case .runs: runs.adopt(key, from: other.runs, otherKey)
        case .chains: chains.adopt(key, from: other.chains, otherKey)
        }
    }

    /// Whether the captured events of another machine of the rule have their values in the same places.
    func keepsAs(_ other: Self) -> Bool {
        kind == other.kind && parts.layout.names == other.parts.layout.names
    }

    mutating func takeKeys(from other: inout Self) {
        choices.takeKeys(from: &other.choices)
        runs.takeKeys(from: &other.runs)
        chains.takeKeys(from: &other.chains)
    }

    /// Whether so many events more could complete a match of the key, going by their number alone.
    func mayMatch(_ key: KeySlot?, withMore count: Int) -> Bool {
        kind != .choices || choices.eventCount(key) + count >= parts.eventsMin
    }

    mutating func listChanged(_ list: ListID, in context: inout MachineContext) {}

    var openDeadlines: Int {
        switch kind {
        case .choices: choices.openDeadlines()
        case .runs: runs.openDeadlines()
        case .chains: 0
        }
    }

    func open(_ key: KeySlot, found: inout OpenMatches, in context: MachineContext) {
        switch kind {
        case .choices: choices.open(key, found: &found, in: context)
        case .runs: runs.open(key, found: &found, in: context)
        case .chains: chains.open(key, found: &found, in: context)
        }
    }

    // MARK: - Snapshot

    static let stateVersion = 1

    func openMatches(_ key: KeySlot, in context: MachineContext) -> Int {
        switch kind {
        case .choices: choices.openMatches(key, at: context.instant)
        case .runs: runs.openMatches(key)
        case .chains: chains.openMatches(key, at: context.instant)
        }
    }

    /// A match of a sequence is over when it is told.
    func farewell(_ key: KeySlot, reason: String, in context: MachineContext) -> Alert? { nil }

    func writeCommon(to writer: inout StateWriter) { writer.write(parts.layout.names) }

    mutating func restoreCommon(
        from reader: inout StateReader, version: Int, in context: inout MachineContext
    ) throws(SnapshotError) {
        captures = try CaptureReading(
            from: &reader, layout: parts.layout, steps: parts.steps.count)
    }

    func write(_ key: KeySlot, to writer: inout StateWriter) {
        switch kind {
        case .choices: choices.write(key, to: &writer)
        case .runs: runs.write(key, to: &writer)
        case .chains: chains.write(key, to: &writer)
        }
    }

    mutating func restore(
        _ key: KeySlot?, from reader: inout StateReader, version: Int,
        in context: inout MachineContext
    ) throws(SnapshotError) {
        guard let captures else { return }
        switch kind {
        case .choices: try choices.restore(key, from: &reader, by: captures)
        case .runs: try runs.restore(key, from: &reader, by: captures)
        case .chains: try chains.restore(key, from: &reader, by: captures)
        }
    }
}
