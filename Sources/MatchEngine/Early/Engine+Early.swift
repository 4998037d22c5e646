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
                guard let key = holdEarly(event, at: place, rule: rule, route: route), isAsked
                else { continue }
                let values = keyReader.values(route.key, of: event)
                let found = early?.alerts(key, values: values, of: machines, context) ?? []
                for alert in found where !context.earlyAlerts.contains(alert.id) {
                    sendEarly(alert)
                }
            }
        }
    }

    /// Takes note of an event that waited already when a snapshot was written, and was judged then.
    mutating func holdEarly(_ event: Event, at place: Timestamp) {
        guard early != nil, event.batch.candidates.contains(event.row) else { return }
        for candidate in event.batch.candidates.places(of: event.row) {
            let rule = event.batch.candidates.rule(at: candidate)
            guard early?.mayBeEarly(rule) == true else { continue }
            context.rule = rule
            for route in routes[rule] where route.type == event.type && route.admits(event) {
                holdEarly(event, at: place, rule: rule, route: route)
            }
        }
    }

    /// The event's key, if that is this shard's.
    @discardableResult
    private mutating func holdEarly(
        _ event: Event, at place: Timestamp, rule: Int, route: KeyRoute
    ) -> RehearsedKey? {
        guard let hash = keyReader.hash(route.key, of: event), context.owns(hash) else {
            return nil
        }
        let key = RehearsedKey(rule: rule, hash: hash)
        early?.hold(
            RehearsedEvent(
                event: event, place: place, inputs: route.inputs,
                canBegin: route.canBegin(event)), key)
        return key
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

    // MARK: - Late events

    /// Keeps an event that is being processed in order, for late ones that may come.
    mutating func keepForCorrection(_ event: Event, at place: Timestamp) {
        guard late != nil else { return }
        late?.forget(before: place)
        for candidate in event.batch.candidates.places(of: event.row) {
            let rule = event.batch.candidates.rule(at: candidate)
            guard late?.corrects(rule) == true else { continue }
            context.rule = rule
            for route in routes[rule] where route.type == event.type && route.admits(event) {
                guard let hash = keyReader.hash(route.key, of: event), context.owns(hash) else {
                    continue
                }
                late?.keep(
                    RehearsedEvent(
                        event: event, place: place, inputs: route.inputs,
                        canBegin: route.canBegin(event)),
                    RehearsedKey(rule: rule, hash: hash))
            }
        }
    }

    /// Remembers the alerts that have been told: only those can be taken back.
    mutating func noteForCorrection() {
        for fired in context.fired { late?.note(fired.id, at: fired.matchedAt) }
        context.fired.removeAll(keepingCapacity: true)
    }

    /// Tells what a late event would have changed of what matched of late (T3).
    mutating func correct(by event: Event, source: Int, watermark: Timestamp) {
        guard late != nil, source < corrections.count, corrections[source] > .zero else { return }
        let since = watermark - corrections[source]
        guard event.time >= since else { return }
        for candidate in event.batch.candidates.places(of: event.row) {
            let rule = event.batch.candidates.rule(at: candidate)
            guard late?.corrects(rule) == true else { continue }
            context.rule = rule
            for route in routes[rule] where route.type == event.type && route.admits(event) {
                guard let hash = keyReader.hash(route.key, of: event), context.owns(hash) else {
                    continue
                }
                let found = late?.findings(
                    RehearsedEvent(
                        event: event, place: event.time, inputs: route.inputs,
                        canBegin: route.canBegin(event)),
                    RehearsedKey(rule: rule, hash: hash),
                    values: keyReader.values(route.key, of: event), since: since,
                    watermark: watermark)
                for finding in found ?? [] { tell(finding, of: event) }
            }
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
