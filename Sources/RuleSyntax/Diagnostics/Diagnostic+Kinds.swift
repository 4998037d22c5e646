// What is said about correlations, anomaly clusters and metrics (E0519 to E0529).

extension Diagnostic {
    /// The condition of a member reads another member.
    public static func memberReadsMember(_ member: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .memberReadsMember, "the condition of `\(member)` reads another member", at: range,
            label: "looks at more than its own event",
            notes: ["the members of a correlation may come in any order, so none is there first"],
            help: [Help("join them by the key, or write a `sequence`, whose steps have an order")])
    }

    /// One side of `moves_with` is not a number that the events of one member have.
    public static func movementOfOneMember(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .movementOfOneMember, "`moves_with` follows a number of one member's events", at: range,
            label: "not a number of one member",
            help: [Help("write a field of a member, for example `cpu.value`")])
    }

    /// A strength that is measured over too little to be ever known.
    public static func strengthNeverKnown(
        _ why: String, at range: SourceRange, label: String
    ) -> Diagnostic {
        Diagnostic(
            .strengthNeverKnown, why, at: range, label: label,
            notes: ["a strength that is not known makes no match"],
            help: [Help("look further back, behind `over`")])
    }

    /// More buckets and lags than can be compared.
    public static func movementTooFine(
        buckets: Int64, lags: Int64, max: Int64, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .movementTooFine,
            "\(buckets) buckets at \(lags) lags are to be compared, and \(max) pairs are possible",
            at: range, label: "too fine",
            help: [Help("take a longer `step`, a shorter `lag`, or look back less far")])
    }

    /// Members that can never stand as the rule wants them.
    public static func membersContradict(
        _ first: String, _ second: String, at range: SourceRange, other: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .membersContradict,
            "`\(first)` is to come before `\(second)`, and behind it as well", at: range,
            label: "this way …", secondary: [Label(other, "… and the other way")],
            help: [Help("leave out one of the two")])
    }

    /// One member named twice where two are needed.
    public static func memberTwice(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .membersContradict, "`\(name)` is named twice", at: range, label: "the same member",
            help: [Help("name two members")])
    }

    /// The series of one cluster have buckets of different lengths.
    public static func seriesBucketsDiffer(at range: SourceRange, first: SourceRange) -> Diagnostic
    {
        Diagnostic(
            .seriesDiffer, "the series of one cluster are judged together, bucket by bucket",
            at: range, label: "another length", secondary: [Label(first, "the first one's")],
            help: [Help("give them the same `every`, or write two rules")])
    }

    /// The series of one cluster tell members apart by different fields.
    public static func seriesMembersDiffer(
        _ name: String, _ other: String, at range: SourceRange, first: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .seriesDiffer,
            "the members of one cluster are either each a `\(other)` or each a `\(name)`",
            at: range, label: "another field", secondary: [Label(first, "the first one's")],
            help: [Help("tell all series apart by the same field, or write two rules")])
    }

    /// A season that is longer than the history it is looked for in.
    public static func seasonBeyondHistory(
        _ season: String, _ span: String, _ history: String, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .seasonBeyondHistory,
            "a \(season) season repeats after \(span), and only \(history) are looked at",
            at: range,
            label: "shorter than one season",
            notes: ["there would never be an earlier bucket of the same phase to compare with"],
            help: [Help("name at least three seasons")])
    }

    /// More baseline values are needed than are ever kept.
    public static func baselineTooShort(wanted: Int, most: Int, at range: SourceRange) -> Diagnostic
    {
        Diagnostic(
            .baselineTooShort,
            "at least \(wanted) values are needed, and the baseline never has more than \(most)",
            at: range, label: "so nothing would ever be anomalous",
            help: [
                Help("lengthen the baseline, or say with how few it may judge: `at least N values`")
            ])
    }

    /// The smoothing of `ewma` is not between 0 and 1.
    public static func badSmoothing(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .badSmoothing, "the smoothing of `ewma` is above 0 and at most 1", at: range,
            label: "outside", notes: ["0.1 forgets slowly, 0.5 quickly"])
    }

    /// A score of something that is not a measure of the cluster.
    public static func scoreOfMeasure(_ function: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .scoreOfMeasure, "`\(function)` scores a measure of this rule", at: range,
            label: "not a measure",
            notes: ["a score compares a measure with its own earlier values"])
    }

    /// A metric over a window without buckets.
    public static func metricNeedsBuckets(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .metricNeedsBuckets, "a metric is one event for each bucket, and this window has none",
            at: range, label: "moves with every event",
            help: [Help("write for example `window 1m tumbling`")])
    }
}
