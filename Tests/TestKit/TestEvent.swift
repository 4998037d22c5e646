import RuleModel

/// An event of a test, by names, before anything was compiled.
public struct TestEvent: Sendable, Equatable {
    /// Where test time begins, 2026-01-01T00:00:00Z: whole days and all small buckets are aligned to it.
    public static let epoch = Timestamp(nanoseconds: 1_767_225_600_000_000_000)

    public var type: String
    /// Since `epoch`.
    public var time: TimeSpan
    /// Field names and values; what is not named is missing.
    public var fields: [String: Value]

    public init(_ type: String, at time: TimeSpan, _ fields: [String: Value]) {
        self.type = type
        self.time = time
        self.fields = fields
    }

    public var timestamp: Timestamp { TestEvent.epoch + time }
}

extension TestEvent: CustomStringConvertible {
    /// The event as a `test` block writes it.
    public var description: String {
        let fields = fields.sorted { Text($0.key) < Text($1.key) }
            .map { "\($0.key): \(plainText($0.value, quoted: true))" }
        return "at \(time) \(type) { \(fields.joined(separator: ", ")) }"
    }
}

/// A stream as an engine takes it: columns for the paths that the rules read.
///
/// Arrival numbers start at `firstArrival` and rise by one.
public func makeBatch(
    _ events: [TestEvent], tables: RuleSetTables, firstArrival: UInt64 = 1, source: UInt16 = 0
) -> EventBatch {
    var batch = EventBatch(source: source, fieldCount: tables.columns.count)
    for (index, event) in events.enumerated() {
        batch.types.append(typeID(event.type, tables))
        batch.times.append(event.timestamp.nanoseconds)
        batch.arrivals.append(firstArrival + UInt64(index))
        for (column, path) in tables.columns.enumerated() {
            let value = event.fields[path.description] ?? .missing
            batch.columns[column].append(cell(value, &batch.bytes))
        }
    }
    return batch
}

/// The same stream for the reference matcher.
public func makeReferenceEvents(_ events: [TestEvent], tables: RuleSetTables) -> [ReferenceEvent] {
    events.enumerated().map { index, event in
        var fields: [FieldID: Value] = [:]
        for (field, plan) in tables.fields.enumerated() {
            fields[FieldID(rawValue: Int32(field))] = event.fields[plan.path.description]
        }
        return ReferenceEvent(
            type: typeID(event.type, tables), time: event.timestamp, arrival: UInt64(index + 1),
            fields: fields)
    }
}

func typeID(_ name: String, _ tables: RuleSetTables) -> EventTypeID {
    tables.eventTypes.firstIndex { $0 == name }.map { EventTypeID(rawValue: UInt16($0)) } ?? .unread
}

private func cell(_ value: Value, _ bytes: inout [UInt8]) -> Cell {
    switch value {
    case .bool(let bool): return Cell(kind: .bool, bits: bool ? 1 : 0)
    case .int(let number): return Cell(kind: .int, bits: UInt64(bitPattern: number))
    case .float(let number): return Cell(kind: .float, bits: number.bitPattern)
    case .text(let text): return textCell(text.string, .text, &bytes)
    case .list: return textCell(plainText(value, quoted: true), .json, &bytes)
    case .missing: return .missing
    case .ip, .network, .time, .span:
        preconditionFailure("events hold what JSON holds; write addresses and times as text")
    }
}

private func textCell(_ text: String, _ kind: Cell.Kind, _ bytes: inout [UInt8]) -> Cell {
    let offset = bytes.count
    bytes += Array(text.utf8)
    return Cell(kind: kind, bits: UInt64(offset), length: UInt32(bytes.count - offset))
}

/// A value in a form that does not tell 2 from 2.0, for comparing what two matchers found.
public func plainText(_ value: Value, quoted: Bool = false) -> String {
    switch value {
    case .missing: return "missing"
    case .bool(let bool): return "\(bool)"
    case .int(let number): return "\(number)"
    case .float(let number):
        // Sums in another order may differ in the last digits.
        let rounded = (number * 1e6).rounded() / 1e6
        return Int64(exactly: rounded).map { "\($0)" } ?? "\(rounded)"
    case .text(let text): return quoted ? "\"\(text.string)\"" : text.string
    case .ip(let address): return "\(address.high):\(address.low)"
    case .network(let network):
        return "\(network.address.high):\(network.address.low)/\(network.prefix)"
    case .time(let time): return time.description
    case .span(let span): return span.description
    case .list(let values):
        return "[" + values.map { plainText($0, quoted: quoted) }.joined(separator: ", ") + "]"
    }
}
