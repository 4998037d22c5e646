import MatchEngine
import RuleModel
import RuleSyntax
import StreamRuntime

let dataOption = OptionSpec("data", value: "DIR", "the data folder of the engine")

func dataFolder(_ arguments: ParsedArguments) throws(Failure) -> (
    path: String, disk: SystemDisk
) {
    guard let path = arguments.value("data") else {
        throw Failure(.badUsage, "the data folder is not named", help: "write `--data DIR`")
    }
    return (path, try orFail { try DataFolder.reading(path: path) })
}

// MARK: - Alerts

/// `martlet alerts`: what was said lately, and whether it was right.
let alertsCommand = CommandSpec(
    name: "alerts",
    summary: "print the alerts that a data folder still holds, or say that one was right or wrong",
    positionals: "[judge ID right|wrong]",
    options: [
        dataOption,
        OptionSpec("since", value: "D", "only those put out in the last D, for example 1h"),
        OptionSpec("rule", value: "NAME", "only those of this rule; may be given several times"),
        OptionSpec("note", value: "TEXT", "with judge: why"),
        OptionSpec(
            "format", choices: ["text", "json"],
            "how alerts are printed (default: text on a terminal, else json)"),
    ],
    notes: [
        """
        The outbox holds what is not delivered yet, and the last 16 MiB of what is. The engine may be
        running. `emitted_at` is when an alert was put into the outbox.
        """,
        """
        `judge` keeps in the data folder whether an alert was right; ID may be the beginning of one, as
        the text form shows it. Of several judgements of an alert the last counts. They are what the
        confidence of the rule's alerts comes from: (10 p + right) / (10 + judged), with p what the rule
        states. An engine that runs takes it over at its next `martlet reload`.
        """,
    ],
    examples: [
        "martlet alerts --data state --since 1h --rule ssh_bruteforce",
        "martlet alerts judge 2e5cb775 wrong --note 'the backup job' --data state",
    ]
) { arguments throws(Failure) in
    let console = Console(arguments)
    let disk = try dataFolder(arguments).disk
    if let verb = arguments.positionals.first {
        guard verb == "judge", arguments.positionals.count == 3,
            let isRight = ["right": true, "wrong": false][arguments.positionals[2]]
        else {
            throw Failure(
                .badUsage, "`alerts` takes nothing, or `judge ID right` or `judge ID wrong`")
        }
        try judge(
            arguments.positionals[1], isRight: isRight, note: arguments.value("note") ?? "",
            in: disk, console)
        return .fine
    }
    if arguments.has("note") {
        throw Failure(.badUsage, "`--note` belongs to `judge`, and nothing is judged")
    }
    let judgements = try orFail { try Judgements(in: disk) }
    let start = try duration(arguments, "since").map { wallTime() - $0 }
    let rules = arguments.values("rule")
    let form = alertForm(
        isJSON: arguments.value("format").map { $0 == "json" }, isFile: false,
        colour: console.coloursOutput, showsDate: true)
    var bytes: [UInt8] = []
    try orFail {
        try FolderReport.alerts(in: disk) { entry in
            if let start, entry.emittedAt < start { return }
            if !rules.isEmpty, !rules.contains(entry.alert.rule) { return }
            form.append(entry.alert, emittedAt: entry.emittedAt, to: &bytes)
            append(judgements[entry.alert.id], of: entry, form, to: &bytes)
        }
    }
    writeAll(1, bytes)
    return .fine
}

/// Adds to a line what `judge` asks for, whether it was silenced, and what was judged.
private func append(
    _ judgement: Judgement?, of entry: OutboxEntry, _ form: AlertForm, to bytes: inout [UInt8]
) {
    switch form {
    case .text:
        bytes.removeLast()
        bytes.appendVisibly("  id \(entry.alert.id.prefix(8))")
        if entry.sinks.isEmpty { bytes.appendVisibly("  silenced") }
        if let judgement {
            bytes.appendVisibly(judgement.isRight ? "  right" : "  WRONG")
            if !judgement.note.isEmpty { bytes.appendVisibly(": \(judgement.note)") }
        }
        bytes.append(UInt8(ascii: "\n"))
    case .json:
        bytes.removeLast(2)
        if entry.sinks.isEmpty { bytes.appendJSON(verbatim: #","silenced":true"#) }
        if let judgement {
            bytes.appendJSON(verbatim: #","judged":"#)
            bytes.appendJSON(judgement.isRight ? "right" : "wrong")
            bytes.appendJSON(verbatim: #","note":"#)
            bytes.appendJSON(judgement.note)
        }
        bytes.appendJSON(verbatim: "}\n")
    }
}

private func judge(
    _ wanted: String, isRight: Bool, note: String, in disk: SystemDisk, _ console: Console
) throws(Failure) {
    var found: [String: String] = [:]
    try orFail {
        try FolderReport.alerts(in: disk) { entry in
            if entry.alert.id.hasPrefix(wanted) { found[entry.alert.id] = entry.alert.rule }
        }
    }
    guard let (id, rule) = found.first else {
        throw Failure(
            .badUsage, "the data folder holds no alert with the id `\(wanted)`",
            help: "`martlet alerts` prints those that it holds, with their ids")
    }
    guard found.count == 1 else {
        throw Failure(
            .badUsage, "\(counted(found.count, "alert")) have an id that begins with `\(wanted)`",
            help: "write more of it: `\(found.keys.sorted().prefix(2).joined(separator: "`, `"))`")
    }
    let judgements = try orFail { () throws -> Judgements in
        try Judgements.append(
            Judgement(id: id, rule: rule, isRight: isRight, note: note, at: wallTime()), to: disk)
        return try Judgements(in: disk)
    }
    let (right, judged) = judgements.count(rule: rule)
    console.note(
        "\(rule): \(right) of \(counted(judged, "judged alert")) right")
    if let owner = DataFolder.owner(path: disk.path) {
        console.note("process \(owner) runs on the folder; it takes this over at `martlet reload`")
    }
}

// MARK: - Dead letters

/// `martlet dlq`: alerts that a sink did not take.
let deadLetterCommand = CommandSpec(
    name: "dlq", summary: "list alerts that a sink did not take; try them again, or drop them",
    positionals: "ls|show|retry|drop [NAME]...",
    options: [
        dataOption, OptionSpec("all", "with retry and drop: all of them"),
        OptionSpec("sink", value: "NAME", "only those of this sink"),
    ],
    notes: [
        """
        `retry` puts them into the outbox again, with the ids that they had: at once if the engine runs,
        else when it starts next. NAME is as `ls` prints it.
        """
    ],
    examples: [
        "martlet dlq ls --data state", "martlet dlq retry --all --sink soc --data state",
    ]
) { arguments throws(Failure) in
    let console = Console(arguments)
    guard let verb = arguments.positionals.first, ["ls", "show", "retry", "drop"].contains(verb)
    else { throw Failure(.badUsage, "`dlq` needs one of `ls`, `show`, `retry`, `drop`") }
    let disk = try dataFolder(arguments).disk
    let names = Array(arguments.positionals.dropFirst())
    let sink = arguments.value("sink")
    let letters = try orFail { try DeadLetter.all(in: disk) }
        .filter { sink == nil || $0.sink == sink }
    if let unknown = names.first(where: { name in !letters.contains { $0.name == name } }) {
        throw Failure(
            .badUsage, "there is no dead letter `\(unknown)`",
            help: "`martlet dlq ls` prints their names")
    }
    guard verb != "ls" else {
        for letter in letters {
            console.print(
                "\(letter.name)  \(letter.at)  \(letter.sink)  \(letter.entry.alert.rule)  "
                    + "\(letter.entry.alert.id)  \(counted(letter.attempts, "attempt")): \(letter.reason)"
            )
        }
        return .fine
    }
    guard !names.isEmpty || (arguments.has("all") && verb != "show") else {
        throw Failure(
            .badUsage, "`dlq \(verb)` needs the names of dead letters",
            help: verb == "show" ? nil : "write `--all` for all of them")
    }
    let chosen = names.isEmpty ? letters : letters.filter { names.contains($0.name) }
    for letter in chosen {
        switch verb {
        case "show":
            var bytes: [UInt8] = []
            AlertForm.json.append(
                letter.entry.alert, emittedAt: letter.entry.emittedAt, to: &bytes)
            writeAll(1, bytes)
        case "retry": try orFail { try letter.retry(in: disk) }
        default: try orFail { try letter.drop(in: disk) }
        }
    }
    if verb != "show" {
        console.note(
            "\(counted(chosen.count, "dead letter")) "
                + (verb == "drop" ? "dropped" : "to be tried again"))
    }
    return .fine
}

// MARK: - State

/// `martlet state`: what lies in a data folder.
let stateCommand = CommandSpec(
    name: "state", summary: "look at a data folder, check it, copy it, put a copy in its place",
    positionals: "ls|show|verify|backup TO|restore FROM",
    options: [
        dataOption,
        OptionSpec(
            "format", choices: ["text", "json"], "with show: how it is printed (default: text)"),
    ],
    notes: [
        """
        `ls` and `verify` read every file and every checksum; `verify` ends with 1 when something is
        damaged. `backup TO` copies what is needed to go on into a new folder, also while the engine
        runs. `restore FROM` copies a backup into `--data DIR`, which must be empty or not there.
        """,
        """
        `show` tells what the newest checkpoint holds: how far each source was read, and for each rule
        its keys, the matches that have begun, and the bytes they take. It needs no rules.
        """,
    ],
    examples: [
        "martlet state show --data state",
        "martlet state verify --data state", "martlet state backup state.copy --data state",
        "martlet state restore state.copy --data state",
    ]
) { arguments throws(Failure) in
    let console = Console(arguments)
    if arguments.has("format"), arguments.positionals.first != "show" {
        throw Failure(.badUsage, "`--format` goes with `show`")
    }
    switch (arguments.positionals.first, arguments.positionals.count) {
    case ("ls", 1), ("verify", 1):
        let (path, disk) = try dataFolder(arguments)
        let report = try orFail { try FolderReport(disk) }
        if let owner = DataFolder.owner(path: path) {
            console.note("process \(owner) runs on it")
        }
        for file in report.files {
            console.print(
                "\(file.name)  \(grouped(file.bytes)) bytes  "
                    + (file.damage.map { "DAMAGED: \($0)" } ?? file.content))
        }
        let damaged = report.files.filter { $0.damage != nil }.count
        if arguments.positionals[0] == "verify" {
            console.note(
                damaged == 0
                    ? "all checksums are right"
                    : "\(counted(damaged, "file")) damaged; an engine falls back to the checkpoint before"
            )
            return damaged == 0 ? .fine : .findings
        }
        return .fine
    case ("show", 1):
        let (path, disk) = try dataFolder(arguments)
        let state = try orFail {
            try FolderReport.state(in: disk, tell: { console.warn("martlet: \($0)") })
        }
        guard let state else {
            throw Failure(
                .failed, "the data folder `\(path)` holds no checkpoint",
                help: "an engine makes the first when it has run for ten seconds, or when it ends")
        }
        console.print(
            arguments.value("format") == "json" ? json(state).line : text(state))
        return .fine
    case ("backup", 2):
        try copyFolder(from: try dataFolder(arguments).disk, to: arguments.positionals[1], console)
        return .fine
    case ("restore", 2):
        guard let target = arguments.value("data") else {
            throw Failure(.badUsage, "the data folder is not named", help: "write `--data DIR`")
        }
        let source = arguments.positionals[1]
        let disk = try orFail { try DataFolder.reading(path: source) }
        try copyFolder(from: disk, to: target, console)
        return .fine
    default:
        throw Failure(
            .badUsage, "`state` needs one of `ls`, `show`, `verify`, `backup TO`, `restore FROM`")
    }
}

private func text(_ state: FolderReport.StateReport) -> String {
    var lines = ["\(state.name): events up to \(state.lastTime.map { "\($0)" } ?? "none yet")"]
    for source in state.sources {
        lines.append("source  \(source.name)")
        lines += source.positions.map { "        \($0)" }
    }
    let rows =
        [["rule", "keys", "in progress", "bytes"]]
        + state.rules.map { rule in
            [rule.name] + [rule.keys, rule.openMatches, rule.bytes].map(grouped)
        }
    let width = rows.map { $0[0].count }.max() ?? 0
    for row in rows {
        let numbers = zip(row.dropFirst(), [14, 14, 16]).map { text, width in
            String(repeating: " ", count: max(2, width - text.count)) + text
        }
        lines.append(row[0].padded(to: width) + numbers.joined())
    }
    return lines.joined(separator: "\n")
}

private func json(_ state: FolderReport.StateReport) -> JSONDocument {
    let sources = state.sources.map { source in
        JSONDocument.object([
            ("name", .text(source.name)),
            ("positions", .array(source.positions.map { .text($0) })),
        ])
    }
    let rules = state.rules.map { rule in
        JSONDocument.object([
            ("name", .text(rule.name)), ("keys", .number(rule.keys)),
            ("open_matches", .number(rule.openMatches)), ("bytes", .number(rule.bytes)),
        ])
    }
    return .object([
        ("schema", 1), ("checkpoint", .text(state.name)),
        ("last_event_time", state.lastTime.map { .text("\($0)") } ?? .null),
        ("sources", .array(sources)), ("rules", .array(rules)),
    ])
}

private func copyFolder(
    from disk: SystemDisk, to path: String, _ console: Console
) throws(Failure) {
    let copy = try orFail { try SystemDisk(path: path) }
    guard try orFail({ try copy.names() }).isEmpty else {
        throw Failure(
            .badUsage, "the folder `\(path)` is not empty; nothing was copied",
            help: "move it away first")
    }
    for _ in 0..<3 {
        if let bytes = try orFail({ try FolderReport.copy(from: disk, to: copy) }) {
            console.note("\(grouped(bytes)) bytes copied to \(path)")
            return
        }
        // The engine has tidied meanwhile: once more, from the beginning.
        try orFail { for name in try copy.names() { try copy.remove(name) } }
    }
    throw Failure(.failed, "the engine changes the folder too fast to be copied")
}
