/// `AnomalyPlan`, flat; fields without a comment mean what they mean there.
public struct AnomalyProgram: Sendable, Equatable {
    public var inputs: [InputProgram]
    public var series: [SeriesProgram]
    public var every: TimeSpan
    public var memberName: String
    public var baseline: BaselinePlan
    public var adaptAfter: TimeSpan
    public var minimumSpread: Double?
    public var minimumValues: Int
    public var when: CodeID
    public var required: Int
    public var outOf: Int
    public var minimumMembers: Int
    public var within: TimeSpan
    public var linkedBy: ListID?
    public var maxSpan: TimeSpan?
    public var updateEvery: TimeSpan
    public var scoreLimit: Double?

    public init(
        inputs: [InputProgram], series: [SeriesProgram], every: TimeSpan, memberName: String,
        baseline: BaselinePlan, adaptAfter: TimeSpan, minimumSpread: Double?, minimumValues: Int,
        when: CodeID, required: Int, outOf: Int, minimumMembers: Int, within: TimeSpan,
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

/// `SeriesPlan`, flat.
public struct SeriesProgram: Sendable, Equatable {
    public var input: Int
    /// The input's condition and the series' own together; nil: every event fits.
    public var condition: ConditionID?
    public var measure: MeasureProgram
    public var member: FieldID

    public init(input: Int, condition: ConditionID?, measure: MeasureProgram, member: FieldID) {
        self.input = input
        self.condition = condition
        self.measure = measure
        self.member = member
    }
}

/// `MetricPlan`, flat.
public struct MetricProgram: Sendable, Equatable {
    public var input: InputProgram
    /// The input's condition and the metric's own together; nil: every event of the type.
    public var condition: ConditionID?
    public var window: WindowPlan
    public var measures: [MeasureProgram]
    public var forecasts: [ForecastPlan]
    public var forgetAfter: TimeSpan
    public var show: String?

    public init(
        input: InputProgram, condition: ConditionID?, window: WindowPlan,
        measures: [MeasureProgram], forecasts: [ForecastPlan], forgetAfter: TimeSpan, show: String?
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
