import RuleModel

/// The fixed buckets `[start, end)` of a tumbling or hopping window (T1).
///
/// Starts are a fixed step apart: aligned to 1970-01-01T00:00 UTC, or, where a zone is named and
/// both size and step are whole days, to midnight of that zone; whole weeks there begin on Monday.
/// So a day of a zone has 23 or 25 hours when its clocks change.
struct BucketGrid: Sendable {
    struct Bucket: Sendable, Equatable {
        var start: Timestamp
        var end: Timestamp
    }

    let size: TimeSpan
    let step: TimeSpan
    /// The zone of whole days; nil: fixed lengths.
    private let calendar: ZoneTable?

    /// - Precondition: size and step are positive.
    init(size: TimeSpan, step: TimeSpan, zone: ZoneTable?) {
        precondition(size > .zero && step > .zero, "buckets have a length and a distance")
        self.size = size
        self.step = step
        let areDays = BucketGrid.days(size) != nil && BucketGrid.days(step) != nil
        calendar = areDays ? zone : nil
    }

    /// Whether buckets are days of a zone.
    var isCalendar: Bool { calendar != nil }

    /// Whether the end of a bucket is certainly the first one after an instant, without arithmetic
    /// of buckets. O(1).
    func isNextEnd(_ end: Timestamp, after time: Timestamp) -> Bool {
        !isCalendar && end > time && end - step <= time
    }

    /// The bucket that ends first of those that end after an instant.
    func bucket(endingAfter time: Timestamp) -> Bucket {
        guard let calendar else {
            let offset = time - size
            let start =
                offset
                - TimeSpan(nanoseconds: offset.nanoseconds.flooredRemainder(step.nanoseconds))
                + step
            return Bucket(start: start, end: start + size)
        }
        let sizeDays = size.nanoseconds / TimeSpan.day.nanoseconds
        let stepDays = step.nanoseconds / TimeSpan.day.nanoseconds
        // 1969-12-29 was a Monday.
        let anchor: Int64 = stepDays % 7 == 0 ? -3 : 0
        let day = calendar.local(time).dayAndNanosecond.day
        var startDay = anchor + (day - sizeDays - anchor).flooredQuotient(stepDays) * stepDays
        while true {
            let end = BucketGrid.midnight(startDay + sizeDays, in: calendar)
            if end > time || end == .distantFuture {
                return Bucket(start: BucketGrid.midnight(startDay, in: calendar), end: end)
            }
            startDay += stepDays
        }
    }

    /// The window of the same size that ends where this one starts.
    func bucket(before bucket: Bucket) -> Bucket {
        Bucket(start: shifted(bucket.start, back: size), end: bucket.start)
    }

    /// The window this much earlier: by the wall clock of the zone where the buckets are its days.
    func bucket(_ bucket: Bucket, earlierBy span: TimeSpan) -> Bucket {
        Bucket(start: shifted(bucket.start, back: span), end: shifted(bucket.end, back: span))
    }

    private func shifted(_ time: Timestamp, back span: TimeSpan) -> Timestamp {
        guard let calendar, BucketGrid.days(span) != nil else { return time - span }
        return calendar.instant(local: calendar.local(time) - span)
    }

    private static func days(_ span: TimeSpan) -> Int64? {
        let (days, rest) = span.nanoseconds.quotientAndRemainder(
            dividingBy: TimeSpan.day.nanoseconds)
        return rest == 0 ? days : nil
    }

    /// Days beyond what a time can tell begin at the end of time, not an offset before it.
    private static func midnight(_ day: Int64, in zone: ZoneTable) -> Timestamp {
        let local = Timestamp(nanoseconds: 0) + TimeSpan.day * day
        return local == .distantFuture ? local : zone.instant(local: local)
    }
}
