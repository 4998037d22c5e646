// E03 names: fields, steps, lists, functions, and what cannot be read where.

extension DiagnosticCode {
    static let naming: [DiagnosticCode] = [
        unknownField, undeclaredEvent, duplicateName, unknownName, readBeforeBound, absentEvent,
        unknownFunction, argumentCount, circular, unknownList, unknownSchedule, unknownStepMember,
        unknownRule, unknownSink, unknownType, reservedMember, expressionTooLarge, aliasOfNoKey,
        unknownStep, misplacedEvent,
    ]

    static let unknownField = DiagnosticCode(
        "E0301", "unknown-field",
        explanation: """
            A rule reads a field that the event's declaration does not have. The comparison would always be \
            with a missing value, so the rule could stay silent for ever. Fields of events that are not \
            declared are not checked. A field of the rule's key has to be in every event the rule reads; \
            `by key = other.name` behind a source says where that source has it.
            """,
        wrong: """
            event login { user: text, ip: ip }

            rule root_login {
              sequence by ip { hit: login where usr == "root" }
              alert "root came from {ip} at {hit.time}"
            }
            """,
        right: """
            event login { user: text, ip: ip }

            rule root_login {
              sequence by ip { hit: login where user == "root" }
              alert "root came from {ip} at {hit.time}"
            }
            """)

    static let undeclaredEvent = DiagnosticCode(
        "W0302", "undeclared-event",
        explanation: """
            A rule reads an event type that no file declares. It works, but nothing can be said about its \
            fields: a misspelled one compares as missing. If the name itself is misspelled, the rule never \
            sees an event.
            """,
        wrong: """
            rule root_login {
              sequence { hit: login where user == "root" }
              alert "root was here at {hit.time}"
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              sequence { hit: login where user == "root" }
              alert "root was here at {hit.time}"
            }
            """)

    static let duplicateName = DiagnosticCode(
        "E0303", "duplicate-name",
        explanation: """
            Two things of one kind have the same name. Names of rules, lists, selects, constants, \
            definitions, schedules, sources and sinks hold for the whole rule set, whichever file they \
            stand in; names of steps, measures and fields hold in their block.
            """,
        wrong: """
            event login { user: text }

            rule root_login {
              sequence { hit: login where user == "root" }
              alert "root was here at {hit.time}"
            }

            rule root_login {
              sequence { hit: login where user == "admin" }
              alert "admin was here at {hit.time}"
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              sequence { hit: login where user == "root" }
              alert "root was here at {hit.time}"
            }

            rule admin_login {
              sequence { hit: login where user == "admin" }
              alert "admin was here at {hit.time}"
            }
            """)

    static let unknownName = DiagnosticCode(
        "E0304", "unknown-name",
        explanation: """
            A word stands for nothing here. Messages, `attach`, `unless` and the expectations of tests know \
            the steps, the parts of the key, the measures, constants, and what a match knows of itself \
            (`matched_at`, `first_time`, `last_time`, `duration`, `rule`, `severity`, `strength`, \
            `confidence`, `state`). A field of an event is read through its step: `hit.user`. Texts need \
            quotes.
            """,
        wrong: """
            event login { user: text }

            rule root_login {
              sequence { hit: login where user == "root" }
              alert "{user} was here at {hit.time}"
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              sequence { hit: login where user == "root" }
              alert "{hit.user} was here at {hit.time}"
            }
            """)

    static let readBeforeBound = DiagnosticCode(
        "E0305", "read-before-bound",
        explanation: """
            A condition reads an event that has not happened when the condition is judged. A step can read \
            the events of earlier steps; those of one `all of` or `any of` block cannot read each other. An \
            `until` may read any step: one that has not happened is missing.
            """,
        wrong: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence within 5m {
                fail: login where not ok and user == hit.user
                then hit: login where ok
              }
              alert "{hit.user} failed at {fail.time}, then got in"
            }
            """,
        right: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence within 5m {
                fail: login where not ok
                then hit: login where ok and user == fail.user
              }
              alert "{hit.user} failed at {fail.time}, then got in"
            }
            """)

    static let absentEvent = DiagnosticCode(
        "E0306", "absent-event",
        explanation: """
            `no`, `without` and `until` name an event that does not happen in a match, so outside its own \
            condition there is nothing to read from it. The time at which the match was complete is \
            `matched_at`.
            """,
        wrong: """
            event login { user: text }
            event logout { user: text }

            rule idle {
              sequence by user {
                came: login
                then no out: logout within 30m
              }
              alert "{user} came at {came.time} and is idle since {out.time}"
            }
            """,
        right: """
            event login { user: text }
            event logout { user: text }

            rule idle {
              sequence by user {
                came: login
                then no out: logout within 30m
              }
              alert "{user} came at {came.time} and is idle at {matched_at}"
            }
            """)

    static let unknownFunction = DiagnosticCode(
        "E0307", "unknown-function",
        explanation: """
            There is no function or definition of this name. `define` makes new ones out of those there are; \
            the manual lists all.
            """,
        wrong: """
            event login { user: text }

            rule root_login {
              sequence { hit: login where lowercase(user) == "root" }
              alert "root was here at {hit.time}"
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              sequence { hit: login where lower(user) == "root" }
              alert "root was here at {hit.time}"
            }
            """)

    static let argumentCount = DiagnosticCode(
        "E0308", "argument-count",
        explanation: "A function or definition is used with more or fewer values than it takes.",
        wrong: """
            event login { user: text }

            rule root_login {
              sequence { hit: login where lower(user, "en") == "root" }
              alert "root was here at {hit.time}"
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              sequence { hit: login where lower(user) == "root" }
              alert "root was here at {hit.time}"
            }
            """)

    static let circular = DiagnosticCode(
        "E0309", "circular",
        explanation: """
            A definition, constant or select leads back to itself, so it never comes to an end. Definitions \
            are replaced by their bodies; there is no recursion.
            """,
        wrong: """
            define twice(x) = 2 * twice(x)
            """,
        right: """
            define twice(x) = 2 * x
            """)

    static let unknownList = DiagnosticCode(
        "E0310", "unknown-list",
        explanation:
            "`in list`, a look-up in brackets, or `from list` names a list that no file declares.",
        wrong: """
            list admins = ["ann", "bob"]

            event login { user: text }

            rule admin_login {
              sequence { hit: login where user in list admin }
              alert "{hit.user} was here"
            }
            """,
        right: """
            list admins = ["ann", "bob"]

            event login { user: text }

            rule admin_login {
              sequence { hit: login where user in list admins }
              alert "{hit.user} was here"
            }
            """)

    static let unknownSchedule = DiagnosticCode(
        "E0311", "unknown-schedule",
        explanation: "`active during` or `active outside` names a schedule that no file declares.",
        wrong: """
            event login { user: text }

            rule night_login {
              active outside office_hours
              sequence { hit: login where user == "root" }
              alert "root was here at {hit.time}"
            }
            """,
        right: """
            schedule office_hours = "Mon-Fri 08:00-18:00" in "Europe/Berlin"

            event login { user: text }

            rule night_login {
              active outside office_hours
              sequence { hit: login where user == "root" }
              alert "root was here at {hit.time}"
            }
            """)

    static let unknownStepMember = DiagnosticCode(
        "E0312", "unknown-step-member",
        explanation: """
            A repeated step offers `count`, `first` and `last`, and each field of its events as a list; \
            `sum`, `avg`, `min`, `max` and `distinct` make one value of such a list.
            """,
        wrong: """
            event login { user: text, ok: bool }

            rule guessing {
              sequence by user within 5m { at least 5 fails: login where not ok }
              alert "{fails.coutn} failed logins of {user}"
            }
            """,
        right: """
            event login { user: text, ok: bool }

            rule guessing {
              sequence by user within 5m { at least 5 fails: login where not ok }
              alert "{fails.count} failed logins of {user}"
            }
            """)

    static let unknownRule = DiagnosticCode(
        "E0313", "unknown-rule",
        explanation: "A test, or a rule over alerts, names a rule that no file declares.",
        wrong: """
            event login { user: text }

            rule root_login {
              sequence { hit: login where user == "root" }
              alert "root was here at {hit.time}"
            }

            test "root is noticed" for root_logn {
              at 0s login { user: "root" }
              expect alert at 0s
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              sequence { hit: login where user == "root" }
              alert "root was here at {hit.time}"
            }

            test "root is noticed" for root_login {
              at 0s login { user: "root" }
              expect alert at 0s
            }
            """)

    static let unknownSink = DiagnosticCode(
        "E0314", "unknown-sink",
        explanation: """
            A rule sends its alerts to a sink that no file declares, although sinks are declared. Its alerts \
            would reach nobody.
            """,
        wrong: """
            sink soc { file "alerts.ndjson" }

            event login { user: text }

            rule root_login {
              sequence { hit: login where user == "root" }
              alert "root was here at {hit.time}"
              send to sec
            }
            """,
        right: """
            sink soc { file "alerts.ndjson" }

            event login { user: text }

            rule root_login {
              sequence { hit: login where user == "root" }
              alert "root was here at {hit.time}"
              send to soc
            }
            """)

    static let unknownType = DiagnosticCode(
        "E0316", "unknown-type",
        explanation: """
            There is no such type. Fields are `text`, `number`, `bool`, `ip`, `cidr`, `time` or `duration`, \
            one of several texts (`"success" | "failure"`), or a list (`[text]`). Lists hold `text`, `cidr`, \
            `number`, `pair` or `table`.
            """,
        wrong: """
            event login { user: txt }
            """,
        right: """
            event login { user: text }
            """)

    static let reservedMember = DiagnosticCode(
        "W0318", "reserved-member",
        explanation: """
            `count`, `first` and `last` behind a repeated step always mean its number of events, its first \
            and its last one. A field of that name cannot be read through a repeated step; through \
            `x.first` it can.
            """,
        wrong: """
            event batch { host: text, count: number }

            rule many {
              sequence by host within 5m { at least 3 runs: batch }
              alert "{host}: {runs.count} runs"
            }
            """,
        right: """
            event batch { host: text, items: number }

            rule many {
              sequence by host within 5m { at least 3 runs: batch }
              alert "{host}: {runs.count} runs"
            }
            """)

    static let expressionTooLarge = DiagnosticCode(
        "E0319", "expression-too-large",
        explanation: """
            With all definitions put in their places an expression is far larger than anything a person \
            writes. Usually a definition uses another one several times, over many levels.
            """,
        wrong: """
            define a(x) = x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x
            define b(x) = a(x) + a(x) + a(x) + a(x) + a(x) + a(x) + a(x) + a(x) + a(x)
            define c(x) = b(x) + b(x) + b(x) + b(x) + b(x) + b(x) + b(x) + b(x) + b(x)
            define d(x) = c(x) + c(x) + c(x) + c(x) + c(x) + c(x) + c(x) + c(x) + c(x)
            let limit = d(1) + d(1) + d(1) + d(1)
            """,
        right: """
            define a(x) = 16 * x
            define b(x) = 9 * a(x)
            let limit = b(1)
            """)

    static let aliasOfNoKey = DiagnosticCode(
        "E0320", "alias-of-no-key",
        explanation: """
            `by key = field` behind a source says under which name that source has a part of the rule's \
            key. The word on the left has to be a part of the key.
            """,
        wrong: """
            event login { host: text }
            event alarm { server: text }

            rule both {
              sequence by host within 5m {
                a: login
                then b: alarm by hots = server, host = server
              }
              alert "{host}: {a.time}, then {b.time}"
            }
            """,
        right: """
            event login { host: text }
            event alarm { server: text }

            rule both {
              sequence by host within 5m {
                a: login
                then b: alarm by host = server
              }
              alert "{host}: {a.time}, then {b.time}"
            }
            """)

    static let unknownStep = DiagnosticCode(
        "E0322", "unknown-step",
        explanation:
            "A clause names a step or member that the block does not have, or one that takes no event.",
        wrong: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence by user within 5m after match resume at hits {
                fail: login where not ok
                then hit: login where ok
              }
              alert "{user} failed at {fail.time}, then got in at {hit.time}"
            }
            """,
        right: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence by user within 5m after match resume at hit {
                fail: login where not ok
                then hit: login where ok
              }
              alert "{user} failed at {fail.time}, then got in at {hit.time}"
            }
            """)

    static let misplacedEvent = DiagnosticCode(
        "E0323", "misplaced-event",
        explanation: """
            A test gives events, and events have event types. A `select` is a view of an event type: give \
            the event, and the select takes it if its condition holds.
            """,
        wrong: """
            event login { user: text, ok: bool }

            select good_login = login where ok

            rule root_login {
              sequence { hit: good_login where user == "root" }
              alert "root was here at {hit.time}"
            }

            test "root is noticed" for root_login {
              at 0s good_login { user: "root" }
              expect alert at 0s
            }
            """,
        right: """
            event login { user: text, ok: bool }

            select good_login = login where ok

            rule root_login {
              sequence { hit: good_login where user == "root" }
              alert "root was here at {hit.time}"
            }

            test "root is noticed" for root_login {
              at 0s login { user: "root", ok: true }
              expect alert at 0s
            }
            """)
}
