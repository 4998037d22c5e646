import RuleModel

/// How events of one type come to the keys of a rule. A rule whose inputs name the parts of the key
/// differently (`by` aliases) has several routes for one type, and an event may take all of them.
struct KeyRoute: Sendable {
    var type: EventTypeID
    var key: [FieldID]
    /// The inputs of the rule that come this way, one bit each.
    var inputs: UInt64
    /// The event goes this way when it passes one of these; a nil lets all pass.
    var conditions: [ConditionID?]
    /// The event can begin something new when it passes one of these. Others are of no use to a key
    /// without state.
    var beginnings: [ConditionID?]

    func admits(_ event: Event) -> Bool {
        conditions.contains { condition in condition.map(event.passes) ?? true }
    }

    func canBegin(_ event: Event) -> Bool {
        beginnings.contains { condition in condition.map(event.passes) ?? true }
    }

    /// The routes of a rule, in order of its inputs.
    static func routes(of rule: RuleProgram) -> [KeyRoute] {
        var routes: [KeyRoute] = []
        func add(
            _ input: InputProgram, _ index: Int, _ conditions: [ConditionID?],
            beginnings: [ConditionID?]
        ) {
            guard !conditions.isEmpty, index < 64 else { return }
            let place = routes.firstIndex { $0.type == input.type && $0.key == input.key }
            if let place {
                routes[place].inputs |= 1 << UInt64(index)
                routes[place].conditions += conditions
                routes[place].beginnings += beginnings
            } else {
                routes.append(
                    KeyRoute(
                        type: input.type, key: input.key, inputs: 1 << UInt64(index),
                        conditions: conditions,
                        // Most often the same, and then in the same memory.
                        beginnings: beginnings == conditions ? conditions : beginnings))
            }
        }
        switch rule.pattern {
        case .threshold(let threshold):
            add(threshold.input, 0, [threshold.condition], beginnings: [threshold.condition])
        case .sequence(let sequence):
            // `then immediately` counts every event of the rule's input.
            let seesAll = sequence.elements.contains(where: \.hasImmediately)
            let shape = SequenceShape(sequence)
            let leading = shape.leadingAbsences.reduce(UInt64(0)) { $0 | 1 << UInt64($1.step) }
            for (index, input) in sequence.inputs.enumerated() {
                let steps = sequence.steps.indices.filter { sequence.steps[$0].input == index }
                let first = steps.filter { (shape.firstSteps | leading) >> UInt64($0) & 1 == 1 }
                add(
                    input, index,
                    seesAll ? [input.condition] : steps.map { sequence.steps[$0].condition },
                    beginnings: first.map { sequence.steps[$0].condition })
            }
        case .correlation(let correlation):
            for (index, input) in correlation.inputs.enumerated() {
                let members = correlation.members.filter { $0.input == index }
                add(
                    input, index,
                    // The end of an alert counts whatever the member asks of its beginning (C5).
                    members.map { $0.isInterval ? input.condition : $0.condition },
                    beginnings: members.map(\.condition))
            }
        case .anomaly(let anomaly):
            for (index, input) in anomaly.inputs.enumerated() {
                let conditions = anomaly.series.filter { $0.input == index }.map(\.condition)
                add(input, index, conditions, beginnings: conditions)
            }
        case .metric(let metric):
            add(metric.input, 0, [metric.condition], beginnings: [metric.condition])
        }
        return routes
    }
}

extension ElementPlan {
    /// Whether this element or one inside it must follow immediately.
    var hasImmediately: Bool {
        if immediately { return true }
        switch kind {
        case .all(let parts), .any(let parts): return parts.contains(where: \.hasImmediately)
        case .step, .absence, .without: return false
        }
    }
}

/// Reads the keys of events without making values of their text.
struct KeyReader: Sendable {
    private let fields: [Field]
    private let eventTypes: [String]
    /// The different keys, one behind the other, and where each is.
    private let parts: [Part]
    private let keys: [Range<Int>]
    /// Which of `keys` each route has, rule by rule, and where those of a rule begin; one more at the end.
    private let keyOfRoute: [Int32]
    private let firstRoute: [Int32]

    /// A field of a key. Without references, which would be counted for each event.
    private struct Part {
        enum Form { case text, ip, other }

        var field: FieldID
        var column: Int
        var form: Form
    }

    /// - Parameter routes: By index into `Program.rules`.
    init(tables: RuleSetTables, routes: [[KeyRoute]]) {
        fields = tables.fields
        eventTypes = tables.eventTypes
        var parts: [Part] = []
        var keys: [Range<Int>] = []
        var numbers: [[FieldID]: Int32] = [:]
        var keyOfRoute: [Int32] = []
        var firstRoute: [Int32] = [0]
        for routes in routes {
            for route in routes {
                if numbers[route.key] == nil {
                    numbers[route.key] = Int32(keys.count)
                    keys.append(parts.count..<parts.count + route.key.count)
                    parts += route.key.map { KeyReader.part($0, tables.fields) }
                }
                keyOfRoute.append(numbers[route.key] ?? 0)
            }
            firstRoute.append(Int32(keyOfRoute.count))
        }
        self.parts = parts
        self.keys = keys
        self.keyOfRoute = keyOfRoute
        self.firstRoute = firstRoute
    }

    private static func part(_ field: FieldID, _ fields: [Field]) -> Part {
        guard field.rawValue >= 0 else { return Part(field: field, column: 0, form: .other) }
        let known = fields[Int(field.rawValue)]
        let form: Part.Form =
            switch known.type {
            case .text, .enumeration: .text
            case .ip: .ip
            default: .other
            }
        return Part(field: field, column: known.column, form: form)
    }

    /// The number of the key of a route, for `matches` and `part(_:of:)`.
    @inline(__always)
    func key(ofRule rule: Int, route: Int) -> Int {
        Int(keyOfRoute[Int(firstRoute[rule]) + route])
    }

    /// For each place of the candidates the hash of the key by which the rule sees the row; 0 where a part
    /// of the key is missing (T6), and for rules with several routes. A key that many rules share is read
    /// once for each row.
    func hashes(for candidates: Candidates, in events: EventBatch) -> [UInt64] {
        guard candidates.count > 0 else { return [] }
        // By key: the row that was read last, and its hash.
        var latest = Array(repeating: (row: -1, hash: UInt64(0)), count: keys.count)
        return latest.withUnsafeMutableBufferPointer { latest in
            Array(unsafeUninitializedCapacity: candidates.count) { hashes, count in
                events.bytes.withUnsafeBytes { bytes in
                    for row in 0..<candidates.rowCount {
                        for place in candidates.places(of: row) {
                            let rule = candidates.rule(at: place)
                            var hash: UInt64 = 0
                            if firstRoute[rule + 1] - firstRoute[rule] == 1 {
                                let key = key(ofRule: rule, route: 0)
                                if latest[key].row != row {
                                    latest[key] = (
                                        row, self.hash(keys[key], of: row, in: events, bytes)
                                    )
                                }
                                hash = latest[key].hash
                            }
                            hashes[count] = hash
                            count += 1
                        }
                    }
                }
            }
        }
    }

    /// The hash of a key; 0 when a part is missing.
    @inline(__always)
    private func hash(
        _ key: Range<Int>, of row: Int, in events: EventBatch, _ bytes: UnsafeRawBufferPointer
    ) -> UInt64 {
        var hash = KeyHash()
        for place in key {
            if !combine(parts[place], of: row, in: events, bytes, into: &hash) { return 0 }
        }
        return hash.value
    }

    /// The hash of the key; nil when a part is missing (T6). Equal to that of the key's values.
    func hash(_ key: [FieldID], of event: Event) -> UInt64? {
        event.batch.events.bytes.withUnsafeBytes { bytes in
            var hash = KeyHash()
            for field in key {
                let part = KeyReader.part(field, fields)
                let isThere = combine(
                    part, of: event.row, in: event.batch.events, bytes, into: &hash)
                if !isThere { return nil }
            }
            return hash.value
        }
    }

    /// Returns false when the part is missing.
    @inline(__always)
    private func combine(
        _ part: Part, of row: Int, in events: EventBatch, _ bytes: UnsafeRawBufferPointer,
        into hash: inout KeyHash
    ) -> Bool {
        switch part.form {
        case .text:
            let cell = events.columns[part.column][row]
            guard cell.kind == .text else { return false }
            // As `KeyHash.combine` does it for values.
            hash.combine(byte: 4)
            hash.combine(UnsafeRawBufferPointer(rebasing: bytes[cell.textRange]))
        case .ip:
            guard let address = address(events.columns[part.column][row], bytes) else {
                return false
            }
            hash.combine(.ip(address))
        case .other:
            let value = value(part.field, of: row, in: events)
            if value.isMissing { return false }
            hash.combine(value)
        }
        return true
    }

    @inline(__always)
    private func address(_ cell: Cell, _ bytes: UnsafeRawBufferPointer) -> IPAddress? {
        guard cell.kind == .text else { return nil }
        let text = UnsafeRawBufferPointer(rebasing: bytes[cell.textRange])
        return IPAddress(utf8: text.assumingMemoryBound(to: UInt8.self))
    }

    func values(_ key: [FieldID], of event: Event) -> [Value] {
        key.map { Comparisons.canonical(event.value($0)) }
    }

    /// A part of the key with this number, as it is kept.
    func part(_ offset: Int, ofKey key: Int, of event: Event) -> Value {
        Comparisons.canonical(event.value(parts[keys[key].lowerBound + offset].field))
    }

    /// Whether these values, of which there are as many as the key with this number has parts, are the
    /// event's key.
    @inline(__always)
    func matches(_ values: UnsafePointer<Value>, key: Int, of event: Event) -> Bool {
        let key = keys[key]
        return event.batch.events.bytes.withUnsafeBytes { bytes in
            for place in key {
                let part = parts[place]
                let isEqual = matches(
                    values[place - key.lowerBound], part, of: event.row, in: event.batch.events,
                    bytes)
                if !isEqual { return false }
            }
            return true
        }
    }

    @inline(__always)
    private func matches(
        _ value: Value, _ part: Part, of row: Int, in events: EventBatch,
        _ bytes: UnsafeRawBufferPointer
    ) -> Bool {
        switch part.form {
        case .text:
            let cell = events.columns[part.column][row]
            guard cell.kind == .text, case .text(let text) = value,
                text.string.utf8.count == Int(cell.length)
            else { return false }
            let wanted = UnsafeRawBufferPointer(rebasing: bytes[cell.textRange])
                .assumingMemoryBound(to: UInt8.self)
            let isEqual = text.string.utf8.withContiguousStorageIfAvailable { text in
                TextTests.equal(text, wanted)
            }
            return isEqual ?? text.string.utf8.elementsEqual(wanted)
        case .ip:
            guard case .ip(let known) = value else { return false }
            return address(events.columns[part.column][row], bytes) == known
        case .other:
            return value == Comparisons.canonical(self.value(part.field, of: row, in: events))
        }
    }

    /// As `Event.value`, for a row of a batch that is being judged.
    private func value(_ field: FieldID, of row: Int, in events: EventBatch) -> Value {
        if field == .time { return .time(Timestamp(nanoseconds: events.times[row])) }
        if field == .type {
            let type = Int(events.types[row].rawValue)
            return .text(type < eventTypes.count ? eventTypes[type] : "")
        }
        let index = Int(field.rawValue)
        return CellReader.value(
            events.columns[fields[index].column][row], as: fields[index].type, bytes: events.bytes)
    }
}
