/// One bucket of a metric, as the engine hands it out (M1).
///
/// Everything in it follows from the rules and the events alone, as in an `Alert`.
public struct MetricRecord: Sendable, Equatable {
    /// What is foreseen of one measure (M2). What is not known yet is nil.
    public struct Forecast: Sendable, Equatable {
        public enum Trend: String, Sendable { case up, down, flat }

        public var measure: String
        /// What was foreseen for this bucket, as long ago as the forecast reaches.
        public var expected: Double?
        /// Between these the value was to be in 95 of 100 buckets.
        public var low: Double?
        public var high: Double?
        /// What is foreseen now, as far ahead as the forecast reaches.
        public var ahead: Double?
        public var aheadLow: Double?
        public var aheadHigh: Double?
        public var trend: Trend?
        /// The rise from one bucket to the next.
        public var slope: Double?

        public init(measure: String) { self.measure = measure }

        /// The names under which events have the values, with the values.
        public var fields: [Alert.NamedValue] {
            func number(_ number: Double?) -> Value {
                number.flatMap { $0.isFinite ? .float($0) : nil } ?? .missing
            }
            let values: [Value] = [
                number(expected), number(low), number(high), number(ahead), number(aheadLow),
                number(aheadHigh), trend.map { .text($0.rawValue) } ?? .missing, number(slope),
            ]
            return zip(Forecast.fieldNames, values).map { Alert.NamedValue($0, $1) }
        }

        public static let fieldNames = [
            "expected", "low", "high", "ahead", "ahead_low", "ahead_high", "trend", "slope",
        ]
    }

    public var name: String
    /// Of the bucket; of a session the time of its first event.
    public var start: Timestamp
    /// Of the bucket, and the time of the event; of a session when it was over.
    public var end: Timestamp
    public var key: [Alert.NamedValue]
    /// All measures, in order; missing where there is nothing to measure (H3).
    public var measures: [Alert.NamedValue]
    public var forecasts: [Forecast]
    /// Why the measures may be wrong: late, evicted or dropped data touched this key.
    public var incompleteBecause: [String]
    /// Where the record stands in the order of processing.
    public var order: AlertOrder

    public init(
        name: String, start: Timestamp, end: Timestamp, key: [Alert.NamedValue],
        measures: [Alert.NamedValue], forecasts: [Forecast], incompleteBecause: [String],
        order: AlertOrder
    ) {
        self.name = name
        self.start = start
        self.end = end
        self.key = key
        self.measures = measures
        self.forecasts = forecasts
        self.incompleteBecause = incompleteBecause
        self.order = order
    }
}
