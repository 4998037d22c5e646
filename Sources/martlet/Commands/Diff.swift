import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

/// `martlet diff`: which alerts a change of rules gains, loses and moves on recorded events.
let diffCommand = CommandSpec(
    name: "diff", summary: "say which alerts a change of rules gains, loses and moves",
    positionals: "OLD NEW --on FILE",
    options: [
        OptionSpec("on", value: "FILE", "recorded events; may be given several times"),
        OptionSpec("rule", value: "NAME", "only this rule; may be given several times"),
        OptionSpec("examples", value: "N", "how many alerts of each kind to show (default: 3)"),
        OptionSpec(
            "format", choices: ["text", "json", "github"],
            "how to print it (default: text); `github` makes notes on the lines of a pull request"),
        OptionSpec(
            "judged", value: "DIR",
            "the data folder with people's judgements: tell how many judged alerts are wrong, before and after"
        ),
        OptionSpec("threads", value: "N", "how many engines share the keys (default: 1)"),
    ] + inputOptions.filter { ["type", "type-field", "time-field", "lateness"].contains($0.name) },
    notes: [
        """
        OLD and NEW are files or folders. Both run over the same events. An alert is the same when
        its id is: rule, key and time of the match. One that tells of the same evidence at another
        time has moved. The same alert with another severity, message or end has changed.
        Several files are merged by event time.

        With `--judged DIR` each rule that differs tells how many of its alerts that were judged
        (`martlet alerts judge`) are wrong, before and after. An alert that has moved keeps what was
        judged of it.

        Exit 1 if any alert differs.
        """
    ],
    examples: [
        "martlet diff rules.before rules --on week.ndjson.gz",
        "git worktree add /tmp/main main && martlet diff /tmp/main/rules rules --on week.ndjson.gz",
    ]
) { arguments throws(Failure) in
    let console = Console(arguments)
    guard arguments.positionals.count == 2 else {
        throw Failure(
            .badUsage, "`diff` needs two sets of rules, and got \(arguments.positionals.count)",
            help: "write `martlet diff OLD NEW --on FILE`")
    }
    let files = arguments.values("on")
    guard !files.isEmpty else {
        throw Failure(
            .badUsage, "`diff` needs recorded events",
            help: "write `martlet diff OLD NEW --on FILE`")
    }
    guard !files.contains("-") else {
        throw Failure(
            .badUsage, "`diff` reads its events twice, and standard input can be read once")
    }
    let sets = arguments.positionals.map { RuleSet(paths: [$0]) }
    for set in sets { _ = try set.runnable(console) }
    let names = arguments.values("rule")
    for name in names
    where !sets.contains(where: { $0.compilation.plans.contains { $0.name == name } }) {
        throw Failure(.badUsage, "there is no rule `\(name)` in either set")
    }
    var rules: [RunnableRules?] = []
    for (path, set) in zip(arguments.positionals, sets) {
        let own = names.filter { name in
            set.compilation.program?.rules.contains { $0.name == name } ?? false
        }
        // A set that has none of the rules asked for has no alerts of them.
        if own.isEmpty, !names.isEmpty {
            rules.append(nil)
            continue
        }
        rules.append(
            try RuleSelection(paths: [path], wanted: own, keepsMetrics: false).rules(of: set))
    }
    var runs: [RecordedRun] = []
    for (index, rules) in rules.enumerated() {
        runs.append(
            try rules.map { rules throws(Failure) in
                try RecordedRun(rules, files: files, arguments, console, tellsFaults: index == 1)
            } ?? RecordedRun())
    }
    for index in runs.indices where !names.isEmpty {
        // Rules that these read run too.
        runs[index].alerts.removeAll { !names.contains($0.rule) }
    }
    let judgements = try arguments.value("judged").map { path throws(Failure) in
        try orFail { try Judgements(in: try DataFolder.reading(path: path)) }
    }
    let page = DiffPage(
        old: sets[0].compilation, new: sets[1].compilation, runs: runs, judgements: judgements,
        examples: try arguments.integer("examples", minimum: 0) ?? 3, names: names)
    switch arguments.value("format") {
    case "json": console.print(page.json.line)
    case "github": writeAll(1, Array(page.github.utf8))
    default: console.print(page.text)
    }
    return page.diffs.isEmpty ? .fine : .findings
}

/// What `diff` prints.
struct DiffPage {
    let old: Compilation
    let new: Compilation
    let runs: [RecordedRun]
    /// Nil: nobody asks what was judged.
    let judgements: Judgements?
    let examples: Int
    let diffs: [String: AlertDiff]
    /// In order of the new set, then those that are gone.
    private let rules: [String]
    /// Lines of the plans that differ, by name of the rule.
    private let changes: [String: [String]]

    init(
        old: Compilation, new: Compilation, runs: [RecordedRun], judgements: Judgements?,
        examples: Int, names: [String]
    ) {
        self.old = old
        self.new = new
        self.runs = runs
        self.judgements = judgements
        self.examples = examples
        diffs = AlertDiff.byRule(runs[0], runs[1])
        var rules = new.plans.map(\.name)
        rules += old.plans.map(\.name).filter { !rules.contains($0) }
        if !names.isEmpty { rules.removeAll { !names.contains($0) } }
        self.rules = rules
        var changes: [String: [String]] = [:]
        for name in rules {
            let before = old.plans.first { $0.name == name }
            let after = new.plans.first { $0.name == name }
            switch (before, after) {
            case (nil, _?): changes[name] = ["new rule"]
            case (_?, nil): changes[name] = ["the rule is gone"]
            case (let before?, let after?):
                if before.metadata.isEnabled != after.metadata.isEnabled {
                    changes[name] = [after.metadata.isEnabled ? "switched on" : "switched off"]
                    continue
                }
                let lines = changedLines(
                    old: before.description(tables: old.tables),
                    new: after.description(tables: new.tables))
                if !lines.isEmpty { changes[name] = lines }
            case (nil, nil): break
            }
        }
        self.changes = changes
    }

    private func heading(_ name: String, _ diff: AlertDiff) -> String {
        var parts = ["+\(diff.gained.count)", "-\(diff.lost.count)"]
        if !diff.moved.isEmpty { parts.append("\(diff.moved.count) moved") }
        if !diff.changed.isEmpty { parts.append("\(diff.changed.count) changed") }
        var heading =
            "\(name)   \(parts.joined(separator: "  "))   (\(diff.oldCount) -> \(diff.newCount) alerts)"
        if let (before, after) = judged(name, diff) {
            heading +=
                before.judged + after.judged == 0 ? "   none judged" : "   \(before) -> \(after)"
        }
        return heading
    }

    /// How many alerts of a rule were judged, and how many of those were wrong.
    private struct Verdicts: CustomStringConvertible {
        var wrong = 0
        var judged = 0

        var description: String { "\(wrong) wrong of \(judged) judged" }

        var json: JSONDocument {
            .object([("judged", .number(judged)), ("wrong", .number(wrong))])
        }
    }

    /// With the old rules and with the new ones; nil when nobody asks.
    private func judged(_ name: String, _ diff: AlertDiff) -> (Verdicts, Verdicts)? {
        guard let judgements else { return nil }
        let movedFrom = Dictionary(
            diff.moved.map { ($0.new.id, $0.old.id) }, uniquingKeysWith: { first, _ in first })
        func verdicts(_ run: RecordedRun) -> Verdicts {
            var verdicts = Verdicts()
            for id in Set(run.alerts.lazy.filter { $0.rule == name }.map(\.id)) {
                guard let judgement = judgements[id] ?? movedFrom[id].flatMap({ judgements[$0] })
                else { continue }
                verdicts.judged += 1
                if !judgement.isRight { verdicts.wrong += 1 }
            }
            return verdicts
        }
        return (verdicts(runs[0]), verdicts(runs[1]))
    }

    var text: String {
        var lines: [String] = []
        for name in rules {
            guard let diff = diffs[name] else { continue }
            lines.append(heading(name, diff))
            lines += reasons(name).map { "    \($0)" }
            lines += shown(diff.gained) { "  + \(told($0))" }
            lines += shown(diff.lost) { "  - \(told($0))" }
            lines += shown(diff.moved) { "  ~ \($0.old.matchedAt) -> \(told($0.new))" }
            lines += shown(diff.changed) {
                "  ~ \(told($0.new))   (\($0.parts.joined(separator: ", ")) differs)"
            }
        }
        let silent = rules.filter { diffs[$0] == nil && changes[$0] != nil }
        if !silent.isEmpty {
            lines.append(
                "changed without a difference in alerts here: \(silent.joined(separator: ", "))")
        }
        lines.append(
            "\(diffs.count) of \(counted(rules.count, "rule")) differ · "
                + "\(counted(runs[1].summary.input.events, "event")) evaluated twice in "
                + shortSeconds(runs[0].seconds + runs[1].seconds))
        let faults = runs[1].summary.input.summary
        if !faults.isEmpty { lines.append(faults) }
        return lines.joined(separator: "\n")
    }

    /// The lines of the plan that are others now, or why else the alerts differ.
    private func reasons(_ name: String) -> [String] {
        let lines =
            changes[name] ?? ["the rule is as it was: a list, or a rule that it reads, is not"]
        return lines.count > 6 ? lines.prefix(6) + ["and \(lines.count - 6) more lines"] : lines
    }

    private func shown<Item>(_ items: [Item], _ line: (Item) -> String) -> [String] {
        var lines = items.prefix(examples).map(line)
        if items.count > examples, examples > 0 {
            lines.append("    and \(items.count - examples) more")
        }
        return lines
    }

    private func told(_ alert: Alert) -> String {
        let key = alert.key.map { "\($0.name)=\(visible($0.value.plainText))" }
        return ([alert.matchedAt.description] + key + ["", visible(alert.message)])
            .joined(separator: " ")
    }

    var github: String {
        var text = ""
        for name in rules {
            guard let diff = diffs[name] else { continue }
            var place = ""
            let compilation = new.plans.contains { $0.name == name } ? new : old
            if let plan = compilation.plans.first(where: { $0.name == name }) {
                let range = compilation.origins[plan.origin.rawValue]
                let source = compilation.sources[Int(range.source.rawValue)]
                place =
                    " file=\(escaped(source.name, inProperty: true)),line=\(source.position(at: range.start).line),"
            } else {
                place = " "
            }
            var lines = reasons(name)
            lines += shown(diff.gained) { "+ \(told($0))" }
            lines += shown(diff.lost) { "- \(told($0))" }
            lines += shown(diff.moved) { "~ \($0.old.matchedAt) -> \(told($0.new))" }
            lines += shown(diff.changed) {
                "~ \(told($0.new)) (\($0.parts.joined(separator: ", ")))"
            }
            text +=
                "::warning\(place)title=\(escaped(heading(name, diff), inProperty: true))::"
                + escaped(lines.joined(separator: "\n"), inProperty: false) + "\n"
        }
        return text
    }

    private func escaped(_ text: String, inProperty: Bool) -> String {
        var text = text.replacing("%", with: "%25").replacing("\r", with: "%0D")
            .replacing("\n", with: "%0A")
        if inProperty { text = text.replacing(":", with: "%3A").replacing(",", with: "%2C") }
        return text
    }

    var json: JSONDocument {
        let entries = rules.compactMap { name -> JSONDocument? in
            guard let diff = diffs[name] else { return nil }
            let verdicts = judged(name, diff).map { before, after in
                [("judged", JSONDocument.object([("old", before.json), ("new", after.json)]))]
            }
            return .object(
                [
                    ("rule", .text(name)), ("old", .number(diff.oldCount)),
                    ("new", .number(diff.newCount)),
                ] + (verdicts ?? []) + [
                    ("changes", .array(reasons(name).map { .text($0) })),
                    ("gained", .array(diff.gained.map(record))),
                    ("lost", .array(diff.lost.map(record))),
                    (
                        "moved",
                        .array(
                            diff.moved.map {
                                .object([("from", record($0.old)), ("to", record($0.new))])
                            })
                    ),
                    (
                        "changed",
                        .array(
                            diff.changed.map {
                                .object([
                                    ("from", record($0.old)), ("to", record($0.new)),
                                    ("parts", .array($0.parts.map { .text($0) })),
                                ])
                            })
                    ),
                ])
        }
        return .object([
            ("schema", 1), ("events", .number(runs[1].summary.input.events)),
            ("rules", .array(entries)),
        ])
    }

    private func record(_ alert: Alert) -> JSONDocument {
        .object([
            ("id", .text(alert.id)), ("matched_at", .text(alert.matchedAt.description)),
            ("key", .object(alert.key.map { ($0.name, .text($0.value.plainText)) })),
            ("severity", .text(alert.severity.rawValue)), ("message", .text(alert.message)),
        ])
    }
}
