import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// `martlet run`: events as they come.
let runCommand = CommandSpec(
    name: "run", summary: "run rules over events as they come, and print alerts",
    positionals: "[FILE]... --rules PATH",
    options: ruleOptions + inputOptions + [
        OptionSpec("follow", "watch the files for more lines, also over rotation"),
        OptionSpec("demo", "play the built-in shop, with an attack every minute"),
        OptionSpec("seed", value: "N", "with --demo: the seed of the shop (default: 1)"),
        OptionSpec("speed", value: "N", "with --demo: how much faster than the clock (default: 1)"),
        OptionSpec(
            "for", value: "D",
            "with --demo: how much of the shop's time to play (default: until Ctrl-C)"),
        OptionSpec(
            "data", value: "DIR",
            "keep state and undelivered alerts here, so that a crash loses nothing (default: the engine block's `data`)"
        ),
    ] + outputOptions + controlOptions,
    notes: [
        """
        Alerts go to the sinks that their rules name; those of other rules to `--to FILE`, or to
        standard output. With `--data DIR` an engine that was killed goes on where it was: no alert is
        lost, and what may come twice carries the same id and `redelivery`. `--to FILE` gets every alert.
        """,
        """
        Without FILE the events come from the `source` blocks of the rules, or else from standard
        input. Ctrl-C or SIGTERM ends with a summary.
        """,
        """
        Rule files are read again when they change, on SIGHUP, and by `martlet reload`. Rules that do
        not compile change nothing. List files are read again by themselves.
        """,
        inputNote,
    ],
    examples: [
        "martlet run --demo",
        "tail -F app.ndjson | martlet run --rules rules/web --type http.request",
        "martlet run --follow /var/log/app.ndjson --rules rules --to alerts.ndjson",
    ]
) { arguments throws(Failure) in
    if arguments.has("demo") { return try runDemo(arguments) }
    for flag in ["seed", "speed", "for"] where arguments.has(flag) {
        throw Failure(.badUsage, "`--\(flag)` goes with `--demo`")
    }
    var session = try RunSession(arguments, tellsEmission: true)
    let inputs = try liveInputs(arguments, session)
    let (store, guarantees) = try openStore(
        arguments, session.rules.compilation, session.console, inputs: inputs, showsAlways: false)
    return try session.run(
        inputs, mode: .live, sizeInBytes: nil, store: store, guarantees: guarantees)
}

private func liveInputs(
    _ arguments: ParsedArguments, _ session: RunSession
) throws(Failure) -> [PipelineInput] {
    let options = try inputSettings(arguments)
    let lateness = try duration(arguments, "lateness") ?? .zero
    let correction = try duration(arguments, "correction") ?? .zero
    if !arguments.positionals.isEmpty {
        if arguments.has("follow") {
            return arguments.positionals.map { path in
                PipelineInput(
                    name: path, source: makeSource(.follow([path]), options: options),
                    options: options, lateness: lateness, correction: correction)
            }
        }
        return [
            PipelineInput(
                name: "files", source: makeSource(.files(arguments.positionals), options: options),
                options: options, lateness: lateness, correction: correction)
        ]
    }
    if arguments.has("follow") { throw Failure(.badUsage, "`--follow` needs the name of a file") }
    var inputs: [PipelineInput] = []
    for source in session.deployment.sources {
        inputs.append(try declaredInput(source, idsMax: session.deployment.engine.idsPerSource))
    }
    if !inputs.isEmpty { return inputs }
    if isatty(0) == 1 {
        session.console.note(
            "reading events from standard input, one JSON object a line; Ctrl-D ends")
    }
    return [
        PipelineInput(
            name: "standard input", source: makeSource(.standardInput, options: options),
            options: options, lateness: lateness, correction: correction)
    ]
}

/// A `source` block as an input.
///
/// - Parameter idsMax: How many ids `dedup` remembers; nil: as many as usual.
func declaredInput(_ plan: SourcePlan, idsMax: Int? = nil) throws(Failure) -> PipelineInput {
    var options = InputOptions()
    if let timeField = plan.timeField { options.timeField = timeField }
    switch plan.type {
    case .field(let field): options.typeField = field
    case .constant(let name): options.typeName = name
    case nil: break
    }
    guard plan.decoder == "json" else {
        throw Failure(
            .badUsage,
            "source `\(plan.name)`: this version decodes `json`, and not `\(plan.decoder)`")
    }
    let selection: InputSelection
    switch plan.connector?.kind {
    case "stdin": selection = .standardInput
    case "file":
        guard let file = plan.connector?.text("path") else {
            throw Failure(.badUsage, "source `\(plan.name)` names no `path`")
        }
        let resolved = resolvedPath(file, relativeTo: plan.declaredIn)
        selection = plan.connector?.has("follow") == true ? .follow([resolved]) : .files([resolved])
    case let kind:
        throw Failure(
            .badUsage,
            "source `\(plan.name)`: this version reads `file` and `stdin`, and not `\(kind ?? "nothing")`"
        )
    }
    var input = PipelineInput(
        name: plan.name, source: makeSource(selection, options: options), options: options,
        lateness: plan.lateness, idleAfter: plan.idleAfter, isEarly: plan.isEarly,
        correction: plan.correction)
    input.deduplication = plan.deduplication.map { Deduplication(field: $0.field, span: $0.span) }
    if let idsMax { input.deduplication?.idsMax = idsMax }
    return input
}

private func runDemo(_ arguments: ParsedArguments) throws(Failure) -> ExitCode {
    guard arguments.positionals.isEmpty else {
        throw Failure(.badUsage, "`--demo` brings its own events and takes no files")
    }
    let seed = try arguments.integer("seed", minimum: 0) ?? 1
    let speed = try arguments.integer("speed", minimum: 1) ?? 1
    let span = try duration(arguments, "for")
    // Looked for only where they are needed: an installed program may have them elsewhere.
    let defaultRules = arguments.has("rules") ? nil : try shopRules()
    var session = try RunSession(arguments, tellsEmission: true, defaultRules: defaultRules)
    let start = wallTime()
    let begun = monotonicSeconds()
    let shop = ShopSource(
        seed: UInt64(seed), start: start, end: span.map { start + $0 },
        now: {
            let elapsed = (monotonicSeconds() - begun) * Double(speed)
            return start + TimeSpan(nanoseconds: Int64(elapsed * 1e9))
        },
        sleep: { milliseconds in usleep(UInt32(max(1, milliseconds / speed)) * 1000) })
    session.console.note(
        """
        martlet \(versionNumber): the built-in shop, \(counted(session.rules.program.rules.count, "rule")), \
        seed \(seed)\(speed > 1 ? ", \(speed) times as fast as the clock" : "")
          every minute somebody takes over an account, tests a card, and leaves an order unpaid
          try next    martlet test rules/shop   ·   martlet explain shop_account_takeover --rules rules/shop
          Ctrl-C ends with a summary
        """)
    let input = PipelineInput(name: "shop", source: shop, options: InputOptions())
    let (store, guarantees) = try openStore(
        arguments, session.rules.compilation, session.console, inputs: [input], showsAlways: true)
    return try session.run(
        [input], mode: .live, sizeInBytes: nil, store: store, guarantees: guarantees)
}

/// The shop's rules: beside the program's checkout or under the current folder.
private func shopRules() throws(Failure) -> String {
    let program = canonicalPath(CommandLine.arguments[0])
    var folder = "."
    var candidates = ["rules/shop"]
    // A binary in .build/release stands three folders below the rules.
    if let slash = program.lastIndex(of: "/") { folder = String(program[..<slash]) }
    for up in ["/rules/shop", "/../rules/shop", "/../../rules/shop", "/../../../rules/shop"] {
        candidates.append(folder + up)
    }
    for candidate in candidates where fileKind(candidate) == .folder { return candidate }
    throw Failure(
        .badRules, "the shop's rules are not here", help: "name them with `--rules PATH/rules/shop`"
    )
}
