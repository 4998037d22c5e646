import RuleModel

/// What a recorder has seen of one rule, for `explain` and for tests that fail.
public enum Observation: Sendable, Equatable {
    /// A sequence that something began.
    case attempt(Attempt)
    /// A stretch in which a threshold was in one state.
    case spell(Spell)
    /// Members of a correlation that were there together.
    case gathering(Gathering)
    /// Members of an anomaly cluster that stood out at one time.
    case cluster(ClusterAttempt)
    /// No event began anything; the one that came nearest.
    case nothing(key: [Value], Miss)
}

/// A test of a condition that failed, with what it compared.
public struct FailedTest: Sendable, Equatable {
    /// The comparison as the rule has it.
    public var term: Term
    public var left: Value
    /// Nil for tests of one value.
    public var right: Value?
    /// Only upper and lower case kept it from holding.
    public var differsOnlyInCase: Bool

    /// By how much a number was off its limit, as a share of the limit; 1 for everything else.
    var distance: Double {
        guard let right, let left = Numbers.double(left), let limit = Numbers.double(right) else {
            return 1
        }
        return min(1, abs(left - limit) / max(abs(limit), 1e-9))
    }
}

/// An event that would have taken an attempt further, and why it did not.
public struct Miss: Sendable, Equatable {
    public enum Reason: Sendable, Equatable {
        /// Tests of the condition that failed; `of` in all.
        case condition([FailedTest], of: Int)
        /// More than the step's own limit behind the event before.
        case gap(limit: TimeSpan, over: TimeSpan)
        /// Behind the end of the whole `within`.
        case within(limit: TimeSpan, over: TimeSpan)
        /// Behind an event of a `without`.
        case forbidden(step: String, at: Timestamp)
        /// Another event came between, and the step must follow immediately.
        case notImmediate
    }

    public var time: Timestamp
    public var type: String
    /// The step or member that the event would have been.
    public var step: String
    public var reason: Reason

    /// How far from fitting: 0 for an event that only came at the wrong time.
    var distance: Double {
        guard case .condition(let tests, let all) = reason else { return 0 }
        return 1 + tests.reduce(0) { $0 + $1.distance } / Double(max(1, all))
    }
}

/// How far one attempt at a sequence came.
public struct Attempt: Sendable, Equatable {
    public struct Step: Sendable, Equatable {
        public var name: String
        public var count: Int
        public var first: Timestamp
        public var last: Timestamp
        /// At least so many are needed; fewer were taken where this is more than `count`.
        public var minimum: Int
    }

    public enum Outcome: Sendable, Equatable {
        case matched(at: Timestamp)
        /// It may still come to something; nil: without a limit.
        case open(until: Timestamp?)
        case timeOver(at: Timestamp)
        /// An `until` event.
        case ended(by: String, at: Timestamp)
        /// An event of an absence at the end.
        case broken(by: String, at: Timestamp)
        /// A newer attempt took its place, as the policy wants it.
        case replaced(at: Timestamp)
        /// An event that had to follow immediately did not, or a forbidden one stood in the way.
        case stopped(at: Timestamp)
        /// The key was dropped for the limit on keys.
        case evicted(at: Timestamp)
    }

    public var key: [Value]
    public var first: Timestamp
    public var steps: [Step]
    /// The steps of which one has to come next; empty when only time has to pass.
    public var waitsFor: [String]
    /// Steps filled, as a part of those that must be.
    public var progress: Double
    public var filled: Int
    public var needed: Int
    public var outcome: Outcome
    /// The nearest events behind the last one taken, nearest first.
    public var misses: [Miss]
}

/// A stretch of time in which a key of a threshold was in one state.
public struct Spell: Sendable, Equatable {
    public enum State: String, Sendable {
        case inactive, pending, firing
        /// The condition cannot be judged: too few events, or too little history.
        case unknown
    }

    public var key: [Value]
    public var state: State
    public var from: Timestamp
    /// The last judgement.
    public var to: Timestamp
    /// When the condition came nearest to holding, in a spell in which it did not.
    public var nearest: Judgement?
    /// For an unknown state: events in the window, and how many are needed.
    public var events: Int
    public var minimumEvents: Int

    public struct Judgement: Sendable, Equatable {
        public var time: Timestamp
        public var measures: [Alert.NamedValue]
        public var failed: [FailedTest]

        var distance: Double { failed.reduce(0) { $0 + $1.distance } }
    }
}

/// Members of a correlation that were there at one time, the most of a stretch.
public struct Gathering: Sendable, Equatable {
    public struct Member: Sendable, Equatable {
        public var name: String
        public var time: Timestamp
    }

    public enum Outcome: Sendable, Equatable {
        case fired
        case tooFew
        /// All were there, and not in the order that the rule asks for.
        case wrongOrder
        /// The measured strength was too little or is not known yet.
        case tooWeak(measured: Double?, limit: Double)
    }

    public var key: [Value]
    public var at: Timestamp
    public var present: [Member]
    public var missing: [String]
    public var required: Int
    public var outcome: Outcome
    /// Until when the earliest of those present is there.
    public var until: Timestamp
    /// The nearest events of the missing members.
    public var misses: [Miss]
}

/// Members that stood out from their baselines at the end of one bucket.
public struct ClusterAttempt: Sendable, Equatable {
    public struct Member: Sendable, Equatable {
        public var name: Value
        public var measures: [Alert.NamedValue]
        /// The scores that the condition asks for, by place of their measure.
        public var scores: [Double?]
        /// Nil: not enough history to judge.
        public var isAnomalous: Bool?
        public var failed: [FailedTest]
        /// Every test of the condition and whether it held.
        var tests: [(term: Term, holds: Bool)] = []

        public static func == (left: Member, right: Member) -> Bool {
            left.name == right.name && left.measures == right.measures
                && left.scores == right.scores && left.isAnomalous == right.isAnomalous
                && left.failed == right.failed
        }
    }

    public var key: [Value]
    /// The end of the bucket.
    public var at: Timestamp
    /// Members whose onset lies within `within` of this time, all that a cluster counts.
    public var onsets: Int
    public var needed: Int
    /// How many members were judged at all, and how many had too little history.
    public var judged: Int
    public var unknown: Int
    /// Those that stood out, or came nearest to it.
    public var members: [Member]
    public var hasFired: Bool
}

/// All that a recorder has to say.
public struct Observations: Sendable {
    /// Nearest to an alert first within a key, or in order of time where one key was asked for.
    public var entries: [Observation] = []
    /// Keys seen, those without an attempt included.
    public var keys = 0
    /// Events of the rule's inputs that belong to an observed key.
    public var events = 0
    /// Alerts of the observed keys.
    public var alerts = 0
    /// Events that came too late.
    public var late: [Timestamp] = []
    /// Why the view may not be whole.
    public var doubts: [String] = []
    /// Attempts that are not shown, for there were too many.
    public var omitted = 0
    /// Attempts inside others that came as far, which are not told one by one.
    public var folded = 0
    /// Some keys that were seen and not asked for.
    public var otherKeys: [[Value]] = []
    /// Tests of conditions that were seen to hold and to fail, where that was asked for.
    public var branches = Branches()
    /// Steps, members or series for which an event came, by place.
    public var filled: Set<Int> = []
    /// How far the view goes.
    public var end = Timestamp.distantPast

    public init() {}
}
