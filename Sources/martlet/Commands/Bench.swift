import RuleModel
import StreamRuntime

/// `martlet bench`: how fast it is on this machine.
let benchCommand = CommandSpec(
    name: "bench", summary: "measure speed, memory and latency on this machine",
    positionals: "[CASE]...",
    options: [
        OptionSpec("events", value: "N", "how many events to make up (default: 500000)"),
        OptionSpec("rounds", value: "N", "how often to measure; the median counts (default: 3)"),
        OptionSpec("rules", value: "PATH", "measure these rules; needs `--from`"),
        OptionSpec("from", value: "FILE", "the events for `--rules`"),
        OptionSpec("peer", value: "COMMAND", "run another command on the same file, in turns"),
        OptionSpec(
            "write", value: "FOLDER", "write the shop's events and queries there, measure nothing"),
        OptionSpec("format", choices: ["text", "json"], "how to print (default: text)"),
        OptionSpec("type", value: "NAME", "with `--from`: the type of every event"),
        OptionSpec("type-field", value: "FIELD", "with `--from`: the field with the event type"),
        OptionSpec("time-field", value: "FIELD", "with `--from`: the field with the event time"),
    ],
    notes: [
        "CASE is one of "
            + BenchGroup.standard.map(\.rawValue).joined(separator: ", ")
            + ";\nwithout one all are measured, which takes some minutes.",
        """
        Events are made up from a fixed seed. Rates are events a second of processor time, all threads
        together and, where two are not asked for, on one processor. `of scan` is the rate as a part of
        what the decoder alone does with the same file, measured in turn with it. Behind a figure stands its bar. Rates of one run can be compared;
        those of different runs only as well as the machine is quiet.
        """,
        """
        COMMAND is run by `sh`, with the path of the file for `{}` or else at its end.
        """,
    ],
    examples: [
        "martlet bench queries rules",
        "martlet bench --rules rules/ssh --from auth.ndjson",
        "martlet bench --peer 'jq -c \"select(.status >= 500)\" {}' --events 100000",
    ]
) { arguments throws(Failure) in
    let console = Console(arguments)
    #if DEBUG
        console.warn("martlet: this is a debug build; its figures say nothing about speed")
    #endif
    var groups: [BenchGroup] = []
    for word in arguments.positionals {
        guard let group = BenchGroup(rawValue: word), BenchGroup.standard.contains(group) else {
            throw Failure(
                .badUsage, "`bench` has no case `\(word)`",
                help: "the cases are "
                    + BenchGroup.standard.map { "`\($0.rawValue)`" }.joined(separator: ", "))
        }
        groups.append(group)
    }
    guard arguments.has("rules") == arguments.has("from") else {
        throw Failure(
            .badUsage, "`--rules` and `--from` belong together",
            help: "write `martlet bench --rules PATH --from FILE`")
    }
    var own: BenchFile?
    if let path = arguments.value("from") {
        guard readableFile(path) else {
            throw Failure(.failed, "cannot read `\(path)`: \(systemError())")
        }
        own = BenchFile(path: path, options: try inputSettings(arguments))
        own?.flags = ["type", "type-field", "time-field"].flatMap { name in
            arguments.value(name).map { ["--\(name)", $0] } ?? []
        }
    }
    let program = own == nil ? nil : try RuleSet(paths: arguments.values("rules")).runnable(console)

    let events = try arguments.integer("events", minimum: 1000) ?? 500_000
    if let folder = arguments.value("write") {
        try BenchSession.write(events, to: folder)
        return .fine
    }
    let session = try BenchSession(
        console: console, isJSON: arguments.value("format") == "json", events: events,
        rounds: try arguments.integer("rounds", minimum: 1) ?? 3)
    defer { session.close() }
    if let program, let own { try session.measureOwn(program, file: own) }
    if let command = arguments.value("peer") {
        try session.measurePeer(
            command, rules: own == nil ? nil : arguments.values("rules"), from: own)
    }
    if groups.isEmpty, own == nil, !arguments.has("peer") { groups = BenchGroup.standard }
    for group in groups { try session.measure(group) }
    return .fine
}
