import Foundation
import Synchronization

/// Tells systemd how the service is doing: a datagram with a line or two to the socket that the variable
/// NOTIFY_SOCKET names (sd_notify(3)). Without that variable nothing is told.
public final class ServiceManager: Sendable {
    private let socketPath: String
    /// How often to say that all is well; nil where nobody waits for it.
    private let interval: TimeInterval?
    /// On the clock that never jumps, in nanoseconds.
    private let nextSign = Atomic<UInt64>(0)

    /// Nil when the process is no service that is asked to tell.
    public init?() {
        let environment = ProcessInfo.processInfo.environment
        guard let path = environment["NOTIFY_SOCKET"], path.hasPrefix("/") || path.hasPrefix("@")
        else { return nil }
        socketPath = path
        let isOurs = environment["WATCHDOG_PID"].flatMap(Int32.init).map { $0 == getpid() } ?? true
        // Three signs in the time after which the service counts as hung.
        interval =
            isOurs
            ? environment["WATCHDOG_USEC"].flatMap(Double.init).map { $0 / 3e6 } : nil
    }

    /// The service does its work from now on.
    public func ready(_ status: String) { tell("READY=1\nSTATUS=\(status)") }

    /// What `systemctl status` shows.
    public func note(_ status: String) { tell("STATUS=\(status)") }

    /// The service ends.
    public func stopping() { tell("STOPPING=1") }

    /// Whoever does the work calls this again and again: when it no longer does, it hangs.
    public func isAlive() {
        guard let interval else { return }
        let now = DispatchTime.now().uptimeNanoseconds
        guard now >= nextSign.load(ordering: .relaxed) else { return }
        nextSign.store(now + UInt64(interval * 1e9), ordering: .relaxed)
        tell("WATCHDOG=1")
    }

    private func tell(_ text: String) {
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(socketPath.utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        // A name in the abstract space begins with a zero byte.
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let size = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        let bytes = Array(text.utf8)
        // Nobody to tell is no reason to stop working.
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(
                    descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0,
                    socklen_t(size + path.count))
            }
        }
    }
}
