extension Value {
    /// The value as people read it in messages: text as it is, times in RFC 3339, spans as the
    /// language writes them, `missing` for a missing value.
    ///
    /// Whole numbers have no decimals, however they were written. Not made safe for terminals: that
    /// is for the one who prints.
    public var plainText: String {
        switch self {
        case .missing: "missing"
        case .bool(let bool): bool ? "true" : "false"
        case .int(let number): String(number)
        case .float(let number): Value.text(of: number)
        case .text(let text): text.string
        case .ip(let address): address.description
        case .network(let network): network.description
        case .time(let time): time.description
        case .span(let span): span.description
        case .list(let values): values.map(\.plainText).joined(separator: ", ")
        }
    }

    /// The shortest digits that read back as the same number.
    public static func text(of number: Double) -> String {
        if let whole = shownWhole(number) { return String(whole) }
        return number.description
    }

    /// The number as one without a decimal point, when it is shown so.
    static func shownWhole(_ number: Double) -> Int64? {
        number.magnitude < 1e15 ? Int64(exactly: number) : nil
    }
}
