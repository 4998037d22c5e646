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

/// How captured events of a snapshot are read. A message may read other fields than before, which
/// changes the places of values and not the shape of the rule.
struct CaptureReading: Sendable {
    /// By place when the event was written: the place of the value now.
    let places: [Int?]
    /// The number of steps or members.
    let steps: Int
    let noValues: [Value]

    /// Reads what `CaptureLayout.names` was when the snapshot was written.
    init(
        from reader: inout StateReader, layout: CaptureLayout, steps: Int
    ) throws(SnapshotError) {
        let names: [String] = try reader.readArray()
        places = names.map { layout.names.firstIndex(of: $0) }
        self.steps = steps
        noValues = layout.noValues
    }
}

extension CapturedEvent {
    /// The values are put where the layout of now has them.
    init(from reader: inout StateReader, by captures: CaptureReading) throws(SnapshotError) {
        instant = try reader.past()
        time = Timestamp(nanoseconds: instant.nanoseconds &+ (try reader.int64()))
        guard let type = try reader.eventType() else {
            throw reader.damaged("an event of a type that the rule does not read")
        }
        self.type = type
        ordinal = Int64(try reader.tally())
        steps = try reader.unsigned()
        starts = try reader.unsigned()
        let known = UInt64.max >> UInt64(64 - min(max(captures.steps, 1), 64))
        guard (steps | starts) & ~known == 0 else { throw reader.damaged("a step that is not") }
        values = []
        let count = try reader.count()
        guard count == 0 || count == captures.places.count else {
            throw reader.damaged("\(count) values of \(captures.places.count)")
        }
        if count > 0 { values = captures.noValues }
        for index in 0..<count {
            let value: Value = try reader.read()
            if let place = captures.places[index] { values[place] = value }
        }
    }

    func write(to writer: inout StateWriter) {
        writer.write(instant)
        writer.write(time.nanoseconds &- instant.nanoseconds)
        writer.write(type)
        writer.write(Int(ordinal))
        writer.write(unsigned: steps)
        writer.write(unsigned: starts)
        writer.write(values)
    }
}

/// Which fields a sequence or correlation captures, and where their values are.
final class CaptureLayout: Sendable {
    /// For each step the places of its fields in `CapturedEvent.values`, as bits; those from 64 on, of
    /// which hardly any rule has some, stand in `farPlaces`.
    private let stepPlaces: [UInt64]
    private let farPlaces: [[Int]]
    /// The field at each place.
    private let fields: [FieldID]
    /// By `FieldID`; -1 for fields that are not captured.
    private let places: [Int]
    /// How many values an event has.
    let width: Int
    /// What is at each place: the path of the field and the type it is read as. So a field is known in
    /// another program, where its number is another.
    let names: [String]
    /// The field at each place as alerts name it.
    private let paths: [String]
    private let eventTypes: [String]

    /// A step's own fields are those that later conditions and messages read, and those that its
    /// condition on other steps reads, since that may be judged after the event has gone.
    convenience init(_ sequence: SequenceProgram, program: Program) {
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
        var fields: [FieldID] = []
        let steps = captured.map { captured in
            captured.filter { $0.rawValue >= 0 }.map { field in
                if places[Int(field.rawValue)] < 0 {
                    places[Int(field.rawValue)] = fields.count
                    fields.append(field)
                }
                return places[Int(field.rawValue)]
            }
        }
        stepPlaces = steps.map { $0.reduce(0) { $1 < 64 ? $0 | 1 << UInt64($1) : $0 } }
        farPlaces = steps.map { $0.filter { $0 >= 64 } }
        self.fields = fields
        self.places = places
        width = fields.count
        var names = Array(repeating: "", count: width)
        for (field, place) in zip(program.tables.fields, places) where place >= 0 {
            names[place] = "\(PlanText.spelled(field.path)) \(field.type.words)"
        }
        self.names = names
        paths = fields.map { program.tables.fields[Int($0.rawValue)].path.description }
        eventTypes = program.tables.eventTypes
    }

    /// The values of the fields that the given steps capture; none at all where they capture none.
    func values(of event: Event, steps bits: UInt64) -> [Value] {
        guard width > 0, captures(bits) else { return [] }
        var values = noValues
        forEach(stepsIn: bits) { field, place in values[place] = event.value(field) }
        return values
    }

    private func captures(_ bits: UInt64) -> Bool {
        var rest = bits
        while rest != 0 {
            let step = rest.trailingZeroBitCount
            if stepPlaces[step] != 0 || !farPlaces[step].isEmpty { return true }
            rest &= rest - 1
        }
        return false
    }

    /// The fields that the given steps capture, with their places.
    @inline(__always)
    func forEach(stepsIn bits: UInt64, _ body: (_ field: FieldID, _ place: Int) -> Void) {
        guard width > 0 else { return }
        // A field that several steps capture is read once.
        var near: UInt64 = 0
        var rest = bits
        while rest != 0 {
            near |= stepPlaces[rest.trailingZeroBitCount]
            if width > 64 {
                for place in farPlaces[rest.trailingZeroBitCount] { body(fields[place], place) }
            }
            rest &= rest - 1
        }
        while near != 0 {
            body(fields[near.trailingZeroBitCount], near.trailingZeroBitCount)
            near &= near - 1
        }
    }

    /// Every place without a value.
    var noValues: [Value] { Array(repeating: .missing, count: width) }

    func value(_ field: FieldID, of event: CapturedEvent) -> Value {
        if field == .time { return .time(event.time) }
        if field == .type { return .text(name(of: event.type)) }
        guard let place = place(of: field), place < event.values.count else { return .missing }
        return event.values[place]
    }

    /// Where the value of a field is; nil for one that is not captured.
    func place(of field: FieldID) -> Int? {
        let place = places[Int(field.rawValue)]
        return place >= 0 ? place : nil
    }

    /// The fields of an event that it has, of those given, as alerts name them.
    func forEach(
        of fields: [FieldID], in event: CapturedEvent,
        _ body: (_ field: FieldID, _ name: String, _ value: Value) -> Void
    ) {
        for field in fields {
            guard field.rawValue >= 0, let place = place(of: field), place < event.values.count,
                !event.values[place].isMissing
            else { continue }
            body(field, paths[place], event.values[place])
        }
    }

    func name(of type: EventTypeID) -> String {
        let type = Int(type.rawValue)
        return type < eventTypes.count ? eventTypes[type] : ""
    }
}
