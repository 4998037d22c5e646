/// `martlet reload`: lets a running engine read its rules again.
let reloadCommand = CommandSpec(
    name: "reload", summary: "let a running engine read its rules again, and say what that does",
    positionals: "",
    options: [
        OptionSpec("dry-run", "change nothing; exit 1 if the state of some rule would be dropped"),
        OptionSpec("wait", "wait for as long as the engine takes to come to it"),
        OptionSpec("format", choices: ["text", "json"], "how to print it (default: text)"),
    ] + clientOptions,
    notes: [
        """
        The rules are checked first. With an error nothing changes, the messages are printed here, and
        the exit code is 2. Otherwise the new rules take over between two events, with the state of
        every rule whose shape is what it was; `martlet plan --help` says what that is.
        """
    ],
    examples: ["martlet reload --dry-run", "martlet reload"]
) { arguments throws(Failure) in
    var request = ControlRequest(.reload, isJSON: arguments.value("format") == "json")
    request.isDryRun = arguments.has("dry-run")
    request.waits = arguments.has("wait")
    return try ask(request, arguments)
}

/// `martlet status`: one screen about a running engine.
let statusCommand = CommandSpec(
    name: "status", summary: "say on one screen how a running engine is doing",
    positionals: "",
    options: [
        OptionSpec("format", choices: ["text", "json"], "how to print it (default: text)")
    ] + clientOptions,
    examples: ["martlet status", "martlet status --format json"]
) { arguments throws(Failure) in
    try ask(ControlRequest(.status, isJSON: arguments.value("format") == "json"), arguments)
}
