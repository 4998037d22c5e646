import RuleModel

/// An event as the events of a kind are written, but for its time and its key.
struct KindEvent: Sendable {
    var type: String
    /// Members of the JSON object, with commas between.
    var fields: String
}

/// One rule of a kind with the field `service` as its key, and events for it.
struct KindSample: Sendable {
    var name: String
    var text: String
    /// The event of a key with this number, in a mixture as usual.
    var event: @Sendable (Int) -> KindEvent
    var filling: Filling

    /// Events that give a key as much as its rule keeps at most.
    struct Filling: Sendable {
        var keys: Int
        var eventsPerKey: Int
        /// What the keys are full of, for the table.
        var words: String
        /// The event of a key with this number, and how long after the first it comes.
        var event: @Sendable (Int) -> (event: KindEvent, after: TimeSpan)
    }
}

let kindSamples = [
    KindSample(
        name: "sequence",
        text: """
            event login { service: text  user: text  ok: bool }
            rule r {
              sequence by service within 5m {
                at least 5 bad: login where not ok
                then good: login where ok
              }
              alert "{service}: {bad.count} failures, then {good.user}"
            }
            """,
        event: { login($0, ok: $0 % 10 == 9) },
        filling: KindSample.Filling(
            keys: 500, eventsPerKey: 1_200, words: "1,000 failures",
            event: { (login($0, ok: false), milliseconds($0)) })),
    KindSample(
        name: "threshold",
        text: """
            event request { service: text  ms: number }
            rule r {
              threshold by service {
                over request
                window 1m sliding
                measure mean = avg(ms)
                measure p95 = percentile(95, ms)
                when mean > 600 and p95 > 990
              }
              alert "{service}: {mean} ms, p95 {p95} ms"
            }
            """,
        event: { request($0) },
        filling: KindSample.Filling(
            keys: 50, eventsPerKey: 10_000, words: "10,000 events in the window",
            event: { (request($0), milliseconds($0)) })),
    KindSample(
        name: "correlation",
        text: """
            event deploy { service: text  version: text }
            event surge { service: text  level: number }
            rule r {
              correlation by service within 15m {
                a: deploy
                b: surge where level > 1
                order a, b
              }
              alert "{service}: {a.version}, {b.level}"
            }
            """,
        event: { deployOrSurge($0) },
        filling: KindSample.Filling(
            keys: 200, eventsPerKey: 2_500, words: "1,000 events of the members",
            event: { (deployOrSurge($0), milliseconds($0)) })),
    KindSample(
        name: "correlation with a lift",
        text: """
            event deploy { service: text  version: text }
            event surge { service: text  level: number }
            rule r {
              correlation by service within 1s {
                a: deploy
                b: surge where level > 1
                order a, b
                strength lift(b after a within 1m) >= 3 over 1d with at least 20
              }
              alert "{service}: {a.version}, {b.level}"
            }
            """,
        event: { deployOrSurge($0) },
        filling: KindSample.Filling(
            keys: 20, eventsPerKey: 110_000, words: "those, and 10,000 occurrences for the lift",
            event: { (deployOrSurge($0), milliseconds($0 / 111)) })),
    KindSample(
        name: "anomaly_cluster",
        text: """
            event request { service: text  host: text  ms: number }
            rule r {
              anomaly_cluster by service {
                measure mean = avg(ms) of request every 1m by host
                baseline last 60 adapt after 10m
                anomalous when robust_z(mean) > 4 for 2 of the last 3
                cluster when at least 3 host within 5m
              }
              alert "{service}: {members.count} slow, first {members.first.host}"
            }
            """,
        event: { request($0, host: $0 % 20) },
        filling: KindSample.Filling(
            keys: 10, eventsPerKey: 72_000, words: "1,000 members with 70 values each",
            event: { (request($0, host: $0 % 1_000), .minute * Int64($0 / 1_000)) })),
    KindSample(
        name: "metric",
        text: """
            event request { service: text  ms: number }
            metric load {
              by service
              over request
              window 5m tumbling
              measure total = sum(ms)
              measure p95 = percentile(95, ms)
              forecast total for 15m seasonal daily
            }
            """,
        event: { request($0) },
        filling: KindSample.Filling(
            keys: 50, eventsPerKey: 11_600,
            words: "11,000 values for p95, and two days of forecasts",
            event: { (request($0), .minute * 5 * Int64(min($0, 600))) })),
]

private func login(_ number: Int, ok: Bool) -> KindEvent {
    KindEvent(type: "login", fields: #""user":"user-\#(number % 97)","ok":\#(ok)"#)
}

private func request(_ number: Int) -> KindEvent {
    KindEvent(type: "request", fields: #""ms":\#(number * 7_919 % 1_000).5"#)
}

private func request(_ number: Int, host: Int) -> KindEvent {
    KindEvent(
        type: "request", fields: #""host":"host-\#(host)","ms":\#(number * 7_919 % 1_000).5"#)
}

private func deployOrSurge(_ number: Int) -> KindEvent {
    number % 10 == 0
        ? KindEvent(type: "deploy", fields: #""version":"version-\#(number % 97)-of-the-service""#)
        : KindEvent(type: "surge", fields: #""level":\#(number % 5)"#)
}

func milliseconds(_ number: Int) -> TimeSpan { TimeSpan(nanoseconds: 1_000_000) * Int64(number) }
