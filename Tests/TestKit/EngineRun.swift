import MatchEngine
import RuleModel

/// One way of running a program over a stream: whatever it says, the records must be the same (T11).
public struct EngineRun: Sendable {
    public var lateness = TimeSpan.zero
    public var watchedFrom: Timestamp?
    /// Whether events are judged on arrival as well (T2a).
    public var isEarly = false
    public var shards = 1
    /// The numbers of rows to process in one go, again and again; empty: all at once.
    public var pieces: [Int] = []
    /// Whether the pieces are batches of their own or ranges of one batch.
    public var splitsBatches = false
    /// Whether time is advanced, as far as is known, before each piece.
    public var advancesBetween = false
    public var limits: EngineLimits = {
        var limits = EngineLimits()
        limits.eventsPerAlertStep = 1000
        return limits
    }()

    public init() {}

    /// Runs the engines and returns their records, merged in the order of `AlertOrder`.
    ///
    /// - Parameter end: Where event time ends; nil: with the last event.
    public func alerts(
        of program: Program, lists: [ListTable], events: [TestEvent], end: Timestamp?
    ) -> [Alert] {
        records(of: program, lists: lists, events: events, end: end).alerts
    }

    /// The same with the buckets of metrics.
    public func records(
        of program: Program, lists: [ListTable], events: [TestEvent], end: Timestamp?
    ) -> (alerts: [Alert], metrics: [MetricRecord]) {
        var merged: [Alert] = []
        var metrics: [MetricRecord] = []
        for shard in 0..<shards {
            var options = EngineOptions()
            options.lateness = [lateness]
            options.judgesEarly = [isEarly]
            options.shardIndex = shard
            options.shardCount = shards
            options.watchStart = watchedFrom
            options.limits = limits
            options.keepsMetrics = true
            var tables: [ListID: ListTable] = [:]
            for (index, table) in lists.enumerated() { tables[ListID(index)] = table }
            var engine = Engine(
                program: program, environment: EngineEnvironment(lists: tables), options: options)
            feed(&engine, program.tables, events, end, into: &merged)
            metrics += engine.takeMetrics()
        }
        metrics.sort { $0.order < $1.order }
        let alerts = merged.enumerated()
            .sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }
            .map(\.element)
        return (alerts, metrics)
    }

    /// The same by one engine that a recorder looks at, and what the engine itself has open at the end.
    public func observed(
        _ program: Program, lists: [ListTable], events: [TestEvent], end: Timestamp?,
        key: [String]? = nil
    ) -> (alerts: [Alert], observations: Observations, open: OpenStates?, silenced: Int) {
        var options = EngineOptions()
        options.lateness = [lateness]
        options.watchStart = watchedFrom
        options.limits = limits
        var tables: [ListID: ListTable] = [:]
        for (index, table) in lists.enumerated() { tables[ListID(index)] = table }
        var engine = Engine(
            program: program, environment: EngineEnvironment(lists: tables), options: options)
        engine.recorder = RuleRecorder(
            rule: program.rules[0].id, key: key, program: program, limits: limits)
        var alerts: [Alert] = []
        feed(&engine, program.tables, events, end, into: &alerts)
        alerts.sort { $0.order < $1.order }
        let silenced = engine.counters.rules[0].silenced
        let open = engine.open(of: program.rules[0].id, key: key)
        return (alerts, engine.takeObservations() ?? Observations(), open, silenced)
    }

    private func feed(
        _ engine: inout Engine, _ tables: RuleSetTables, _ events: [TestEvent], _ end: Timestamp?,
        into output: inout [Alert]
    ) {
        let whole = makeBatch(events, tables: tables)
        var row = 0
        var piece = 0
        var highest = Timestamp.distantPast
        while row < events.count {
            let size = pieces.isEmpty ? events.count : max(1, pieces[piece % pieces.count])
            let rows = row..<min(events.count, row + size)
            if advancesBetween, lateness == .zero, row > 0 {
                // No event before the next one's instant will follow, and that is all that is known.
                engine.advance(to: max(highest, events[row].timestamp), emitting: &output)
            }
            if splitsBatches {
                let part = makeBatch(
                    Array(events[rows]), tables: tables, firstArrival: UInt64(row + 1))
                engine.process(part, rows: 0..<part.count, emitting: &output)
            } else {
                engine.process(whole, rows: rows, emitting: &output)
            }
            for event in events[rows] { highest = max(highest, event.timestamp) }
            row = rows.upperBound
            piece += 1
        }
        if let end { engine.advance(to: end, emitting: &output) }
    }
}

/// The tables of lists with values in the rules themselves; lists with files are empty.
public func inlineLists(_ tables: RuleSetTables) -> [ListTable] {
    tables.lists.map { plan in
        if plan.kind == .pair {
            let rows = plan.values.compactMap { value -> [Value]? in
                if case .list(let pair) = value { return pair }
                return nil
            }
            return ListTable(kind: .pair, columns: ["a", "b"], keyColumn: 0, rows: rows)
        }
        return ListTable(
            kind: plan.kind, columns: ["value"], keyColumn: 0, rows: plan.values.map { [$0] })
    }
}
