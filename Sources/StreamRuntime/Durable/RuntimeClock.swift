import Foundation
import RuleModel

/// The clocks, so that tests can turn them.
public struct RuntimeClock: Sendable {
    /// Nanoseconds on a clock that never jumps.
    public var now: @Sendable () -> Int64
    /// The time of day.
    public var wall: @Sendable () -> Timestamp
    /// Lets so many nanoseconds pass.
    public var sleep: @Sendable (Int64) -> Void

    public init(
        now: @escaping @Sendable () -> Int64, wall: @escaping @Sendable () -> Timestamp,
        sleep: @escaping @Sendable (Int64) -> Void
    ) {
        self.now = now
        self.wall = wall
        self.sleep = sleep
    }

    /// Those of the system.
    public static let system = RuntimeClock(
        now: { Int64(clamping: DispatchTime.now().uptimeNanoseconds) },
        wall: {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
        },
        sleep: { usleep(UInt32(clamping: $0 / 1000)) })
}
