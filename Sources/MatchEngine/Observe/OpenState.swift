import RuleModel

/// What is open for one key of a rule in a running engine. How earlier attempts ended is not in it: an
/// engine keeps what it may yet need and no history.
public enum OpenState: Sendable, Equatable {
    /// A sequence that something began.
    case attempt(Attempt)
    case threshold(OpenThreshold)
    case correlation(OpenCorrelation)
    case group(OpenGroup)
}

/// Where a key of a threshold stands.
public struct OpenThreshold: Sendable, Equatable {
    public var key: [Value]
    public var state: Spell.State
    /// Since when the condition holds or cannot be judged; nil where that is not kept.
    public var since: Timestamp?
    /// When it fires or resolves, if nothing changes; nil: not by time alone.
    public var until: Timestamp?
    /// The open alert, if one was told.
    public var alert: String?
    public var events: Int
    public var minimumEvents: Int
    /// The measures now, and the tests of `when` that do not hold.
    public var now: Spell.Judgement
}

/// Where a key of a correlation stands.
public struct OpenCorrelation: Sendable, Equatable {
    /// `outcome` is `fired` while an alert is open. `until` is when the first of its events leaves then,
    /// and when the last does otherwise.
    public var gathering: Gathering
    /// The open alert, if one was told.
    public var alert: String?
}

/// Where a group of an anomaly cluster stands.
public struct OpenGroup: Sendable, Equatable {
    public struct Cluster: Sendable, Equatable {
        /// Nil: its beginning was silenced.
        public var alert: String?
        /// In order of onset.
        public var members: [Alert.Member]
        /// It closes after this, once no member stands out any more.
        public var until: Timestamp
    }

    public var key: [Value]
    public var members: Int
    /// Those that stand out now, in no cluster or in one.
    public var anomalous: [Value]
    /// Members that have begun to stand out and are in no cluster.
    public var waiting: [Alert.Member]
    public var needed: Int
    /// When all are judged next.
    public var nextJudgement: Timestamp
    public var clusters: [Cluster]
}

extension OpenState {
    /// The key that it is of.
    public var key: [Value] {
        switch self {
        case .attempt(let attempt): attempt.key
        case .threshold(let threshold): threshold.key
        case .correlation(let correlation): correlation.gathering.key
        case .group(let group): group.key
        }
    }

    /// How near it is to an alert; more than 1 while one is open.
    public var progress: Double {
        switch self {
        case .attempt(let attempt): attempt.progress
        case .threshold(let threshold):
            switch threshold.state {
            case .firing: 2
            case .pending: 1
            case .inactive: 1 - min(1, threshold.now.distance)
            case .unknown: 0
            }
        case .correlation(let correlation):
            Observation.gathering(correlation.gathering).progress
        case .group(let group):
            group.clusters.isEmpty
                ? min(1, Double(group.waiting.count) / Double(max(1, group.needed))) : 2
        }
    }

    func masked(by masks: Masks) -> OpenState {
        switch self {
        case .attempt(var attempt):
            attempt.key = masks.masked(key: attempt.key)
            return .attempt(attempt)
        case .threshold(var threshold):
            threshold.key = masks.masked(key: threshold.key)
            threshold.now = threshold.now.masked(by: masks)
            return .threshold(threshold)
        case .correlation(var correlation):
            correlation.gathering.key = masks.masked(key: correlation.gathering.key)
            return .correlation(correlation)
        case .group(var group):
            group.key = masks.masked(key: group.key)
            guard masks.members else { return .group(group) }
            group.anomalous = group.anomalous.map { _ in Masks.hidden }
            for index in group.waiting.indices { group.waiting[index].name = Masks.hidden }
            for cluster in group.clusters.indices {
                for index in group.clusters[cluster].members.indices {
                    group.clusters[cluster].members[index].name = Masks.hidden
                }
            }
            return .group(group)
        }
    }
}

/// What is open for a rule, in one engine or in several that share its keys.
public struct OpenStates: Sendable {
    /// Of one key that was asked for in order of time, else those nearest to an alert first.
    public var states: [OpenState] = []
    /// Keys that the rule holds, and how many of them were looked at.
    public var keys = 0
    public var keysSeen = 0
    /// Open matches that are not among the states, since there are too many.
    public var omitted = 0
    /// Attempts inside others that have come as far, which are not told one by one.
    public var folded = 0
    /// Some keys that are held and were not asked for.
    public var otherKeys: [[Value]] = []
    /// Why the view may not be whole.
    public var doubts: [String] = []
    /// Events that have come and wait for the watermark.
    public var waitingEvents = 0
    /// How far event time has come.
    public var end = Timestamp.distantPast

    /// States that are handed out at most.
    private static let statesMax = 200

    init() {}

    /// Adds what another shard of the same rule holds.
    public mutating func add(shard other: OpenStates) {
        states += other.states
        keys += other.keys
        keysSeen += other.keysSeen
        omitted += other.omitted
        folded += other.folded
        otherKeys = Array((otherKeys + other.otherKeys).prefix(5))
        for doubt in other.doubts where !doubts.contains(doubt) { doubts.append(doubt) }
        waitingEvents = max(waitingEvents, other.waitingEvents)
        end = max(end, other.end)
        trim()
    }

    /// Puts the nearest first and lets go of the farthest.
    mutating func trim() {
        states = states.enumerated().sorted {
            (-$0.element.progress, $0.offset) < (-$1.element.progress, $1.offset)
        }.map(\.element)
        if states.count > OpenStates.statesMax {
            omitted += states.count - OpenStates.statesMax
            states.removeLast(states.count - OpenStates.statesMax)
        }
    }
}

extension Engine {
    /// Keys that are looked at when none is asked for: those used last.
    private static let keysMax = 1_000

    /// What is open for a rule now.
    ///
    /// Looks at what the machines keep anyway, so it costs nothing until it is asked for.
    ///
    /// - Parameter key: The parts of the key as text; nil: all keys.
    /// - Returns: Nil when the program has no such rule.
    public func open(of rule: RuleID, key wanted: [String]?) -> OpenStates? {
        guard let index = context.program.rules.firstIndex(where: { $0.id == rule }) else {
            return nil
        }
        var context = context
        context.rule = index
        let table = context.keys[index]
        let masks = Masks(rule: context.program.rules[index])
        var result = OpenStates()
        result.keys = table.count
        result.waitingEvents = waiting.count
        result.end = context.instant
        let keys =
            wanted.map { parts in table.keys { isKey($0, parts) } }
            ?? table.recentKeys(Engine.keysMax)
        result.keysSeen = keys.count
        for key in keys {
            var found = OpenMatches()
            machines.open(key, index, found: &found, in: context)
            result.states += found.states.map { $0.masked(by: masks) }
            result.omitted += found.omitted
            result.folded += found.folded
        }
        if wanted == nil { result.trim() }
        if keys.isEmpty, masks.keys.isEmpty {
            result.otherKeys = table.recentKeys(5).map(table.values)
        }
        for reason in keys.flatMap({ table.doubts($0).reasons })
        where !result.doubts.contains(reason) {
            result.doubts.append(reason)
        }
        let evicted = context.counters.rules[index].evictedKeys
        if evicted > 0 {
            result.doubts.append("\(evicted) keys of this rule were dropped for its limit")
        }
        return result
    }
}

/// Whether texts that a person wrote are the parts of a key: as martlet writes them, or another spelling
/// of the same number or address.
func isKey(_ values: some Collection<Value>, _ wanted: [String]) -> Bool {
    values.count == wanted.count
        && zip(values, wanted).allSatisfy { value, text in
            if value.plainText == text { return true }
            return switch value {
            case .int, .float:
                Double(text).map {
                    Comparisons.compare(.equal, value, .float($0), ignoringCase: false) ?? false
                } ?? false
            case .ip(let address): IPAddress(text) == address
            default: false
            }
        }
}

/// What a machine has open for one key.
struct OpenMatches {
    var states: [OpenState] = []
    var omitted = 0
    var folded = 0
    /// The events of the attempt told last, by whatever tells those of the key apart: what lies inside and
    /// came no further is not told.
    private var last: Set<Int64> = []

    /// Attempts that are told of one key, and starts that are looked at.
    static let attemptsMax = 200

    /// Adds how far the start of a sequence has come, as a recorder would tell it.
    mutating func add(_ attempt: Attempt, from start: Int64, taking events: [Int64]) {
        if last.contains(start), case .attempt(var told)? = states.last,
            told.progress >= attempt.progress
        {
            // The same attempt with a later end.
            told.outcome = attempt.outcome
            states[states.count - 1] = .attempt(told)
            folded += 1
            return
        }
        last = Set(events)
        states.append(.attempt(attempt))
    }
}
