// What is said about patterns and time (E05, E0207).

extension Diagnostic {
    /// A sequence whose state would never shrink.
    public static func unboundedSequence(_ rule: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .unbounded, "this sequence has no time limit, so its state would never shrink",
            at: range,
            label: "no limit on the whole",
            help: [Help("add `within 5m`, or `unbounded limit 10000 runs` if this is meant")])
    }

    /// A correlation without a time limit.
    public static func unboundedCorrelation(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .unbounded, "this correlation has no time limit, so its state would never shrink",
            at: range,
            label: "no limit on the whole", help: [Help("add `within 5m`")])
    }

    /// `no` between two steps, where `without` is meant.
    public static func absenceInTheMiddle(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .absencePlace, "`no \(name)` stands between two steps", at: range,
            label: "neither first nor last",
            help: [
                Help("between two steps write `without \(name): ...`, which has no time of its own")
            ])
    }

    /// An absence inside `all of` or `any of`.
    public static func absenceInGroup(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .absencePlace, "`\(name)` does not happen, so it cannot stand in `all of` or `any of`",
            at: range,
            label: "not a step")
    }

    /// `without` at an end of the sequence.
    public static func withoutAtTheEdge(
        _ name: String, isFirst: Bool, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .absencePlace, "`without \(name)` needs a step on both sides", at: range,
            label: isFirst ? "nothing stands before it" : "nothing follows it",
            help: [
                Help(
                    isFirst
                        ? "at the beginning write `no \(name): ... for 5m`"
                        : "at the end write `then no \(name): ... within 5m`")
            ])
    }

    /// An absence that does not say for how long.
    public static func absenceWithoutSpan(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .absencePlace, "`no \(name)` does not say for how long", at: range, label: "how long?",
            help: [Help("at the beginning `for 5m`, at the end `within 5m`")])
    }

    /// An absence with the word of the other end.
    public static func absenceWord(
        _ word: String, wanted: String, isFirst: Bool, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .absencePlace,
            "an absence at the \(isFirst ? "beginning" : "end") has `\(wanted)`, not `\(word)`",
            at: range,
            label: "behind `\(word)`",
            notes: [
                isFirst
                    ? "`for` looks back from the first event"
                    : "`within` waits from the step before"
            ])
    }

    /// A sequence of absences alone.
    public static func nothingHappens(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .absencePlace, "nothing has to happen in this sequence", at: range,
            label: "no step takes an event",
            help: [
                Help(
                    "for events that stay away altogether use a threshold: `when count == 0` with `by KEY from list NAME`"
                )
            ])
    }

    /// - Parameters:
    ///   - first: The part that sets the first limit, with its meaning.
    ///   - second: The part that excludes it.
    public static func contradiction(
        rule: String, _ first: Label, _ second: Label, help: [Help]
    ) -> Diagnostic {
        Diagnostic(
            .contradiction, "this condition can never be true", at: second.range,
            label: second.text,
            secondary: [first], notes: ["the rule `\(rule)` could therefore never raise an alert"],
            help: help)
    }

    /// The limit of a step is longer than that of the whole rule.
    public static func stepLimitBeyondRule(
        _ step: String, step limit: String, rule whole: String, at range: SourceRange,
        whole wholeRange: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .stepLimitBeyondRule, "the limit of step `\(step)` can never be reached", at: range,
            label: "up to \(limit) after the step before …",
            secondary: [
                Label(wholeRange, "… but the whole match must end \(whole) after it began")
            ],
            help: [
                Help(
                    "raise `within` of the rule above \(limit), or lower that of the step below \(whole)"
                )
            ])
    }

    /// `immediately` at the first step.
    public static func immediatelyFirst(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .immediatelyFirst, "the first step has no step before it", at: range,
            label: "immediately after what?")
    }

    /// `immediately` before an event that does not happen.
    public static func immediatelyAbsent(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .immediatelyFirst, "`\(name)` does not happen, so it cannot come immediately",
            at: range,
            label: "does not fit an absence")
    }

    /// A step of `all of` with a quantity.
    public static func quantityInAllOf(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .quantityInAllOf, "`all of` takes each step once, and `\(name)` has a quantity",
            at: range,
            label: "not once", help: [Help("put the step before or behind the block")])
    }

    /// A quantity of less than one event.
    public static func badQuantity(
        _ quantity: String, instead: String, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .badQuantity, "`\(quantity)` says nothing", at: range, label: "less than one event",
            help: [Help("use `\(instead)`")])
    }

    /// A minimum above its maximum.
    public static func reversedQuantity(_ least: Int, _ most: Int, at range: SourceRange)
        -> Diagnostic
    {
        Diagnostic(
            .badQuantity, "no number is at least \(least) and at most \(most)", at: range,
            label: "the wrong way round", help: [Help("the smaller number goes first")])
    }

    /// A count of less than one.
    public static func countBelowOne(_ value: Int, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .badQuantity, "a count of at least 1 is needed, and this is \(value)", at: range,
            label: "less than 1")
    }

    /// `at least N of them` with an N that no match can reach, or that says nothing.
    public static func moreThanMembers(_ count: Int, members: Int, at range: SourceRange)
        -> Diagnostic
    {
        Diagnostic(
            .badQuantity, "`at least \(count) of them` of \(members) members", at: range,
            label: "must be from 1 to \(members)")
    }

    /// A time that has to be longer than nothing and is not.
    public static func zeroDuration(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .zeroDuration, "this time has to be longer than nothing", at: range,
            label: "no time at all")
    }

    /// A last step that need not happen.
    public static func trailingEmptyStep(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .trailingEmptyStep, "`\(name)` at the end would never be waited for", at: range,
            label: "need not happen",
            notes: ["a match is complete as soon as nothing more is needed"],
            help: [Help("write `at least 1 \(name): ...`, or end the collecting with `until`")])
    }

    /// A sequence that names more events than a run can hold.
    public static func tooManySteps(
        _ count: Int, of pattern: String = "sequence", max: Int, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .tooManySteps, "this \(pattern) names \(count) events, and \(max) are possible",
            at: range,
            label: "number \(max + 1)", help: [Help("split it into several rules")])
    }

    /// `from list` with a key of several parts.
    public static func keyListWithSeveralKeys(at range: SourceRange, keys: SourceRange)
        -> Diagnostic
    {
        Diagnostic(
            .keyListPlace, "`from list` needs a key of one part", at: range,
            label: "a list of single values",
            secondary: [Label(keys, "a key of several parts")])
    }

    /// `from list` in a pattern that only follows events.
    public static func keyListOutsideThreshold(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .keyListPlace, "`from list` is for thresholds", at: range, label: "has no meaning here",
            help: [Help("to take only events of the list write `where key in list NAME`")])
    }

    /// A hopping window that is no whole number of its steps.
    public static func hopDoesNotDivide(
        _ size: String, _ every: String, at range: SourceRange, size sizeRange: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .hopDoesNotDivide, "a window of \(size) is not a whole number of steps of \(every)",
            at: range,
            label: "does not divide it", secondary: [Label(sizeRange, "the window")])
    }

    /// The hours of a schedule were not understood: which part, and why.
    public static func badSchedule(
        _ part: String, _ reason: String, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .badSchedule, "`\(part)` \(reason)", at: range, label: "not a schedule",
            notes: ["a schedule is written `Mon-Fri 08:00-18:00; Sat,Sun 10:00-14:00`"])
    }

    /// A time zone that does not exist.
    public static func unknownZone(
        _ name: String, at range: SourceRange, similarTo zones: [String]
    ) -> Diagnostic {
        var help: [Help] = []
        if let match = suggest(name, among: zones) {
            help = [
                Help(
                    "there is a zone with a similar name: `\(match)`",
                    fix: .replace(range, with: "\"\(match)\""))
            ]
        }
        return Diagnostic(
            .unknownZone, "there is no time zone `\(name)`", at: range, label: "unknown zone",
            notes: ["zones have names such as `Europe/Berlin` or `UTC`"], help: help)
    }

    /// Two policies of which only one can hold.
    public static func conflictingPolicies(at range: SourceRange, first: SourceRange) -> Diagnostic
    {
        Diagnostic(
            .conflictingPolicies, "two ways of choosing among overlapping matches", at: range,
            label: "the second", secondary: [Label(first, "the first")],
            help: [Help("keep one of them")])
    }

    /// A second `until`.
    public static func severalUntils(at range: SourceRange, first: SourceRange) -> Diagnostic {
        Diagnostic(
            .conflictingPolicies, "a sequence has one `until`", at: range, label: "the second",
            secondary: [Label(first, "the first")],
            help: [Help("join their conditions with `or` where they are of one event type")])
    }

    /// A sequence without steps.
    public static func emptyPattern(_ kind: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(.emptyPattern, "this \(kind) has no steps", at: range, label: "nothing inside")
    }

    /// A group or correlation with fewer than two members.
    public static func groupTooSmall(_ kind: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .emptyPattern, "`\(kind)` needs at least two members", at: range,
            label: "fewer than two")
    }

    /// An `all of` whose orders are too many to follow.
    public static func groupTooLarge(_ count: Int, max: Int, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .tooManySteps, "`all of` has \(count) members, and can have at most \(max)", at: range,
            label: "the member after the last one allowed",
            notes: ["the work doubles with each member, since they may come in any order"],
            help: [
                Help("split the rule, or count them with a threshold over `distinct` values")
            ])
    }

    /// A threshold or metric without a window.
    public static func missingWindow(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .emptyPattern, "no window is named", at: range, label: "`window` is missing here",
            help: [Help("say over which time it measures, for example `window 5m sliding`")])
    }

    /// `aligned to` on a window without borders.
    public static func alignedWithoutBuckets(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .windowShape, "only tumbling and hopping windows have borders to align", at: range,
            label: "has no meaning here")
    }

    /// The pause that ends a session is longer than the longest session.
    public static func sessionGapBeyondMax(
        _ gap: String, _ longest: String, at range: SourceRange, max: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .windowShape, "a pause of \(gap) never ends a session of at most \(longest)", at: range,
            label: "longer than the session", secondary: [Label(max, "the longest session")])
    }
}
