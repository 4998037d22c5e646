import MatchEngine
import RuleModel
import RuleSyntax
import StreamRuntime

/// No silence is longer: what is never wanted is a change of the rules.
private let longestSilence = TimeSpan.day * 90

/// `martlet silence`: alerts that nobody wants to be told of for some time.
let silenceCommand = CommandSpec(
    name: "silence",
    summary: "keep alerts from the sinks for some time, list such silences, end one",
    positionals: "'NAME=VALUE...' DURATION | ls | rm NUMBER",
    options: [
        dataOption, OptionSpec("note", value: "TEXT", "why"),
        OptionSpec("format", choices: ["text", "json"], "how `ls` prints (default: text)"),
    ],
    notes: [
        """
        NAME is `rule`, `severity` or the name of a part of the key; `*` in VALUE stands for any text.
        Of several, one after the other with a blank between them, all must fit. A silence is for at most
        90 days.

        A running engine takes it over within a second or two. Silenced alerts are made, kept and
        counted as ever, and `martlet alerts` marks them; sinks do not get them, also not later.
        """
    ],
    examples: [
        "martlet silence 'rule=disk_full host=db-*' 2h --note 'we are moving it' --data state",
        "martlet silence ls --data state", "martlet silence rm 3 --data state",
    ]
) { arguments throws(Failure) in
    let console = Console(arguments)
    let words = arguments.positionals
    switch (words.first, words.count) {
    case ("ls", 1): return try list(try dataFolder(arguments).disk, arguments, console)
    case ("rm", 2):
        let disk = try dataFolder(arguments).disk
        let silences = try orFail { try Silence.all(in: disk) }
        guard let silence = silences.first(where: { "\($0.number)" == words[1] }) else {
            throw Failure(
                .badUsage, "there is no silence `\(words[1])`",
                help: "`martlet silence ls` prints their numbers")
        }
        try orFail { try silence.remove(from: disk) }
        console.note("silence \(silence.number) has ended")
        return .fine
    case (let condition?, 2):
        let parts = try parts(of: condition)
        guard let nanoseconds = parseDuration(words[1]), nanoseconds > 0 else {
            throw Failure(
                .badUsage, "`silence` needs a duration, and got `\(words[1])`",
                help: "write a number with a unit, for example `30m` or `2h`")
        }
        guard TimeSpan(nanoseconds: nanoseconds) <= longestSilence else {
            throw Failure(
                .badUsage, "a silence is for at most 90 days, and not for `\(words[1])`",
                help: "what is never wanted belongs into the rule, as `enabled false` or `unless`")
        }
        try begin(
            parts, TimeSpan(nanoseconds: nanoseconds), note: arguments.value("note") ?? "",
            in: try dataFolder(arguments).disk, console)
        return .fine
    default:
        throw Failure(
            .badUsage, "`silence` needs `'NAME=VALUE...' DURATION`, `ls` or `rm NUMBER`")
    }
}

private func parts(of condition: String) throws(Failure) -> [Silence.Part] {
    var parts: [Silence.Part] = []
    for word in condition.split(separator: " ") {
        let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, !halves[0].isEmpty, !halves[1].isEmpty else {
            throw Failure(
                .badUsage, "`\(word)` is not `NAME=VALUE`",
                help: "write for example `rule=disk_full host=db-*`")
        }
        parts.append(Silence.Part(name: String(halves[0]), pattern: String(halves[1])))
    }
    guard !parts.isEmpty else {
        throw Failure(
            .badUsage, "nothing says which alerts", help: "write for example `rule=disk_full`")
    }
    return parts
}

private func begin(
    _ parts: [Silence.Part], _ span: TimeSpan, note: String, in disk: SystemDisk,
    _ console: Console
) throws(Failure) {
    // Whole seconds are enough, and easier to read.
    let second = TimeSpan.second.nanoseconds
    let now = Timestamp(nanoseconds: wallTime().nanoseconds / second * second)
    let known = try orFail { try Silence.all(in: disk) }
    let silence = Silence(
        number: (known.map(\.number).max() ?? 0) + 1, parts: parts, since: now, until: now + span,
        note: note)
    var (fitting, all) = (0, 0)
    try orFail {
        try silence.write(to: disk)
        try FolderReport.alerts(in: disk) { entry in
            guard entry.emittedAt + .day > now else { return }
            all += 1
            if silence.fits(entry.alert) { fitting += 1 }
        }
    }
    console.note(
        "silence \(silence.number) until \(silence.until): it fits "
            + "\(grouped(fitting)) of \(counted(all, "alert")) of the last day")
}

private func list(
    _ disk: SystemDisk, _ arguments: ParsedArguments, _ console: Console
) throws(Failure) -> ExitCode {
    let now = wallTime()
    let silences = try orFail { try Silence.all(in: disk) }.filter { $0.until > now }
    if arguments.value("format") == "json" {
        let entries = silences.map { silence in
            JSONDocument.object([
                ("number", .number(silence.number)),
                ("when", .object(silence.parts.map { ($0.name, .text($0.pattern)) })),
                ("since", .text(silence.since.description)),
                ("until", .text(silence.until.description)), ("note", .text(silence.note)),
            ])
        }
        console.print(
            JSONDocument.object([("schema", 1), ("silences", .array(entries))]).line)
        return .fine
    }
    for silence in silences {
        let condition = silence.parts.map { "\($0.name)=\($0.pattern)" }.joined(separator: " ")
        let note = silence.note.isEmpty ? "" : "  \(silence.note)"
        console.print(visible("\(silence.number)  until \(silence.until)  \(condition)\(note)"))
    }
    if silences.isEmpty { console.note("nothing is silenced") }
    return .fine
}
