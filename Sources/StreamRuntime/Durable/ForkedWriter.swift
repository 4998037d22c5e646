import CSystem
import Glibc

/// A copy of this process that writes one file from memory as it was when the copy was made, while
/// this one goes on.
///
/// The system shares the pages of both until one of them writes, so making a copy takes about 25 ms
/// for each gigabyte, whatever is in it. The copy has one thread. A lock that another thread held
/// stays locked in it for ever, so it may only do what needs no lock that others use: read memory,
/// ask for memory (the C library sees to that), write to its file. Should it wait for a lock all the
/// same, `wait` notices and ends it.
struct ForkedWriter: Sendable {
    enum Outcome: Sendable {
        case written
        /// It was not wanted any more.
        case stopped
        case failed(DiskError)
        /// It ended, or was ended, before it had written all; for a sentence.
        case ended(String)
    }

    private let process: pid_t
    private let path: String

    /// Starts the copy, in which the body is run.
    ///
    /// - Returns: nil when the system refuses, for want of memory or processes.
    init?(
        file: any DiskFile, descriptor: Int32, path: String,
        _ body: (any DiskFile) throws(DiskError) -> Void
    ) {
        self.path = path
        process = forkForFile(descriptor)
        if process < 0 { return nil }
        guard process == 0 else { return }
        do throws(DiskError) {
            try body(file)
            try file.sync()
            _exit(0)
        } catch {
            // Errors of the system have small numbers.
            _exit(error.code > 0 && error.code < 256 ? error.code : EIO)
        }
    }

    /// Waits for the end.
    ///
    /// - Parameters:
    ///   - idleSeconds: A copy that has slept for so long without a stroke of work will never wake.
    ///   - isUnwanted: Asked every few milliseconds whether to stop it.
    func wait(idleSeconds: Double = 30, isUnwanted: () -> Bool) -> Outcome {
        var status: Int32 = 0
        var lastWork = ""
        var idleSince = RuntimeClock.system.now()
        var isStopped = false
        while true {
            let ended = waitpid(process, &status, WNOHANG)
            if ended == process { break }
            if ended < 0, errno != EINTR { return .ended("went astray: \(systemError())") }
            if !isStopped, isUnwanted() {
                kill(process, SIGKILL)
                isStopped = true
            }
            let work = processorTime
            let now = RuntimeClock.system.now()
            if work != lastWork { (lastWork, idleSince) = (work, now) }
            if Double(now - idleSince) / 1e9 > idleSeconds { kill(process, SIGKILL) }
            usleep(5_000)
        }
        if status == 0 { return .written }
        if isStopped { return .stopped }
        let code = status >> 8 & 0xFF
        if status & 0x7F == 0 {
            return .failed(
                DiskError("written", path, code: code, reason: String(cString: strerror(code))))
        }
        return .ended("was ended by signal \(status & 0x7F)")
    }

    /// What the copy has done so far, or a new text each time while it waits for the disk.
    private var processorTime: String {
        let file = open("/proc/\(process)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = max(0, read(file, &bytes, bytes.count))
        // The name stands in brackets and may hold anything.
        guard let bracket = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else { return "" }
        let words = bytes[(bracket + 1)..<count].split(separator: UInt8(ascii: " "))
        // The state, and behind it as the 12th and 13th the time in the program and in the system.
        guard words.count > 12 else { return "" }
        if words[0].elementsEqual([UInt8(ascii: "D")]) {
            return "disk \(RuntimeClock.system.now())"
        }
        return String(decoding: words[11] + words[12], as: UTF8.self)
    }
}
