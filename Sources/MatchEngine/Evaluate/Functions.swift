import Glibc
import RuleModel

/// What the functions of expressions compute. A missing argument makes the result missing.
enum Functions {
    static func call(_ function: Function, _ arguments: [Value]) -> Value {
        guard let first = arguments.first, !arguments.contains(where: \.isMissing) else {
            return .missing
        }
        switch function {
        case .abs:
            if Comparisons.order(first, zero(like: first)) == -1 { return Numbers.negated(first) }
            return first
        case .round: return rounded(first, .toNearestOrAwayFromZero)
        case .floor: return rounded(first, .down)
        case .ceil: return rounded(first, .up)
        case .sqrt: return Numbers.double(first).map { Numbers.value($0.squareRoot()) } ?? .missing
        case .min: return Numbers.aggregate(.min, arguments)
        case .max: return Numbers.aggregate(.max, arguments)
        case .hours: return span(first, in: .hour)
        case .minutes: return span(first, in: .minute)
        case .seconds: return span(first, in: .second)
        case .days: return span(first, in: .day)
        case .geoKilometres: return geoKilometres(arguments)
        case .lower: return map(first) { $0.lowercased() }
        case .upper: return map(first) { $0.uppercased() }
        case .length:
            if case .text(let text) = first { return .int(Int64(text.string.unicodeScalars.count)) }
            if case .list(let values) = first { return .int(Int64(values.count)) }
            return .missing
        case .number: return number(first)
        case .text: return .text(ValueText.plain(first))
        case .hourOfDay: return calendar(first) { _, seconds in seconds / 3600 }
        // 1970-01-01 was a Thursday.
        case .dayOfWeek: return calendar(first) { days, _ in ((days + 3) % 7 + 7) % 7 + 1 }
        case .listSum: return aggregate(.sum, first)
        case .listAvg: return aggregate(.avg, first)
        case .listDistinct: return aggregate(.distinct, first)
        case .listMin: return aggregate(.min, first)
        case .listMax: return aggregate(.max, first)
        }
    }

    /// e to the power of a number.
    static func exponential(_ number: Double) -> Double { exp(number) }

    private static func zero(like value: Value) -> Value {
        if case .span = value { return .span(.zero) }
        return .int(0)
    }

    private static func rounded(_ value: Value, _ rule: FloatingPointRoundingRule) -> Value {
        if case .float(let number) = value { return Numbers.wholeValue(number.rounded(rule)) }
        if case .int = value { return value }
        return .missing
    }

    private static func span(_ value: Value, in unit: TimeSpan) -> Value {
        guard case .span(let span) = value else { return .missing }
        return .float(Double(span.nanoseconds) / Double(unit.nanoseconds))
    }

    private static func map(_ value: Value, _ change: (String) -> String) -> Value {
        guard case .text(let text) = value else { return .missing }
        return .text(change(text.string))
    }

    private static func number(_ value: Value) -> Value {
        switch value {
        case .int, .float: return value
        case .text(let text):
            if let whole = Int64(text.string) { return .int(whole) }
            // `Double` reads `0x1F`, `nan` and `infinity`, too, which are names or codes here.
            guard text.string.utf8.allSatisfy(isDecimal) else { return .missing }
            return Double(text.string).map(Numbers.value) ?? .missing
        default: return .missing
        }
    }

    private static func isDecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
            UInt8(ascii: "+"), UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    private static func calendar(_ value: Value, _ part: (Int64, Int64) -> Int64) -> Value {
        guard case .time(let time) = value else { return .missing }
        var seconds = time.nanoseconds / 1_000_000_000
        if time.nanoseconds % 1_000_000_000 < 0 { seconds -= 1 }
        var days = seconds / 86_400
        if seconds % 86_400 < 0 { days -= 1 }
        return .int(part(days, seconds - days * 86_400))
    }

    private static func aggregate(_ function: AggregateFunction, _ value: Value) -> Value {
        guard case .list(let values) = value else { return .missing }
        return Numbers.aggregate(function, values)
    }

    /// The great-circle distance by the haversine formula, on a sphere of the mean radius of the
    /// Earth (6371.0088 km). Missing for a latitude outside ±90 or a longitude outside ±360.
    private static func geoKilometres(_ arguments: [Value]) -> Value {
        let degrees = arguments.compactMap(Numbers.double)
        guard degrees.count == 4, abs(degrees[0]) <= 90, abs(degrees[2]) <= 90,
            abs(degrees[1]) <= 360, abs(degrees[3]) <= 360
        else { return .missing }
        let radians = degrees.map { $0 * Double.pi / 180 }
        let latitude = sin((radians[2] - radians[0]) / 2)
        let longitude = sin((radians[3] - radians[1]) / 2)
        let chord =
            latitude * latitude + cos(radians[0]) * cos(radians[2]) * longitude * longitude
        return .float(2 * 6371.0088 * asin(min(1, chord.squareRoot())))
    }
}
