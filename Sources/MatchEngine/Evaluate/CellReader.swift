import RuleModel

/// Reads cells as the types that rules declared.
enum CellReader {
    static func value(_ cell: Cell, as type: ValueType, bytes: [UInt8]) -> Value { .missing }
}
