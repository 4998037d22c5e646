// What is said about types and values (E04).

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
    ///   - verb: What was tried: "compare", "join".
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

    /// The elements of a list have different types.
    public static func mixedList(
        _ first: TypeText, _ other: TypeText, at range: SourceRange, list: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .typeMismatch, "this list holds both \(quoted(first)) and \(quoted(other))", at: range,
            label: "this is \(a(other))",
            secondary: [Label(list, "the others are \(quoted(first))")])
    }

    /// A side of `and`, `or` or `not` that is no condition.
    public static func operandNotBool(
        _ word: String, _ type: TypeText, source: String, at range: SourceRange,
        operatorRange: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .operandType,
            "`\(word)` \(word == "not" ? "turns a condition round" : "joins conditions"), and this is \(a(type))",
            at: range,
            label: "this is \(a(type))", secondary: [Label(operatorRange, "needs a `bool`")],
            help: comparisonHelp(type, source))
    }

    /// An operator was given a type it does not work on.
    public static func operandType(
        _ word: String, wanted: TypeText, _ type: TypeText, at range: SourceRange,
        place: SourceRange
    ) -> Diagnostic {
        var help: [Help] = []
        if word == "in cidr", type.description == "text" {
            help = [Help("declare the field as `ip`")]
        }
        return Diagnostic(
            .operandType, "`\(word)` needs \(a(wanted)), and this is \(a(type))", at: range,
            label: "this is \(a(type))",
            secondary: place == range ? [] : [Label(place, "needs \(a(wanted))")],
            help: help)
    }

    /// Arithmetic on types for which it means nothing.
    public static func noArithmetic(
        _ word: String, _ left: TypeText, _ right: TypeText, at place: SourceRange,
        left leftRange: SourceRange,
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
            .operandType, "there is no `\(word)` of \(quoted(left)) and \(quoted(right))",
            at: place,
            secondary: [Label(leftRange, quoted(left)), Label(rightRange, quoted(right))],
            help: help)
    }

    /// `<` and its like on values without an order.
    public static func unordered(
        _ word: String, _ type: TypeText, at range: SourceRange, operatorRange: SourceRange
    ) -> Diagnostic {
        let help =
            type.description == "ip"
            ? [Help("ask whether the address lies in a network: `in cidr \"10.0.0.0/8\"`")] : []
        return Diagnostic(
            .operandType, "`\(word)` needs an order, and \(a(type)) has none", at: range,
            label: "this is \(a(type))",
            secondary: [Label(operatorRange, "only `==` and `!=` fit here")],
            help: help)
    }

    /// A condition that does not answer yes or no.
    public static func conditionNotBool(
        _ type: TypeText, source: String, at range: SourceRange, keyword: String,
        keywordRange: SourceRange?
    ) -> Diagnostic {
        Diagnostic(
            .conditionNotBool,
            "\(keyword.hasPrefix("a") || keyword.hasPrefix("e") || keyword.hasPrefix("u") ? "an" : "a") `\(keyword)` condition must be a `bool`, and this is \(a(type))",
            at: range,
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

    /// A field that holds several values is used as if it held one.
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

    /// A part of a key is a field that holds several values.
    public static func listAsKey(_ path: String, _ type: TypeText, at range: SourceRange)
        -> Diagnostic
    {
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

    /// A function was given a value of a type it does not take.
    public static func argumentType(
        _ function: String, wanted: TypeText, _ type: TypeText, signature: String,
        at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .argumentType, "`\(function)` takes \(a(wanted)), and this is \(a(type))", at: range,
            label: "this is \(a(type))", notes: ["it is written `\(signature)`"])
    }

    /// The rank of a percentile is no number from 0 to 100.
    public static func badPercentile(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .argumentType, "the rank of a percentile is a number from 0 to 100", at: range,
            label: "not such a number", notes: ["it is written `percentile(95, duration_ms)`"])
    }

    /// A value is looked for in a list that can never hold it.
    public static func listKind(
        _ name: String, kind: String, _ type: TypeText, at range: SourceRange, declared: SourceRange
    ) -> Diagnostic {
        var help: [Help] = []
        if type.description == "ip" {
            help = [
                Help("declare the list as `list \(name) of cidr`; it may hold plain addresses too")
            ]
        } else if kind == "cidr", type.description == "text" {
            help = [Help("declare the field as `ip`")]
        }
        return Diagnostic(
            .listKind, "list `\(name)` of `\(kind)` can never hold \(a(type))", at: range,
            label: "this is \(a(type))", secondary: [Label(declared, "a list of `\(kind)`")],
            help: help)
    }

    /// `linked by` names a list that does not hold pairs.
    public static func linksNeedPairs(
        _ name: String, kind: String, at range: SourceRange, declared: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .listKind, "`linked by` needs a list of `pair`, and `\(name)` is one of `\(kind)`",
            at: range,
            label: "not a list of pairs", secondary: [Label(declared, "a list of `\(kind)`")])
    }

    /// Something that depends on events or files where a constant is needed.
    public static func notConstant(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .notConstant, "a constant is needed here", at: range, label: "depends on something")
    }

    /// Two inputs of a rule have its key as different types.
    public static func keyTypesDiffer(
        _ key: String, _ first: TypeText, _ other: TypeText, event: String, at range: SourceRange,
        key keyRange: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .keyType, "key `\(key)` is \(a(first)) in one event and \(a(other)) in `\(event)`",
            at: range,
            label: "here it is \(a(other))",
            secondary: [Label(keyRange, "\(quoted(first)) so far")],
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
                notes: [
                    "patterns run in linear time whatever the text, which look-around and back-references cannot"
                ],
                help: [
                    Help("say it with a second condition, for example `and not (x matches /.../)`")
                ])
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
            .badPattern, "invalid regular expression: \(sentence)", at: range, label: label,
            help: help)
    }

    private static func isBackReference(_ message: String, _ argument: String) -> Bool {
        let bytes = Array(argument.utf8)
        return message.hasPrefix("invalid escape sequence") && bytes.count == 2
            && (49...57).contains(bytes[1])
    }

    /// Something behind `matches` that is not written out.
    public static func patternNotLiteral(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .badPattern, "a regular expression is written out: `matches /^a+/`", at: range,
            label: "not a pattern",
            notes: [
                "patterns are compiled when the rules are checked, so they cannot come from an event"
            ])
    }

    /// A regular expression that does not stand behind `matches`.
    public static func misplacedPattern(_ pattern: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .badPattern, "a regular expression stands only behind `matches`", at: range,
            label: "not behind `matches`")
    }

    /// A format in a message that does not fit the value's type.
    public static func formatType(
        _ format: String, wanted: TypeText, _ type: TypeText, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .formatType, "`| \(format)` needs \(a(wanted)), and this is \(a(type))", at: range,
            label: "this is \(a(type))")
    }

    /// The name of a step where a value is needed.
    public static func eventAsValue(
        _ name: String, fields: [String], at range: SourceRange
    ) -> Diagnostic {
        let example = fields.first ?? "time"
        return Diagnostic(
            .eventAsValue, "`\(name)` is a whole event, not a value", at: range, label: "an event",
            help: [Help("name one of its fields, for example `\(name).\(example)`")])
    }

    /// A severity that does not exist.
    public static func unknownSeverity(_ name: String, at range: SourceRange) -> Diagnostic {
        let names = ["info", "low", "medium", "warning", "high", "critical"]
        return Diagnostic(
            .badMetadata, "`\(name)` is not a severity", at: range, label: "unknown severity",
            help: suggestionHelp(for: name, at: range, kind: "severity", among: names).map {
                Help($0.text.replacingSeveritys, fix: $0.fix)
            })
    }

    /// A `confidence` that is no share.
    public static func badConfidence(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .badMetadata, "confidence is a share between 0 % and 100 %", at: range,
            label: "not such a share",
            help: [Help("write it as `90%` or `0.9`")])
    }

    /// Something behind `in` that is no list.
    public static func notAList(
        _ type: TypeText, source: String, value: String, at range: SourceRange,
        operatorRange: SourceRange
    ) -> Diagnostic {
        var help = [Help("write a list: `\(value) in [\(source)]`")]
        if type.description == "text" {
            help = [Help("to look for a part of a text: `\(source) contains \(value)`")]
        }
        if type.description == "cidr" {
            help = [Help("to ask for a network: `\(value) in cidr \(source)`")]
        }
        return Diagnostic(
            .notAList, "`in` needs a list, and this is \(a(type))", at: range,
            label: "this is \(a(type))",
            secondary: [Label(operatorRange, "needs a list behind it")], help: help)
    }

    /// A declared list behind a plain `in`.
    public static func listWithoutWord(
        _ name: String, at range: SourceRange, operatorRange: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .notAList, "`\(name)` is a declared list", at: range,
            label: "needs the word `list` in front",
            help: [
                Help("write `in list \(name)`", fix: .replace(range, with: "list \(name)", .always))
            ])
    }

    /// `any` or `every` over something that is no list.
    public static func quantifiedOverScalar(
        _ word: String, _ type: TypeText, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .notAList, "`\(word)` goes over a list, and this is \(a(type))", at: range,
            label: "this is \(a(type))")
    }

    /// A member of a plain value.
    public static func memberOfValue(
        _ name: String, _ type: TypeText, at range: SourceRange, base: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .lookup, "\(a(type)) has no member `\(name)`", at: range, label: "no such member",
            secondary: [Label(base, "this is \(a(type))")])
    }

    /// A look-up in something that is no declared list.
    public static func notATable(_ source: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .lookup, "`\(source)` is not a declared list, so nothing can be looked up in it",
            at: range,
            label: "not a declared list")
    }

    /// A look-up in a table that does not say which column it wants.
    public static func lookupWithoutColumn(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .lookup, "a row of `\(name)` has several columns", at: range, label: "which column?",
            help: [Help("name one behind it: `.column`")])
    }

    /// A look-up in a list that was written out, and so has no columns.
    public static func columnsOfValues(
        _ name: String, at range: SourceRange, declared: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .lookup, "list `\(name)` has no columns", at: range, label: "nothing to look up",
            secondary: [Label(declared, "plain values")],
            help: [
                Help("a list from a file has columns; ask for membership here: `in list \(name)`")
            ])
    }

    /// An aggregate that needs a window stands where there is none.
    public static func aggregateOutsideMeasure(_ name: String, at range: SourceRange) -> Diagnostic
    {
        Diagnostic(
            .aggregateOutsideMeasure, "`\(name)` works on the events of a threshold's window only",
            at: range,
            label: "no window here")
    }

    /// An aggregate was given a single value.
    public static func aggregateOfOne(
        _ name: String, _ type: TypeText, source: String, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .aggregateOutsideMeasure, "`\(name)` makes one value of many, and `\(source)` is one",
            at: range,
            label: "one \(quoted(type))",
            help: [
                Help(
                    "over the events of a repeated step: `\(name)(step.field)`; over a window: a `measure` of a threshold"
                )
            ])
    }

    /// `previous` or `same_time` was given something without a history.
    public static func notAMeasure(_ word: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .aggregateOutsideMeasure, "`\(word)` takes the name of a measure", at: range,
            label: "not a measure",
            help: [
                Help(
                    "give it a name first: `measure total = sum(amount)`, then `\(word)(total\(word == "previous" ? "" : ", 7d"))`"
                )
            ])
    }

    /// `mask` names something that an alert does not show by itself.
    public static func cannotMask(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .cannotMask,
            "only a field of a step, a part of the key, a measure or the names of members can be masked",
            at: range,
            label: "none of these")
    }

    /// A text is none of those that a field can hold.
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

    /// A constant has another type than the place it stands in.
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
