import RuleModel

/// Early alerts that have been sent and that the ordered evaluation has yet to confirm (T2a).
struct EarlyAlerts: Sendable {
    /// What has become of an early alert.
    enum Outcome {
        /// Nothing was sent early: the record is news.
        case news
        /// The same was sent before.
        case confirmed
        /// Something else was sent before; says what is different now.
        case changed(String)
    }

    private struct Sent: Sendable {
        var alert: Alert
        /// The highest event time seen when it was sent.
        var seen: Timestamp
    }

    /// In order of the instant, so that those which the watermark has passed come out first.
    private struct Entry: Comparable, Sendable {
        var order: AlertOrder
        var id: Text

        static func < (left: Entry, right: Entry) -> Bool {
            (left.order, left.id) < (right.order, right.id)
        }
    }

    private var sent: [String: Sent] = [:]
    private var inOrder = Heap<Entry>()

    var isEmpty: Bool { sent.isEmpty }
    var count: Int { sent.count }

    /// What waits to be confirmed, with the highest event time seen when it was sent.
    var inNoOrder: [(alert: Alert, seen: Timestamp)] {
        sent.values.map { ($0.alert, $0.seen) }
    }

    func contains(_ id: String) -> Bool { sent[id] != nil }

    mutating func add(_ alert: Alert, seen: Timestamp) {
        sent[alert.id] = Sent(alert: alert, seen: seen)
        inOrder.push(Entry(order: alert.order, id: Text(alert.id)))
    }

    /// Compares what the ordered evaluation says with what was sent early, and forgets the latter.
    ///
    /// - Parameter seen: The highest event time seen by now.
    /// - Returns: The outcome, and by how much of event time the early alert came sooner.
    mutating func settle(_ alert: Alert, seen: Timestamp) -> (outcome: Outcome, lead: TimeSpan) {
        guard let early = sent.removeValue(forKey: alert.id) else { return (.news, .zero) }
        let lead = max(.zero, seen - early.seen)
        if let difference = early.alert.difference(to: alert) {
            return (.changed(difference), lead)
        }
        return (.confirmed, lead)
    }

    /// Takes out the next alert that stands before an instant and was not confirmed; nil when there
    /// is none. An instant of nil stands behind all.
    mutating func takeUnconfirmed(before instant: Timestamp?) -> Alert? {
        while let next = inOrder.first {
            if let instant, next.order.instant >= instant.nanoseconds { return nil }
            _ = inOrder.pop()
            // What has been settled is no longer in the table.
            if let found = sent.removeValue(forKey: next.id.string) { return found.alert }
        }
        return nil
    }
}

extension Alert {
    /// What another version of the record says differently, in words; nil when nothing is.
    fileprivate func difference(to other: Alert) -> String? {
        var parts: [String] = []
        func note(_ name: String, _ before: String, _ after: String) {
            if before != after { parts.append("\(name) was \(before), is \(after)") }
        }
        note("first event", firstTime.description, other.firstTime.description)
        note("last event", lastTime.description, other.lastTime.description)
        for (before, after) in zip(measures, other.measures) {
            note(before.name, before.value.plainText, after.value.plainText)
        }
        for (before, after) in zip(steps, other.steps) where before != after {
            let counts = (before.events.count + before.omitted, after.events.count + after.omitted)
            if counts.0 != counts.1 {
                note("\(before.name).count", "\(counts.0)", "\(counts.1)")
            } else {
                parts.append("other events for \(before.name)")
            }
        }
        if message != other.message, parts.isEmpty { parts.append("another message") }
        if members != other.members { parts.append("other members") }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}
