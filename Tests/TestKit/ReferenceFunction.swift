import Foundation
import RuleModel

/// What arithmetic gives; missing when there is no answer, as for a division by zero (H7).
func referenceArithmetic(_ operation: Arithmetic, _ left: Value, _ right: Value) -> Value {
    switch (operation, left, right) {
    case (_, .int(let left), .int(let right)):
        // Whole as long as it fits; beyond that, and for what division leaves over, decimal.
        let whole: (partialValue: Int64, overflow: Bool)
        switch operation {
        case .add: whole = left.addingReportingOverflow(right)
        case .subtract: whole = left.subtractingReportingOverflow(right)
        case .multiply: whole = left.multipliedReportingOverflow(by: right)
        case .remainder:
            if right == 0 { return .missing }
            return .int(right == -1 ? 0 : left % right)
        case .divide:
            if right == 0 { return .missing }
            let isExact = right != -1 && left % right == 0
            whole = (isExact ? left / right : 0, !isExact)
        }
        if !whole.overflow { return .int(whole.partialValue) }
        return inDecimals(operation, Double(left), Double(right))
    case (.subtract, .time(let left), .time(let right)): return .span(left - right)
    case (.add, .time(let time), .span(let span)), (.add, .span(let span), .time(let time)):
        return .time(time + span)
    case (.subtract, .time(let time), .span(let span)): return .time(time - span)
    case (.add, .span(let left), .span(let right)): return .span(left + right)
    case (.subtract, .span(let left), .span(let right)): return .span(left - right)
    case (.multiply, .span(let span), .int(let number)),
        (.multiply, .int(let number), .span(let span)):
        return .span(span * number)
    case (.divide, .span(let left), .span(let right)):
        return decimal(left.seconds / right.seconds)
    default:
        guard let left = number(left), let right = number(right) else { return .missing }
        return inDecimals(operation, left, right)
    }
}

private func inDecimals(_ operation: Arithmetic, _ left: Double, _ right: Double) -> Value {
    switch operation {
    case .add: decimal(left + right)
    case .subtract: decimal(left - right)
    case .multiply: decimal(left * right)
    case .divide: decimal(left / right)
    case .remainder: decimal(left.truncatingRemainder(dividingBy: right))
    }
}

/// An aggregate over values that are there, in the order of their events. On none, `count` and
/// `sum` are 0 and all others missing (H3).
func referenceAggregate(
    _ function: AggregateFunction, _ values: [Value], parameter: Double? = nil
) -> Value {
    switch function {
    case .count: return .int(Int64(values.count))
    case .sum:
        return values.reduce(.int(0)) { sum, value in
            let next = referenceArithmetic(.add, sum, value)
            return next.isMissing ? sum : next
        }
    case .avg:
        let numbers = values.compactMap(number)
        return numbers.isEmpty ? .missing : decimal(numbers.reduce(0, +) / Double(numbers.count))
    case .min: return values.min { (referenceOrder($0, $1) ?? 0) < 0 } ?? .missing
    case .max: return values.max { (referenceOrder($0, $1) ?? 0) < 0 } ?? .missing
    case .distinct:
        var seen: [Value] = []
        for value in values where !seen.contains(where: { referenceEqual($0, value) == true }) {
            seen.append(value)
        }
        return .int(Int64(seen.count))
    case .percentile:
        let sorted = values.compactMap(number).sorted()
        guard let parameter, !sorted.isEmpty else { return .missing }
        let rank = parameter / 100 * Double(sorted.count - 1)
        let below = Int(rank.rounded(.down))
        let above = min(below + 1, sorted.count - 1)
        return .float(sorted[below] + (rank - Double(below)) * (sorted[above] - sorted[below]))
    case .first: return values.first ?? .missing
    case .last: return values.last ?? .missing
    case .rate: return .missing
    }
}

/// The increase of a counter per second between its first and last sample. A value below the one
/// before means that the counter began anew at zero.
func referenceRate(_ samples: [(time: Timestamp, value: Value)]) -> Value {
    let points = samples.compactMap { sample in number(sample.value).map { (sample.time, $0) } }
    guard let first = points.first, let last = points.last, first.0 < last.0 else {
        return .missing
    }
    var increase = 0.0
    for (before, after) in zip(points, points.dropFirst()) {
        increase += after.1 < before.1 ? after.1 : after.1 - before.1
    }
    return .float(increase / (last.0 - first.0).seconds)
}

/// The functions of expressions.
func referenceCall(_ function: Function, _ arguments: [Value]) -> Value {
    let first = arguments.first ?? .missing
    switch function {
    case .abs:
        if case .int(let number) = first, number != .min { return .int(Swift.abs(number)) }
        return number(first).map { .float(Swift.abs($0)) } ?? .missing
    case .round, .floor, .ceil:
        // A whole number is its own neighbour.
        if case .int = first { return first }
        let rule: FloatingPointRoundingRule =
            switch function {
            case .floor: .down
            case .ceil: .up
            default: .toNearestOrAwayFromZero
            }
        return number(first).map { decimal($0.rounded(rule)) } ?? .missing
    case .sqrt: return number(first).map { decimal($0.squareRoot()) } ?? .missing
    case .min, .max:
        if arguments.contains(where: \.isMissing) { return .missing }
        return referenceAggregate(function == .min ? .min : .max, arguments)
    case .seconds, .minutes, .hours, .days:
        guard case .span(let span) = first else { return .missing }
        let unit: Double =
            switch function {
            case .minutes: 60
            case .hours: 3600
            case .days: 86_400
            default: 1
            }
        return .float(span.seconds / unit)
    case .geoKilometres:
        let degrees = arguments.compactMap(number)
        guard degrees.count == 4 else { return .missing }
        let radians = degrees.map { $0 * Double.pi / 180 }
        let height = sin((radians[2] - radians[0]) / 2)
        let width = sin((radians[3] - radians[1]) / 2)
        let chord = height * height + cos(radians[0]) * cos(radians[2]) * width * width
        return .float(2 * 6371.0088 * asin(Swift.min(1, chord.squareRoot())))
    case .lower, .upper:
        guard case .text(let text) = first else { return .missing }
        return .text(function == .lower ? text.string.lowercased() : text.string.uppercased())
    case .length:
        if case .text(let text) = first { return .int(Int64(text.string.unicodeScalars.count)) }
        if case .list(let list) = first { return .int(Int64(list.count)) }
        return .missing
    case .number:
        if case .text(let text) = first {
            if let whole = Int64(text.string) { return .int(whole) }
            let isPlain = text.string.allSatisfy { "0123456789.+-eE".contains($0) }
            return isPlain ? Double(text.string).map(decimal) ?? .missing : .missing
        }
        return number(first) == nil ? .missing : first
    case .text:
        if case .text = first { return first }
        if case .int(let number) = first { return .text(String(number)) }
        return .missing
    case .hourOfDay, .dayOfWeek:
        guard case .time(let time) = first else { return .missing }
        let hours = Int64((Double(time.nanoseconds) / 3.6e12).rounded(.down))
        let days = Int64((Double(hours) / 24).rounded(.down))
        // 1970-01-01 was a Thursday.
        return .int(function == .hourOfDay ? hours - days * 24 : ((days + 3) % 7 + 7) % 7 + 1)
    case .listSum, .listAvg, .listDistinct, .listMin, .listMax:
        guard case .list(let list) = first else { return .missing }
        let aggregate: AggregateFunction =
            switch function {
            case .listSum: .sum
            case .listAvg: .avg
            case .listDistinct: .distinct
            case .listMin: .min
            default: .max
            }
        return referenceAggregate(aggregate, list)
    }
}

private func number(_ value: Value) -> Double? {
    switch value {
    case .int(let number): return Double(number)
    case .float(let number): return number
    default: return nil
    }
}

private func decimal(_ number: Double) -> Value { number.isFinite ? .float(number) : .missing }
