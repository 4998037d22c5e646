import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// `martlet fmt`: one form for every rule file.
let formatCommand = CommandSpec(
    name: "fmt", summary: "rewrite rule files in the one canonical form",
    positionals: "[PATH]...",
    options: [
        OptionSpec("check", "change nothing; exit 1 and name the files that would change"),
        OptionSpec("diff", "change nothing; print what would change, and exit 1 if anything would"),
        OptionSpec("stdin", "read one file from standard input, write it to standard output"),
    ],
    notes: [
        """
        Paths are files or folders; without one, the folder `rules` or else this one. Comments and
        single blank lines are kept. A file with a syntax error is left as it is (exit 2).
        """
    ],
    examples: ["martlet fmt rules/", "martlet fmt --diff rules/ssh/brute_force.rules"]
) { arguments throws(Failure) in
    let console = Console(arguments)
    if arguments.has("stdin") { return try formatStandardInput(console) }
    let files = RuleFiles(paths: rulePaths(arguments.positionals))
    var code = ExitCode.fine
    var changed = 0
    for problem in files.problems {
        console.warn("martlet: \(problem)")
        code = .badRules
    }
    for source in files.sources {
        let parsed = parse(source)
        guard let formatted = format(parsed, source: source) else {
            console.warn(parsed.diagnostics, of: files.sources)
            code = .badRules
            continue
        }
        guard Array(formatted.utf8) != source.bytes else { continue }
        changed += 1
        if arguments.has("diff") {
            let old = String(decoding: source.bytes, as: UTF8.self)
            writeAll(1, Array(unifiedDiff(old: old, new: formatted, name: source.name).utf8))
        } else if arguments.has("check") {
            console.print(source.name)
        } else {
            try replaceFile(source.name, with: Array(formatted.utf8))
            console.note("formatted \(source.name)")
        }
    }
    if arguments.has("check") || arguments.has("diff") {
        if changed > 0, code == .fine { code = .findings }
        console.note("\(changed) of \(counted(files.sources.count, "file")) would change")
    } else {
        console.note("\(changed) of \(counted(files.sources.count, "file")) changed")
    }
    return code
}

private func formatStandardInput(_ console: Console) throws(Failure) -> ExitCode {
    guard let bytes = readAll(0) else {
        throw Failure(.badRules, "cannot read standard input: \(systemError())")
    }
    let source = SourceText(id: SourceID(rawValue: 0), name: "standard input", bytes: bytes)
    let parsed = parse(source)
    guard let formatted = format(parsed, source: source) else {
        console.warn(parsed.diagnostics, of: [source])
        return .badRules
    }
    writeAll(1, Array(formatted.utf8))
    return .fine
}

/// Makes a folder to write into, unless it is there.
func makeFolder(_ path: String) throws(Failure) {
    guard fileKind(path) != .file else {
        throw Failure(.badUsage, "`\(path)` is a file, and a folder is needed")
    }
    if mkdir(path, 0o777) != 0, errno != EEXIST {
        throw Failure(.failed, "cannot make the folder `\(path)`: \(systemError())")
    }
}

/// Writes a whole file or leaves the old one: through a temporary file beside it.
func replaceFile(_ path: String, with bytes: [UInt8]) throws(Failure) {
    // A link is followed, so that the file behind it changes and the link stays.
    let target = canonicalPath(path)
    let temporary = target + ".martlet-\(getpid())"
    var information = stat()
    let mode = stat(target, &information) == 0 ? information.st_mode & 0o777 : 0o644
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else {
        throw Failure(.failed, "cannot write beside `\(path)`: \(systemError())")
    }
    let written = writeAll(descriptor, bytes) && fsync(descriptor) == 0
    close(descriptor)
    guard written, rename(temporary, target) == 0 else {
        let reason = systemError()
        unlink(temporary)
        throw Failure(.failed, "cannot write `\(path)`: \(reason)", help: "the file is unchanged")
    }
}

/// The paths a command works on when none was given.
func rulePaths(_ positionals: [String]) -> [String] {
    if !positionals.isEmpty { return positionals }
    return [fileKind("rules") == .folder ? "rules" : "."]
}
