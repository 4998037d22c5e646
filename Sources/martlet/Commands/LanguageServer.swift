import LanguageServer
import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// `martlet lsp`: the language server for editors.
let languageServerCommand = CommandSpec(
    name: "lsp", summary: "serve an editor over standard input and output",
    positionals: "", options: [],
    notes: [
        """
        Speaks the language server protocol 3.17. Editors start it; there is nothing to type. The
        rule files of a workspace folder are compiled together: those below its folder `rules`, or
        else below the folder itself. An open file outside goes with the files beside it.
        Exits with 0 after `shutdown` and `exit`, with 1 when the client goes away without them or
        sends what is no message. `manual/editor.md` shows how to set up editors.
        """
    ],
    examples: ["martlet lsp"]
) { arguments throws(Failure) in
    guard arguments.positionals.isEmpty else {
        throw Failure(
            .badUsage, "`lsp` takes no path",
            help: "the editor says which folder it has open")
    }
    return serve(Console(arguments))
}

/// Reads messages until the client says `exit` or goes away.
private func serve(_ console: Console) -> ExitCode {
    var server = LanguageServer(environment: serverEnvironment())
    var reader = FrameReader()
    while true {
        let messages: [ReceivedMessage]
        do throws(FrameFault) {
            guard let read = try nextMessages(&reader) else {
                console.warn("martlet: the editor went away without `exit`")
                return .findings
            }
            messages = read
        } catch {
            // Nobody knows where the next message begins.
            console.warn("martlet: standard input is not a stream of messages: \(error.reason)")
            return .findings
        }
        var output: [UInt8] = []
        for message in server.receive(messages) { output += frame(message) }
        guard writeAll(1, output) else {
            console.warn("martlet: the editor reads no more: \(systemError())")
            return .findings
        }
        if let code = server.exitCode { return code == 0 ? .fine : .findings }
    }
}

/// All messages that have arrived, at least one; nil at the end of the stream.
///
/// Those that arrived together are worked on together, so that a file is compiled once for a burst of
/// key strokes.
private func nextMessages(_ reader: inout FrameReader) throws(FrameFault) -> [ReceivedMessage]? {
    var messages: [ReceivedMessage] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while messages.isEmpty || hasInput() {
        let count = read(0, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        // What was understood before the end is still worked on; the end is met again.
        if count <= 0 { return messages.isEmpty ? nil : messages }
        messages += try reader.append(buffer[0..<count])
    }
    return messages
}

/// Whether a read would not wait.
private func hasInput() -> Bool {
    var descriptor = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, 0) > 0
}

private func serverEnvironment() -> ServerEnvironment {
    ServerEnvironment(
        filesBelow: { RuleFiles(paths: [$0]).sources },
        filesIn: { folder in
            let names = folderEntries(folder) ?? []
            let paths = names.filter { $0.hasSuffix(".rules") && !$0.hasPrefix(".") }
                .map { folder + "/" + $0 }
            return RuleFiles(paths: paths.filter { fileKind($0) == .file }).sources
        },
        readFile: { readFile($0) },
        isFolder: { fileKind($0) == .folder },
        identity: canonicalPath,
        zones: knownZones,
        runTests: runTests,
        version: versionNumber)
}

/// Runs tests as `martlet test` does, and says the same in few lines.
private func runTests(_ compilation: Compilation, _ tests: [TestPlan])
    -> ServerEnvironment.TestReport
{
    let lists: [ListID: ListTable]
    do throws(Failure) {
        lists = try loadLists(compilation.tables.lists)
    } catch {
        return ServerEnvironment.TestReport(passed: false, text: error.message)
    }
    var lines: [String] = []
    var failed = 0
    for test in tests {
        let result = runTest(test, of: compilation, lists: lists)
        if result.wasSkipped {
            lines.append("skipped: \(test.title): its rule is switched off")
        }
        guard let failure = result.failures.first else { continue }
        failed += 1
        lines.append("failed: \(test.title)")
        lines.append("expected: \(failure.expected)")
        lines.append(
            "got: \(failure.got.isEmpty ? "no alert at all" : failure.got.joined(separator: "; "))")
        lines += failure.because.map { "because: \($0)" }
    }
    let skipped = lines.count { $0.hasPrefix("skipped: ") }
    let passed = tests.count - failed - skipped
    lines.insert("\(passed) passed, \(failed) failed", at: 0)
    return ServerEnvironment.TestReport(passed: failed == 0, text: lines.joined(separator: "\n"))
}
