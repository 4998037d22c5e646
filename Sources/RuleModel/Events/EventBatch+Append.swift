extension EventBatch {
    /// Appends one event given as values: for tests, where events do not come as bytes.
    ///
    /// What a line of JSON cannot hold as such (an address, a time, a span) becomes the text that a
    /// decoder would have found.
    ///
    /// - Parameter fields: Columns and what they hold; columns not named are missing.
    /// - Precondition: every column is one of the batch.
    public mutating func append(
        type: EventTypeID, time: Timestamp, arrival: UInt64, fields: [(column: Int, value: Value)]
    ) {
        types.append(type)
        times.append(time.nanoseconds)
        arrivals.append(arrival)
        for index in columns.indices { columns[index].append(.missing) }
        for (column, value) in fields {
            columns[column][count - 1] = cell(value)
        }
    }

    private mutating func cell(_ value: Value) -> Cell {
        switch value {
        case .missing: .missing
        case .bool(let bool): Cell(kind: .bool, bits: bool ? 1 : 0)
        case .int(let number): Cell(kind: .int, bits: UInt64(bitPattern: number))
        case .float(let number): Cell(kind: .float, bits: number.bitPattern)
        case .list:
            appended(kind: .json) { $0.appendJSON(value) }
        case .text, .ip, .network, .time, .span:
            appended(kind: .text) { $0.append(contentsOf: value.plainText.utf8) }
        }
    }

    private mutating func appended(kind: Cell.Kind, _ write: (inout [UInt8]) -> Void) -> Cell {
        let offset = bytes.count
        write(&bytes)
        return Cell(kind: kind, bits: UInt64(offset), length: UInt32(bytes.count - offset))
    }
}
