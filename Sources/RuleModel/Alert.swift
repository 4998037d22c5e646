/// A record that the engine hands out because of a match.
///
/// Field names are those of the JSON form. Everything in it follows from the rules and the events
/// alone, so that a replay gives the same bytes; only the sink adds the wall time `emitted_at`.
public struct Alert: Sendable, Equatable {
    public enum State: String, Sendable {
        case firing, updated, resolved, corrected
    }

    /// The events that one step of a sequence bound.
    public struct Step: Sendable, Equatable {
        public var name: String
        public var events: [BoundEvent]
        /// Events that were taken and are not shown, for the rule's limit.
        public var omitted: Int

        public init(name: String, events: [BoundEvent], omitted: Int) {
            self.name = name
            self.events = events
            self.omitted = omitted
        }
    }

    public struct BoundEvent: Sendable, Equatable {
        public var time: Timestamp
        public var type: String
        /// The fields that the rule reads, in the order of the step's `captured`; missing ones left out.
        public var fields: [NamedValue]

        public init(time: Timestamp, type: String, fields: [NamedValue]) {
            self.time = time
            self.type = type
            self.fields = fields
        }
    }

    public struct NamedValue: Sendable, Equatable {
        public var name: String
        public var value: Value

        public init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }
    }

    /// A member of a cluster (A7).
    public struct Member: Sendable, Equatable {
        public var name: Value
        /// The end of the bucket that made it anomalous.
        public var onset: Timestamp
        /// Of the measure with the highest score at the onset.
        public var measure: String
        public var value: Double
        public var baseline: Double
        public var spread: Double
        public var score: Double

        public init(
            name: Value, onset: Timestamp, measure: String, value: Double, baseline: Double,
            spread: Double, score: Double
        ) {
            self.name = name
            self.onset = onset
            self.measure = measure
            self.value = value
            self.baseline = baseline
            self.spread = spread
            self.score = score
        }
    }

    /// What an alert added to the score of an entity.
    public struct Risk: Sendable, Equatable {
        /// What kind of entity, for example `host`.
        public var name: String
        public var entity: Value
        public var points: Double
        /// All points of the last 24 hours together, these included.
        public var score: Double

        public init(name: String, entity: Value, points: Double, score: Double) {
            self.name = name
            self.entity = entity
            self.points = points
            self.score = score
        }
    }

    /// The version of the JSON form.
    public static let schemaVersion = 1

    /// 32 hexadecimal digits: a hash of rule name, key and the `matched_at` of the first match of
    /// the episode (T12).
    public var id: String
    public var rule: String
    public var ruleID: RuleID
    public var fingerprint: UInt64
    /// `sequence`, `threshold`, `correlation`, `anomaly_cluster`, or `engine` for what the engine
    /// says of itself.
    public var kind: String
    public var state: State
    public var severity: Severity
    public var title: String?
    public var message: String
    public var tags: [String]
    public var attack: [String]
    public var key: [NamedValue]
    /// Event time.
    public var matchedAt: Timestamp
    public var firstTime: Timestamp
    public var lastTime: Timestamp
    public var strength: Double
    public var confidence: Double
    /// The measures of a threshold.
    public var measures: [NamedValue]
    public var steps: [Step]
    /// The members of a cluster in order of onset.
    public var members: [Member] = []
    public var risks: [Risk] = []
    /// Sent before the watermark has passed it: confirmed in silence or corrected later (T2a).
    public var isEarly = false
    /// What `attach` names.
    public var attached: [NamedValue]
    /// Why the record came, where that is not plain: `no data`, `reminder`, `stale`, `rule removed`.
    public var reason: String?
    /// False with reasons when late, evicted or dropped data touched this key.
    public var incompleteBecause: [String]
    /// Alerts that a `group by` folded into this one, itself not counted.
    public var grouped: Int
    /// Versions of the lists that the rule read, in order of the lists: name and version.
    public var listVersions: [NamedValue]
    public var sinks: [String]
    /// Results of the rule's probes; only in `martlet test`.
    public var probes: [Value]
    /// Values of `suppress by` and `group by`; used by the alert stage, not printed.
    public var suppressKey: [Value]
    public var groupKey: [Value]
    /// Where the record stands in the order of processing.
    public var order: AlertOrder

    public init(
        id: String, rule: String, ruleID: RuleID, fingerprint: UInt64, kind: String, state: State,
        severity: Severity, title: String?, message: String, tags: [String], attack: [String],
        key: [NamedValue], matchedAt: Timestamp, firstTime: Timestamp, lastTime: Timestamp,
        strength: Double, confidence: Double, measures: [NamedValue], steps: [Step],
        attached: [NamedValue], reason: String?, incompleteBecause: [String], grouped: Int,
        listVersions: [NamedValue], sinks: [String], probes: [Value], suppressKey: [Value],
        groupKey: [Value], order: AlertOrder
    ) {
        self.id = id
        self.rule = rule
        self.ruleID = ruleID
        self.fingerprint = fingerprint
        self.kind = kind
        self.state = state
        self.severity = severity
        self.title = title
        self.message = message
        self.tags = tags
        self.attack = attack
        self.key = key
        self.matchedAt = matchedAt
        self.firstTime = firstTime
        self.lastTime = lastTime
        self.strength = strength
        self.confidence = confidence
        self.measures = measures
        self.steps = steps
        self.attached = attached
        self.reason = reason
        self.incompleteBecause = incompleteBecause
        self.grouped = grouped
        self.listVersions = listVersions
        self.sinks = sinks
        self.probes = probes
        self.suppressKey = suppressKey
        self.groupKey = groupKey
        self.order = order
    }
}

/// The order in which records come about: by instant; at one instant those of events, by arrival,
/// before those of deadlines; then by depth, by rule, by key, then as made.
///
/// Sorting the records of several shards by it gives the order that one engine would have had (T11).
public struct AlertOrder: Sendable, Equatable, Comparable {
    /// The instant of processing, in nanoseconds; for an out-of-order event that of the one before (T2).
    public var instant: Int64
    /// The arrival number of the event, or `UInt64.max` for a deadline.
    public var arrival: UInt64
    /// That of the rule (`RulePlace.depth`).
    public var depth: Int
    public var rule: Int
    /// The stable hash of the key.
    public var key: UInt64
    public var serial: Int

    public init(
        instant: Int64, arrival: UInt64, depth: Int, rule: Int, key: UInt64, serial: Int
    ) {
        self.instant = instant
        self.arrival = arrival
        self.depth = depth
        self.rule = rule
        self.key = key
        self.serial = serial
    }

    public static func < (left: AlertOrder, right: AlertOrder) -> Bool {
        (left.instant, left.arrival, left.depth, left.rule, left.key, left.serial)
            < (right.instant, right.arrival, right.depth, right.rule, right.key, right.serial)
    }
}
