// What is said about names (E03).

/// The two blocks of a sequence whose steps have no order among themselves.
public enum StepGroup: Sendable { case allOf, anyOf }

extension Diagnostic {
    /// - Parameters:
    ///   - others: Other names that could stand in this place, after the fields.
    ///   - declared: Where the event is declared, as `file:line`.
    public static func unknownField(
        _ name: String, on event: String, fields: [String], others: [String], at range: SourceRange,
        declared: String?
    ) -> Diagnostic {
        Diagnostic(
            .unknownField, "no field `\(name)` on event `\(event)`", at: range,
            label: "unknown field",
            notes: fieldNotes(event, fields, declared),
            help: suggestionHelp(for: name, at: range, kind: "field", among: fields, others: others)
        )
    }

    /// - Parameter input: The source whose event lacks the field; nil when an alias names it.
    public static func keyNotInEvent(
        _ path: String, event: String, fields: [String], at range: SourceRange, input: SourceRange?,
        declared: String?
    ) -> Diagnostic {
        var help = suggestionHelp(for: path, at: range, kind: "field", among: fields)
        if input != nil {
            if help.contains(where: { $0.fix == nil }) { help = [] }
            help.append(
                Help(
                    "if `\(event)` has it under another name, say so behind the source: `by \(path) = NAME`"
                ))
        }
        return Diagnostic(
            .unknownField, "no field `\(path)` on event `\(event)`", at: range,
            label: "part of the rule's key",
            secondary: input.map { [Label($0, "this event does not have it")] } ?? [],
            notes: fieldNotes(event, fields, declared), help: help)
    }

    private static func fieldNotes(_ event: String, _ fields: [String], _ declared: String?)
        -> [String]
    {
        guard !fields.isEmpty else { return [] }
        let shown = fields.prefix(12).map { "`\($0)`" }.joined(separator: ", ")
        let more = fields.count > 12 ? " and \(fields.count - 12) more" : ""
        let place = declared.map { " (declared at \($0))" } ?? ""
        let noun = fields.count == 1 ? "the field" : "the fields"
        return ["`\(event)` has \(noun) \(shown)\(more)\(place)"]
    }

    /// An event type that no file declares.
    public static func undeclaredEvent(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        var help: [Help] = []
        if let match = suggest(name, among: candidates) {
            help = [
                Help(
                    "there is an event with a similar name: `\(match)`",
                    fix: .replace(range, with: match))
            ]
        }
        return Diagnostic(
            .undeclaredEvent, "event type `\(name)` is not declared", at: range,
            label: "no file declares it",
            notes: ["its fields cannot be checked; one that is misspelled compares as missing"],
            help: help)
    }

    /// - Parameter place: The first definition as `file:line:column`.
    public static func duplicateName(
        _ name: String, kind: String, at range: SourceRange, first: SourceRange, place: String?
    ) -> Diagnostic {
        var notes: [String] = []
        if kind == "rule" {
            notes = [
                "rule names are used in alerts, metrics and saved state, so they are unique in a whole rule set"
            ]
        }
        if let place, first.source != range.source {
            notes.insert("first defined at \(place)", at: 0)
        }
        return Diagnostic(
            .duplicateName, "\(kind) `\(name)` is defined twice", at: range,
            label: "defined again here",
            secondary: [Label(first, "first definition")], notes: notes)
    }

    /// A word that stands for nothing in its place.
    public static func unknownName(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownName, "nothing here is called `\(name)`", at: range, label: "unknown name",
            help: likelyName(for: name, at: range, among: candidates))
    }

    /// A constant or the body of a definition, where no event is at hand.
    public static func unknownConstant(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownName, "nothing here is called `\(name)`", at: range, label: "unknown name",
            notes: ["there is no event here to read a field from"],
            help: likelyName(for: name, at: range, among: candidates))
    }

    /// Names of many kinds: the likely one, but no list of all, most of which would not fit.
    private static func likelyName(
        for name: String, at range: SourceRange, among candidates: [String]
    ) -> [Help] {
        guard let match = suggest(name, among: candidates), match != name else { return [] }
        return [Help("did you mean `\(match)`?", fix: .replace(range, with: match))]
    }

    /// A field in a message without the step it belongs to.
    public static func fieldWithoutStep(
        _ name: String, step: String, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .unknownName, "`\(name)` is a field of an event, not of the match", at: range,
            label: "of which event?",
            help: [
                Help(
                    "read it through its step: `\(step).\(name)`",
                    fix: .replace(range, with: "\(step).\(name)"))
            ])
    }

    /// A field of single events in a threshold's condition or message.
    public static func fieldOutsideMeasure(
        _ name: String, event: String, isDeclared: Bool, at range: SourceRange, candidates: [String]
    ) -> Diagnostic {
        var help = [
            Help(
                "make one value of them with a measure, for example `measure highest = max(\(name))`"
            )
        ]
        if let match = suggest(name, among: candidates) {
            help.insert(
                Help(
                    "there is a measure or key with a similar name: `\(match)`",
                    fix: .replace(range, with: match)),
                at: 0)
        }
        let message =
            isDeclared
            ? "`\(name)` is a field of each `\(event)`, and a window holds many"
            : "`\(name)` is neither a measure nor a part of the key"
        return Diagnostic(.unknownName, message, at: range, label: "unknown name", help: help)
    }

    /// A declared list stands where a value is needed.
    public static func listAsValue(
        _ name: String, at range: SourceRange, declared: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .unknownName, "list `\(name)` is not a value", at: range, label: "a list stands here",
            secondary: [Label(declared, "declared here")],
            help: [
                Help(
                    "ask for membership, `x in list \(name)`, or look a row up: `\(name)[x].column`"
                )
            ])
    }

    /// - Parameter group: The block both steps stand in, if they stand in one.
    public static func readBeforeBound(
        _ name: String, at range: SourceRange, declared: SourceRange, readIn: Int, boundIn: Int,
        group: StepGroup?
    ) -> Diagnostic {
        switch group {
        case .allOf:
            return Diagnostic(
                .readBeforeBound, "`\(name)` is read before it is bound", at: range,
                label: "read here",
                secondary: [Label(declared, "may happen later")],
                notes: ["the steps of `all of` happen in any order, so neither can read the other"],
                help: [Help("compare them in a later step or write two steps in order")])
        case .anyOf:
            return Diagnostic(
                .readBeforeBound, "`\(name)` is read where it is never bound", at: range,
                label: "read here",
                secondary: [Label(declared, "the other alternative")],
                notes: ["only one step of `any of` happens, so neither can read the other"])
        case nil:
            return Diagnostic(
                .readBeforeBound, "`\(name)` is read before it is bound", at: range,
                label: "read here, in step \(readIn)",
                secondary: [Label(declared, "bound here, in step \(boundIn)")],
                notes: [
                    "a step can read the events of earlier steps only, since later ones have not happened yet"
                ],
                help: [Help("move the condition to step \(boundIn), where both events are known")])
        }
    }

    /// A field is read of an event that did not happen.
    public static func absentEvent(
        _ name: String, event: String, at range: SourceRange, declared: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .absentEvent, "`\(name)` stands for an event that did not happen", at: range,
            label: "so there is no event to read from",
            secondary: [Label(declared, "a match has no such `\(event)`")],
            help: [Help("the time at which the match was complete is `matched_at`")])
    }

    /// What other languages call our functions.
    private static let foreignFunctions = [
        "lowercase": "lower", "tolower": "lower", "to_lower": "lower", "uppercase": "upper",
        "toupper": "upper", "to_upper": "upper", "len": "length", "size": "length",
        "strlen": "length",
        "average": "avg", "mean": "avg", "uniq": "distinct", "unique": "distinct",
        "dcount": "distinct",
        "count_distinct": "distinct", "approx_distinct": "distinct", "quantile": "percentile",
        "median": "percentile", "tonumber": "number", "to_number": "number", "int": "number",
        "float": "number", "tostring": "text", "to_string": "text", "str": "text",
        "hour": "hour_of_day",
        "weekday": "day_of_week", "haversine": "geo_km", "geo_distance": "geo_km",
        "offset": "same_time",
    ]

    /// A function that does not exist, perhaps called so elsewhere.
    public static func unknownFunction(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        if let ours = foreignFunctions[name.lowercased()] {
            return Diagnostic(
                .unknownFunction, "there is no function `\(name)`", at: range,
                label: "unknown function",
                help: [Help("here it is called `\(ours)`", fix: .replace(range, with: ours))])
        }
        return Diagnostic(
            .unknownFunction, "there is no function `\(name)`", at: range,
            label: "unknown function",
            help: suggestionHelp(for: name, at: range, kind: "function", among: candidates))
    }

    /// A function or definition with too many or too few values.
    public static func argumentCount(
        _ function: String, wanted: Int, isVariadic: Bool, found: Int, signature: String,
        at range: SourceRange, name: SourceRange
    ) -> Diagnostic {
        let least = isVariadic ? "at least " : ""
        let count = wanted == 1 ? "1 value" : "\(wanted == 0 ? "no" : "\(wanted)") values"
        return Diagnostic(
            .argumentCount, "`\(function)` takes \(least)\(count), and here are \(found)",
            at: range,
            label: "\(found) given", notes: ["it is written `\(signature)`"])
    }

    /// Something whose meaning depends on itself.
    public static func circular(_ name: String, kind: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .circular, "\(kind) `\(name)` leads back to itself", at: range,
            label: "its own meaning depends on it",
            notes: ["a \(kind) is replaced by what it stands for, so this would never end"])
    }

    /// A list that does not exist.
    public static func unknownList(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownList, "there is no list `\(name)`", at: range, label: "unknown list",
            help: candidates.isEmpty
                ? [Help("declare one, for example `list \(name) = [\"a\", \"b\"]`")]
                : suggestionHelp(for: name, at: range, kind: "list", among: candidates))
    }

    /// `active` names a schedule that does not exist.
    public static func unknownSchedule(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownSchedule, "there is no schedule `\(name)`", at: range,
            label: "unknown schedule",
            help: candidates.isEmpty
                ? [
                    Help(
                        "declare one, for example `schedule \(name) = \"Mon-Fri 08:00-18:00\" in \"Europe/Berlin\"`"
                    )
                ] : suggestionHelp(for: name, at: range, kind: "schedule", among: candidates))
    }

    /// - Parameter member: The range of what stands behind the step's name.
    public static func unknownStepMember(
        _ step: String, _ name: String, at range: SourceRange, member: SourceRange, fields: [String]
    ) -> Diagnostic {
        var help: [Help] = []
        if let match = suggest(name, among: ["count", "first", "last"] + fields) {
            help = [Help("did you mean `\(step).\(match)`?", fix: .replace(member, with: match))]
        }
        return Diagnostic(
            .unknownStepMember, "step `\(step)` has no field `\(name)`", at: range,
            label: "unknown field",
            notes: [
                "a repeated step offers count, first, last, sum(), avg(), min(), max(), distinct() and each field as a list"
            ], help: help)
    }

    /// A test, or a rule over alerts, names a rule that does not exist.
    public static func unknownRule(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownRule, "there is no rule `\(name)`", at: range, label: "unknown rule",
            help: suggestionHelp(for: name, at: range, kind: "rule", among: candidates))
    }

    /// `send to` a sink that does not exist, although others do.
    public static func unknownSink(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownSink, "there is no sink `\(name)`", at: range,
            label: "alerts sent here would reach nobody",
            help: suggestionHelp(for: name, at: range, kind: "sink", among: candidates))
    }

    /// A type that does not exist.
    public static func unknownType(_ name: String, at range: SourceRange) -> Diagnostic {
        let names = ["text", "number", "bool", "ip", "cidr", "time", "duration", "any"]
        return Diagnostic(
            .unknownType, "there is no type `\(name)`", at: range, label: "unknown type",
            help: suggestionHelp(for: name, at: range, kind: "type", among: names))
    }

    /// `list NAME of` something that lists do not hold.
    public static func unknownListKind(_ name: Name) -> Diagnostic {
        Diagnostic(
            .unknownType, "a list cannot be of `\(name.text)`", at: name.range,
            label: "unknown kind of list",
            help: suggestionHelp(
                for: name.text, at: name.range, kind: "kind",
                among: ["text", "cidr", "number", "pair", "table"]))
    }

    /// `x.count` and its like where the event has a field of that name.
    public static func reservedMember(
        _ name: String, step: String, event: String, at range: SourceRange, declared: SourceRange
    ) -> Diagnostic {
        let meaning =
            name == "count"
            ? "the number of events" : name == "first" ? "the first event" : "the last event"
        return Diagnostic(
            .reservedMember,
            "`\(step).\(name)` is \(meaning), not the field `\(name)` of `\(event)`",
            at: range, label: "\(meaning) of the step",
            secondary: [Label(declared, "the field it hides")],
            help: [
                Help("the field of one event is `\(step).first.\(name)` or `\(step).last.\(name)`")
            ])
    }

    /// An expression that grows beyond measure when its definitions are put in.
    public static func expressionTooLarge(nodesMax: Int, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .expressionTooLarge, "with its definitions put in, this expression has too many parts",
            at: range,
            label: "grows too large", notes: ["\(nodesMax) parts, and 600 levels, are possible"])
    }

    /// `by key = field` with a key that the rule does not have.
    public static func aliasOfNoKey(_ name: String, at range: SourceRange, keys: [String])
        -> Diagnostic
    {
        Diagnostic(
            .aliasOfNoKey, "`\(name)` is not a part of the rule's key", at: range,
            label: "not in the key",
            help: keys.isEmpty
                ? [Help("give the rule a key: `sequence by \(name)`")]
                : suggestionHelp(for: name, at: range, kind: "key", among: keys))
    }

    /// A clause names a step or member that does not exist.
    public static func unknownStep(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownStep, "there is no step `\(name)` that takes events", at: range,
            label: "unknown step",
            help: suggestionHelp(for: name, at: range, kind: "step", among: candidates))
    }

    /// A test gives an event of a `select`.
    public static func selectAsEvent(
        _ name: String, at range: SourceRange, declared: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .misplacedEvent, "`\(name)` is a select, not an event type", at: range,
            label: "events have event types", secondary: [Label(declared, "declared here")],
            help: [Help("give the event type it selects from")])
    }

    /// A mistake that shows only when a definition is used with these values.
    public static func inExpansion(
        _ inner: Diagnostic, of name: String, at range: SourceRange
    ) -> Diagnostic {
        // What is reported at the use already, such as a value of the caller, stays there.
        let isAtUse =
            inner.primary.range.source == range.source && inner.primary.range.start >= range.start
            && inner.primary.range.end <= range.end
        guard !isAtUse else { return inner }
        var outer = inner
        outer.secondary = [Label(inner.primary.range, inner.primary.text)] + inner.secondary
        outer.primary = Label(range, "in this use of `\(name)`")
        outer.help = inner.help.map { Help($0.text) }
        return outer
    }
}

/// As `suggestionHelp`, with names of another kind that count as likely words but not as fields.
private func suggestionHelp(
    for word: String, at range: SourceRange, kind: String, among candidates: [String],
    others: [String]
) -> [Help] {
    if suggest(word, among: candidates) == nil, let other = suggest(word, among: others) {
        return [
            Help(
                "there is something with a similar name: `\(other)`",
                fix: .replace(range, with: other))
        ]
    }
    return suggestionHelp(for: word, at: range, kind: kind, among: candidates)
}
