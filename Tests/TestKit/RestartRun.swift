import MatchEngine
import RuleModel

/// A run that stops behind every few events: all shards write a snapshot, and others take over, with
/// another program or another number of shards where these take turns.
public struct RestartRun: Sendable {
    /// These take turns; the rule under test has one shape in all of them.
    public var programs: [(program: Program, lists: [ListTable])]
    /// Numbers of shards, which take turns.
    public var shards = [1]
    /// Numbers of events between two restarts, which take turns.
    public var pieces = [1]
    public var lateness = TimeSpan.zero
    public var judgesEarly = false
    /// Whether unchanged rules go on with their keys as they lie in memory, as in a reload.
    public var movesKeys = false

    public init(programs: [(program: Program, lists: [ListTable])]) { self.programs = programs }

    /// The records of all engines in the order of `AlertOrder`, and the buckets of metrics.
    public func records(
        events: [TestEvent], end: Timestamp?
    ) throws -> (alerts: [Alert], metrics: [MetricRecord]) {
        var merged: [Alert] = []
        var metrics: [MetricRecord] = []
        var snapshots: [[UInt8]] = []
        var engines: [EngineBox] = []
        var row = 0
        var turn = 0
        repeat {
            let size = max(1, pieces[turn % pieces.count])
            let rows = row..<min(events.count, row + size)
            let (program, lists) = programs[turn % programs.count]
            let batch = makeBatch(
                Array(events[rows]), tables: program.tables, firstArrival: UInt64(row + 1))
            if movesKeys, !engines.isEmpty {
                engines = try moved(engines, to: program, lists, emitting: &merged)
            } else {
                engines = []
                for shard in 0..<shards[turn % shards.count] {
                    engines.append(
                        EngineBox(
                            try engine(
                                program, lists, shard: shard, of: shards[turn % shards.count],
                                restoring: snapshots, emitting: &merged)))
                }
            }
            for box in engines {
                box.engine.process(batch, rows: 0..<batch.count, emitting: &merged)
                if rows.upperBound == events.count, let end {
                    box.engine.advance(to: end, emitting: &merged)
                }
                metrics += box.engine.takeMetrics()
            }
            if !movesKeys { snapshots = engines.map { $0.engine.snapshot() } }
            row = rows.upperBound
            turn += 1
        } while row < events.count
        metrics.sort { $0.order < $1.order }
        let alerts = merged.enumerated()
            .sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }
            .map(\.element)
        return (alerts, metrics)
    }

    /// What a reload does (`Pipeline.replace`).
    private func moved(
        _ old: [EngineBox], to program: Program, _ lists: [ListTable],
        emitting output: inout [Alert]
    ) throws -> [EngineBox] {
        let new = try old.indices.map { shard in
            EngineBox(
                try engine(
                    program, lists, shard: shard, of: old.count, restoring: [],
                    emitting: &output))
        }
        let moved = zip(new, old).map { $0.engine.rulesToMove(from: $1.engine) }
        let snapshots = zip(old, moved).map { $0.engine.snapshot(moving: $1) }
        for (index, box) in new.enumerated() {
            var report = try box.engine.restore(snapshots, emitting: &output)
            box.engine.takeKeys(of: moved[index], from: &old[index].engine, report: &report)
        }
        return new
    }

    private func engine(
        _ program: Program, _ lists: [ListTable], shard: Int, of count: Int,
        restoring snapshots: [[UInt8]], emitting output: inout [Alert]
    ) throws -> Engine {
        var options = EngineOptions()
        options.lateness = [lateness]
        options.judgesEarly = [judgesEarly]
        options.shardIndex = shard
        options.shardCount = count
        options.keepsMetrics = true
        options.limits = EngineRun().limits
        var tables: [ListID: ListTable] = [:]
        for (index, table) in lists.enumerated() { tables[ListID(index)] = table }
        let environment = EngineEnvironment(lists: tables)
        if snapshots.isEmpty {
            return Engine(program: program, environment: environment, options: options)
        }
        var report = RestoreReport()
        let engine = try Engine(
            restoring: snapshots, program: program, environment: environment, options: options,
            report: &report, emitting: &output)
        // Read and written again it is the same, where nothing else has changed.
        if programs.count == 1, shards == [1] {
            guard engine.snapshot() == snapshots[0] else { throw RestartFault.otherBytes }
        }
        return engine
    }
}

/// An engine with one owner that arrays can hold.
private final class EngineBox {
    var engine: Engine

    init(_ engine: consuming Engine) { self.engine = engine }
}

/// What a restart may not do.
public enum RestartFault: Error {
    case otherBytes
}
