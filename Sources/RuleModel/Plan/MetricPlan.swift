/// Measures over a window, handed out as events `metric.NAME` (M1).
public struct MetricPlan: Sendable, Equatable {
    public var input: InputPlan
    /// The condition behind `over ... where`; looks at the event alone.
    public var condition: Term?
    public var window: WindowPlan
    public var measures: [MeasurePlan]
    public var forecasts: [ForecastPlan]
    /// A key without events for so long is forgotten; until then it has empty buckets.
    public var forgetAfter: TimeSpan
    /// What the dashboard calls it; nil: it is not shown.
    public var show: String?

    public init(
        input: InputPlan, condition: Term?, window: WindowPlan, measures: [MeasurePlan],
        forecasts: [ForecastPlan], forgetAfter: TimeSpan, show: String?
    ) {
        self.input = input
        self.condition = condition
        self.window = window
        self.measures = measures
        self.forecasts = forecasts
        self.forgetAfter = forgetAfter
        self.show = show
    }
}

/// `forecast total for 15m seasonal daily` (M2).
public struct ForecastPlan: Sendable, Equatable {
    /// Index into `MetricPlan.measures`.
    public var measure: Int
    /// How far ahead.
    public var horizon: TimeSpan
    public var season: SeasonPlan?

    public init(measure: Int, horizon: TimeSpan, season: SeasonPlan?) {
        self.measure = measure
        self.horizon = horizon
        self.season = season
    }
}

extension WindowPlan {
    /// The distance of its buckets; nil: it has none at a fixed distance.
    public var bucketStep: TimeSpan? {
        switch kind {
        case .tumbling(let size): size
        case .hopping(_, every: let step): step
        case .sliding, .session, .last: nil
        }
    }

    /// How many buckets of one key are open at once.
    public var openBuckets: Int {
        guard case .hopping(let size, every: let step) = kind, step > .zero else { return 1 }
        return Int(clamping: (size.nanoseconds - 1) / step.nanoseconds + 1)
    }
}

/// What the engine itself makes the events of an input from; nil for events from outside.
public enum Producer: Hashable, Sendable {
    /// The alerts of one rule, or of every rule that does not itself read alerts without naming them.
    case alerts(of: String?)
    case metric(String)
    /// What rules add to the score of entities of this name (`risk ... on NAME`).
    case risk(String)
}

/// Where a rule stands among the rules that read each other's alerts and metrics.
public struct RulePlace: Sendable, Equatable {
    /// How many rules stand one behind the other in front of this one; 0 for a rule that reads
    /// events from outside alone. At one instant rules take their turn by depth.
    public var depth = 0
    /// Nil: its keys are divided among the shards. Else one shard has the whole rule, and all rules
    /// with this number, since they read what the others make.
    public var home: Int?
    /// Whether a rule reads its alerts (of a metric: its events).
    public var isRead = false

    public init() {}
}
