import RuleModel
import StreamRuntime

/// `martlet replay`: yesterday's events through today's rules.
let replayCommand = CommandSpec(
    name: "replay",
    summary: "run rules over recorded events, as fast as they can be read or at a pace",
    positionals: "FILE... --rules PATH",
    options: ruleOptions + inputOptions + [
        OptionSpec(
            "early",
            "with --lateness: tell matches on arrival and correct them later, as `run` does"),
        OptionSpec(
            "from", value: "T", "only alerts from this time on; what begins before it still counts"),
        OptionSpec("until", value: "T", "stop at this time"),
        OptionSpec(
            "speed", value: "N",
            "1: as fast as the time of the events passed, 10: ten times (default: as fast as they can be read)"
        ),
        OptionSpec(
            "report", value: "FILE", "write one HTML page: time line, rules, noise per day, alerts"),
        OptionSpec(
            "budget", value: "N/day", "exit 1 if a rule raises more alerts than this on a day"),
        OptionSpec(
            "expect", value: "FILE",
            "exit 1 unless exactly these alerts come: NDJSON, each line with the members that count"
        ),
    ] + outputOptions,
    notes: [
        """
        FILE is NDJSON: plain, gzip or zstd, a folder of such files, or `-` for standard input.
        Several files are merged by event time. Time is the time of the events; at the end it stands
        still, and what is still open is counted in the summary. The same input gives the same bytes.
        """,
        """
        With --speed each event waits for its time: events before --from are read at once, and alerts
        are printed as they come. The alerts are the same as without.
        """,
        inputNote,
    ],
    examples: [
        "martlet replay auth.ndjson.gz --rules rules/ssh",
        "martlet replay week.ndjson.gz --from 2026-01-05 --until 2026-01-06 --report day.html",
        "martlet replay week.ndjson.gz --budget 20/day --expect alerts.ndjson --quiet",
        "martlet replay week.ndjson.gz --from 2026-01-05T09:00:00Z --speed 60",
        "martlet replay trail/ --rules rules/aws --type aws.cloudtrail --time-field eventTime",
    ]
) { arguments throws(Failure) in
    guard !arguments.positionals.isEmpty else {
        throw Failure(
            .badUsage, "`replay` needs at least one file of events",
            help: "write `martlet replay FILE... --rules PATH`; `-` is standard input")
    }
    var session = try RunSession(arguments, tellsEmission: false)
    let options = try inputSettings(arguments)
    let lateness = try duration(arguments, "lateness") ?? .zero
    let correction = try duration(arguments, "correction") ?? .zero
    session.watch = try ReplayWatch(arguments, lateness: lateness)
    session.speed = try speed(arguments)
    let inputs = arguments.positionals.map { path in
        PipelineInput(
            name: path, source: makeSource(.files([path]), options: options), options: options,
            lateness: lateness, isEarly: arguments.has("early"),
            correction: correction)
    }
    return try session.run(inputs, mode: .replay, sizeInBytes: inputSize(arguments.positionals))
}

/// How many times as fast as the clock event time passes; nil: as fast as events can be read.
private func speed(_ arguments: ParsedArguments) throws(Failure) -> Double? {
    guard let text = arguments.value("speed") else { return nil }
    let isPlain = text.utf8.allSatisfy { "0123456789.".utf8.contains($0) }
    guard isPlain, let speed = Double(text), (0.001...1_000_000).contains(speed) else {
        throw Failure(
            .badUsage, "`--speed` needs a number from 0.001 to 1000000, and got `\(text)`",
            help: "write for example `--speed 60`, one minute a second; "
                + "leave it out to read as fast as possible")
    }
    return speed
}

/// The bytes of plain files together, for the progress bar; nil when they do not tell how long the
/// job is: compressed files, folders, standard input.
private func inputSize(_ paths: [String]) -> Int? {
    var total = 0
    for path in paths {
        guard !path.hasSuffix(".gz"), !path.hasSuffix(".zst"), let size = plainFileSize(path) else {
            return nil
        }
        total += size
    }
    return total
}
