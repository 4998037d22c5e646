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
        explanation: "`in list`, a look-up in brackets, or `from list` names a list that no file declares.",
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
        explanation: "A clause names a step or member that the block does not have, or one that takes no event.",
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

// MARK: - Messages

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
            .unknownField, "no field `\(name)` on event `\(event)`", at: range, label: "unknown field",
            notes: fieldNotes(event, fields, declared),
            help: suggestionHelp(for: name, at: range, kind: "field", among: fields, others: others))
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
                Help("if `\(event)` has it under another name, say so behind the source: `by \(path) = NAME`"))
        }
        return Diagnostic(
            .unknownField, "no field `\(path)` on event `\(event)`", at: range,
            label: "part of the rule's key",
            secondary: input.map { [Label($0, "this event does not have it")] } ?? [],
            notes: fieldNotes(event, fields, declared), help: help)
    }

    private static func fieldNotes(_ event: String, _ fields: [String], _ declared: String?) -> [String] {
        guard !fields.isEmpty else { return [] }
        let shown = fields.prefix(12).map { "`\($0)`" }.joined(separator: ", ")
        let more = fields.count > 12 ? " and \(fields.count - 12) more" : ""
        let place = declared.map { " (declared at \($0))" } ?? ""
        let noun = fields.count == 1 ? "the field" : "the fields"
        return ["`\(event)` has \(noun) \(shown)\(more)\(place)"]
    }

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
        if let place, first.source != range.source { notes.insert("first defined at \(place)", at: 0) }
        return Diagnostic(
            .duplicateName, "\(kind) `\(name)` is defined twice", at: range, label: "defined again here",
            secondary: [Label(first, "first definition")], notes: notes)
    }

    public static func unknownName(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownName, "nothing here is called `\(name)`", at: range, label: "unknown name",
            help: suggestionHelp(for: name, at: range, kind: "name", among: candidates))
    }

    /// A constant or the body of a definition, where no event is at hand.
    public static func unknownConstant(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownName, "nothing here is called `\(name)`", at: range, label: "unknown name",
            notes: ["there is no event here to read a field from"],
            help: suggestionHelp(for: name, at: range, kind: "name", among: candidates))
    }

    public static func fieldWithoutStep(
        _ name: String, step: String, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .unknownName, "`\(name)` is a field of an event, not of the match", at: range,
            label: "of which event?",
            help: [
                Help("read it through its step: `\(step).\(name)`", fix: .replace(range, with: "\(step).\(name)"))
            ])
    }

    public static func fieldOutsideMeasure(
        _ name: String, event: String, isDeclared: Bool, at range: SourceRange, candidates: [String]
    ) -> Diagnostic {
        var help = [
            Help("make one value of them with a measure, for example `measure highest = max(\(name))`")
        ]
        if let match = suggest(name, among: candidates) {
            help.insert(
                Help("there is a measure or key with a similar name: `\(match)`", fix: .replace(range, with: match)),
                at: 0)
        }
        let message =
            isDeclared
            ? "`\(name)` is a field of each `\(event)`, and a window holds many"
            : "`\(name)` is neither a measure nor a part of the key"
        return Diagnostic(.unknownName, message, at: range, label: "unknown name", help: help)
    }

    public static func listAsValue(
        _ name: String, at range: SourceRange, declared: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .unknownName, "list `\(name)` is not a value", at: range, label: "a list stands here",
            secondary: [Label(declared, "declared here")],
            help: [Help("ask for membership, `x in list \(name)`, or look a row up: `\(name)[x].column`")])
    }

    /// - Parameter group: The block both steps stand in, if they stand in one.
    public static func readBeforeBound(
        _ name: String, at range: SourceRange, declared: SourceRange, readIn: Int, boundIn: Int,
        group: StepGroup?
    ) -> Diagnostic {
        switch group {
        case .allOf:
            return Diagnostic(
                .readBeforeBound, "`\(name)` is read before it is bound", at: range, label: "read here",
                secondary: [Label(declared, "may happen later")],
                notes: ["the steps of `all of` happen in any order, so neither can read the other"],
                help: [Help("compare them in a later step or write two steps in order")])
        case .anyOf:
            return Diagnostic(
                .readBeforeBound, "`\(name)` is read where it is never bound", at: range, label: "read here",
                secondary: [Label(declared, "the other alternative")],
                notes: ["only one step of `any of` happens, so neither can read the other"])
        case nil:
            return Diagnostic(
                .readBeforeBound, "`\(name)` is read before it is bound", at: range,
                label: "read here, in step \(readIn)",
                secondary: [Label(declared, "bound here, in step \(boundIn)")],
                notes: [
                    "a step can read the events of earlier steps only, since later ones have not happened yet"
                ], help: [Help("move the condition to step \(boundIn), where both events are known")])
        }
    }

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
        "toupper": "upper", "to_upper": "upper", "len": "length", "size": "length", "strlen": "length",
        "average": "avg", "mean": "avg", "uniq": "distinct", "unique": "distinct", "dcount": "distinct",
        "count_distinct": "distinct", "approx_distinct": "distinct", "quantile": "percentile",
        "median": "percentile", "tonumber": "number", "to_number": "number", "int": "number",
        "float": "number", "tostring": "text", "to_string": "text", "str": "text", "hour": "hour_of_day",
        "weekday": "day_of_week", "haversine": "geo_km", "geo_distance": "geo_km", "offset": "same_time",
    ]

    public static func unknownFunction(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        if let ours = foreignFunctions[name.lowercased()] {
            return Diagnostic(
                .unknownFunction, "there is no function `\(name)`", at: range, label: "unknown function",
                help: [Help("here it is called `\(ours)`", fix: .replace(range, with: ours))])
        }
        return Diagnostic(
            .unknownFunction, "there is no function `\(name)`", at: range, label: "unknown function",
            help: suggestionHelp(for: name, at: range, kind: "function", among: candidates))
    }

    public static func argumentCount(
        _ function: String, wanted: Int, isVariadic: Bool, found: Int, signature: String,
        at range: SourceRange, name: SourceRange
    ) -> Diagnostic {
        let least = isVariadic ? "at least " : ""
        let count = wanted == 1 ? "1 value" : "\(wanted == 0 ? "no" : "\(wanted)") values"
        return Diagnostic(
            .argumentCount, "`\(function)` takes \(least)\(count), and here are \(found)", at: range,
            label: "\(found) given", notes: ["it is written `\(signature)`"])
    }

    public static func circular(_ name: String, kind: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .circular, "\(kind) `\(name)` leads back to itself", at: range,
            label: "its own meaning depends on it",
            notes: ["a \(kind) is replaced by what it stands for, so this would never end"])
    }

    public static func unknownList(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownList, "there is no list `\(name)`", at: range, label: "unknown list",
            help: candidates.isEmpty
                ? [Help("declare one, for example `list \(name) = [\"a\", \"b\"]`")]
                : suggestionHelp(for: name, at: range, kind: "list", among: candidates))
    }

    public static func unknownSchedule(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownSchedule, "there is no schedule `\(name)`", at: range, label: "unknown schedule",
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
            .unknownStepMember, "step `\(step)` has no field `\(name)`", at: range, label: "unknown field",
            notes: [
                "a repeated step offers count, first, last, sum(), avg(), min(), max(), distinct() and each field as a list"
            ], help: help)
    }

    public static func unknownRule(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownRule, "there is no rule `\(name)`", at: range, label: "unknown rule",
            help: suggestionHelp(for: name, at: range, kind: "rule", among: candidates))
    }

    public static func unknownSink(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownSink, "there is no sink `\(name)`", at: range,
            label: "alerts sent here would reach nobody",
            help: suggestionHelp(for: name, at: range, kind: "sink", among: candidates))
    }

    public static func unknownType(_ name: String, at range: SourceRange) -> Diagnostic {
        let names = ["text", "number", "bool", "ip", "cidr", "time", "duration"]
        return Diagnostic(
            .unknownType, "there is no type `\(name)`", at: range, label: "unknown type",
            help: suggestionHelp(for: name, at: range, kind: "type", among: names))
    }

    public static func unknownListKind(_ name: Name) -> Diagnostic {
        Diagnostic(
            .unknownType, "a list cannot be of `\(name.text)`", at: name.range, label: "unknown kind of list",
            help: suggestionHelp(
                for: name.text, at: name.range, kind: "kind",
                among: ["text", "cidr", "number", "pair", "table"]))
    }

    public static func reservedMember(
        _ name: String, step: String, event: String, at range: SourceRange, declared: SourceRange
    ) -> Diagnostic {
        let meaning =
            name == "count" ? "the number of events" : name == "first" ? "the first event" : "the last event"
        return Diagnostic(
            .reservedMember, "`\(step).\(name)` is \(meaning), not the field `\(name)` of `\(event)`",
            at: range, label: "\(meaning) of the step", secondary: [Label(declared, "the field it hides")],
            help: [Help("the field of one event is `\(step).first.\(name)` or `\(step).last.\(name)`")])
    }

    public static func expressionTooLarge(nodesMax: Int, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .expressionTooLarge, "with its definitions put in, this expression has too many parts", at: range,
            label: "grows too large", notes: ["\(nodesMax) parts, and 600 levels, are possible"])
    }

    public static func aliasOfNoKey(_ name: String, at range: SourceRange, keys: [String]) -> Diagnostic {
        Diagnostic(
            .aliasOfNoKey, "`\(name)` is not a part of the rule's key", at: range, label: "not in the key",
            help: keys.isEmpty
                ? [Help("give the rule a key: `sequence by \(name)`")]
                : suggestionHelp(for: name, at: range, kind: "key", among: keys))
    }

    public static func unknownStep(
        _ name: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownStep, "there is no step `\(name)` that takes events", at: range, label: "unknown step",
            help: suggestionHelp(for: name, at: range, kind: "step", among: candidates))
    }

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
    for word: String, at range: SourceRange, kind: String, among candidates: [String], others: [String]
) -> [Help] {
    if suggest(word, among: candidates) == nil, let other = suggest(word, among: others) {
        return [Help("there is something with a similar name: `\(other)`", fix: .replace(range, with: other))]
    }
    return suggestionHelp(for: word, at: range, kind: kind, among: candidates)
}
