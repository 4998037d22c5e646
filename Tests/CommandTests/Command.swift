import Foundation
import Testing

/// One run of the built program: what it printed and how it ended.
struct CommandRun {
    var output: String
    var errors: String
    var code: Int32
}

/// A folder for one test, gone with it.
final class Workspace {
    let path: String

    init(_ files: [String: String] = [:]) throws {
        path = NSTemporaryDirectory() + "martlet-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, text) in files { try write(name, text) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }

    func write(_ name: String, _ data: Data) throws {
        let file = URL(fileURLWithPath: path).appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
    }

    func read(_ name: String) throws -> String {
        try String(contentsOfFile: path + "/" + name, encoding: .utf8)
    }

    /// Runs `martlet` in this folder and waits for its end.
    func martlet(
        _ arguments: String..., input: String = "", environment: [String: String] = [:]
    ) throws -> CommandRun {
        let process = try start(arguments, environment: environment)
        try process.send(input)
        try process.closeInput()
        return try process.wait()
    }

    /// Starts `martlet` and leaves it running; its input stays open.
    func start(_ arguments: [String], environment: [String: String] = [:]) throws -> RunningCommand
    {
        try RunningCommand(arguments, folder: path, environment: environment)
    }
}

final class RunningCommand {
    private let process = Process()
    private let outputFile: URL
    private let errorFile: URL
    private let inputPipe = Pipe()

    init(_ arguments: [String], folder: String, environment: [String: String]) throws {
        let base = NSTemporaryDirectory() + "martlet-run-\(UUID().uuidString)"
        outputFile = URL(fileURLWithPath: base + ".out")
        errorFile = URL(fileURLWithPath: base + ".err")
        // Files, not pipes: a pipe that nobody empties would stop the program.
        try Data().write(to: outputFile)
        try Data().write(to: errorFile)
        process.executableURL = URL(fileURLWithPath: martletBinary)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = inputPipe
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)
        try process.run()
    }

    deinit {
        if process.isRunning { process.terminate() }
        try? FileManager.default.removeItem(at: outputFile)
        try? FileManager.default.removeItem(at: errorFile)
    }

    /// Writes to its standard input. Text that it no longer reads is lost, as in a shell.
    func send(_ text: String) throws {
        signal(SIGPIPE, SIG_IGN)
        try? inputPipe.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    }

    func closeInput() throws { try inputPipe.fileHandleForWriting.close() }

    /// What it has printed so far.
    func output() throws -> String { try String(contentsOf: outputFile, encoding: .utf8) }

    func errors() throws -> String { try String(contentsOf: errorFile, encoding: .utf8) }

    /// Waits until the condition holds or ten seconds have passed.
    func wait(until condition: () throws -> Bool) throws -> Bool {
        for _ in 0..<500 {
            if try condition() { return true }
            usleep(20_000)
        }
        return false
    }

    func interrupt() { process.interrupt() }

    func hangUp() { kill(process.processIdentifier, SIGHUP) }

    /// Closes its input and waits for the end.
    func finish() throws -> CommandRun {
        try closeInput()
        return try wait()
    }

    /// Waits for the end; a program that does not end within a minute is killed, which shows as
    /// the code -1.
    func wait() throws -> CommandRun {
        for _ in 0..<3000 where process.isRunning { usleep(20_000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        let code = process.terminationReason == .exit ? process.terminationStatus : -1
        return CommandRun(output: try output(), errors: try errors(), code: code)
    }
}

/// The program that this build made.
private let martletBinary: String = {
    if let given = ProcessInfo.processInfo.environment["MARTLET_BINARY"] { return given }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    return root.appendingPathComponent(".build/debug/martlet").path
}()
