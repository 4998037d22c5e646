import Dispatch
import MatchEngine
import RuleModel
import Synchronization

/// Other rules for a running pipeline, made ready beside it: whatever takes long and needs no state.
public struct PreparedRules: Sendable {
    let program: Program
    let shards: [Shard]
    let lists: ListWatcher?

    /// Makes engines for a program as those of the pipeline were made.
    public init(
        program: Program, environment: EngineEnvironment, lists: ListWatcher?, setup: EngineSetup
    ) {
        self.program = program
        self.lists = lists
        shards = setup.shards(program, environment)
    }
}

/// What a reload did.
public struct ReloadResult: Sendable {
    /// What became of the state of each rule.
    public var report: RestoreReport
    /// How long no event was processed.
    public var pauseSeconds: Double
}

/// A look at a running pipeline.
public struct PipelineStatus: Sendable {
    /// One input.
    public struct Input: Sendable {
        public var name: String
        public var report: InputReport
        /// How long nothing has come.
        public var silentSeconds: Double
        public var hasEnded: Bool
    }

    public var inputs: [Input]
    public var alerts: AlertStageCounters
    /// Added up over the shards.
    public var engine: EngineCounters
    /// The keys and open matches of each rule.
    public var held: RestoreReport
    public var openDeadlines: Int
    /// The latest time that an event had.
    public var lastTime: Timestamp?
    /// How far event time has come.
    public var watermark: Timestamp
    /// What was made durable and delivered; nil where nothing is.
    public var durable: DurableCounters?
}

/// What a running pipeline can be asked for, through `PipelineRequests`: then it stands at one
/// position of the stream, and no batch is under way.
extension Pipeline {
    /// Lets other rules take over (T10): all that has been decoded was for the old ones, the next line
    /// is for the new ones, in every shard. State goes on where a rule's shape is what it was; events that
    /// wait for the watermark go on waiting, and only rules that were there before see them.
    ///
    /// On failure nothing has changed.
    public func replace(with prepared: PreparedRules) throws(SnapshotError) -> ReloadResult {
        let started = DispatchTime.now().uptimeNanoseconds
        let old = shards
        let new = prepared.shards
        let moved = onAllCores(old.count) { index in
            new[index].perform { new, _ in
                old[index].perform { old, _ in new.rulesToMove(from: old) }
            }
        }
        let snapshots = onAllCores(old.count) { index in
            old[index].perform { engine, _ in engine.snapshot(moving: moved[index]) }
        }
        let results = onAllCores(new.count) { index -> Result<RestoreReport, SnapshotError> in
            do throws(SnapshotError) {
                return .success(
                    try new[index].perform { engine, alerts throws(SnapshotError) in
                        try engine.restore(snapshots, emitting: &alerts)
                    })
            } catch {
                return .failure(error)
            }
        }
        let parts = try results.map { result throws(SnapshotError) in try result.get() }
        var stage = try AlertStage(restoring: stage.snapshot(), program: prepared.program)
        stage.correctable = setup.correctable
        var report: RestoreReport?
        for (index, part) in parts.enumerated() {
            var part = part
            new[index].perform { engine, _ in
                old[index].perform { old, _ in
                    engine.takeKeys(of: moved[index], from: &old, report: &part)
                }
            }
            report = report?.adding(shard: part) ?? part
        }
        self.stage = stage
        program = prepared.program
        shards = new
        lists = lists == nil ? nil : prepared.lists
        judge = shards[0].judge
        wantsCheckpoint = store?.keepsState == true
        for feed in feeds { feed.read(for: program) }
        let pause = DispatchTime.now().uptimeNanoseconds - started
        return ReloadResult(
            report: report ?? RestoreReport(), pauseSeconds: Double(pause) / 1e9)
    }

    /// What the pipeline has done and holds.
    public var status: PipelineStatus {
        let now = DispatchTime.now()
        return PipelineStatus(
            inputs: feeds.map { feed in
                PipelineStatus.Input(
                    name: feed.name, report: feed.report,
                    silentSeconds: feed.silence(at: now).seconds, hasEnded: feed.isEnded)
            },
            alerts: stage.counters, engine: engineCounters, held: held,
            openDeadlines: shards.reduce(0) { $0 + $1.openDeadlines },
            lastTime: summary.lastTime,
            watermark: shards.map { $0.perform { engine, _ in engine.time } }.min()
                ?? .distantPast,
            durable: store?.counters)
    }

    /// What is open for a rule; nil when there is no such rule.
    ///
    /// - Parameter key: The parts of the key as text; nil: all keys.
    public func open(of rule: RuleID, key: [String]?) -> OpenStates? {
        let shards = shards
        let parts = onAllCores(shards.count) { index in
            shards[index].perform { engine, _ in engine.open(of: rule, key: key) }
        }
        return parts.compactMap(\.self).reduce(nil) { (sum: OpenStates?, part) in
            guard var sum else { return part }
            sum.add(shard: part)
            return sum
        }
    }

    /// How many keys and open matches each rule has.
    public var held: RestoreReport {
        let shards = shards
        let parts = onAllCores(shards.count) { index in
            shards[index].perform { engine, _ in engine.holdings }
        }
        return parts.dropFirst().reduce(parts[0]) { $0.adding(shard: $1) }
    }
}

/// Does something for each of so many shards, on as many threads as there are cores, and gathers what
/// comes of it.
func onAllCores<Answer: Sendable>(
    _ count: Int, _ body: @Sendable (Int) -> Answer
) -> [Answer] {
    let answers = Mutex([Answer?](repeating: nil, count: count))
    DispatchQueue.concurrentPerform(iterations: count) { index in
        let answer = body(index)
        answers.withLock { $0[index] = answer }
    }
    return answers.withLock { $0.compactMap(\.self) }
}
