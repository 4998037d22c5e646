import RuleModel

/// A batch of events with the bits of all conditions, shared by everything that looks at its rows.
///
/// A class, since rows that wait in the reorder buffer keep their batch alive.
public final class LoadedBatch: Sendable {
    let events: EventBatch
    let fields: [Field]
    let eventTypes: [String]
    let hits: ConditionHits
    let candidates: Candidates

    init(
        events: EventBatch, fields: [Field], eventTypes: [String], hits: ConditionHits,
        candidates: Candidates
    ) {
        self.events = events
        self.fields = fields
        self.eventTypes = eventTypes
        self.hits = hits
        self.candidates = candidates
    }

    /// A batch whose conditions are being judged.
    convenience init(unjudged events: EventBatch, fields: [Field], eventTypes: [String]) {
        self.init(
            events: events, fields: fields, eventTypes: eventTypes,
            hits: ConditionHits(conditions: 0, words: 0), candidates: .none)
    }
}

/// One event: a row of a batch.
struct Event: Sendable {
    let batch: LoadedBatch
    let row: Int

    /// The event's own time, which conditions and messages see.
    var time: Timestamp { Timestamp(nanoseconds: batch.events.times[row]) }
    var type: EventTypeID { batch.events.types[row] }
    /// Empty for a type that no rule reads.
    var typeName: String {
        let index = Int(type.rawValue)
        return index < batch.eventTypes.count ? batch.eventTypes[index] : ""
    }
    var arrival: UInt64 { batch.events.arrivals[row] }

    /// Whether the event passes a condition. Meaningful for events of a type that the condition's
    /// rules read.
    func passes(_ condition: ConditionID) -> Bool {
        batch.hits.contains(condition.rawValue, row)
    }

    /// The field as its declared type; missing where the data holds something else (T7).
    func value(_ field: FieldID) -> Value {
        if field.rawValue < 0 {
            return field == .time ? .time(time) : .text(typeName)
        }
        // Not the field as a whole: copying its path would be counted.
        let index = Int(field.rawValue)
        let cell = batch.events.columns[batch.fields[index].column][row]
        if case .number = batch.fields[index].type {
            switch cell.kind {
            case .int: return .int(Int64(bitPattern: cell.bits))
            case .float: return .float(Double(bitPattern: cell.bits))
            case .missing, .bool, .text, .json: return .missing
            }
        }
        return CellReader.value(cell, as: batch.fields[index].type, bytes: batch.events.bytes)
    }
}
