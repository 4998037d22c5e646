import RuleModel

/// How fast event time passes in a replay, against the clock.
///
///     an event is due at   clock at the first event + (its time - time of the first event) / speed
///
/// An event that stands behind a later one is due with that: the order of a file is kept.
public struct ReplayPace: Sendable {
    private let speed: Double
    private let from: Timestamp?
    private let until: Timestamp?
    private var start: (event: Int64, clock: Int64)?
    /// The latest event so far.
    private var latest = Int64.min
    /// By how much the events were behind their time on the clock, at worst.
    private(set) var lag = TimeSpan.zero

    /// - Parameters:
    ///   - speed: 1 is as fast as event time passed, 10 ten times as fast.
    ///   - from: Events before this are not waited for.
    ///   - until: Events behind this are not waited for.
    /// - Precondition: `speed` is above zero.
    public init(speed: Double, from: Timestamp? = nil, until: Timestamp? = nil) {
        precondition(speed > 0, "event time passes forward")
        self.speed = speed
        self.from = from
        self.until = until
    }

    /// How long it takes on the clock until an event is due; zero when it is.
    ///
    /// - Parameters:
    ///   - time: Of the next event, in nanoseconds since 1970 UTC.
    ///   - now: In nanoseconds on a clock that never jumps.
    mutating func wait(for time: Int64, now: Int64) -> TimeSpan {
        if let from, time < from.nanoseconds { return .zero }
        if let until, time > until.nanoseconds { return .zero }
        guard time > latest else { return .zero }
        guard let start else {
            start = (time, now)
            latest = time
            return .zero
        }
        let (distance, isBeyond) = time.subtractingReportingOverflow(start.event)
        let due = Double(isBeyond ? .max : distance) / speed
        // Rounded up, so that no event comes before its time.
        let wait = (due - Double(now - start.clock)).rounded(.up)
        if wait > 0 {
            return TimeSpan(nanoseconds: wait < Double(Int64.max) ? Int64(wait) : .max)
        }
        latest = time
        lag = max(lag, TimeSpan(nanoseconds: Int64(-wait)))
        return .zero
    }
}
