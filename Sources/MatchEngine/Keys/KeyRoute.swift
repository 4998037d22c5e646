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
                        conditions: conditions, beginnings: beginnings))
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
    /// The different keys of rules with one route, one behind the other, and where each is.
    private let parts: [Part]
    private let keys: [Range<Int>]
    /// By index into `Program.rules`: which of `keys`; nil for a rule with several routes.
    private let keyOfRule: [Int?]

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
        var numbers: [[FieldID]: Int] = [:]
        keyOfRule = routes.map { routes in
            guard routes.count == 1 else { return nil }
            if let number = numbers[routes[0].key] { return number }
            numbers[routes[0].key] = keys.count
            let own = routes[0].key.map { KeyReader.part($0, tables.fields) }
            keys.append(parts.count..<parts.count + own.count)
            parts += own
            return keys.count - 1
        }
        self.parts = parts
        self.keys = keys
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

    /// For each place of the candidates the hash of the key by which the rule sees the row; 0 where a part
    /// of the key is missing (T6), and for rules with several routes. A key that many rules share is read
    /// once for each row.
    func hashes(for candidates: Candidates, in events: EventBatch) -> [UInt64] {
        guard candidates.count > 0 else { return [] }
        var hashes: [UInt64] = []
        hashes.reserveCapacity(candidates.count)
        var latest = Array(repeating: (row: -1, hash: UInt64(0)), count: keys.count)
        events.bytes.withUnsafeBytes { bytes in
            for row in 0..<candidates.rowCount {
                for place in candidates.places(of: row) {
                    guard let number = keyOfRule[candidates.rule(at: place)] else {
                        hashes.append(0)
                        continue
                    }
                    if latest[number].row != row {
                        var hash = KeyHash()
                        let isWhole = keys[number].allSatisfy { part in
                            combine(parts[part], of: row, in: events, bytes, into: &hash)
                        }
                        latest[number] = (row, isWhole ? hash.value : 0)
                    }
                    hashes.append(latest[number].hash)
                }
            }
        }
        return hashes
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
    private func combine(
        _ part: Part, of row: Int, in events: EventBatch, _ bytes: UnsafeRawBufferPointer,
        into hash: inout KeyHash
    ) -> Bool {
        if part.form != .other {
            let cell = events.columns[part.column][row]
            guard cell.kind == .text else { return false }
            let text = UnsafeRawBufferPointer(rebasing: bytes[cell.textRange])
            // As `KeyHash.combine` does it for values.
            if part.form == .text {
                hash.combine(byte: 4)
                hash.combine(text)
                return true
            }
            let address = text.withMemoryRebound(to: UInt8.self) { IPAddress(utf8: $0) }
            guard let address else { return false }
            hash.combine(.ip(address))
            return true
        }
        let value = value(part.field, of: row, in: events)
        if value.isMissing { return false }
        hash.combine(value)
        return true
    }

    func values(_ key: [FieldID], of event: Event) -> [Value] {
        key.map { Comparisons.canonical(event.value($0)) }
    }

    /// Whether the values from an index on are the event's key.
    func matches(_ values: [Value], from start: Int, _ key: [FieldID], of event: Event) -> Bool {
        for offset in key.indices {
            let field = key[offset]
            if let cell = textCell(field, of: event.row, in: event.batch.events) {
                guard case .text(let text) = values[start + offset], cell.kind == .text,
                    text.string.utf8.count == Int(cell.length)
                else { return false }
                let isEqual = event.batch.events.bytes.withUnsafeBufferPointer { bytes in
                    let wanted = UnsafeBufferPointer(rebasing: bytes[cell.textRange])
                    return text.string.utf8.withContiguousStorageIfAvailable {
                        TextTests.equal($0, wanted)
                    } ?? text.string.utf8.elementsEqual(wanted)
                }
                if !isEqual { return false }
            } else if values[start + offset] != Comparisons.canonical(event.value(field)) {
                return false
            }
        }
        return true
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

    /// The cell of a field that is declared as text.
    private func textCell(_ field: FieldID, of row: Int, in events: EventBatch) -> Cell? {
        guard field.rawValue >= 0 else { return nil }
        let index = Int(field.rawValue)
        switch fields[index].type {
        case .text, .enumeration: return events.columns[fields[index].column][row]
        default: return nil
        }
    }
}
