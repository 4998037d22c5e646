import Foundation
import RuleModel
import Synchronization

/// Appends alerts to a file.
///
/// Before an alert counts as delivered, its line is durable. After a crash the lines behind the last
/// noted size are looked through, so that none is written twice, and a torn last line is cut off.
public final class FileSink: Sink {
    private struct State {
        var descriptor: Int32 = -1
        var identity: FileIdentity?
        /// The size with the last alert that is known to be done: a crash is looked for behind it.
        var mark = 0
        /// Lines that were written and not noted before the crash.
        var tail: [[UInt8]: Int] = [:]
        var buffer: [UInt8] = []
    }

    private let path: String
    private let form: AlertForm
    private let state = Mutex(State())

    /// The file is opened with the first use of the sink.
    public init(path: String, form: AlertForm) {
        self.path = path
        self.form = form
    }

    deinit { state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

    /// See `Sink`.
    public var promise: SinkPromise {
        .effectivelyOnce("the file is looked through after a crash")
    }
    /// See `Sink`.
    public var inFlightMax: Int { 1024 }
    /// See `Sink`.
    public var isConcurrent: Bool { false }
    /// See `Sink`.
    public var mark: Int { state.withLock(\.mark) }

    /// See `Sink`.
    public func open(mark: Int) throws(SinkError) {
        let reason: String? = state.withLock { state in
            reopen(&state) ?? readTail(&state, from: mark)
        }
        if let reason { throw SinkError("`\(path)` \(reason)") }
    }

    /// See `Sink`.
    public func holds(_ entry: OutboxEntry) -> Bool {
        state.withLock { state in
            if state.tail.isEmpty { return false }
            var line: [UInt8] = []
            form.append(entry, to: &line)
            guard let count = state.tail[line], count > 0 else { return false }
            state.tail[line] = count == 1 ? nil : count - 1
            return true
        }
    }

    /// See `Sink`.
    public func probe() -> ProbeResult { FileSink.probe(path) }

    /// Whether this process can write a file, or make it.
    static func probe(_ path: String) -> ProbeResult {
        var information = stat()
        guard stat(path, &information) == 0 else {
            let folder = parentFolder(path)
            guard access(folder, W_OK) == 0 else {
                return .unreachable(
                    "`\(path)` is not there, and cannot be made: \(systemError())",
                    fix: "make the folder `\(folder)`, for the user of the engine")
            }
            return .reached("`\(path)` is not there yet, and is made")
        }
        if information.st_mode & S_IFMT == S_IFDIR {
            return .unreachable("`\(path)` is a folder", fix: "name a file in it")
        }
        guard access(path, W_OK) == 0 else {
            return .unreachable(
                "`\(path)` cannot be written: \(systemError())",
                fix: "give the file to the user of the engine")
        }
        return .reached("`\(path)` can be written")
    }

    /// See `Sink`.
    public func deliver(_ entries: [OutboxEntry]) -> [DeliveryResult] {
        state.withLock { state in
            func all(_ reason: String) -> [DeliveryResult] {
                entries.map { _ in
                    .failed("`\(path)` \(reason)", retryAfterSeconds: nil)
                }
            }
            // A file that was taken away for rotation is made anew.
            if FileIdentity(path: path) != state.identity, let reason = reopen(&state) {
                return all(reason)
            }
            state.buffer.removeAll(keepingCapacity: true)
            for entry in entries { form.append(entry, to: &state.buffer) }
            if let reason = write(&state) { return all(reason) }
            return entries.map { _ in .done }
        }
    }

    /// A sentence when it fails; then nothing has been added.
    private func write(_ state: inout State) -> String? {
        let start = Int(lseek(state.descriptor, 0, SEEK_END))
        guard writeAll(state.descriptor, state.buffer) else {
            let reason = "cannot be written: " + systemError()
            if start >= 0 { ftruncate(state.descriptor, off_t(start)) }
            return reason
        }
        // Of a pipe or a device nothing can be made durable.
        if start >= 0, fdatasync(state.descriptor) != 0, errno != EINVAL {
            return "cannot be made durable: " + systemError()
        }
        state.mark = max(0, Int(lseek(state.descriptor, 0, SEEK_END)))
        return nil
    }

    private func reopen(_ state: inout State) -> String? {
        if state.descriptor >= 0 { close(state.descriptor) }
        state.descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        if state.descriptor < 0 { return "cannot be opened: " + systemError() }
        state.identity = FileIdentity(path: path)
        return nil
    }

    /// Reads the lines behind the mark, and cuts off one that the crash has torn.
    private func readTail(_ state: inout State, from mark: Int) -> String? {
        let size = Int(lseek(state.descriptor, 0, SEEK_END))
        state.mark = min(mark, max(0, size))
        // A file that is shorter has been exchanged: what is in it is not ours to judge.
        guard size > mark else { return nil }
        var bytes = [UInt8](repeating: 0, count: size - mark)
        let count = pread(state.descriptor, &bytes, bytes.count, off_t(mark))
        guard count == bytes.count else { return "cannot be read: " + systemError() }
        let end = (bytes.lastIndex(of: 0x0A) ?? -1) + 1
        for line in bytes[..<end].split(separator: 0x0A) {
            state.tail[Array(line) + [0x0A], default: 0] += 1
        }
        if end < bytes.count {
            guard ftruncate(state.descriptor, off_t(mark + end)) == 0 else {
                return "cannot be cut to its last whole line: " + systemError()
            }
        }
        return nil
    }
}
