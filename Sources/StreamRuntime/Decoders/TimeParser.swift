import RuleModel

/// What the text or number of a time field says.
enum ParsedTime: Equatable, Sendable {
    /// Nanoseconds since 1970 UTC.
    case time(Int64)
    /// Neither RFC 3339 nor a number.
    case unreadable
    /// A time, but before 1971 or after 2200: a zero, a wrong unit, a broken clock.
    case absurd
}

/// Reads event times without Foundation, which takes 500 ns for what takes 10 ns here.
///
/// Texts are RFC 3339 (`2026-01-02T03:04:05.678Z`, with `t` or a space for the `T`, any offset,
/// any number of decimals of which nine count) or a number. Numbers are time since 1970 in the unit
/// that their size tells: below 1e11 seconds, below 1e14 milliseconds, below 1e17 microseconds,
/// else nanoseconds; with that, times from 1973 to 2200 are told apart for certain.
struct TimeParser {
    /// 1971-01-01T00:00:00Z in seconds.
    private static let secondsMin: Int64 = 31_536_000
    /// 2201-01-01T00:00:00Z in seconds.
    private static let secondsEnd: Int64 = 7_289_654_400

    /// The bytes of the date read last, and its first second. Neighbours mostly share their date.
    private var date: (head: UInt64, tail: UInt64) = (0, 0)
    private var dateSeconds: Int64 = 0

    /// The time that a text stands for. Sixteen bytes behind the text must be readable.
    mutating func parse(_ text: UnsafeBufferPointer<UInt8>) -> ParsedTime {
        guard let start = text.baseAddress, !text.isEmpty else { return .unreadable }
        // A date has its first dash at place 4; no number has.
        if text.count >= 20, start[4] == UInt8(ascii: "-") { return instant(start, text.count) }
        return TimeParser.number(text)
    }

    // MARK: - RFC 3339

    private mutating func instant(_ text: BytePointer, _ count: Int) -> ParsedTime {
        // `2026-01-` and `02`, compared as words.
        let head = loadWord(text)
        let tail = loadWord(text + 8) & 0xFFFF
        if head != date.head || tail != date.tail {
            guard let seconds = TimeParser.secondsOfDate(text) else { return .unreadable }
            date = (head, tail)
            dateSeconds = seconds
        }
        let hour = TimeParser.twoDigits(text + 11)
        let minute = TimeParser.twoDigits(text + 14)
        let second = TimeParser.twoDigits(text + 17)
        guard text[10] | 0x20 == UInt8(ascii: "t") || text[10] == UInt8(ascii: " "),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            // Second 60 is a leap second; without a table it is the first of the next minute.
            hour <= 23, minute <= 59, second <= 60
        else { return .unreadable }

        var place = 19
        var nanoseconds: Int64 = 0
        if text[place] == UInt8(ascii: ".") {
            place += 1
            let first = place
            var unit: Int64 = 100_000_000
            while place < count, text[place] &- 0x30 <= 9 {
                nanoseconds += Int64(text[place] &- 0x30) * unit
                unit /= 10
                place += 1
            }
            if place == first { return .unreadable }
        }
        guard let offset = TimeParser.offsetSeconds(text + place, count - place) else {
            return .unreadable
        }
        let seconds = dateSeconds + hour * 3600 + minute * 60 + second - offset
        return TimeParser.checked(seconds, nanoseconds)
    }

    /// The first second of a date such as `2026-01-02`; nil if it is none.
    private static func secondsOfDate(_ text: BytePointer) -> Int64? {
        let century = twoDigits(text)
        let yearOfCentury = twoDigits(text + 2)
        let month = twoDigits(text + 5)
        let day = twoDigits(text + 8)
        let year = century * 100 + yearOfCentury
        guard century <= 99, yearOfCentury <= 99, text[4] == UInt8(ascii: "-"),
            text[7] == UInt8(ascii: "-"), month >= 1, month <= 12, day >= 1,
            day <= 28 || day <= days(in: month, of: year)
        else { return nil }
        return daysSince1970(year: year, month: month, day: day) * 86_400
    }

    /// A number of two digits; far more than 99 if one of them is no digit.
    @inline(__always)
    private static func twoDigits(_ text: BytePointer) -> Int64 {
        let tens = text[0] &- 0x30
        let ones = text[1] &- 0x30
        return tens > 9 || ones > 9 ? 1000 : Int64(tens) * 10 + Int64(ones)
    }

    /// The offset at the end of a time: `Z`, `+02:00`, `-0530`. Nil if it is none of these.
    private static func offsetSeconds(_ text: BytePointer, _ count: Int) -> Int64? {
        if count == 1 { return text[0] | 0x20 == UInt8(ascii: "z") ? 0 : nil }
        guard count == 6 && text[3] == UInt8(ascii: ":") || count == 5,
            text[0] == UInt8(ascii: "+") || text[0] == UInt8(ascii: "-")
        else { return nil }
        let hours = twoDigits(text + 1)
        let minutes = twoDigits(text + count - 2)
        guard hours <= 23, minutes <= 59 else { return nil }
        let seconds = hours * 3600 + minutes * 60
        return text[0] == UInt8(ascii: "-") ? -seconds : seconds
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // MARK: - Numbers

    /// The time of a number written in digits, with or without decimals, exact to the nanosecond.
    static func number(_ text: UnsafeBufferPointer<UInt8>) -> ParsedTime {
        var place = 0
        let isNegative = text.first == UInt8(ascii: "-")
        if isNegative { place = 1 }
        let first = place
        var whole: Int64 = 0
        var isHuge = false
        while place < text.count, text[place] &- 0x30 <= 9 {
            if whole > Int64.max / 10 - 1 {
                isHuge = true
            } else {
                whole = whole * 10 + Int64(text[place] &- 0x30)
            }
            place += 1
        }
        if place == first { return .unreadable }
        let fraction = place
        if place < text.count, text[place] == UInt8(ascii: ".") {
            place += 1
            while place < text.count, text[place] &- 0x30 <= 9 { place += 1 }
            if place == fraction + 1 { return .unreadable }
        }
        if place < text.count {
            // An exponent is rare enough for a detour over the binary form.
            guard text[place] | 0x20 == UInt8(ascii: "e"),
                let value = Double(String(decoding: text, as: UTF8.self))
            else { return .unreadable }
            return time(of: value)
        }
        if isNegative || isHuge { return .absurd }
        let unit = nanosecondsPerUnit(whole)
        let perSecond = 1_000_000_000 / unit
        var nanoseconds = whole % perSecond * unit
        var digitUnit = unit / 10
        for digit in text[fraction..<text.count].dropFirst() where digitUnit > 0 {
            nanoseconds += Int64(digit &- 0x30) * digitUnit
            digitUnit /= 10
        }
        return checked(whole / perSecond, nanoseconds)
    }

    private static func time(of value: Double) -> ParsedTime {
        // The comparison is false for what is not finite.
        guard value >= 0, value < 9e18 else { return .absurd }
        let whole = Int64(value)
        let unit = nanosecondsPerUnit(whole)
        let perSecond = 1_000_000_000 / unit
        let rest = Int64((value - Double(whole)) * Double(unit))
        return checked(whole / perSecond, whole % perSecond * unit + rest)
    }

    private static func nanosecondsPerUnit(_ size: Int64) -> Int64 {
        if size < 100_000_000_000 { return 1_000_000_000 }
        if size < 100_000_000_000_000 { return 1_000_000 }
        if size < 100_000_000_000_000_000 { return 1_000 }
        return 1
    }

    private static func checked(_ seconds: Int64, _ nanoseconds: Int64) -> ParsedTime {
        guard seconds >= secondsMin, seconds < secondsEnd else { return .absurd }
        return .time(seconds * 1_000_000_000 + nanoseconds)
    }
}
