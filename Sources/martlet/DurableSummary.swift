import MatchEngine
import RuleModel
import StreamRuntime

/// What a run went on from; nil when it began anew.
func describe(_ recovery: Pipeline.RecoveryReport) -> String? {
    let rules = recovery.rules.rules
    if rules.isEmpty, recovery.replayedEvents == 0 { return nil }
    var text = "going on where the engine before stopped"
    let counts = [ReloadOutcome.kept, .reset, .new, .removed].compactMap { outcome in
        let names = rules.filter { $0.outcome == outcome }.map(\.name)
        if names.isEmpty { return nil as String? }
        let shown = outcome == .kept ? "" : " (\(names.prefix(5).joined(separator: ", ")))"
        return "\(counted(names.count, "rule")) \(outcome.rawValue)\(shown)"
    }
    if !counts.isEmpty { text += ": " + counts.joined(separator: ", ") }
    text += "; \(counted(recovery.replayedEvents, "event")) behind the checkpoint processed again"
    return text + "; ready after \(shortSeconds(recovery.seconds))"
}

/// `soc: 3 delivered, 1 tried again; in trouble: refused`
func describe(_ sink: DeliveryCounters) -> String {
    var text = "\(sink.name): \(grouped(sink.delivered)) delivered"
    if sink.grouped > 0 { text += ", \(grouped(sink.grouped)) more in groups" }
    if sink.retries > 0 { text += ", \(grouped(sink.retries)) tried again" }
    if sink.redelivered > 0 { text += ", \(grouped(sink.redelivered)) perhaps a second time" }
    if sink.deadLetters > 0 { text += ", \(counted(sink.deadLetters, "dead letter"))" }
    if sink.isAtRate { text += "; more wait for its rate" }
    if let trouble = sink.trouble { text += "; in trouble: \(trouble)" }
    return text
}

/// Checkpoints, and what each sink has done.
func describe(_ durable: DurableCounters) -> [String] {
    var lines: [String] = []
    let pauses = durable.pauses.sorted()
    if let longest = pauses.last {
        lines.append(
            "\(counted(durable.checkpoints, "checkpoint")); the engine stood still for "
                + "\(milliseconds(Double(pauses[pauses.count / 2]) / 1e9)) at the median, "
                + "\(milliseconds(Double(longest) / 1e9)) at most")
    } else if durable.checkpoints > 0 {
        lines.append("\(counted(durable.checkpoints, "checkpoint"))")
    }
    for sink in durable.sinks {
        lines.append("sink \(describe(sink))")
    }
    if durable.filtered > 0 {
        lines.append(
            "\(counted(durable.filtered, "alert")) below the severity that every sink asks for")
    }
    if durable.silenced > 0 {
        lines.append(
            "\(counted(durable.silenced, "alert")) silenced: kept, and given to no sink")
    }
    if durable.waiting > 0 {
        lines.append(
            "\(counted(durable.waiting, "alert")) not delivered"
                + (durable.checkpoints == 0
                    ? " and lost: there is no data folder" : "; they wait in the data folder"))
    }
    return lines
}
