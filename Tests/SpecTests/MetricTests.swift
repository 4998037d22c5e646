import MatchEngine
import RuleCompiler
import RuleModel
import TestKit
import Testing

import struct RuleSyntax.SourceText

/// Metrics by worked examples: buckets as events (M1) and forecasts (M2).
@Suite("Metrics") struct MetricTests {
    private static let schema = "event sale { region: text  amount: number  user: text? }\n"

    private func program(_ metric: String, _ rules: String = "") throws -> Program {
        let text = Self.schema + "metric m {\n" + metric + "\n}\n" + rules
        let result = compile([SourceText(name: "m.rules", text: text)])
        let errors = result.diagnostics.filter { $0.severity == .error }.map(\.message)
        return try #require(result.program, "\(errors)")
    }

    private func sale(
        at second: Int64, _ amount: Int64, region: String = "eu", user: String = "ann"
    ) -> TestEvent {
        TestEvent(
            "sale", at: .second * second,
            ["region": .text(region), "amount": .int(amount), "user": .text(user)])
    }

    /// `END KEY m=1 ...`, the end in seconds.
    private func lines(_ metrics: [MetricRecord]) -> [String] {
        metrics.map { record in
            let end = (record.end - TestEvent.epoch).description
            let words =
                record.key.map { plainText($0.value) }
                + record.measures.map { "\($0.name)=\(plainText($0.value))" }
            return ([end] + words).joined(separator: " ")
        }
    }

    private func run(
        _ program: Program, _ events: [TestEvent], until end: TimeSpan,
        _ run: EngineRun = EngineRun()
    ) -> (alerts: [Alert], metrics: [MetricRecord]) {
        run.records(of: program, lists: [], events: events, end: TestEvent.epoch + end)
    }

    // MARK: - M1

    @Test("M1 each bucket is an event at its end with its key and measures, and rules read it")
    func buckets() throws {
        let program = try program(
            """
            by region
            over sale where amount > 0
            window 1m tumbling
            measure total = sum(amount)
            measure orders = count
            measure large = count where amount >= 10
            measure users = distinct(user)
            measure mean = avg(amount)
            """,
            """
            rule high {
              sequence by region { hit: metric.m where total >= 12 and users == 2 }
              alert "{hit.region} {hit.total} {hit.orders} {hit.mean}"
            }
            """)
        let events = [
            sale(at: 0, 2), sale(at: 30, 10, user: "bob"), sale(at: 40, 7, region: "us"),
            // At the end of a bucket the next one begins.
            sale(at: 60, 12), sale(at: 61, -5),
        ]
        let found = run(program, events, until: .second * 121)
        #expect(
            lines(found.metrics).sorted() == [
                "1m eu total=12 orders=2 large=1 users=2 mean=6",
                "1m us total=7 orders=1 large=0 users=1 mean=7",
                "2m eu total=12 orders=1 large=1 users=1 mean=12",
                "2m us total=0 orders=0 large=0 users=missing mean=missing",
            ])
        #expect(found.alerts.map(\.message) == ["eu 12 2 6"])
        #expect(found.alerts.map { $0.matchedAt - TestEvent.epoch } == [.minute])
        #expect(found.metrics.first?.name == "m" && found.metrics.first?.start == TestEvent.epoch)
    }

    @Test("M1 T5 a bucket is judged when the watermark is beyond its end")
    func judged() throws {
        let program = try program("over sale\nwindow 1m tumbling\nmeasure n = count")
        #expect(run(program, [sale(at: 5, 1)], until: .minute).metrics.isEmpty)
        let later = run(program, [sale(at: 5, 1)], until: .minute + TimeSpan(nanoseconds: 1))
        #expect(lines(later.metrics) == ["1m n=1"])
    }

    @Test("M1 a key has empty buckets until it is forgotten, and begins anew")
    func forgotten() throws {
        let program = try program(
            "over sale\nwindow 1m tumbling\nmeasure n = count\nforget after 150s")
        let found = run(program, [sale(at: 5, 1), sale(at: 400, 1)], until: .second * 421)
        #expect(lines(found.metrics) == ["1m n=1", "2m n=0", "7m n=1"])
    }

    @Test("M1 a key without events is remembered for a day, and for two seasons of a forecast")
    func remembered() throws {
        let daily = "over sale\nwindow 6h tumbling\nmeasure n = count\n"
        let plain = try program(daily)
        #expect(run(plain, [sale(at: 5, 1)], until: .day * 9).metrics.count == 4)
        let seasonal = try program(daily + "forecast n for 6h seasonal daily")
        #expect(run(seasonal, [sale(at: 5, 1)], until: .day * 9).metrics.count == 8)
    }

    @Test("M1 hopping buckets overlap") func hopping() throws {
        let program = try program(
            "over sale\nwindow 2m hopping every 1m\nmeasure total = sum(amount)")
        let found = run(program, [sale(at: 70, 1), sale(at: 130, 2)], until: .second * 241)
        #expect(lines(found.metrics) == ["2m total=1", "3m total=3", "4m total=2"])
    }

    @Test("M1 each session is one event, when its gap has passed or it would be too long")
    func sessions() throws {
        let program = try program(
            "by user\nover sale\nwindow session gap 10s max 30s\nmeasure n = count\n"
                + "measure first = first(amount)\nmeasure last = last(amount)")
        let events = [0, 10, 20, 30, 40, 60].map { sale(at: $0, $0 + 1) }
        let found = run(program, events, until: .second * 71)
        #expect(
            lines(found.metrics) == [
                "40s ann n=4 first=1 last=31", "50s ann n=1 first=41 last=41",
                "1m10s ann n=1 first=61 last=61",
            ])
        #expect(found.metrics.map { $0.start - TestEvent.epoch }.map(\.seconds) == [0, 40, 60])
    }

    @Test("M1 a metric over a metric adds up what that one has measured")
    func overMetric() throws {
        let program = try program(
            "by region\nover sale\nwindow 1m tumbling\nmeasure total = sum(amount)",
            """
            metric hourly {
              over metric.m
              window 1h tumbling
              measure most = max(total)
              measure regions = distinct(region)
            }
            """)
        let events = [sale(at: 0, 2), sale(at: 30, 10), sale(at: 70, 7, region: "us")]
        let found = run(program, events, until: .hour + .second).metrics
        #expect(lines(found.filter { $0.name == "hourly" }) == ["1h most=12 regions=2"])
    }

    @Test("M1 T9 what a `distinct` has no room for is counted and said")
    func distinctLimit() throws {
        let program = try program("over sale\nwindow 1m tumbling\nmeasure users = distinct(user)")
        var limited = EngineRun()
        limited.limits.distinctValues = 3
        let events = (0..<5).map { sale(at: $0, 1, user: "u\($0)") } + [sale(at: 6, 1, user: "u0")]
        let found = run(program, events, until: .second * 61, limited)
        #expect(lines(found.metrics) == ["1m users=3"])
        #expect(found.metrics.map(\.incompleteBecause.count) == [1])
        #expect(found.alerts.map(\.rule) == ["engine.overflow"])
        #expect(run(program, events, until: .second * 61).metrics[0].incompleteBecause.isEmpty)
    }

    @Test("M1 T3 a late event changes no bucket and marks the key") func late() throws {
        let program = try program("over sale\nwindow 1m tumbling\nmeasure n = count")
        var run = EngineRun()
        run.lateness = .second
        run.pieces = [1]
        let events = [sale(at: 5, 1), sale(at: 65, 1), sale(at: 6, 1)]
        let found = self.run(program, events, until: .second * 130, run).metrics
        #expect(lines(found) == ["1m n=1", "2m n=1"])
        #expect(found.map(\.incompleteBecause).last == ["events of this key came too late"])
    }

    @Test("M1 days of a zone are buckets, however long they are") func calendar() throws {
        let text =
            Self.schema
            + "metric m {\nover sale\nwindow 1d tumbling aligned to \"Europe/Berlin\"\n"
            + "measure n = count\nforget after 3d\n}"
        let program = try #require(compile([SourceText(name: "m.rules", text: text)]).program)
        var options = EngineOptions()
        options.keepsMetrics = true
        // One hour ahead of UTC, from 01:00 UTC of the second day on two.
        let change = (TestEvent.epoch + .day + .hour).nanoseconds / 1_000_000_000
        let zone = ZoneTable(transitions: [
            ZoneTable.Transition(start: .min, offset: 3600),
            ZoneTable.Transition(start: change, offset: 7200),
        ])
        var engine = Engine(
            program: program, environment: EngineEnvironment(zones: ["Europe/Berlin": zone]),
            options: options)
        var alerts: [Alert] = []
        let batch = makeBatch([sale(at: 5, 1)], tables: program.tables)
        engine.process(batch, rows: 0..<1, emitting: &alerts)
        engine.advance(to: TestEvent.epoch + .day * 2, emitting: &alerts)
        let ends = engine.takeMetrics().map { ($0.end - TestEvent.epoch).description }
        #expect(ends == ["23h", "1d22h"])
    }

    // MARK: - M2

    private func forecasts(
        _ values: [Int64], _ forecast: String, every minutes: Int64 = 1
    ) throws -> [MetricRecord.Forecast] {
        let program = try program(
            "over sale\nwindow \(minutes)m tumbling\nmeasure total = sum(amount)\n"
                + "forecast total for \(forecast)")
        let step = 60 * minutes
        let events = values.enumerated().map { sale(at: Int64($0) * step, $1) }
        let end = TimeSpan.second * (step * Int64(values.count) + 1)
        return run(program, events, until: end).metrics.map { $0.forecasts[0] }
    }

    @Test(
        "M2 what is expected of a bucket is what was foreseen as long ago as the forecast reaches")
    func ahead() throws {
        var random = RandomSource(seed: 7)
        let found = try forecasts((0..<80).map { _ in Int64(random.number(50...90)) }, "5m")
        #expect(found.count == 80)
        #expect(found[5].expected == nil && found[6].expected != nil)
        for (now, later) in zip(found, found.dropFirst(5)) {
            #expect(now.ahead == later.expected)
            #expect(now.aheadLow == later.low && now.aheadHigh == later.high)
        }
        // Nineteen errors of this horizon, and no fewer, tell how wide the interval is.
        #expect(found.firstIndex { $0.aheadLow != nil } == 6 + 18)
    }

    @Test("M2 of noise about 95 of 100 buckets are within the interval") func coverage() throws {
        var random = RandomSource(seed: 11)
        let values = (0..<1500).map { _ in Int64(random.number(0...1000)) }
        let found = try forecasts(values, "3m")
        var inside = 0
        var known = 0
        for (value, forecast) in zip(values, found) {
            guard let low = forecast.low, let high = forecast.high else { continue }
            known += 1
            inside += low <= Double(value) && Double(value) <= high ? 1 : 0
        }
        #expect(known > 1400)
        #expect(inside * 100 > known * 92 && inside * 100 < known * 99)
    }

    @Test("M2 the trend is up on a rising line, down on a falling one, mostly flat in noise")
    func trend() throws {
        var random = RandomSource(seed: 3)
        let rising = try forecasts((0..<80).map { $0 * 5 + Int64(random.number(0...9)) }, "1m")
        #expect(rising.last?.trend == .up)
        #expect((rising.last?.slope ?? 0) > 2)
        let falling = try forecasts((0..<80).map { 900 - $0 * 5 }, "1m")
        #expect(falling.last?.trend == .down)
        let noise = try forecasts((0..<600).map { _ in Int64(random.number(0...99)) }, "1m")
        let known = noise.compactMap(\.trend)
        #expect(known.count { $0 == .flat } * 100 > known.count * 85)
        #expect(rising.prefix(19).allSatisfy { $0.trend == nil })
    }

    @Test("M2 a season is foreseen once two have been seen, and before that the trend")
    func season() throws {
        // Six values a day, the same every day.
        let day: [Int64] = [10, 40, 90, 70, 30, 20]
        let values = (0..<60).map { day[$0 % 6] }
        let seasonal = try forecasts(values, "4h seasonal daily", every: 240)
        let plain = try forecasts(values, "4h", every: 240)
        #expect(seasonal[..<11].map(\.ahead) == plain[..<11].map(\.ahead))
        #expect(seasonal[11].ahead != plain[11].ahead)
        for (value, forecast) in zip(values, seasonal).dropFirst(12) {
            let expected = try #require(forecast.expected)
            #expect(abs(expected - Double(value)) < 0.001)
        }
    }

    @Test("M2 a breach of the interval is a condition like any other") func breach() throws {
        let program = try program(
            "over sale\nwindow 1m tumbling\nmeasure total = sum(amount)\nforecast total for 1m",
            """
            rule drop {
              sequence { hit: metric.m where total < low }
              alert "{hit.total} below {hit.low}, expected {hit.total.expected}"
            }
            """)
        let values = (0..<40).map { Int64(100 + $0 % 3) } + [20]
        let events = values.enumerated().map { sale(at: Int64($0) * 60, $1) }
        let found = run(program, events, until: .second * Int64(values.count * 60 + 1))
        #expect(found.alerts.map { $0.matchedAt - TestEvent.epoch } == [.minute * 41])
        #expect(found.alerts.first?.message.hasPrefix("20 below ") == true)
    }

    @Test("M2 of several forecasts each has its own names") func several() throws {
        let program = try program(
            """
            over sale
            window 1m tumbling
            measure total = sum(amount)
            measure n = count
            forecast total for 1m
            forecast n for 2m
            """,
            """
            rule more {
              sequence { hit: metric.m where total > total.expected and n.expected == 1 }
              alert "{hit.total}"
            }
            """)
        let events = (0..<6).map { sale(at: $0 * 60, $0 == 5 ? 9 : 1) }
        #expect(run(program, events, until: .second * 361).alerts.map(\.message) == ["9"])
    }

    // MARK: - Records as text

    @Test("a record is one line of JSON, and one for people") func text() throws {
        var record = MetricRecord(
            name: "m", start: TestEvent.epoch, end: TestEvent.epoch + .minute,
            key: [Alert.NamedValue("region", .text("e\u{1B}u"))],
            measures: [
                Alert.NamedValue("total", .float(2.00049)), Alert.NamedValue("mean", .missing),
            ], forecasts: [], incompleteBecause: [],
            order: AlertOrder(instant: 0, arrival: 0, depth: 0, rule: 0, key: 0, serial: 0))
        var forecast = MetricRecord.Forecast(measure: "total")
        forecast.expected = 1.5
        forecast.low = 1
        forecast.high = 2
        forecast.trend = .down
        record.forecasts = [forecast]
        var bytes: [UInt8] = []
        record.appendLine(style: AlertLineStyle(showsDate: true), to: &bytes)
        record.appendJSON(to: &bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self) == """
                2026-01-01 00:01:00 METRIC m region=e\\u{1b}u  total=2 (expected 1 to 2, down) mean=-
                {"metric":"m","start":"2026-01-01T00:00:00Z","end":"2026-01-01T00:01:00Z",\
                "key":{"region":"e\\u001bu"},"measures":{"total":2.00049,"mean":null},\
                "forecasts":{"total":{"expected":1.5,"low":1,"high":2,"ahead":null,"ahead_low":null,\
                "ahead_high":null,"trend":"down","slope":null}},"complete":true,\
                "incomplete_because":[]}

                """)
    }
}
