import RuleModel

/// The fields that rules read, each (path, type) once, and the columns and event types they need.
struct FieldTable {
    private(set) var columns: [FieldPath] = []
    private(set) var fields: [Field] = []
    private(set) var eventTypes: [String] = []
    private var columnIndex: [FieldPath: Int] = [:]
    private var fieldIndex: [Key: FieldID] = [:]
    private var typeIndex: [String: EventTypeID] = [:]

    private struct Key: Hashable {
        var column: Int
        var type: ValueType
    }

    mutating func field(_ path: FieldPath, _ type: ValueType) -> FieldID {
        let column = column(path)
        let key = Key(column: column, type: type)
        if let known = fieldIndex[key] { return known }
        let id = FieldID(rawValue: Int32(fields.count))
        fields.append(Field(path: path, column: column, type: type))
        fieldIndex[key] = id
        return id
    }

    mutating func eventType(_ name: String) -> EventTypeID {
        if let known = typeIndex[name] { return known }
        let id = EventTypeID(rawValue: UInt16(clamping: eventTypes.count))
        eventTypes.append(name)
        typeIndex[name] = id
        return id
    }

    /// The column of a path that some rule reads.
    func existingColumn(_ path: FieldPath) -> Int? { columnIndex[path] }

    /// The type, if some rule reads it.
    func existingType(_ name: String) -> EventTypeID { typeIndex[name] ?? .unread }

    private mutating func column(_ path: FieldPath) -> Int {
        if let known = columnIndex[path] { return known }
        columnIndex[path] = columns.count
        columns.append(path)
        return columns.count - 1
    }
}
