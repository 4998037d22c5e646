import RuleModel

/// Alerts before the watermark has passed their match (T2a).
extension Engine {
    /// Takes note of an event that has to wait, and tells what it completes as things stand.
    mutating func judgeOnArrival(_ event: Event, at place: Timestamp, source: Int) {
        guard let wanted = early?.rules else { return }
        let isAsked = source < judgesEarly.count && judgesEarly[source]
        for seen in rehearsed(event, at: place, by: wanted) {
            early?.hold(seen.entry, seen.key)
            guard isAsked else { continue }
            context.rule = seen.key.rule
            let values = keyReader.values(seen.fields, of: event)
            let found = early?.alerts(seen.key, values: values, of: machines, context) ?? []
            for alert in found where !context.earlyAlerts.contains(alert.id) { sendEarly(alert) }
        }
    }

    /// Takes note of an event that waited already when a snapshot was written, and was judged then.
    mutating func holdEarly(_ event: Event, at place: Timestamp) {
        guard let wanted = early?.rules, event.batch.candidates.contains(event.row) else { return }
        for seen in rehearsed(event, at: place, by: wanted) {
            early?.hold(seen.entry, seen.key)
        }
    }

    /// The event as each key of this shard sees it, in order of rules and routes.
    ///
    /// - Parameters:
    ///   - place: Where the event stands in the order.
    ///   - wanted: Which rules are of interest, by index into `Program.rules`.
    private mutating func rehearsed(
        _ event: Event, at place: Timestamp, by wanted: [Bool]
    ) -> [(key: RehearsedKey, entry: RehearsedEvent, fields: [FieldID])] {
        var found: [(key: RehearsedKey, entry: RehearsedEvent, fields: [FieldID])] = []
        for candidate in event.batch.candidates.places(of: event.row) {
            let rule = event.batch.candidates.rule(at: candidate)
            guard wanted[rule], context.sees(place, rule) else { continue }
            context.rule = rule
            for route in routes[rule] where route.type == event.type && route.admits(event) {
                let known = event.batch.candidates.key(at: candidate)
                guard let hash = known != 0 ? known : keyReader.hash(route.key, of: event),
                    context.owns(hash)
                else { continue }
                let entry = RehearsedEvent(
                    event: event, place: place, inputs: route.inputs,
                    canBegin: route.canBegin(event))
                found.append((RehearsedKey(rule: rule, hash: hash), entry, route.key))
            }
        }
        return found
    }

    private mutating func sendEarly(_ alert: Alert) {
        guard context.earlyAlerts.count < context.limits.earlyAlerts else {
            context.counters.overflows.untoldEarly += 1
            return
        }
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

    // MARK: - Late events

    /// Keeps an event that is being processed in order, for late ones that may come.
    mutating func keepForCorrection(_ event: Event, at place: Timestamp) {
        guard let wanted = late?.rules else { return }
        late?.forget(before: place)
        for seen in rehearsed(event, at: place, by: wanted) {
            late?.keep(seen.entry, seen.key)
        }
    }

    /// Remembers the alerts that have been told: only those can be taken back.
    mutating func noteForCorrection() {
        for fired in context.fired { late?.note(fired.id, at: fired.matchedAt) }
        context.fired.removeAll(keepingCapacity: true)
        context.counters.overflows.forgottenForCorrection +=
            late?.makeRoom(context.limits.correctable) ?? 0
    }

    /// Tells what a late event would have changed of what matched of late (T3).
    mutating func correct(by event: Event, source: Int, watermark: Timestamp) {
        guard let wanted = late?.rules, source < corrections.count, corrections[source] > .zero
        else { return }
        let since = watermark - corrections[source]
        guard event.time >= since else { return }
        for seen in rehearsed(event, at: event.time, by: wanted) {
            let found = late?.findings(
                seen.entry, seen.key, values: keyReader.values(seen.fields, of: event),
                since: since, watermark: watermark)
            context.rule = seen.key.rule
            for finding in found ?? [] { tell(finding, of: event) }
        }
    }

    private mutating func tell(_ finding: LateJudge.Finding, of event: Event) {
        var alert: Alert
        switch finding {
        case .cancelled(let told):
            alert = told
            alert.reason = "a late event, of \(event.time), would have kept it from firing"
        case .missed(let missed):
            alert = missed
            alert.reason = "a late event, of \(event.time), would have completed it"
        }
        alert.state = .corrected
        alert.order.instant = max(alert.order.instant, context.instant.nanoseconds)
        alert.order.arrival = .max
        context.counters.rules[context.rule].corrections += 1
        late?.note(alert.id, at: alert.matchedAt)
        context.output.append(alert)
    }
}
