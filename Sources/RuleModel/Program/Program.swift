/// A condition that looks at one event: the index of a bit that is computed once per batch, in
/// columns, however many rules contain it.
public struct ConditionID: Hashable, Comparable, Sendable {
    public var rawValue: Int32

    public init(_ rawValue: Int32) { self.rawValue = rawValue }

    public static func < (left: ConditionID, right: ConditionID) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// The root of an expression: an index into `Program.code`.
public struct CodeID: Hashable, Sendable {
    public var rawValue: Int32

    public init(_ rawValue: Int32) { self.rawValue = rawValue }
}

/// One node of an expression, flat. Operands are indices of earlier instructions, so that every
/// expression is a tree that points backwards and evaluation ends.
///
///     opcode       a                  b                 c              count
///     constant     constants[a]
///     field        FieldID
///     stepField    StepID             FieldID           0 only 1 first 2 last
///     stepList     StepID             FieldID
///     stepCount    StepID
///     stepAggregate StepID            FieldID           aggregate
///     key          index
///     measure      index              spans[b]          0 now 1 previous 2 earlier
///     fact         fact
///     score        measure            constants[b]      function; b is -1 without a parameter
///     clusterCount
///     clusterField field              0 all 1 first 2 last
///     variable     depth
///     not negate exists  operand
///     and or list call   operands[a ..< a + count]      c of call: function
///     compare      left               right             comparison
///     textTest     left               right             test
///     pattern      operand            patterns[b]
///     member       left               right
///     inNetwork    left               right
///     inList       operand            ListID
///     lookup       key                ListID            names[c], -1 for none
///     otherwise    left               right
///     arithmetic   left               right             operator
///     quantified   list               condition         depth          flag: all
///
/// Comparisons, tests, operators, functions, aggregates, facts, scores and fields of clusters are
/// written as their place in `allCases` (`Instruction.place`).
public struct Instruction: Hashable, Sendable {
    public enum Opcode: UInt8, Hashable, Sendable, CaseIterable {
        case constant, field, stepField, stepList, stepCount, stepAggregate, key, measure, fact
        case score, clusterCount, clusterField, variable, not, negate, exists, and, or, list, call,
            compare, textTest, pattern, member
        case inNetwork, inList, lookup, otherwise, arithmetic, quantified
    }

    public var opcode: Opcode
    /// `ignoring case`, or `every` of a quantified expression.
    public var flag: Bool
    public var a: Int32
    public var b: Int32
    public var c: Int32
    public var count: Int32

    public init(
        _ opcode: Opcode, a: Int32 = 0, b: Int32 = 0, c: Int32 = 0, count: Int32 = 0,
        flag: Bool = false
    ) {
        self.opcode = opcode
        self.flag = flag
        self.a = a
        self.b = b
        self.c = c
        self.count = count
    }

    /// A case as an instruction holds it: its place in `allCases`.
    public static func place<Choice: CaseIterable & Equatable>(of choice: Choice) -> Int32 {
        var place: Int32 = 0
        for other in Choice.allCases {
            if other == choice { return place }
            place += 1
        }
        return place
    }
}

/// The expressions of all rules, equal ones once.
public struct Code: Sendable, Equatable {
    public struct Pattern: Sendable, Hashable {
        public var source: String
        public var ignoresCase: Bool

        public init(source: String, ignoresCase: Bool) {
            self.source = source
            self.ignoresCase = ignoresCase
        }
    }

    public var instructions: [Instruction] = []
    public var constants: [Value] = []
    public var operands: [Int32] = []
    public var patterns: [Pattern] = []
    public var spans: [TimeSpan] = []
    public var names: [String] = []

    public init() {}
}

/// What an engine runs: the plans of a rule set made flat. Indices only, no references, no closures.
///
/// Cheap to share between threads; `validate` holds for every program that the compiler makes.
public struct Program: Sendable, Equatable {
    public var tables: RuleSetTables
    public var code: Code
    /// Conditions on one event, equal ones once; the index is the `ConditionID`.
    public var eventConditions: [CodeID]
    public var rules: [RuleProgram]

    public init(
        tables: RuleSetTables, code: Code, eventConditions: [CodeID], rules: [RuleProgram]
    ) {
        self.tables = tables
        self.code = code
        self.eventConditions = eventConditions
        self.rules = rules
    }
}

/// A rule, flat.
public struct RuleProgram: Sendable, Equatable {
    public enum Pattern: Sendable, Equatable {
        case sequence(SequenceProgram)
        case threshold(ThresholdProgram)
        case correlation(CorrelationProgram)
        case anomaly(AnomalyProgram)
        case metric(MetricProgram)
    }

    public var id: RuleID
    public var name: String
    public var metadata: RuleMetadata
    public var keyNames: [String]
    public var keyList: ListID?
    public var pattern: Pattern
    public var unless: CodeID?
    public var active: [ActivePlan]
    public var emit: EmitProgram
    public var probes: [CodeID]
    public var bound: StateBound
    public var fingerprint: UInt64
    public var shape: UInt64
    public var place: RulePlace

    public init(
        id: RuleID, name: String, metadata: RuleMetadata, keyNames: [String], keyList: ListID?,
        pattern: Pattern, unless: CodeID?, active: [ActivePlan], emit: EmitProgram,
        probes: [CodeID], bound: StateBound, fingerprint: UInt64, shape: UInt64, place: RulePlace
    ) {
        self.id = id
        self.name = name
        self.metadata = metadata
        self.keyNames = keyNames
        self.keyList = keyList
        self.pattern = pattern
        self.unless = unless
        self.active = active
        self.emit = emit
        self.probes = probes
        self.bound = bound
        self.fingerprint = fingerprint
        self.shape = shape
        self.place = place
    }
}

/// `InputPlan`, flat. A row is of this input when its type is `type` and the condition's bit is set.
public struct InputProgram: Sendable, Equatable {
    public var name: String
    public var type: EventTypeID
    public var condition: ConditionID?
    public var key: [FieldID]

    public init(name: String, type: EventTypeID, condition: ConditionID?, key: [FieldID]) {
        self.name = name
        self.type = type
        self.condition = condition
        self.key = key
    }
}

/// `SequencePlan`, flat; fields without a comment mean what they mean there.
public struct SequenceProgram: Sendable, Equatable {
    public var inputs: [InputProgram]
    public var steps: [StepProgram]
    public var elements: [ElementPlan]
    public var until: StepID?
    public var within: TimeSpan?
    public var overlap: SequencePlan.Overlap
    public var restartsOnRepeat: Bool
    public var runLimit: Int?
    public var reportsPartial: Bool
    public var resumeAt: StepID?
    public var assumesAbsentAtStart: Bool
    public var horizon: TimeSpan?

    public init(
        inputs: [InputProgram], steps: [StepProgram], elements: [ElementPlan], until: StepID?,
        within: TimeSpan?, overlap: SequencePlan.Overlap, restartsOnRepeat: Bool, runLimit: Int?,
        reportsPartial: Bool, resumeAt: StepID?, assumesAbsentAtStart: Bool, horizon: TimeSpan?
    ) {
        self.inputs = inputs
        self.steps = steps
        self.elements = elements
        self.until = until
        self.within = within
        self.overlap = overlap
        self.restartsOnRepeat = restartsOnRepeat
        self.runLimit = runLimit
        self.reportsPartial = reportsPartial
        self.resumeAt = resumeAt
        self.assumesAbsentAtStart = assumesAbsentAtStart
        self.horizon = horizon
    }
}

/// `StepPlan`, flat.
public struct StepProgram: Sendable, Equatable {
    public var name: String
    public var input: Int
    /// The input's condition and the step's event-only condition together; nil: every event fits.
    public var condition: ConditionID?
    public var runCondition: CodeID?
    public var minimum: Int
    public var maximum: Int?
    public var isRepeated: Bool
    public var isReluctant: Bool
    public var gapLimit: TimeSpan?
    public var captured: [FieldID]

    public init(
        name: String, input: Int, condition: ConditionID?, runCondition: CodeID?, minimum: Int,
        maximum: Int?, isRepeated: Bool, isReluctant: Bool, gapLimit: TimeSpan?, captured: [FieldID]
    ) {
        self.name = name
        self.input = input
        self.condition = condition
        self.runCondition = runCondition
        self.minimum = minimum
        self.maximum = maximum
        self.isRepeated = isRepeated
        self.isReluctant = isReluctant
        self.gapLimit = gapLimit
        self.captured = captured
    }
}

/// `ThresholdPlan`, flat.
public struct ThresholdProgram: Sendable, Equatable {
    public var input: InputProgram
    /// The input's condition and the `over ... where` condition together; nil: every event of the type.
    public var condition: ConditionID?
    public var window: WindowPlan
    public var measures: [MeasureProgram]
    public var when: CodeID
    public var holdFor: TimeSpan
    public var minimumEvents: Int
    public var resolveWhen: CodeID?
    public var resolveFor: TimeSpan
    public var remindEvery: TimeSpan?
    public var staleAfter: TimeSpan
    public var onNoData: ThresholdPlan.NoData
    public var resetsAfterMatch: Bool
    public var forgetAfter: TimeSpan

    public init(
        input: InputProgram, condition: ConditionID?, window: WindowPlan,
        measures: [MeasureProgram], when: CodeID, holdFor: TimeSpan, minimumEvents: Int,
        resolveWhen: CodeID?, resolveFor: TimeSpan, remindEvery: TimeSpan?, staleAfter: TimeSpan,
        onNoData: ThresholdPlan.NoData, resetsAfterMatch: Bool, forgetAfter: TimeSpan
    ) {
        self.input = input
        self.condition = condition
        self.window = window
        self.measures = measures
        self.when = when
        self.holdFor = holdFor
        self.minimumEvents = minimumEvents
        self.resolveWhen = resolveWhen
        self.resolveFor = resolveFor
        self.remindEvery = remindEvery
        self.staleAfter = staleAfter
        self.onNoData = onNoData
        self.resetsAfterMatch = resetsAfterMatch
        self.forgetAfter = forgetAfter
    }
}

/// `MeasurePlan`, flat. The condition is a bit, since it looks at the event alone.
public struct MeasureProgram: Sendable, Equatable {
    public var name: String
    public var function: AggregateFunction
    public var argument: CodeID?
    public var parameter: Double?
    public var condition: ConditionID?

    public init(
        name: String, function: AggregateFunction, argument: CodeID?, parameter: Double?,
        condition: ConditionID?
    ) {
        self.name = name
        self.function = function
        self.argument = argument
        self.parameter = parameter
        self.condition = condition
    }
}

/// `EmitPlan`, flat.
public struct EmitProgram: Sendable, Equatable {
    public enum MessagePart: Sendable, Equatable {
        case text(String)
        case code(CodeID, EmitPlan.MessageFormat)
    }

    public struct Attached: Sendable, Equatable {
        public var name: String
        public var code: CodeID

        public init(name: String, code: CodeID) {
            self.name = name
            self.code = code
        }
    }

    public struct Spaced: Sendable, Equatable {
        public var by: [CodeID]
        public var span: TimeSpan

        public init(by: [CodeID], span: TimeSpan) {
            self.by = by
            self.span = span
        }
    }

    public struct Risk: Sendable, Equatable {
        public var name: String
        public var entity: CodeID
        public var points: CodeID

        public init(name: String, entity: CodeID, points: CodeID) {
            self.name = name
            self.entity = entity
            self.points = points
        }
    }

    public var message: [MessagePart] = []
    public var attach: [Attached] = []
    public var risks: [Risk] = []
    public var isEarly = true
    /// Parts of the key shown as `***`.
    public var maskedKeys: [Int] = []
    /// Fields of steps shown as `***`.
    public var maskedFields: [MaskedField] = []
    /// Measures shown as `***`.
    public var maskedMeasures: [Int] = []
    /// Whether the names of a cluster's members are shown as `***`.
    public var masksMembers = false
    public var suppress: Spaced?
    public var group: Spaced?
    public var sinks: [String] = []

    public struct MaskedField: Sendable, Hashable {
        public var step: StepID
        public var field: FieldID

        public init(step: StepID, field: FieldID) {
            self.step = step
            self.field = field
        }
    }

    public init() {}
}
