import StreamRuntime

/// `martlet completions SHELL`: a script made from the same table as `--help`.
let completionsCommand = CommandSpec(
    name: "completions", summary: "print a completion script for bash, zsh or fish",
    positionals: "bash|zsh|fish", options: [],
    examples: [
        "source <(martlet completions bash)",
        "martlet completions fish > ~/.config/fish/completions/martlet.fish",
    ]
) { arguments throws(Failure) in
    switch arguments.positionals.first {
    case "bash": writeAll(1, Array(bashCompletions(allCommands).utf8))
    case "zsh": writeAll(1, Array(zshCompletions(allCommands).utf8))
    case "fish": writeAll(1, Array(fishCompletions(allCommands).utf8))
    case let other:
        throw Failure(
            .badUsage,
            other.map { "there are no completions for `\($0)`" } ?? "which shell is not said",
            help: "write `martlet completions bash`, `zsh` or `fish`")
    }
    return .fine
}

private func bashCompletions(_ commands: [CommandSpec]) -> String {
    var text = """
        _martlet() {
            local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
            if [ "$COMP_CWORD" -eq 1 ]; then
                COMPREPLY=($(compgen -W "\(commands.map(\.name).joined(separator: " ")) --help" -- "$word"))
                return
            fi
            case "${COMP_WORDS[1]} $previous" in

        """
    for command in commands {
        for option in command.options + globalOptions where !option.choices.isEmpty {
            text += "        \"\(command.name) --\(option.name)\")"
            text +=
                " COMPREPLY=($(compgen -W \"\(option.choices.joined(separator: " "))\" -- \"$word\")); return ;;\n"
        }
    }
    text += "    esac\n    case ${COMP_WORDS[1]} in\n"
    for command in commands {
        let flags = (command.options + globalOptions).map { "--\($0.name)" }.joined(separator: " ")
        text += "        \(command.name)) [[ $word == -* ]]"
        text += " && { COMPREPLY=($(compgen -W \"\(flags)\" -- \"$word\")); return; } ;;\n"
    }
    return text + """
            esac
            COMPREPLY=($(compgen -f -- "$word"))
        }
        complete -o filenames -F _martlet martlet

        """
}

private func zshCompletions(_ commands: [CommandSpec]) -> String {
    func quoted(_ text: String) -> String {
        text.replacing("'", with: "").replacing("[", with: "(").replacing("]", with: ")")
            .replacing(":", with: ",")
    }
    var text = "#compdef martlet\n_martlet() {\n    local -a verbs\n    verbs=(\n"
    for command in commands { text += "        '\(command.name):\(quoted(command.summary))'\n" }
    text += "    )\n    if (( CURRENT == 2 )); then _describe verb verbs; return; fi\n"
    text += "    case ${words[2]} in\n"
    for command in commands {
        text += "        \(command.name)) _arguments"
        for option in command.options + globalOptions {
            text += " '--\(option.name)[\(quoted(option.help))]"
            if !option.choices.isEmpty {
                text += ":value:(\(option.choices.joined(separator: " ")))"
            } else if option.placeholder != nil, !option.isValueOptional {
                text += ":value:_files"
            }
            text += "'"
        }
        text += " '*:file:_files' ;;\n"
    }
    return text + "    esac\n}\n_martlet \"$@\"\n"
}

private func fishCompletions(_ commands: [CommandSpec]) -> String {
    func quoted(_ text: String) -> String { text.replacing("'", with: "\\'") }
    var text = ""
    for command in commands {
        text += "complete -c martlet -n __fish_use_subcommand -f -a \(command.name)"
        text += " -d '\(quoted(command.summary))'\n"
        for option in command.options + globalOptions {
            text += "complete -c martlet -n '__fish_seen_subcommand_from \(command.name)'"
            text += " -l \(option.name) -d '\(quoted(option.help))'"
            if let short = option.short { text += " -s \(short)" }
            if !option.choices.isEmpty {
                text += " -x -a '\(option.choices.joined(separator: " "))'"
            } else if option.placeholder != nil, !option.isValueOptional {
                text += " -r"
            }
            text += "\n"
        }
    }
    return text
}
