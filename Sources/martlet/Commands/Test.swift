import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// `martlet test`: the `test` blocks, in virtual time.
let testCommand = CommandSpec(
    name: "test", summary: "run the test blocks of rule files",
    positionals: "[PATH]...",
    options: [
        OptionSpec("filter", value: "TEXT", "run only tests whose title or rule holds this text"),
        OptionSpec(
            "format", choices: ["text", "json", "junit"], "how to print results (default: text)"),
        OptionSpec(
            "coverage", value: "MIN", isValueOptional: true,
            "name the steps, outcomes of conditions and clauses that no test brings about; exit 1 below MIN percent"
        ),
        OptionSpec(
            "mutate", value: "MIN", isValueOptional: true,
            "put one small mistake at a time into each rule and name those that no test notices; exit 1 if fewer than MIN percent are noticed"
        ),
        OptionSpec("watch", "run again whenever a rule file or a list changes, until Ctrl-C"),
        OptionSpec("shuffle", "run the tests in a random order"),
        OptionSpec("seed", value: "N", "with --shuffle: the order to repeat (default: a new one)"),
    ],
    notes: [
        """
        Paths are files or folders; without one, the folder `rules` or else this one. Time is virtual:
        a test of a week takes a millisecond. A test ends at the latest time that it names.
        """
    ],
    examples: [
        "martlet test rules/", "martlet test --filter brute rules/ssh --watch",
        "martlet test rules --mutate=90 --coverage=80",
        "martlet test rules --format junit > tests.xml",
    ]
) { arguments throws(Failure) in
    let console = Console(arguments)
    if arguments.has("seed"), !arguments.has("shuffle") {
        throw Failure(.badUsage, "`--seed` goes with `--shuffle`")
    }
    guard arguments.has("watch") else { return try runTests(arguments, console) }
    StopRequest.listen()
    while !StopRequest.isPending {
        let before = rulesState(arguments.positionals)
        do throws(Failure) {
            _ = try runTests(arguments, console)
        } catch {
            console.warn("martlet: \(error.message)")
        }
        console.note("watching; Ctrl-C ends")
        while !StopRequest.isPending, rulesState(arguments.positionals) == before {
            usleep(200_000)
        }
    }
    return StopRequest.exitCode ?? .fine
}

/// What would be another if a rule file, a list beside one, or a folder had changed.
private func rulesState(_ positionals: [String]) -> [String] {
    let set = RuleSet(paths: rulePaths(positionals))
    let lists = set.compilation.tables.lists.compactMap { list in
        list.path.map { resolvedPath($0, relativeTo: list.declaredIn) }
    }
    return (set.compilation.sources.map(\.name) + lists).map { name in
        var information = stat()
        guard stat(name, &information) == 0 else { return "\(name) is not there" }
        return "\(name) \(information.st_mtim.tv_sec) \(information.st_mtim.tv_nsec) "
            + "\(information.st_size) \(information.st_ino)"
    }
}

private func runTests(
    _ arguments: ParsedArguments, _ console: Console
) throws(Failure) -> ExitCode {
    let started = monotonicSeconds()
    let set = RuleSet(paths: rulePaths(arguments.positionals), includesTests: true)
    _ = try set.runnable(console)
    let compilation = set.compilation
    let lists = try loadLists(compilation.tables.lists)
    let filter = arguments.value("filter") ?? ""
    var tests = compilation.tests.filter { test in
        filter.isEmpty || test.title.contains(filter)
            || compilation.plans[test.rule.rawValue].name.contains(filter)
    }
    guard !tests.isEmpty else {
        throw Failure(
            .badUsage,
            filter.isEmpty
                ? "these rules have no test" : "no test has `\(filter)` in its title or rule")
    }
    var order = ""
    if arguments.has("shuffle") {
        let seed =
            try arguments.integer("seed", minimum: 0)
            ?? Int(wallTime().nanoseconds / 1000 % 1_000_000)
        var random = Shuffle(state: UInt64(seed))
        tests.shuffle(using: &random)
        order = " · order of --seed \(seed)"
    }
    let covers = arguments.has("coverage")
    let results = tests.map { runTest($0, of: compilation, lists: lists, covers: covers) }
    let report = TestReport(results: results, compilation: compilation)
    let format = arguments.value("format") ?? "text"
    switch format {
    case "json": console.print(report.json)
    case "junit": console.print(report.junit)
    default: console.print(report.text)
    }
    let failed = results.count { !$0.failures.isEmpty }
    let skipped = results.count(where: \.wasSkipped)
    var summary = "\(results.count - failed - skipped) passed, \(failed) failed"
    if skipped > 0 { summary += ", \(skipped) not run (their rules are switched off)" }
    let untested = Set(compilation.plans.filter { !$0.isMetric }.map(\.id)).subtracting(
        compilation.tests.map(\.rule)
    ).count
    if filter.isEmpty, untested > 0 { summary += " · \(counted(untested, "rule")) without a test" }
    console.note(summary + order + " · " + milliseconds(monotonicSeconds() - started))
    var isEnough = failed == 0
    if covers {
        let sights = Dictionary(grouping: results, by: \.test.rule).mapValues {
            $0.compactMap(\.sight)
        }
        let coverage = CoverageReport(sights, of: compilation)
        switch format {
        case "json": console.print(coverage.json.line)
        case "junit": break
        default: if !coverage.text.isEmpty { console.print(coverage.text) }
        }
        console.note(coverage.summary)
        if coverage.percent < (try minimum(arguments, "coverage")) { isEnough = false }
    }
    if arguments.has("mutate"), failed == 0 {
        let begun = monotonicSeconds()
        let mutation = MutationReport(
            zip(tests, results).filter { !$0.1.wasSkipped }.map(\.0), of: compilation, lists: lists)
        switch format {
        case "json": console.print(mutation.json.line)
        case "junit": break
        default: if !mutation.text.isEmpty { console.print(mutation.text) }
        }
        console.note("\(mutation.summary) · \(milliseconds(monotonicSeconds() - begun))")
        if mutation.percent < (try minimum(arguments, "mutate")) { isEnough = false }
    }
    return isEnough ? .fine : .findings
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

/// The same order for the same seed, on every machine (SplitMix64).
private struct Shuffle: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
