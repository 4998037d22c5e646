import RuleModel

extension SchedulePlan {
    /// Whether an instant lies in one of the schedule's spans, by the clock on the wall of its zone.
    ///
    /// The offset is the one in force at the instant itself. So in the hour that a change of the
    /// clocks repeats both passes count, and an hour that is skipped is never asked about.
    /// A span is half-open: at its end minute it is over.
    public func contains(_ time: Timestamp, zone: ZoneTable) -> Bool {
        let (day, nanosecondOfDay) = zone.local(time).dayAndNanosecond
        // 1970-01-01 was a Thursday, the fourth day of its week.
        let dayOfWeek = Int((day + 3).flooredRemainder(7)) + 1
        let minute = Int(nanosecondOfDay / 60_000_000_000)
        return spans.contains { span in
            span.startMinute <= minute && minute < span.endMinute && span.days.contains(dayOfWeek)
        }
    }
}

extension Timestamp {
    /// Days since 1970-01-01, and the nanoseconds since that day began.
    var dayAndNanosecond: (day: Int64, nanosecond: Int64) {
        let dayLength = TimeSpan.day.nanoseconds
        return (nanoseconds.flooredQuotient(dayLength), nanoseconds.flooredRemainder(dayLength))
    }
}

extension Int64 {
    /// The quotient rounded towards minus infinity.
    /// - Precondition: the divisor is positive.
    func flooredQuotient(_ divisor: Int64) -> Int64 {
        self / divisor - (self % divisor < 0 ? 1 : 0)
    }

    /// What `flooredQuotient` leaves over: 0 or more.
    /// - Precondition: the divisor is positive.
    func flooredRemainder(_ divisor: Int64) -> Int64 {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
