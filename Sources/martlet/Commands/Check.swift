import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

/// `martlet check`: what is wrong with rules, without running them.
let checkCommand = CommandSpec(
    name: "check", summary: "say what is wrong with rule files",
    positionals: "[PATH]...",
    options: [
        OptionSpec(
            "format", choices: ["text", "json", "sarif", "github"],
            "how to print findings (default: text)"),
        OptionSpec(
            "fail-level", choices: ["error", "warning", "note"],
            "exit 1 on findings of this level or above (default: error; errors exit 2)"),
        OptionSpec("stdin", value: "NAME", "read one file from standard input and call it NAME"),
        OptionSpec("bounds", "also print what each rule may keep in memory (N0502)"),
        OptionSpec("timing", "print how long reading and compiling took"),
    ],
    notes: [
        """
        Paths are files or folders; without one, the folder `rules` or else this one. All files are
        compiled together with what they import. A bad file never hides the errors of another.
        `martlet explain E0301` says more about a number.
        """
    ],
    examples: ["martlet check rules/", "martlet check --format sarif rules/ > rules.sarif"]
) { arguments throws(Failure) in
    let console = Console(arguments)
    let started = monotonicSeconds()
    var files: RuleFiles
    if let name = arguments.value("stdin") {
        guard let bytes = readAll(0) else {
            throw Failure(.badRules, "cannot read standard input: \(systemError())")
        }
        files = RuleFiles(paths: arguments.positionals)
        files.add(SourceText(id: SourceID(rawValue: 0), name: name, bytes: bytes))
    } else {
        files = RuleFiles(paths: rulePaths(arguments.positionals))
    }
    let readSeconds = monotonicSeconds() - started
    let set = RuleSet(files: &files, includesTests: true)
    let compilation = set.compilation
    let compileSeconds = monotonicSeconds() - started - readSeconds

    let findings =
        arguments.has("bounds") ? diagnosticsWithBounds(compilation) : compilation.diagnostics
    let format = DiagnosticFormat(rawValue: arguments.value("format") ?? "text") ?? .text
    let text = render(
        findings, sources: compilation.sources, format: format, colour: console.coloursOutput)
    writeAll(1, Array(text.utf8))
    for problem in set.problems { console.warn("martlet: \(problem)") }
    // Of files that are not there nothing good can be said.
    if format == .text, set.problems.isEmpty || !compilation.sources.isEmpty {
        console.note(checkSummary(compilation, findings, unread: set.problems.count))
    }
    if arguments.has("timing") {
        console.warn(
            "read in \(milliseconds(readSeconds)), compiled in \(milliseconds(compileSeconds)): "
                + "\(counted(compilation.ruleCount, "rule")) in "
                + counted(compilation.sources.count, "file"))
    }

    if !set.problems.isEmpty || compilation.hasErrors { return .badRules }
    let failLevel: DiagnosticSeverity =
        switch arguments.value("fail-level") {
        case "warning": .warning
        case "note": .note
        default: .error
        }
    return findings.contains { $0.severity >= failLevel } ? .findings : .fine
}

/// `2 errors, 1 warning in 3 files; 11 of 13 rules are good`, or what a good set holds.
private func checkSummary(
    _ compilation: Compilation, _ findings: [Diagnostic], unread: Int
) -> String {
    let errors = findings.count { $0.severity == .error }
    let warnings = findings.count { $0.severity == .warning }
    let files = counted(compilation.sources.count, "file")
    if errors == 0, warnings == 0 {
        var text = "\(counted(compilation.ruleCount, "rule")) in \(files), "
        text += unread == 0 ? "no problems" : "\(counted(unread, "path")) could not be read"
        if let program = compilation.program {
            let used = program.rules.count { !$0.isMetric }
            if used < compilation.ruleCount {
                text += " (\(compilation.ruleCount - used) switched off)"
            }
            text += "; " + counted(program.eventConditions.count, "condition") + " on single events"
        }
        return text
    }
    let good = compilation.plans.count { !$0.isMetric }
    return "\(counted(errors, "error")), \(counted(warnings, "warning")) in \(files); "
        + "\(grouped(good)) of \(counted(compilation.ruleCount, "rule")) "
        + (compilation.ruleCount == 1 ? "is good" : "are good")
}

/// `12 ms`, `0.4 ms`.
func milliseconds(_ seconds: Double) -> String {
    let tenths = Int((seconds * 10_000).rounded())
    return tenths >= 100 ? "\(tenths / 10) ms" : "\(tenths / 10).\(tenths % 10) ms"
}
