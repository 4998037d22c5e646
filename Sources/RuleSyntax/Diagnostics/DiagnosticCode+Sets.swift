// E08 rule sets: imports, deployment blocks, and what a rule set as a whole lacks.

extension DiagnosticCode {
    static let sets: [DiagnosticCode] = [
        missingImport, noSinks, unknownSetting, badSetting, plainSecret, connectorCount,
        sourceNotRun,
        badAllow, ruleCycle, reservedEvent,
    ]

    private static let login = "event login { user: text }\n\n"

    private static func rule(_ more: String = "") -> String {
        login + """
            rule root_login {
            \(more.isEmpty ? "" : "  \(more)\n")  sequence { hit: login where user == "root" }
              alert "root was here at {hit.time}"
            }
            """
    }

    static let missingImport = DiagnosticCode(
        "E0802", "missing-import",
        explanation: """
            An `import` names a file that cannot be read. Paths are relative to the folder of the importing \
            file, not to the folder the command was started in.
            """,
        wrong: """
            import "nowhere/schemas.rules"
            """,
        right: """
            event login { user: text }
            """)

    static let noSinks = DiagnosticCode(
        "W0803", "no-sinks",
        explanation: """
            A rule names a sink, and none of the files declares any. That is usual for a folder of rules \
            without its deployment file; its alerts go to standard output. As soon as one sink is \
            declared, a name that is not is an error (E0314).
            """,
        wrong: login + """
            rule root_login {
              sequence { hit: login where user == "root" }
              alert "root was here at {hit.time}"
              send to soc
            }
            """,
        right: "sink soc { file \"alerts.ndjson\" }\n\n" + login + """
            rule root_login {
              sequence { hit: login where user == "root" }
              alert "root was here at {hit.time}"
              send to soc
            }
            """)

    static let unknownSetting = DiagnosticCode(
        "E0804", "unknown-setting",
        explanation: """
            A word in a `source`, `sink` or `engine` block is unknown. Nothing in these blocks is passed on \
            unread, so a misspelled setting cannot be lost.
            """,
        wrong: """
            engine { dta "state/" }
            """,
        right: """
            engine { data "state/" }
            """)

    static let badSetting = DiagnosticCode(
        "E0805", "bad-setting",
        explanation: "A setting is known, and its value is not one it takes.",
        wrong: """
            source orders {
              stdin
              decode xml
            }
            """,
        right: """
            source orders {
              stdin
              decode json
            }
            """)

    static let plainSecret = DiagnosticCode(
        "E0806", "plain-secret",
        explanation: """
            A password, token or key stands in the file itself, where everyone who reads the rules can read \
            it. `secret file "..."` reads it from a file, `secret env "NAME"` from the environment; neither \
            is ever printed.
            """,
        wrong: """
            sink page {
              pagerduty { key "0123456789abcdef" }
            }
            """,
        right: """
            sink page {
              pagerduty { key secret env "PAGERDUTY_KEY" }
            }
            """)

    static let connectorCount = DiagnosticCode(
        "E0807", "connector-count",
        explanation:
            "A source reads from one place and a sink writes to one; each block names exactly one.",
        wrong: """
            sink soc {
              when severity >= high
            }
            """,
        right: """
            sink soc {
              file "alerts.ndjson"
              when severity >= high
            }
            """)

    static let sourceNotRun = DiagnosticCode(
        "W0808", "source-not-run",
        explanation: """
            This version reads JSON lines from files and standard input. Other sources and decoders are \
            checked, so that deployment files can be written, and not run.
            """,
        wrong: """
            source orders {
              kafka { brokers ["127.0.0.1:9092"] topic "orders" }
            }
            """,
        right: """
            source orders {
              file "orders.ndjson"
            }
            """)

    static let badAllow = DiagnosticCode(
        "E0809", "bad-allow",
        explanation: """
            `allow W0406 "reason"` silences one warning in one rule. The number has to be that of a warning; \
            errors cannot be allowed.
            """,
        wrong: rule("allow E0301 \"the field is new\""), right: rule())

    static let ruleCycle = DiagnosticCode(
        "E0810", "rule-cycle",
        explanation: """
            Rules wait for each other's alerts in a circle, so none of them can be first.
            """,
        wrong: """
            rule one {
              sequence { hit: alert two }
              alert "{hit.time}"
            }

            rule two {
              sequence { hit: alert one }
              alert "{hit.time}"
            }
            """,
        right: login + """
            rule one {
              sequence { hit: login where user == "root" }
              alert "{hit.time}"
            }

            rule two {
              sequence { hit: alert one }
              alert "{hit.time}"
            }
            """)

    static let reservedEvent = DiagnosticCode(
        "E0811", "reserved-event",
        explanation: """
            Alerts, metrics and risks are events too, which rules read as `alert`, `metric.NAME` and `risk.NAME`. \
            They have those names to themselves, so that nobody can send an alert from outside: events of \
            the input that say they are one are not of any type.
            """,
        wrong: """
            event alert { host: text }
            """,
        right: """
            event alarm { host: text }
            """)
}
