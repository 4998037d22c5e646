import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// Every verb, in the order of `martlet --help`.
let allCommands: [CommandSpec] = [
    runCommand, reloadCommand, statusCommand, doctorCommand, alertsCommand, silenceCommand,
    deadLetterCommand,
    stateCommand,
    replayCommand, testCommand, checkCommand,
    formatCommand, planCommand, diffCommand,
    explainCommand, fieldsCommand, newCommand, initCommand, fixCommand, docsCommand, toJSONCommand,
    fromJSONCommand,
    graphCommand, languageServerCommand, benchCommand, importCommand, completionsCommand,
    versionCommand,
]

/// Runs the verb that the process was given, and ends the process with its exit code.
func runCommandLine() -> Never {
    // A reader that goes away shows as a failed write, not as a silent death.
    signal(SIGPIPE, SIG_IGN)
    // So does a limit on the size of files.
    signal(SIGXFSZ, SIG_IGN)
    let arguments = Array(CommandLine.arguments.dropFirst())
    do throws(Failure) {
        exit(try dispatch(arguments).rawValue)
    } catch {
        writeAll(2, Array(error.text.utf8))
        exit(error.code.rawValue)
    }
}

private func dispatch(_ arguments: [String]) throws(Failure) -> ExitCode {
    guard let verb = arguments.first else {
        writeAll(2, Array(overviewPage(allCommands).utf8))
        return .badUsage
    }
    if ["--help", "-h", "help"].contains(verb) {
        if arguments.count > 1, let command = allCommands.first(where: { $0.name == arguments[1] })
        {
            writeAll(1, Array(helpPage(command).utf8))
        } else {
            writeAll(1, Array(overviewPage(allCommands).utf8))
        }
        return .fine
    }
    let name = verb == "--version" ? "version" : verb
    guard let command = allCommands.first(where: { $0.name == name }) else {
        throw Failure(
            .badUsage, "there is no verb `\(verb)`",
            help: suggest(verb, among: allCommands.map(\.name))
                .map { "there is a verb with a similar name: `\($0)`" }
                ?? "`martlet --help` lists the verbs")
    }
    let rest = Array(arguments.dropFirst())
    // Help comes before any complaint about the other arguments.
    if rest.prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) {
        writeAll(1, Array(helpPage(command).utf8))
        return .fine
    }
    let parsed = try parseArguments(rest, of: command, environment: environmentVariable)
    return try command.run(parsed)
}
