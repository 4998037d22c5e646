import RuleModel

/// Runs a program over events: the pure core of the product.
///
/// One owner, one thread. Does no I/O, reads no clock, and gives the same records for the same
/// events however they are split into batches (T11). Nothing in the data makes it throw or trap.
public struct Engine: ~Copyable, Sendable {
    var context: MachineContext
    var machines: MachineTable

    let columns: ColumnEvaluator
    let keyReader: KeyReader
    /// By index into `Program.rules`.
    let routes: [[KeyRoute]]
    /// Rules that read events of a type, by `EventTypeID`.
    let rulesOfType: [[Int]]
    private let typesMayWait: [Bool]
    private let someTypeMayWait: Bool

    /// Nil when nothing is told before its time.
    var early: EarlyJudge?
    /// Whether there is one: a look at the judge itself costs more, since it is large.
    private let judgesSomeEarly: Bool
    /// By source.
    let judgesEarly: [Bool]
    /// Nil when late events correct nothing.
    var late: LateJudge?
    /// By source.
    let corrections: [TimeSpan]

    var watermark: Watermark
    var waiting = ReorderBuffer()
    /// What was taken out of it and is being processed.
    private var ready: [ReorderBuffer.Entry] = []
    var begin: Begin
    private let isWatchStartGiven: Bool

    /// Whether the machines know since when the input is watched.
    enum Begin: Sendable {
        case pending(earliest: Timestamp)
        case done
    }

    public init(program: Program, environment: EngineEnvironment, options: EngineOptions) {
        context = MachineContext(program: program, environment: environment, options: options)
        machines = MachineTable(program: program, limits: options.limits)
        if options.judgesEarly.contains(true) {
            early = EarlyJudge(program: program, environment: environment, options: options)
        }
        judgesEarly = options.judgesEarly
        judgesSomeEarly = early != nil
        late = LateJudge(program: program, environment: environment, options: options)
        context.keepsFired = late != nil
        corrections = options.corrections

        let typeCount = program.tables.eventTypes.count
        let routes = program.rules.map { rule in
            KeyRoute.routes(of: rule).filter { Int($0.type.rawValue) < typeCount }
        }
        self.routes = routes
        var rulesOfType: [[Int]] = Array(repeating: [], count: typeCount)
        for (rule, routes) in routes.enumerated() {
            for type in Set(routes.map(\.type)) { rulesOfType[Int(type.rawValue)].append(rule) }
        }
        self.rulesOfType = rulesOfType
        let conditionTypes = ConditionTypes(program: program)
        columns = ColumnEvaluator(
            program: program, routes: routes, conditionTypes: conditionTypes.types)
        keyReader = columns.keyReader
        // What a list lets through may change while an event waits.
        typesMayWait = rulesOfType.map { rules in
            rules.contains { rule in
                routes[rule].contains { route in
                    route.conditions.contains { $0.map(conditionTypes.readsList) ?? false }
                }
            }
        }
        someTypeMayWait = typesMayWait.contains(true)
        watermark = Watermark(lateness: options.lateness)
        begin = .pending(earliest: options.watchStart ?? .distantFuture)
        isWatchStartGiven = options.watchStart != nil
    }

    // MARK: - Input

    /// Processes rows of a batch in the order of T0 and appends the records they cause.
    ///
    /// - Parameter rows: Rows of the batch; the others are taken as not there.
    public mutating func process(
        _ batch: borrowing EventBatch, rows: Range<Int>, emitting output: inout [Alert]
    ) {
        let rows = rows.clamped(to: 0..<batch.count)
        let loaded = columns.load(copy batch, rows: rows, with: context.evaluator)
        process(loaded, rows: rows, emitting: &output)
    }

    /// What judges the conditions that look at one event, with the lists in force now.
    ///
    /// For batches of which a few rows are processed at a time, since judging costs little more
    /// for all rows than for one, and for several engines that run one program. Ask for it again
    /// when a list has changed.
    public var judge: BatchJudge { BatchJudge(columns: columns, evaluator: context.evaluator) }

    /// Processes rows of a batch that this engine has loaded.
    public mutating func process(
        _ loaded: LoadedBatch, rows: Range<Int>, emitting output: inout [Alert]
    ) {
        let rows = rows.clamped(to: 0..<loaded.events.count)
        guard !rows.isEmpty else { return }
        swap(&context.output, &output)
        defer { swap(&context.output, &output) }
        if watermark.isArrivalOrder {
            processInArrivalOrder(loaded, rows: rows)
        } else if !judgesSomeEarly {
            if !holdInOrder(loaded, rows: rows) { hold(loaded, rows: rows) }
            release()
        } else {
            // What is known on arrival must not depend on how events are split into batches.
            for row in rows {
                hold(loaded, rows: row..<row + 1)
                release()
            }
        }
    }

    /// Fires the deadlines before `time` and releases the events before it: for time that passes
    /// without events.
    public mutating func advance(to time: Timestamp, emitting output: inout [Alert]) {
        swap(&context.output, &output)
        defer { swap(&context.output, &output) }
        watermark.advance(to: time)
        release()
    }

    /// Exchanges the content of a list, in force for all events processed from now on (T10).
    ///
    /// - Parameter time: When the list was loaded, for the clocks of listed keys (H9).
    public mutating func setList(
        _ list: ListID, _ table: ListTable, at time: Timestamp, emitting output: inout [Alert]
    ) {
        guard context.evaluator.lists.indices.contains(list.rawValue) else { return }
        swap(&context.output, &output)
        defer { swap(&context.output, &output) }
        context.evaluator = context.evaluator.setting(list, to: table)
        early?.setList(list, table)
        late?.setList(list, table)
        let evaluator = context.evaluator
        waiting.reload { [columns] events in
            columns.load(events, rows: 0..<events.count, with: evaluator)
        }
        guard case .done = begin else { return }
        let instant = context.instant
        context.instant = max(instant, time)
        context.arrival = .max
        for rule in 0..<machines.count {
            context.rule = rule
            machines.listChanged(list, rule, in: &context)
        }
        context.instant = instant
    }

    /// Says that nothing more comes from a source: it no longer holds the watermark back. When no
    /// source is left, all events that wait are processed; open deadlines stay open.
    public mutating func closeSource(_ source: UInt16, emitting output: inout [Alert]) {
        swap(&context.output, &output)
        defer { swap(&context.output, &output) }
        watermark.close(Int(source))
        release()
    }

    /// Says that a source has been silent for long: it holds the watermark back again from its next
    /// event on. When no source is left, all events that wait are processed.
    public mutating func markIdle(_ source: UInt16, emitting output: inout [Alert]) {
        swap(&context.output, &output)
        defer { swap(&context.output, &output) }
        watermark.markIdle(Int(source))
        release()
    }

    // MARK: - Output

    /// What the engine has seen and done so far.
    public var counters: EngineCounters { context.counters }

    /// How far event time has come: of the last event processed, or where `advance` went.
    public var time: Timestamp { context.instant }

    /// Matches that wait for a deadline and nothing else, such as a heartbeat that may yet come.
    public var openDeadlines: Int { machines.openDeadlines }

    /// Keys of all rules that have state now; a key without any is forgotten (S9).
    public var keysInUse: Int { context.keys.reduce(0) { $0 + $1.count } }

    /// Hands out the near misses since the last call (`report partial`).
    public mutating func takePartialMatches() -> [PartialMatch] {
        defer { context.partialMatches = [] }
        return context.partialMatches
    }

    /// Hands out the buckets of metrics since the last call (`EngineOptions.keepsMetrics`), in order.
    public mutating func takeMetrics() -> [MetricRecord] {
        defer { context.metrics = [] }
        return context.metrics
    }

    // MARK: - Order

    /// Nothing waits: each row stands at the time that has been reached, or moves it (T2).
    private mutating func processInArrivalOrder(_ batch: LoadedBatch, rows: Range<Int>) {
        let source = sourceIndex(batch)
        context.counters.sources[source].events += rows.count
        var reached = max(context.instant, watermark.time)
        if case .pending = begin {
            if !isWatchStartGiven {
                let first = Event(batch: batch, row: rows.lowerBound).time
                begin = .pending(earliest: max(reached, first))
            }
            beginWatching()
        }
        let isObserved = context.recorder != nil
        for row in rows {
            let time = Timestamp(nanoseconds: batch.events.times[row])
            if time < reached {
                noteDisorder(source, by: reached - time)
            } else {
                reached = time
            }
            if isObserved { observe(Event(batch: batch, row: row), at: reached) }
            if batch.candidates.contains(row) {
                dispatch(Event(batch: batch, row: row), at: reached)
            }
        }
        watermark.advance(to: reached)
        context.instant = max(context.instant, reached)
        fireDeadlines(before: reached)
    }

    /// Lets rows wait in the reorder buffer, except those that no rule looks at, if all come in order and
    /// nobody else wants to know of them: what `hold` does, for all rows at once.
    private mutating func holdInOrder(_ batch: LoadedBatch, rows: Range<Int>) -> Bool {
        guard context.recorder == nil, !someTypeMayWait else { return false }
        let times = batch.events.times
        for row in rows.dropFirst() where times[row] < times[row - 1] { return false }
        let first = Timestamp(nanoseconds: times[rows.lowerBound])
        let last = Timestamp(nanoseconds: times[rows.upperBound - 1])
        let source = sourceIndex(batch)
        guard watermark.admitInOrder(first, last, from: source) else { return false }
        context.counters.sources[source].events += rows.count
        if case .pending(let earliest) = begin, !isWatchStartGiven {
            begin = .pending(earliest: min(earliest, first))
        }
        context.highestTime = max(context.highestTime, last)
        var held: [(row: Int, time: Timestamp)] = []
        held.reserveCapacity(rows.count)
        for row in rows where batch.candidates.contains(row) {
            held.append((row, Timestamp(nanoseconds: times[row])))
        }
        waiting.add(batch, rows: held)
        return true
    }

    /// Lets rows wait in the reorder buffer, except late ones and those that no rule looks at.
    private mutating func hold(_ batch: LoadedBatch, rows: Range<Int>) {
        let source = sourceIndex(batch)
        var held: [(row: Int, time: Timestamp)] = []
        for row in rows {
            let time = Timestamp(nanoseconds: batch.events.times[row])
            context.counters.sources[source].events += 1
            if let latest = watermark.latest(of: source), time < latest {
                noteDisorder(source, by: latest - time)
            }
            guard let place = watermark.admit(time, from: source) else {
                context.counters.sources[source].late += 1
                noteLate(Event(batch: batch, row: row))
                observeLate(Event(batch: batch, row: row))
                correct(
                    by: Event(batch: batch, row: row), source: source, watermark: watermark.time)
                continue
            }
            if case .pending(let earliest) = begin, !isWatchStartGiven {
                begin = .pending(earliest: min(earliest, place))
            }
            let type = Int(batch.events.types[row].rawValue)
            if batch.candidates.contains(row) || context.recorder != nil
                || (type < typesMayWait.count && typesMayWait[type])
            {
                held.append((row, place))
            }
            context.highestTime = max(context.highestTime, time)
            if judgesSomeEarly, batch.candidates.contains(row) {
                judgeOnArrival(Event(batch: batch, row: row), at: place, source: source)
            }
        }
        waiting.add(batch, rows: held)
    }

    /// Processes the events that the watermark has passed, and fires the deadlines before it.
    mutating func release() {
        let limit = watermark.isOpen || watermark.isArrivalOrder ? watermark.time : nil
        // Watching begins with the first event in order, which is known when the watermark is past it.
        if case .pending(let earliest) = begin, earliest != .distantFuture {
            let isFull = waiting.count > context.limits.waitingEvents
            if let limit, limit <= earliest, !isFull { return }
            beginWatching()
        }
        while true {
            waiting.take(512, before: limit, into: &ready)
            if ready.isEmpty {
                guard waiting.count > context.limits.waitingEvents else { break }
                context.counters.hurriedEvents += 1
                waiting.take(1, before: nil, into: &ready)
            }
            for entry in ready {
                guard let event = waiting.event(entry) else { continue }
                process(event, at: Timestamp(nanoseconds: entry.time))
                waiting.finish(entry)
            }
            ready.removeAll(keepingCapacity: true)
        }
        if limit == nil, let end = watermark.end { watermark.advance(to: end) }
        if watermark.time > context.instant { context.instant = watermark.time }
        fireDeadlines(before: watermark.time)
        if context.keepsFired { noteForCorrection() }
        // Nothing more comes, so the last instant is over as well.
        if watermark.hasEnded { deliverDerived() }
        if !context.earlyAlerts.isEmpty {
            withdrawEarly(before: watermark.hasEnded ? nil : watermark.time)
        }
    }

    /// Processes an event that has waited.
    private mutating func process(_ event: Event, at time: Timestamp) {
        if judgesSomeEarly { early?.release(event) }
        let instant = max(time, context.instant)
        if context.recorder != nil { observe(event, at: instant) }
        if event.batch.candidates.contains(event.row) {
            dispatch(event, at: instant)
            if context.keepsFired { keepForCorrection(event, at: time) }
        }
        watermark.advance(to: time)
    }

    private mutating func beginWatching() {
        guard case .pending(let start) = begin else { return }
        begin = .done
        late?.setWatchStart(start)
        context.arrival = .max
        for rule in 0..<machines.count {
            context.rule = rule
            begin(rule, at: start)
        }
    }

    /// Lets a rule watch the input: from this time on, or from when it sees anything.
    mutating func begin(_ rule: Int, at start: Timestamp) {
        let instant = context.instant
        context.instant = max(start, context.unseen)
        context.watchStarts[rule] = context.instant
        machines.begin(rule, at: context.instant, in: &context)
        context.instant = instant
    }

    private mutating func sourceIndex(_ batch: LoadedBatch) -> Int {
        let source = Int(batch.events.source)
        while context.counters.sources.count <= source { context.counters.sources.append(.init()) }
        return source
    }

    private mutating func noteDisorder(_ source: Int, by span: TimeSpan) {
        context.counters.sources[source].outOfOrder += 1
        let worst = context.counters.sources[source].worstDisorder
        context.counters.sources[source].worstDisorder = max(worst, span)
    }
}
