import RuleModel

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
    static func text(of number: Double) -> String {
        if number.magnitude < 1e15, let whole = Int64(exactly: number) { return String(whole) }
        return number.description
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted for version 4, else the form of RFC 5952: lower case, the longest run of two or more
    /// zero groups as `::`, the first one if several are equally long.
    public var description: String {
        if isVersion4 {
            let bytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: low >> UInt64($0)) }
            return bytes.map { String($0) }.joined(separator: ".")
        }
        let groups = [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: high >> UInt64($0)) }
            + [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: low >> UInt64($0)) }
        var best = 0..<0
        var index = 0
        while index < groups.count {
            var end = index
            while end < groups.count, groups[end] == 0 { end += 1 }
            if end - index > max(best.count, 1) { best = index..<end }
            index = max(end, index + 1)
        }
        let text = { (part: ArraySlice<UInt16>) in
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        if best.isEmpty { return text(groups[...]) }
        return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }
}

extension IPNetwork: CustomStringConvertible {
    /// CIDR notation; the prefix of a version 4 network counts its 32 bits.
    public var description: String {
        let isVersion4 = address.isVersion4 && prefix >= 96
        return "\(address)/\(isVersion4 ? prefix - 96 : prefix)"
    }
}
