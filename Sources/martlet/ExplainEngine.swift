import MatchEngine
import RuleModel
import RuleSyntax
import StreamRuntime

/// `martlet explain RULE --engine`: asks a running engine what it has open for a rule.
func explainEngine(_ rule: String, _ arguments: ParsedArguments) throws(Failure) -> ExitCode {
    for flag in ["since", "at", "plan", "passes", "rules"] where arguments.has(flag) {
        throw Failure(
            .badUsage, "`--\(flag)` does not go with `--engine`",
            help: "an engine tells what is open now, of the rules that it runs")
    }
    var request = ControlRequest(.explain, isJSON: arguments.value("format") == "json")
    request.rule = rule
    request.key = arguments.value("key")
    request.showsAll = arguments.has("all")
    return try ask(request, arguments)
}

/// What the engine of this process answers to it.
func explainAnswer(
    _ request: ControlRequest, _ rules: RuleSetPlans, _ requests: PipelineRequests
) throws(Failure) -> ControlAnswer {
    let name = request.rule ?? ""
    guard let plan = rules.plans.first(where: { $0.name == name }) else {
        throw Failure(
            .badUsage, "the engine runs no rule `\(name)`",
            help: suggest(name, among: rules.plans.map(\.name)).map {
                "it runs one with a similar name: `\($0)`"
            })
    }
    guard !plan.isMetric else {
        throw Failure(.badUsage, "`\(name)` is a metric, which has no alerts to wait for")
    }
    let key = try request.key.map { text throws(Failure) in try keyParts(text, of: plan) }
    let found = requests.perform(waitingAtMost: Reloader.patienceSeconds) {
        $0.open(of: plan.id, key: key)
    }
    guard let found else { throw Reloader.busy }
    guard let open = found else {
        throw Failure(.failed, "the rules have changed in this moment; ask again")
    }
    let page = OpenPage(plan: plan, tables: rules.tables, open: open, key: key)
    return ControlAnswer(
        output: request.isJSON ? page.json.line + "\n" : page.text(all: request.showsAll))
}

/// What is told of a rule in a running engine.
private struct OpenPage {
    let plan: RulePlan
    let tables: RuleSetTables
    let open: OpenStates
    let key: [String]?

    /// States that are shown unless all are asked for.
    private static let shownMax = 20

    private var words: NearMissWords {
        let day = open.end.description.prefix(10)
        return NearMissWords(plan, tables: tables) { time in
            let text = time.description
            return text.hasPrefix(day) ? String(text.dropFirst(11)) : text
        }
    }

    private var isIdle: Bool { open.end == .distantPast }

    func text(all: Bool) -> String {
        let words = words
        var lines = [head(words)]
        let shown = open.states.prefix(all ? .max : OpenPage.shownMax)
        for (index, state) in shown.enumerated() {
            lines += words.entry(index + 1, key: key == nil ? state.key : nil, words.lines(state))
        }
        if shown.count < open.states.count {
            lines.append(
                "     \(grouped(open.states.count - shown.count)) more not shown; `--all` shows them"
            )
        }
        if open.omitted > 0 {
            lines.append("     \(grouped(open.omitted)) more are open and not looked at")
        }
        if open.folded > 0 { lines.append(words.folded(open.folded)) }
        if key != nil, open.keysSeen == 0 { lines.append("     \(nothing)") }
        if key == nil, open.keysSeen < open.keys {
            lines.append(
                "     only the \(grouped(open.keysSeen)) keys used last were looked at; `--key KEY` asks for one"
            )
        }
        lines.append(completeness)
        let flag = key.map { " --key '\(words.key($0, separator: ","))'" } ?? ""
        lines.append(
            "an engine keeps no history: how earlier attempts ended is told of recorded events, by "
                + "`martlet explain \(plan.name) --events FILE\(flag)`"
        )
        return lines.joined(separator: "\n") + "\n"
    }

    private func head(_ words: NearMissWords) -> String {
        let subject = words.subject(key)
        if isIdle { return "\(subject)   no event yet" }
        let held = key == nil && !plan.keyNames.isEmpty ? ", \(counted(open.keys, "key")) held" : ""
        let firing = open.states.count { $0.progress >= 2 }
        let number = open.states.count(where: isOpen)
        let count = number == 0 ? "nothing open" : "\(number) open"
        return "\(subject)   \(count)\(firing > 0 ? ", \(firing) of them firing" : "")\(held)"
            + ", as of \(open.end)"
    }

    private func isOpen(_ state: OpenState) -> Bool {
        switch state {
        case .attempt, .correlation: true
        case .threshold(let threshold): threshold.state == .pending || threshold.state == .firing
        case .group(let group): !group.clusters.isEmpty || !group.waiting.isEmpty
        }
    }

    private var nothing: String {
        if open.otherKeys.isEmpty { return "nothing is held for this key" }
        return "nothing is held for this key; keys held: "
            + open.otherKeys.map(words.key).joined(separator: "; ")
    }

    /// Why the view may not be whole.
    private var doubts: [String] {
        var doubts = open.doubts
        if open.waitingEvents > 0 {
            doubts.append(
                "\(counted(open.waitingEvents, "event")) of all rules have come and wait for `--lateness`"
            )
        }
        return doubts
    }

    private var completeness: String {
        doubts.isEmpty
            ? "complete: yes (nothing late, dropped or waiting)"
            : "complete: no: " + doubts.joined(separator: "; ")
    }

    var json: JSONDocument {
        let words = words
        return .object([
            ("schema", 1), ("rule", .text(plan.name)),
            ("as_of", isIdle ? .null : .text("\(open.end)")),
            ("keys", .number(open.keys)), ("keys_seen", .number(open.keysSeen)),
            ("open", .array(open.states.map { json($0, words) })),
            ("omitted", .number(open.omitted)), ("folded", .number(open.folded)),
            ("complete", .bool(doubts.isEmpty)),
            ("incomplete_because", .array(doubts.map { .text($0) })),
        ])
    }

    private func json(_ state: OpenState, _ words: NearMissWords) -> JSONDocument {
        let told = words.lines(state)
        func time(_ time: Timestamp?) -> JSONDocument {
            guard let time, time < .distantFuture else { return .null }
            return .text(time.description)
        }
        let (since, until): (Timestamp?, Timestamp?)
        var alerts: [String] = []
        switch state {
        case .attempt(let attempt):
            since = attempt.first
            if case .open(let end) = attempt.outcome { until = end } else { until = nil }
        case .threshold(let threshold):
            (since, until) = (threshold.since, threshold.until)
            alerts = [threshold.alert].compactMap(\.self)
        case .correlation(let correlation):
            since = correlation.gathering.present.map(\.time).min()
            until = correlation.gathering.until
            alerts = [correlation.alert].compactMap(\.self)
        case .group(let group):
            since = (group.clusters.flatMap(\.members) + group.waiting).map(\.onset).min()
            until = group.clusters.map(\.until).max()
            alerts = group.clusters.compactMap(\.alert)
        }
        return .object([
            (
                "key",
                .object(
                    zip(plan.keyNames, state.key).map { ($0, .text($1.plainText)) })
            ),
            ("since", time(since)), ("until", time(until)),
            ("progress", .decimal(min(1, state.progress))), ("firing", .bool(state.progress >= 2)),
            ("alerts", .array(alerts.map { .text($0) })),
            ("text", .text(told.first ?? "")),
            ("because", .array(told.dropFirst().map { .text($0) })),
        ])
    }
}

extension NearMissWords {
    /// What is open, in words: the first line says what it is.
    fileprivate func lines(_ state: OpenState) -> [String] {
        switch state {
        case .attempt(let attempt):
            var lines = lines(Observation.attempt(attempt))
            if case .open(let until?) = attempt.outcome, attempt.waitsFor.isEmpty {
                lines[1] = "matches at \(shown(until)) if nothing forbids it until then"
            }
            return lines
        case .threshold(let threshold): return lines(threshold)
        case .correlation(let correlation): return lines(correlation)
        case .group(let group): return lines(group)
        }
    }

    private func named(_ alert: String?) -> String {
        alert.map { " (alert \($0))" } ?? ", untold for `unless` or `active`"
    }

    private func lines(_ threshold: OpenThreshold) -> [String] {
        let measures = measures(threshold.now.measures)
        switch threshold.state {
        case .firing:
            let end = threshold.until.map { "resolves at \(shown($0)) if nothing changes" }
            return ["firing\(named(threshold.alert)): \(measures)"] + [end].compactMap(\.self)
        case .pending:
            let since = threshold.since.map { " since \(shown($0))" } ?? ""
            let end = threshold.until.map { "fires at \(shown($0)) if nothing changes" }
            return ["pending\(since): \(measures)"] + [end].compactMap(\.self)
        case .unknown:
            let since = threshold.since.map { " since \(shown($0))" } ?? ""
            guard threshold.events < threshold.minimumEvents else {
                return ["not enough is known to judge\(since): \(measures)"]
            }
            return [
                "cannot be judged\(since): \(counted(threshold.events, "event")) in the window, "
                    + "at least \(threshold.minimumEvents) are needed"
            ]
        case .inactive:
            return ["inactive: \(measures)"] + threshold.now.failed.prefix(4).map(words)
        }
    }

    private func lines(_ correlation: OpenCorrelation) -> [String] {
        let gathering = correlation.gathering
        let present = gathering.present.map { "\($0.name) at \(shown($0.time))" }
            .joined(separator: ", ")
        let isLasting = gathering.until == .distantFuture
        switch gathering.outcome {
        case .fired:
            return [
                "firing\(named(correlation.alert)): \(present)",
                isLasting
                    ? "lasts as long as the alerts that it is made of"
                    : "resolves at \(shown(gathering.until)) if nothing more comes",
            ]
        case .tooFew:
            return [
                "\(present) -> \(gathering.missing.joined(separator: ", ")) missing"
                    + "   (\(gathering.present.count) of \(gathering.required) members)",
                isLasting ? "still open" : "the last of them leaves at \(shown(gathering.until))",
            ]
        case .wrongOrder, .tooWeak: return lines(Observation.gathering(gathering))
        }
    }

    private func lines(_ group: OpenGroup) -> [String] {
        func words(_ member: Alert.Member) -> String {
            "\(visible(member.name.plainText)) since \(shown(member.onset)): \(visible(member.measure)) "
                + "\(Value.text(of: member.value)), baseline \(Value.text(of: member.baseline)), "
                + "score \(rounded(member.score))"
        }
        var lines: [String] = []
        for cluster in group.clusters {
            lines.append(
                "firing\(named(cluster.alert)): \(counted(cluster.members.count, "member"))")
            lines += cluster.members.prefix(20).map(words)
            lines.append("closes after \(shown(cluster.until)), once none of them stands out")
        }
        if lines.isEmpty || !group.waiting.isEmpty {
            lines.append(
                "\(group.waiting.count) of \(group.needed) members have begun to stand out; "
                    + "\(counted(group.members, "member")) known, \(group.anomalous.count) standing out"
            )
            lines += group.waiting.prefix(20).map(words)
        }
        lines.append("all are judged next at \(shown(group.nextJudgement))")
        return lines
    }
}
