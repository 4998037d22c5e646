import RuleModel

/// Arithmetic on values. Without an answer (division by zero, kinds that do not fit) it is missing;
/// whole numbers that do not fit go over to decimals.
enum Numbers {
    static func double(_ value: Value) -> Double? {
        switch value {
        case .int(let number): Double(number)
        case .float(let number): number
        default: nil
        }
    }

    /// A decimal as a value; missing when it is not finite.
    static func value(_ number: Double) -> Value { number.isFinite ? .float(number) : .missing }

    /// A decimal without a fraction as a whole number where it fits.
    static func wholeValue(_ number: Double) -> Value {
        if let whole = Int64(exactly: number) { return .int(whole) }
        return value(number)
    }

    static func apply(_ operation: Arithmetic, _ left: Value, _ right: Value) -> Value {
        switch (left, right) {
        case (.int(let left), .int(let right)): return whole(operation, left, right)
        case (.time(let left), .time(let right)) where operation == .subtract:
            return .span(left - right)
        case (.time(let time), .span(let span)) where operation == .add: return .time(time + span)
        case (.span(let span), .time(let time)) where operation == .add: return .time(time + span)
        case (.time(let time), .span(let span)) where operation == .subtract:
            return .time(time - span)
        case (.span(let left), .span(let right)): return spans(operation, left, right)
        case (.text(let left), .text(let right)) where operation == .add:
            return .text(left.string + right.string)
        case (.span(let span), _):
            guard let factor = double(right) else { return .missing }
            if operation == .multiply { return scaled(span, by: factor) }
            if operation == .divide, factor != 0 { return scaled(span, by: 1 / factor) }
            return .missing
        case (_, .span(let span)):
            guard operation == .multiply, let factor = double(left) else { return .missing }
            return scaled(span, by: factor)
        default:
            guard let first = double(left), let second = double(right) else { return .missing }
            return value(decimal(operation, first, second))
        }
    }

    static func negated(_ value: Value) -> Value {
        switch value {
        case .int(let number): number == .min ? .float(-Double(number)) : .int(-number)
        case .float(let number): .float(-number)
        case .span(let span): .span(TimeSpan.zero - span)
        default: .missing
        }
    }

    private static func whole(_ operation: Arithmetic, _ left: Int64, _ right: Int64) -> Value {
        let result: (partialValue: Int64, overflow: Bool)
        switch operation {
        case .add: result = left.addingReportingOverflow(right)
        case .subtract: result = left.subtractingReportingOverflow(right)
        case .multiply: result = left.multipliedReportingOverflow(by: right)
        case .divide:
            if right == 0 { return .missing }
            result = left.remainderReportingOverflow(dividingBy: right)
            if !result.overflow, result.partialValue == 0 { return .int(left / right) }
            return value(Double(left) / Double(right))
        case .remainder:
            if right == 0 { return .missing }
            result = left.remainderReportingOverflow(dividingBy: right)
        }
        if !result.overflow { return .int(result.partialValue) }
        return value(decimal(operation, Double(left), Double(right)))
    }

    private static func decimal(_ operation: Arithmetic, _ left: Double, _ right: Double) -> Double
    {
        switch operation {
        case .add: left + right
        case .subtract: left - right
        case .multiply: left * right
        case .divide: left / right
        case .remainder: left.truncatingRemainder(dividingBy: right)
        }
    }

    private static func spans(_ operation: Arithmetic, _ left: TimeSpan, _ right: TimeSpan) -> Value
    {
        switch operation {
        case .add: return .span(left + right)
        case .subtract: return .span(left - right)
        case .multiply: return .missing
        case .divide: return value(left.seconds / right.seconds)
        case .remainder:
            if right.nanoseconds == 0 || right.nanoseconds == -1 { return .missing }
            return .span(TimeSpan(nanoseconds: left.nanoseconds % right.nanoseconds))
        }
    }

    private static func scaled(_ span: TimeSpan, by factor: Double) -> Value {
        let nanoseconds = (Double(span.nanoseconds) * factor).rounded()
        guard nanoseconds.isFinite else { return .missing }
        // Saturates like all arithmetic on spans.
        if nanoseconds >= 0x1p63 { return .span(TimeSpan(nanoseconds: .max)) }
        if nanoseconds < -0x1p63 { return .span(TimeSpan(nanoseconds: .min)) }
        return .span(TimeSpan(nanoseconds: Int64(nanoseconds)))
    }

    // MARK: - Lists

    /// What a list of values amounts to; missing values are not in it. `count` and `sum` of nothing
    /// are 0, all others missing.
    static func aggregate(_ function: AggregateFunction, _ values: [Value]) -> Value {
        switch function {
        case .count: return .int(Int64(values.count))
        case .first: return values.first ?? .missing
        case .last: return values.last ?? .missing
        case .sum:
            guard var sum = values.first else { return .int(0) }
            for value in values.dropFirst() { sum = apply(.add, sum, value) }
            return sum
        case .avg:
            guard !values.isEmpty else { return .missing }
            return apply(.divide, aggregate(.sum, values), .float(Double(values.count)))
        case .min, .max:
            guard var best = values.first else { return .missing }
            for value in values.dropFirst() {
                guard let order = Comparisons.order(value, best) else { continue }
                if function == .min ? order < 0 : order > 0 { best = value }
            }
            return best
        case .distinct: return .int(Int64(Set(values.map(Comparisons.canonical)).count))
        // Both need more than the values; the compiler refuses them over steps.
        case .percentile, .rate: return .missing
        }
    }
}
