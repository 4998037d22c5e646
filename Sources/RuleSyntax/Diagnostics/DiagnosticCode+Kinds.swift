// E05 correlations, anomaly clusters and metrics.

extension DiagnosticCode {
    static let kinds: [DiagnosticCode] = [
        memberReadsMember, movementOfOneMember, strengthNeverKnown, movementTooFine,
        membersContradict, seriesDiffer, seasonBeyondHistory,
        baselineTooShort, badSmoothing, scoreOfMeasure, metricNeedsBuckets,
    ]

    private static let events = """
        event deploy { service: text, version: text }
        event request { service: text, region: text, ms: number }


        """

    private static func correlation(_ lines: String) -> String {
        events + """
            rule together {
              correlation by service within 15m {
            \(lines)
              }
              alert "{service}: {a.version}"
            }
            """
    }

    private static func cluster(
        _ measures: String = "    measure p95 = percentile(95, ms) of request every 1m by service",
        baseline: String = "last 60", when: String = "robust_z(p95) > 4"
    ) -> String {
        events + """
            rule slow {
              anomaly_cluster by region {
            \(measures)
                baseline \(baseline)
                anomalous when \(when)
                cluster when at least 3 service within 5m
              }
              alert "{region}: {members.count} services are slow"
            }
            """
    }

    static let memberReadsMember = DiagnosticCode(
        "E0519", "member-reads-member",
        explanation: """
            A member of a correlation is a selection of events: its condition looks at one event alone, since \
            the members may come in any order. What two members have in common is the key of the rule. If one \
            has to be compared with the other, a `sequence` says which comes first.
            """,
        wrong: correlation("    a: deploy\n    b: request where ms > 500 and a.version == \"2\""),
        right: correlation("    a: deploy where version == \"2\"\n    b: request where ms > 500"))

    static let movementOfOneMember = DiagnosticCode(
        "E0520", "movement-of-one-member",
        explanation: """
            `moves_with(x, y)` compares two series of numbers. Each side is a number that the events of one \
            member have, such as `b.ms`, and may be computed from fields of that member alone.
            """,
        wrong: correlation(
            "    a: deploy\n    b: request\n    strength moves_with(a.version, b.ms) over 1h step 1m >= 0.8 with at least 10 points"
        ),
        right: correlation(
            "    a: deploy\n    b: request\n    strength moves_with(number(a.version), b.ms) over 1h step 1m >= 0.8 with at least 10 points"
        ))

    static let strengthNeverKnown = DiagnosticCode(
        "E0527", "strength-never-known",
        explanation: """
            `lift(b after a within L) over H` looks at what was `L` ago and at most `H` ago, so `H` is longer \
            than `L`. `moves_with(x, y) over H step S` has `H / S` buckets; asking for more points than that \
            waits for ever.
            """,
        wrong: correlation(
            "    a: deploy\n    b: request\n    strength lift(b after a within 1h) >= 3 over 30m with at least 20"
        ),
        right: correlation(
            "    a: deploy\n    b: request\n    strength lift(b after a within 1h) >= 3 over 30d with at least 20"
        ))

    static let movementTooFine = DiagnosticCode(
        "E0528", "movement-too-fine",
        explanation: """
            `moves_with` compares every bucket of the history at every lag, so that many of both would be slow: \
            buckets times lags are at most 1,000,000.
            """,
        wrong: correlation(
            "    a: deploy\n    b: request\n    strength moves_with(number(a.version), b.ms) over 30d step 1s lag 0..10s >= 0.8 with at least 10 points"
        ),
        right: correlation(
            "    a: deploy\n    b: request\n    strength moves_with(number(a.version), b.ms) over 30d step 1m lag 0..10m >= 0.8 with at least 10 points"
        ))

    static let membersContradict = DiagnosticCode(
        "E0529", "members-contradict",
        explanation: """
            `order a, b` and `a before b within D` say which member comes first. When one line wants `a` in \
            front of `b` and another wants it behind, directly or by way of others, no events can please both.
            """,
        wrong: correlation(
            "    a: deploy\n    b: request\n    order a, b\n    b before a within 5m"),
        right: correlation(
            "    a: deploy\n    b: request\n    order a, b\n    a before b within 5m"))

    static let seriesDiffer = DiagnosticCode(
        "E0521", "series-differ",
        explanation: """
            All series of an anomaly cluster belong to the same members and are judged at the same instants: \
            the condition behind `anomalous when` may look at several of them. So they share `every` and `by`.
            """,
        wrong: cluster(
            """
                measure p95 = percentile(95, ms) of request every 1m by service
                measure calls = count of request every 5m by service
            """),
        right: cluster(
            """
                measure p95 = percentile(95, ms) of request every 1m by service
                measure calls = count of request every 1m by service
            """))

    static let seasonBeyondHistory = DiagnosticCode(
        "E0522", "season-beyond-history",
        explanation: """
            A seasonal baseline compares a bucket with those at the same phase of earlier seasons, as far back \
            as `over` says. A history shorter than one season holds none of them.
            """,
        wrong: cluster(baseline: "seasonal weekly over 3d"),
        right: cluster(baseline: "seasonal weekly over 4w"))

    static let baselineTooShort = DiagnosticCode(
        "E0523", "baseline-too-short",
        explanation: """
            Nothing is anomalous before the baseline has a number of values: 30 of the last, 3 of a season, or \
            as `at least N values` says. A baseline that never gets that long makes a rule that can never fire.
            """,
        wrong: cluster(baseline: "last 20"),
        right: cluster(baseline: "last 20\n    at least 10 values"))

    static let badSmoothing = DiagnosticCode(
        "E0524", "bad-smoothing",
        explanation: """
            `ewma(x, a)` follows the values with weight `a` for the newest: above 0, or it would never move, \
            and at most 1, which is the last value alone.
            """,
        wrong: cluster(when: "ewma(p95, 2) > 4"),
        right: cluster(when: "ewma(p95, 0.2) > 4"))

    static let scoreOfMeasure = DiagnosticCode(
        "E0525", "score-of-measure",
        explanation: """
            `robust_z`, `z`, `ratio` and `ewma` compare the present value of a measure with its own baseline. \
            They take the name of a measure; compute inside the measure what should be scored.
            """,
        wrong: cluster(when: "robust_z(p95 + 1) > 4"),
        right: cluster(when: "robust_z(p95) > 4"))

    static let metricNeedsBuckets = DiagnosticCode(
        "E0526", "metric-needs-buckets",
        explanation: """
            A metric becomes one event for each bucket of its window. A sliding window, or the last N events, \
            changes with every event and has no buckets.
            """,
        wrong: events + """
            metric load {
              by service
              over request
              window 5m sliding
              measure calls = count
            }
            """,
        right: events + """
            metric load {
              by service
              over request
              window 5m tumbling
              measure calls = count
            }
            """)
}
