import RuleModel

/// An event as the reference matcher sees it: no columns, no bytes, only values.
public struct ReferenceEvent: Sendable, Equatable {
    public var type: EventTypeID
    /// When it happened, as the event says itself.
    public var time: Timestamp
    /// Its place in the order of arrival; unique.
    public var arrival: UInt64
    /// Fields that are absent here are missing.
    public var fields: [FieldID: Value]
    /// The time that order and deadlines use: its own, or with lateness 0 the latest seen (T2).
    public var instant: Timestamp

    public init(type: EventTypeID, time: Timestamp, arrival: UInt64, fields: [FieldID: Value]) {
        self.type = type
        self.time = time
        self.arrival = arrival
        self.fields = fields
        instant = time
    }
}

/// T2, T3 and T0: which events count, with which instants and in which order.
///
/// The stream of one source is given in order of arrival.
///
/// - Without lateness nothing waits: an event behind its predecessor is put at that one's instant.
/// - With lateness, an event older than the watermark (the highest time so far minus the lateness)
///   is late and takes no part; the rest is sorted by time, and by arrival among equals.
public func referenceOrder(
    _ arrived: [ReferenceEvent], lateness: TimeSpan
) -> (events: [ReferenceEvent], late: Int) {
    guard lateness > .zero else {
        var latest = Timestamp.distantPast
        return (
            arrived.map { event in
                var event = event
                latest = max(latest, event.time)
                event.instant = latest
                return event
            }, 0
        )
    }
    var highest: Timestamp?
    var kept: [ReferenceEvent] = []
    for event in arrived {
        if let highest, event.time < highest - lateness { continue }
        highest = max(highest ?? event.time, event.time)
        kept.append(event)
    }
    kept.sort { ($0.time, $0.arrival) < ($1.time, $1.arrival) }
    return (kept, arrived.count - kept.count)
}

/// Reads a value found in the data as the type that a rule declares (T7): what does not fit is missing.
public func referenceRead(_ value: Value, as type: ValueType) -> Value {
    switch (type, value) {
    case (.unknown, _): return value
    case (.number, .int), (.number, .float): return value
    case (.text, .text), (.enumeration, .text): return value
    case (.bool, .bool): return value
    case (.time, .time), (.span, .span), (.ip, .ip), (.network, .network): return value
    case (.ip, .text(let text)): return IPAddress(text.string).map { .ip($0) } ?? .missing
    case (.list(let element), .list(let values)):
        return .list(values.map { referenceRead($0, as: element) }.filter { !$0.isMissing })
    default: return .missing
    }
}
