import RuleModel

/// The state of one rule over all its keys. Sequences and thresholds are driven alike through this.
///
/// A machine keeps what it knows of a key in arrays indexed by `KeySlot.index`. The key itself lives
/// in the rule's `KeyTable`. After each call the machine says when it wants to be woken next
/// (`MachineContext.wake`), or gives the slot back when nothing is left (`MachineContext.release`).
protocol RuleMachine: Sendable {
    /// Called once, when the time is known since which the input is watched, before any event.
    mutating func begin(at time: Timestamp, in context: inout MachineContext)
    /// An event that passed a condition of the rule (or, for `then immediately`, is of its input).
    /// Every deadline before
    /// `context.instant` has fired.
    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext)
    /// A time that the machine asked for, or an earlier one, has come: events at `time` itself have
    /// been processed (T5). May come with nothing due.
    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext)
    /// The key is dropped for the limit on keys; its slot will be used by another.
    mutating func forget(_ key: KeySlot)
    /// A list that the rule may read has another content from `context.instant` on.
    mutating func listChanged(_ list: ListID, in context: inout MachineContext)
    /// How many matches wait for a deadline and nothing else.
    var openDeadlines: Int { get }

    /// Tells what the key has open at `context.instant`, for whoever asks.
    func open(_ key: KeySlot, found: inout OpenMatches, in context: MachineContext)

    // MARK: Snapshots. What is written holds for every program in which the rule has the same
    // `shape`: names or places within the rule, never numbers of the program.

    /// The newest form of the state, which is the one that is written. A machine reads the one before
    /// as well.
    static var stateVersion: Int { get }
    /// How many matches of a key have begun and may come to something.
    func openMatches(_ key: KeySlot, in context: MachineContext) -> Int
    /// The record that would end what a key has told to be firing, for the day on which the rule is
    /// gone and nobody is there to tell it.
    func farewell(_ key: KeySlot, reason: String, in context: MachineContext) -> Alert?
    /// Writes what the rule keeps besides its keys.
    func writeCommon(to writer: inout StateWriter)
    /// Reads the same, before any key and instead of `begin`; once for each shard that wrote a snapshot.
    mutating func restoreCommon(
        from reader: inout StateReader, version: Int, in context: inout MachineContext
    ) throws(SnapshotError)
    func write(_ key: KeySlot, to writer: inout StateWriter)
    /// Reads the same. The key's wish to be woken is in force already; a further one may be added.
    ///
    /// - Parameter key: Nil when the key is another shard's: then the state is read and dropped.
    mutating func restore(
        _ key: KeySlot?, from reader: inout StateReader, version: Int,
        in context: inout MachineContext
    ) throws(SnapshotError)
}

/// The place of a key in its rule's table.
struct KeySlot: Hashable, Sendable {
    var index: Int
}

/// What a machine may use and change while it is called.
struct MachineContext: Sendable {
    let program: Program
    var limits: EngineLimits
    /// What `limits.waitingEvents` is when there is memory enough.
    let waitingEventsMax: Int
    let zones: [String: ZoneTable]
    let shardIndex: UInt64
    let shardCount: UInt64
    /// Evaluates expressions; holds the lists in force.
    var evaluator: TermEvaluator
    /// One table for each rule, by index into `Program.rules`.
    var keys: [KeyTable]
    var deadlines = LaneQueue<Deadline>()
    /// The order in which rules are called at one instant: by depth, then as written. For each rule its
    /// place in it, and for each place its rule.
    let ranks: [Int32]
    let rulesByRank: [Int32]
    /// How many deadlines there may be until those that nobody waits for any more are looked for.
    private var deadlinesMax = 4096
    var counters: EngineCounters
    /// The index into `Program.rules` of the machine being called.
    var rule = 0
    /// The instant being processed (T2): for events the order time, for deadlines theirs.
    var instant = Timestamp.distantPast
    /// The inputs of the rule by which the event came to the key, one bit each.
    var inputs: UInt64 = .max
    /// The arrival number of the event being processed, `UInt64.max` for a deadline.
    var arrival = UInt64.max
    /// Since when each rule watches the input: those that a reload brought, since then.
    var watchStarts: [Timestamp]
    /// A rule that a reload brought does not see what waited then, since that was read without the
    /// fields that only this rule reads: nothing up to this time, by rule, and the latest of all.
    private var unseenUntil: [Timestamp]
    private var allSeenAfter = Timestamp.distantPast
    /// Records made so far in this call of the engine.
    var output: [Alert] = []
    /// Events made of alerts, metrics and risks that their readers have yet to see.
    var derived: DerivedEvents
    var risks = RiskScores()
    var partialMatches: [PartialMatch] = []
    /// Buckets of metrics since they were taken last.
    var metrics: [MetricRecord] = []
    var emission: EmissionState
    /// Notes what one rule does, for `explain`; most often there is none.
    var recorder: RuleRecorder?
    /// What was told before its time.
    var earlyAlerts = EarlyAlerts()
    /// Whether `fired` is kept.
    var keepsFired = false
    /// Alerts that have begun since the engine looked last, told early or now.
    var fired: [(id: String, matchedAt: Timestamp)] = []
    /// The highest event time that has arrived.
    var highestTime = Timestamp.distantPast
    let keepsPartialMatches: Bool
    let keepsMetrics: Bool

    init(program: Program, environment: EngineEnvironment, options: EngineOptions) {
        self.program = program
        limits = options.limits
        waitingEventsMax = options.limits.waitingEvents
        zones = environment.zones
        shardIndex = UInt64(options.shardIndex)
        shardCount = UInt64(max(1, options.shardCount))
        evaluator = TermEvaluator(program: program, environment: environment)
        keys = program.rules.map { rule in
            KeyTable(
                capacity: min(max(1, rule.bound.keys), options.limits.keysPerRule),
                width: rule.keyNames.count)
        }
        let order = program.rules.indices.sorted {
            (program.rules[$0].place.depth, $0) < (program.rules[$1].place.depth, $1)
        }
        rulesByRank = order.map { Int32($0) }
        var ranks = Array(repeating: Int32(0), count: order.count)
        for (rank, rule) in order.enumerated() { ranks[rule] = Int32(rank) }
        self.ranks = ranks
        watchStarts = program.rules.map { _ in .distantPast }
        unseenUntil = watchStarts
        counters = EngineCounters(ruleCount: program.rules.count)
        derived = DerivedEvents(program: program)
        emission = EmissionState(program: program)
        keepsPartialMatches = options.keepsPartialMatches
        keepsMetrics = options.keepsMetrics
    }

    /// Since when the rule being called watches the input.
    var watchStart: Timestamp { watchStarts[rule] }

    /// Whether a rule sees an event with this order time.
    @inline(__always)
    func sees(_ time: Timestamp, _ rule: Int) -> Bool {
        time > allSeenAfter || time > unseenUntil[rule]
    }

    /// Up to when the rule being called sees nothing.
    var unseen: Timestamp {
        get { unseenUntil[rule] }
        set {
            unseenUntil[rule] = newValue
            allSeenAfter = max(allSeenAfter, newValue)
        }
    }

    /// Asks for a call of `fire` at `time` or earlier. Only the earliest wish of a key is kept, so a
    /// machine repeats its next one at the end of each call.
    @inline(__always)
    mutating func wake(_ key: KeySlot, at time: Timestamp) {
        guard time < keys[rule].scheduled(key) else { return }
        keys[rule].setScheduled(key, time)
        deadlines.push(
            Deadline(
                time: time.nanoseconds, rank: ranks[rule], slot: UInt32(key.index),
                keyHash: keys[rule].hash(key)))
        if deadlines.count > deadlinesMax { dropIdleDeadlines() }
    }

    /// Keys that come and go in a flood would leave deadlines behind until their time has come.
    mutating func dropIdleDeadlines() {
        deadlines.keep { keys[Int(rulesByRank[Int($0.rank)])].isCurrent($0) }
        deadlinesMax = max(4096, 2 * deadlines.count)
    }

    /// Gives the slot of a key without state back. The machine forgets the slot first.
    mutating func release(_ key: KeySlot) { keys[rule].remove(key) }

    /// The slot of a key given by values, made when it is new; nil when another shard owns the key.
    /// For keys that exist without an event (H9). The machine forgets what it has for `evicted`
    /// before it uses the slot, which may be the same.
    mutating func slot(
        forKey values: [Value]
    ) -> (slot: KeySlot, isNew: Bool, evicted: KeySlot?)? {
        var hash = KeyHash()
        for value in values { hash.combine(value) }
        guard owns(hash.value) else { return nil }
        let found = keys[rule].findOrInsert(values, hash: hash.value)
        if found.evicted != nil { noteOverflow(.keys) }
        return found
    }

    /// Whether the key with this hash, of the rule being called, belongs to this shard.
    @inline(__always)
    func owns(_ hash: UInt64) -> Bool {
        if shardCount == 1 { return true }
        let share = program.rules[rule].place.home.map { UInt64($0) } ?? hash
        return share % shardCount == shardIndex
    }

    /// Whether a rule that lives whole in one shard (`RulePlace.home`) lives in this one.
    func isHome(_ rule: Int) -> Bool {
        UInt64(program.rules[rule].place.home ?? 0) % shardCount == shardIndex
    }

    // Inline, since a call would be given a copy of the whole context.
    @inline(__always)
    func keyValues(_ key: KeySlot) -> [Value] { keys[rule].values(key) }
    @inline(__always)
    func keyHash(_ key: KeySlot) -> UInt64 { keys[rule].hash(key) }
}
