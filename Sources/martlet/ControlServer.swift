import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// What a running engine answers to a command: what the command prints, and its exit code.
struct ControlAnswer: Sendable {
    var code: Int32 = 0
    var output = ""
    var errors = ""

    /// An answer that only says what is wrong.
    init(_ failure: Failure) {
        self.init(code: failure.code.rawValue, errors: failure.text)
    }

    var line: String {
        JSONDocument.object([
            ("code", .number(Int(code))), ("output", .text(output)), ("errors", .text(errors)),
        ]).line
    }

    /// Nil for what is no answer.
    init?(line: String) {
        guard let document = try? JSONDocument(parsing: Array(line.utf8)),
            case .number(let code)? = document["code"],
            case .text(let output)? = document["output"],
            case .text(let errors)? = document["errors"]
        else { return nil }
        self.init(code: Int32(truncatingIfNeeded: code), output: output, errors: errors)
    }

    init(code: Int32 = 0, output: String = "", errors: String = "") {
        self.code = code
        self.output = output
        self.errors = errors
    }
}

/// What may be asked of a running engine.
struct ControlRequest {
    enum Verb: String, CaseIterable { case reload, status, explain }

    var verb: Verb
    var isJSON = false
    var isDryRun = false
    var waits = false
    /// With `explain`: the rule, the key, and whether everything is shown.
    var rule: String?
    var key: String?
    var showsAll = false

    init(_ verb: Verb, isJSON: Bool) {
        self.verb = verb
        self.isJSON = isJSON
    }

    var line: String {
        JSONDocument.object([
            ("verb", .text(verb.rawValue)), ("json", .bool(isJSON)), ("dry_run", .bool(isDryRun)),
            ("wait", .bool(waits)), ("rule", rule.map { .text($0) } ?? .null),
            ("key", key.map { .text($0) } ?? .null), ("all", .bool(showsAll)),
        ]).line
    }

    /// - Throws: what is wrong with a line that asks for nothing.
    init(line: String) throws(Failure) {
        let document: JSONDocument
        do throws(JSONDocument.Fault) {
            document = try JSONDocument(parsing: Array(line.utf8))
        } catch {
            throw Failure(
                .badUsage,
                "a request is one JSON object on a line, and this is none: \(error.reason)")
        }
        guard case .text(let name)? = document["verb"], let verb = Verb(rawValue: name) else {
            let verbs = Verb.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            throw Failure(.badUsage, "the `verb` of a request is one of \(verbs)")
        }
        self.init(verb, isJSON: document["json"] == true)
        isDryRun = document["dry_run"] == true
        waits = document["wait"] == true
        rule = document["rule"]?.text
        key = document["key"]?.text
        showsAll = document["all"] == true
    }
}

/// Where the engines of a user have their sockets when nothing else is said: a folder for the owner
/// only.
func controlFolder() -> String {
    if let runtime = environmentVariable("XDG_RUNTIME_DIR"), !runtime.isEmpty {
        return runtime + "/martlet"
    }
    return "/tmp/martlet-\(geteuid())"
}

/// Sends a request to the engine that the arguments name, and answers as it does.
func ask(_ request: ControlRequest, _ arguments: ParsedArguments) throws(Failure) -> ExitCode {
    let path = try controlPath(arguments)
    let line: String
    do throws(ControlSocket.Failure) {
        line = try ControlSocket.ask(
            request.line, at: path, waitingAtMost: request.waits ? nil : 60)
    } catch {
        throw Failure(
            .failed, "\(error)", help: "is the engine running? `martlet run` makes the socket")
    }
    guard let answer = ControlAnswer(line: line) else {
        throw Failure(.failed, "the engine at `\(path)` is busy with other requests; try again")
    }
    writeAll(2, Array(answer.errors.utf8))
    writeAll(1, Array(answer.output.utf8))
    return ExitCode(rawValue: answer.code) ?? .failed
}

/// The socket that `--control` names, or that of the one engine that runs.
private func controlPath(_ arguments: ParsedArguments) throws(Failure) -> String {
    if let path = arguments.value("control") { return path }
    if let folder = arguments.value("data") { return controlPath(inData: folder) }
    let folder = controlFolder()
    try checkOwner(folder)
    let paths = (folderEntries(folder) ?? []).filter { $0.hasSuffix(".sock") }
        .map { folder + "/" + $0 }
    let living = paths.filter { ControlSocket.isHeard(at: $0) }
    switch living.count {
    case 1: return living[0]
    case 0:
        throw Failure(
            .failed, "no engine of this user is running",
            help:
                "one with a data folder is asked with `--data DIR`, one with `--control PATH` likewise"
        )
    default:
        throw Failure(
            .badUsage, "\(living.count) engines are running, and which one is not said",
            help: "add one of " + living.map { "`--control \($0)`" }.joined(separator: ", "))
    }
}

/// Nobody else may have made the folder first, to be asked in our place.
func checkOwner(_ folder: String) throws(Failure) {
    var information = stat()
    guard lstat(folder, &information) == 0 else { return }
    guard information.st_uid == geteuid(), information.st_mode & S_IFMT == S_IFDIR,
        information.st_mode & 0o022 == 0
    else {
        throw Failure(
            .badUsage, "`\(folder)` is not a folder that only this user can write to",
            help: "name a socket with `--control PATH`")
    }
}
