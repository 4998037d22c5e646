import RuleModel

/// Alerts before the watermark has passed their match (T2a).
extension Engine {
    /// Takes note of an event that has to wait, and tells what it completes as things stand.
    mutating func judgeOnArrival(_ event: Event, at place: Timestamp, source: Int) {
        guard early != nil else { return }
        let isAsked = source < judgesEarly.count && judgesEarly[source]
        for candidate in event.batch.candidates.places(of: event.row) {
            let rule = event.batch.candidates.rule(at: candidate)
            guard early?.mayBeEarly(rule) == true else { continue }
            context.rule = rule
            for route in routes[rule] where route.type == event.type && route.admits(event) {
                guard let hash = keyReader.hash(route.key, of: event), context.owns(hash) else {
                    continue
                }
                early?.hold(
                    event, at: place, rule: rule, hash: hash, inputs: route.inputs,
                    canBegin: route.canBegin(event))
                guard isAsked else { continue }
                let found =
                    early?.rehearse(
                        rule, hash: hash, values: keyReader.values(route.key, of: event),
                        of: machines, context) ?? []
                for alert in found where !context.earlyAlerts.contains(alert.id) {
                    sendEarly(alert)
                }
            }
        }
    }

    private mutating func sendEarly(_ alert: Alert) {
        var alert = alert
        alert.isEarly = true
        context.counters.early.sent += 1
        context.earlyAlerts.add(alert, seen: context.highestTime)
        context.output.append(alert)
    }

    /// Takes back what was told early and has turned out otherwise, up to an instant; nil: all.
    mutating func withdrawEarly(before instant: Timestamp?) {
        while var alert = context.earlyAlerts.takeUnconfirmed(before: instant) {
            alert.state = .corrected
            alert.isEarly = false
            alert.reason = "withdrawn: an event that came later has undone the match"
            alert.order.instant = max(alert.order.instant, context.instant.nanoseconds)
            alert.order.arrival = .max
            context.counters.early.withdrawn += 1
            context.output.append(alert)
        }
    }
}
