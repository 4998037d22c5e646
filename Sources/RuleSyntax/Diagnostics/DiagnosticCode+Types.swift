// E04 types and values.

extension DiagnosticCode {
    static let typing: [DiagnosticCode] = [
        typeMismatch, operandType, conditionNotBool, listAsScalar, badLiteral, argumentType, listKind,
        notConstant, keyType, badPattern, unsupportedPattern, formatType, eventAsValue, badMetadata,
        notAList, lookup, aggregateOutsideMeasure, cannotMask,
    ]

    private static let payment = "event payment { card: text, amount: number, country: text }\n\n"

    private static func rule(_ condition: String, event: String = payment, source: String = "payment") -> String {
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
        wrong: "list partners = [\"10.0.0.1\"]\n\n" + rule("src in list partners", event: flow, source: "flow"),
        right: "list partners of cidr = [\"10.0.0.1\"]\n\n"
            + rule("src in list partners", event: flow, source: "flow"))

    static let notConstant = DiagnosticCode(
        "E0408", "not-constant",
        explanation: "Something that is the same for all events is wanted here, and this depends on events or files.",
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
        explanation: "`mask` hides fields of steps, parts of the key and measures wherever the alert shows them.",
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

// MARK: - Messages

/// A type as messages write it.
public typealias TypeText = any CustomStringConvertible & Sendable

private func a(_ type: TypeText) -> String {
    let text = type.description
    if text.hasPrefix("\"") { return "one of \(text)" }
    if text.hasPrefix("[") { return "a list" }
    return text == "ip" || text == "event" ? "an `\(text)`" : "a `\(text)`"
}

private func quoted(_ type: TypeText) -> String { "`\(type.description)`" }

extension Diagnostic {
    /// - Parameters:
    ///   - verb: What was tried: "compare", "use".
    ///   - joint: The word between the two: "with".
    public static func typeMismatch(
        _ left: TypeText, _ right: TypeText, verb: String, joint: String, at place: SourceRange,
        left leftRange: SourceRange, right rightRange: SourceRange?, help: [Help]
    ) -> Diagnostic {
        var secondary = [Label(leftRange, quoted(left))]
        if let rightRange { secondary.append(Label(rightRange, quoted(right))) }
        return Diagnostic(
            .typeMismatch, "cannot \(verb) \(quoted(left)) \(joint) \(quoted(right))", at: place,
            label: rightRange == nil ? quoted(right) : "", secondary: secondary, help: help)
    }

    public static func mixedList(
        _ first: TypeText, _ other: TypeText, at range: SourceRange, list: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .typeMismatch, "this list holds both \(quoted(first)) and \(quoted(other))", at: range,
            label: "this is \(a(other))", secondary: [Label(list, "the others are \(quoted(first))")])
    }

    public static func operandNotBool(
        _ word: String, _ type: TypeText, source: String, at range: SourceRange,
        operatorRange: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .operandType, "`\(word)` joins conditions, and this is \(a(type))", at: range,
            label: "this is \(a(type))", secondary: [Label(operatorRange, "needs a `bool`")],
            help: comparisonHelp(type, source))
    }

    public static func operandType(
        _ word: String, wanted: TypeText, _ type: TypeText, at range: SourceRange, place: SourceRange
    ) -> Diagnostic {
        var help: [Help] = []
        if word == "in cidr", type.description == "text" {
            help = [Help("declare the field as `ip`")]
        }
        return Diagnostic(
            .operandType, "`\(word)` needs \(a(wanted)), and this is \(a(type))", at: range,
            label: "this is \(a(type))", secondary: place == range ? [] : [Label(place, "needs \(a(wanted))")],
            help: help)
    }

    public static func noArithmetic(
        _ word: String, _ left: TypeText, _ right: TypeText, at place: SourceRange, left leftRange: SourceRange,
        right rightRange: SourceRange
    ) -> Diagnostic {
        var help: [Help] = []
        let types = [left.description, right.description]
        if word == "+", types == ["text", "text"] {
            help = [Help("texts are put together in a message: `\"{a} {b}\"`")]
        } else if types.contains("number"), types.contains("duration") || types.contains("time") {
            help = [Help("give the number a unit, for example `5s`")]
        }
        return Diagnostic(
            .operandType, "there is no `\(word)` of \(quoted(left)) and \(quoted(right))", at: place,
            secondary: [Label(leftRange, quoted(left)), Label(rightRange, quoted(right))], help: help)
    }

    public static func unordered(
        _ word: String, _ type: TypeText, at range: SourceRange, operatorRange: SourceRange
    ) -> Diagnostic {
        let help =
            type.description == "ip"
            ? [Help("ask whether the address lies in a network: `in cidr \"10.0.0.0/8\"`")] : []
        return Diagnostic(
            .operandType, "`\(word)` needs an order, and \(a(type)) has none", at: range,
            label: "this is \(a(type))", secondary: [Label(operatorRange, "only `==` and `!=` fit here")],
            help: help)
    }

    public static func conditionNotBool(
        _ type: TypeText, source: String, at range: SourceRange, keyword: String,
        keywordRange: SourceRange?
    ) -> Diagnostic {
        Diagnostic(
            .conditionNotBool, "a `\(keyword)` condition must be a `bool`, and this is \(a(type))", at: range,
            label: "this is \(a(type))",
            secondary: keywordRange.map { [Label($0, "needs a `bool`")] } ?? [],
            help: comparisonHelp(type, source))
    }

    private static func comparisonHelp(_ type: TypeText, _ source: String) -> [Help] {
        guard source.utf8.count <= 40, !source.contains("\n") else { return [] }
        switch type.description {
        case "number": return [Help("compare it with something, for example `\(source) > 0`")]
        case "duration": return [Help("compare it with something, for example `\(source) > 5m`")]
        case "event": return []
        case let text where text.hasPrefix("["):
            return [Help("ask about its elements, for example `any x in \(source): x == \"a\"`")]
        default: return [Help("ask whether it is there, `\(source) exists`, or compare it")]
        }
    }

    public static func listComparedWithScalar(
        _ word: String, _ type: TypeText, list: String, other: String, at range: SourceRange,
        operatorRange: SourceRange
    ) -> Diagnostic {
        var help = [Help("say which elements count: `any x in \(list): x \(word) \(other)`")]
        if word == "==" { help = [Help("ask for one element: `\(list) contains \(other)`")] + help }
        return Diagnostic(
            .listAsScalar, "`\(word)` works on one value, and `\(list)` holds several", at: range,
            label: "this is \(quoted(type))", secondary: [Label(operatorRange, "needs one value")],
            help: help)
    }

    public static func listAsKey(_ path: String, _ type: TypeText, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .listAsScalar, "`\(path)` holds several values and cannot be a key", at: range,
            label: "this is \(quoted(type))")
    }

    /// - Parameter isNetwork: The text is a network where an address is wanted.
    public static func badLiteral(
        _ text: String, _ type: TypeText, isNetwork: Bool, at range: SourceRange
    ) -> Diagnostic {
        let example: String
        switch type.description {
        case "ip": example = "an address is written `\"10.0.0.1\"` or `\"2001:db8::1\"`"
        case "cidr": example = "a network is written `\"10.0.0.0/8\"` or `\"2001:db8::/32\"`"
        default: example = "a time is written `\"2026-01-02T03:04:05Z\"`"
        }
        return Diagnostic(
            .badLiteral, "\"\(text)\" is not \(a(type))", at: range, label: "not \(a(type))",
            notes: isNetwork ? [] : [example],
            help: isNetwork ? [Help("it is a network: use `in cidr \"\(text)\"`")] : [])
    }

    public static func argumentType(
        _ function: String, wanted: TypeText, _ type: TypeText, signature: String, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .argumentType, "`\(function)` takes \(a(wanted)), and this is \(a(type))", at: range,
            label: "this is \(a(type))", notes: ["it is written `\(signature)`"])
    }

    public static func badPercentile(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .argumentType, "the rank of a percentile is a number from 0 to 100", at: range,
            label: "not such a number", notes: ["it is written `percentile(95, duration_ms)`"])
    }

    public static func listKind(
        _ name: String, kind: String, _ type: TypeText, at range: SourceRange, declared: SourceRange
    ) -> Diagnostic {
        var help: [Help] = []
        if type.description == "ip" {
            help = [Help("declare the list as `list \(name) of cidr`; it may hold plain addresses too")]
        } else if kind == "cidr", type.description == "text" {
            help = [Help("declare the field as `ip`")]
        }
        return Diagnostic(
            .listKind, "list `\(name)` of `\(kind)` can never hold \(a(type))", at: range,
            label: "this is \(a(type))", secondary: [Label(declared, "a list of `\(kind)`")], help: help)
    }

    public static func linksNeedPairs(
        _ name: String, kind: String, at range: SourceRange, declared: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .listKind, "`linked by` needs a list of `pair`, and `\(name)` is one of `\(kind)`", at: range,
            label: "not a list of pairs", secondary: [Label(declared, "a list of `\(kind)`")])
    }

    public static func notConstant(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .notConstant, "a constant is needed here", at: range, label: "depends on something")
    }

    public static func keyTypesDiffer(
        _ key: String, _ first: TypeText, _ other: TypeText, event: String, at range: SourceRange,
        key keyRange: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .keyType, "key `\(key)` is \(a(first)) in one event and \(a(other)) in `\(event)`", at: range,
            label: "here it is \(a(other))", secondary: [Label(keyRange, "\(quoted(first)) so far")],
            notes: ["keys of different types are never equal, so no match could join these events"])
    }

    /// - Parameters:
    ///   - message: The sentence of the pattern library.
    ///   - argument: The part of the pattern it is about.
    public static func badPattern(
        _ message: String, argument: String, at range: SourceRange
    ) -> Diagnostic {
        if message.hasPrefix("invalid perl operator") || isBackReference(message, argument) {
            let what = isBackReference(message, argument) ? "back-references" : "`\(argument)`"
            return Diagnostic(
                .unsupportedPattern, "regular expressions here have no \(what)", at: range,
                label: "not supported",
                notes: ["patterns run in linear time whatever the text, which look-around and back-references cannot"],
                help: [Help("say it with a second condition, for example `and not (x matches /.../)`")])
        }
        var sentence = message.prefix { $0 != ":" }.description
        var label = "the pattern stops making sense here"
        var help: [Help] = []
        if sentence == "missing )" {
            sentence = "unclosed group"
            label = "this group is never closed"
            help = [Help("close it, or write `\\(` for a plain parenthesis")]
        } else if sentence == "missing ]" {
            sentence = "unclosed class"
            label = "this class is never closed"
            help = [Help("close it, or write `\\[` for a plain bracket")]
        } else if sentence == "unexpected )" {
            sentence = "a group is closed that was never opened"
            help = [Help("write `\\)` for a plain parenthesis")]
        } else if sentence == "no argument for repetition operator" {
            sentence = "nothing stands in front of the repetition"
            label = "repeats nothing"
            help = [Help("write `\\\(argument)` for the plain character")]
        }
        return Diagnostic(
            .badPattern, "invalid regular expression: \(sentence)", at: range, label: label, help: help)
    }

    private static func isBackReference(_ message: String, _ argument: String) -> Bool {
        let bytes = Array(argument.utf8)
        return message.hasPrefix("invalid escape sequence") && bytes.count == 2 && (49...57).contains(bytes[1])
    }

    public static func patternNotLiteral(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .badPattern, "a regular expression is written out: `matches /^a+/`", at: range,
            label: "not a pattern",
            notes: ["patterns are compiled when the rules are checked, so they cannot come from an event"])
    }

    public static func misplacedPattern(_ pattern: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .badPattern, "a regular expression stands only behind `matches`", at: range,
            label: "not behind `matches`")
    }

    public static func formatType(
        _ format: String, wanted: TypeText, _ type: TypeText, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .formatType, "`| \(format)` needs \(a(wanted)), and this is \(a(type))", at: range,
            label: "this is \(a(type))")
    }

    public static func eventAsValue(
        _ name: String, fields: [String], at range: SourceRange
    ) -> Diagnostic {
        let example = fields.first ?? "time"
        return Diagnostic(
            .eventAsValue, "`\(name)` is a whole event, not a value", at: range, label: "an event",
            help: [Help("name one of its fields, for example `\(name).\(example)`")])
    }

    public static func unknownSeverity(_ name: String, at range: SourceRange) -> Diagnostic {
        let names = ["info", "low", "medium", "warning", "high", "critical"]
        return Diagnostic(
            .badMetadata, "`\(name)` is not a severity", at: range, label: "unknown severity",
            help: suggestionHelp(for: name, at: range, kind: "severity", among: names).map {
                Help($0.text.replacingSeveritys, fix: $0.fix)
            })
    }

    public static func badConfidence(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .badMetadata, "confidence is a share between 0 % and 100 %", at: range, label: "not such a share",
            help: [Help("write it as `90%` or `0.9`")])
    }

    public static func notAList(
        _ type: TypeText, source: String, value: String, at range: SourceRange,
        operatorRange: SourceRange
    ) -> Diagnostic {
        var help = [Help("write a list: `\(value) in [\(source)]`")]
        if type.description == "text" { help = [Help("to look for a part of a text: `\(source) contains \(value)`")] }
        if type.description == "cidr" { help = [Help("to ask for a network: `\(value) in cidr \(source)`")] }
        return Diagnostic(
            .notAList, "`in` needs a list, and this is \(a(type))", at: range, label: "this is \(a(type))",
            secondary: [Label(operatorRange, "needs a list behind it")], help: help)
    }

    public static func listWithoutWord(
        _ name: String, at range: SourceRange, operatorRange: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .notAList, "`\(name)` is a declared list", at: range, label: "needs the word `list` in front",
            help: [Help("write `in list \(name)`", fix: .replace(range, with: "list \(name)", .always))])
    }

    public static func quantifiedOverScalar(
        _ word: String, _ type: TypeText, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .notAList, "`\(word)` goes over a list, and this is \(a(type))", at: range,
            label: "this is \(a(type))")
    }

    public static func memberOfValue(
        _ name: String, _ type: TypeText, at range: SourceRange, base: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .lookup, "\(a(type)) has no member `\(name)`", at: range, label: "no such member",
            secondary: [Label(base, "this is \(a(type))")])
    }

    public static func notATable(_ source: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .lookup, "`\(source)` is not a declared list, so nothing can be looked up in it", at: range,
            label: "not a declared list")
    }

    public static func lookupWithoutColumn(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .lookup, "a row of `\(name)` has several columns", at: range, label: "which column?",
            help: [Help("name one behind it: `.column`")])
    }

    public static func columnsOfValues(
        _ name: String, at range: SourceRange, declared: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .lookup, "list `\(name)` has no columns", at: range, label: "nothing to look up",
            secondary: [Label(declared, "plain values")],
            help: [Help("a list from a file has columns; ask for membership here: `in list \(name)`")])
    }

    public static func aggregateOutsideMeasure(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .aggregateOutsideMeasure, "`\(name)` works on the events of a threshold's window only", at: range,
            label: "no window here")
    }

    public static func aggregateOfOne(
        _ name: String, _ type: TypeText, source: String, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .aggregateOutsideMeasure, "`\(name)` makes one value of many, and `\(source)` is one", at: range,
            label: "one \(quoted(type))",
            help: [
                Help("over the events of a repeated step: `\(name)(step.field)`; over a window: a `measure` of a threshold")
            ])
    }

    public static func notAMeasure(_ word: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .aggregateOutsideMeasure, "`\(word)` takes the name of a measure", at: range,
            label: "not a measure",
            help: [Help("give it a name first: `measure total = sum(amount)`, then `\(word)(total\(word == "previous" ? "" : ", 7d"))`")])
    }

    public static func cannotMask(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .cannotMask, "only a field of a step, a part of the key or a measure can be masked", at: range,
            label: "none of these")
    }

    public static func notACase(
        _ text: String, of type: TypeText, cases: [String], at range: SourceRange
    ) -> Diagnostic {
        var help: [Help] = []
        if let match = suggest(text, among: cases) {
            help = [Help("did you mean \"\(match)\"?", fix: .replace(range, with: "\"\(match)\""))]
        }
        return Diagnostic(
            .typeMismatch, "\"\(text)\" is not one of \(type.description)", at: range,
            label: "the field never holds this", help: help)
    }

    public static func valueOfOtherType(
        _ type: TypeText, wanted: TypeText, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .typeMismatch, "\(a(wanted)) is needed here, and this is \(a(type))", at: range,
            label: "this is \(a(type))")
    }
}

extension String {
    /// `severity` has its own plural.
    fileprivate var replacingSeveritys: String {
        guard hasPrefix("the severitys") else { return self }
        return "the severities" + dropFirst("the severitys".count)
    }
}
