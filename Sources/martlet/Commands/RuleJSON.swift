import RuleSyntax
import StreamRuntime

/// `martlet to-json`: rule files for programs.
let toJSONCommand = CommandSpec(
    name: "to-json", summary: "print rule files as JSON, without losing anything",
    positionals: "[PATH]...",
    options: [
        OptionSpec("schema", "print the JSON Schema of what is printed and read"),
        OptionSpec("stdin", "read one file from standard input"),
    ],
    notes: [
        """
        One object a line for each file: the tree of its clauses with their comments. `from-json` makes
        the canonical form of the same file of it (`martlet fmt`), comments and empty lines included.
        """
    ],
    examples: [
        "martlet to-json rules/ssh/guessing.rules | jq '.clauses[] | select(.word == \"rule\") | .name'",
        "martlet to-json --schema",
    ]
) { arguments throws(Failure) in
    let console = Console(arguments)
    if arguments.has("schema") {
        console.print(RuleJSON.schema)
        return .fine
    }
    var files: RuleFiles
    if arguments.has("stdin") {
        guard let bytes = readAll(0) else {
            throw Failure(.badRules, "cannot read standard input: \(systemError())")
        }
        files = RuleFiles(paths: [])
        files.add(SourceText(id: SourceID(rawValue: 0), name: "standard input", bytes: bytes))
    } else {
        files = RuleFiles(paths: rulePaths(arguments.positionals))
    }
    var code = ExitCode.fine
    for problem in files.problems {
        console.warn("martlet: \(problem)")
        code = .badRules
    }
    for source in files.sources {
        guard let text = try canonical(source, files.sources, console) else {
            code = .badRules
            continue
        }
        do throws(RuleJSON.Fault) {
            let document = JSONDocument.object([
                ("schema", 1), ("file", .text(source.name)),
                ("clauses", .array(try RuleJSON.clauses(of: text))),
            ])
            // What would not come back is not handed out.
            let back = SourceText(name: source.name, text: try RuleJSON.text(of: document).text)
            guard format(parse(back), source: back) == text else {
                throw RuleJSON.Fault("the JSON form would not hold all of it")
            }
            console.print(document.line)
        } catch {
            throw Failure(.failed, "`\(source.name)`: \(error.message)")
        }
    }
    return code
}

/// `martlet from-json`: the rule file that a JSON form stands for.
let fromJSONCommand = CommandSpec(
    name: "from-json", summary: "print the rule file that a JSON form stands for",
    positionals: "[FILE]",
    options: [],
    notes: [
        """
        FILE holds one object as `to-json` prints it; without one it is read from standard input. What
        is printed is formatted. `martlet to-json --schema` says what the object may hold.
        """
    ],
    examples: [
        "martlet to-json a.rules | martlet from-json", "martlet from-json made.json > made.rules",
    ]
) { arguments throws(Failure) in
    let console = Console(arguments)
    let path = arguments.positionals.first ?? "-"
    guard arguments.positionals.count < 2 else {
        throw Failure(.badUsage, "`from-json` reads one file, and got more")
    }
    guard let bytes = path == "-" ? readAll(0) : readFile(path) else {
        throw Failure(.badRules, "cannot read `\(path)`: \(systemError())")
    }
    let document = try jsonDocument(bytes, path)
    let made: RuleJSON.Text
    do throws(RuleJSON.Fault) {
        made = try RuleJSON.text(of: document)
    } catch {
        throw Failure(
            .badRules, error.message,
            help: error.help ?? "`martlet to-json --schema` prints the form")
    }
    let source = SourceText(name: "the rules", text: made.text)
    guard let formatted = try canonical(source, [source], console) else {
        // The text is nobody's file: its lines are told by the clauses that they were made of.
        var told: Set<Int> = []
        for diagnostic in parse(source).diagnostics {
            let line = source.line(at: diagnostic.primary.range.start)
            guard line < made.places.count, told.insert(line).inserted else { continue }
            console.warn("line \(line + 1) of the rules is made of `\(made.places[line])`")
        }
        return .badRules
    }
    writeAll(1, Array(formatted.utf8))
    return .fine
}

private func jsonDocument(_ bytes: [UInt8], _ path: String) throws(Failure) -> JSONDocument {
    let name = path == "-" ? "standard input" : path
    let help = "one object, as `martlet to-json` prints on one line for each file"
    guard String(validating: bytes, as: UTF8.self) != nil else {
        throw Failure(.badRules, "`\(name)` is no JSON: it is not UTF-8", help: help)
    }
    do throws(JSONDocument.Fault) {
        return try JSONDocument(parsing: bytes)
    } catch {
        let source = SourceText(id: SourceID(rawValue: 0), name: name, bytes: bytes)
        let (line, column) = source.position(at: UInt32(error.offset))
        throw Failure(
            .badRules, "`\(name)` is no JSON: \(error.reason) at line \(line), column \(column)",
            help: help)
    }
}

/// The canonical form; nil after its errors were shown.
private func canonical(
    _ source: SourceText, _ sources: [SourceText], _ console: Console
) throws(Failure) -> String? {
    let parsed = parse(source)
    if let formatted = format(parsed, source: source) { return formatted }
    console.warn(parsed.diagnostics, of: sources)
    return nil
}
