/// A step of a sequence: the index into `SequencePlan.steps`.
public struct StepID: Hashable, Comparable, Sendable {
    public var rawValue: Int

    public init(_ rawValue: Int) { self.rawValue = rawValue }

    public static func < (left: StepID, right: StepID) -> Bool { left.rawValue < right.rawValue }
}

/// A list of the rule set: the index into `RuleSetTables.lists`.
public struct ListID: Hashable, Sendable {
    public var rawValue: Int

    public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// A schedule of the rule set: the index into `RuleSetTables.schedules`.
public struct ScheduleID: Hashable, Sendable {
    public var rawValue: Int

    public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// A comparison of two values (T6, T7).
public enum Comparison: String, Hashable, Sendable, CaseIterable {
    case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">"
    case greaterOrEqual = ">="
}

/// An operation on two numbers, times or spans.
public enum Arithmetic: String, Hashable, Sendable, CaseIterable {
    case add = "+", subtract = "-", multiply = "*", divide = "/", remainder = "%"
}

/// A test of one text by another.
public enum TextTest: String, Hashable, Sendable, CaseIterable {
    case contains, startsWith = "starts with", endsWith = "ends with"
    /// `*` stands for any text, `?` for one character; `\` takes their meaning away.
    case like
}

/// How the values of a repeated step, or of the events of a window, become one value.
public enum AggregateFunction: String, Hashable, Sendable, CaseIterable {
    case count, sum, avg, min, max, distinct, percentile, rate, first, last
}

/// Functions of expressions. Their signatures, documentation and examples are the compiler's
/// `Builtins` table; what they compute is the engine's business.
public enum Function: String, Hashable, Sendable, CaseIterable {
    /// `abs(x)`, `round(x)`, `floor(x)`, `ceil(x)`, `sqrt(x)`
    case abs, round, floor, ceil, sqrt
    /// `min(a, b, ...)`, `max(a, b, ...)` of numbers, times or spans.
    case min, max
    /// `hours(span)`, `minutes(span)`, `seconds(span)`, `days(span)` as decimal numbers.
    case hours, minutes, seconds, days
    /// `geo_km(lat1, lon1, lat2, lon2)`: great-circle distance in kilometres.
    case geoKilometres = "geo_km"
    /// `lower(t)`, `upper(t)`, `length(t)` in characters or list elements.
    case lower, upper, length
    /// `number(t)`, `text(x)`
    case number, text
    /// `hour_of_day(time)` 0-23, `day_of_week(time)` 1 = Monday, in UTC.
    case hourOfDay = "hour_of_day", dayOfWeek = "day_of_week"
    /// `sum`, `avg`, `distinct`, `count`, `min`, `max` over a list value.
    case listSum = "list_sum", listAvg = "list_avg", listDistinct = "list_distinct"
    case listMin = "list_min", listMax = "list_max"
}

/// What a match knows of itself; usable in messages, `unless`, `attach` and test expectations.
public enum MatchFact: String, Hashable, Sendable, CaseIterable {
    case matchedAt = "matched_at", firstTime = "first_time", lastTime = "last_time", duration
    case rule, severity, strength, confidence
    /// `firing`, `resolved`, ...
    case state
}

/// A typed expression of a plan. The checker has made sure that the types agree; at run time
/// whatever does not fit is missing (T6, T7).
public indirect enum Term: Hashable, Sendable {
    case constant(Value)
    /// A field of the event being looked at.
    case field(FieldID)
    /// A field of the event bound by a single step; `first` and `last` of a repeated one.
    case stepField(StepID, Occurrence, FieldID)
    /// All values of a field over the events of a repeated step, in order, missing ones left out.
    case stepList(StepID, FieldID)
    /// How many events a step has taken.
    case stepCount(StepID)
    /// An aggregate over the events of a repeated step. `count` has no field and is `stepCount`.
    case stepAggregate(AggregateFunction, StepID, FieldID)
    /// The part of the rule's key with this index.
    case key(Int)
    /// A measure of a threshold: now, in the window just before (`previous(m)`), or in the window
    /// this much earlier (`same_time(m, 7d)`).
    case measure(Int, MeasureTime)
    case fact(MatchFact)
    /// How unusual the present value of a measure is; `parameter` is the smoothing of `ewma`.
    case score(ScoreFunction, measure: Int, parameter: Double?)
    /// How many members the cluster has.
    case clusterCount
    /// Of the first or last member by onset; of all, as a list, where nil.
    case clusterField(ClusterField, Occurrence?)
    /// The element that a surrounding `quantified` looks at, counted from the outermost.
    case variable(Int)

    case not(Term)
    case and([Term])
    case or([Term])
    case compare(Comparison, Term, Term, ignoringCase: Bool)
    case textTest(TextTest, Term, Term, ignoringCase: Bool)
    /// A linear-time regular expression, checked by the compiler.
    case pattern(Term, String, ignoringCase: Bool)
    /// The left value is one of the values on the right: a list value or `list`.
    case member(Term, of: Term, ignoringCase: Bool)
    case inNetwork(Term, Term)
    case inList(Term, ListID, ignoringCase: Bool)
    /// A column of the row that fits the key; for networks the longest prefix. Column nil: the row's
    /// second column (of a `pair`).
    case lookup(ListID, key: Term, column: String?)
    case exists(Term)
    /// The first, unless it is missing; then the second.
    case otherwise(Term, Term)
    case arithmetic(Arithmetic, Term, Term)
    case negate(Term)
    case call(Function, [Term])
    case list([Term])
    /// `any x in list: condition` (`every` when `all` is true; true on an empty list).
    case quantified(all: Bool, in: Term, variable: Int, Term)

    public enum Occurrence: Hashable, Sendable { case only, first, last }

    public enum MeasureTime: Hashable, Sendable {
        case now
        case previous
        case earlier(TimeSpan)
    }
}

extension Term {
    /// The terms directly below this one.
    public var children: [Term] {
        var children: [Term] = []
        forEachChild { children.append($0) }
        return children
    }

    /// Calls the closure with each term directly below this one, in order, without an array of them.
    public func forEachChild(_ body: (Term) -> Void) {
        switch self {
        case .constant, .field, .stepField, .stepList, .stepCount, .stepAggregate, .key, .measure,
            .fact, .score, .clusterCount, .clusterField, .variable:
            break
        case .not(let term), .exists(let term), .negate(let term), .pattern(let term, _, _),
            .inList(let term, _, _), .lookup(_, key: let term, _):
            body(term)
        case .and(let terms), .or(let terms), .call(_, let terms), .list(let terms):
            for term in terms { body(term) }
        case .compare(_, let left, let right, _), .textTest(_, let left, let right, _),
            .member(let left, of: let right, _), .inNetwork(let left, let right),
            .otherwise(let left, let right), .arithmetic(_, let left, let right),
            .quantified(_, in: let left, _, let right):
            body(left)
            body(right)
        }
    }

    /// Calls the closure with this term and every term below it, parents first.
    public func forEach(_ body: (Term) -> Void) {
        body(self)
        forEachChild { $0.forEach(body) }
    }

    /// Whether the term looks at the current event and constants alone, so that it can be judged
    /// for a whole batch before any run is looked at. Lists are not constant: they may be reloaded,
    /// yet they are the same for all runs, so they count as event-only too.
    public var isEventOnly: Bool {
        var result = true
        forEach { term in
            switch term {
            case .stepField, .stepList, .stepCount, .stepAggregate, .key, .measure, .fact, .score,
                .clusterCount, .clusterField:
                result = false
            default: break
            }
        }
        return result
    }
}
