import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

/// `martlet explain`: a rule in words, why it did not fire, the evidence of an alert, or the long
/// form of a diagnostic.
let explainCommand = CommandSpec(
    name: "explain",
    summary: "say what a rule does, why it did not fire, or what a message means",
    positionals: "RULE|ALERT-ID|NUMBER|functions",
    options: [
        OptionSpec(
            "rules", value: "PATH", "where the rule is; may be given several times (default: rules)"
        ),
        OptionSpec("plan", "with a rule: print the plan as the compiler sees it"),
        OptionSpec(
            "passes", "with a rule: print the plan as written, and after each pass that changed it"),
        OptionSpec(
            "events", value: "FILE",
            "with a rule: say what it made of these events, and why it did not fire; may be given several times"
        ),
        OptionSpec(
            "engine",
            "with a rule: ask a running engine what it has open, how far it came, and until when"),
        OptionSpec(
            "key", value: "KEY",
            "with --events or --engine: one key, for example u-99 or user=u-99,host=web1"),
        OptionSpec(
            "since", value: "T",
            "with --events: what began at this time, or this long before the end"),
        OptionSpec(
            "at", value: "T", "with --events: the view at this time; later events do not count"),
        OptionSpec("all", "with --events or --engine: show everything, not the nearest twenty"),
        OptionSpec(
            "alerts", value: "FILE",
            "with ALERT-ID: the file that `run --to` or `replay --to` wrote"),
        OptionSpec(
            "format", choices: ["text", "json"],
            "with --events or --engine: how to print (default: text)"),
    ] + clientOptions
        + inputOptions.filter {
            ["type", "type-field", "time-field", "lateness"].contains($0.name)
        },
    notes: [
        """
        With --events each attempt is told: which steps it filled, what was missing, the nearest
        event that could have gone on and why it did not, with both values of the comparison. Without
        --key the keys that came nearest to an alert are told first. An id may be shortened.

        With --engine the engine that `--data` or `--control` names, or the only one that runs, tells
        what is open in it now. It keeps no history: how earlier attempts ended, only --events tells.
        """
    ],
    examples: [
        "martlet explain ssh_guessed_then_in --rules rules/ssh", "martlet explain E0207",
        "martlet explain functions",
        "martlet explain ssh_brute_force --events auth.ndjson --key 198.51.100.7",
        "martlet explain ssh_brute_force --engine --key 198.51.100.7",
        "martlet explain 3f9c2a --alerts alerts.ndjson",
    ]
) { arguments throws(Failure) in
    let console = Console(arguments)
    guard let subject = arguments.positionals.first else {
        throw Failure(
            .badUsage, "`explain` needs the name of a rule or the number of a message",
            help: "for example `martlet explain E0207`")
    }
    if subject == "functions" {
        console.print(functionPage())
        return .fine
    }
    if isDiagnosticNumber(subject) {
        let number = subject.uppercased()
        guard let code = DiagnosticCode.all.first(where: { $0.number == number }) else {
            let near = suggest(number, among: DiagnosticCode.all.map(\.number))
            throw Failure(
                .badUsage, "there is no message `\(number)`",
                help: near.map { "there is a message with a similar number: `\($0)`" })
        }
        console.print(page(code))
        return .fine
    }
    if arguments.has("alerts") {
        return try explainAlert(subject, arguments.values("alerts"), console)
    }
    if arguments.has("engine") {
        if arguments.has("events") {
            throw Failure(.badUsage, "`--engine` and `--events` exclude each other")
        }
        return try explainEngine(subject, arguments)
    }
    for flag in ["control", "data"] where arguments.has(flag) {
        throw Failure(.badUsage, "`--\(flag)` goes with `--engine`")
    }
    let (compilation, plan) = try findRule(subject, arguments, console)
    if arguments.has("events") {
        return try explainEvents(plan, of: compilation, arguments, console)
    }
    for flag in ["key", "since", "at", "all"] where arguments.has(flag) {
        throw Failure(.badUsage, "`--\(flag)` goes with `--events FILE` or `--engine`")
    }
    let text: String
    if arguments.has("passes") {
        text = explainPasses(plan, in: compilation)
    } else if arguments.has("plan") {
        text = plan.description(tables: compilation.tables)
    } else {
        text = explain(plan, tables: compilation.tables, program: compilation.program)
    }
    writeAll(1, Array(text.utf8))
    return .fine
}

/// `martlet graph`: the machine of a rule as a drawing.
let graphCommand = CommandSpec(
    name: "graph", summary: "draw the state machine of a rule",
    positionals: "RULE",
    options: [
        OptionSpec(
            "rules", value: "PATH", "where the rule is; may be given several times (default: rules)"
        ),
        OptionSpec(
            "format", choices: ["dot", "mermaid"], "the language of the drawing (default: dot)"),
    ],
    examples: ["martlet graph ssh_bruteforce_success --rules rules/ssh | dot -Tsvg > rule.svg"]
) { arguments throws(Failure) in
    let console = Console(arguments)
    guard let name = arguments.positionals.first else {
        throw Failure(.badUsage, "`graph` needs the name of a rule")
    }
    let (compilation, plan) = try findRule(name, arguments, console)
    let format = GraphFormat(rawValue: arguments.value("format") ?? "dot") ?? .dot
    writeAll(1, Array(graph(plan, tables: compilation.tables, format: format).utf8))
    return .fine
}

private func isDiagnosticNumber(_ text: String) -> Bool {
    guard text.utf8.count == 5, let first = text.uppercased().first, "EWN".contains(first) else {
        return false
    }
    return text.dropFirst().allSatisfy { $0.isASCII && $0.isNumber }
}

/// Reads the rules and finds one by name. Errors in other rules do not keep a good one from being
/// explained.
private func findRule(
    _ name: String, _ arguments: ParsedArguments, _ console: Console
) throws(Failure) -> (Compilation, RulePlan) {
    var paths = arguments.values("rules")
    if paths.isEmpty { paths = rulePaths([]) }
    let set = RuleSet(paths: paths)
    for problem in set.problems { console.warn("martlet: \(problem)") }
    if let plan = set.compilation.plans.first(where: { $0.name == name }) {
        return (set.compilation, plan)
    }
    if set.compilation.hasErrors {
        let errors = set.compilation.diagnostics.filter { $0.severity == .error }
        console.warn(errors, of: set.compilation.sources)
    }
    let near = suggest(name, among: set.compilation.plans.map(\.name))
    throw Failure(
        .badRules,
        "there is no good rule `\(name)` in \(paths.map { "`\($0)`" }.joined(separator: ", "))",
        help: near.map { "there is a rule with a similar name: `\($0)`" })
}

private func page(_ code: DiagnosticCode) -> String {
    var text = "\(code.number) \(code.slug)\n\n\(code.explanation)\n"
    if !code.wrong.isEmpty { text += "\nWrong:\n\n\(indented(code.wrong))\n" }
    if !code.right.isEmpty { text += "\nRight:\n\n\(indented(code.right))\n" }
    return text
}

private func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.isEmpty ? "" : "    \($0)" }.joined(separator: "\n")
}

/// The functions and aggregates of the language, with examples.
private func functionPage() -> String {
    var text = "Functions\n"
    for builtin in Builtin.all
    where !AggregateBuiltin.all.contains(where: { $0.name == builtin.name }) {
        text +=
            "\n  \(builtin.signature)\n      \(builtin.documentation)\n      \(builtin.example)\n"
    }
    text += "\nAggregates, over a window, the events of a repeated step, or a list\n"
    for aggregate in AggregateBuiltin.all {
        text +=
            "\n  \(aggregate.signature)\n      \(aggregate.documentation)\n      \(aggregate.example)\n"
    }
    text += "\nScores, in the `anomalous when` of an anomaly cluster\n"
    for score in ScoreBuiltin.all {
        text += "\n  \(score.signature)\n      \(score.documentation)\n      \(score.example)\n"
    }
    return text
}
