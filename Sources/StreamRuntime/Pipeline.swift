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

    public init(
        name: String, source: any ByteSource, options: InputOptions, lateness: TimeSpan = .zero,
        idleAfter: TimeSpan = .minute, isEarly: Bool = true,
        correction: TimeSpan = .zero
    ) {
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
    /// Event times of the earliest and the latest row.
    public var firstTime: Timestamp?
    public var lastTime: Timestamp?

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

    private let program: Program
    private let mode: Mode
    private var feeds: [Feed]
    private let shards: [Shard]
    /// Batches that the shards work on, the oldest first.
    private var turns: [Turn] = []
    private var judge: BatchJudge
    private var stage: AlertStage
    private var arrival: UInt64 = 0
    private var summary = PipelineSummary()
    private var lists: ListWatcher?
    private let latenessMax: TimeSpan

    /// Rows processed since alerts were passed on last.
    private var rowsSinceOutput = 0

    /// Rows that one batch holds at most.
    private static let batchRows = 1024
    /// How many batches are under way at once: enough that no thread waits for another at each.
    fileprivate static let turnsMax = 4
    /// Inputs whose times lie between each other's take turns every few rows. Handing those to
    /// another thread and waiting for it costs many times what the rows do.
    private static let rowsWorthAThread = 32

    /// - Parameters:
    ///   - shardCount: How many engines share the keys; the alerts are the same for any number.
    ///   - lists: Where list files come from; looked at while a live pipeline runs.
    ///   - keepsMetrics: Whether the summaries given to the output hold the buckets of metrics.
    /// - Precondition: there is at least one input and one shard.
    public init(
        program: Program, inputs: [PipelineInput], mode: Mode, shardCount: Int,
        environment: EngineEnvironment, lists: ListWatcher?, limits: EngineLimits = EngineLimits(),
        keepsMetrics: Bool = false
    ) {
        precondition(!inputs.isEmpty && shardCount > 0, "a pipeline has an input and a shard")
        self.program = program
        self.mode = mode
        self.lists = lists
        latenessMax = inputs.map(\.lateness).max() ?? .zero
        feeds = inputs.enumerated().map { index, input in
            Feed(input, index: UInt16(index), program: program)
        }
        shards = (0..<shardCount).map { index in
            var options = EngineOptions()
            options.lateness = inputs.map(\.lateness)
            options.corrections = inputs.map(\.correction)
            options.judgesEarly = inputs.map { $0.isEarly && $0.lateness > .zero }
            options.shardIndex = index
            options.shardCount = shardCount
            options.limits = limits
            options.keepsMetrics = keepsMetrics
            options.keepsPartialMatches = program.rules.contains { rule in
                if case .sequence(let sequence) = rule.pattern { return sequence.reportsPartial }
                return false
            }
            return Shard(program: program, environment: environment, options: options, index: index)
        }
        judge = shards[0].judge
        stage = AlertStage(program: program)
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
    ) rethrows -> PipelineSummary {
        var nextListCheck = DispatchTime.now()
        while !shouldStop() {
            if lists != nil, DispatchTime.now() >= nextListCheck {
                nextListCheck = .now() + .milliseconds(250)
                try reloadLists(output)
            }
            // Alerts do not wait for input: before the pipeline does, it passes them on.
            guard let feed = nextFeed(waits: turns.isEmpty) else {
                let hadTurns = !turns.isEmpty
                try finishAll(output)
                if hadTurns { continue }
                if feeds.allSatisfy(\.isEnded) { break }
                if mode == .live { passTime() }
                try passOn(output)
                continue
            }
            let rows = takeRows(of: feed)
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
        try finishAll(output)
        try passOn(output)
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
        summary.engine = shards.dropFirst().reduce(shards[0].counters) {
            $0.adding(shard: $1.counters)
        }
        summary.openDeadlines = shards.reduce(0) { $0 + $1.openDeadlines }
        return summary
    }

    /// Lets inputs that are silent for long hold nobody back, and, when all are, moves event time
    /// with the clock, so that an absence is noticed although nothing comes any more.
    private func passTime() {
        let now = DispatchTime.now()
        for feed in feeds where !feed.isIdle && feed.silence(at: now) > feed.idleAfter {
            feed.isIdle = true
            for shard in shards {
                shard.perform { engine, alerts in engine.markIdle(feed.index, emitting: &alerts) }
            }
        }
        guard feeds.allSatisfy({ $0.isIdle || $0.isEnded }), let last = summary.lastTime,
            let silence = feeds.map({ $0.silence(at: now) }).min()
        else { return }
        for shard in shards {
            shard.perform { engine, alerts in engine.advance(to: last + silence, emitting: &alerts)
            }
        }
    }

    // MARK: - Choosing rows

    /// A feed that has rows; nil when none has any right now.
    private func nextFeed(waits: Bool) -> Feed? {
        for feed in feeds where !feed.hasRows && !feed.isEnded {
            // A live input waits only when nothing else is at hand.
            let patience = mode == .replay ? 1_000 : feeds.count == 1 ? 100 : 10
            let wait = waits ? patience : 0
            feed.fill(rowMax: Pipeline.batchRows, arrival: &arrival, waitMilliseconds: wait)
            // A replay must know the next row of every input before it can choose.
            if mode == .replay, !feed.hasRows, !feed.isEnded { return nil }
        }
        return first(besides: nil)
    }

    /// Rows of the feed that may be processed before any row of another.
    private func takeRows(of feed: Feed) -> Range<Int> {
        feed.take(upTo: mode == .replay ? first(besides: feed)?.head : nil)
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

    private func note(_ feed: Feed, _ rows: Range<Int>) {
        for row in rows {
            let time = Timestamp(nanoseconds: feed.batch.times[row])
            summary.firstTime = min(summary.firstTime ?? time, time)
            summary.lastTime = max(summary.lastTime ?? time, time)
        }
    }

    // MARK: - Shards

    private func process(_ feed: Feed, _ rows: Range<Int>) {
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

    /// Waits for all batches under way and passes their alerts on, batch by batch.
    private func finishAll(
        _ output: ([Alert], [InputFault], PipelineSummary) throws -> Void
    ) rethrows {
        while !turns.isEmpty { try finishFirst(output) }
    }

    private func finishFirst(
        _ output: ([Alert], [InputFault], PipelineSummary) throws -> Void
    ) rethrows {
        let turn = turns.removeFirst()
        turn.group.wait()
        try passOn(turn.made, reached: turn.lastTime, output)
    }

    /// Passes on what the shards have made in the calling thread.
    private func passOn(
        _ output: ([Alert], [InputFault], PipelineSummary) throws -> Void
    ) rethrows {
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
    ) rethrows {
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

    private func reloadLists(
        _ output: ([Alert], [InputFault], PipelineSummary) throws -> Void
    ) rethrows {
        let now = Int64(clamping: DispatchTime.now().uptimeNanoseconds)
        guard let updates = lists?.poll(now: now), !updates.isEmpty else { return }
        try finishAll(output)
        try passOn(output)
        let time = summary.lastTime ?? .distantPast
        for feed in feeds { feed.loaded = nil }
        var failures: [Alert] = []
        for update in updates {
            switch update {
            case .failed(list: let index, let fault):
                summary.listFaults.append(fault)
                failures.append(listFailed(index, fault, at: time))
            case .changed(list: let index, let table):
                for shard in shards {
                    shard.perform { engine, alerts in
                        engine.setList(ListID(index), table, at: time, emitting: &alerts)
                    }
                }
                judge = shards[0].judge
            }
        }
        guard !failures.isEmpty else { return }
        var sent: [Alert] = []
        stage.process(failures, emitting: &sent)
        summary.alerts = stage.counters
        try output(sent, [], summary)
    }

    /// A list whose file has turned bad is told once for each state of the file; its old content
    /// stays in force.
    private func listFailed(_ index: Int, _ fault: ListFault, at time: Timestamp) -> Alert {
        let name = program.tables.lists[index].name
        let sinks = program.rules.flatMap(\.emit.sinks)
        return Alert(
            engine: "engine.list_failed", about: Alert.NamedValue("list", .text(name)),
            message: "list \(name): \(fault); the old content stays in force",
            reason: "list failed", idTime: time, ruleID: RuleID(-1), fingerprint: 0,
            sinks: sinks.indices.filter { sinks[..<$0].firstIndex(of: sinks[$0]) == nil }.map {
                sinks[$0]
            },
            order: AlertOrder(
                instant: time.nanoseconds, arrival: .max, depth: 0, rule: -1, key: 0,
                serial: index),
            at: time)
    }
}

/// What shards have made.
private struct Made: Sendable {
    var alerts: [Alert] = []
    var nearMisses: [PartialMatch] = []
    var metrics: [MetricRecord] = []

    init() {}

    /// Takes out what a shard has made.
    init(shard alerts: inout [Alert], engine: inout Engine) {
        swap(&self.alerts, &alerts)
        nearMisses = engine.takePartialMatches()
        metrics = engine.takeMetrics()
    }

    mutating func add(_ other: Made) {
        alerts += other.alerts
        nearMisses += other.nearMisses
        metrics += other.metrics
    }
}

/// A batch that the shards work on.
private final class Turn: Sendable {
    let group = DispatchGroup()
    /// Where event time stood with the last row of the batch.
    let lastTime: Timestamp?
    private let parts = Mutex(Made())

    init(lastTime: Timestamp?) { self.lastTime = lastTime }

    func add(_ made: Made) { parts.withLock { $0.add(made) } }

    /// What all shards have made of it, once the group has finished.
    var made: Made { parts.withLock { $0 } }
}

/// One engine with a queue of its own.
private final class Shard: Sendable {
    struct State: ~Copyable {
        var engine: Engine
        var alerts: [Alert] = []
    }

    let queue: DispatchQueue
    private let state: Mutex<State>

    init(program: Program, environment: EngineEnvironment, options: EngineOptions, index: Int) {
        queue = DispatchQueue(label: "martlet.shard.\(index)")
        state = Mutex(
            State(engine: Engine(program: program, environment: environment, options: options)))
    }

    func perform<Result: Sendable>(_ body: (inout Engine, inout [Alert]) -> Result) -> Result {
        state.withLock { state in body(&state.engine, &state.alerts) }
    }

    var judge: BatchJudge { state.withLock { $0.engine.judge } }

    var counters: EngineCounters { state.withLock { $0.engine.counters } }

    var openDeadlines: Int { state.withLock { $0.engine.openDeadlines } }
}

/// One input with its decoder and the rows not yet processed.
private final class Feed {
    /// Where a row stands in the order of a replay.
    struct Head: Comparable {
        var time: Int64
        var arrival: UInt64

        static func < (left: Head, right: Head) -> Bool {
            (left.time, left.arrival) < (right.time, right.arrival)
        }
    }

    let index: UInt16
    let idleAfter: TimeSpan
    /// Silent for so long that it no longer holds event time back.
    var isIdle = false
    private var lastArrival = DispatchTime.now()
    private let source: any ByteSource
    private var decoder: NDJSONDecoder
    private var chunk = LineChunk()
    private(set) var batch: EventBatch
    /// The batch with its conditions judged, once someone has asked for that.
    var loaded: LoadedBatch?
    /// The batches before, the oldest first: the shards may still work on all but that.
    private var spares: [EventBatch]
    private var position = 0
    private var sourceEnded = false
    var report = InputReport()

    init(_ input: PipelineInput, index: UInt16, program: Program) {
        self.index = index
        source = input.source
        idleAfter = input.idleAfter
        decoder = NDJSONDecoder(
            fields: program.tables.columns, eventTypes: program.tables.outsideTypes,
            options: input.options)
        batch = EventBatch(source: index, fieldCount: program.tables.columns.count)
        spares = Array(repeating: batch, count: Pipeline.turnsMax + 1)
    }

    var hasRows: Bool { position < batch.count }
    var isEnded: Bool { !hasRows && sourceEnded && chunk.isDecoded }
    var head: Head { Head(time: batch.times[position], arrival: batch.arrivals[position]) }

    /// How long nothing has come, on the clock.
    func silence(at now: DispatchTime) -> TimeSpan {
        TimeSpan(
            nanoseconds: Int64(clamping: now.uptimeNanoseconds &- lastArrival.uptimeNanoseconds))
    }

    /// Decodes the next rows, reading if need be.
    func fill(rowMax: Int, arrival: inout UInt64, waitMilliseconds: Int) {
        loaded = nil
        spares.append(batch)
        batch = spares.removeFirst()
        batch.removeAll()
        position = 0
        while batch.count == 0 {
            if chunk.isDecoded {
                if sourceEnded { return }
                switch source.next(into: &chunk, waitingAtMost: waitMilliseconds, report: &report) {
                case .lines:
                    lastArrival = .now()
                    isIdle = false
                case .idle: return
                case .end:
                    sourceEnded = true
                    return
                }
            }
            decoder.decode(&chunk, into: &batch, rowMax: rowMax, arrival: &arrival, report: &report)
        }
    }

    /// The batch with its conditions judged, once for all of its rows.
    func load(with judge: BatchJudge) -> LoadedBatch {
        if let loaded { return loaded }
        let loaded = judge.load(batch)
        self.loaded = loaded
        return loaded
    }

    /// Takes rows from the front that stand before the limit, at least one.
    func take(upTo limit: Head?) -> Range<Int> {
        let start = position
        position += 1
        if let limit {
            while position < batch.count, head < limit { position += 1 }
        } else {
            position = batch.count
        }
        return start..<position
    }
}
