extension IPAddress: CustomStringConvertible {
    /// Reads `192.0.2.1`, `2001:db8::1` or `::ffff:192.0.2.1`; nil for anything else. Parts of a
    /// version 4 address may not have leading zeros, which other programs read as octal.
    public init?(_ text: String) {
        var text = text
        guard let address = text.withUTF8({ IPAddress(utf8: $0) }) else { return nil }
        self = address
    }

    /// The same for bytes. O(bytes), no allocation.
    public init?(utf8 text: UnsafeBufferPointer<UInt8>) {
        guard text.count >= 2, text.count <= 45 else { return nil }
        if let bits = IPAddress.version4(text) {
            self.init(version4: bits)
        } else if text.contains(UInt8(ascii: ":")) {
            guard let address = IPAddress.version6(text) else { return nil }
            self = address
        } else {
            return nil
        }
    }

    private static func version4(_ text: UnsafeBufferPointer<UInt8>) -> UInt32? {
        guard text.count >= 7, text.count <= 15 else { return nil }
        var bits: UInt32 = 0
        var place = 0
        for part in 0..<4 {
            guard place < text.count else { return nil }
            var number = UInt32(text[place] &- UInt8(ascii: "0"))
            guard number <= 9 else { return nil }
            place += 1
            // A zero stands alone.
            while number > 0, place < text.count {
                let digit = text[place] &- UInt8(ascii: "0")
                if digit > 9 { break }
                number = number * 10 + UInt32(digit)
                guard number <= 255 else { return nil }
                place += 1
            }
            bits = bits << 8 | number
            if part < 3 {
                guard place < text.count, text[place] == UInt8(ascii: ".") else { return nil }
                place += 1
            }
        }
        return place == text.count ? bits : nil
    }

    private static func version6(_ text: UnsafeBufferPointer<UInt8>) -> IPAddress? {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var groups = 0
        func append(_ group: UInt64) {
            high = high << 16 | low >> 48
            low = low << 16 | group
            groups += 1
        }
        // Where `::` stands, counted in groups, and how many groups were read before it.
        var gap: Int?
        var place = 0
        if text[0] == UInt8(ascii: ":") {
            guard text[1] == UInt8(ascii: ":") else { return nil }
            gap = 0
            place = 2
        }
        while place < text.count {
            var group: UInt64 = 0
            let start = place
            while place < text.count, let digit = hexadecimal(text[place]), place - start < 4 {
                group = group << 4 | digit
                place += 1
            }
            if place < text.count, text[place] == UInt8(ascii: ".") {
                guard groups <= 6,
                    let bits = version4(UnsafeBufferPointer(rebasing: text[start...]))
                else { return nil }
                append(UInt64(bits >> 16))
                append(UInt64(bits & 0xFFFF))
                break
            }
            guard place > start, groups < 8 else { return nil }
            append(group)
            if place == text.count { break }
            guard text[place] == UInt8(ascii: ":") else { return nil }
            place += 1
            if place < text.count, text[place] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = groups
                place += 1
            } else if place == text.count {
                return nil
            }
        }
        guard let gap else { return groups == 8 ? IPAddress(high: high, low: low) : nil }
        guard groups < 8 else { return nil }
        // Move the groups before the gap to the front.
        var all = [UInt64](repeating: 0, count: 8)
        for index in 0..<groups {
            let fromEnd = groups - 1 - index
            let half = fromEnd < 4 ? low : high
            let group = half >> UInt64(fromEnd % 4 * 16) & 0xFFFF
            all[index < gap ? index : index + 8 - groups] = group
        }
        return IPAddress(
            high: all[0] << 48 | all[1] << 32 | all[2] << 16 | all[3],
            low: all[4] << 48 | all[5] << 32 | all[6] << 16 | all[7])
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - 0x30)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - 0x57)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - 0x37)
        default: nil
        }
    }

    /// The usual form: version 6 in the form of RFC 5952, mapped addresses as version 4.
    public var description: String {
        if isVersion4 {
            return "\(low >> 24 & 0xFF).\(low >> 16 & 0xFF).\(low >> 8 & 0xFF).\(low & 0xFF)"
        }
        var groups: [UInt64] = []
        for half in [high, low] {
            for shift in stride(from: UInt64(48), through: 0, by: -16) {
                groups.append(half >> shift & 0xFFFF)
            }
        }
        // The longest run of at least two zero groups becomes `::`, the first of equally long ones.
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start >= 2, end - start > best.count { best = start..<end }
            start = max(end, start + 1)
        }
        func joined(_ part: ArraySlice<UInt64>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        if best.isEmpty { return joined(groups[...]) }
        return joined(groups[..<best.lowerBound]) + "::" + joined(groups[best.upperBound...])
    }
}

extension IPNetwork: CustomStringConvertible {
    /// Reads `10.0.0.0/8` or `2001:db8::/32`; an address alone is a network of one.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(String(first)), parts.count <= 2
        else {
            return nil
        }
        guard parts.count == 2 else {
            self.init(address: address, prefix: 128)
            return
        }
        let digits = parts[1].utf8
        guard digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let length = UInt8(parts[1]) else {
            return nil
        }
        let isVersion4 = !first.utf8.contains(UInt8(ascii: ":"))
        guard length <= (isVersion4 ? 32 : 128) else { return nil }
        self.init(address: address, prefix: isVersion4 ? length + 96 : length)
    }

    public var description: String {
        if address.isVersion4, prefix >= 96 { return "\(address)/\(prefix - 96)" }
        return "\(address)/\(prefix)"
    }
}
