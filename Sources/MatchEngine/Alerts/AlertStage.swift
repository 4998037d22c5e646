import RuleModel

/// What the alert stage did with the records it was given.
public struct AlertStageCounters: Sendable, Equatable {
    public var sent = 0
    /// Kept silent by `suppress by`, with all that followed in their episodes.
    public var suppressed = 0
    /// Counted into a group by `group by`.
    public var folded = 0
    /// By index into `Program.rules`.
    public var sentByRule: [Int]

    public init(ruleCount: Int = 0) { sentByRule = Array(repeating: 0, count: ruleCount) }
}

/// Decides which records are sent: `suppress by` and `group by`, over the records of all shards in
/// the order of processing.
///
/// - `suppress by a for D`: a record that begins an episode is silent when one with the same values was
///   sent at most D before it (T1: exactly D is silent too). What follows in a silent episode, its end
///   for one, is silent as well. A silent record does not prolong the span.
/// - `group by a for D`: the first record of a group goes out at once. Those that follow within D are
///   counted, and when event time is beyond D one `updated` record of the first one's id says how
///   many there were, with the keys of the first ten. The next one begins a new group. Suppression
///   comes first.
///
/// Pure: the same records in the same order give the same output.
public struct AlertStage: Sendable {
    public private(set) var counters: AlertStageCounters
    /// By index into `Program.rules`.
    private var rules: [RuleState]
    /// From the plan's id to the index in `rules`.
    private let indexOfRule: [RuleID: Int]
    private var groupEnds = Heap<GroupEnd>()
    private var groupsMade: UInt64 = 0

    /// Values, episodes or groups that are remembered for one rule; beyond it the oldest go.
    fileprivate static let memory = 1_000_000
    private static let keysNamed = 10

    fileprivate struct RuleState: Sendable {
        var suppression: TimeSpan?
        var grouping: TimeSpan?
        /// Whether records may follow the one that begins an episode.
        var hasEpisodes: Bool
        var lastSent: [[Value]: Timestamp] = [:]
        /// What is in `lastSent`, oldest first; an entry that was sent again since is void.
        var sent = Queue<Sent>()
        var silent: Set<String> = []
        var silentInOrder = Queue<String>()
        var groups: [[Value]: Group] = [:]
    }

    fileprivate struct Sent: Sendable {
        var values: [Value]
        var time: Timestamp
    }

    fileprivate struct Group: Sendable {
        var first: Alert
        var folded = 0
        var keys: [String] = []
        var lastTime: Timestamp
    }

    /// When a group ends. In order of end, then of beginning.
    private struct GroupEnd: Comparable, Sendable {
        /// The last instant that belongs to the group.
        var end: Timestamp
        var number: UInt64
        var rule: Int
        var values: [Value]

        static func < (left: GroupEnd, right: GroupEnd) -> Bool {
            (left.end, left.number) < (right.end, right.number)
        }

        static func == (left: GroupEnd, right: GroupEnd) -> Bool { left.number == right.number }
    }

    public init(program: Program) {
        counters = AlertStageCounters(ruleCount: program.rules.count)
        var indexOfRule: [RuleID: Int] = [:]
        for (index, rule) in program.rules.enumerated() { indexOfRule[rule.id] = index }
        self.indexOfRule = indexOfRule
        rules = program.rules.map { rule in
            var hasEpisodes = rule.emit.isEarly
            switch rule.pattern {
            case .threshold, .anomaly: hasEpisodes = true
            case .correlation(let correlation):
                hasEpisodes = hasEpisodes || !correlation.isOncePerEvent
            case .sequence, .metric: break
            }
            return RuleState(
                suppression: rule.emit.suppress?.span, grouping: rule.emit.group?.span,
                hasEpisodes: hasEpisodes)
        }
    }

    /// Takes records in order and appends those to be sent.
    public mutating func process(_ alerts: [Alert], emitting output: inout [Alert]) {
        for alert in alerts {
            // What is told early is ahead of the time that the others have reached.
            if !alert.isEarly {
                advance(to: Timestamp(nanoseconds: alert.order.instant), emitting: &output)
            }
            guard let rule = indexOfRule[alert.ruleID], alert.kind != "engine" else {
                counters.sent += 1
                output.append(alert)
                continue
            }
            if rules[rule].isSilentEpisode(alert) {
                counters.suppressed += 1
            } else if alert.state == .firing, rules[rule].isSuppressed(alert) {
                counters.suppressed += 1
            } else if alert.state == .firing, isFolded(alert, rule) {
                counters.folded += 1
            } else {
                send(alert, rule, &output)
            }
        }
    }

    /// Ends the groups whose span lies before `time`.
    public mutating func advance(to time: Timestamp, emitting output: inout [Alert]) {
        while let next = groupEnds.first, next.end < time {
            _ = groupEnds.pop()
            guard let group = rules[next.rule].groups.removeValue(forKey: next.values),
                group.folded > 0
            else { continue }
            send(AlertStage.summary(of: group, endingAt: next.end), next.rule, &output)
        }
    }

    /// Ends all groups: nothing follows, and what was counted must be told.
    public mutating func finish(emitting output: inout [Alert]) {
        advance(to: .distantFuture, emitting: &output)
    }

    private mutating func send(_ alert: Alert, _ rule: Int, _ output: inout [Alert]) {
        counters.sent += 1
        counters.sentByRule[rule] += 1
        output.append(alert)
    }

    // MARK: - Groups

    private mutating func isFolded(_ alert: Alert, _ rule: Int) -> Bool {
        guard let span = rules[rule].grouping else { return false }
        let values = alert.groupKey
        guard var group = rules[rule].groups.removeValue(forKey: values) else {
            rules[rule].groups[values] = Group(first: alert, lastTime: alert.lastTime)
            groupEnds.push(
                GroupEnd(
                    end: alert.matchedAt + span, number: groupsMade, rule: rule, values: values))
            groupsMade += 1
            return false
        }
        group.folded += 1
        group.lastTime = max(group.lastTime, alert.lastTime)
        if group.keys.count < AlertStage.keysNamed {
            group.keys.append(
                alert.key.map { "\($0.name)=\($0.value.plainText)" }.joined(separator: " "))
        }
        rules[rule].groups[values] = group
        rules[rule].silence(alert)
        return true
    }

    private static func summary(of group: Group, endingAt end: Timestamp) -> Alert {
        var alert = group.first
        alert.state = .updated
        alert.reason = "group"
        alert.grouped = group.folded
        alert.matchedAt = end
        alert.lastTime = group.lastTime
        alert.message += " (and \(group.folded) more: \(group.keys.joined(separator: ", "))"
        alert.message += group.folded > group.keys.count ? ", …)" : ")"
        alert.order.instant = end.nanoseconds
        alert.order.arrival = .max
        return alert
    }
}

extension AlertStage.RuleState {
    /// Whether the record belongs to an episode whose beginning was not sent. Its end is the last one.
    fileprivate mutating func isSilentEpisode(_ alert: Alert) -> Bool {
        guard alert.state != .firing, silent.contains(alert.id) else { return false }
        if alert.state == .resolved || alert.state == .corrected { silent.remove(alert.id) }
        return true
    }

    /// Whether a record that begins an episode comes too soon after one that was sent.
    fileprivate mutating func isSuppressed(_ alert: Alert) -> Bool {
        guard let span = suppression else { return false }
        while let oldest = sent.first,
            alert.matchedAt - oldest.time > span || sent.count >= AlertStage.memory
        {
            sent.removeFirst()
            if lastSent[oldest.values] == oldest.time { lastSent[oldest.values] = nil }
        }
        if let last = lastSent[alert.suppressKey], alert.matchedAt - last <= span {
            silence(alert)
            return true
        }
        lastSent[alert.suppressKey] = alert.matchedAt
        sent.append(AlertStage.Sent(values: alert.suppressKey, time: alert.matchedAt))
        return false
    }

    /// Remembers that what follows in an episode is silent too. A match of a sequence is over at once.
    fileprivate mutating func silence(_ alert: Alert) {
        guard hasEpisodes, silent.insert(alert.id).inserted else { return }
        silentInOrder.append(alert.id)
        // Ids whose episode has ended are dropped on the way.
        while let oldest = silentInOrder.first,
            !silent.contains(oldest) || silentInOrder.count > AlertStage.memory
        {
            silent.remove(oldest)
            silentInOrder.removeFirst()
        }
    }
}
