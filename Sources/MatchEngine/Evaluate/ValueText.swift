import RuleModel

/// How values read in messages.
enum ValueText {
    /// Decimals have at most three digits behind the point, durations read `2m30s`, times are RFC
    /// 3339, lists are joined by commas; a missing value reads `missing`.
    static func plain(_ value: Value) -> String {
        var text: [UInt8] = []
        append(value, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The same behind other text.
    static func append(_ value: Value, to text: inout [UInt8]) {
        switch value {
        case .missing: text.append(contentsOf: "missing".utf8)
        case .bool(let bool): text.append(contentsOf: bool ? "true".utf8 : "false".utf8)
        case .int(let number): text.appendDecimal(number)
        case .float(let number): append(decimal: number, to: &text)
        case .text(let part): text.append(contentsOf: part.string.utf8)
        case .ip(let address): text.append(contentsOf: address.description.utf8)
        case .network(let network): text.append(contentsOf: network.description.utf8)
        case .time(let time): text.append(contentsOf: time.description.utf8)
        case .span(let span): append(duration: span, to: &text)
        case .list(let values):
            for index in values.indices {
                if index > 0 { text.append(contentsOf: ", ".utf8) }
                append(values[index], to: &text)
            }
        }
    }

    /// A decimal with at most three digits behind the point.
    private static func append(decimal number: Double, to text: inout [UInt8]) {
        guard number.isFinite, number.magnitude < 1e15 else {
            text.append(contentsOf: number.description.utf8)
            return
        }
        let thousandths = (number.magnitude * 1000).rounded()
        // Exact: below 2^60.
        let scaled = Int64(thousandths)
        if number < 0, scaled != 0 { text.append(UInt8(ascii: "-")) }
        text.appendDecimal(scaled / 1000)
        var rest = scaled % 1000
        if rest == 0 { return }
        text.append(UInt8(ascii: "."))
        while rest > 0 {
            text.append(UInt8(ascii: "0") + UInt8(rest / 100))
            rest = rest % 100 * 10
        }
    }

    /// A duration short enough to read: from a minute on whole seconds, below that three digits
    /// behind the point.
    private static func append(duration span: TimeSpan, to text: inout [UInt8]) {
        let nanoseconds = span.nanoseconds.magnitude
        if nanoseconds > 0, nanoseconds < 1_000_000_000 {
            text.append(contentsOf: span.description.utf8)
            return
        }
        if span.nanoseconds < 0 { text.append(UInt8(ascii: "-")) }
        if nanoseconds >= 60_000_000_000 {
            let seconds = Int64((nanoseconds + 500_000_000) / 1_000_000_000)
            text.append(contentsOf: (TimeSpan.second * seconds).description.utf8)
        } else {
            append(decimal: Double(nanoseconds) / 1e9, to: &text)
            text.append(UInt8(ascii: "s"))
        }
    }

    /// A time as the clocks of a zone show it: `2026-01-02T03:04:05.250+02:00`.
    static func local(_ time: Timestamp, in zone: ZoneTable) -> String {
        let offset = zone.offset(at: time)
        if offset == 0 { return time.description }
        let minutes = offset.magnitude / 60
        func two(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return zone.local(time).description.dropLast() + (offset < 0 ? "-" : "+")
            + two(minutes / 60) + ":" + two(minutes % 60)
    }
}
