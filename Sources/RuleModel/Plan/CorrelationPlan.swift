/// Members that come together within a span (C1 to C7).
public struct CorrelationPlan: Sendable, Equatable {
    /// No two are equal.
    public var inputs: [InputPlan]
    /// The index is the `StepID` by which expressions name a member.
    public var members: [MemberPlan]
    /// From the oldest member to the newest.
    public var within: TimeSpan
    /// How many members must be there; all of them without `at least K of them`.
    public var required: Int
    /// The members in the order in which they must come, each not before the one in front of it
    /// (T0); of those that are there. Empty without an order.
    public var order: [StepID]
    public var precedences: [PrecedencePlan]
    public var strength: StrengthPlan?
    /// `once per event`: every completing event is a match of its own and uses up its witness.
    public var isOncePerEvent: Bool

    public init(
        inputs: [InputPlan], members: [MemberPlan], within: TimeSpan, required: Int,
        order: [StepID], precedences: [PrecedencePlan], strength: StrengthPlan?,
        isOncePerEvent: Bool
    ) {
        self.inputs = inputs
        self.members = members
        self.within = within
        self.required = required
        self.order = order
        self.precedences = precedences
        self.strength = strength
        self.isOncePerEvent = isOncePerEvent
    }
}

/// A named selection of events or alerts (C1).
public struct MemberPlan: Sendable, Equatable {
    public var name: String
    /// Index into `CorrelationPlan.inputs`.
    public var input: Int
    /// Looks at the event alone (the input's own condition not included).
    public var condition: Term?
    /// Whether its alerts last: it is there at every instant from the alert to its end (C5).
    public var isInterval: Bool
    /// The fields of its events that messages or the strength read, sorted.
    public var captured: [FieldID]

    public init(
        name: String, input: Int, condition: Term?, isInterval: Bool, captured: [FieldID]
    ) {
        self.name = name
        self.input = input
        self.condition = condition
        self.isInterval = isInterval
        self.captured = captured
    }
}

/// `a before b within D`
public struct PrecedencePlan: Sendable, Equatable {
    public var earlier: StepID
    public var later: StepID
    public var within: TimeSpan

    public init(earlier: StepID, later: StepID, within: TimeSpan) {
        self.earlier = earlier
        self.later = later
        self.within = within
    }
}

/// How unusual the coincidence must be.
public enum StrengthPlan: Sendable, Equatable {
    case lift(LiftPlan)
    case movement(MovementPlan)
}

/// `lift(later after earlier within LAG) >= LIMIT over H with at least N` (C6).
public struct LiftPlan: Sendable, Equatable {
    public var later: StepID
    public var earlier: StepID
    public var lag: TimeSpan
    public var limit: Double
    public var over: TimeSpan
    /// Occurrences of `earlier` below which the lift is unknown.
    public var minimum: Int
    /// Whether it is measured over all keys together.
    public var isPooled: Bool

    public init(
        later: StepID, earlier: StepID, lag: TimeSpan, limit: Double, over: TimeSpan, minimum: Int,
        isPooled: Bool
    ) {
        self.later = later
        self.earlier = earlier
        self.lag = lag
        self.limit = limit
        self.over = over
        self.minimum = minimum
        self.isPooled = isPooled
    }
}

/// `moves_with(x, y) over H step S lag 0..L >= LIMIT with at least N points` (C7).
public struct MovementPlan: Sendable, Equatable {
    /// A value that each event of one member has; `value` looks at that event alone.
    public struct Side: Sendable, Equatable {
        public var member: StepID
        public var value: Term

        public init(member: StepID, value: Term) {
            self.member = member
            self.value = value
        }
    }

    public var first: Side
    public var second: Side
    public var over: TimeSpan
    public var step: TimeSpan
    /// How far the second may lie behind the first.
    public var lagMax: TimeSpan
    public var limit: Double
    /// Pairs of buckets below which the coefficient is unknown.
    public var minimum: Int

    public init(
        first: Side, second: Side, over: TimeSpan, step: TimeSpan, lagMax: TimeSpan, limit: Double,
        minimum: Int
    ) {
        self.first = first
        self.second = second
        self.over = over
        self.step = step
        self.lagMax = lagMax
        self.limit = limit
        self.minimum = minimum
    }
}
