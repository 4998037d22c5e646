import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

/// `martlet explain RULE --events FILE`: why the rule did not fire, or how it did.
func explainEvents(
    _ plan: RulePlan, of compilation: Compilation, _ arguments: ParsedArguments, _ console: Console
) throws(Failure) -> ExitCode {
    guard var program = compilation.program else {
        throw Failure(
            .badRules, "the rules do not compile, so nothing was run",
            help: "`martlet check` says what is wrong")
    }
    guard program.rules.contains(where: { $0.id == plan.id }) else {
        throw Failure(.badUsage, "the rule `\(plan.name)` is switched off (`enabled false`)")
    }
    guard !plan.isMetric else {
        throw Failure(
            .badUsage, "`\(plan.name)` is a metric, which has no alerts to miss",
            help: "`martlet replay FILE --rules PATH --metrics` prints its buckets")
    }
    let needed = withSources([plan.id], in: compilation.plans)
    program.rules.removeAll { !needed.contains($0.id) }
    let key = try arguments.value("key").map { text throws(Failure) in
        try keyParts(text, of: plan)
    }
    let options = try inputSettings(arguments)
    let lateness = try duration(arguments, "lateness") ?? .zero
    let inputs = arguments.values("events").map { path in
        PipelineInput(
            name: path, source: makeSource(.files([path]), options: options), options: options,
            lateness: lateness, isEarly: false)
    }
    let pipeline = Pipeline(
        program: program, inputs: inputs, mode: .replay, shardCount: 1,
        environment: EngineEnvironment(
            lists: try loadLists(program.tables.lists), zones: zoneTables(of: program)),
        lists: nil)
    guard
        var recorder = RuleRecorder(
            rule: plan.id, key: key, program: program, limits: EngineLimits())
    else { return .failed }
    let at = try time(arguments, "at")
    if let at { recorder.until = at }
    pipeline.observe(by: recorder)
    StopRequest.listen()
    var faults = 0
    var seen: Timestamp?
    let summary = try orFail {
        try pipeline.run(
            shouldStop: {
                StopRequest.isPending || (at.map { seen ?? .distantPast > $0 + lateness } ?? false)
            }
        ) { _, found, summary in
            seen = summary.lastTime
            for fault in found {
                faults += 1
                if faults <= 5 { console.warn("martlet: \(fault.description)") }
            }
        }
    }
    if faults > 5 { console.warn("martlet: \(faults - 5) further unreadable lines") }
    if let code = StopRequest.exitCode { return code }
    guard var observations = pipeline.takeObservations() else { return .failed }
    if let since = try since(arguments, end: observations.end) {
        observations.entries.removeAll { $0.time < since }
    }
    let page = ExplainPage(
        plan: plan, tables: compilation.tables, observations: observations, key: key,
        summary: summary)
    if arguments.value("format") == "json" {
        console.print(page.json.line)
    } else {
        console.print(page.text(all: arguments.has("all")))
    }
    return summary.input.badFiles > 0 ? .failed : .fine
}

/// `u-99`, `user=u-99` or, with several parts, `user=u-99,host=web1` in any order.
func keyParts(_ text: String, of plan: RulePlan) throws(Failure) -> [String] {
    let names = plan.keyNames
    guard !names.isEmpty else {
        throw Failure(
            .badUsage, "`\(plan.name)` has no key, so there is none to choose",
            help: "leave `--key` away")
    }
    if names.count == 1 {
        return [text.hasPrefix(names[0] + "=") ? String(text.dropFirst(names[0].count + 1)) : text]
    }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let named = parts.compactMap { part -> (String, String)? in
        names.first { part.hasPrefix($0 + "=") }.map { ($0, String(part.dropFirst($0.count + 1))) }
    }
    if named.count == names.count, Set(named.map(\.0)).count == names.count {
        return names.map { name in named.first { $0.0 == name }?.1 ?? "" }
    }
    guard parts.count == names.count, named.isEmpty else {
        throw Failure(
            .badUsage,
            "the key of `\(plan.name)` has \(names.count) parts, and `--key \(text)` does not name them",
            help: "write `--key \(names.map { "\($0)=VALUE" }.joined(separator: ","))`")
    }
    return parts
}

/// A time on the command line.
func time(_ arguments: ParsedArguments, _ name: String) throws(Failure) -> Timestamp? {
    guard let text = arguments.value(name) else { return nil }
    guard let time = Timestamp(rfc3339: text) else {
        throw Failure(
            .badUsage, "`--\(name)` needs a time, and got `\(text)`",
            help: "write RFC 3339, for example `2026-01-02T03:04:05Z`, or a date")
    }
    return time
}

/// `--since`: a time, or a span before the end.
private func since(
    _ arguments: ParsedArguments, end: Timestamp
) throws(Failure) -> Timestamp? {
    guard let text = arguments.value("since") else { return nil }
    if let span = parseDuration(text) { return end - TimeSpan(nanoseconds: span) }
    return try time(arguments, "since")
}

/// What is told of a rule on recorded events.
struct ExplainPage {
    let plan: RulePlan
    let tables: RuleSetTables
    let observations: Observations
    let key: [String]?
    let summary: PipelineSummary

    /// Keys, or attempts of a key, that are shown unless all are asked for.
    private static let shownMax = 20

    /// All times of one day are shown without it.
    private var day: String? {
        let days = Set(
            (observations.entries.map(\.time) + [observations.end]).map {
                $0.description.prefix(10)
            })
        return days.count == 1 ? days.first.map(String.init) : nil
    }

    private var words: NearMissWords {
        let isOneDay = day != nil
        return NearMissWords(plan, tables: tables) { time in
            isOneDay ? String(time.description.dropFirst(11)) : time.description
        }
    }

    private var unit: String {
        switch plan.pattern {
        case .sequence: "attempt"
        case .threshold, .metric: "spell"
        case .correlation: "gathering"
        case .anomaly: "bucket"
        }
    }

    func text(all: Bool) -> String {
        var lines: [String] = []
        let seen = observations
        let words = words
        let outcome = seen.alerts == 0 ? "NO ALERT" : counted(seen.alerts, "alert")
        var head =
            "\(words.subject(key))   \(outcome)   \(counted(seen.events, "event")) of its inputs"
        if key == nil { head += ", \(counted(seen.keys, "key"))" }
        if let day, seen.events > 0 { head += ", \(day)" }
        lines.append(head)
        if seen.events == 0 { lines.append(nothing) }
        let limit = all ? Int.max : ExplainPage.shownMax
        // Of each key the one that came nearest, or of one key all.
        var told: [Observation] = seen.entries
        if key == nil, !all, !plan.keyNames.isEmpty {
            var keys: Set<[Value]> = []
            told = told.filter { keys.insert($0.key).inserted }
        }
        let skipped = key == nil ? 0 : max(0, told.count - limit)
        let entries = key == nil ? told.prefix(limit) : told.suffix(limit)
        for (index, entry) in entries.enumerated() {
            lines += words.entry(
                skipped + index + 1, key: key == nil ? entry.key : nil, words.lines(entry))
        }
        let left = seen.entries.count - entries.count
        if left > 0 {
            lines.append(
                "     \(counted(left, unit)) \(key == nil ? "that came less near" : "before these")"
                    + " not shown; `--all` shows them")
        }
        if seen.omitted > 0 {
            lines.append("     \(counted(seen.omitted, unit)) more were seen and not kept")
        }
        if seen.folded > 0 { lines.append(words.folded(seen.folded)) }
        lines.append(completeness)
        if key == nil, let nearest = seen.entries.first(where: { $0.progress < 2 }),
            !plan.keyNames.isEmpty, !nearest.key.contains(.text("***"))
        {
            let key = words.key(nearest.key.map(\.plainText), separator: ",")
            lines.append("one key in order of time: --key '\(key)'")
        }
        return lines.joined(separator: "\n")
    }

    private var nothing: String {
        if key != nil, !observations.otherKeys.isEmpty {
            let keys = observations.otherKeys.map(words.key).joined(separator: "; ")
            return "     no event has this key; keys seen: \(keys)"
        }
        if summary.input.events == 0 { return "     the files hold no event" }
        let names = Set(inputTypes).sorted().map { "`\($0)`" }.joined(separator: ", ")
        return
            "     none of \(counted(summary.input.events, "event")) is of the types that it reads: \(names);"
            + " `--type` or `--type-field` says how they are called here"
    }

    private var inputTypes: [String] {
        let inputs: [InputPlan] =
            switch plan.pattern {
            case .sequence(let sequence): sequence.inputs
            case .threshold(let threshold): [threshold.input]
            case .correlation(let correlation): correlation.inputs
            case .anomaly(let anomaly): anomaly.inputs
            case .metric(let metric): [metric.input]
            }
        return inputs.map { tables.eventTypes[Int($0.type.rawValue)] }
    }

    /// Why what is told may not be all.
    private var doubts: [String] {
        var doubts = observations.doubts
        if !observations.late.isEmpty {
            doubts.append(
                "\(counted(observations.late.count, "event")) came later than the allowed lateness, "
                    + "the first of \(observations.late[0])")
        }
        let missing = summary.engine.rules.indices.reduce(0) {
            $0 + summary.engine.rules[$1].missingKeys
        }
        if missing > 0 {
            doubts.append("\(counted(missing, "event")) had no value for a part of the key")
        }
        if !summary.input.summary.isEmpty { doubts.append(summary.input.summary) }
        for source in summary.engine.sources where source.outOfOrder > 0 && source.late == 0 {
            doubts.append(
                "\(counted(source.outOfOrder, "event")) were out of order, the worst by "
                    + "\(source.worstDisorder): `--lateness \(source.worstDisorder)` would order them"
            )
        }
        return doubts
    }

    private var completeness: String {
        doubts.isEmpty
            ? "complete: yes (nothing late, dropped or unreadable), up to \(observations.end)"
            : "complete: no: " + doubts.joined(separator: "; ")
    }

    var json: JSONDocument {
        let entries = observations.entries.map { entry -> JSONDocument in
            let told = words.lines(entry)
            return .object([
                ("key", .text(words.key(entry.key))), ("time", .text(entry.time.description)),
                ("progress", .decimal(min(1, entry.progress))),
                ("fired", .bool(entry.progress >= 2)),
                ("text", .text(told.first ?? "")),
                ("because", .array(told.dropFirst().map { .text($0) })),
            ])
        }
        return .object([
            ("schema", 1), ("rule", .text(plan.name)), ("alerts", .number(observations.alerts)),
            ("events", .number(observations.events)), ("keys", .number(observations.keys)),
            ("up_to", .text(observations.end.description)), ("entries", .array(entries)),
            ("omitted", .number(observations.omitted)), ("folded", .number(observations.folded)),
            ("complete", .bool(doubts.isEmpty)),
            ("incomplete_because", .array(doubts.map { .text($0) })),
        ])
    }
}
