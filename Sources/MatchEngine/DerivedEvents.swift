import RuleModel

/// Events that the engine makes itself, of alerts, metrics and risks, until their readers see them.
///
/// They come after the events of the same instant. At one instant rules take their turn by depth:
/// first the deadlines of one depth, then what rules of that depth have made, so that a reader
/// knows everything that was made at an instant before its own deadlines fire.
struct DerivedEvents: Sendable {
    struct Waiting: Sendable {
        var type: EventTypeID
        /// The event's own time.
        var time: Timestamp
        var fields: [(column: Int, value: Value)]
    }

    /// The instant at which those that wait were made; all at one.
    private(set) var instant = Timestamp.distantPast
    /// By depth of the rule that made them, each in the order of making.
    private var waiting: [[Waiting]] = []
    /// Arrival numbers of derived events are above those of all others.
    private var arrivals: UInt64 = 1 << 63

    /// Columns by path, for those fields that some rule reads.
    private let columns: [FieldPath: Int]
    /// Nil when no rule reads alerts.
    let alertType: EventTypeID?
    private let riskTypes: [String: EventTypeID]
    /// By index into `Program.rules`; nil for rules that are no metrics and metrics that nobody reads.
    private let metricTypes: [EventTypeID?]

    init(program: Program) {
        let tables = program.tables
        columns = Dictionary(
            tables.columns.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        func type(_ name: String) -> EventTypeID? {
            tables.eventTypes.firstIndex(of: name).map { EventTypeID(rawValue: UInt16($0)) }
        }
        alertType = type("alert")
        var riskTypes: [String: EventTypeID] = [:]
        for rule in program.rules {
            for risk in rule.emit.risks { riskTypes[risk.name] = type("risk.\(risk.name)") }
        }
        self.riskTypes = riskTypes
        metricTypes = program.rules.map { rule in
            if case .metric = rule.pattern { return type("metric.\(rule.name)") }
            return nil
        }
    }

    private(set) var isEmpty = true

    /// The least depth of what waits; nil when nothing does.
    var leastDepth: Int? { waiting.firstIndex { !$0.isEmpty } }

    /// Takes out what rules of one depth have made, as a batch.
    mutating func take(depth: Int, columnCount: Int) -> EventBatch {
        var batch = EventBatch(source: 0, fieldCount: columnCount)
        for event in waiting[depth] {
            batch.append(
                type: event.type, time: event.time, arrival: arrivals, fields: event.fields)
            arrivals += 1
        }
        waiting[depth].removeAll()
        isEmpty = waiting.allSatisfy { $0.isEmpty }
        return batch
    }

    // MARK: - Making

    /// An alert as an event.
    ///
    /// - Parameter key: The parts of the key as they are: the alert itself may show them masked.
    mutating func add(
        _ alert: Alert, key: [Alert.NamedValue], metadata: RuleMetadata, depth: Int,
        at instant: Timestamp
    ) {
        guard let type = alertType else { return }
        var fields: [(column: Int, value: Value)] = []
        func set(_ segments: [String], _ value: Value) {
            guard let column = columns[FieldPath(segments)],
                !fields.contains(where: { $0.column == column })
            else { return }
            fields.append((column, value))
        }
        func texts(_ texts: [String]) -> Value { .list(texts.map { .text($0) }) }
        // What every alert has goes first: a key or measure of the same name does not hide it.
        set(["id"], .text(alert.id))
        set(["rule"], .text(alert.rule))
        set(["kind"], .text(alert.kind))
        set(["state"], .text(alert.state.rawValue))
        set(["severity"], .text(alert.severity.rawValue))
        set(["title"], alert.title.map { .text($0) } ?? .missing)
        set(["message"], .text(alert.message))
        set(["tags"], texts(alert.tags))
        set(["attack"], texts(alert.attack))
        set(["tactic"], metadata.tactic.map { .text($0) } ?? .missing)
        set(["owner"], metadata.owner.map { .text($0) } ?? .missing)
        set(["strength"], .float(alert.strength))
        set(["confidence"], .float(alert.confidence))
        set(["matched_at"], .time(alert.matchedAt))
        set(["first_time"], .time(alert.firstTime))
        set(["last_time"], .time(alert.lastTime))
        set(["duration"], .span(alert.lastTime - alert.firstTime))
        for part in key {
            set(part.name.split(separator: ".").map(String.init), part.value)
            set(["key"] + part.name.split(separator: ".").map(String.init), part.value)
        }
        for named in alert.measures + alert.attached {
            set(named.name.split(separator: ".").map(String.init), named.value)
        }
        add(Waiting(type: type, time: alert.matchedAt, fields: fields), depth, instant)
    }

    /// Points on an entity as an event.
    mutating func add(
        _ risk: Alert.Risk, of alert: Alert, depth: Int, at instant: Timestamp
    ) {
        guard let type = riskTypes[risk.name] else { return }
        let fields: [(String, Value)] = [
            (risk.name, risk.entity), ("points", .float(risk.points)),
            ("score", .float(risk.score)), ("rule", .text(alert.rule)),
            ("severity", .text(alert.severity.rawValue)), ("alert", .text(alert.id)),
        ]
        let known = fields.compactMap { name, value in
            columns[FieldPath([name])].map { (column: $0, value: value) }
        }
        add(Waiting(type: type, time: alert.matchedAt, fields: known), depth, instant)
    }

    /// A bucket of a metric as an event, where some rule reads the metric.
    ///
    /// - Parameter rule: Index into `Program.rules`.
    mutating func add(
        metric rule: Int, time: Timestamp, fields: [(path: FieldPath, value: Value)], depth: Int,
        at instant: Timestamp
    ) {
        guard let type = metricTypes[rule] else { return }
        let known = fields.compactMap { field in
            columns[field.path].map { (column: $0, value: field.value) }
        }
        add(Waiting(type: type, time: time, fields: known), depth, instant)
    }

    // MARK: - Snapshot

    func write(to writer: inout StateWriter) {
        // Where nothing waits the instant means nothing.
        let depths = waiting.prefix((waiting.lastIndex { !$0.isEmpty } ?? -1) + 1)
        writer.write(depths.isEmpty ? .distantPast : instant)
        writer.write(depths.count)
        for events in depths {
            writer.write(events.count)
            for event in events {
                writer.write(event.type)
                writer.write(event.time)
                writer.write(event.fields.count)
                for (column, value) in event.fields {
                    writer.write(column)
                    writer.write(value)
                }
            }
        }
    }

    /// Adds what waited when a snapshot was written, unless no rule reads it any more.
    ///
    /// - Parameters:
    ///   - depthMax: The greatest depth of a rule of the program; what waited is put before such a rule.
    ///   - isRead: By `EventTypeID`: whether a rule of this shard reads such events. What another shard
    ///     delivers is not kept here: it would be in the snapshots of both, and be there twice for whoever
    ///     reads them.
    mutating func restore(
        from reader: inout StateReader, depthMax: Int, isRead: [Bool]
    ) throws(SnapshotError) {
        let instant: Timestamp = try reader.read()
        for depth in 0..<(try reader.count()) {
            for _ in 0..<(try reader.count()) {
                let type = try reader.eventType()
                let time: Timestamp = try reader.read()
                var fields: [(column: Int, value: Value)] = []
                for _ in 0..<(try reader.count()) {
                    let column = try reader.column()
                    let value: Value = try reader.read()
                    if let column { fields.append((column, value)) }
                }
                guard let type, isRead[Int(type.rawValue)] else { continue }
                add(
                    Waiting(type: type, time: time, fields: fields),
                    min(depth, max(0, depthMax - 1)), instant)
            }
        }
    }

    private mutating func add(_ event: Waiting, _ depth: Int, _ instant: Timestamp) {
        while waiting.count <= depth { waiting.append([]) }
        self.instant = instant
        waiting[depth].append(event)
        isEmpty = false
    }
}
