import Dispatch
import MatchEngine
import RuleModel
import Synchronization

/// What shards have made.
struct Made: Sendable {
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
final class Turn: Sendable {
    let group = DispatchGroup()
    /// Where event time stood with the last row of the batch.
    let lastTime: Timestamp?
    private let parts = Mutex(Made())

    init(lastTime: Timestamp?) { self.lastTime = lastTime }

    func add(_ made: Made) { parts.withLock { $0.add(made) } }

    /// What all shards have made of it, once the group has finished.
    var made: Made { parts.withLock { $0 } }
}

/// How the engines of a pipeline are made, whatever rules they run.
public struct EngineSetup: Sendable {
    private var options = EngineOptions()

    init(inputs: [PipelineInput], shardCount: Int, limits: EngineLimits, keepsMetrics: Bool) {
        options.lateness = inputs.map(\.lateness)
        options.corrections = inputs.map(\.correction)
        options.judgesEarly = inputs.map { $0.isEarly && $0.lateness > .zero }
        options.shardCount = shardCount
        options.limits = limits
        options.keepsMetrics = keepsMetrics
    }

    /// For how long after its time a match may be taken back.
    var correctable: TimeSpan {
        (options.lateness.max() ?? .zero) + (options.corrections.max() ?? .zero)
    }

    func shards(_ program: Program, _ environment: EngineEnvironment) -> [Shard] {
        (0..<options.shardCount).map { index in
            var options = options
            options.shardIndex = index
            options.keepsPartialMatches = program.rules.contains { rule in
                if case .sequence(let sequence) = rule.pattern { return sequence.reportsPartial }
                return false
            }
            return Shard(program: program, environment: environment, options: options, index: index)
        }
    }
}

/// One engine with a queue of its own.
final class Shard: Sendable {
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

    func perform<Result: Sendable, Failure: Error>(
        _ body: (inout Engine, inout [Alert]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try state.withLock { state throws(Failure) in try body(&state.engine, &state.alerts) }
    }

    var judge: BatchJudge { state.withLock { $0.engine.judge } }

    var counters: EngineCounters { state.withLock { $0.engine.counters } }

    var openDeadlines: Int { state.withLock { $0.engine.openDeadlines } }
}
