import Dispatch
import MatchEngine
import RuleModel
import Synchronization

/// One stream of events with a watermark of its own.
public struct PipelineInput {
    /// As messages name it.
    public var name: String
    public var source: any ByteSource
    public var options: InputOptions
    /// How long an event may be behind the latest one of this input (T2).
    public var lateness: TimeSpan
    /// A live input that is silent for this long on the clock no longer holds the others back.
    public var idleAfter: TimeSpan
    /// Whether matches are told before the watermark has passed them, where they may be (T2a).
    public var isEarly: Bool
    /// For how long back late events are compared with what was told (T3); zero: not at all.
    public var correction: TimeSpan
    /// Nil where events that come twice are two.
    public var deduplication: Deduplication?

    public init(
        name: String, source: any ByteSource, options: InputOptions, lateness: TimeSpan = .zero,
        idleAfter: TimeSpan = .minute, isEarly: Bool = true,
        correction: TimeSpan = .zero, deduplication: Deduplication? = nil
    ) {
        self.deduplication = deduplication
        self.isEarly = isEarly
        self.correction = correction
        self.name = name
        self.source = source
        self.options = options
        self.lateness = lateness
        self.idleAfter = idleAfter
    }
}

/// What a run of a pipeline did.
public struct PipelineSummary: Sendable {
    public var input = InputReport()
    public var alerts = AlertStageCounters()
    /// Added up over the shards, but for what every shard counts alike.
    public var engine = EngineCounters(ruleCount: 0)
    /// Near misses of rules that say `report partial`, since the output was called last.
    public var nearMisses: [PartialMatch] = []
    /// Buckets of metrics since the output was called last, in order; only where they are asked for.
    public var metrics: [MetricRecord] = []
    /// Matches that wait for a deadline which the events' time has not reached.
    public var openDeadlines = 0
    /// List files that could not be read while running; their old content stayed.
    public var listFaults: [ListFault] = []
    /// What was found in the data folder at the start; nil where there is none.
    public var recovery: Pipeline.RecoveryReport?
    /// What was made durable and delivered; nil where nothing is. Known at the end.
    public var durable: DurableCounters?
    /// Event times of the earliest and the latest row.
    public var firstTime: Timestamp?
    public var lastTime: Timestamp?
    /// How long it takes on the clock until the next event of a paced replay is due.
    public var pause = TimeSpan.zero
    /// By how much a paced replay was behind its pace on the clock, at worst.
    public var lag = TimeSpan.zero

    public init() {}
}

/// Reads inputs, runs a program over them, and hands out alerts in the order of processing.
///
///     input ─chunk→ decoder ─batch→ shard 0 … n (each one engine, each all rows, its own keys)
///                                       └─alerts, sorted→ alert stage ─→ output
///
/// The calling thread decodes the next batches while the shards work on the last ones. A batch is as
/// large as what the input has ready, up to a limit: under load it costs little an event, and with
/// little load an event waits for no other.
public final class Pipeline {
    /// How several inputs take turns.
    public enum Mode: Sendable {
        /// By event time, as history is replayed; ends when every input has ended.
        case replay
        /// As lines come; deadlines follow the events.
        case live
    }

    /// The rules in force.
    public internal(set) var program: Program
    let mode: Mode
    /// How engines for any rules are made.
    public let setup: EngineSetup
    let feeds: [Feed]
    var shards: [Shard]
    /// Batches that the shards work on, the oldest first.
    private var turns: [Turn] = []
    var judge: BatchJudge
    var stage: AlertStage
    /// Of the last event.
    var arrival: UInt64 = 0
    var summary = PipelineSummary()
    var lists: ListWatcher?
    /// What other threads ask for; nil for a replay, which is asked for nothing.
    private let requests: PipelineRequests?
    /// Nil when there is no limit on memory.
    private var memory: MemoryGuard?
    /// Nil: as fast as events can be read.
    private var pace: ReplayPace?
    private let latenessMax: TimeSpan
    /// What outlasts a crash; nil when nothing does.
    let store: DurableStore?
    let clock: RuntimeClock
    /// Other rules or lists are in force, so that a replay of what came before would differ.
    var wantsCheckpoint = false

    /// Rows processed since alerts were passed on last.
    private var rowsSinceOutput = 0

    /// Rows that one batch holds at most.
    private static let batchRows = 2048
    /// How long a paced replay sleeps before it looks around, in nanoseconds.
    private static let napMax: Int64 = 50_000_000
    /// How long the sinks may take at the end, in nanoseconds.
    private static let drainPatience: Int64 = 10_000_000_000
    /// How many batches are under way at once: enough that no thread waits for another at each.
    static let turnsMax = 4
    /// Inputs whose times lie between each other's take turns every few rows. Handing those to
    /// another thread and waiting for it costs many times what the rows do.
    private static let rowsWorthAThread = 32

    /// - Parameters:
    ///   - shardCount: How many engines share the keys; the alerts are the same for any number.
    ///   - lists: Where list files come from; looked at while a live pipeline runs.
    ///   - store: What outlasts a crash: the pipeline goes on from it, and hands it all alerts.
    ///   - keepsMetrics: Whether the summaries given to the output hold the buckets of metrics.
    ///   - memory: What the process may have.
    ///   - pace: How fast event time passes; nil: as fast as events can be read.
    ///   - requests: Through which other threads reach the pipeline while it runs.
    /// - Precondition: there is at least one input and one shard.
    public init(
        program: Program, inputs: [PipelineInput], mode: Mode, shardCount: Int,
        environment: EngineEnvironment, lists: ListWatcher?, limits: EngineLimits = EngineLimits(),
        keepsMetrics: Bool = false, memory: MemoryLimit? = nil, pace: ReplayPace? = nil,
        requests: PipelineRequests? = nil, store: DurableStore? = nil, clock: RuntimeClock = .system
    ) {
        precondition(!inputs.isEmpty && shardCount > 0, "a pipeline has an input and a shard")
        self.program = program
        self.mode = mode
        self.lists = lists
        self.requests = requests
        self.memory = memory.map(MemoryGuard.init)
        self.pace = pace
        latenessMax = inputs.map(\.lateness).max() ?? .zero
        self.store = store
        self.clock = clock
        let now = { DispatchTime(uptimeNanoseconds: UInt64(clock.now())) }
        feeds = inputs.enumerated().map { index, input in
            Feed(input, index: UInt16(index), program: program, now: now)
        }
        setup = EngineSetup(
            inputs: inputs, shardCount: shardCount, limits: limits, keepsMetrics: keepsMetrics)
        shards = setup.shards(program, environment)
        judge = shards[0].judge
        stage = AlertStage(program: program)
        stage.correctable = setup.correctable
    }

    /// Lets a recorder note what one rule does.
    ///
    /// - Precondition: there is one shard, so that it sees all keys.
    public func observe(by recorder: RuleRecorder) {
        precondition(shards.count == 1, "a recorder sees one engine")
        shards[0].perform { engine, _ in engine.recorder = recorder }
    }

    /// Hands out what the recorder has noted, after the run.
    public func takeObservations() -> Observations? {
        shards[0].perform { engine, _ in engine.takeObservations() }
    }

    /// Runs until every input has ended or `shouldStop` says so.
    ///
    /// - Parameters:
    ///   - shouldStop: Asked after every batch.
    ///   - output: Takes the alerts of a batch, in order; also called without alerts, after a batch
    ///     or a pause, so that it can flush and show progress. Faults are those of the same stretch.
    /// - Returns: What was read and sent.
    public func run(
        shouldStop: () -> Bool,
        output: (_ alerts: [Alert], _ faults: [InputFault], _ summary: PipelineSummary) throws ->
            Void
    ) throws -> PipelineSummary {
        func send(_ alerts: [Alert], _ faults: [InputFault], _ summary: PipelineSummary) throws {
            try store?.append(alerts)
            try output(alerts, faults, summary)
        }
        return try run(shouldStop: shouldStop, passingOn: send)
    }

    private func run(
        shouldStop: () -> Bool,
        passingOn output: ([Alert], [InputFault], PipelineSummary) throws -> Void
    ) throws -> PipelineSummary {
        try recover(output)
        var nextListCheck = DispatchTime.now()
        var isStopped = shouldStop()
        while !isStopped {
            defer { isStopped = shouldStop() }
            if let store {
                try store.tick()
                if store.isCheckpointDue || wantsCheckpoint {
                    try settle(output)
                    try checkpoint(store, isClean: false)
                }
            }
            if lists != nil, DispatchTime.now() >= nextListCheck {
                nextListCheck = .now() + .milliseconds(250)
                try reloadLists(output)
            }
            if let requests, requests.isPending {
                try settle(output)
                requests.answer(by: self)
                try passOn(output)
            }
            if memory != nil { try watchMemory(output) }
            // Here and not where alerts are put into it: what was read is processed to its end, so that
            // checkpoints are made, reloads done and stops heard while the sources wait.
            if let store, store.isOutboxFull {
                try finishAll(output)
                try passOn(output)
                store.awaitDelivery()
                continue
            }
            // Alerts do not wait for input: before the pipeline does, it passes them on.
            guard let feed = nextFeed(waits: turns.isEmpty) else {
                let hadTurns = !turns.isEmpty
                try finishAll(output)
                if hadTurns { continue }
                if feeds.allSatisfy(\.isEnded) { break }
                if mode == .live { try passTime() }
                try passOn(output)
                continue
            }
            if try naps(before: feed, output) { continue }
            let rows = try takeRows(of: feed)
            if rows.count < Pipeline.rowsWorthAThread {
                try finishAll(output)
                note(feed, rows)
                process(feed, rows)
                // Alerts of a live pipeline wait for nothing.
                let isFull = rowsSinceOutput >= Pipeline.batchRows
                if mode == .live || isFull { try passOn(output) }
            } else {
                if rowsSinceOutput > 0 { try passOn(output) }
                if turns.count == Pipeline.turnsMax { try finishFirst(output) }
                note(feed, rows)
                start(feed, rows)
            }
        }
        requests?.close()
        if store?.keepsState == true {
            try settle(output)
        } else {
            try finishAll(output)
            try passOn(output)
        }
        // Whoever stops an engine that keeps its state means to go on.
        if store?.keepsState != true || !isStopped { try close(output) }
        summary.nearMisses = []
        summary.metrics = []
        if let store {
            store.drain(patience: Pipeline.drainPatience)
            if store.keepsState { try checkpoint(store, isClean: true) }
            summary.durable = store.counters
        }
        summary.engine = engineCounters
        summary.openDeadlines = shards.reduce(0) { $0 + $1.openDeadlines }
        return summary
    }

    /// Where the next row is not due yet: passes on what was made of those before, and sleeps a while.
    private func naps(
        before feed: Feed, _ output: ([Alert], [InputFault], PipelineSummary) throws -> Void
    ) throws -> Bool {
        let wait = timeToWait(for: feed)
        summary.pause = wait
        guard wait > .zero else { return false }
        try passOn(output)
        // Writing took its time too. The sleep of the system counts in microseconds.
        let left = timeToWait(for: feed).nanoseconds
        if left > 0 { clock.sleep(min(max(left, 1_000), Pipeline.napMax)) }
        return true
    }

    private func timeToWait(for feed: Feed) -> TimeSpan {
        guard pace != nil else { return .zero }
        let wait = pace?.wait(for: feed.head.time, now: clock.now()) ?? .zero
        summary.lag = pace?.lag ?? .zero
        return wait
    }

    /// Nothing more comes: all events that wait are judged, and open groups are told.
    private func close(
        _ output: ([Alert], [InputFault], PipelineSummary) throws -> Void
    ) throws {
        for feed in feeds {
            for shard in shards {
                shard.perform { engine, alerts in engine.closeSource(feed.index, emitting: &alerts)
                }
            }
        }
        try passOn(output)
        var last: [Alert] = []
        stage.finish(emitting: &last)
        summary.alerts = stage.counters
        summary.nearMisses = []
        summary.metrics = []
        try output(last, [], summary)
    }

    /// Lets inputs that are silent for long hold nobody back, and, when all are, moves event time
    /// with the clock, so that an absence is noticed although nothing comes any more.
    private func passTime() throws {
        let now = DispatchTime(uptimeNanoseconds: UInt64(clock.now()))
        let idle = feeds.filter { !$0.isIdle && $0.silence(at: now) > $0.idleAfter }
        for feed in idle { feed.isIdle = true }
        var reached: Timestamp?
        if feeds.allSatisfy({ $0.isIdle || $0.isEnded }), let last = summary.lastTime,
            let silence = feeds.map({ $0.silence(at: now) }).min()
        {
            reached = last + silence
        }
        guard reached != nil || !idle.isEmpty else { return }
        try store?.log(.time(idle: idle.map(\.name), advance: reached))
        passTime(idle: idle, reached: reached)
    }

    /// - Parameters:
    ///   - idle: Inputs that hold nobody back from now on.
    ///   - reached: Where event time has come to by the clock.
    func passTime(idle: [Feed], reached: Timestamp?) {
        for shard in shards {
            shard.perform { engine, alerts in
                for feed in idle { engine.markIdle(feed.index, emitting: &alerts) }
                if let reached { engine.advance(to: reached, emitting: &alerts) }
            }
        }
    }

    /// Added up over the shards.
    var engineCounters: EngineCounters {
        shards.dropFirst().reduce(shards[0].counters) { $0.adding(shard: $1.counters) }
    }

    /// Drops state when memory is short.
    private func watchMemory(
        _ output: ([Alert], [InputFault], PipelineSummary) throws -> Void
    ) throws {
        switch memory?.advice() ?? .goOn {
        case .goOn: break
        case .shed(let share):
            try finishAll(output)
            for shard in shards {
                shard.perform { engine, alerts in engine.shed(share, emitting: &alerts) }
            }
            memory?.noteShed()
            try passOn(output)
        case .widen:
            try finishAll(output)
            for shard in shards { shard.perform { engine, _ in engine.widen() } }
        }
    }

    // MARK: - Choosing rows

    /// A feed that has rows; nil when none has any right now.
    private func nextFeed(waits: Bool) -> Feed? {
        for feed in feeds where !feed.hasRows && !feed.isEnded {
            // A live input waits only when nothing else is at hand.
            let patience = mode == .replay ? 1_000 : feeds.count == 1 ? 100 : 10
            let wait = waits ? patience : 0
            // Under a pace nothing is read ahead of its time but the next event.
            let rowMax = pace == nil ? Pipeline.batchRows : 1
            feed.fill(rowMax: rowMax, arrival: &arrival, waitMilliseconds: wait)
            // A replay must know the next row of every input before it can choose.
            if mode == .replay, !feed.hasRows, !feed.isEnded { return nil }
        }
        return first(besides: nil)
    }

    /// Rows of the feed that may be processed before any row of another; written down first.
    private func takeRows(of feed: Feed) throws -> Range<Int> {
        let rows = feed.take(upTo: mode == .replay ? first(besides: feed)?.head : nil)
        if let store, store.keepsState { try store.log(feed.journalRecord()) }
        return rows
    }

    /// The feed whose next row is the earliest. Without an array: this runs for each turn.
    private func first(besides other: Feed?) -> Feed? {
        var first: Feed?
        for feed in feeds where feed !== other && feed.hasRows {
            if let earlier = first, earlier.head < feed.head { continue }
            first = feed
        }
        return first
    }

    func note(_ feed: Feed, _ rows: Range<Int>) {
        // Through locals: each access to a property of a class is checked when it runs.
        let times = feed.batch.times
        guard let first = rows.first else { return }
        var (least, most) = (times[first], times[first])
        for row in rows {
            least = min(least, times[row])
            most = max(most, times[row])
        }
        let (earliest, latest) = (Timestamp(nanoseconds: least), Timestamp(nanoseconds: most))
        summary.firstTime = min(summary.firstTime ?? earliest, earliest)
        summary.lastTime = max(summary.lastTime ?? latest, latest)
    }

    // MARK: - Shards

    func process(_ feed: Feed, _ rows: Range<Int>) {
        rowsSinceOutput += rows.count
        for shard in shards {
            let loaded = feed.load(with: judge)
            shard.perform { engine, alerts in
                engine.process(loaded, rows: rows, emitting: &alerts)
            }
        }
    }

    private func start(_ feed: Feed, _ rows: Range<Int>) {
        let turn = Turn(lastTime: summary.lastTime)
        let batch = feed.batch
        // Several shards share what one thread has judged; a single one does it itself.
        let loaded = shards.count > 1 ? feed.load(with: judge) : nil
        for shard in shards {
            shard.queue.async(group: turn.group) {
                turn.add(
                    shard.perform { engine, alerts in
                        if let loaded {
                            engine.process(loaded, rows: rows, emitting: &alerts)
                        } else {
                            engine.process(batch, rows: rows, emitting: &alerts)
                        }
                        return Made(shard: &alerts, engine: &engine)
                    })
            }
        }
        turns.append(turn)
    }

    /// Comes to one position of the stream: all that was decoded is processed and passed on. What is
    /// behind it, lines not yet decoded, is still bytes.
    private func settle(
        _ output: ([Alert], [InputFault], PipelineSummary) throws -> Void
    ) throws {
        try finishAll(output)
        while let feed = first(besides: nil) {
            let rows = try takeRows(of: feed)
            note(feed, rows)
            process(feed, rows)
        }
        try passOn(output)
    }

    /// Waits for all batches under way and passes their alerts on, batch by batch.
    func finishAll(
        _ output: ([Alert], [InputFault], PipelineSummary) throws -> Void
    ) throws {
        while !turns.isEmpty { try finishFirst(output) }
    }

    private func finishFirst(
        _ output: ([Alert], [InputFault], PipelineSummary) throws -> Void
    ) throws {
        let turn = turns.removeFirst()
        turn.group.wait()
        try passOn(turn.made, reached: turn.lastTime, output)
    }

    /// Passes on what the shards have made in the calling thread.
    func passOn(
        _ output: ([Alert], [InputFault], PipelineSummary) throws -> Void
    ) throws {
        rowsSinceOutput = 0
        var made = Made()
        for shard in shards {
            made.add(
                shard.perform { engine, alerts in Made(shard: &alerts, engine: &engine) })
        }
        try passOn(made, reached: summary.lastTime, output)
    }

    /// - Parameter time: Where event time stood when this was made.
    private func passOn(
        _ made: Made, reached time: Timestamp?,
        _ output: ([Alert], [InputFault], PipelineSummary) throws -> Void
    ) throws {
        // Rules behind other rules do not take their turn in the order of records.
        let alerts = made.alerts.sorted { $0.order < $1.order }
        var sent: [Alert] = []
        stage.process(alerts, emitting: &sent)
        if let time { stage.advance(to: time - latenessMax, emitting: &sent) }
        summary.alerts = stage.counters
        summary.input = feeds.reduce(into: InputReport()) { $0.add($1.report) }
        let faults = feeds.flatMap { $0.report.takeFaults() }
        summary.nearMisses = made.nearMisses.sorted {
            ($0.endedAt, $0.rule) < ($1.endedAt, $1.rule)
        }
        summary.metrics = made.metrics.sorted { $0.order < $1.order }
        try output(sent, faults, summary)
    }
}
