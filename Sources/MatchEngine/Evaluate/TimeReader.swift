import RuleModel

extension Timestamp {
    /// A time in RFC 3339, as on a command line; a date alone is its first instant in UTC.
    public init?(rfc3339 text: String) {
        var whole = text.utf8.count == 10 ? text + "T00:00:00Z" : text
        guard let time = whole.withUTF8({ TimeReader.time($0) }) else { return nil }
        self = time
    }
}

/// Reads times and durations of fields that rules declare as such.
enum TimeReader {
    /// RFC 3339, with `T`, `t` or a space, any offset, any number of decimals.
    static func time(_ text: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        var reader = ByteReader(text)
        guard let year = reader.digits(4), reader.take("-"), let month = reader.digits(2),
            reader.take("-"), let day = reader.digits(2),
            reader.take("T") || reader.take("t") || reader.take(" "),
            let hour = reader.digits(2), reader.take(":"), let minute = reader.digits(2),
            reader.take(":"), let second = reader.digits(2),
            month >= 1, month <= 12, day >= 1, day <= 31, hour <= 23, minute <= 59, second <= 60
        else { return nil }
        let days = daysSince1970(year: year, month: month, day: day)
        // A day that its month does not have comes back as another date.
        guard civilDate(daysSince1970: days).day == day else { return nil }
        var nanoseconds: Int64 = 0
        if reader.take(".") {
            var unit: Int64 = 100_000_000
            guard let first = reader.digits(1) else { return nil }
            nanoseconds = first * unit
            while let digit = reader.digits(1) {
                unit /= 10
                nanoseconds += digit * unit
            }
        }
        var offset: Int64 = 0
        if !(reader.take("Z") || reader.take("z")) {
            let isNegative = reader.take("-")
            guard isNegative || reader.take("+"), let hours = reader.digits(2) else { return nil }
            _ = reader.take(":")
            guard let minutes = reader.digits(2), hours <= 23, minutes <= 59 else { return nil }
            offset = (hours * 3600 + minutes * 60) * (isNegative ? -1 : 1)
        }
        guard reader.isAtEnd else { return nil }
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
        let start = TimeSpan.second * seconds
        return Timestamp(nanoseconds: 0) + start + TimeSpan(nanoseconds: nanoseconds)
    }

    /// A duration as the language writes it: `90s`, `1h30m`.
    static func span(_ text: UnsafeBufferPointer<UInt8>) -> TimeSpan? {
        var reader = ByteReader(text)
        var span = TimeSpan.zero
        repeat {
            guard var count = reader.digits(1) else { return nil }
            while let digit = reader.digits(1) {
                guard count < 1_000_000_000_000 else { return nil }
                count = count * 10 + digit
            }
            let unit: TimeSpan
            if reader.take("ms") {
                unit = TimeSpan(nanoseconds: 1_000_000)
            } else if reader.take("us") {
                unit = TimeSpan(nanoseconds: 1000)
            } else if reader.take("ns") {
                unit = TimeSpan(nanoseconds: 1)
            } else if reader.take("s") {
                unit = .second
            } else if reader.take("m") {
                unit = .minute
            } else if reader.take("h") {
                unit = .hour
            } else if reader.take("d") {
                unit = .day
            } else if reader.take("w") {
                unit = .day * 7
            } else {
                return nil
            }
            span = span + unit * count
        } while !reader.isAtEnd
        return span
    }
}

/// A place in bytes.
private struct ByteReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var place = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { place == bytes.count }

    /// Takes exactly so many digits, or nothing.
    mutating func digits(_ count: Int) -> Int64? {
        guard place + count <= bytes.count else { return nil }
        var number: Int64 = 0
        for offset in 0..<count {
            let digit = bytes[place + offset] &- 0x30
            guard digit <= 9 else { return nil }
            number = number * 10 + Int64(digit)
        }
        place += count
        return number
    }

    /// Takes the text if it comes next.
    mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard place + count <= bytes.count else { return false }
        for offset in 0..<count where bytes[place + offset] != text.utf8Start[offset] {
            return false
        }
        place += count
        return true
    }
}
