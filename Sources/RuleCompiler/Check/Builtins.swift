import RuleModel

/// A function of the language: what the checker, the manual and an editor need to know of it.
public struct Builtin: Sendable {
    public struct Parameter: Sendable {
        public var name: String
        public var type: ValueType
    }

    public var name: String
    public var parameters: [Parameter]
    /// Whether more arguments of the last parameter's type may follow.
    public var isVariadic: Bool
    /// Nil: the type of the arguments.
    public var result: ValueType?
    /// One sentence.
    public var documentation: String
    /// An expression, and behind `->` what it gives.
    public var example: String
    /// What it becomes in a plan; nil for an aggregate, which depends on where it stands.
    public var function: Function?

    /// `geo_km(lat1: number, lon1: number, lat2: number, lon2: number) -> number`
    public var signature: String {
        var list = parameters.map {
            "\($0.name): \($0.type.isUnknown ? "any" : $0.type.description)"
        }
        .joined(separator: ", ")
        if isVariadic { list += ", ..." }
        return "\(name)(\(list)) -> \(result?.description ?? "same type")"
    }

    /// Every function, in the order of the reference page.
    public static let all: [Builtin] = numbers + times + texts + places

    static let byName: [String: Builtin] = Dictionary(
        all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    private init(
        _ name: String, _ parameters: [(String, ValueType)], _ result: ValueType?,
        _ function: Function, isVariadic: Bool = false, _ documentation: String,
        example: String
    ) {
        self.name = name
        self.parameters = parameters.map { Parameter(name: $0.0, type: $0.1) }
        self.isVariadic = isVariadic
        self.result = result
        self.documentation = documentation
        self.example = example
        self.function = function
    }

    private static let numbers: [Builtin] = [
        Builtin(
            "abs", [("x", .number)], .number, .abs, "The number without its sign.",
            example: "abs(-3) -> 3"),
        Builtin(
            "round", [("x", .number)], .number, .round,
            "The nearest whole number; halves go away from zero.", example: "round(2.5) -> 3"),
        Builtin(
            "floor", [("x", .number)], .number, .floor,
            "The largest whole number that is not above.",
            example: "floor(2.7) -> 2"),
        Builtin(
            "ceil", [("x", .number)], .number, .ceil,
            "The smallest whole number that is not below.",
            example: "ceil(2.1) -> 3"),
        Builtin(
            "sqrt", [("x", .number)], .number, .sqrt,
            "The square root; missing for a negative number.", example: "sqrt(9) -> 3"),
        Builtin(
            "min", [("a", .unknown), ("b", .unknown)], nil, .min, isVariadic: true,
            "The least of several numbers, times or durations.", example: "min(3, 1, 2) -> 1"),
        Builtin(
            "max", [("a", .unknown), ("b", .unknown)], nil, .max, isVariadic: true,
            "The greatest of several numbers, times or durations.",
            example: "max(b.time - a.time, 1s) -> 1s"),
        Builtin(
            "number", [("t", .unknown)], .number, .number,
            "The number a text spells in decimal digits; missing when it spells none.",
            example: "number(\"42\") -> 42"),
    ]

    private static let times: [Builtin] = [
        Builtin(
            "seconds", [("d", .span)], .number, .seconds, "The duration in seconds.",
            example: "seconds(2m) -> 120"),
        Builtin(
            "minutes", [("d", .span)], .number, .minutes, "The duration in minutes.",
            example: "minutes(90s) -> 1.5"),
        Builtin(
            "hours", [("d", .span)], .number, .hours, "The duration in hours.",
            example: "hours(90m) -> 1.5"),
        Builtin(
            "days", [("d", .span)], .number, .days, "The duration in days of 24 hours.",
            example: "days(36h) -> 1.5"),
        Builtin(
            "hour_of_day", [("t", .time)], .number, .hourOfDay,
            "The hour of the day in UTC, 0 to 23.",
            example: "hour_of_day(login.time) -> 14"),
        Builtin(
            "day_of_week", [("t", .time)], .number, .dayOfWeek,
            "The day of the week in UTC, 1 for Monday to 7 for Sunday.",
            example: "day_of_week(login.time) -> 5"),
    ]

    private static let texts: [Builtin] = [
        Builtin(
            "lower", [("t", .text)], .text, .lower, "The text in lower case.",
            example: "lower(\"Ada\") -> \"ada\""),
        Builtin(
            "upper", [("t", .text)], .text, .upper, "The text in upper case.",
            example: "upper(\"Ada\") -> \"ADA\""),
        Builtin(
            "length", [("t", .unknown)], .number, .length,
            "The number of characters of a text, or of elements of a list.",
            example: "length(\"Ada\") -> 3"),
        Builtin(
            "text", [("x", .unknown)], .text, .text, "The value as a message would show it.",
            example: "text(42) -> \"42\""),
    ]

    private static let places: [Builtin] = [
        Builtin(
            "geo_km",
            [("lat1", .number), ("lon1", .number), ("lat2", .number), ("lon2", .number)], .number,
            .geoKilometres, "The distance between two places along the globe, in kilometres.",
            example: "geo_km(52.5, 13.4, 48.9, 2.4) -> 874")
    ]
}

/// An aggregate: what it makes of many values. Over the events of a window (`measure`), of a
/// repeated step (`avg(small.amount)`), or over a list.
public struct AggregateBuiltin: Sendable {
    public var name: String
    public var function: AggregateFunction
    /// How it is written.
    public var signature: String
    /// One sentence.
    public var documentation: String
    public var example: String
    /// Whether it takes numbers, times and durations only.
    var needsQuantity: Bool
    /// The function over a list value; nil where there is none.
    var listFunction: Function?

    public static let all: [AggregateBuiltin] = [
        AggregateBuiltin(
            name: "count", function: .count, signature: "count",
            documentation: "How many events there are; 0 on an empty window.",
            example: "measure errors = count where status >= 500", needsQuantity: false,
            listFunction: .length),
        AggregateBuiltin(
            name: "sum", function: .sum, signature: "sum(x)",
            documentation: "The sum of the numbers or durations; 0 on an empty window.",
            example: "measure total = sum(amount)", needsQuantity: true, listFunction: .listSum),
        AggregateBuiltin(
            name: "avg", function: .avg, signature: "avg(x)",
            documentation: "The mean of the values that are there.",
            example: "amount > 20 * avg(small.amount)", needsQuantity: true, listFunction: .listAvg),
        AggregateBuiltin(
            name: "min", function: .min, signature: "min(x)", documentation: "The least value.",
            example: "measure least = min(duration_ms)", needsQuantity: true, listFunction: .listMin
        ),
        AggregateBuiltin(
            name: "max", function: .max, signature: "max(x)", documentation: "The greatest value.",
            example: "measure most = max(duration_ms)", needsQuantity: true, listFunction: .listMax),
        AggregateBuiltin(
            name: "distinct", function: .distinct, signature: "distinct(x)",
            documentation: "How many different values there are; missing ones do not count.",
            example: "measure users = distinct(user)", needsQuantity: false,
            listFunction: .listDistinct),
        AggregateBuiltin(
            name: "percentile", function: .percentile, signature: "percentile(p, x)",
            documentation:
                "The value below which p percent of the values lie, between two linearly.",
            example: "measure p95 = percentile(95, duration_ms)", needsQuantity: true),
        AggregateBuiltin(
            name: "rate", function: .rate, signature: "rate(x)",
            documentation:
                "By how much a counter grew per second; a fall counts as a restart from 0.",
            example: "measure per_second = rate(requests_total)", needsQuantity: true),
        AggregateBuiltin(
            name: "first", function: .first, signature: "first(x)",
            documentation: "The value of the earliest event that has one.",
            example: "measure opening = first(price)", needsQuantity: false),
        AggregateBuiltin(
            name: "last", function: .last, signature: "last(x)",
            documentation: "The value of the latest event that has one.",
            example: "measure closing = last(price)", needsQuantity: false),
    ]

    static let byName: [String: AggregateBuiltin] = Dictionary(
        all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
}

/// A score: how unusual the present value of a measure is, in `anomalous when`.
public struct ScoreBuiltin: Sendable {
    public var function: ScoreFunction
    /// How it is written.
    public var signature: String
    /// One sentence.
    public var documentation: String
    public var example: String

    public var name: String { function.rawValue }

    public static let all: [ScoreBuiltin] = [
        ScoreBuiltin(
            function: .robustZ, signature: "robust_z(measure) -> number",
            documentation:
                "0.6745 times the distance from the baseline's median in median absolute deviations.",
            example: "anomalous when robust_z(p95) > 4"),
        ScoreBuiltin(
            function: .z, signature: "z(measure) -> number",
            documentation: "The distance from the baseline's mean in standard deviations.",
            example: "anomalous when abs(z(calls)) > 3"),
        ScoreBuiltin(
            function: .ratio, signature: "ratio(measure) -> number",
            documentation: "The value divided by the baseline's median.",
            example: "anomalous when ratio(errors) >= 5"),
        ScoreBuiltin(
            function: .ewma, signature: "ewma(measure, smoothing) -> number",
            documentation:
                "The distance from an exponentially weighted mean in weighted deviations; the newest value weighs `smoothing`.",
            example: "anomalous when ewma(p95, 0.2) > 4"),
    ]
}
