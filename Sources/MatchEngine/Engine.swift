import RuleModel

/// Runs a program over events: the pure core of the product.
///
/// One owner, one thread. Does no I/O, reads no clock, and gives the same records for the same
/// events however they are split into batches (T11). Nothing in the data makes it throw or trap.
public struct Engine: ~Copyable, Sendable {
    private var context: MachineContext
    private var sequences: [SequenceMachine] = []
    private var thresholds: [ThresholdMachine] = []

    public init(program: Program, environment: EngineEnvironment, options: EngineOptions) {
        context = MachineContext(
            program: program, limits: options.limits, zones: environment.zones,
            shardIndex: UInt64(options.shardIndex), shardCount: UInt64(max(1, options.shardCount)),
            evaluator: TermEvaluator(program: program, environment: environment),
            keys: program.rules.map { rule in
                KeyTable(capacity: min(max(1, rule.bound.keys), options.limits.keysPerRule))
            },
            counters: EngineCounters(ruleCount: program.rules.count),
            emission: EmissionState(program: program))
    }

    /// Processes rows of a batch in the order of T0 and appends the records they cause.
    ///
    /// - Parameter rows: Rows of the batch; the others are taken as not there.
    public mutating func process(
        _ batch: borrowing EventBatch, rows: Range<Int>, emitting output: inout [Alert]
    ) {}

    /// Fires the deadlines before `watermark` and releases the events before it: for time that
    /// passes without events.
    public mutating func advance(to watermark: Timestamp, emitting output: inout [Alert]) {}

    /// Exchanges the content of a list, in force for all events processed from now on (T10).
    public mutating func setList(
        _ list: ListID, _ table: ListTable, at time: Timestamp, emitting output: inout [Alert]
    ) {}

    /// Says that nothing more comes from a source: it no longer holds the watermark back.
    public mutating func closeSource(_ source: UInt16, emitting output: inout [Alert]) {}

    /// Says that a source has been silent for long; it holds the watermark back again from its next
    /// event on.
    public mutating func markIdle(_ source: UInt16, emitting output: inout [Alert]) {}

    /// What the engine has seen and done so far.
    public var counters: EngineCounters { context.counters }

    /// Matches that wait for a deadline and nothing else, such as a heartbeat that may yet come.
    public var openDeadlines: Int {
        sequences.reduce(0) { $0 + $1.openDeadlines } + thresholds.reduce(0) { $0 + $1.openDeadlines }
    }

    /// Hands out the near misses since the last call (`report partial`).
    public mutating func takePartialMatches() -> [PartialMatch] {
        defer { context.partialMatches = [] }
        return context.partialMatches
    }
}
