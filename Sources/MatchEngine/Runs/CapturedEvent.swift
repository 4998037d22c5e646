import RuleModel

/// What a sequence or correlation keeps of an event: its place in the order, and the fields that its rule reads.
struct CapturedEvent: Sendable {
    /// Where the event stands (T2), for order and limits.
    var instant: Timestamp
    /// The event's own time, for conditions and messages.
    var time: Timestamp
    var type: EventTypeID
    /// Which event of the rule's input with this key it is.
    var ordinal: Int64
    /// The steps or members whose condition on the event alone it passes, as bits.
    var steps: UInt64
    /// The steps with which it may begin a match; none in a correlation.
    var starts: UInt64
    /// Captured fields, by `CaptureLayout`.
    var values: [Value]
}

/// Which fields a sequence or correlation captures, and where their values are.
struct CaptureLayout: Sendable {
    /// For each step its fields and their places in `CapturedEvent.values`.
    private let steps: [[(field: FieldID, place: Int)]]
    /// By `FieldID`; -1 for fields that are not captured.
    private let places: [Int]
    private let width: Int
    private let eventTypes: [String]

    /// A step's own fields are those that later conditions and messages read, and those that its
    /// condition on other steps reads, since that may be judged after the event has gone.
    init(_ sequence: SequenceProgram, program: Program) {
        let walker = CodeWalker(code: program.code)
        let captured = sequence.steps.map { step in
            var fields = step.captured
            if let condition = step.runCondition {
                walker.forEach(condition) { instruction in
                    let field = FieldID(rawValue: instruction.a)
                    if instruction.opcode == .field, !fields.contains(field) {
                        fields.append(field)
                    }
                }
            }
            return fields
        }
        self.init(captured: captured, program: program)
    }

    /// - Parameter captured: The fields of each step or member.
    init(captured: [[FieldID]], program: Program) {
        var places = Array(repeating: -1, count: program.tables.fields.count)
        var width = 0
        steps = captured.map { fields in
            fields.filter { $0.rawValue >= 0 }.map { field in
                if places[Int(field.rawValue)] < 0 {
                    places[Int(field.rawValue)] = width
                    width += 1
                }
                return (field, places[Int(field.rawValue)])
            }
        }
        self.places = places
        self.width = width
        eventTypes = program.tables.eventTypes
    }

    /// The values of the fields that the given steps capture.
    func values(of event: Event, steps bits: UInt64) -> [Value] {
        guard width > 0, bits != 0 else { return [] }
        var values = Array(repeating: Value.missing, count: width)
        var rest = bits
        while rest != 0 {
            let step = rest.trailingZeroBitCount
            rest &= rest - 1
            for (field, place) in steps[step] { values[place] = event.value(field) }
        }
        return values
    }

    func value(_ field: FieldID, of event: CapturedEvent) -> Value {
        if field == .time { return .time(event.time) }
        if field == .type { return .text(typeName(event)) }
        let place = places[Int(field.rawValue)]
        return place >= 0 && place < event.values.count ? event.values[place] : .missing
    }

    func typeName(_ event: CapturedEvent) -> String {
        let type = Int(event.type.rawValue)
        return type < eventTypes.count ? eventTypes[type] : ""
    }
}
