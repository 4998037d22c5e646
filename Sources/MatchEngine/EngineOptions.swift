import RuleModel

/// What an engine reads besides events: lists and time zones, as data.
public struct EngineEnvironment: Sendable {
    /// A list without a table is empty.
    public var lists: [ListID: ListTable]
    /// By IANA name. A zone without a table counts as UTC.
    public var zones: [String: ZoneTable]

    public init(lists: [ListID: ListTable] = [:], zones: [String: ZoneTable] = [:]) {
        self.lists = lists
        self.zones = zones
    }
}

/// How an engine runs a program: order, share of the keys, limits.
public struct EngineOptions: Sendable {
    /// How far the events of a source may be out of order, by `EventBatch.source`; zero for sources
    /// behind the end. When all are zero nothing waits and nothing is late (T2).
    public var lateness: [TimeSpan] = []
    /// By source: whether its events are judged on arrival as well, where they may be out of order
    /// (T2a); false for sources behind the end.
    public var judgesEarly: [Bool] = []
    /// By source: for how long before the watermark late events are compared with what was told
    /// (T3); zero or behind the end: not at all.
    public var corrections: [TimeSpan] = []
    /// Among how many engines the keys are divided, and which share this one has. The records of
    /// all shares together are those of one engine that has all keys (T11), as long as none of them
    /// reaches its limit on keys, which each has for itself.
    public var shardIndex = 0
    public var shardCount = 1
    /// Since when the input is watched: the absence at the start of a sequence and the clocks of
    /// listed keys begin here. Nil: at the first event.
    public var watchStart: Timestamp?
    public var limits = EngineLimits()
    /// Whether near misses of rules that say `report partial` are kept for `takePartialMatches`.
    public var keepsPartialMatches = false
    /// Whether the buckets of metrics are kept for `takeMetrics`; rules read them in any case.
    public var keepsMetrics = false

    public init() {}
}

/// The most that an engine keeps. A rule's own bound counts where it is smaller. Reaching a limit
/// drops the oldest, is counted, and marks the alerts it may have touched (T9).
public struct EngineLimits: Sendable {
    public var keysPerRule = 100_000
    public var runsPerKey = 10_000
    /// Events of one candidate of a sequence or of a correlation's window: the rule's bound says.
    public var eventsPerKey = Int.max
    /// Occurrences of one member whose outcome a lift counts.
    public var occurrences = 10_000
    /// Events of one key in the window of a threshold rule. More than of a sequence, since a count may
    /// well ask for them and percentiles go on as estimates (H3).
    public var eventsPerWindow = 1_000_000
    /// Different values that one `distinct` of one bucket of a metric tells apart.
    public var distinctValues = 100_000
    /// Members of one group of an anomaly cluster; of more, those silent for longest go.
    public var membersPerGroup = 1_000
    /// Events of one step that an alert shows; the rest is counted in `omitted`.
    public var eventsPerAlertStep = 10
    /// Tests of one event against one candidate that a single event may cause in one rule.
    public var workPerEvent = 200_000
    /// Events that may wait in the reorder buffer; more move the watermark, which is counted.
    public var waitingEvents = 1_000_000
    /// Entities that have points of `risk`, and points of one of them; the oldest go.
    public var riskEntities = 100_000
    public var pointsPerEntity = 10_000
    /// Alerts told early that wait to be confirmed; more are told in order only.
    public var earlyAlerts = 100_000
    /// Events, and alerts, that late events are compared with; the oldest go.
    public var correctable = 1_000_000

    public init() {}
}

/// What an engine has seen and done since it was made.
public struct EngineCounters: Sendable, Equatable {
    public struct Source: Sendable, Equatable {
        public var events = 0
        /// Events older than one before them of the same source.
        public var outOfOrder = 0
        /// Events older than the watermark, which changed nothing (T3).
        public var late = 0
        /// The lateness that would have covered the disorder.
        public var worstDisorder = TimeSpan.zero

        public init() {}
    }

    public struct Rule: Sendable, Equatable {
        /// Events that a machine of the rule looked at.
        public var events = 0
        /// Records handed out.
        public var alerts = 0
        /// Matches kept silent by `unless` or `active`.
        public var silenced = 0
        /// Events without a part of the key (T6).
        public var missingKeys = 0
        /// Late events that the rule would have looked at (T3).
        public var late = 0
        /// Records that say what a late event would have changed (T3).
        public var corrections = 0
        public var evictedKeys = 0
        public var droppedRuns = 0
        public var droppedEvents = 0
        /// Values that a `distinct` of a metric had no room for.
        public var droppedValues = 0
        /// Events at which the search was cut short.
        public var exhaustedSearches = 0
        /// Events without the field that names the member of a group.
        public var missingMembers = 0
        /// Members of groups that went for the limit on them.
        public var droppedMembers = 0
        /// Points of `risk`, and entities with all of theirs, that went for the limit on them.
        public var droppedRisks = 0

        public init() {}
    }

    /// What was told before the watermark had passed it (T2a).
    public struct Early: Sendable, Equatable {
        public var sent = 0
        /// The ordered evaluation said the same.
        public var confirmed = 0
        /// It said something else of the same match.
        public var changed = 0
        /// It found no such match.
        public var withdrawn = 0
        /// By how much of event time confirmed and changed ones came sooner, added up.
        public var lead = TimeSpan.zero

        public init() {}
    }

    /// What was given up for limits that no single rule has.
    public struct Overflows: Sendable, Equatable {
        /// Matches that were told in order only, since too many told early waited to be confirmed.
        public var untoldEarly = 0
        /// Events and alerts that late events are no longer compared with.
        public var forgottenForCorrection = 0
        /// How often memory was short, and the keys that were dropped for it; these are among the evicted
        /// ones of their rules.
        public var shortages = 0
        public var keysForMemory = 0

        public init() {}
    }

    public var early = Early()
    public var overflows = Overflows()
    /// By `EventBatch.source`.
    public var sources: [Source] = []
    /// Events that were processed before the watermark passed them, since too many waited.
    public var hurriedEvents = 0
    /// By index into `Program.rules`.
    public var rules: [Rule]

    public init(ruleCount: Int) { rules = Array(repeating: Rule(), count: ruleCount) }
}

/// How far a run came that ended without a match; for `report partial` (S9).
public struct PartialMatch: Sendable, Equatable {
    public var rule: RuleID
    public var key: [Value]
    public var firstTime: Timestamp
    /// When the run ended.
    public var endedAt: Timestamp
    /// Names of the steps that were filled, in order.
    public var filledSteps: [String]

    public init(
        rule: RuleID, key: [Value], firstTime: Timestamp, endedAt: Timestamp, filledSteps: [String]
    ) {
        self.rule = rule
        self.key = key
        self.firstTime = firstTime
        self.endedAt = endedAt
        self.filledSteps = filledSteps
    }
}

extension EngineCounters {
    /// These counters and those of another shard of the same run: what a shard counts for its own
    /// keys is added; what every shard sees alike (sources, missing keys, late events) is kept.
    public func adding(shard other: EngineCounters) -> EngineCounters {
        var sum = self
        sum.early.add(other.early)
        sum.overflows.add(shard: other.overflows)
        for (index, rule) in other.rules.enumerated() where sum.rules.indices.contains(index) {
            sum.rules[index].add(shard: rule)
        }
        return sum
    }
}

extension EngineCounters.Early {
    mutating func add(_ other: Self) {
        sent += other.sent
        confirmed += other.confirmed
        changed += other.changed
        withdrawn += other.withdrawn
        lead = lead + other.lead
    }
}

extension EngineCounters.Overflows {
    mutating func add(shard other: Self) {
        untoldEarly += other.untoldEarly
        forgottenForCorrection += other.forgottenForCorrection
        keysForMemory += other.keysForMemory
        shortages = max(shortages, other.shortages)
    }
}

extension EngineCounters.Rule {
    mutating func add(shard other: Self) {
        events += other.events
        alerts += other.alerts
        corrections += other.corrections
        silenced += other.silenced
        evictedKeys += other.evictedKeys
        droppedRuns += other.droppedRuns
        droppedEvents += other.droppedEvents
        droppedValues += other.droppedValues
        exhaustedSearches += other.exhaustedSearches
        missingMembers += other.missingMembers
        droppedMembers += other.droppedMembers
        droppedRisks += other.droppedRisks
        missingKeys = max(missingKeys, other.missingKeys)
        late = max(late, other.late)
    }
}
