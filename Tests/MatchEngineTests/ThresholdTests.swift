import MatchEngine
import RuleModel
import Testing

private typealias E = ThresholdWorld.Event

@Suite("Thresholds, H1 to H10")
struct ThresholdTests {
    // MARK: - The examples of the language's description

    @Test("Error rate: the condition holds from the sixth failure on, so the alert is at 225 s")
    func errorRate() {
        var world = ThresholdWorld(
            when: compare(
                .arithmetic(.divide, now(0), now(1)), .greater, .constant(.float(0.05))))
        world.window = WindowPlan(.sliding(seconds(300)))
        world.measures = [
            measure(
                "errors", .count,
                where: compare(.field(ThresholdWorld.v), .greaterOrEqual, number(500))),
            measure("total", .count),
        ]
        world.holdFor = seconds(120)
        world.minimumEvents = 100
        world.resolveWhen = compare(
            .arithmetic(.divide, now(0), now(1)), .less, .constant(.float(0.01)))
        world.resolveFor = seconds(300)
        world.onNoData = .keep
        world.remindEvery = seconds(4 * 3600)
        let events =
            (0..<100).map { E($0, "pay", v: .int(200)) }
            + (100..<340).map { E($0, "pay", v: .int(500)) }
        #expect(world.run(events) == ["225 firing pay errors=126 total=226"])
        // When traffic stops the total falls below 100, the rate is unknown, and the alert stays.
        #expect(
            world.run(events, until: 20_000) == [
                "225 firing pay errors=126 total=226",
                "14625 updated pay errors=0 total=0 (reminder)",
            ])
    }

    @Test("Heartbeat: fires once, at the deadline, and for a host that was never seen")
    func heartbeat() {
        var world = ThresholdWorld(when: compare(now(0), .equal, number(0)))
        world.window = WindowPlan(.sliding(seconds(180)))
        world.resolveWhen = compare(now(0), .greaterOrEqual, number(2))
        world.list = [.text("a"), .text("b")]
        world.watchStart = 0
        #expect(
            world.run([E(60, "a")], until: 600) == ["180 firing b n=0", "240 firing a n=0"])
        #expect(
            world.run([E(60, "a"), E(300, "a"), E(310, "a")], until: 312) == [
                "180 firing b n=0", "240 firing a n=0", "310 resolved a n=2",
            ])
    }

    @Test("Password spraying: twenty users, few tries each, and resolved when it has been quiet")
    func passwordSpraying() {
        var world = ThresholdWorld(
            when: .and([
                compare(now(0), .greaterOrEqual, number(20)),
                compare(now(1), .lessOrEqual, .arithmetic(.multiply, number(3), now(0))),
            ]))
        world.window = WindowPlan(.sliding(seconds(600)))
        world.measures = [measure("users", .distinct, ThresholdWorld.u), measure("tries", .count)]
        world.resolveWhen = compare(now(0), .less, number(5))
        world.resolveFor = seconds(600)
        // One try a second, each with another user: the twentieth is at 19 s.
        var events = (0..<30).map { E($0, "ip", u: .text("user\($0)")) }
        events.append(E(3000, "ip", u: .text("root")))
        // From 625 s on, behind the leaving of the 26th, fewer than five are left. From 629 s on
        // the window is empty, which keeps the clock going until 1225 s.
        #expect(
            world.run(events) == [
                "19 firing ip users=20 tries=20", "1225 resolved ip users=missing tries=0",
            ])
        // Many tries on few users are no spraying.
        let bruteForce = (0..<100).map { E($0, "ip", u: .text("user\($0 % 19)")) }
        #expect(world.run(bruteForce).isEmpty)
    }

    // MARK: - H1, H2

    @Test("H1: a sliding window is closed at both ends")
    func slidingIsClosed() {
        let world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(2)))
        #expect(world.run([E(0), E(3)]) == ["3 firing a n=2"])
        #expect(world.run([E(0), E(4)]).isEmpty)
    }

    @Test("H1: keys have windows of their own, and events without a key are left out")
    func keysAreApart() {
        let world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(2)))
        #expect(world.run([E(0, "a"), E(1, "b"), E(1, nil), E(2, "a")]) == ["2 firing a n=2"])
    }

    @Test("H1: an event at the end of a bucket belongs to the next one")
    func tumbling() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(2)))
        world.window = WindowPlan(.tumbling(seconds(10)))
        #expect(world.run([E(1), E(10)], until: 19).isEmpty)
        #expect(
            world.run([E(1), E(9)], until: 100) == ["10 firing a n=2", "20 resolved a n=0"])
        // The watermark has to be beyond the end.
        #expect(world.run([E(1), E(9), E(10)]).isEmpty)
    }

    @Test("H1: hopping buckets overlap, and each is judged at its end")
    func hopping() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(2)))
        world.window = WindowPlan(.hopping(seconds(10), every: seconds(5)))
        #expect(
            world.run([E(4), E(6)], until: 100) == ["10 firing a n=2", "15 resolved a n=1"])
        #expect(
            world.run([E(6), E(12)], until: 100) == ["15 firing a n=2", "20 resolved a n=1"])
    }

    @Test("H1: days of a zone are as long as its clocks say, and weeks begin on Monday")
    func calendarDays() {
        let berlin = ScheduleTests.berlin
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(1)))
        world.zones = ["Europe/Berlin": berlin]
        world.forgetAfter = TimeSpan.day * 7
        world.window = WindowPlan(.tumbling(TimeSpan.day), zone: "Europe/Berlin")
        func second(_ month: Int64, _ day: Int64, _ hour: Int64) -> Int64 {
            ScheduleTests.instant(2026, month, day, hour).nanoseconds / 1_000_000_000
        }
        // Saturday 28 March 23:00 UTC begins a Sunday of 23 hours; 24 October 22:00 UTC one of 25.
        for (start, end) in [
            (second(3, 28, 23), second(3, 29, 22)), (second(10, 24, 22), second(10, 25, 23)),
        ] {
            #expect(world.run([E(start)], until: end) == ["\(end) firing a n=1"])
            #expect(world.run([E(end - 1)], until: end) == ["\(end) firing a n=1"])
            let next = end + 24 * 3600
            #expect(world.run([E(end)], until: next) == ["\(next) firing a n=1"])
        }
        world.window = WindowPlan(.tumbling(TimeSpan.day * 7), zone: "Europe/Berlin")
        // Sunday evening is still this week; Monday 19 January 00:00 in Berlin ends it.
        let monday = second(1, 18, 23)
        #expect(world.run([E(monday - 1)], until: monday) == ["\(monday) firing a n=1"])
    }

    @Test("H1: a session ends when its gap has passed, and an event at the gap still belongs to it")
    func sessionGap() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(2)))
        world.window = WindowPlan(.session(gap: seconds(5), max: seconds(100)))
        #expect(world.run([E(0), E(5)], until: 50) == ["10 firing a n=2"])
        #expect(world.run([E(0), E(6)], until: 50).isEmpty)
        #expect(
            world.run([E(0), E(5), E(20)], until: 50) == ["10 firing a n=2", "25 resolved a n=1"])
    }

    @Test("H1: a session ends at an event that would make it longer than its maximum")
    func sessionMaximum() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(3)))
        world.window = WindowPlan(.session(gap: seconds(5), max: seconds(6)))
        #expect(world.run([E(0), E(3), E(6)], until: 11) == ["11 firing a n=3"])
        #expect(
            world.run([E(0), E(3), E(6), E(7)], until: 50) == [
                "7 firing a n=3", "12 resolved a n=1",
            ])
    }

    @Test("H1: the last N events are those of the key, however old")
    func lastEvents() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(10)))
        world.window = WindowPlan(.last(2))
        world.measures = [measure("s", .sum, ThresholdWorld.v)]
        #expect(
            world.run([
                E(0, v: .int(9)), E(1, "b", v: .int(9)), E(5000, v: .int(1)), E(5001, v: .int(1)),
            ]) == ["5000 firing a s=10", "5001 resolved a s=2"])
    }

    @Test(
        "H2: a count falls right behind the instant at which an event is in the window for the last time"
    )
    func leaving() {
        var world = ThresholdWorld(when: compare(now(0), .less, number(2)))
        world.minimumEvents = 1
        #expect(
            world.run([E(0), E(1)], until: 3) == [
                "0 firing a n=1", "1 resolved a n=2", "3 firing a n=1",
            ])
        // Time has to pass the instant: at 3 s sharp another event could still come.
        #expect(world.run([E(0), E(1), E(3, "b")]).count == 3)
        #expect(world.run([E(0), E(1), E(3, "b")]).last == "3 firing b n=1")
        // An event at that very instant comes before the leaving.
        #expect(world.run([E(0), E(1), E(3)], until: 3).count == 2)
    }

    // MARK: - H3

    @Test("H3: on an empty window count and sum are 0, everything else is missing")
    func emptyWindow() {
        var world = ThresholdWorld(
            when: compare(now(0), .equal, number(0)))
        let functions: [AggregateFunction] = [
            .count, .sum, .avg, .min, .max, .distinct, .percentile, .rate, .first, .last,
        ]
        world.measures = functions.map {
            measure($0.rawValue, $0, $0 == .count ? nil : ThresholdWorld.v, 50)
        }
        #expect(
            world.run([E(0, v: .int(7))], until: 3) == [
                "3 firing a count=0 sum=0 avg=missing min=missing max=missing distinct=missing "
                    + "percentile=missing rate=missing first=missing last=missing"
            ])
    }

    @Test("H3: each measure has its own condition, and missing values take no part")
    func measures() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(5)))
        let isBig = compare(.field(ThresholdWorld.v), .greater, number(2))
        let v = ThresholdWorld.v
        world.window = WindowPlan(.sliding(seconds(100)))
        world.measures = [
            measure("count", .count), measure("big", .count, where: isBig), measure("sum", .sum, v),
            measure("bigsum", .sum, v, where: isBig), measure("avg", .avg, v),
            measure("min", .min, v),
            measure("max", .max, v), measure("distinct", .distinct, v),
            measure("median", .percentile, v, 50), measure("rate", .rate, v),
            measure("first", .first, v),
            measure("last", .last, v), measure("users", .distinct, ThresholdWorld.u),
        ]
        let events = [
            E(0, u: .text("x")), E(10, v: .int(2)), E(20, v: .int(8)), E(30, v: .float(2)),
            E(40, v: .int(4), u: .text("x")),
        ]
        // The counter rises by 6, begins anew at 2, and rises by 2: 10 in 30 seconds.
        #expect(
            world.run(events) == [
                "40 firing a count=5 big=2 sum=16 bigsum=12 avg=4 min=2 max=8 distinct=3 median=3 "
                    + "rate=0.3333333333333333 first=2 last=4 users=1"
            ])
    }

    @Test("H3: a condition over missing is unknown: neither it nor its opposite holds")
    func missingIsUnknown() {
        for condition in [
            compare(now(0), .greater, number(5)), .not(compare(now(0), .greater, number(5))),
            compare(now(0), .notEqual, number(5)),
        ] {
            var world = ThresholdWorld(when: condition)
            world.measures = [measure("m", .max, ThresholdWorld.v)]
            #expect(world.run([E(0), E(1)], until: 100).isEmpty)
        }
    }

    // MARK: - H4, H5

    @Test("H4: it fires when the condition was true for the whole span, both ends included")
    func holding() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(10)))
        world.window = WindowPlan(.last(1))
        world.measures = [measure("v", .last, ThresholdWorld.v)]
        world.holdFor = seconds(5)
        #expect(world.run([E(0, v: .int(10))], until: 4).isEmpty)
        #expect(world.run([E(0, v: .int(10))], until: 5) == ["5 firing a v=10"])
        // False at the last instant of the span.
        #expect(world.run([E(0, v: .int(10)), E(5, v: .int(1))], until: 50).isEmpty)
        // A false instant forgets when it began.
        #expect(
            world.run([E(0, v: .int(10)), E(3, v: .int(1)), E(4, v: .int(10))], until: 50)
                == ["9 firing a v=10"])
        // True again and again is still true.
        #expect(
            world.run([E(0, v: .int(10)), E(3, v: .int(11)), E(4, v: .int(12))], until: 50)
                == ["5 firing a v=12"])
    }

    @Test("H4: a condition that ends right behind the end of the span has held")
    func holdingUntilLeaving() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(1)))
        world.holdFor = seconds(3)
        #expect(world.run([E(0)], until: 10) == ["3 firing a n=1", "3 resolved a n=0"])
        world.holdFor = seconds(4)
        #expect(world.run([E(0)], until: 10).isEmpty)
    }

    @Test("H5: one alert while it fires, the end has the same id, the next episode another one")
    func episodes() {
        let world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(2)))
        let alerts = world.alerts([E(0), E(1), E(2), E(3), E(20), E(21)], until: 22)
        #expect(
            alerts.map(ThresholdWorld.text) == [
                "1 firing a n=2", "5 resolved a n=1", "21 firing a n=2",
            ])
        #expect(alerts[0].id == alerts[1].id)
        #expect(alerts[0].id != alerts[2].id)
        #expect(alerts[0].id.utf8.count == 32)
    }

    @Test("H5: the resolve condition has its own limit and its own span")
    func hysteresis() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(10)))
        world.window = WindowPlan(.last(1))
        world.measures = [measure("v", .last, ThresholdWorld.v)]
        world.resolveWhen = compare(now(0), .less, number(5))
        world.resolveFor = seconds(10)
        #expect(
            world.run(
                [
                    E(0, v: .int(10)), E(10, v: .int(7)), E(20, v: .int(4)), E(25, v: .int(5)),
                    E(30, v: .int(3)),
                ], until: 100)
                == ["0 firing a v=10", "40 resolved a v=3"])
    }

    @Test(
        "H5: a condition that still holds when its alert has ended begins a new one at the next bucket"
    )
    func buckets() {
        var world = ThresholdWorld(when: compare(now(0), .less, number(2)))
        world.window = WindowPlan(.tumbling(seconds(10)))
        world.resolveWhen = compare(now(0), .equal, number(0))
        world.resolveFor = seconds(5)
        #expect(
            world.run([E(1)], until: 40) == [
                "10 firing a n=1", "25 resolved a n=0", "30 firing a n=0", "35 resolved a n=0",
                "40 firing a n=0",
            ])
    }

    @Test("H5: a reminder repeats the alert until it has ended")
    func reminders() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(10)))
        world.window = WindowPlan(.last(1))
        world.measures = [measure("v", .last, ThresholdWorld.v)]
        world.remindEvery = seconds(10)
        let alerts = world.alerts([E(0, v: .int(10)), E(25, v: .int(1))], until: 100)
        #expect(
            alerts.map(ThresholdWorld.text) == [
                "0 firing a v=10", "10 updated a v=10 (reminder)", "20 updated a v=10 (reminder)",
                "25 resolved a v=1",
            ])
        #expect(Set(alerts.map(\.id)).count == 1)
    }

    @Test("The end repeats what the beginning said, a reminder says how things are")
    func messages() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(2)))
        world.window = WindowPlan(.sliding(seconds(10)))
        world.message = [.term(.key(0), .plain), .text(" has "), .term(now(0), .plain)]
        world.remindEvery = seconds(7)
        let alerts = world.alerts([E(0), E(1), E(2)], until: 20)
        #expect(alerts.map(\.message) == ["a has 2", "a has 3", "a has 2"])
        #expect(alerts.last.map(ThresholdWorld.text) == "11 resolved a n=1")
    }

    @Test("What a rule keeps silent at its beginning stays silent to its end")
    func silentEpisodes() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(2)))
        world.unless = compare(.key(0), .equal, .constant(.text("a")))
        world.remindEvery = seconds(1)
        #expect(world.run([E(0), E(1)], until: 50).isEmpty)
        world.unless = compare(
            .fact(.matchedAt), .greater, .constant(.time(Timestamp(nanoseconds: 1_000_000_000))))
        world.remindEvery = nil
        // The beginning was told, so the end is told, maintenance or not.
        #expect(world.run([E(0), E(1)], until: 50) == ["1 firing a n=2", "3 resolved a n=1"])
    }

    // MARK: - H6, H7

    @Test("H6: unknown keeps the state as long as the window is, then it resolves for lack of data")
    func staleResolves() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(5)))
        world.measures = [measure("m", .max, ThresholdWorld.v)]
        #expect(
            world.run([E(0, v: .int(5))], until: 50) == [
                "0 firing a m=5", "6 resolved a m=missing (no data)",
            ])
        world.staleAfter = seconds(60)
        #expect(world.run([E(0, v: .int(5))], until: 62) == ["0 firing a m=5"])
        #expect(
            world.run([E(0, v: .int(5)), E(62, v: .int(6)), E(63, v: .int(1))], until: 64)
                == ["0 firing a m=5"])
        #expect(
            world.run([E(0, v: .int(5)), E(62, v: .int(4))]) == [
                "0 firing a m=5", "62 resolved a m=4",
            ])
    }

    @Test("H6: `keep` keeps it for good, `fire` makes silence itself the alert")
    func staleKeepsOrFires() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(5)))
        world.measures = [measure("m", .max, ThresholdWorld.v)]
        world.onNoData = .keep
        #expect(world.run([E(0, v: .int(5))], until: 5000) == ["0 firing a m=5"])
        world.onNoData = .fire
        #expect(
            world.run([E(0, v: .int(1)), E(50, v: .int(1))], until: 51) == [
                "6 firing a m=missing (no data)", "50 resolved a m=1",
            ])
    }

    @Test("H6: the clock of `for` runs on while the condition is unknown")
    func pendingWhileUnknown() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(5)))
        world.measures = [measure("m", .max, ThresholdWorld.v)]
        world.holdFor = seconds(5)
        #expect(
            world.run([E(0, v: .int(5)), E(4, v: .int(5))], until: 6) == ["5 firing a m=5"])
        #expect(
            world.run([E(0, v: .int(5))], until: 50) == [
                "5 firing a m=missing", "6 resolved a m=missing (no data)",
            ])
        // Too long without data: the clock is forgotten.
        world.holdFor = seconds(7)
        #expect(world.run([E(0, v: .int(5))], until: 50).isEmpty)
    }

    @Test("H7: below the minimum of events both conditions are unknown")
    func minimumEvents() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(0)))
        world.minimumEvents = 2
        #expect(
            world.run([E(0), E(1)], until: 50) == ["1 firing a n=2", "6 resolved a n=0 (no data)"])
    }

    @Test("H7: a division by zero is unknown")
    func divisionByZero() {
        var world = ThresholdWorld(
            when: compare(.arithmetic(.divide, now(0), now(1)), .less, number(5)))
        world.measures = [measure("n", .count), measure("s", .sum, ThresholdWorld.v)]
        #expect(world.run([E(0, v: .int(0))], until: 50).isEmpty)
        #expect(world.run([E(0, v: .int(1))]) == ["0 firing a n=1 s=1"])
    }

    // MARK: - H8, H9, H10

    @Test("H8: with `reset after match` there is one alert for every N events")
    func resetting() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(3)))
        world.window = WindowPlan(.sliding(seconds(100)))
        world.resetsAfterMatch = true
        #expect(
            world.run((0..<7).map { E($0) }, until: 8) == [
                "2 firing a n=3", "2 resolved a n=0", "5 firing a n=3", "5 resolved a n=0",
            ])
        // Where the empty window tells nothing, the time without data begins.
        world.measures = [measure("n", .max, ThresholdWorld.v)]
        #expect(
            world.run([E(0, v: .int(3))], until: 150) == [
                "0 firing a n=3", "100 resolved a n=missing (no data)",
            ])
        world.measures = [measure("n", .count)]
        world.resetsAfterMatch = false
        #expect(world.run((0..<7).map { E($0) }, until: 8) == ["2 firing a n=3"])
    }

    @Test("H9: a listed key knows nothing until its clock has run for the window's length")
    func listedKeysWarmUp() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(2)))
        world.window = WindowPlan(.sliding(seconds(10)))
        world.list = [.text("a")]
        world.watchStart = 0
        #expect(world.run([E(1), E(2)], until: 9).isEmpty)
        #expect(world.run([E(1), E(2)], until: 10) == ["10 firing a n=2"])
        #expect(world.run([E(1, "z"), E(2, "z")], until: 100).isEmpty)
    }

    @Test(
        "H9: a new version of the list begins the clocks of new keys and ends those that are gone")
    func listReload() {
        var world = ThresholdWorld(when: compare(now(0), .equal, number(0)))
        world.list = [.text("a")]
        world.watchStart = 0
        var engine = world.makeEngine()
        var output: [Alert] = []
        world.advance(&engine, to: 100, emitting: &output)
        engine.setList(
            ListID(0), ThresholdWorld.table([.text("b")]),
            at: Timestamp(nanoseconds: 0) + seconds(200), emitting: &output)
        world.advance(&engine, to: 300, emitting: &output)
        #expect(
            output.map(ThresholdWorld.text) == [
                "3 firing a n=0", "200 resolved a n=0 (no longer listed)", "203 firing b n=0",
            ])
    }

    @Test("H9: other keys begin with their first event and are forgotten without events")
    func forgetting() {
        var world = ThresholdWorld(when: compare(now(0), .equal, number(0)))
        world.forgetAfter = seconds(20)
        #expect(
            world.run([E(5)], until: 100) == ["8 firing a n=0", "25 resolved a n=0 (forgotten)"])
        #expect(
            world.run([E(5), E(25)], until: 30) == [
                "8 firing a n=0", "25 resolved a n=1", "28 firing a n=0",
            ])
    }

    @Test("H10: the window before is known once it has been watched as a whole")
    func previousWindow() {
        var world = ThresholdWorld(
            when: compare(
                now(0), .greater, .arithmetic(.multiply, number(2), .measure(0, .previous))))
        world.window = WindowPlan(.tumbling(seconds(10)))
        let events = [E(0), E(1), E(11), E(21), E(22), E(23)]
        #expect(world.run(events, until: 30) == ["30 firing a n=3"])
        world.window = WindowPlan(.sliding(seconds(10)))
        world.when = compare(.measure(0, .previous), .equal, number(2))
        // Both events of the beginning are in [t - 20, t - 10) from behind 11 s on, until one leaves
        // behind 20 s; only then has the clock run for two windows. Those at 21 and 22 s are in it
        // until 23 s joins.
        #expect(
            world.run(events, until: 40) == [
                "20 firing a n=1", "20 resolved a n=1", "32 firing a n=1", "33 resolved a n=0",
            ])
    }

    @Test("H10: the same time earlier is the window that ended then")
    func sameTimeEarlier() {
        var world = ThresholdWorld(
            when: compare(now(0), .less, .measure(0, .earlier(seconds(60)))))
        world.window = WindowPlan(.sliding(seconds(10)))
        // Known from 70 s on, when the window of a minute ago is [0, 10].
        #expect(
            world.run([E(0), E(12), E(14), E(73)], until: 90) == [
                "70 firing a n=0", "70 resolved a n=0",  // 0 s is in that window for the last time
                "72 firing a n=0", "73 resolved a n=1",  // 12 s enters it; one now as well
                "74 firing a n=1", "82 resolved a n=1",  // 14 s enters it; 12 s leaves it
                "83 firing a n=0", "84 resolved a n=0",  // 73 s leaves the window of now; 14 s its
            ])
    }

    // MARK: - T9, part 5

    @Test("T9: a window that is full lets its oldest event go, says so, and goes on")
    func fullWindows() {
        let windows: [WindowPlan.Kind] = [
            .sliding(seconds(100)), .tumbling(seconds(100)), .last(50),
            .session(gap: seconds(50), max: seconds(100)),
        ]
        for window in windows {
            var world = ThresholdWorld(when: compare(now(1), .greaterOrEqual, number(15)))
            world.window = WindowPlan(window)
            world.eventsPerWindow = 3
            world.measures = [
                measure("n", .count), measure("s", .sum, ThresholdWorld.v),
                measure("m", .min, ThresholdWorld.v), measure("f", .first, ThresholdWorld.v),
            ]
            let alerts = world.alerts((1...6).map { E($0, v: .int($0)) }, until: 100)
            #expect(alerts.contains { $0.rule == "engine.overflow" })
            // The last three of the events are in it, and nothing of the others.
            let alert = alerts.first { $0.rule == "r" }
            #expect(alert.map(ThresholdWorld.text)?.hasSuffix("firing a n=3 s=15 m=4 f=4") == true)
            #expect(alert?.incompleteBecause.isEmpty == false)
        }
    }

    // MARK: - Part 5

    @Test(
        "The strength says how far the value is beyond the limit, and a record has the window's times"
    )
    func strength() {
        var world = ThresholdWorld(when: compare(now(0), .greaterOrEqual, number(4)))
        world.window = WindowPlan(.tumbling(seconds(10)))
        let alert = world.alerts((1...8).map { E($0) }, until: 10).first
        #expect(alert?.strength == 0.5)
        #expect(alert?.firstTime.nanoseconds == 1_000_000_000)
        #expect(alert?.lastTime.nanoseconds == 8_000_000_000)
        #expect(alert?.matchedAt.nanoseconds == 10_000_000_000)
        world.when = .and([
            compare(now(0), .less, number(10)), compare(number(4), .less, now(0)),
        ])
        // 1 - 8/10 is less than 1 - 4/8.
        let strength = world.alerts((1...8).map { E($0) }, until: 10).first?.strength
        #expect(abs((strength ?? 0) - 0.2) < 1e-12)
    }
}
