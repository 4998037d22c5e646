/// Members of a group whose values are unusual at about the same time (A1 to A7).
public struct AnomalyPlan: Sendable, Equatable {
    /// No two are equal.
    public var inputs: [InputPlan]
    /// The index is that of the measure in expressions.
    public var series: [SeriesPlan]
    /// The length of a bucket, the same for all series (A1).
    public var every: TimeSpan
    /// As written: the field by which the members of a group are told apart.
    public var memberName: String
    public var baseline: BaselinePlan
    /// How long an anomalous bucket stays out of later baselines (A2).
    public var adaptAfter: TimeSpan
    /// The least spread a score divides by; nil: 1 % of the median's size, or 1 when it is 0 (A3).
    public var minimumSpread: Double?
    /// Baseline values below which nothing is anomalous (A4).
    public var minimumValues: Int
    /// Judged for each member at the end of each bucket, with scores at hand.
    public var when: Term
    /// `for 2 of the last 3`; 1 and 1 without (A5).
    public var required: Int
    public var outOf: Int
    public var minimumMembers: Int
    /// How far apart the onsets of a cluster may be (A6).
    public var within: TimeSpan
    /// A list of pairs; each member must be linked to another one of its cluster.
    public var linkedBy: ListID?
    /// From the first onset of a cluster to the last that joins it; nil without a limit.
    public var maxSpan: TimeSpan?
    public var updateEvery: TimeSpan
    /// The limit in `when` that the first score is compared with, for the alert's strength (part 5).
    public var scoreLimit: Double?

    public init(
        inputs: [InputPlan], series: [SeriesPlan], every: TimeSpan, memberName: String,
        baseline: BaselinePlan, adaptAfter: TimeSpan, minimumSpread: Double?, minimumValues: Int,
        when: Term, required: Int, outOf: Int, minimumMembers: Int, within: TimeSpan,
        linkedBy: ListID?, maxSpan: TimeSpan?, updateEvery: TimeSpan, scoreLimit: Double?
    ) {
        self.inputs = inputs
        self.series = series
        self.every = every
        self.memberName = memberName
        self.baseline = baseline
        self.adaptAfter = adaptAfter
        self.minimumSpread = minimumSpread
        self.minimumValues = minimumValues
        self.when = when
        self.required = required
        self.outOf = outOf
        self.minimumMembers = minimumMembers
        self.within = within
        self.linkedBy = linkedBy
        self.maxSpan = maxSpan
        self.updateEvery = updateEvery
        self.scoreLimit = scoreLimit
    }
}

extension BaselinePlan {
    /// How long a member without events is kept: as far back as its baseline reaches, and a day at least.
    ///
    /// - Parameter every: The length of a bucket.
    public func forgetAfter(every: TimeSpan) -> TimeSpan {
        switch self {
        case .last(let count): max(.day, every * Int64(count))
        case .seasonal(_, let over): max(.day, over)
        }
    }
}

/// `measure p95 = percentile(95, duration_ms) of http.request every 1m by service`
public struct SeriesPlan: Sendable, Equatable {
    /// Index into `AnomalyPlan.inputs`.
    public var input: Int
    /// Looks at the event alone (the input's own condition not included).
    public var condition: Term?
    public var measure: MeasurePlan
    /// The field that names the member.
    public var member: FieldID

    public init(input: Int, condition: Term?, measure: MeasurePlan, member: FieldID) {
        self.input = input
        self.condition = condition
        self.measure = measure
        self.member = member
    }
}

/// Which earlier buckets a value is compared with (A2).
public enum BaselinePlan: Sendable, Equatable {
    case last(Int)
    /// Buckets at the same phase of the season, as far back as `over`.
    case seasonal(SeasonPlan, over: TimeSpan)
}

/// The period after which values repeat.
public enum SeasonPlan: String, Sendable, Hashable {
    case daily, weekly

    public var span: TimeSpan { self == .daily ? .day : .day * 7 }
}

/// How unusual a value is (A3). A score is missing as long as the baseline is too short (A4).
public enum ScoreFunction: String, Hashable, Sendable, CaseIterable {
    /// 0.6745 (x - median) / MAD
    case robustZ = "robust_z"
    /// (x - mean) / standard deviation
    case z
    /// x / median
    case ratio
    /// Distance from an exponentially weighted mean in exponentially weighted deviations.
    case ewma
}

/// What a cluster knows of a member.
public enum ClusterField: String, Hashable, Sendable, CaseIterable {
    /// The member's own name: the value of the field behind `by`.
    case name
    /// The end of the bucket that made it anomalous.
    case onset
    /// The value, the middle and the spread of its baseline, and the score, as of the onset.
    case value, baseline, spread, score
    /// The name of the measure with that score.
    case measure
}
