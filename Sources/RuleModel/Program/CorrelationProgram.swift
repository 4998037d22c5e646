/// `CorrelationPlan`, flat; fields without a comment mean what they mean there.
public struct CorrelationProgram: Sendable, Equatable {
    public var inputs: [InputProgram]
    public var members: [MemberProgram]
    public var within: TimeSpan
    public var required: Int
    public var order: [StepID]
    public var precedences: [PrecedencePlan]
    public var strength: StrengthProgram?
    public var isOncePerEvent: Bool

    public init(
        inputs: [InputProgram], members: [MemberProgram], within: TimeSpan, required: Int,
        order: [StepID], precedences: [PrecedencePlan], strength: StrengthProgram?,
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

/// `MemberPlan`, flat.
public struct MemberProgram: Sendable, Equatable {
    public var name: String
    public var input: Int
    /// The input's condition and the member's own together; nil: every event fits.
    public var condition: ConditionID?
    public var isInterval: Bool
    public var captured: [FieldID]

    public init(
        name: String, input: Int, condition: ConditionID?, isInterval: Bool, captured: [FieldID]
    ) {
        self.name = name
        self.input = input
        self.condition = condition
        self.isInterval = isInterval
        self.captured = captured
    }
}

/// `StrengthPlan`, flat.
public enum StrengthProgram: Sendable, Equatable {
    case lift(LiftPlan)
    case movement(MovementProgram)
}

/// `MovementPlan`, flat.
public struct MovementProgram: Sendable, Equatable {
    /// A value that each event of one member has.
    public struct Side: Sendable, Equatable {
        public var member: StepID
        public var value: CodeID

        public init(member: StepID, value: CodeID) {
            self.member = member
            self.value = value
        }
    }

    public var first: Side
    public var second: Side
    public var over: TimeSpan
    public var step: TimeSpan
    public var lagMax: TimeSpan
    public var limit: Double
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
