import RuleSyntax

#if canImport(Glibc)
    import Glibc
#endif

/// One flag of a command, as `--help`, the parser and the shell completions see it.
struct OptionSpec: Sendable {
    /// Without the dashes.
    var name: String
    var short: Character?
    /// What stands for the value in `--help`; nil for a flag without one.
    var placeholder: String?
    /// The values that are allowed; empty: any.
    var choices: [String] = []
    /// Whether the flag stands alone as well; a value is given with `=` only.
    var isValueOptional = false
    var help: String

    init(
        _ name: String, short: Character? = nil, value placeholder: String? = nil,
        choices: [String] = [], isValueOptional: Bool = false, _ help: String
    ) {
        self.name = name
        self.isValueOptional = isValueOptional
        self.short = short
        self.placeholder = placeholder ?? (choices.isEmpty ? nil : choices.joined(separator: "|"))
        self.choices = choices
        self.help = help
    }

    /// The environment variable that stands in for the flag: `--type-field` is `MARTLET_TYPE_FIELD`.
    var variable: String {
        "MARTLET_" + name.uppercased().replacing("-", with: "_")
    }
}

/// One verb of the command line.
struct CommandSpec: Sendable {
    var name: String
    var summary: String
    /// The positional arguments as the usage line shows them.
    var positionals: String
    var options: [OptionSpec]
    /// Paragraphs behind the options.
    var notes: [String] = []
    var examples: [String] = []
    var run: @Sendable (ParsedArguments) throws(Failure) -> ExitCode
}

/// What every command answers with. The numbers are part of the product.
enum ExitCode: Int32 {
    case fine = 0
    /// A test failed, a file needs formatting, a lint at or above the level.
    case findings = 1
    /// Rules do not compile or cannot be read.
    case badRules = 2
    /// Bad flag or setting.
    case badUsage = 3
    /// Input or output failed while running.
    case failed = 4
    case interrupted = 130
    case terminated = 143
}

/// Ends a command with a message on standard error.
struct Failure: Error {
    var code: ExitCode
    var message: String
    var help: String?

    init(_ code: ExitCode, _ message: String, help: String? = nil) {
        self.code = code
        self.message = message
        self.help = help
    }

    /// As it is printed.
    var text: String { "martlet: \(message)\n" + (help.map { "  = help: \($0)\n" } ?? "") }
}

struct ParsedArguments {
    var positionals: [String] = []
    fileprivate var values: [String: [String]] = [:]

    /// The last value given for the option, on the command line or else by its variable.
    func value(_ name: String) -> String? { values[name]?.last }

    func values(_ name: String) -> [String] { values[name] ?? [] }

    func has(_ name: String) -> Bool { values[name] != nil }

    /// - Throws: when the value is not a whole number of at least `minimum`.
    func integer(_ name: String, minimum: Int) throws(Failure) -> Int? {
        guard let text = value(name) else { return nil }
        guard let number = Int(text), number >= minimum else {
            throw Failure(
                .badUsage,
                "`--\(name)` needs a whole number of at least \(minimum), and got `\(text)`")
        }
        return number
    }
}

/// Flags that every command takes.
let globalOptions: [OptionSpec] = [
    OptionSpec("color", choices: ["auto", "always", "never"], "colour the output (default: auto)"),
    OptionSpec("quiet", short: "q", "print results and errors only"),
    OptionSpec("help", short: "h", "print this page"),
]

/// Reads what stands behind the verb.
///
/// - Throws: an unknown flag (with a suggestion), a missing or unknown value.
func parseArguments(
    _ arguments: [String], of command: CommandSpec, environment: (String) -> String?
) throws(Failure) -> ParsedArguments {
    let options = command.options + globalOptions
    var parsed = ParsedArguments()
    var index = 0
    var flagsEnded = false
    while index < arguments.count {
        let argument = arguments[index]
        index += 1
        guard !flagsEnded, argument.hasPrefix("-"), argument != "-" else {
            guard !command.positionals.isEmpty else {
                throw Failure(
                    .badUsage, "`\(command.name)` takes no argument, and got `\(argument)`",
                    help: "`martlet \(command.name) --help` shows what it takes")
            }
            parsed.positionals.append(argument)
            continue
        }
        if argument == "--" {
            flagsEnded = true
            continue
        }
        let (option, attached) = try findOption(argument, options, of: command)
        guard option.placeholder != nil else {
            if attached != nil {
                throw Failure(.badUsage, "`--\(option.name)` takes no value")
            }
            parsed.values[option.name, default: []].append("")
            continue
        }
        let value: String
        if let attached {
            value = attached
        } else if option.isValueOptional {
            value = ""
        } else if index < arguments.count {
            value = arguments[index]
            index += 1
        } else {
            throw Failure(
                .badUsage, "`--\(option.name)` needs a value",
                help: "write `--\(option.name) \(option.placeholder ?? "VALUE")`")
        }
        try checkChoice(value, option, name: "--\(option.name)")
        parsed.values[option.name, default: []].append(value)
    }
    for option in options where parsed.values[option.name] == nil {
        guard let value = environment(option.variable) else { continue }
        if option.placeholder == nil, ["0", "false", "no", ""].contains(value.lowercased()) {
            continue
        }
        try checkChoice(value, option, name: option.variable)
        parsed.values[option.name] = [value]
    }
    return parsed
}

private func findOption(
    _ argument: String, _ options: [OptionSpec], of command: CommandSpec
) throws(Failure) -> (OptionSpec, attached: String?) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let flag = String(parts[0])
    let attached = parts.count > 1 ? String(parts[1]) : nil
    if flag.hasPrefix("--") {
        let name = String(flag.dropFirst(2))
        if let option = options.first(where: { $0.name == name }) { return (option, attached) }
        let near = suggest(name, among: options.map(\.name))
        throw Failure(
            .badUsage, "`\(command.name)` has no flag `\(flag)`",
            help: near.map { "there is a flag with a similar name: `--\($0)`" }
                ?? "`martlet \(command.name) --help` lists the flags")
    }
    if flag.count == 2, let short = flag.last,
        let option = options.first(where: { $0.short == short })
    {
        return (option, attached)
    }
    throw Failure(
        .badUsage, "`\(command.name)` has no flag `\(flag)`",
        help: "`martlet \(command.name) --help` lists the flags")
}

private func checkChoice(_ value: String, _ option: OptionSpec, name: String) throws(Failure) {
    guard !option.choices.isEmpty, !option.choices.contains(value) else { return }
    let choices = option.choices.map { "`\($0)`" }.joined(separator: ", ")
    throw Failure(.badUsage, "`\(name)` cannot be `\(value)`", help: "it is one of \(choices)")
}

/// The page that `martlet VERB --help` prints.
func helpPage(_ command: CommandSpec) -> String {
    var text = "martlet \(command.name): \(command.summary)\n\n"
    text += "usage: martlet \(command.name)"
    if !command.options.isEmpty { text += " [FLAG]..." }
    if !command.positionals.isEmpty { text += " \(command.positionals)" }
    text += "\n\nflags:\n"
    let rows = (command.options + globalOptions).map { option in
        let short = option.short.map { "-\($0), " } ?? "    "
        let value =
            option.placeholder.map { option.isValueOptional ? "[=\($0)]" : " \($0)" } ?? ""
        return ("  \(short)--\(option.name)\(value)", option.help)
    }
    let width = min(34, rows.map(\.0.count).max() ?? 0)
    for (left, help) in rows {
        if left.count > width {
            text += left + "\n" + String(repeating: " ", count: width) + "  " + help + "\n"
        } else {
            text += left + String(repeating: " ", count: width - left.count) + "  " + help + "\n"
        }
    }
    for note in command.notes { text += "\n" + note + "\n" }
    if !command.examples.isEmpty {
        text += "\nexamples:\n" + command.examples.map { "  \($0)\n" }.joined()
    }
    return text
}

/// The page that `martlet --help` prints.
func overviewPage(_ commands: [CommandSpec]) -> String {
    let width = commands.map(\.name.count).max() ?? 0
    var text = """
        martlet: alerts from patterns of events, in one file you can test

        usage: martlet VERB [FLAG]... [ARGUMENT]...

        verbs:

        """
    for command in commands {
        let gap = String(repeating: " ", count: width - command.name.count)
        text += "  \(command.name)\(gap)  \(command.summary)\n"
    }
    text += """

        `martlet VERB --help` says more. Every flag can also be set by a variable: `--format` is
        MARTLET_FORMAT. Results go to standard output, messages to standard error.

        exit codes: 0 fine, 1 findings (a test failed, a file is not formatted), 2 rules do not
        compile or cannot be read, 3 bad flag or setting, 4 failed while running, 130/143 stopped by
        a signal after a clean end

        """
    return text
}
