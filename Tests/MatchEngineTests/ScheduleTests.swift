import RuleModel
import Testing

@testable import MatchEngine

@Suite("Schedules")
struct ScheduleTests {
    /// Berlin around the year 2026: summer time from 29 March 01:00 UTC to 25 October 01:00 UTC.
    static let berlin = ZoneTable(transitions: [
        .init(start: .min, offset: 3600),
        .init(start: instant(2026, 3, 29, 1).nanoseconds / 1_000_000_000, offset: 7200),
        .init(start: instant(2026, 10, 25, 1).nanoseconds / 1_000_000_000, offset: 3600),
    ])

    static let businessHours = SchedulePlan(
        name: "business_hours",
        spans: [.init(days: [1, 2, 3, 4, 5], startMinute: 8 * 60, endMinute: 18 * 60)],
        zone: "Europe/Berlin")

    static func instant(
        _ year: Int64, _ month: Int64, _ day: Int64, _ hour: Int64, _ minute: Int64 = 0
    ) -> Timestamp {
        let days = daysSince1970(year: year, month: month, day: day)
        return Timestamp(nanoseconds: 0) + TimeSpan.day * days + TimeSpan.hour * hour
            + TimeSpan.minute * minute
    }

    @Test("The first minute is inside, the end minute is outside")
    func halfOpen() {
        let zone = ScheduleTests.berlin
        // Wednesday 14 January, one hour ahead of UTC.
        let start = ScheduleTests.instant(2026, 1, 14, 7)
        let end = ScheduleTests.instant(2026, 1, 14, 17)
        let nanosecond = TimeSpan(nanoseconds: 1)
        #expect(ScheduleTests.businessHours.contains(start, zone: zone))
        #expect(!ScheduleTests.businessHours.contains(start - nanosecond, zone: zone))
        #expect(ScheduleTests.businessHours.contains(end - nanosecond, zone: zone))
        #expect(!ScheduleTests.businessHours.contains(end, zone: zone))
    }

    @Test("The same hour of the wall clock is another UTC hour in summer")
    func summer() {
        let zone = ScheduleTests.berlin
        #expect(
            ScheduleTests.businessHours.contains(ScheduleTests.instant(2026, 7, 15, 6), zone: zone))
        #expect(
            !ScheduleTests.businessHours.contains(
                ScheduleTests.instant(2026, 7, 15, 16), zone: zone))
    }

    @Test("Days are those of the zone, not of UTC")
    func localDays() {
        let mondayNight = SchedulePlan(
            name: "monday", spans: [.init(days: [1], startMinute: 0, endMinute: 60)],
            zone: "Europe/Berlin")
        // Sunday 23:30 UTC is Monday 00:30 in Berlin.
        let time = ScheduleTests.instant(2026, 1, 11, 23, 30)
        #expect(mondayNight.contains(time, zone: ScheduleTests.berlin))
        #expect(!mondayNight.contains(time, zone: .utc))
    }

    @Test("On the days of change the skipped hour is nowhere and the repeated hour counts twice")
    func clockChange() {
        let twoToThree = SchedulePlan(
            name: "night", spans: [.init(days: [7], startMinute: 120, endMinute: 180)],
            zone: "Europe/Berlin")
        func minutesInside(_ month: Int64, _ day: Int64) -> Int {
            (0..<24 * 60).count { minute in
                twoToThree.contains(
                    ScheduleTests.instant(2026, month, day, -3, Int64(minute)),
                    zone: ScheduleTests.berlin)
            }
        }
        #expect(minutesInside(3, 29) == 0)
        #expect(minutesInside(10, 25) == 120)
        #expect(minutesInside(11, 1) == 60)
    }

    @Test("Times before 1970 have a day of the week as well")
    func beforeTheEpoch() {
        let wednesday = SchedulePlan(
            name: "wednesday", spans: [.init(days: [3], startMinute: 1439, endMinute: 1440)],
            zone: "UTC")
        #expect(wednesday.contains(Timestamp(nanoseconds: -1), zone: .utc))
        #expect(!wednesday.contains(Timestamp(nanoseconds: 0), zone: .utc))
    }
}
