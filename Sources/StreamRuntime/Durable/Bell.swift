import CSystem
import Glibc

/// Wakes a thread that waits for work, or lets it wake after a time.
///
/// The timed wait of a `DispatchSemaphore` is until a time of day on Linux: were the clock of the
/// machine set back by an hour, a retry that is due in half a second would come an hour late. This one
/// counts on the clock that never jumps.
final class Bell: Sendable {
    private let descriptor: Int32

    init() {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(descriptor >= 0, "the system has no descriptor left for a thread's bell")
    }

    deinit { close(descriptor) }

    /// Ends the wait that is under way, or the next one.
    func ring() {
        var one: UInt64 = 1
        // It fails only when it has been rung 2^64 times and not been heard.
        _ = write(descriptor, &one, 8)
    }

    /// Returns when it has been rung since the last wait, or after so many nanoseconds.
    func wait(atMost nanoseconds: Int64) {
        var rung = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // Rounded up, so that what is due then is due.
        let milliseconds = Int32(clamping: (max(0, nanoseconds) + 999_999) / 1_000_000)
        guard poll(&rung, 1, milliseconds) > 0 else { return }
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
