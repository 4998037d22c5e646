// W06 lints, with W04 for values and time: what is allowed and probably not meant. And N0502.

extension DiagnosticCode {
    static let lints: [DiagnosticCode] = [
        negatedOptional, unknownCase, barringWithout, shortHold, stateBound, nominalBound,
        mixedOperators, hiddenField, unused, matchExplosion,
    ]

    static let negatedOptional = DiagnosticCode(
        "W0406", "negated-optional",
        explanation: """
            `user != "root"` is true when there is no `user` at all, and so are `not in` and `not (...)`: \
            they are the plain opposite of tests that a missing field fails. For a field that is declared \
            with `?` it is easy to forget. Say `user exists and user != "root"` if events without it should \
            not count, or `user missing or user != "root"` if they should.
            """,
        wrong: """
            event login { host: text, user: text? }

            rule stranger {
              sequence by host { hit: login where user != "root" }
              alert "{host}"
            }
            """,
        right: """
            event login { host: text, user: text? }

            rule stranger {
              sequence by host { hit: login where user exists and user != "root" }
              alert "{host}"
            }
            """)

    static let unknownCase = DiagnosticCode(
        "W0411", "unknown-case",
        explanation: """
            The field is declared with the few values it can have, and this is none of them, so the \
            comparison always comes out the same. Either the word is misspelled or the declaration is old.
            """,
        wrong: """
            event login { user: text, outcome: "success" | "failure" }

            rule guessed {
              sequence by user { hit: login where outcome == "sucess" }
              alert "{user}"
            }
            """,
        right: """
            event login { user: text, outcome: "success" | "failure" }

            rule guessed {
              sequence by user { hit: login where outcome == "success" }
              alert "{user}"
            }
            """)

    static let barringWithout = DiagnosticCode(
        "W0420", "barring-without",
        explanation: """
            `without x` ends a run at an event that comes between two steps. Here it names the same events \
            as the step behind it, so each of them is both what is waited for and what must not come. A \
            `without` is of use when it names other events, or more of them, than the next step.
            """,
        wrong: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence by user within 5m {
                fail: login where not ok
                without other: login where ok
                then hit: login where ok
              }
              alert "{user}"
            }
            """,
        right: """
            event login { user: text, ok: bool }
            event reset { user: text }

            rule guessed {
              sequence by user within 5m {
                fail: login where not ok
                without other: reset
                then hit: login where ok
              }
              alert "{user}"
            }
            """)

    static let shortHold = DiagnosticCode(
        "W0431", "short-hold",
        explanation: """
            With a tumbling or hopping window the condition is judged once per bucket, when the bucket ends. \
            It cannot become false in less time, so a `for` shorter than that only delays the alert. Use a \
            sliding window, or a `for` of several buckets.
            """,
        wrong: """
            event login { user: text }

            rule busy {
              threshold by user {
                over login
                window 5m tumbling
                when count > 5 for 2m
              }
              alert "{user}"
            }
            """,
        right: """
            event login { user: text }

            rule busy {
              threshold by user {
                over login
                window 5m tumbling
                when count > 5 for 10m
              }
              alert "{user}"
            }
            """)

    static let stateBound = DiagnosticCode(
        "N0502", "state-bound",
        explanation: """
            The most that a rule may keep in memory: how many runs for each key, how many events in each \
            run, about how many bytes that is for a key, and for all keys. At a limit the oldest goes, a \
            counter rises, and alerts that it may have touched say so. `martlet explain RULE` shows the bound.
            """,
        wrong: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence by user within 5m {
                fail: login where not ok
                then hit: login where ok
              }
              alert "{user}"
            }
            """,
        right: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence by user { hit: login where ok }
              alert "{user}"
            }
            """)

    static let nominalBound = DiagnosticCode(
        "W0601", "nominal-bound",
        explanation: """
            `unbounded limit N runs` takes the place of a time limit, and N is what keeps the memory \
            finite, for each key. A million or more of them is a limit in name only: the machine is full \
            before it is reached. Name the number of open runs that you would want to look at, or give the \
            sequence a `within`.
            """,
        wrong: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence by user unbounded limit 1000000 runs {
                fail: login where not ok
                then hit: login where ok
              }
              alert "{user}"
            }
            """,
        right: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence by user unbounded limit 1000 runs {
                fail: login where not ok
                then hit: login where ok
              }
              alert "{user}"
            }
            """)

    static let mixedOperators = DiagnosticCode(
        "W0602", "mixed-and-or",
        explanation: """
            `and` binds tighter than `or`, so `a or b and c` means `a or (b and c)`. Not every reader \
            knows, and not every writer meant it. With parentheses nobody has to think about it.
            """,
        wrong: """
            event login { user: text, ok: bool, admin: bool }

            rule odd {
              sequence by user { hit: login where ok or admin and user == "root" }
              alert "{user}"
            }
            """,
        right: """
            event login { user: text, ok: bool, admin: bool }

            rule odd {
              sequence by user { hit: login where ok or (admin and user == "root") }
              alert "{user}"
            }
            """)

    static let hiddenField = DiagnosticCode(
        "W0604", "hidden-field",
        explanation: """
            A step has the name of a field. In its condition and in those behind it the name then means the \
            event, so `user.ip` is the `ip` of that event and not a part of the field `user`, and `user` \
            alone is no text any more. Name the step after what it stands for in the story: `failure`, \
            `order`, `reply`.
            """,
        wrong: """
            event login { user: text, host: text, ok: bool }

            rule guessed {
              sequence by host within 5m {
                user: login where not ok
                then hit: login where ok and hit.user == user.user
              }
              alert "{host}"
            }
            """,
        right: """
            event login { user: text, host: text, ok: bool }

            rule guessed {
              sequence by host within 5m {
                fail: login where not ok
                then hit: login where ok and user == fail.user
              }
              alert "{host}"
            }
            """)

    static let unused = DiagnosticCode(
        "W0605", "unused",
        explanation: """
            A name that is never used. A constant, definition, `select`, list or schedule that nothing in \
            the rule set mentions is left from an earlier version, or its use is misspelled; files without \
            rules, which are there to be imported, are not looked at. A step that may be left out and that \
            neither a later step nor an action reads does not change when the rule fires; its events are only \
            listed in the alert.
            """,
        wrong: """
            event login { user: text, ok: bool }

            let limit = 5

            rule guessed {
              sequence by user within 5m { at least 3 fails: login where not ok }
              alert "{user}"
            }
            """,
        right: """
            event login { user: text, ok: bool }

            let slow = 5s

            rule guessed {
              sequence by user within 5m {
                fail: login where not ok
                then hit: login where ok and hit.time - fail.time > slow
              }
              alert "{user}"
            }
            """)

    static let matchExplosion = DiagnosticCode(
        "W0607", "match-explosion",
        explanation: """
            `overlap all` makes every combination of events a match. With two steps that each take any \
            number of events the combinations grow with the square of the events and more, and a limit of \
            thousands at one event is more than anybody reads. Bound the quantities, lower the limit, or use \
            `overlap each`, which gives one match for each beginning.
            """,
        wrong: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence by user within 5m overlap all limit 100 {
                at least 3 fails: login where not ok
                then at least 2 hits: login where ok
              }
              alert "{user}: {fails.count}, {hits.count}"
            }
            """,
        right: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence by user within 5m overlap all limit 100 {
                at least 3 fails: login where not ok
                then hit: login where ok
              }
              alert "{user}: {fails.count}, {hit.time}"
            }
            """)
}

/// What a value that a field never has does to its comparison.
public enum UnknownCaseEffect: Sendable {
    /// No event fits the step, and so no match is possible.
    case stepNeverFits
    case neverHolds
    case alwaysHolds
    /// One of several in a list.
    case elementIsIdle
}

extension Diagnostic {
    /// - Parameters:
    ///   - test: The whole test as written, for example `user != "root"`.
    ///   - declared: Where the field is declared: `schemas/auth.rules:4`.
    ///   - needsParentheses: Whether the fix stands within a larger expression.
    public static func negatedOptional(
        _ test: String, field: String, event: String, declared: String, at range: SourceRange,
        needsParentheses: Bool
    ) -> Diagnostic {
        let guarded = "\(field) exists and \(test)"
        return Diagnostic(
            .negatedOptional, "`\(test)` also holds for events without `\(field)`", at: range,
            label: "true when there is no `\(field)`",
            notes: ["`\(field)` may be missing in `\(event)` (\(declared))"],
            help: [
                Help(
                    "write `\(guarded)` if those should not count",
                    fix: .replace(range, with: needsParentheses ? "(\(guarded))" : guarded))
            ])
    }

    /// A value, as written without quotes, that is none of the cases of its field.
    public static func unknownCase(
        _ value: String, cases: [String], field: String, at range: SourceRange,
        _ effect: UnknownCaseEffect
    ) -> Diagnostic {
        let quoted = cases.map { "\"\($0)\"" }
        let list =
            quoted.count > 1
            ? quoted.dropLast().joined(separator: ", ") + " or \(quoted[quoted.count - 1])"
            : quoted.joined()
        let consequence =
            switch effect {
            case .stepNeverFits: "this step can never fit"
            case .neverHolds: "this can never be true"
            case .alwaysHolds: "this is always true"
            case .elementIsIdle: "this value never comes"
            }
        var help: [Help] = []
        if let near = suggest(value, among: cases) {
            help = [Help("did you mean `\"\(near)\"`?", fix: .replace(range, with: "\"\(near)\""))]
        }
        return Diagnostic(
            .unknownCase, "\(consequence): `\(field)` is \(list), never \"\(value)\"", at: range,
            label: "no such value", help: help)
    }

    /// `nextRange` is the name of the step that waits for the same events.
    public static func barringWithout(
        _ name: String, at range: SourceRange, next: String, _ nextRange: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .barringWithout, "`without \(name)` names the same events as the next step", at: range,
            label: "must not come in between …",
            secondary: [Label(nextRange, "… and is what `\(next)` waits for")],
            help: [Help("leave the line out, or say which other events should end the run")])
    }

    /// Both lengths are as written; `window` is where the bucket's stands.
    public static func shortHold(
        _ hold: String, bucket: String, at range: SourceRange, window: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .shortHold, "`for \(hold)` is shorter than the bucket of \(bucket)", at: range,
            label: "nothing can change in this time",
            secondary: [Label(window, "the condition is judged once per bucket")],
            help: [Help("use a `sliding` window, or a `for` of several buckets")])
    }

    /// - Parameter words: The bound in words, for example `1 run per key, ...`.
    public static func stateBound(_ rule: String, _ words: String, at range: SourceRange)
        -> Diagnostic
    {
        Diagnostic(
            .stateBound, "bound: \(words)", at: range, label: "`\(rule)` keeps no more than this")
    }

    /// `limit` runs are as good as no limit.
    public static func nominalBound(rule: String, _ limit: Int, at range: SourceRange) -> Diagnostic
    {
        Diagnostic(
            .nominalBound, "rule `\(rule)` is bounded only in name", at: range,
            label: "as many runs for each key",
            notes: ["memory runs out before a limit of \(limit) runs is reached"],
            help: [
                Help(
                    "give the sequence a `within`, or lower the limit to what a key can sensibly have open"
                )
            ])
    }

    /// The `or`, and the parts with `and` that should stand in parentheses.
    public static func mixedOperators(or: SourceRange, ands: [SourceRange]) -> Diagnostic {
        Diagnostic(
            .mixedOperators, "`and` and `or` are mixed without parentheses", at: or,
            label: "applies last",
            secondary: ands.map { Label($0, "applies first") },
            help: [
                Help(
                    "put parentheses around the part with `and`",
                    fix: FixIt(
                        ands.flatMap { range in
                            [
                                SourceEdit(
                                    range: SourceRange(
                                        source: range.source, start: range.start, end: range.start),
                                    text: "("),
                                SourceEdit(
                                    range: SourceRange(
                                        source: range.source, start: range.end, end: range.end),
                                    text: ")"),
                            ]
                        }, .always))
            ])
    }

    /// - Parameter use: A place where the name stands in front of a dot.
    public static func hiddenField(
        _ name: String, event: String, at range: SourceRange, use: SourceRange?
    ) -> Diagnostic {
        Diagnostic(
            .hiddenField, "step `\(name)` hides the field `\(name)` of `\(event)`", at: range,
            label: "from here on `\(name)` means this event",
            secondary: use.map { [Label($0, "so this is read from the event of that step")] } ?? [],
            help: [Help("name the step after what it stands for, for example `failure`")])
    }

    /// - Parameter kind: What it is: `list`, `constant`, ...
    public static func unusedName(_ name: String, kind: String, at range: SourceRange) -> Diagnostic
    {
        Diagnostic(
            .unused, "\(kind) `\(name)` is never used", at: range, label: "nothing mentions it",
            help: [Help("take it out, or use it")])
    }

    /// A step that may be left out and that nothing reads.
    public static func unusedStep(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .unused, "nothing depends on step `\(name)`", at: range,
            label: "may be left out, and nothing reads it",
            help: [Help("take the step out, or read it in a later step or in the message")])
    }

    /// - Parameter steps: The steps that take any number of events, with the range of the quantity.
    public static func matchExplosion(
        _ steps: [(name: String, range: SourceRange)], limit: Int, at range: SourceRange
    ) -> Diagnostic {
        let power = steps.count == 2 ? "n²" : steps.count == 3 ? "n³" : "n^\(steps.count)"
        return Diagnostic(
            .matchExplosion, "this pattern can have \(power) matches for n events", at: range,
            label: "every combination is a match of its own",
            secondary: steps.map { Label($0.range, "`\($0.name)` has no upper limit") },
            notes: [
                "at most \(limit) are kept at one event; the rest would be dropped and counted"
            ],
            help: [Help("give the steps an upper limit, as in `2 to 8`, or use `overlap each`")])
    }

    /// A limit of `overlap all` that nobody would read up to.
    public static func crowdedMatches(_ limit: Int, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .matchExplosion, "one event may raise \(limit) alerts", at: range,
            label: "every combination is a match of its own",
            help: [Help("lower the limit to what somebody would read")])
    }
}
