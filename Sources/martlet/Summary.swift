import MatchEngine
import RuleModel
import StreamRuntime

/// What a run did, in a few lines for a person: what was read, what was found, what is open, and
/// everything that was left out.
///
/// - Parameter lateness: What each input allows.
func describe(
    _ summary: PipelineSummary, program: Program, lateness: [TimeSpan], seconds: Double
) -> String {
    let input = summary.input
    var lines: [String] = []
    let rate = seconds > 0 ? Int(Double(input.events) / seconds) : 0
    var first = "\(counted(input.events, "event")) in \(shortSeconds(seconds)) (\(grouped(rate))/s)"
    if let begin = summary.firstTime, let end = summary.lastTime {
        first += ", event time \(begin) to \(end)"
    }
    lines.append(first)
    let records = summary.alerts
    lines.append(
        "\(counted(records.sent, "alert record"))"
            + perRule(summary, program)
            + (records.suppressed > 0 ? "; \(grouped(records.suppressed)) suppressed" : "")
            + (records.folded > 0 ? "; \(grouped(records.folded)) folded into groups" : ""))
    if records.forgotten > 0 {
        lines.append(
            "\(counted(records.forgotten, "record")) sent although `suppress by` or `group by` may have kept them silent: too many values to remember"
        )
    }
    if summary.openDeadlines > 0 {
        lines.append(
            "\(counted(summary.openDeadlines, "deadline")) still open: event time ended before they were due"
        )
    }
    if input.unreadTypeEvents > 0 {
        var text = "\(counted(input.unreadTypeEvents, "event")) of types that no rule reads"
        if input.unreadTypeEvents == input.events {
            let names = program.tables.eventTypes.map { "`\($0)`" }
            text += "; these rules read \(names.prefix(8).joined(separator: ", "))"
            if names.count > 8 { text += " and \(names.count - 8) more" }
        }
        lines.append(text)
    }
    let early = summary.engine.early
    if early.sent > 0 {
        let settled = max(1, early.confirmed + early.changed)
        let lead = TimeSpan(nanoseconds: early.lead.nanoseconds / Int64(settled))
        lines.append(
            "\(counted(early.sent, "alert")) told early, on average "
                + "\(shortSeconds(lead.seconds)) of event time sooner: "
                + "\(grouped(early.confirmed)) confirmed, \(grouped(early.changed)) changed, "
                + "\(grouped(early.withdrawn)) withdrawn")
    }
    lines += overflows(summary.engine)
    for (index, source) in summary.engine.sources.enumerated() where source.outOfOrder > 0 {
        var text = "\(counted(source.outOfOrder, "event")) out of order"
        if summary.engine.sources.count > 1 { text += " in input \(index + 1)" }
        text += ", the worst by \(source.worstDisorder)"
        text +=
            source.late > 0
            ? "; \(grouped(source.late)) of them later than the allowed lateness, which changed nothing"
            : source.worstDisorder <= lateness[index]
                ? "; put in order within the allowed lateness"
                : "; `--lateness \(source.worstDisorder)` would put them in order"
        lines.append(text)
    }
    for (index, counters) in summary.engine.rules.enumerated() {
        let name = program.rules[index].name
        if counters.missingKeys > 0 {
            lines.append(
                "\(name): \(counted(counters.missingKeys, "event")) without a part of the key")
        }
        if counters.missingMembers > 0 {
            lines.append(
                "\(name): \(counted(counters.missingMembers, "event")) without the field that names the member"
            )
        }
        if counters.silenced > 0 {
            lines.append("\(name): \(grouped(counters.silenced)) silenced by `unless` or `active`")
        }
        if counters.droppedValues > 0 {
            lines.append(
                "\(name): \(grouped(counters.droppedValues)) values that `distinct` had no room for"
            )
        }
        let dropped = counters.evictedKeys + counters.droppedRuns + counters.droppedEvents
        if dropped > 0 || counters.exhaustedSearches > 0 {
            lines.append(
                "\(name): limits were reached: \(grouped(counters.evictedKeys)) keys, "
                    + "\(grouped(counters.droppedRuns)) candidates and "
                    + "\(grouped(counters.droppedEvents)) events dropped, "
                    + "\(grouped(counters.exhaustedSearches)) searches cut short")
        }
        if counters.droppedRisks > 0 {
            lines.append(
                "\(name): \(grouped(counters.droppedRisks)) entities or points dropped, since there were too many"
            )
        }
        if counters.droppedMembers > 0 {
            lines.append(
                "\(name): \(counted(counters.droppedMembers, "member")) dropped, since a group had too many"
            )
        }
    }
    if let durable = summary.durable { lines += describe(durable) }
    let faults = input.summary
    if !faults.isEmpty { lines.append(faults) }
    return lines.joined(separator: "\n")
}

/// What was given up for limits that no single rule has.
private func overflows(_ engine: EngineCounters) -> [String] {
    var lines: [String] = []
    let overflows = engine.overflows
    if overflows.shortages > 0 {
        lines.append(
            "memory was short \(counted(overflows.shortages, "time")): "
                + "\(counted(overflows.keysForMemory, "key")) dropped for it, of the rules that had most"
        )
    }
    if engine.hurriedEvents > 0 {
        lines.append(
            "\(counted(engine.hurriedEvents, "event")) processed before the allowed lateness had passed, since too many waited"
        )
    }
    if overflows.untoldEarly > 0 {
        lines.append(
            "\(grouped(overflows.untoldEarly)) matches told in order only, since too many told early were unconfirmed"
        )
    }
    if overflows.forgottenForCorrection > 0 {
        lines.append(
            "\(counted(overflows.forgottenForCorrection, "event")) too many to compare late ones with"
        )
    }
    return lines
}

/// `: brute_force 12, scan 3`, the most frequent first.
private func perRule(_ summary: PipelineSummary, _ program: Program) -> String {
    let counts = summary.alerts.sentByRule.enumerated().filter { $0.element > 0 }
        .sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }
    guard summary.alerts.sent > 0 else { return "" }
    var shown = counts.prefix(12).map { index, count in
        "\(program.rules[index].name) \(grouped(count))"
    }
    let rest = counts.count - shown.count
    // Those of the engine itself, such as a limit that was reached.
    let others = summary.alerts.sent - summary.alerts.sentByRule.reduce(0, +)
    if others > 0 { shown.append("engine \(grouped(others))") }
    return ": " + shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more rules" : "")
}

/// `41 ms`, `2.3 s`.
func shortSeconds(_ seconds: Double) -> String {
    if seconds < 1 { return milliseconds(seconds) }
    let tenths = Int((seconds * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) s"
}
