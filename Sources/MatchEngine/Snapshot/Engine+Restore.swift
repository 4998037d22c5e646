import RuleModel

extension Engine {
    /// An engine that goes on where others stopped: after a restart, and with new rules (T10).
    ///
    /// A rule whose shape is what it was goes on with its state. One of another shape begins anew, as a
    /// new rule does: it watches the input from now on. What a rule had told to be firing and will not
    /// end any more, since it is gone or begins anew, is resolved with the reason `rule removed` or
    /// `rule changed`. Keys from lists that have changed since the snapshot come and go now (H9).
    ///
    /// - Parameters:
    ///   - snapshots: Those of all shards, written at one position of the input. The number of shards
    ///     may be another than before: each takes the keys that are its own.
    ///   - report: What became of the rules, as far as it is this shard's to tell: the sum over all
    ///     shards is the whole (`RestoreReport.adding`).
    public init(
        restoring snapshots: [[UInt8]], program: Program, environment: EngineEnvironment,
        options: EngineOptions, report: inout RestoreReport, emitting output: inout [Alert]
    ) throws(SnapshotError) {
        self.init(program: program, environment: environment, options: options)
        report = try restore(snapshots, emitting: &output)
    }

    /// The same for an engine that was made before the snapshots were written, and has seen nothing:
    /// what takes long about an engine of many rules is to make it.
    public mutating func restore(
        _ snapshots: [[UInt8]], emitting output: inout [Alert]
    ) throws(SnapshotError) -> RestoreReport {
        swap(&context.output, &output)
        defer { swap(&context.output, &output) }
        var rules = RulesRead(program: context.program)
        for (index, snapshot) in snapshots.enumerated() {
            var reader = StateReader(snapshot)
            let part = SnapshotPart(
                isFirst: index == 0,
                isOwn: UInt64(index) % context.shardCount == context.shardIndex,
                isOfAnotherShard: UInt64(snapshots.count) == context.shardCount
                    && index != Int(context.shardIndex))
            try reader.readMark()
            try readEngine(&reader, part)
            for _ in 0..<(try reader.count()) { try readRule(&reader, part, &rules) }
            try reader.expectEnd(of: "the snapshot")
        }
        for (rule, told) in rules.report.rules.prefix(machines.count).enumerated()
        where told.outcome != .kept && waiting.count > 0 {
            context.rule = rule
            context.unseen = context.highestTime
        }
        // Before watching begins there is nothing to go on with.
        if case .done = begin { resume(rules) }
        return rules.report
    }

    /// What of a snapshot counts for this shard.
    private struct SnapshotPart {
        /// Of what every shard knows alike the first tells.
        var isFirst: Bool
        /// Each snapshot's counters and ends are told by one shard.
        var isOwn: Bool
        /// Whether there were as many shards as now, and another one wrote it: its keys are most likely none
        /// of this one's.
        var isOfAnotherShard: Bool
    }

    /// What has been read of the rules so far.
    private struct RulesRead {
        var report = RestoreReport()
        /// By name, into `Program.rules`.
        let indices: [String: Int]
        /// Ends of what was firing, in order of the snapshots, and whether this shard tells them. A
        /// shard with rules that read alerts has those of all shards.
        var farewells: [(alert: Alert, isOwn: Bool)] = []

        init(program: Program) {
            indices = Dictionary(
                program.rules.enumerated().map { ($1.name, $0) },
                uniquingKeysWith: { first, _ in first })
            report.rules = program.rules.map { RestoreReport.Rule($0.name, .new) }
        }

        /// - Parameter index: Of the rule of that name in the program, nil when there is none.
        mutating func noteDropped(_ name: String, at index: Int?, keys: Int, openMatches: Int) {
            let place =
                index ?? report.rules.firstIndex { $0.name == name } ?? report.rules.count
            if place == report.rules.count {
                report.rules.append(RestoreReport.Rule(name, .removed))
            } else if index != nil {
                report.rules[place].outcome = .reset
            }
            report.rules[place].keys += keys
            report.rules[place].openMatches += openMatches
        }
    }

    // MARK: - The engine

    private mutating func readEngine(
        _ snapshot: inout StateReader, _ part: SnapshotPart
    ) throws(SnapshotError) {
        var (reader, form) = try snapshot.section("the engine", known: SnapshotForm.engineVersion)
        reader.names = try readNames(&reader)
        snapshot.names = reader.names
        reader.now = try reader.read()
        snapshot.now = reader.now
        context.instant = max(context.instant, reader.now)
        let hasBegun = try reader.bool()
        if hasBegun {
            begin = .done
        } else {
            let earliest: Timestamp = try reader.read()
            if case .pending = begin { begin = .pending(earliest: earliest) }
        }
        var watermark = watermark
        try watermark.restore(from: &reader)
        // What has been processed lies behind the watermark, and what comes next is put before neither.
        guard reader.now <= watermark.time else { throw reader.damaged("a time to come") }
        let sources: [EngineCounters.Source] = try reader.readArray()
        let hurried = try reader.tally()
        let early: EngineCounters.Early = try reader.read()
        if part.isOwn { context.counters.early.add(early) }
        if form >= 2 {
            let overflows: EngineCounters.Overflows = try reader.read()
            if part.isOwn { context.counters.overflows.add(shard: overflows) }
        }
        context.highestTime = max(context.highestTime, try reader.read())
        for _ in 0..<(try reader.count()) {
            let alert: Alert = try reader.read()
            let seen: Timestamp = try reader.read()
            // Of a rule that is gone nothing will be confirmed: the shard of the snapshot takes it back.
            let rule = context.program.rules.firstIndex { $0.name == alert.rule }
            context.rule = rule ?? 0
            if rule == nil ? part.isOwn : context.owns(alert.order.key) {
                context.earlyAlerts.add(alert, seen: seen)
            }
        }
        if part.isFirst {
            self.watermark = watermark
            context.counters.sources = sources
            context.counters.hurriedEvents = hurried
        }
        try context.emission.restore(from: &reader)
        // Rules that add to one score, and those that read what others make, are whole in one shard.
        var ownRisks: [String: Bool] = [:]
        for (index, rule) in context.program.rules.enumerated() {
            for risk in rule.emit.risks { ownRisks[risk.name] = context.isHome(index) }
        }
        // Points that no rule gives now may be given again.
        try context.risks.restore(from: &reader, form: form) { ownRisks[$0] ?? part.isOwn }
        let depths = context.program.rules.map(\.place.depth)
        try context.derived.restore(
            from: &reader, depthMax: depths.max() ?? 0,
            isRead: rulesOfType.indices.map { isRead(type: $0) })
        try readWaiting(&reader, isWanted: part.isFirst)
        try reader.expectEnd(of: "the engine")
    }

    /// Whether a rule of this shard reads events of a type that engines make.
    private func isRead(type: Int) -> Bool { rulesOfType[type].contains { context.isHome($0) } }

    private var readsAlerts: Bool {
        context.derived.alertType.map { isRead(type: Int($0.rawValue)) } ?? false
    }

    private func readNames(
        _ reader: inout StateReader
    ) throws(SnapshotError) -> StateReader.Names {
        let tables = context.program.tables
        let typesNow = Dictionary(
            tables.eventTypes.enumerated().map { ($1, EventTypeID(rawValue: UInt16($0))) },
            uniquingKeysWith: { first, _ in first })
        let columnsNow = Dictionary(
            tables.columns.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        var names = StateReader.Names()
        let types: [String] = try reader.readArray()
        names.eventTypes = types.map { typesNow[$0] }
        for _ in 0..<(try reader.count()) {
            names.columns.append(columnsNow[FieldPath(try reader.readArray())])
        }
        return names
    }

    /// Puts events that waited into batches of the columns of now, and judges them by the rules of now.
    private mutating func readWaiting(
        _ reader: inout StateReader, isWanted: Bool
    ) throws(SnapshotError) {
        /// Rows of one source that go into one batch: few enough that their memory is soon free.
        let rowsMax = 4096
        let fieldCount = context.program.tables.columns.count
        var batches: [UInt16: (events: EventBatch, rows: [(row: Int, time: Timestamp)])] = [:]
        var held: [(event: Event, place: Timestamp)] = []
        for _ in 0..<(try reader.count()) {
            let source = UInt16(try reader.int(in: 0...Int(UInt16.max)))
            let place: Timestamp = try reader.read()
            let time = try reader.int64()
            let type = try reader.eventType()
            let arrival = try reader.unsigned()
            var batch =
                batches.removeValue(forKey: source)
                ?? (EventBatch(source: source, fieldCount: fieldCount), [])
            for column in batch.events.columns.indices {
                batch.events.columns[column].append(.missing)
            }
            for _ in 0..<(try reader.count()) {
                let column = try reader.column()
                let cell = try batch.events.readCell(&reader)
                if let column { batch.events.columns[column][batch.events.count] = cell }
            }
            batch.events.types.append(type ?? .unread)
            batch.events.arrivals.append(arrival)
            batch.events.times.append(time)
            if type != nil { batch.rows.append((batch.events.count - 1, place)) }
            if batch.events.count == rowsMax {
                if isWanted { held += hold(batch.events, batch.rows) }
            } else {
                batches[source] = batch
            }
        }
        guard isWanted else { return }
        for source in batches.keys.sorted() {
            if let batch = batches[source] { held += hold(batch.events, batch.rows) }
        }
        guard early != nil else { return }
        held.sort { ($0.place, $0.event.arrival) < ($1.place, $1.event.arrival) }
        for (event, place) in held { holdEarly(event, at: place) }
    }

    private mutating func hold(
        _ batch: EventBatch, _ rows: [(row: Int, time: Timestamp)]
    ) -> [(event: Event, place: Timestamp)] {
        let loaded = columns.load(batch, rows: 0..<batch.count, with: context.evaluator)
        waiting.add(loaded, rows: rows)
        return rows.map { (Event(batch: loaded, row: $0.row), $0.time) }
    }

    // MARK: - Rules

    private mutating func readRule(
        _ snapshot: inout StateReader, _ part: SnapshotPart, _ rules: inout RulesRead
    ) throws(SnapshotError) {
        let head = try snapshot.ruleHead()
        let name = head.name
        var (reader, form) = try snapshot.section("rule \(name)", known: SnapshotForm.ruleVersion)
        guard let rule = rules.indices[name], context.program.rules[rule].shape == head.shape else {
            let index = rules.indices[name]
            if part.isOwn {
                rules.noteDropped(
                    name, at: index, keys: head.keys, openMatches: head.openMatches)
            }
            guard part.isOwn || readsAlerts else { return }
            for var alert: Alert in try reader.readArray() {
                alert.reason = index == nil ? Engine.removed : Engine.changed
                rules.farewells.append((alert, part.isOwn))
            }
            return
        }
        context.rule = rule
        rules.report.rules[rule].outcome = .kept
        // Its own machine ends what is firing.
        let _: [Alert] = try reader.readArray()
        context.watchStarts[rule] = try reader.read()
        var droppedRisks = 0
        if form >= 2 {
            context.unseen = try reader.read()
            droppedRisks = try reader.tally()
        }
        var counters: EngineCounters.Rule = try reader.read()
        counters.droppedRisks = droppedRisks
        if part.isOwn { context.counters.rules[rule].add(shard: counters) }
        try context.emission.restore(rule: rule, from: &reader)
        if try reader.bool() { context.keys[rule].noteEvicted() }
        var (state, version) = try reader.section(
            "the state of rule \(name)", known: machines.stateVersion(rule))
        try machines.restoreCommon(rule, from: &state, version: version, in: &context)
        let count = try state.count()
        if part.isOwn { context.keys[rule].reserve(count) }
        /// When so many keys of another shard's snapshot are none of this one's, no other is: only if keys
        /// had other hashes then would one be, and each of these with a chance of a half at least.
        let foreignMax = 64
        let before = rules.report.rules[rule].keys
        for index in 0..<count {
            if part.isOfAnotherShard, index == foreignMax,
                rules.report.rules[rule].keys == before
            {
                return
            }
            try readKey(&state, of: rule, version: version, &rules.report.rules[rule])
        }
        try state.expectEnd(of: "the state of rule \(name)")
        try reader.expectEnd(of: "rule \(name)")
    }

    private mutating func readKey(
        _ reader: inout StateReader, of rule: Int, version: Int, _ report: inout RestoreReport.Rule
    ) throws(SnapshotError) {
        let values: [Value] = try reader.readArray()
        guard values.count == context.program.rules[rule].keyNames.count else {
            throw reader.damaged("a key of \(values.count) parts")
        }
        let scheduled: Timestamp = try reader.read()
        let doubts = KeyTable.Doubts(rawValue: try reader.byte())
        guard let (key, isNew, evicted) = context.slot(forKey: values) else {
            try machines.restore(nil, rule, from: &reader, version: version, in: &context)
            return
        }
        guard isNew else { throw reader.damaged("a key that was there before") }
        if let evicted { machines.forget(evicted, rule) }
        context.keys[rule].addDoubts(key, doubts)
        if scheduled < .distantFuture { context.wake(key, at: scheduled) }
        try machines.restore(key, rule, from: &reader, version: version, in: &context)
        report.keys += 1
        report.openMatches += machines.openMatches(key, rule, in: context)
    }

    // MARK: - Going on

    /// Lets new rules begin, ends what nobody else will end, and compares lists of keys.
    private mutating func resume(_ rules: RulesRead) {
        context.arrival = .max
        late?.beginKeeping(at: context.instant)
        let isNew = rules.report.rules.prefix(machines.count).map { $0.outcome != .kept }
        let readsAlerts = readsAlerts
        for (serial, (var alert, isOwn)) in rules.farewells.enumerated() {
            alert.matchedAt = max(alert.matchedAt, context.instant)
            alert.order = AlertOrder(
                instant: context.instant.nanoseconds, arrival: .max, depth: 0,
                rule: alert.order.rule,
                key: alert.order.key, serial: serial)
            if isOwn { context.output.append(alert) }
            guard readsAlerts else { continue }
            var metadata = RuleMetadata()
            metadata.attack = alert.attack
            metadata.tags = alert.tags
            context.derived.add(
                alert, key: alert.key, metadata: metadata, depth: 0, at: context.instant)
        }
        for rule in 0..<machines.count {
            context.rule = rule
            if isNew[rule] {
                begin(rule, at: context.instant)
            } else if let list = context.program.rules[rule].keyList {
                machines.listChanged(list, rule, in: &context)
            }
        }
    }
}

extension StateReader {
    /// The bytes with which every snapshot begins.
    mutating func readMark() throws(SnapshotError) {
        for byte in SnapshotForm.mark {
            guard !isAtEnd, try self.byte() == byte else { throw .foreign }
        }
    }

    /// What stands before the section of a rule.
    mutating func ruleHead() throws(SnapshotError) -> (
        name: String, shape: UInt64, keys: Int, openMatches: Int
    ) {
        (try string(), try word(), try tally(), try tally())
    }
}

extension EventBatch {
    /// A cell of a row that is being added.
    fileprivate mutating func readCell(
        _ reader: inout StateReader
    ) throws(SnapshotError) -> Cell {
        guard let kind = Cell.Kind(rawValue: try reader.byte()) else {
            throw reader.damaged("an unknown kind of cell")
        }
        switch kind {
        case .missing: return .missing
        case .bool, .int, .float: return Cell(kind: kind, bits: try reader.word())
        case .text, .json:
            let text = try reader.readBytes()
            let offset = bytes.count
            guard let length = UInt32(exactly: text.count) else {
                throw reader.damaged("a cell of \(text.count) bytes")
            }
            bytes += text
            return Cell(kind: kind, bits: UInt64(offset), length: length)
        }
    }
}
