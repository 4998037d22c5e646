import RuleImport
import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// `martlet import sigma|eql PATH...`: rules of other languages as rules of ours.
let importCommand = CommandSpec(
    name: "import", summary: "turn Sigma rules and EQL queries into rules of ours",
    positionals: "sigma|eql PATH...",
    options: [
        OptionSpec(
            "output", short: "o", value: "DIR",
            "write a .rules file for each input, and schema.rules, into this folder"),
        OptionSpec("report", value: "FILE", "write what was lost or changed as JSON"),
        OptionSpec(
            "mapping", value: "FILE",
            "sigma: event types and field names for log sources; may be given several times"),
        OptionSpec(
            "values", value: "FILE",
            "sigma: values for placeholders; may be given several times"),
        OptionSpec("event", value: "NAME", "eql: the type of all events (default: ecs.event)"),
        OptionSpec(
            "category-field", value: "FIELD",
            "eql: the field with an event's category (default: event.category)"),
    ],
    notes: [
        """
        Paths are files, folders (all .yml and .yaml files below them, or all .eql files), or `-` for
        standard input. All are read together, so that correlations find their rules. Without --output the rules go
        to standard output as one file. What cannot be kept exactly is said on standard error, never
        guessed; exit 1 when a rule was lost. The page manual/import.md says what becomes what.
        """
    ],
    examples: [
        "martlet import sigma rules/windows -o imported --report loss.json",
        "martlet import sigma rule.yml --mapping ecs.yml > rule.rules",
        "martlet import eql queries/ -o imported --event endpoint.event",
    ]
) { arguments throws(Failure) in
    let console = Console(arguments)
    guard let language = arguments.positionals.first else {
        throw Failure(
            .badUsage, "what to import is not said",
            help: "write `import sigma PATH...` or `import eql PATH...`")
    }
    let paths = Array(arguments.positionals.dropFirst())
    guard !paths.isEmpty else {
        throw Failure(
            .badUsage, "no file is named", help: "write `martlet import \(language) PATH...`")
    }
    var inputs = ImportInputs()
    let result: ImportResult
    switch language {
    case "sigma":
        inputs.add(paths, endings: [".yml", ".yaml"])
        result = importSigma(
            inputs.files,
            options: SigmaImportOptions(
                mappings: try readAll(arguments.values("mapping")),
                values: try readAll(arguments.values("values"))))
    case "eql":
        inputs.add(paths, endings: [".eql"])
        result = importEQL(
            inputs.files,
            options: EQLImportOptions(
                event: arguments.value("event") ?? "ecs.event",
                categoryField: arguments.value("category-field") ?? "event.category"))
    default:
        throw Failure(
            .badUsage, "`\(language)` cannot be imported",
            help: "`sigma` and `eql` can: write `import sigma PATH...`")
    }
    for problem in inputs.problems { console.warn("martlet: \(problem)") }
    for note in result.notes { console.warn(note.text) }
    if let folder = arguments.value("output") {
        try write(result, into: folder)
    } else if !result.files.isEmpty {
        writeAll(1, Array(result.singleFile.utf8))
    }
    if let path = arguments.value("report") { try write(result.report, to: path) }
    let changed = result.notes.count { $0.kind == .changed }
    console.note(
        "\(result.keptCount) of \(counted(result.ruleCount, "rule")) imported"
            + (changed > 0 ? "; \(counted(changed, "difference")) stated above" : ""))
    if !inputs.problems.isEmpty { return .badRules }
    return result.keptCount == result.ruleCount ? .fine : .findings
}

/// The files that an import reads.
private struct ImportInputs {
    var files: [ImportInput] = []
    /// One sentence for each file or folder that could not be read.
    var problems: [String] = []

    mutating func add(_ paths: [String], endings: [String]) {
        for path in paths {
            if path == "-" {
                guard let bytes = readAll(0) else {
                    problems.append("cannot read standard input: \(systemError())")
                    continue
                }
                files.append(ImportInput(name: "standard input", bytes: bytes))
            } else {
                add(path, endings: endings, isArgument: true)
            }
        }
    }

    private mutating func add(_ path: String, endings: [String], isArgument: Bool) {
        switch fileKind(path) {
        case .folder:
            guard let names = folderEntries(path) else {
                problems.append("cannot read the folder `\(path)`: \(systemError())")
                return
            }
            for name in names where !name.hasPrefix(".") {
                let child = path.hasSuffix("/") ? path + name : path + "/" + name
                if fileKind(child) == .folder || endings.contains(where: name.hasSuffix) {
                    add(child, endings: endings, isArgument: false)
                }
            }
        case .file:
            guard let bytes = readFile(path) else {
                problems.append("cannot read `\(path)`: \(systemError())")
                return
            }
            files.append(ImportInput(name: path, bytes: bytes))
        case .absent: problems.append("there is no file `\(path)`")
        }
    }
}

private func readAll(_ paths: [String]) throws(Failure) -> [ImportInput] {
    var inputs: [ImportInput] = []
    for path in paths {
        guard let bytes = readFile(path) else {
            throw Failure(.badUsage, "cannot read `\(path)`: \(systemError())")
        }
        inputs.append(ImportInput(name: path, bytes: bytes))
    }
    return inputs
}

/// Writes a file for each input and the one that declares what all of them use.
private func write(_ result: ImportResult, into folder: String) throws(Failure) {
    try makeFolder(folder)
    let base = folder.hasSuffix("/") ? folder : folder + "/"
    var names = NameTable()
    _ = names.unique("schema")
    let stems = result.files.map { names.unique(fileStem(of: $0.input)) }
    for (file, name) in zip(result.files, stems) {
        let imports = (result.schema.isEmpty ? [] : ["schema"]) + file.uses.map { stems[$0] }
        let head = imports.map { "import \"\($0).rules\"\n" }.joined()
        try write(head + (head.isEmpty ? "" : "\n") + file.text, to: base + name + ".rules")
    }
    if !result.schema.isEmpty { try write(result.schema, to: base + "schema.rules") }
}

private func write(_ text: String, to path: String) throws(Failure) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
        throw Failure(.failed, "cannot write `\(path)`: \(systemError())")
    }
    let isWritten = writeAll(descriptor, Array(text.utf8))
    let reason = systemError()
    guard close(descriptor) == 0, isWritten else {
        throw Failure(.failed, "cannot write `\(path)`: \(reason)")
    }
}
