/// The offsets of one time zone from UTC over the years, as data: the engine reads no zone files.
public struct ZoneTable: Sendable, Equatable {
    /// The offset from UTC in seconds that holds from `start` (seconds since 1970) on.
    public struct Transition: Sendable, Equatable {
        public var start: Int64
        public var offset: Int64

        public init(start: Int64, offset: Int64) {
            self.start = start
            self.offset = offset
        }
    }

    /// Sorted by `start`; the first holds for all earlier times as well. Never empty.
    public var transitions: [Transition]

    /// - Precondition: sorted and not empty.
    public init(transitions: [Transition]) {
        precondition(!transitions.isEmpty, "a zone has at least one offset")
        self.transitions = transitions
    }

    public static let utc = ZoneTable(transitions: [Transition(start: .min, offset: 0)])

    /// The offset from UTC in seconds at an instant. O(log transitions).
    public func offset(at time: Timestamp) -> Int64 {
        let seconds =
            time.nanoseconds / 1_000_000_000 - (time.nanoseconds % 1_000_000_000 < 0 ? 1 : 0)
        var low = 0
        var high = transitions.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if transitions[middle].start <= seconds { low = middle } else { high = middle }
        }
        return transitions[low].offset
    }

    /// Local time as if it were UTC: for fields of the calendar.
    public func local(_ time: Timestamp) -> Timestamp {
        time + TimeSpan(nanoseconds: offset(at: time) * 1_000_000_000)
    }

    /// The instant of a local time. In the hour that occurs twice the earlier one; in the hour that
    /// does not occur the instant of the change.
    public func instant(local: Timestamp) -> Timestamp {
        // The offset in force is one of those around the guess, since offsets change at most twice a year.
        let day = TimeSpan.day
        let candidates = [offset(at: local - day), offset(at: local), offset(at: local + day)]
        var best: Timestamp?
        for offset in candidates {
            let instant = local - TimeSpan(nanoseconds: offset * 1_000_000_000)
            if self.local(instant) == local { best = min(best ?? instant, instant) }
        }
        if let best { return best }
        // Skipped by a change: the later offset is not in force yet, the earlier no longer.
        return local - TimeSpan(nanoseconds: (candidates.min() ?? 0) * 1_000_000_000)
    }
}
