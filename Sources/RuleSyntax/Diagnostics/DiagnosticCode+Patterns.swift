// E05 patterns and time, and E0207: a state that never shrinks.

extension DiagnosticCode {
    static let pattern: [DiagnosticCode] = [
        unbounded, absencePlace, contradiction, stepLimitBeyondRule, immediatelyFirst,
        quantityInAllOf,
        badQuantity, zeroDuration, trailingEmptyStep, tooManySteps, keyListPlace, hopDoesNotDivide,
        badSchedule, unknownZone, conflictingPolicies, emptyPattern, windowShape,
    ]

    private static let login = "event login { user: text, ok: bool }\n\n"

    private static func sequence(_ head: String, _ steps: String, alert: String = "{user}")
        -> String
    {
        login + """
            rule guessed {
              sequence by user\(head.isEmpty ? "" : " \(head)") {
            \(steps)
              }
              alert "\(alert)"
            }
            """
    }

    private static func threshold(_ clauses: String, keys: String = "by user") -> String {
        login + """
            rule busy {
              threshold \(keys) {
                over login
            \(clauses)
              }
              alert "{count} logins"
            }
            """
    }

    private static let failThenHit = "    fail: login where not ok\n    then hit: login where ok"
    private static let times = "{user}: {fail.time}, {hit.time}"

    static let unbounded = DiagnosticCode(
        "E0207", "unbounded",
        explanation: """
            A sequence without a time limit waits for ever for its next step, so what it keeps only grows. \
            `within 5m` behind the key limits the whole; a limit on each step does as well, unless a step \
            repeats. If waiting for ever is meant, `unbounded limit 10000 runs` says how much may be kept.
            """,
        wrong: sequence("", failThenHit, alert: times),
        right: sequence("within 5m", failThenHit, alert: times))

    static let absencePlace = DiagnosticCode(
        "E0501", "absence-place",
        explanation: """
            `no x: ... for D` at the beginning wants nothing to have happened before, `then no x: ... within \
            D` at the end wants nothing to follow. Between two steps that is `without x: ...`. Inside `all \
            of` and `any of` there are only steps.
            """,
        wrong: sequence(
            "within 5m",
            "    fail: login where not ok\n    then no other: login within 1m\n    then hit: login where ok",
            alert: times),
        right: sequence(
            "within 5m",
            "    fail: login where not ok\n    without other: login where user == \"root\"\n    then hit: login where ok",
            alert: times))

    static let contradiction = DiagnosticCode(
        "E0502", "contradiction",
        explanation: """
            Two parts of a condition exclude each other, so no event ever fits and the rule never raises an \
            alert. Often `or` was meant, or a limit is the wrong way round.
            """,
        wrong: """
            event payment { amount: number, country: text }

            rule big_payment {
              sequence { hit: payment where amount > 1000 and country == "NO" and amount < 500 }
              alert "{hit.amount}"
            }
            """,
        right: """
            event payment { amount: number, country: text }

            rule big_payment {
              sequence { hit: payment where amount > 500 and country == "NO" and amount < 1000 }
              alert "{hit.amount}"
            }
            """)

    static let stepLimitBeyondRule = DiagnosticCode(
        "E0503", "unreachable-limit",
        explanation: """
            A step may come later than the whole match may last. The part of its limit behind the rule's \
            own can never be reached, so one of the two is not what was meant.
            """,
        wrong: sequence(
            "within 5m", "    fail: login where not ok\n    then hit: login where ok within 10m",
            alert: times),
        right: sequence(
            "within 10m", "    fail: login where not ok\n    then hit: login where ok within 5m",
            alert: times))

    static let immediatelyFirst = DiagnosticCode(
        "E0504", "immediately-misplaced",
        explanation: """
            `immediately` says that nothing lies between a step and the one before. The first step has \
            none before it, and an event that does not happen has no place.
            """,
        wrong: sequence(
            "within 5m",
            "    then immediately fail: login where not ok\n    then hit: login where ok",
            alert: times),
        right: sequence(
            "within 5m", "    fail: login where not ok\n    then immediately hit: login where ok",
            alert: times))

    static let quantityInAllOf = DiagnosticCode(
        "E0506", "quantity-in-all-of",
        explanation: """
            `all of` wants each of its steps once, in any order. A step that repeats or may be left out \
            stands outside of it.
            """,
        wrong: sequence(
            "within 5m",
            "    all of {\n      at least 2 fail: login where not ok\n      hit: login where ok\n    }",
            alert: "{user}: {fail.count}, {hit.time}"),
        right: sequence(
            "within 5m", "    at least 2 fail: login where not ok\n    then hit: login where ok",
            alert: "{user}: {fail.count}, {hit.time}"))

    static let badQuantity = DiagnosticCode(
        "E0507", "bad-quantity",
        explanation: """
            A quantity that no number of events can meet, or that says nothing: `0`, or a minimum above the \
            maximum. What may be left out is `optional` or `any number of`; what must not happen is \
            `without`.
            """,
        wrong: sequence(
            "within 5m", "    5 to 3 fails: login where not ok", alert: "{user}: {fails.count}"),
        right: sequence(
            "within 5m", "    3 to 5 fails: login where not ok", alert: "{user}: {fails.count}"))

    static let zeroDuration = DiagnosticCode(
        "E0508", "zero-duration",
        explanation:
            "A time that has to be longer than nothing: a window, a limit, a pause between alerts.",
        wrong: threshold("    window 0s sliding\n    when count > 5"),
        right: threshold("    window 10s sliding\n    when count > 5"))

    static let trailingEmptyStep = DiagnosticCode(
        "E0509", "trailing-empty-step",
        explanation: """
            A match is complete as soon as nothing more is needed. A last step that need not happen is \
            therefore never waited for. Give it a minimum, or an `until` that ends the collecting.
            """,
        wrong: sequence(
            "within 5m", "    fail: login where not ok\n    then any number of hit: login where ok",
            alert: "{user}: {fail.time}, {hit.count}"),
        right: sequence(
            "within 5m", "    fail: login where not ok\n    then at least 1 hit: login where ok",
            alert: "{user}: {fail.time}, {hit.count}"))

    static let tooManySteps = DiagnosticCode(
        "E0510", "too-many-steps",
        explanation: """
            A sequence names at most 64 events. One that needs more is easier to read as several rules.
            """,
        wrong: sequence(
            "within 5m", (1...65).map { "    s\($0): login where ok" }.joined(separator: "\n"),
            alert: "{user}"),
        right: sequence("within 5m", failThenHit, alert: times))

    static let keyListPlace = DiagnosticCode(
        "E0512", "key-list-place",
        explanation: """
            `by host from list NAME` watches the hosts of the list even if no event of theirs ever came. \
            That needs a threshold and a key of one part.
            """,
        wrong: """
            list hosts = ["a", "b"]

            event beat { host: text, zone: text }

            rule silent {
              threshold by host, zone from list hosts {
                over beat
                window 3m sliding
                when count == 0
              }
              alert "{host} is silent"
            }
            """,
        right: """
            list hosts = ["a", "b"]

            event beat { host: text, zone: text }

            rule silent {
              threshold by host from list hosts {
                over beat
                window 3m sliding
                when count == 0
              }
              alert "{host} is silent"
            }
            """)

    static let hopDoesNotDivide = DiagnosticCode(
        "E0513", "hop-does-not-divide",
        explanation: """
            The buckets of a hopping window begin at multiples of its step, and a window is a whole number \
            of steps: `10m hopping every 5m`.
            """,
        wrong: threshold("    window 10m hopping every 3m\n    when count > 5"),
        right: threshold("    window 10m hopping every 5m\n    when count > 5"))

    static let badSchedule = DiagnosticCode(
        "E0514", "bad-schedule",
        explanation: """
            The hours of a schedule are days and a span: `Mon-Fri 08:00-18:00`, `Sat,Sun 00:00-24:00`, \
            several separated by `;`. A span such as `22:00-06:00` reaches into the next day.
            """,
        wrong: """
            schedule office = "Mon-Fri 8-18" in "Europe/Berlin"
            """,
        right: """
            schedule office = "Mon-Fri 08:00-18:00" in "Europe/Berlin"
            """)

    static let unknownZone = DiagnosticCode(
        "E0515", "unknown-zone",
        explanation: """
            Time zones have the names of the IANA database: `Europe/Berlin`, `America/New_York`, `UTC`. \
            Abbreviations such as `CET` do not say when clocks change.
            """,
        wrong: """
            schedule office = "Mon-Fri 08:00-18:00" in "Europe/Berln"
            """,
        right: """
            schedule office = "Mon-Fri 08:00-18:00" in "Europe/Berlin"
            """)

    static let conflictingPolicies = DiagnosticCode(
        "E0516", "conflicting-policies",
        explanation: """
            A sequence has one way of choosing among overlapping matches: one of `overlap none`, `each`, \
            `latest`, `all limit N`, or `restart on repeat`. It has one `until`.
            """,
        wrong: sequence("within 5m overlap each overlap latest", failThenHit, alert: times),
        right: sequence("within 5m overlap latest", failThenHit, alert: times))

    static let emptyPattern = DiagnosticCode(
        "E0517", "empty-pattern",
        explanation:
            "A block lacks what it is about: a sequence its steps, a group its members, a threshold its window.",
        wrong: threshold("    when count > 5"),
        right: threshold("    window 5m sliding\n    when count > 5"))

    static let windowShape = DiagnosticCode(
        "E0518", "window-shape",
        explanation: """
            `aligned to` moves the borders of tumbling and hopping windows; the others have none. The gap \
            that ends a session is shorter than the longest session.
            """,
        wrong: threshold("    window 5m sliding aligned to \"Europe/Berlin\"\n    when count > 5"),
        right: threshold("    window 1d tumbling aligned to \"Europe/Berlin\"\n    when count > 5"))
}
