import RuleModel

/// A value that can be added or put in order: a number, a span or a time.
///
/// Everything else, and a number that is none (NaN), is missing to an aggregate (T7).
enum Quantity: Sendable {
    case whole(Int64)
    case decimal(Double)
    case span(Int64)
    case time(Int64)

    init?(_ value: Value) {
        switch value {
        case .int(let number): self = .whole(number)
        case .float(let number):
            if number.isNaN { return nil }
            self = .decimal(number)
        case .span(let span): self = .span(span.nanoseconds)
        case .time(let time): self = .time(time.nanoseconds)
        case .missing, .bool, .text, .ip, .network, .list: return nil
        }
    }

    var value: Value {
        switch self {
        case .whole(let number): .int(number)
        case .decimal(let number): .float(number)
        case .span(let nanoseconds): .span(TimeSpan(nanoseconds: nanoseconds))
        case .time(let nanoseconds): .time(Timestamp(nanoseconds: nanoseconds))
        }
    }

    /// The nearest decimal number; nanoseconds of a span; nil for a time.
    var decimal: Double? {
        switch self {
        case .whole(let number): Double(number)
        case .decimal(let number): number
        case .span(let nanoseconds): Double(nanoseconds)
        case .time: nil
        }
    }

    /// Numbers by value, whole or decimal (T7); before spans, before times, which only data without
    /// a declared type can mix.
    static func < (left: Quantity, right: Quantity) -> Bool {
        switch (left, right) {
        case (.whole(let left), .whole(let right)): left < right
        case (.decimal(let left), .decimal(let right)): left < right
        case (.whole(let left), .decimal(let right)): less(left, right)
        case (.decimal(let left), .whole(let right)): greater(right, left)
        case (.span(let left), .span(let right)): left < right
        case (.time(let left), .time(let right)): left < right
        default: left.rank < right.rank
        }
    }

    private var rank: Int {
        switch self {
        case .whole, .decimal: 0
        case .span: 1
        case .time: 2
        }
    }

    /// Exact, where turning the whole number into a decimal one would round it.
    private static func less(_ whole: Int64, _ decimal: Double) -> Bool {
        if decimal >= 0x1p63 { return true }
        if decimal < -0x1p63 { return false }
        return whole < Int64(decimal.rounded(.up))
    }

    private static func greater(_ whole: Int64, _ decimal: Double) -> Bool {
        if decimal >= 0x1p63 { return false }
        if decimal < -0x1p63 { return true }
        return whole > Int64(decimal.rounded(.down))
    }
}
