import RuleModel

/// How values read in messages.
enum ValueText {
    /// Decimals have at most three digits behind the point, durations read `2m30s`, times are RFC
    /// 3339, lists are joined by commas; a missing value reads `missing`.
    static func plain(_ value: Value) -> String {
        switch value {
        case .missing: "missing"
        case .bool(let bool): bool ? "true" : "false"
        case .int(let number): String(number)
        case .float(let number): decimal(number)
        case .text(let text): text.string
        case .ip(let address): address.description
        case .network(let network): network.description
        case .time(let time): time.description
        case .span(let span): duration(span)
        case .list(let values): values.map(plain).joined(separator: ", ")
        }
    }

    /// A decimal with at most three digits behind the point.
    static func decimal(_ number: Double) -> String {
        guard number.isFinite, number.magnitude < 1e15 else { return number.description }
        let thousandths = (number.magnitude * 1000).rounded()
        // Exact: below 2^60.
        let scaled = Int64(thousandths)
        let whole = number < 0 && scaled != 0 ? "-\(scaled / 1000)" : String(scaled / 1000)
        let rest = scaled % 1000
        if rest == 0 { return whole }
        if rest % 100 == 0 { return "\(whole).\(rest / 100)" }
        if rest % 10 == 0 { return "\(whole).\(rest / 100)\(rest / 10 % 10)" }
        return "\(whole).\(rest / 100)\(rest / 10 % 10)\(rest % 10)"
    }

    /// A duration short enough to read: from a minute on whole seconds, below that three digits
    /// behind the point.
    private static func duration(_ span: TimeSpan) -> String {
        let nanoseconds = span.nanoseconds.magnitude
        let sign = span.nanoseconds < 0 ? "-" : ""
        if nanoseconds >= 60_000_000_000 {
            let seconds = Int64((nanoseconds + 500_000_000) / 1_000_000_000)
            return sign + (TimeSpan.second * seconds).description
        }
        if nanoseconds >= 1_000_000_000 || nanoseconds == 0 {
            return sign + decimal(Double(nanoseconds) / 1e9) + "s"
        }
        return span.description
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
