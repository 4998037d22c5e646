/// Units of time and size as they are written behind a number.
enum Units {
    /// Nanoseconds of a unit of time; nil if there is no such unit.
    static func nanoseconds(of unit: some Collection<UInt8>) -> Int64? {
        switch String(decoding: unit, as: UTF8.self) {
        case "ns": 1
        case "us": 1000
        case "ms": 1_000_000
        case "s": 1_000_000_000
        case "m": 60_000_000_000
        case "h": 3_600_000_000_000
        case "d": 86_400_000_000_000
        case "w": 604_800_000_000_000
        default: nil
        }
    }

    /// Bytes of a unit of size; nil if there is no such unit.
    static func size(of unit: some Collection<UInt8>) -> Int64? {
        switch String(decoding: unit, as: UTF8.self) {
        case "B": 1
        case "kB": 1000
        case "MB": 1_000_000
        case "GB": 1_000_000_000
        case "TB": 1_000_000_000_000
        case "KiB": 1 << 10
        case "MiB": 1 << 20
        case "GiB": 1 << 30
        case "TiB": 1 << 40
        default: nil
        }
    }

    /// Whether this can stand behind the first digits of a duration: `h30m`.
    static func isDurationTail(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let unit = rest.prefix { $0.startsName }
            guard nanoseconds(of: unit) != nil else { return false }
            rest = rest.dropFirst(unit.count)
            guard !rest.isEmpty else { return true }
            let digits = rest.prefix { $0.isDigit || $0 == UInt8(ascii: ".") }
            // Digits at the very end have no unit.
            guard !digits.isEmpty, digits.count < rest.count else { return false }
            rest = rest.dropFirst(digits.count)
        }
        return false
    }

    /// The unit that people mean by the words of other systems; nil for words that are no time.
    static func unit(meantBy word: String) -> String? {
        switch word.lowercased() {
        case "nanosecond", "nanoseconds", "nanos", "ns": "ns"
        case "microsecond", "microseconds", "micros", "us", "µs": "us"
        case "millisecond", "milliseconds", "millis", "msec", "msecs", "ms": "ms"
        case "second", "seconds", "sec", "secs", "s": "s"
        case "minute", "minutes", "min", "mins", "m": "m"
        case "hour", "hours", "hr", "hrs", "h": "h"
        case "day", "days", "d": "d"
        case "week", "weeks", "wk", "wks", "w": "w"
        default: nil
        }
    }

    /// Spans that have no fixed length.
    static func isCalendarWord(_ word: String) -> Bool {
        ["month", "months", "mo", "year", "years", "yr", "y"].contains(word.lowercased())
    }
}

/// Values of literals, read from their bytes.
enum Literals {
    /// Nanoseconds of `1h30m`; nil if they do not fit in 63 bits.
    static func duration(_ bytes: ArraySlice<UInt8>) -> Int64? {
        var total: Int64 = 0
        var rest = bytes
        while !rest.isEmpty {
            let digits = rest.prefix { !$0.startsName || $0 == UInt8(ascii: "_") }
            let unit = rest.dropFirst(digits.count).prefix { $0.startsName }
            rest = rest.dropFirst(digits.count + unit.count)
            guard let scale = Units.nanoseconds(of: unit), let part = product(digits, scale) else {
                return nil
            }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { return nil }
            total = sum
        }
        return total
    }

    /// A decimal number times a scale, exact where the result is whole.
    private static func product(_ digits: ArraySlice<UInt8>, _ scale: Int64) -> Int64? {
        let text = String(decoding: digits.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
        if let whole = Int64(text) {
            let (value, overflow) = whole.multipliedReportingOverflow(by: scale)
            return overflow ? nil : value
        }
        guard let number = Double(text) else { return nil }
        return Int64(exactly: (number * Double(scale)).rounded())
    }

    /// The value of a number, percent or size; `integer` is nil for one that is not whole or does
    /// not fit. Nil if the number is beyond every `Double`.
    static func number(_ bytes: ArraySlice<UInt8>, _ kind: Token.Kind) -> (
        value: Double, integer: Int64?
    )? {
        let digits = bytes.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "%") }
        switch kind {
        case .size:
            let unit = digits.drop { !$0.startsName }
            let number = digits.prefix { !$0.startsName }
            guard let scale = Units.size(of: unit), let value = Double(ascii: number) else {
                return nil
            }
            let bytes = value * Double(scale)
            return bytes.isFinite
                ? (bytes, product(number, scale).flatMap { Double($0) == bytes ? $0 : nil }) : nil
        case .percent:
            guard let value = Double(ascii: digits[...]), value.isFinite else { return nil }
            return (value / 100, Int64(exactly: value / 100))
        default:
            guard let value = Double(ascii: digits[...]), value.isFinite else { return nil }
            let integer = kind == .integer ? Int64(String(decoding: digits, as: UTF8.self)) : nil
            return (value, integer)
        }
    }

    /// A mistake inside a text, with the offset of its backslash.
    struct EscapeFault {
        var offset: Int
        var length: Int
        /// `\u{...}` with no character behind the number.
        var isBadScalar: Bool
    }

    /// The text of bytes between quotes with its escapes undone. Faulty escapes stay as written.
    static func text(_ bytes: ArraySlice<UInt8>, faults: inout [EscapeFault]) -> String {
        guard bytes.contains(UInt8(ascii: "\\")) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        var result: [UInt8] = []
        var position = bytes.startIndex
        while position < bytes.endIndex {
            let byte = bytes[position]
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                position += 1
                continue
            }
            let length = escape(bytes[position...], into: &result, faults: &faults)
            position += length
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Reads one escape at the start of `bytes`, and says how long it is.
    private static func escape(
        _ bytes: ArraySlice<UInt8>, into result: inout [UInt8], faults: inout [EscapeFault]
    ) -> Int {
        let start = bytes.startIndex
        guard let letter = bytes.dropFirst().first else {
            result.append(bytes[start])
            return 1
        }
        switch letter {
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "{"), UInt8(ascii: "}"),
            UInt8(ascii: "'"):
            result.append(letter)
        case UInt8(ascii: "u"):
            let braces = bytes.dropFirst(2).prefix(10)
            guard braces.first == UInt8(ascii: "{"),
                let close = braces.firstIndex(of: UInt8(ascii: "}"))
            else {
                faults.append(EscapeFault(offset: start, length: 2, isBadScalar: true))
                result.append(contentsOf: bytes.prefix(2))
                return 2
            }
            let length = close + 1 - start
            let digits = String(decoding: braces[(braces.startIndex + 1)..<close], as: UTF8.self)
            if let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) {
                result.append(contentsOf: String(scalar).utf8)
            } else {
                faults.append(EscapeFault(offset: start, length: length, isBadScalar: true))
                result.append(contentsOf: bytes.prefix(length))
            }
            return length
        default:
            // The letter may be the first byte of a longer character.
            let tail = bytes.dropFirst(2).prefix(3).prefix { $0 & 0xC0 == 0x80 }
            let length = 2 + (letter >= 0xC0 ? tail.count : 0)
            faults.append(EscapeFault(offset: start, length: length, isBadScalar: false))
            result.append(contentsOf: bytes.prefix(length))
            return length
        }
        return 2
    }
}

extension Double {
    fileprivate init?(ascii digits: ArraySlice<UInt8>) {
        self.init(String(decoding: digits, as: UTF8.self))
    }
}
