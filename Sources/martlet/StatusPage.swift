import MatchEngine
import RuleModel
import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// What `martlet status` prints of the engine in this process.
///
/// - Parameter started: When the run began, on the clock of `monotonicSeconds`.
func statusAnswer(
    _ requests: PipelineRequests, _ counts: ReloadCounts, _ guarantees: [Guarantee], isJSON: Bool,
    started: Double
) -> ControlAnswer {
    guard let status = requests.perform(waitingAtMost: 10, { $0.status }) else {
        return ControlAnswer(
            Failure(
                .failed,
                "the engine did not answer in 10 s: it waits for whoever reads its output, or has ended"
            ))
    }
    let page = StatusPage(
        status: status, counts: counts, guarantees: guarantees,
        seconds: monotonicSeconds() - started,
        residentBytes: residentBytes(), now: wallTime())
    return ControlAnswer(output: isJSON ? page.json.line + "\n" : page.text)
}

/// One screen about a running engine.
private struct StatusPage {
    var status: PipelineStatus
    var counts: ReloadCounts
    var guarantees: [Guarantee]
    var seconds: Double
    var residentBytes: Int
    var now: Timestamp

    private var events: Int { status.inputs.reduce(0) { $0 + $1.report.events } }

    private var keys: Int { status.held.rules.reduce(0) { $0 + $1.keys } }

    private var openMatches: Int { status.held.rules.reduce(0) { $0 + $1.openMatches } }

    /// How far event time is behind the clock; nil before the first event.
    private var lag: TimeSpan? { status.lastTime.map { now - $0 } }

    private var dropped: Int {
        status.engine.rules.reduce(0) { sum, rule in
            sum + rule.evictedKeys + rule.droppedRuns + rule.droppedEvents + rule.droppedValues
                + rule.droppedMembers + rule.droppedRisks
        }
    }

    var text: String {
        var lines = [
            "martlet \(versionNumber)  pid \(getpid())  up \(uptime)",
            "rules       version \(counts.version), \(counted(status.held.rules.count, "rule"))"
                + (counts.refused > 0
                    ? "; \(counted(counts.refused, "reload")) refused" : ""),
        ]
        for input in status.inputs {
            var line = "source      \(input.name): \(counted(input.report.events, "event"))"
            if input.report.badLines > 0 {
                line += ", \(counted(input.report.badLines, "line")) unreadable"
            }
            if input.report.repeatedEvents > 0 {
                line += ", \(grouped(input.report.repeatedEvents)) more came again"
            }
            if input.report.forgottenIDs > 0 {
                line += ", \(counted(input.report.forgottenIDs, "id")) forgotten early"
            }
            line +=
                input.hasEnded
                ? ", has ended" : ", the last \(shortSeconds(input.silentSeconds)) ago"
            lines.append(line)
        }
        if let lag, let last = status.lastTime {
            lines.append("time        events have come to \(last), \(spoken(lag)) the clock")
            lines.append("watermark   \(status.watermark)")
        } else {
            lines.append("time        no event yet")
        }
        lines.append(
            "alerts      \(counted(status.alerts.sent, "record"))"
                + (status.alerts.suppressed > 0
                    ? ", \(grouped(status.alerts.suppressed)) suppressed" : "")
                + (status.alerts.folded > 0 ? ", \(grouped(status.alerts.folded)) folded" : ""))
        if let durable = status.durable {
            lines += durable.sinks.map { "sink        \(describe($0))" }
            if durable.waiting > 0 {
                lines.append(
                    "waiting     \(counted(durable.waiting, "alert")) for the slowest sink")
            }
            if durable.silences > 0 || durable.silenced > 0 {
                lines.append(
                    "silences    \(grouped(durable.silences)) in force, "
                        + "\(counted(durable.silenced, "alert")) kept from the sinks")
            }
        }
        lines += guarantees.map(\.line)
        lines.append(
            "state       \(counted(keys, "key")), \(grouped(openMatches)) in progress, "
                + "\(counted(status.openDeadlines, "deadline")) open"
                + (dropped > 0 ? "; \(grouped(dropped)) dropped for a limit" : ""))
        lines.append("memory      \(residentBytes >> 20) MiB resident")
        return lines.joined(separator: "\n") + "\n"
    }

    private var uptime: String {
        let whole = Int(seconds)
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) m \(whole % 60) s" }
        return "\(whole / 3600) h \(whole / 60 % 60) m"
    }

    private func spoken(_ lag: TimeSpan) -> String {
        let size = abs(lag.seconds)
        let words =
            size < 60 ? shortSeconds(size) : "\(TimeSpan(nanoseconds: Int64(size) * 1_000_000_000))"
        return words + (lag < .zero ? " ahead of" : " behind")
    }

    var json: JSONDocument {
        .object([
            ("schema", 1), ("pid", .number(Int(getpid()))), ("version", .text(versionNumber)),
            ("uptime_s", .decimal(seconds)),
            (
                "rules",
                .object([
                    ("version", .number(counts.version)),
                    ("count", .number(status.held.rules.count)),
                    ("reload_failed_total", .number(counts.refused)),
                ])
            ),
            ("sources", .array(status.inputs.map(json))),
            ("events", .number(events)),
            ("last_event_time", status.lastTime.map { .text("\($0)") } ?? .null),
            ("lag_s", lag.map { .decimal($0.seconds) } ?? .null),
            ("watermark", .text("\(status.watermark)")),
            ("alerts", .number(status.alerts.sent)),
            ("suppressed", .number(status.alerts.suppressed)),
            ("folded", .number(status.alerts.folded)),
            ("sinks", .array((status.durable?.sinks ?? []).map(json))),
            (
                "guarantees",
                .array(
                    guarantees.map { path in
                        .object([
                            ("source", .text(path.source)), ("sink", .text(path.sink)),
                            ("promise", .text(path.promise)),
                        ])
                    })
            ),
            ("waiting", .number(status.durable?.waiting ?? 0)),
            ("silences", .number(status.durable?.silences ?? 0)),
            ("silenced", .number(status.durable?.silenced ?? 0)),
            ("keys", .number(keys)), ("open_matches", .number(openMatches)),
            ("open_deadlines", .number(status.openDeadlines)),
            ("dropped", .number(dropped)), ("resident_bytes", .number(residentBytes)),
        ])
    }

    private func json(_ sink: DeliveryCounters) -> JSONDocument {
        .object([
            ("name", .text(sink.name)), ("delivered", .number(sink.delivered)),
            ("retries", .number(sink.retries)), ("redelivered", .number(sink.redelivered)),
            ("dead_letters", .number(sink.deadLetters)), ("grouped", .number(sink.grouped)),
            ("at_rate", .bool(sink.isAtRate)),
            ("trouble", sink.trouble.map { .text($0) } ?? .null),
        ])
    }

    private func json(_ input: PipelineStatus.Input) -> JSONDocument {
        .object([
            ("name", .text(input.name)), ("events", .number(input.report.events)),
            ("bad_lines", .number(input.report.badLines)),
            ("repeated", .number(input.report.repeatedEvents)),
            ("without_id", .number(input.report.eventsWithoutID)),
            ("forgotten_ids", .number(input.report.forgottenIDs)),
            ("silent_s", .decimal(input.silentSeconds)), ("ended", .bool(input.hasEnded)),
        ])
    }
}
