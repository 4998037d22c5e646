import CBench
import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

let ruleOptions: [OptionSpec] = [
    OptionSpec(
        "rules", value: "PATH", "a rule file or folder; may be given several times (default: rules)"
    ),
    OptionSpec("rule", value: "NAME", "run only this rule; may be given several times"),
    OptionSpec(
        "threads", value: "N",
        "how many engines share the keys (default: 1); the alerts are the same"),
]

let inputOptions: [OptionSpec] = [
    OptionSpec("type", value: "NAME", "the type of every event"),
    OptionSpec("type-field", value: "FIELD", "the field that names the event type (default: type)"),
    OptionSpec("time-field", value: "FIELD", "the field with the event time (default: time)"),
    OptionSpec(
        "lateness", value: "D", "how far events may be out of order, for example 10s (default: 0s)"),
    OptionSpec(
        "correction", value: "D",
        "with --lateness: tell what events that came too late would have changed of alerts up to D back"
    ),
    OptionSpec("dead-letter", value: "FILE", "append lines that cannot be read, with the reason"),
]

let outputOptions: [OptionSpec] = [
    OptionSpec("to", value: "FILE", "append alerts to a file as NDJSON"),
    OptionSpec(
        "format", choices: ["text", "json"],
        "how alerts are printed (default: text on a terminal, else json)"),
    OptionSpec("metrics", "print the buckets of metrics as well"),
    OptionSpec("metrics-to", value: "FILE", "append the buckets of metrics to a file as NDJSON"),
    OptionSpec("fail-on-alert", "exit 1 if there was an alert"),
]

let inputNote = """
    The time is RFC 3339 or a number since 1970 in seconds, milliseconds, microseconds or
    nanoseconds, told apart by size. A line that cannot be read is reported, counted and skipped.
    """

/// A `D` on the command line, in the spelling of the language.
func duration(_ arguments: ParsedArguments, _ name: String) throws(Failure) -> TimeSpan? {
    guard let text = arguments.value(name) else { return nil }
    guard let nanoseconds = parseDuration(text) else {
        throw Failure(
            .badUsage, "`--\(name)` needs a duration, and got `\(text)`",
            help: "write a number with a unit, for example `10s`, `5m` or `1h30m`")
    }
    return TimeSpan(nanoseconds: nanoseconds)
}

func inputSettings(_ arguments: ParsedArguments) throws(Failure) -> InputOptions {
    if arguments.has("type"), arguments.has("type-field") {
        throw Failure(.badUsage, "`--type` and `--type-field` exclude each other")
    }
    var options = InputOptions()
    options.typeName = arguments.value("type")
    if let field = arguments.value("type-field") { options.typeField = fieldPath(field) }
    if let field = arguments.value("time-field") { options.timeField = fieldPath(field) }
    return options
}

private func fieldPath(_ text: String) -> FieldPath {
    FieldPath(text.split(separator: ".", omittingEmptySubsequences: false).map(String.init))
}

/// What `run` and `replay` have in common: rules, lists, output, summary.
struct RunSession {
    let console: Console
    let rules: RunnableRules
    var deployment: DeploymentPlan { rules.compilation.deployment }
    private let selection: RuleSelection
    /// Nil: a replay, which nobody talks to.
    private let control: ControlOptions?
    private let output: AlertOutput
    /// Nil: nobody asked for metrics.
    private let metricOutput: AlertOutput?
    private let deadLetter: DeadLetterFile?
    private let shardCount: Int
    private let failsOnAlert: Bool
    private var limits = EngineLimits()
    /// What a replay does with its alerts besides printing them.
    var watch: ReplayWatch?
    /// How many times as fast as the clock event time passes in a replay; nil: as fast as it can be read.
    var speed: Double?

    init(
        _ arguments: ParsedArguments, tellsEmission: Bool, defaultRules: String? = nil
    ) throws(Failure) {
        console = Console(arguments)
        var paths = arguments.values("rules")
        if paths.isEmpty { paths = defaultRules.map { [$0] } ?? rulePaths([]) }
        let wantsMetrics = arguments.has("metrics") || arguments.has("metrics-to")
        var selection = RuleSelection(
            paths: paths, wanted: arguments.values("rule"), keepsMetrics: wantsMetrics)
        let set = selection.read()
        _ = try set.runnable(console)
        // A data folder that an engine has yet to make holds no judgements.
        if tellsEmission {
            selection.dataFolder = martlet.dataFolder(arguments, set.compilation.deployment)
        }
        self.selection = selection
        rules = try selection.rules(of: set)
        let deployment = rules.compilation.deployment
        control =
            tellsEmission
            ? ControlOptions(arguments, dataFolder: dataFolder(arguments, deployment)) : nil
        shardCount = try arguments.integer("threads", minimum: 1) ?? 1
        failsOnAlert = arguments.has("fail-on-alert")
        if let keys = deployment.engine.keysPerRule { limits.keysPerRule = keys }
        for unused in unusedSettings(deployment) { console.warn("martlet: \(unused)") }
        let format = arguments.value("format")
        output = try AlertOutput(
            path: arguments.value("to"), isJSON: format.map { $0 == "json" },
            colour: console.coloursOutput, tellsEmission: tellsEmission)
        metricOutput =
            try wantsMetrics
            ? AlertOutput(
                path: arguments.value("metrics-to"), isJSON: format.map { $0 == "json" },
                colour: console.coloursOutput, tellsEmission: tellsEmission) : nil
        if let path = arguments.value("dead-letter") {
            do throws(DeadLetterError) {
                deadLetter = try DeadLetterFile(path: path)
            } catch {
                throw Failure(.failed, "\(error)")
            }
        } else {
            deadLetter = nil
        }
    }

    /// What the `engine` block lets the process have.
    ///
    /// - Throws: when the program alone takes so much that hardly any state would have room.
    private func memoryLimit() throws(Failure) -> MemoryLimit? {
        guard let bytes = deployment.engine.memoryBytes else { return nil }
        let needed = residentBytes() + (16 << 20)
        guard bytes >= needed else {
            throw Failure(
                .badUsage,
                "`memory` of the engine block is \(bytes >> 20) MiB, and with these rules the program alone needs \(needed >> 20)",
                help: "write `memory \((needed >> 20) + 64)MiB` or more")
        }
        return MemoryLimit(
            bytes: bytes,
            giveBack: { martlet_release_free_memory() })
    }

    /// - Parameters:
    ///   - sizeInBytes: How much there is to read, for the progress bar; nil if unknown.
    ///   - store: What outlasts a crash and delivers the alerts; nil: they are printed and forgotten.
    ///   - guarantees: What `martlet status` says of that.
    mutating func run(
        _ inputs: [PipelineInput], mode: Pipeline.Mode, sizeInBytes: Int?,
        store: DurableStore? = nil, guarantees: [Guarantee] = []
    ) throws(Failure) -> ExitCode {
        let requests = PipelineRequests()
        let pipeline = Pipeline(
            program: rules.program, inputs: inputs, mode: mode, shardCount: shardCount,
            environment: rules.environment, lists: mode == .live ? rules.listWatcher : nil,
            limits: limits, keepsMetrics: metricOutput != nil, memory: try memoryLimit(),
            pace: speed.map {
                ReplayPace(speed: $0, from: watch?.from, until: watch?.lastOfInterest)
            },
            requests: requests, store: store)
        StopRequest.listen()
        let socket = try control?.begin(
            Reloader(
                selection, running: rules, setup: pipeline.setup, requests: requests,
                console: console), requests, guarantees, console)
        defer { socket?.remove() }
        let manager = mode == .live ? ServiceManager() : nil
        var isReady = false
        defer { manager?.stopping() }
        let started = monotonicSeconds()
        var progress = ProgressLine(
            isShown: mode == .replay && Console.errorIsTerminal && !console.isQuiet)
        var faultsShown = 0
        var listFaultsShown = 0
        var isRecoveryTold = false
        let summary: PipelineSummary
        do {
            summary = try pipeline.run(
                shouldStop: {
                    // Asked for the first time when all state is back and the first line has yet to be read.
                    if !isReady {
                        isReady = true
                        manager?.ready("running \(counted(rules.program.rules.count, "rule"))")
                    }
                    manager?.isAlive()
                    return StopRequest.isPending || watch?.isPast ?? false
                }
            ) { made, faults, summary in
                let alerts = watch?.take(made, reached: summary.lastTime) ?? made
                if !alerts.isEmpty || !faults.isEmpty || !summary.metrics.isEmpty {
                    progress.clear()
                }
                try metricOutput?.write(summary.metrics)
                if store == nil { try output.write(alerts) }
                if let recovery = summary.recovery, !isRecoveryTold {
                    isRecoveryTold = true
                    if let text = describe(recovery) { console.note("martlet: \(text)") }
                }
                try deadLetter?.append(faults)
                for fault in faults {
                    faultsShown += 1
                    if faultsShown <= 5 { console.warn("martlet: \(fault.description)") }
                    if faultsShown == 6 {
                        console.warn("martlet: further unreadable lines are only counted")
                    }
                }
                for fault in summary.listFaults[listFaultsShown...] {
                    console.warn("martlet: \(fault); the old content stays in force")
                }
                listFaultsShown = summary.listFaults.count
                for miss in summary.nearMisses { console.note(describe(miss, pipeline.program)) }
                if speed != nil {
                    progress.update(
                        reached: summary.lastTime, pause: summary.pause,
                        alerts: summary.alerts.sent)
                } else {
                    progress.update(
                        events: summary.input.events, alerts: summary.alerts.sent,
                        fraction: sizeInBytes.map {
                            Double(summary.input.bytes) / Double(max(1, $0))
                        })
                }
            }
        } catch {
            progress.clear()
            throw Failure(of: error)
        }
        progress.clear()
        let seconds = monotonicSeconds() - started
        console.note(
            describe(
                summary, program: pipeline.program, lateness: inputs.map(\.lateness),
                seconds: seconds))
        if let speed, summary.lag.seconds >= 1 {
            console.warn(
                "martlet: events were up to \(shortSeconds(summary.lag.seconds)) behind `--speed \(Value.text(of: speed))`"
            )
        }
        if let code = StopRequest.exitCode, mode == .replay { return code }
        let isAsWanted =
            try watch?.finish(
                ReplayFacts(
                    files: inputs.map(\.name), rules: rules.program.rules, summary: summary,
                    seconds: seconds, from: watch?.from, until: watch?.until), console) ?? true
        if summary.input.badFiles > 0 { return .failed }
        if !isAsWanted { return .findings }
        if let durable = summary.durable, durable.waiting > 0, store?.keepsState != true {
            return .failed
        }
        if failsOnAlert, watch?.hasAlerts ?? (summary.alerts.sent > 0) { return .findings }
        return StopRequest.exitCode ?? .fine
    }
}

/// Reads every list, or says what is wrong with the first that cannot be read.
func loadLists(_ plans: [ListPlan]) throws(Failure) -> [ListID: ListTable] {
    var tables: [ListID: ListTable] = [:]
    for (index, plan) in plans.enumerated() {
        switch loadList(plan) {
        case .success(let table): tables[ListID(index)] = table
        case .failure(let fault):
            throw Failure(
                .badRules, "\(fault)", help: "nothing was run, since rules read this list")
        }
    }
    return tables
}

/// The tables of all time zones that a program names.
func zoneTables(of program: Program) -> [String: ZoneTable] {
    var names = Set(program.tables.schedules.map(\.zone))
    for rule in program.rules {
        switch rule.pattern {
        case .threshold(let threshold): if let zone = threshold.window.zone { names.insert(zone) }
        case .metric(let metric): if let zone = metric.window.zone { names.insert(zone) }
        case .sequence, .correlation, .anomaly: break
        }
        for case .code(_, .inZone(let zone)) in rule.emit.message { names.insert(zone) }
    }
    var tables: [String: ZoneTable] = [:]
    for name in names { tables[name] = zoneTable(named: name) }
    return tables
}

/// What deployment blocks ask for and this version does not do: said at the start, never passed over.
func unusedSettings(_ deployment: DeploymentPlan) -> [String] {
    var lines: [String] = []
    let engine = deployment.engine
    if engine.listen != nil {
        lines.append("`listen` of the engine block is not used: this version serves nothing")
    }
    return lines
}

/// `near miss: takeover user=u-4 reached failed, success and ended at ...`
private func describe(_ miss: PartialMatch, _ program: Program) -> String {
    let rule = program.rules.first { $0.id == miss.rule }
    let key = zip(rule?.keyNames ?? [], miss.key).map { " \($0)=\($1.plainText)" }.joined()
    let steps = miss.filledSteps.joined(separator: ", ")
    return "near miss: \(rule?.name ?? "")\(key) reached \(steps.isEmpty ? "no step" : steps), "
        + "from \(miss.firstTime) to \(miss.endedAt)"
}
