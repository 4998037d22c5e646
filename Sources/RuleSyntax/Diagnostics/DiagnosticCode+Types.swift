// E04 types and values.

extension DiagnosticCode {
    static let typing: [DiagnosticCode] = [
        typeMismatch, operandType, conditionNotBool, listAsScalar, badLiteral, argumentType,
        listKind,
        notConstant, keyType, badPattern, unsupportedPattern, formatType, eventAsValue, badMetadata,
        notAList, lookup, aggregateOutsideMeasure, cannotMask,
    ]

    private static let payment = "event payment { card: text, amount: number, country: text }\n\n"

    private static func rule(
        _ condition: String, event: String = payment, source: String = "payment"
    ) -> String {
        event + """
            rule large {
              sequence { hit: \(source) where \(condition) }
              alert "seen at {hit.time}"
            }
            """
    }

    static let typeMismatch = DiagnosticCode(
        "E0401", "type-mismatch",
        explanation: """
            Two values are compared or joined whose types have nothing in common, so the answer would always \
            be the same. Numbers have no quotes, texts have them, durations have a unit. A text in quotes is \
            read as an address, a network or a time where the other side is one.
            """,
        wrong: rule("amount > \"1000\""), right: rule("amount > 1000"))

    static let operandType = DiagnosticCode(
        "E0402", "operand-type",
        explanation: """
            An operator was given something it does not work on: `and`, `or` and `not` join conditions, \
            `contains`, `starts with`, `ends with`, `like` and `matches` read texts, `in cidr` wants an \
            address and a network, `+ - * /` want numbers, times and durations.
            """,
        wrong: rule("amount like \"1*\""), right: rule("country like \"N*\""))

    static let conditionNotBool = DiagnosticCode(
        "E0403", "condition-not-bool",
        explanation: """
            A condition answers yes or no. A number or a text is no answer: compare it with something.
            """,
        wrong: rule("amount"), right: rule("amount > 0"))

    private static let process = "event process { name: text, args: [text] }\n\n"

    static let listAsScalar = DiagnosticCode(
        "E0404", "list-as-scalar",
        explanation: """
            A field that holds several values is used as if it held one. Whether one of them is enough or \
            all have to fit is never guessed: write `any x in list: ...` or `every x in list: ...`. A key \
            cannot be a list either.
            """,
        wrong: rule("args == \"-enc\"", event: process, source: "process"),
        right: rule("any a in args: a == \"-enc\"", event: process, source: "process"))

    private static let flow = "event flow { src: ip, dst: ip }\n\n"

    static let badLiteral = DiagnosticCode(
        "E0405", "bad-literal",
        explanation: """
            A text stands where an address, a network or a time is wanted, and it is none. Addresses are \
            `"10.0.0.1"` or `"2001:db8::1"`, networks have a prefix (`"10.0.0.0/8"`), times are RFC 3339: \
            `"2026-01-02T03:04:05Z"`.
            """,
        wrong: rule("src == \"10.0.0.300\"", event: flow, source: "flow"),
        right: rule("src == \"10.0.0.30\"", event: flow, source: "flow"))

    static let argumentType = DiagnosticCode(
        "E0406", "argument-type",
        explanation: "A function was given a value of a type it does not take.",
        wrong: rule("sqrt(country) > 2"), right: rule("sqrt(amount) > 2"))

    static let listKind = DiagnosticCode(
        "E0407", "list-kind",
        explanation: """
            A value is looked for in a list that can never hold it: an address in a list of texts, a number \
            in a list of networks. `list NAME of cidr` holds addresses and networks, `of number` numbers, \
            `of pair` pairs of two values.
            """,
        wrong: "list partners = [\"10.0.0.1\"]\n\n"
            + rule("src in list partners", event: flow, source: "flow"),
        right: "list partners of cidr = [\"10.0.0.1\"]\n\n"
            + rule("src in list partners", event: flow, source: "flow"))

    static let notConstant = DiagnosticCode(
        "E0408", "not-constant",
        explanation:
            "Something that is the same for all events is wanted here, and this depends on events or files.",
        wrong: """
            list slo of table from "lists/slo.csv" key service

            list limits of number = [slo["pay"].p95]
            """,
        right: """
            list limits of number = [500]
            """)

    static let keyType = DiagnosticCode(
        "E0409", "key-type",
        explanation: """
            The inputs of a rule have the key as different types, so their keys are never equal and no match \
            can join them.
            """,
        wrong: """
            event login { host: text }
            event flow { host: ip }

            rule both {
              sequence by host within 5m {
                a: login
                then b: flow
              }
              alert "{host}: {a.time}, then {b.time}"
            }
            """,
        right: """
            event login { host: text }
            event flow { host: text }

            rule both {
              sequence by host within 5m {
                a: login
                then b: flow
              }
              alert "{host}: {a.time}, then {b.time}"
            }
            """)

    static let badPattern = DiagnosticCode(
        "E0410", "bad-pattern",
        explanation: """
            A regular expression cannot be read. It has to be whole: groups and classes are closed, and a \
            plain `(`, `[`, `*` or `.` has a backslash in front.
            """,
        wrong: rule("country matches /^(NO|SE/"), right: rule("country matches /^(NO|SE)/"))

    static let unsupportedPattern = DiagnosticCode(
        "E0412", "unsupported-pattern",
        explanation: """
            Regular expressions here always run in time linear in the text, since both may come from \
            strangers. Look-around and back-references cannot, and do not exist. Often `and not` with a \
            second pattern says the same.
            """,
        wrong: rule("country matches /^(?!NO)/"), right: rule("not (country matches /^NO/)"))

    static let formatType = DiagnosticCode(
        "E0413", "format-type",
        explanation: "`| in \"ZONE\"` shows a time, `| first 5` the first elements of a list.",
        wrong: payment + """
            rule large {
              sequence { hit: payment where amount > 1000 }
              alert "seen at {hit.amount | in "Europe/Berlin"}"
            }
            """,
        right: payment + """
            rule large {
              sequence { hit: payment where amount > 1000 }
              alert "seen at {hit.time | in "Europe/Berlin"}"
            }
            """)

    static let eventAsValue = DiagnosticCode(
        "E0414", "event-as-value",
        explanation: """
            The name of a step stands for a whole event. Events are not compared or shown; their fields are.
            """,
        wrong: payment + """
            rule large {
              sequence { hit: payment where amount > 1000 }
              alert "seen {hit}"
            }
            """,
        right: payment + """
            rule large {
              sequence { hit: payment where amount > 1000 }
              alert "seen {hit.amount}"
            }
            """)

    static let badMetadata = DiagnosticCode(
        "E0415", "bad-metadata",
        explanation: """
            `severity` is `info`, `low`, `medium`, `warning`, `high` or `critical`. `confidence` is a share \
            between 0 and 100 %.
            """,
        wrong: payment + """
            rule large {
              severity hgih
              sequence { hit: payment where amount > 1000 }
              alert "seen at {hit.time}"
            }
            """,
        right: payment + """
            rule large {
              severity high
              sequence { hit: payment where amount > 1000 }
              alert "seen at {hit.time}"
            }
            """)

    static let notAList = DiagnosticCode(
        "E0416", "not-a-list",
        explanation: """
            `in` wants a list on its right, `["a", "b"]` or a field that is one; a declared list has the \
            word `list` in front: `in list NAME`. `any` and `every` go over a list. Part of a text is asked \
            for with `contains`.
            """,
        wrong: rule("\"N\" in country"), right: rule("country contains \"N\""))

    static let lookup = DiagnosticCode(
        "E0417", "bad-lookup",
        explanation: """
            `table[key].column` reads a column of the row with that key. The list comes from a file with \
            columns; a list of pairs gives the other half of the pair: `pairs[key]`. Plain values have \
            no members.
            """,
        wrong: "list limits of table from \"lists/limits.csv\" key country\n\n"
            + rule("amount > (limits[country] else 100)"),
        right: "list limits of table from \"lists/limits.csv\" key country\n\n"
            + rule("amount > (limits[country].amount else 100)"))

    static let aggregateOutsideMeasure = DiagnosticCode(
        "E0418", "misplaced-aggregate",
        explanation: """
            An aggregate makes one value of many: of the events in a threshold's window, of the events of a \
            repeated step (`avg(small.amount)`), or of a list. `percentile`, `rate`, `first` and `last` are \
            for windows only; `previous` and `same_time` are for measures.
            """,
        wrong: rule("max(amount) > 5"), right: rule("amount > 5"))

    static let cannotMask = DiagnosticCode(
        "E0419", "cannot-mask",
        explanation:
            "`mask` hides fields of steps, parts of the key, measures and the names of a cluster's members wherever the alert shows them.",
        wrong: payment + """
            rule large {
              sequence { hit: payment where amount > 1000 }
              alert "{hit.card}"
              mask lower(hit.card)
            }
            """,
        right: payment + """
            rule large {
              sequence { hit: payment where amount > 1000 }
              alert "{hit.card}"
              mask hit.card
            }
            """)
}
