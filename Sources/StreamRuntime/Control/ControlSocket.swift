import Foundation
import Synchronization

/// A Unix socket through which the owner of the process talks to it: one line of text in, one out,
/// and the connection is closed.
///
/// Nothing that comes in harms the process: a line has a length and a time in which it must come, only
/// so many connections are open at once, and only the owner of the process and root are heard.
public final class ControlSocket: Sendable {
    /// Why there is no socket, or nobody behind it.
    public struct Failure: Error, CustomStringConvertible, Sendable {
        public var description: String
    }

    /// The longest request, in bytes.
    static let requestMax = 64 << 10
    /// How long a request may take to come, and an answer to be taken.
    static let patienceSeconds = 5
    /// Connections that are answered at once; more are told to come again.
    static let connectionsMax = 8

    /// Where the socket lies.
    public let path: String
    private let listener: Int32
    private let answer: @Sendable (String) -> String
    private let open = Atomic(0)

    /// Listens on a path, in a folder made for the owner only if it is not there. A socket that nobody
    /// listens on any more is taken over.
    ///
    /// - Parameter answer: Called on a thread of its own for each request.
    public init(path: String, answer: @escaping @Sendable (String) -> String) throws(Failure) {
        self.path = path
        self.answer = answer
        let place = try SocketPlace(path, makesFolder: true)
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw Failure("cannot make a socket: \(systemError())") }
        var taken = place.bind(listener)
        if taken == EADDRINUSE {
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
                close(listener)
                throw Failure("`\(path)` is there already, and is no socket")
            }
            if ControlSocket.isHeard(at: path) {
                close(listener)
                throw Failure("another process listens on `\(path)`")
            }
            unlink(path)
            taken = place.bind(listener)
        }
        guard taken == 0, chmod(path, 0o600) == 0, listen(listener, 16) == 0 else {
            let reason = String(cString: strerror(taken == 0 ? errno : taken))
            close(listener)
            throw Failure("cannot listen on `\(path)`: \(reason)")
        }
        startThread { [self] in accept() }
    }

    /// Takes the socket away; those who are connected are still answered.
    public func remove() { unlink(path) }

    // MARK: - The server's side

    private func accept() {
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            if connection < 0 {
                // Out of descriptors, for example: what is open will end.
                if errno != EINTR, errno != ECONNABORTED { usleep(100_000) }
                continue
            }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            guard ControlSocket.isHeard(connection) else {
                close(connection)
                continue
            }
            let count = open.wrappingAdd(1, ordering: .relaxed).newValue
            let isBusy = count > ControlSocket.connectionsMax
            startThread { [self] in
                serve(connection, isBusy: isBusy)
                close(connection)
                open.wrappingSubtract(1, ordering: .relaxed)
            }
        }
    }

    private func serve(_ connection: Int32, isBusy: Bool) {
        ControlSocket.limit(connection, seconds: ControlSocket.patienceSeconds)
        var request: String?
        if !isBusy {
            guard
                let bytes = ControlSocket.line(
                    connection, max: ControlSocket.requestMax,
                    within: ControlSocket.patienceSeconds)
            else {
                return
            }
            request = String(validating: bytes, as: UTF8.self)
        }
        let text = isBusy ? "" : request.map(answer) ?? answer("")
        ControlSocket.send(text + "\n", to: connection)
    }

    /// Whether who has connected may ask for anything: the owner of this process, or root.
    private static func isHeard(_ connection: Int32) -> Bool {
        // As the kernel's `struct ucred`: process, user, group.
        var peer: [UInt32] = [0, .max, .max]
        var size = socklen_t(12)
        guard getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0, size == 12 else {
            return false
        }
        return peer[1] == geteuid() || peer[1] == 0
    }

    // MARK: - The client's side

    /// Sends one line and waits for the answer.
    ///
    /// - Parameter seconds: How long the answer may take; nil: for ever.
    public static func ask(
        _ request: String, at path: String, waitingAtMost seconds: Int?
    ) throws(Failure) -> String {
        let connection = try connection(to: path)
        defer { close(connection) }
        limit(connection, seconds: seconds ?? 0)
        send(request + "\n", to: connection)
        guard let bytes = line(connection, max: 64 << 20, within: seconds) else {
            throw Failure("`\(path)` did not answer")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether somebody listens on a path.
    public static func isHeard(at path: String) -> Bool {
        guard let connection = try? connection(to: path) else { return false }
        close(connection)
        return true
    }

    private static func connection(to path: String) throws(Failure) -> Int32 {
        let place = try SocketPlace(path, makesFolder: false)
        let connection = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let reason = connection < 0 ? errno : place.connect(connection)
        guard reason == 0 else {
            if connection >= 0 { close(connection) }
            throw Failure("nobody listens on `\(path)`: \(String(cString: strerror(reason)))")
        }
        return connection
    }

    // MARK: - Both

    private static func limit(_ connection: Int32, seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        time.tv_sec = patienceSeconds
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &time, size)
    }

    /// The bytes up to a line feed or the end; nil when they are too many or do not come in time.
    private static func line(_ connection: Int32, max: Int, within seconds: Int?) -> [UInt8]? {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        let deadline = seconds.map { DispatchTime.now() + .seconds($0) } ?? .distantFuture
        while bytes.count <= max {
            let count = recv(connection, &piece, piece.count, 0)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { return bytes.isEmpty ? nil : bytes }
            if let end = piece[..<count].firstIndex(of: 0x0A) { return bytes + piece[..<end] }
            bytes += piece[..<count]
            // One byte at a time does not hold a thread for ever.
            if DispatchTime.now() > deadline { return nil }
        }
        return nil
    }

    private static func send(_ text: String, to connection: Int32) {
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            let sent = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    connection, buffer.baseAddress?.advanced(by: start), buffer.count - start,
                    Int32(MSG_NOSIGNAL))
            }
            if sent > 0 {
                start += sent
            } else if errno != EINTR {
                return
            }
        }
    }
}

/// Where a socket lies. Its address has room for 107 bytes, so a longer path is reached through the
/// open folder.
private final class SocketPlace {
    private let folder: Int32
    private let name: String

    init(_ path: String, makesFolder: Bool) throws(ControlSocket.Failure) {
        let parent = parentFolder(path)
        name = path.split(separator: "/").last.map(String.init) ?? path
        if makesFolder, mkdir(parent, 0o700) != 0, errno != EEXIST {
            throw ControlSocket.Failure("cannot make the folder `\(parent)`: \(systemError())")
        }
        folder = Glibc.open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else {
            throw ControlSocket.Failure("cannot open the folder `\(parent)`: \(systemError())")
        }
    }

    deinit { if folder >= 0 { close(folder) } }

    /// 0, or the number of the error.
    func bind(_ descriptor: Int32) -> Int32 { call(descriptor, Glibc.bind) }

    func connect(_ descriptor: Int32) -> Int32 { call(descriptor, Glibc.connect) }

    private func call(
        _ descriptor: Int32,
        _ deed: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("/proc/self/fd/\(folder)/\(name)".utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return ENAMETOOLONG }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                deed(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return result == 0 ? 0 : errno
    }
}

extension ControlSocket.Failure {
    init(_ text: String) { description = text }
}
