/// A rule of the rule set: the index into the array of plans, in order of files and lines.
public struct RuleID: Hashable, Comparable, Sendable {
    public var rawValue: Int

    public init(_ rawValue: Int) { self.rawValue = rawValue }

    public static func < (left: RuleID, right: RuleID) -> Bool { left.rawValue < right.rawValue }
}

/// An opaque mark that the compiler can turn back into a place in a file. Not part of any meaning.
public struct OriginID: Hashable, Sendable {
    public var rawValue: Int

    public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// A field that some rule reads: where it is and as what it is read.
public struct Field: Hashable, Sendable {
    public var path: FieldPath
    /// Index into `RuleSetTables.columns`; two fields of one path but different types share it.
    public var column: Int
    public var type: ValueType

    public init(path: FieldPath, column: Int, type: ValueType) {
        self.path = path
        self.column = column
        self.type = type
    }
}

/// What the plans of one rule set share and refer to by index.
public struct RuleSetTables: Sendable, Equatable {
    /// Names of the event types that rules read; the index is the `EventTypeID`.
    public var eventTypes: [String] = []
    /// The field paths that the decoder has to find, each once.
    public var columns: [FieldPath] = []
    /// The index is the `FieldID`.
    public var fields: [Field] = []
    public var lists: [ListPlan] = []
    public var schedules: [SchedulePlan] = []

    public init() {}

    /// The names of the event types as a decoder may find them in the data: those that the engine
    /// itself makes (`alert`, `metric.x`, `risk.x`) are nil, so that nobody sends an alert from outside.
    public var outsideTypes: [String?] {
        eventTypes.map { RuleSetTables.isMade($0) ? nil : $0 }
    }

    /// Whether the engine itself makes events of this name.
    public static func isMade(_ name: String) -> Bool {
        name == "alert" || name.hasPrefix("metric.") || name.hasPrefix("risk.")
    }
}

/// A list of the rule set. What it holds is in a `ListTable`, which may change while rules run.
public struct ListPlan: Sendable, Equatable {
    public enum Kind: String, Sendable { case text, cidr, number, pair, table }

    public var name: String
    public var kind: Kind
    /// As written in the rule, relative to the file `declaredIn`; nil for a list with values.
    public var path: String?
    /// The name of the file that declares it.
    public var declaredIn: String
    /// The column that membership and look-ups compare; nil: the first.
    public var keyColumn: String?
    /// How often the file is looked at; nil: the runtime's own choice.
    public var refresh: TimeSpan?
    /// The values of the `= [...]` form.
    public var values: [Value]

    public init(
        name: String, kind: Kind, path: String?, declaredIn: String, keyColumn: String?,
        refresh: TimeSpan?, values: [Value]
    ) {
        self.name = name
        self.kind = kind
        self.path = path
        self.declaredIn = declaredIn
        self.keyColumn = keyColumn
        self.refresh = refresh
        self.values = values
    }
}

/// Recurring spans of the week in one time zone.
public struct SchedulePlan: Sendable, Equatable {
    /// `days` holds 1 (Monday) to 7; the span is `[start, end)` in minutes of the local day, and
    /// `end` may be 1440. A span over midnight is two.
    public struct Span: Sendable, Equatable {
        public var days: [Int]
        public var startMinute: Int
        public var endMinute: Int

        public init(days: [Int], startMinute: Int, endMinute: Int) {
            self.days = days
            self.startMinute = startMinute
            self.endMinute = endMinute
        }
    }

    public var name: String
    public var spans: [Span]
    /// An IANA name such as `Europe/Berlin`.
    public var zone: String

    public init(name: String, spans: [Span], zone: String) {
        self.name = name
        self.spans = spans
        self.zone = zone
    }
}

/// The meaning of a rule: resolved, typed, normalised, printable.
///
/// A tree, because people, graphs and exports need the structure that a state machine has lost.
/// Everything that runs is made from it, and the reference matcher of the tests judges by it.
public struct RulePlan: Sendable, Equatable {
    public var id: RuleID
    public var name: String
    public var metadata: RuleMetadata
    /// Names of the parts of the partition key, as alerts show them. Empty: one key for all events.
    public var keyNames: [String]
    /// Keys that exist even if never seen (H9); only with one key part.
    public var keyList: ListID?
    public var pattern: PatternPlan
    /// Alerts are silent while this holds at `matched_at`.
    public var unless: Term?
    /// Alerts are silent outside (`during`) or inside (not `during`) these.
    public var active: [ActivePlan]
    public var emit: EmitPlan
    /// Expressions that a test wants to see for each alert; empty outside `martlet test`.
    public var probes: [Term]
    public var bound: StateBound
    /// A hash of the meaning: spaces, comments and order of clauses do not change it.
    public var fingerprint: UInt64
    /// A hash of what state depends on (T10): kind, keys, steps, windows, policies.
    public var shape: UInt64
    public var origin: OriginID
    /// Follows from the whole rule set, so it is no part of the fingerprint.
    public var place = RulePlace()

    public init(
        id: RuleID, name: String, metadata: RuleMetadata, keyNames: [String], keyList: ListID?,
        pattern: PatternPlan, unless: Term?, active: [ActivePlan], emit: EmitPlan, probes: [Term],
        bound: StateBound, fingerprint: UInt64, shape: UInt64, origin: OriginID
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
        self.origin = origin
    }
}

/// `active during` or `active outside` a schedule.
public struct ActivePlan: Sendable, Equatable {
    public var during: Bool
    public var schedule: ScheduleID

    public init(during: Bool, schedule: ScheduleID) {
        self.during = during
        self.schedule = schedule
    }
}

/// How bad an alert of a rule is, mildest first.
public enum Severity: String, Sendable, Comparable, CaseIterable {
    case info, low, medium, warning, high, critical

    public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

    private var rank: Int { Severity.allCases.firstIndex(of: self) ?? 0 }
}

/// What a rule says about itself; nothing of it changes what matches.
public struct RuleMetadata: Sendable, Equatable {
    public var title: String?
    public var severity: Severity = .medium
    public var tags: [String] = []
    public var attack: [String] = []
    public var owner: String?
    public var runbook: String?
    public var references: [String] = []
    public var falsePositives: [String] = []
    public var isEnabled = true
    /// What the rule states of itself: the probability that an alert of it is right.
    public var confidence = 0.5

    public init() {}

    /// The ATT&CK tactic that the rule speaks for: the first tactic of `attack` (`TA0001`) or, if there
    /// is none, of `tags` (`initial-access`, `attack.initial_access`).
    public var tactic: String? {
        for id in attack {
            if let tactic = RuleMetadata.tactics.first(where: { $0.id == id }) {
                return tactic.name
            }
        }
        for tag in tags {
            let word = tag.hasPrefix("attack.") ? String(tag.dropFirst(7)) : tag
            let name = String(word.map { $0 == "_" ? "-" : $0 })
            if RuleMetadata.tactics.contains(where: { $0.name == name }) { return name }
        }
        return nil
    }

    /// The tactics of MITRE ATT&CK for Enterprise, version 17.
    public static let tactics: [(id: String, name: String)] = [
        ("TA0043", "reconnaissance"), ("TA0042", "resource-development"),
        ("TA0001", "initial-access"), ("TA0002", "execution"), ("TA0003", "persistence"),
        ("TA0004", "privilege-escalation"), ("TA0005", "defense-evasion"),
        ("TA0006", "credential-access"), ("TA0007", "discovery"), ("TA0008", "lateral-movement"),
        ("TA0009", "collection"), ("TA0011", "command-and-control"), ("TA0010", "exfiltration"),
        ("TA0040", "impact"),
    ]
}

/// The most that a rule may keep. Reaching a limit drops the oldest and is counted (T9).
public struct StateBound: Sendable, Equatable {
    public var runsPerKey: Int
    public var eventsPerRun: Int
    public var keys: Int
    /// An estimate of the memory one key takes at its limits, in bytes.
    public var bytesPerKey: Int

    public init(runsPerKey: Int, eventsPerRun: Int, keys: Int, bytesPerKey: Int) {
        self.runsPerKey = runsPerKey
        self.eventsPerRun = eventsPerRun
        self.keys = keys
        self.bytesPerKey = bytesPerKey
    }
}

/// What a rule looks for.
public enum PatternPlan: Sendable, Equatable {
    case sequence(SequencePlan)
    case threshold(ThresholdPlan)
    case correlation(CorrelationPlan)
    case anomaly(AnomalyPlan)
    /// A `metric`: makes events and no alerts.
    case metric(MetricPlan)
}

/// Where a pattern's events come from.
public struct InputPlan: Sendable, Equatable {
    /// As written: the event type or the name of a `select`.
    public var name: String
    public var type: EventTypeID
    /// The condition of the `select`, nil for a plain event type.
    public var condition: Term?
    /// One field for each part of the rule's key. `by` aliases make them differ between inputs.
    public var key: [FieldID]
    /// Nil: events from outside.
    public var producer: Producer?

    public init(
        name: String, type: EventTypeID, condition: Term?, key: [FieldID],
        producer: Producer? = nil
    ) {
        self.name = name
        self.type = type
        self.condition = condition
        self.key = key
        self.producer = producer
    }
}

// MARK: - Sequence

/// Steps in order (S1 to S9).
public struct SequencePlan: Sendable, Equatable {
    public enum Overlap: Sendable, Equatable {
        case none
        case each
        case latest
        /// Every combination; at most this many matches at one event.
        case all(limit: Int)
    }

    /// The rule's input (S1): what `then immediately` counts. No two are equal.
    public var inputs: [InputPlan]
    /// Every named event of the block, in order of writing: steps, absences, `without`, `until`.
    public var steps: [StepPlan]
    /// What must happen, in order. `until` is not among them.
    public var elements: [ElementPlan]
    public var until: StepID?
    /// From first to last event; nil without a limit on the whole.
    public var within: TimeSpan?
    public var overlap: Overlap
    public var restartsOnRepeat: Bool
    /// `unbounded limit N runs`
    public var runLimit: Int?
    public var reportsPartial: Bool
    /// `after match resume at NAME`
    public var resumeAt: StepID?
    public var assumesAbsentAtStart: Bool
    /// The longest time between the first event of a match and its last, `within` and step limits
    /// taken together; nil when only `runLimit` bounds the rule.
    public var horizon: TimeSpan?

    public init(
        inputs: [InputPlan], steps: [StepPlan], elements: [ElementPlan], until: StepID?,
        within: TimeSpan?, overlap: Overlap, restartsOnRepeat: Bool, runLimit: Int?,
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

/// A named event of a sequence, and how many of them it takes.
public struct StepPlan: Sendable, Equatable {
    public var name: String
    /// Index into `SequencePlan.inputs`.
    public var input: Int
    /// The part of the condition that looks at the event alone (the input's own condition not included).
    public var eventCondition: Term?
    /// The part that needs the events of other steps, or the events this one has taken so far.
    public var runCondition: Term?
    /// How many events it takes. 1 and 1 for a single step; `optional` is 0 and 1.
    public var minimum: Int
    /// Nil without an upper limit.
    public var maximum: Int?
    /// Written with a quantity other than `optional`: its fields are lists.
    public var isRepeated: Bool
    /// `as few as possible`
    public var isReluctant: Bool
    /// The longest gap from the last event of the step before to the (first) event of this one.
    public var gapLimit: TimeSpan?
    /// The fields of its events that later conditions, messages or aggregates read, sorted.
    public var captured: [FieldID]

    public init(
        name: String, input: Int, eventCondition: Term?, runCondition: Term?, minimum: Int,
        maximum: Int?, isRepeated: Bool, isReluctant: Bool, gapLimit: TimeSpan?, captured: [FieldID]
    ) {
        self.name = name
        self.input = input
        self.eventCondition = eventCondition
        self.runCondition = runCondition
        self.minimum = minimum
        self.maximum = maximum
        self.isRepeated = isRepeated
        self.isReluctant = isReluctant
        self.gapLimit = gapLimit
        self.captured = captured
    }
}

/// One line of a sequence: what must, or must not, happen next.
public struct ElementPlan: Sendable, Equatable {
    public indirect enum Kind: Sendable, Equatable {
        /// Takes the events of a step.
        case step(StepID)
        /// First element: no such event in `[t - span, t)`, `t` the time of the next step's event.
        /// Last element: no such event in `(t, t + span]`, `t` the time of the step before; the
        /// match happens at `t + span` (T5).
        case absence(StepID, TimeSpan)
        /// No such event strictly between the last event of the step before and the event of the
        /// step behind, in T0 order.
        case without(StepID)
        /// Each once, any order, no event twice.
        case all([ElementPlan])
        /// One of them; the first written wins on a tie.
        case any([ElementPlan])
    }

    public var kind: Kind
    /// `then immediately`: the next event of the rule's input with the same key.
    public var immediately: Bool

    public init(_ kind: Kind, immediately: Bool = false) {
        self.kind = kind
        self.immediately = immediately
    }
}

// MARK: - Threshold

/// A condition on what a window holds (H1 to H10).
public struct ThresholdPlan: Sendable, Equatable {
    public enum NoData: String, Sendable { case resolve, keep, fire }

    public var input: InputPlan
    /// The condition behind `over ... where`; looks at the event alone.
    public var condition: Term?
    public var window: WindowPlan
    public var measures: [MeasurePlan]
    public var when: Term
    public var holdFor: TimeSpan
    /// Below this many events in the window both conditions are unknown; 0 without a clause.
    public var minimumEvents: Int
    /// Nil: `when` is false.
    public var resolveWhen: Term?
    public var resolveFor: TimeSpan
    public var remindEvery: TimeSpan?
    public var staleAfter: TimeSpan
    public var onNoData: NoData
    public var resetsAfterMatch: Bool
    public var forgetAfter: TimeSpan

    public init(
        input: InputPlan, condition: Term?, window: WindowPlan, measures: [MeasurePlan], when: Term,
        holdFor: TimeSpan, minimumEvents: Int, resolveWhen: Term?, resolveFor: TimeSpan,
        remindEvery: TimeSpan?, staleAfter: TimeSpan, onNoData: NoData, resetsAfterMatch: Bool,
        forgetAfter: TimeSpan
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

/// Which events a threshold looks at (H1).
public struct WindowPlan: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// Events with `t - span <= time <= t`.
        case sliding(TimeSpan)
        /// Buckets `[start, start + size)`.
        case tumbling(TimeSpan)
        case hopping(TimeSpan, every: TimeSpan)
        case session(gap: TimeSpan, max: TimeSpan)
        case last(Int)
    }

    public var kind: Kind
    /// The zone that whole days and weeks are aligned to; nil: UTC.
    public var zone: String?

    public init(_ kind: Kind, zone: String? = nil) {
        self.kind = kind
        self.zone = zone
    }
}

/// A named aggregate over the events of a window (H3).
public struct MeasurePlan: Sendable, Equatable {
    public var name: String
    public var function: AggregateFunction
    /// What is aggregated; nil for `count`. Looks at the event alone.
    public var argument: Term?
    /// The `p` of `percentile(p, x)`, 0 to 100.
    public var parameter: Double?
    /// `where` behind the aggregate: only these events count.
    public var condition: Term?

    public init(
        name: String, function: AggregateFunction, argument: Term?, parameter: Double?,
        condition: Term?
    ) {
        self.name = name
        self.function = function
        self.argument = argument
        self.parameter = parameter
        self.condition = condition
    }
}

// MARK: - Emission

/// What an alert of a rule says, and when and where it is sent.
public struct EmitPlan: Sendable, Equatable {
    public enum MessagePart: Sendable, Equatable {
        case text(String)
        case term(Term, MessageFormat)
    }

    public enum MessageFormat: Sendable, Equatable {
        case plain
        case masked
        case inZone(String)
        case first(Int)
    }

    public struct Spaced: Sendable, Equatable {
        public var by: [Term]
        public var span: TimeSpan

        public init(by: [Term], span: TimeSpan) {
            self.by = by
            self.span = span
        }
    }

    public struct Attached: Sendable, Equatable {
        /// As written, for example `fails.first.time`.
        public var name: String
        public var term: Term

        public init(name: String, term: Term) {
            self.name = name
            self.term = term
        }
    }

    /// `risk POINTS on ENTITY`
    public struct Risk: Sendable, Equatable {
        /// What kind of entity: the last name behind `on`, for example `host`.
        public var name: String
        public var entity: Term
        public var points: Term

        public init(name: String, entity: Term, points: Term) {
            self.name = name
            self.entity = entity
            self.points = points
        }
    }

    public var message: [MessagePart] = []
    public var attach: [Attached] = []
    public var risks: [Risk] = []
    /// Whether matches are told before the watermark has passed them, where they may be (T2a).
    public var isEarly = true
    /// What `mask` names: these fields of these steps, key parts and measures are shown as `***`.
    public var mask: [Term] = []
    public var suppress: Spaced?
    public var group: Spaced?
    public var sinks: [String] = []

    public init() {}
}
