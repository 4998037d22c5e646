import RuleModel

/// What the alert stage did with the records it was given.
public struct AlertStageCounters: Sendable, Equatable {
    public var sent = 0
    /// Kept silent by `suppress by`.
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
///   counted, and when D has passed one `updated` record of the first one's id says how many there
///   were, with the keys of the first ten. Suppression comes first.
///
/// Pure: the same records in the same order give the same output.
public struct AlertStage: Sendable {
    public private(set) var counters: AlertStageCounters
    private let rules: [RuleProgram]
    /// From the plan's id to the index in `rules`.
    private let indexOfRule: [RuleID: Int]
    /// When a record with these values was sent last, by rule.
    private var lastSent: [[[Value]: Timestamp]]
    /// Ids of episodes that began in silence and have not ended, by rule.
    private var silentEpisodes: [Set<String>]
    /// In order of their beginning.
    private var groups: [Group] = []

    private struct Group: Sendable {
        var rule: Int
        var key: [Value]
        var first: Alert
        /// The last instant that belongs to the group.
        var end: Timestamp
        var folded = 0
        var keys: [String] = []
    }

    private static let keysNamed = 10

    public init(program: Program) {
        rules = program.rules
        counters = AlertStageCounters(ruleCount: program.rules.count)
        var indexOfRule: [RuleID: Int] = [:]
        for (index, rule) in program.rules.enumerated() { indexOfRule[rule.id] = index }
        self.indexOfRule = indexOfRule
        lastSent = Array(repeating: [:], count: program.rules.count)
        silentEpisodes = Array(repeating: [], count: program.rules.count)
    }

    /// Takes records in order and appends those to be sent.
    public mutating func process(_ alerts: [Alert], emitting output: inout [Alert]) {
        for alert in alerts {
            advance(to: Timestamp(nanoseconds: alert.order.instant), emitting: &output)
            guard let rule = indexOfRule[alert.ruleID], alert.kind != "engine" else {
                counters.sent += 1
                output.append(alert)
                continue
            }
            if isSilent(alert, rule) || isFolded(alert, rule) { continue }
            send(alert, rule, &output)
        }
    }

    /// Ends the groups whose span lies before `time`.
    public mutating func advance(to time: Timestamp, emitting output: inout [Alert]) {
        while let index = groups.indices.min(by: { groups[$0].end < groups[$1].end }),
            groups[index].end < time
        {
            close(groups.remove(at: index), &output)
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

    // MARK: - Suppression

    private mutating func isSilent(_ alert: Alert, _ rule: Int) -> Bool {
        guard let suppression = rules[rule].emit.suppress else { return false }
        guard alert.state == .firing else { return continuesSilentEpisode(alert, rule) }
        if let last = lastSent[rule][alert.suppressKey], alert.matchedAt - last <= suppression.span {
            beginSilentEpisode(alert, rule)
            counters.suppressed += 1
            return true
        }
        if lastSent[rule].count >= 65_536 {
            // Values not seen for a whole span can no longer silence anything.
            lastSent[rule] = lastSent[rule].filter { alert.matchedAt - $0.value <= suppression.span }
        }
        lastSent[rule][alert.suppressKey] = alert.matchedAt
        return false
    }

    private mutating func beginSilentEpisode(_ alert: Alert, _ rule: Int) {
        // A match of a sequence is over at once: nothing follows it.
        if case .threshold = rules[rule].pattern { silentEpisodes[rule].insert(alert.id) }
    }

    private mutating func continuesSilentEpisode(_ alert: Alert, _ rule: Int) -> Bool {
        guard silentEpisodes[rule].contains(alert.id) else { return false }
        if alert.state == .resolved { silentEpisodes[rule].remove(alert.id) }
        counters.suppressed += 1
        return true
    }

    // MARK: - Groups

    private mutating func isFolded(_ alert: Alert, _ rule: Int) -> Bool {
        guard let grouping = rules[rule].emit.group else { return false }
        guard alert.state == .firing else { return continuesSilentEpisode(alert, rule) }
        if let index = groups.firstIndex(where: { $0.rule == rule && $0.key == alert.groupKey }) {
            groups[index].folded += 1
            if groups[index].keys.count < AlertStage.keysNamed {
                groups[index].keys.append(
                    alert.key.map { "\($0.name)=\($0.value.plainText)" }.joined(separator: " "))
            }
            beginSilentEpisode(alert, rule)
            counters.folded += 1
            return true
        }
        groups.append(
            Group(
                rule: rule, key: alert.groupKey, first: alert,
                end: alert.matchedAt + grouping.span))
        return false
    }

    private mutating func close(_ group: Group, _ output: inout [Alert]) {
        guard group.folded > 0 else { return }
        var alert = group.first
        alert.state = .updated
        alert.reason = "group"
        alert.grouped = group.folded
        alert.matchedAt = group.end
        alert.message += " (and \(group.folded) more: \(group.keys.joined(separator: ", "))"
        alert.message += group.folded > group.keys.count ? ", …)" : ")"
        alert.order.instant = group.end.nanoseconds
        alert.order.arrival = .max
        send(alert, group.rule, &output)
    }
}
