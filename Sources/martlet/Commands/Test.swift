import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

/// `martlet test`: the `test` blocks, in virtual time.
let testCommand = CommandSpec(
    name: "test", summary: "run the test blocks of rule files",
    positionals: "[PATH]...",
    options: [
        OptionSpec("filter", value: "TEXT", "run only tests whose title or rule holds this text"),
        OptionSpec("format", choices: ["text", "json"], "how to print results (default: text)"),
        OptionSpec(
            "mutate", value: "MIN", isValueOptional: true,
            "put one small mistake at a time into each rule and name those that no test notices; exit 1 if fewer than MIN percent are noticed"
        ),
    ],
    notes: [
        """
        Paths are files or folders; without one, the folder `rules` or else this one. Time is virtual:
        a test of a week takes a millisecond. A test ends at the latest time that it names.
        """
    ],
    examples: ["martlet test rules/", "martlet test --filter brute rules/ssh"]
) { arguments throws(Failure) in
    let console = Console(arguments)
    let started = monotonicSeconds()
    let set = RuleSet(paths: rulePaths(arguments.positionals), includesTests: true)
    _ = try set.runnable(console)
    let compilation = set.compilation
    let lists = try loadLists(compilation.tables.lists)
    let filter = arguments.value("filter") ?? ""
    let tests = compilation.tests.filter { test in
        filter.isEmpty || test.title.contains(filter)
            || compilation.plans[test.rule.rawValue].name.contains(filter)
    }
    guard !tests.isEmpty else {
        throw Failure(
            .badUsage,
            filter.isEmpty
                ? "these rules have no test" : "no test has `\(filter)` in its title or rule")
    }
    let results = tests.map { runTest($0, of: compilation, lists: lists) }
    if arguments.value("format") == "json" {
        for result in results { console.print(jsonLine(result, compilation)) }
    } else {
        printResults(results, compilation, console)
    }
    let failed = results.count { !$0.failures.isEmpty }
    let skipped = results.count(where: \.wasSkipped)
    var summary = "\(results.count - failed - skipped) passed, \(failed) failed"
    if skipped > 0 { summary += ", \(skipped) not run (their rules are switched off)" }
    let untested = Set(compilation.plans.filter { !$0.isMetric }.map(\.id)).subtracting(
        compilation.tests.map(\.rule)
    ).count
    if filter.isEmpty, untested > 0 { summary += " · \(counted(untested, "rule")) without a test" }
    console.note(summary + " · " + milliseconds(monotonicSeconds() - started))
    guard failed == 0 else { return .findings }
    if arguments.has("mutate") {
        let least = try minimum(arguments, "mutate")
        let begun = monotonicSeconds()
        let report = MutationReport(
            zip(tests, results).filter { !$0.1.wasSkipped }.map(\.0), of: compilation, lists: lists)
        if arguments.value("format") == "json" {
            console.print(report.json.line)
        } else if !report.text.isEmpty {
            console.print(report.text)
        }
        console.note("\(report.summary) · \(milliseconds(monotonicSeconds() - begun))")
        if report.percent < least { return .findings }
    }
    return .fine
}

/// The percentage behind `--mutate=` or `--coverage=`; 0 without one.
private func minimum(_ arguments: ParsedArguments, _ name: String) throws(Failure) -> Double {
    guard let text = arguments.value(name), !text.isEmpty else { return 0 }
    let number = text.hasSuffix("%") ? String(text.dropLast()) : text
    guard let percent = Double(number), (0...100).contains(percent) else {
        throw Failure(
            .badUsage, "`--\(name)` needs a percentage of at most 100, and got `\(text)`",
            help: "write for example `--\(name)=90`")
    }
    return percent
}

private func printResults(_ results: [TestResult], _ compilation: Compilation, _ console: Console) {
    var file = ""
    for result in results {
        let source = compilation.sources[Int(result.test.range.source.rawValue)]
        if source.name != file {
            file = source.name
            console.print(file)
        }
        let cost =
            "\(counted(result.events, "event")), \(result.span) of event time, \(milliseconds(result.seconds))"
        let title = result.test.title
        let gap = String(repeating: " ", count: max(2, 60 - title.count))
        if result.wasSkipped {
            console.print("  skip  \(title)\(gap)its rule is switched off")
        } else if result.failures.isEmpty {
            console.print("  ok    \(title)\(gap)\(cost)")
        } else {
            let line = source.position(at: result.failures[0].range.start).line
            console.print("  FAIL  \(title)\(gap)\(source.name):\(line)")
            for failure in result.failures {
                console.print("          expected: \(failure.expected)")
                for (index, got) in failure.got.enumerated() {
                    console.print(
                        (index == 0 ? "          got:      " : "                    ") + got)
                }
                if failure.got.isEmpty { console.print("          got:      no alert at all") }
                for (index, reason) in failure.because.enumerated() {
                    console.print(
                        (index == 0 ? "          because:  " : "                    ") + reason)
                }
            }
        }
    }
}

private func jsonLine(_ result: TestResult, _ compilation: Compilation) -> String {
    let source = compilation.sources[Int(result.test.range.source.rawValue)]
    let outcome = result.wasSkipped ? "skipped" : result.failures.isEmpty ? "passed" : "failed"
    let failures = result.failures.map { failure in
        "{\"line\":\(source.position(at: failure.range.start).line),"
            + "\"expected\":\(jsonText(failure.expected)),"
            + "\"got\":[\(failure.got.map(jsonText).joined(separator: ","))],"
            + "\"because\":[\(failure.because.map(jsonText).joined(separator: ","))]}"
    }
    return "{\"file\":\(jsonText(source.name)),\"test\":\(jsonText(result.test.title)),"
        + "\"rule\":\(jsonText(compilation.plans[result.test.rule.rawValue].name)),"
        + "\"outcome\":\"\(outcome)\",\"events\":\(result.events),"
        + "\"failures\":[\(failures.joined(separator: ","))]}"
}
