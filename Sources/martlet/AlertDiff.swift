import RuleModel

/// How the alerts of one rule differ between two runs over the same events.
struct AlertDiff {
    struct Change {
        var old: Alert
        var new: Alert
        /// What is told differently: `severity`, `message`, `end`.
        var parts: [String] = []
    }

    var oldCount = 0
    var newCount = 0
    var gained: [Alert] = []
    var lost: [Alert] = []
    /// The same evidence, told at another time.
    var moved: [Change] = []
    /// The same alert with another text, severity or end.
    var changed: [Change] = []

    var isEmpty: Bool { gained.isEmpty && lost.isEmpty && moved.isEmpty && changed.isEmpty }

    /// The differences by name of the rule; rules without any are left out.
    static func byRule(_ old: RecordedRun, _ new: RecordedRun) -> [String: AlertDiff] {
        var diffs: [String: AlertDiff] = [:]
        for alert in old.alerts { diffs[alert.rule, default: AlertDiff()].oldCount += 1 }
        for alert in new.alerts { diffs[alert.rule, default: AlertDiff()].newCount += 1 }
        let before = Dictionary(old.alerts.map { ($0.id, $0) }) { first, _ in first }
        let after = Dictionary(new.alerts.map { ($0.id, $0) }) { first, _ in first }
        for alert in new.alerts {
            guard let former = before[alert.id] else {
                diffs[alert.rule, default: AlertDiff()].gained.append(alert)
                continue
            }
            var parts: [String] = []
            if former.severity != alert.severity { parts.append("severity") }
            if former.message != alert.message { parts.append("message") }
            if old.ends[alert.id] != new.ends[alert.id] { parts.append("end") }
            if !parts.isEmpty {
                diffs[alert.rule, default: AlertDiff()].changed.append(
                    Change(old: former, new: alert, parts: parts))
            }
        }
        for alert in old.alerts where after[alert.id] == nil {
            diffs[alert.rule, default: AlertDiff()].lost.append(alert)
        }
        for rule in diffs.keys { diffs[rule]?.findMoved() }
        return diffs.filter { !$0.value.isEmpty }
    }

    /// Pairs what was lost with what was gained of the same key, where the spans of their evidence
    /// overlap: in order of time, each once.
    private mutating func findMoved() {
        var left: [Alert] = []
        for old in lost {
            let place = gained.firstIndex { new in
                new.key == old.key && new.firstTime <= max(old.lastTime, old.matchedAt)
                    && old.firstTime <= max(new.lastTime, new.matchedAt)
            }
            if let place {
                moved.append(Change(old: old, new: gained.remove(at: place)))
            } else {
                left.append(old)
            }
        }
        lost = left
    }
}
