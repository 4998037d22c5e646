/// `rule NAME { meta pattern actions }`
public struct RuleDeclaration: Sendable, Equatable {
    public var name: Name
    /// Metadata and actions in the order written.
    public var clauses: [RuleClause]
    /// Nil when it was left out or not understood.
    public var pattern: PatternSyntax?
    /// How many of `clauses` stand before the pattern; the formatter keeps the order.
    public var clausesBeforePattern: Int
    public var range: SourceRange

    public init(
        name: Name, clauses: [RuleClause], pattern: PatternSyntax?, clausesBeforePattern: Int,
        range: SourceRange
    ) {
        self.name = name
        self.clauses = clauses
        self.pattern = pattern
        self.clausesBeforePattern = clausesBeforePattern
        self.range = range
    }
}

/// One line of a rule besides its pattern: metadata or an action.
public struct RuleClause: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        // Metadata.
        case title(TextLiteral)
        case severity(Name)
        case tags([Name])
        case attack([Name])
        case owner(TextLiteral)
        case runbook(TextLiteral)
        case references([TextLiteral])
        case falsePositives([TextLiteral])
        case enabled(Bool)
        /// `active during NAME` and `active outside NAME`.
        case active(during: Bool, Name)
        case unless(ExpressionSyntax)
        /// `confidence 90%`: 0 to 1.
        case confidence(ExpressionSyntax)
        /// `early off`
        case early(Bool)
        /// `allow W0601 "reason"`
        case allow(Name, reason: TextLiteral)
        // Actions.
        case alert(MessageSyntax)
        case suppress(by: [ExpressionSyntax], for: DurationLiteral)
        case group(by: [ExpressionSyntax], for: DurationLiteral)
        case send(to: [Name])
        case mask([ExpressionSyntax])
        case attach([ExpressionSyntax])
        case risk(ExpressionSyntax, on: PathSyntax)
    }

    public var kind: Kind
    public var range: SourceRange
    /// The range of the clause's own word or words.
    public var keyword: SourceRange

    public init(_ kind: Kind, range: SourceRange, keyword: SourceRange) {
        self.kind = kind
        self.range = range
        self.keyword = keyword
    }
}

/// `by src_ip, host from list prod_hosts`
public struct KeySyntax: Sendable, Equatable {
    public var fields: [PathSyntax]
    public var list: Name?
    public var range: SourceRange

    public init(fields: [PathSyntax], list: Name?, range: SourceRange) {
        self.fields = fields
        self.list = list
        self.range = range
    }
}

/// `ssh.login where outcome == "failure"`, `alert error_rate_high`, `good_login`.
public struct SourceSyntax: Sendable, Equatable {
    public enum Stream: Sendable, Equatable {
        /// An event type or a `select`ed stream.
        case named(PathSyntax)
        /// `alert` or `alert NAME`
        case alert(Name?)
        /// Left out; reported.
        case missing
    }

    public var stream: Stream
    public var condition: ExpressionSyntax?
    public var range: SourceRange
    /// The word `where`, where there is one.
    public var whereRange: SourceRange?

    public init(
        stream: Stream, condition: ExpressionSyntax?, range: SourceRange, whereRange: SourceRange?
    ) {
        self.stream = stream
        self.condition = condition
        self.range = range
        self.whereRange = whereRange
    }
}

/// `by host = src.host`: the rule's key field and where this source has it.
public struct KeyAlias: Sendable, Equatable {
    public var key: PathSyntax
    public var field: PathSyntax

    public init(key: PathSyntax, field: PathSyntax) {
        self.key = key
        self.field = field
    }
}

/// The block of a rule that says what to look for.
public struct PatternSyntax: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case sequence(SequenceSyntax)
        case threshold(ThresholdSyntax)
        case correlation(CorrelationSyntax)
        case anomalyCluster(AnomalyClusterSyntax)
    }

    public var kind: Kind
    public var range: SourceRange
    /// The word `sequence`, `threshold`, ...
    public var keyword: SourceRange

    public init(_ kind: Kind, range: SourceRange, keyword: SourceRange) {
        self.kind = kind
        self.range = range
        self.keyword = keyword
    }
}

// MARK: - Sequence

/// `sequence by ... within ... { ... }`
public struct SequenceSyntax: Sendable, Equatable {
    public var keys: KeySyntax?
    public var within: DurationLiteral?
    public var policies: [SequencePolicy]
    public var elements: [SequenceElement]

    public init(
        keys: KeySyntax?, within: DurationLiteral?, policies: [SequencePolicy],
        elements: [SequenceElement]
    ) {
        self.keys = keys
        self.within = within
        self.policies = policies
        self.elements = elements
    }
}

/// What stands between the limit of a sequence and its block.
public struct SequencePolicy: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case overlapNone, overlapEach, overlapLatest
        case overlapAll(limit: IntegerLiteral)
        case restartOnRepeat
        case unbounded(limit: IntegerLiteral)
        case reportPartial
        case afterMatchResume(at: Name)
        /// `assume absent at start` (S5).
        case assumeAbsentAtStart
    }

    public var kind: Kind
    public var range: SourceRange

    public init(_ kind: Kind, _ range: SourceRange) {
        self.kind = kind
        self.range = range
    }
}

/// One line of a sequence's block.
public struct SequenceElement: Sendable, Equatable {
    public indirect enum Kind: Sendable, Equatable {
        case step(StepSyntax)
        /// `no NAME: source within D` (at the end) and `no NAME: source for D` (at the start).
        case absence(StepSyntax, span: DurationLiteral?, spelledFor: Bool)
        /// `without NAME: source`
        case without(StepSyntax)
        case allOf([SequenceElement])
        case anyOf([SequenceElement])
        /// `until NAME: source`
        case until(StepSyntax)
    }

    public var kind: Kind
    /// Written with `then` in front.
    public var then: Bool
    /// Written with `then immediately` in front: the word's range.
    public var immediately: SourceRange?
    public var range: SourceRange

    public init(_ kind: Kind, then: Bool, immediately: SourceRange?, range: SourceRange) {
        self.kind = kind
        self.then = then
        self.immediately = immediately
        self.range = range
    }
}

/// A named event of a sequence: quantity, name, source, limits.
public struct StepSyntax: Sendable, Equatable {
    public enum Quantity: Sendable, Equatable {
        case atLeast(Int)
        case exactly(Int)
        case between(Int, Int)
        case anyNumber
        case optional
    }

    /// Nil: exactly one event, bound as a value.
    public var quantity: Quantity?
    public var quantityRange: SourceRange?
    public var name: Name
    public var source: SourceSyntax
    public var aliases: [KeyAlias]
    /// The gap from the previous step. (For absences see `SequenceElement.Kind.absence`.)
    public var within: DurationLiteral?
    /// `as few as possible`
    public var isReluctant: Bool

    public init(
        quantity: Quantity?, quantityRange: SourceRange?, name: Name, source: SourceSyntax,
        aliases: [KeyAlias], within: DurationLiteral?, isReluctant: Bool
    ) {
        self.quantity = quantity
        self.quantityRange = quantityRange
        self.name = name
        self.source = source
        self.aliases = aliases
        self.within = within
        self.isReluctant = isReluctant
    }
}

// MARK: - Threshold and metric

/// `threshold by ... { over window measure when ... }`
public struct ThresholdSyntax: Sendable, Equatable {
    public var keys: KeySyntax?
    public var over: SourceSyntax?
    public var window: WindowSyntax?
    public var measures: [MeasureSyntax]
    public var when: ExpressionSyntax?
    public var whenFor: DurationLiteral?
    public var atLeastEvents: IntegerLiteral?
    public var resolveWhen: ExpressionSyntax?
    public var resolveFor: DurationLiteral?
    public var options: [ThresholdOption]

    public init(
        keys: KeySyntax?, over: SourceSyntax?, window: WindowSyntax?, measures: [MeasureSyntax],
        when: ExpressionSyntax?, whenFor: DurationLiteral?, atLeastEvents: IntegerLiteral?,
        resolveWhen: ExpressionSyntax?, resolveFor: DurationLiteral?, options: [ThresholdOption]
    ) {
        self.keys = keys
        self.over = over
        self.window = window
        self.measures = measures
        self.when = when
        self.whenFor = whenFor
        self.atLeastEvents = atLeastEvents
        self.resolveWhen = resolveWhen
        self.resolveFor = resolveFor
        self.options = options
    }
}

/// `window 5m sliding` and its other forms.
public struct WindowSyntax: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case sliding(DurationLiteral)
        case tumbling(DurationLiteral)
        case hopping(DurationLiteral, every: DurationLiteral)
        case session(gap: DurationLiteral, max: DurationLiteral)
        case last(IntegerLiteral)
    }

    public var kind: Kind
    /// `aligned to "Europe/Berlin"`
    public var zone: TextLiteral?
    public var range: SourceRange

    public init(_ kind: Kind, zone: TextLiteral?, range: SourceRange) {
        self.kind = kind
        self.zone = zone
        self.range = range
    }
}

/// `measure errors = count where status >= 500`, `measure p95 = percentile(95, duration_ms)`.
public struct MeasureSyntax: Sendable, Equatable {
    public var name: Name
    public var aggregate: AggregateSyntax
    public var range: SourceRange

    public init(name: Name, aggregate: AggregateSyntax, range: SourceRange) {
        self.name = name
        self.aggregate = aggregate
        self.range = range
    }
}

/// `count`, `count where P`, `sum(x)`, `percentile(95, x) where P`.
public struct AggregateSyntax: Sendable, Equatable {
    public var function: Name
    public var arguments: [ExpressionSyntax]
    public var condition: ExpressionSyntax?
    public var range: SourceRange

    public init(
        function: Name, arguments: [ExpressionSyntax], condition: ExpressionSyntax?,
        range: SourceRange
    ) {
        self.function = function
        self.arguments = arguments
        self.condition = condition
        self.range = range
    }
}

/// `remind every`, `stale after` and the other single lines of a threshold.
public struct ThresholdOption: Sendable, Equatable {
    public enum NoData: String, Sendable { case resolve, keep, fire }

    public enum Kind: Sendable, Equatable {
        case remind(every: DurationLiteral)
        case stale(after: DurationLiteral)
        case onNoData(NoData)
        case resetAfterMatch
        case forget(after: DurationLiteral)
    }

    public var kind: Kind
    public var range: SourceRange

    public init(_ kind: Kind, _ range: SourceRange) {
        self.kind = kind
        self.range = range
    }
}

/// `metric NAME { by over window measure forecast show }` (part 4 of the language).
public struct MetricDeclaration: Sendable, Equatable {
    public struct Forecast: Sendable, Equatable {
        public var measure: Name
        public var horizon: DurationLiteral
        /// `seasonal daily` or `seasonal weekly`
        public var season: Season?
        public var range: SourceRange

        public init(
            measure: Name, horizon: DurationLiteral, season: Season?, range: SourceRange
        ) {
            self.measure = measure
            self.horizon = horizon
            self.season = season
            self.range = range
        }
    }

    public var name: Name
    public var keys: KeySyntax?
    public var over: SourceSyntax?
    public var window: WindowSyntax?
    public var measures: [MeasureSyntax]
    public var forecasts: [Forecast]
    public var forgetAfter: DurationLiteral?
    public var show: TextLiteral?
    public var range: SourceRange

    public init(
        name: Name, keys: KeySyntax?, over: SourceSyntax?, window: WindowSyntax?,
        measures: [MeasureSyntax], forecasts: [Forecast],
        forgetAfter: DurationLiteral? = nil, show: TextLiteral?, range: SourceRange
    ) {
        self.name = name
        self.keys = keys
        self.over = over
        self.window = window
        self.measures = measures
        self.forecasts = forecasts
        self.forgetAfter = forgetAfter
        self.show = show
        self.range = range
    }
}

/// The period after which values repeat.
public enum Season: String, Sendable { case daily, weekly }

// MARK: - Correlation

/// `correlation by ... within ... { ... }`
public struct CorrelationSyntax: Sendable, Equatable {
    public struct Member: Sendable, Equatable {
        public var name: Name
        public var source: SourceSyntax
        public var aliases: [KeyAlias]
        public var range: SourceRange

        public init(name: Name, source: SourceSyntax, aliases: [KeyAlias], range: SourceRange) {
            self.name = name
            self.source = source
            self.aliases = aliases
            self.range = range
        }
    }

    /// `a before b within 5m`
    public struct Precedence: Sendable, Equatable {
        public var earlier: Name
        public var later: Name
        public var within: DurationLiteral
        public var range: SourceRange

        public init(earlier: Name, later: Name, within: DurationLiteral, range: SourceRange) {
            self.earlier = earlier
            self.later = later
            self.within = within
            self.range = range
        }
    }

    public enum Strength: Sendable, Equatable {
        /// `lift(b after a within L) >= x over H with at least n [pooled]`
        case lift(
            later: Name, earlier: Name, lag: DurationLiteral, limit: ExpressionSyntax,
            over: DurationLiteral, atLeast: IntegerLiteral, pooled: Bool)
        /// `moves_with(x, y) over H step S lag 0..L >= r with at least n points`
        case movesWith(
            ExpressionSyntax, ExpressionSyntax, over: DurationLiteral, step: DurationLiteral,
            lag: DurationLiteral?, limit: ExpressionSyntax, atLeast: IntegerLiteral)
    }

    public var keys: KeySyntax?
    public var within: DurationLiteral?
    public var members: [Member]
    public var atLeast: IntegerLiteral?
    public var order: [Name]
    public var precedences: [Precedence]
    public var strength: Strength?
    public var strengthRange: SourceRange?
    public var oncePerEvent: Bool

    public init(
        keys: KeySyntax?, within: DurationLiteral?, members: [Member], atLeast: IntegerLiteral?,
        order: [Name], precedences: [Precedence], strength: Strength?, strengthRange: SourceRange?,
        oncePerEvent: Bool
    ) {
        self.keys = keys
        self.within = within
        self.members = members
        self.atLeast = atLeast
        self.order = order
        self.precedences = precedences
        self.strength = strength
        self.strengthRange = strengthRange
        self.oncePerEvent = oncePerEvent
    }
}

// MARK: - Anomaly cluster

/// `anomaly_cluster by ... { ... }`
public struct AnomalyClusterSyntax: Sendable, Equatable {
    /// `measure p95 = percentile(95, d) of http.request every 1m by service`
    public struct Series: Sendable, Equatable {
        public var name: Name
        public var aggregate: AggregateSyntax
        public var source: SourceSyntax
        public var every: DurationLiteral
        public var member: PathSyntax
        public var range: SourceRange

        public init(
            name: Name, aggregate: AggregateSyntax, source: SourceSyntax, every: DurationLiteral,
            member: PathSyntax, range: SourceRange
        ) {
            self.name = name
            self.aggregate = aggregate
            self.source = source
            self.every = every
            self.member = member
            self.range = range
        }
    }

    public enum Baseline: Sendable, Equatable {
        case last(IntegerLiteral)
        case seasonal(Season, over: DurationLiteral)
    }

    /// Further options, each a line of its own.
    public enum Option: Sendable, Equatable {
        case adaptAfter(DurationLiteral)
        case minSpread(ExpressionSyntax)
        case atLeastValues(IntegerLiteral)
        case updateEvery(DurationLiteral)
        case maxSpan(DurationLiteral)
    }

    /// `when robust_z(p95) > 4 for 2 of the last 3`; `direction` is `above`, `below` or `either`.
    public struct Criterion: Sendable, Equatable {
        public var condition: ExpressionSyntax
        public var required: IntegerLiteral?
        public var outOf: IntegerLiteral?
        public var range: SourceRange

        public init(
            condition: ExpressionSyntax, required: IntegerLiteral?, outOf: IntegerLiteral?,
            range: SourceRange
        ) {
            self.condition = condition
            self.required = required
            self.outOf = outOf
            self.range = range
        }
    }

    public var keys: KeySyntax?
    public var series: [Series]
    public var baseline: Baseline?
    public var criterion: Criterion?
    public var atLeastMembers: IntegerLiteral?
    public var member: PathSyntax?
    public var within: DurationLiteral?
    public var linkedBy: Name?
    public var options: [Option]

    public init(
        keys: KeySyntax?, series: [Series], baseline: Baseline?, criterion: Criterion?,
        atLeastMembers: IntegerLiteral?, member: PathSyntax?, within: DurationLiteral?,
        linkedBy: Name?, options: [Option]
    ) {
        self.keys = keys
        self.series = series
        self.baseline = baseline
        self.criterion = criterion
        self.atLeastMembers = atLeastMembers
        self.member = member
        self.within = within
        self.linkedBy = linkedBy
        self.options = options
    }
}

// MARK: - Test

/// `test "name" for RULE { given and expect lines }`
public struct TestDeclaration: Sendable, Equatable {
    public var title: TextLiteral
    public var rule: Name
    public var lines: [TestLine]
    public var range: SourceRange

    public init(title: TextLiteral, rule: Name, lines: [TestLine], range: SourceRange) {
        self.title = title
        self.rule = rule
        self.lines = lines
        self.range = range
    }
}

/// An event that a test block writes down.
public struct TestEvent: Sendable, Equatable {
    public var type: PathSyntax
    public var fields: [(path: PathSyntax, value: ExpressionSyntax)]

    public init(type: PathSyntax, fields: [(path: PathSyntax, value: ExpressionSyntax)]) {
        self.type = type
        self.fields = fields
    }

    public static func == (left: TestEvent, right: TestEvent) -> Bool {
        left.type == right.type && left.fields.elementsEqual(right.fields, by: ==)
    }
}

/// One line of a test block: what is given or expected.
public struct TestLine: Sendable, Equatable {
    public enum Outcome: String, Sendable { case alert, resolve, correction }

    public enum Kind: Sendable, Equatable {
        /// `at 0s TYPE { ... } repeat 5 every 2s`
        case event(at: DurationLiteral, TestEvent, count: IntegerLiteral?, every: DurationLiteral?)
        /// `arrives at 20s TYPE { ... } time 5s`
        case late(arrives: DurationLiteral, TestEvent, time: DurationLiteral)
        /// `list NAME = [...]`
        case list(Name, [ExpressionSyntax])
        case watch(from: DurationLiteral)
        case advance(to: DurationLiteral)
        /// `crash at 30s`: the engine stops and another goes on from a snapshot.
        case crash(at: DurationLiteral)
        /// `expect alert at 30s with a, b`
        case expect(Outcome, at: DurationLiteral, with: [ExpressionSyntax])
        /// `expect nothing`, `expect nothing else`, `expect nothing before 5m`
        case expectNothing(else: Bool, before: DurationLiteral?)
    }

    public var kind: Kind
    public var range: SourceRange

    public init(_ kind: Kind, _ range: SourceRange) {
        self.kind = kind
        self.range = range
    }
}
