/// A point in event time: nanoseconds since 1970-01-01T00:00:00 UTC, without leap seconds.
///
/// Covers the years 1677 to 2262. Arithmetic saturates at both ends, so that a hostile time in the
/// data can never overflow a deadline.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Before every event.
    @inlinable public static var distantPast: Timestamp { Timestamp(nanoseconds: .min) }
    /// After every event.
    @inlinable public static var distantFuture: Timestamp { Timestamp(nanoseconds: .max) }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    public static func + (left: Timestamp, right: TimeSpan) -> Timestamp {
        Timestamp(nanoseconds: saturatingAdd(left.nanoseconds, right.nanoseconds))
    }

    public static func - (left: Timestamp, right: TimeSpan) -> Timestamp {
        Timestamp(nanoseconds: saturatingSubtract(left.nanoseconds, right.nanoseconds))
    }

    public static func - (left: Timestamp, right: Timestamp) -> TimeSpan {
        TimeSpan(nanoseconds: saturatingSubtract(left.nanoseconds, right.nanoseconds))
    }
}

/// A length of time in nanoseconds; may be negative. Arithmetic saturates.
public struct TimeSpan: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    @inlinable public static var zero: TimeSpan { TimeSpan(nanoseconds: 0) }
    @inlinable public static var second: TimeSpan { TimeSpan(nanoseconds: 1_000_000_000) }
    @inlinable public static var minute: TimeSpan { TimeSpan(nanoseconds: 60_000_000_000) }
    @inlinable public static var hour: TimeSpan { TimeSpan(nanoseconds: 3_600_000_000_000) }
    @inlinable public static var day: TimeSpan { TimeSpan(nanoseconds: 86_400_000_000_000) }

    /// The span in seconds, as a decimal number.
    public var seconds: Double { Double(nanoseconds) / 1e9 }

    public static func < (left: TimeSpan, right: TimeSpan) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    public static func + (left: TimeSpan, right: TimeSpan) -> TimeSpan {
        TimeSpan(nanoseconds: saturatingAdd(left.nanoseconds, right.nanoseconds))
    }

    public static func - (left: TimeSpan, right: TimeSpan) -> TimeSpan {
        TimeSpan(nanoseconds: saturatingSubtract(left.nanoseconds, right.nanoseconds))
    }

    public static func * (left: TimeSpan, right: Int64) -> TimeSpan {
        let (product, overflow) = left.nanoseconds.multipliedReportingOverflow(by: right)
        if !overflow { return TimeSpan(nanoseconds: product) }
        return TimeSpan(nanoseconds: (left.nanoseconds < 0) == (right < 0) ? .max : .min)
    }
}

private func saturatingAdd(_ left: Int64, _ right: Int64) -> Int64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? (right < 0 ? .min : .max) : sum
}

private func saturatingSubtract(_ left: Int64, _ right: Int64) -> Int64 {
    let (difference, overflow) = left.subtractingReportingOverflow(right)
    return overflow ? (right < 0 ? .max : .min) : difference
}

extension TimeSpan: CustomStringConvertible {
    /// The span as the language writes it: `1h30m`, `90s` is printed as `1m30s`, `1.5ms` as `1500us`.
    public var description: String {
        if nanoseconds == 0 { return "0s" }
        var rest = nanoseconds.magnitude
        var text = nanoseconds < 0 ? "-" : ""
        for (unit, size) in TimeSpan.printedUnits where rest >= size {
            text += "\(rest / size)\(unit)"
            rest %= size
        }
        return text
    }

    private static let printedUnits: [(String, UInt64)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000),
        ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1),
    ]
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with as many decimals (0, 3, 6 or 9) as are needed: `2026-01-02T03:04:05.250Z`.
    public var description: String {
        String(
            unsafeUninitializedCapacity: Timestamp.textLengthMax, initializingUTF8With: writeText)
    }

    /// The longest text has thirty bytes: years have four digits, decimals nine.
    static let textLengthMax = 30

    /// Writes `description` to the beginning of a buffer of at least `textLengthMax` bytes and returns
    /// its length.
    func writeText(to bytes: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var seconds = nanoseconds / 1_000_000_000
        var fraction = nanoseconds % 1_000_000_000
        if fraction < 0 {
            fraction += 1_000_000_000
            seconds -= 1
        }
        var days = seconds / 86_400
        var secondOfDay = seconds % 86_400
        if secondOfDay < 0 {
            secondOfDay += 86_400
            days -= 1
        }
        let (year, month, day) = civilDate(daysSince1970: days)
        var count = 0
        func put(_ sign: Unicode.Scalar) {
            bytes[count] = UInt8(ascii: sign)
            count += 1
        }
        func put(_ number: Int64, digits: Int) {
            var rest = number
            for place in stride(from: digits - 1, through: 0, by: -1) {
                bytes[count + place] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
            count += digits
        }
        put(year, digits: 4)
        put("-")
        put(month, digits: 2)
        put("-")
        put(day, digits: 2)
        put("T")
        put(secondOfDay / 3600, digits: 2)
        put(":")
        put(secondOfDay / 60 % 60, digits: 2)
        put(":")
        put(secondOfDay % 60, digits: 2)
        if fraction != 0 {
            put(".")
            if fraction % 1_000_000 == 0 {
                put(fraction / 1_000_000, digits: 3)
            } else if fraction % 1000 == 0 {
                put(fraction / 1000, digits: 6)
            } else {
                put(fraction, digits: 9)
            }
        }
        put("Z")
        return count
    }
}

/// The date in the proleptic Gregorian calendar.
///
/// - SeeAlso: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013, `civil_from_days`.
public func civilDate(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar; the inverse of `civilDate`.
///
/// - Precondition: `month` is in 1...12 and `day` in 1...31.
public func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
}
