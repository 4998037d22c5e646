import RuleModel

/// What the alert stage did with the records it was given.
public struct AlertStageCounters: Sendable, Equatable {
    public var sent = 0
    /// Kept silent by `suppress by`, with all that followed in their episodes.
    public var suppressed = 0
    /// Counted into a group by `group by`.
    public var folded = 0
    /// What `suppress by` or `group by` could not remember for the limit on it: too much was sent, and
    /// nothing too little.
    public var forgotten = 0
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
    /// From a rule's name to the index in `rules`. Behind the rules of the program come those of a
    /// snapshot that are gone and have silent episodes or open groups left.
    private var indexOfRule: [String: Int]
    private var groupEnds = Heap<GroupEnd>()
    private var groupsMade: UInt64 = 0

    /// Values, silent episodes and groups, of each so many, that are remembered for one rule. Beyond it the
    /// oldest values and episodes go, and records are sent without being grouped.
    private let memory: Int
    /// For how long a match may be taken back that was told early, or that a late event undoes; nil:
    /// nobody knows. A match that can only be followed by that is remembered for so long.
    public var correctable: TimeSpan?
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
        var silentInOrder = Queue<Silent>()
        /// Whether nothing follows a record but that it is taken back.
        var isOnlyCorrected = false
        var groups: [[Value]: Group] = [:]
        /// Until when a value may have been sent that is no longer remembered.
        var doubtfulUntil = Timestamp.distantPast
        var forgotten = 0
    }

    fileprivate struct Sent: Sendable {
        var values: [Value]
        var time: Timestamp
    }

    fileprivate struct Silent: Sendable {
        var id: String
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

    /// - Parameter memory: How much is remembered of each rule.
    public init(program: Program, memory: Int = 100_000) {
        self.memory = max(1, memory)
        counters = AlertStageCounters(ruleCount: program.rules.count)
        var indexOfRule: [String: Int] = [:]
        for (index, rule) in program.rules.enumerated() { indexOfRule[rule.name] = index }
        self.indexOfRule = indexOfRule
        rules = program.rules.map { rule in
            let ends =
                switch rule.pattern {
                case .threshold, .anomaly: true
                case .correlation(let correlation): !correlation.isOncePerEvent
                case .sequence, .metric: false
                }
            return RuleState(
                suppression: rule.emit.suppress?.span, grouping: rule.emit.group?.span,
                hasEpisodes: ends || rule.emit.isEarly, isOnlyCorrected: !ends)
        }
    }

    /// Takes records in order and appends those to be sent.
    public mutating func process(_ alerts: [Alert], emitting output: inout [Alert]) {
        for alert in alerts {
            // What is told early is ahead of the time that the others have reached.
            if !alert.isEarly {
                advance(to: Timestamp(nanoseconds: alert.order.instant), emitting: &output)
            }
            guard let rule = indexOfRule[alert.rule], alert.kind != "engine" else {
                counters.sent += 1
                output.append(alert)
                continue
            }
            if rules[rule].isSilentEpisode(alert) {
                counters.suppressed += 1
            } else if alert.state == .firing, rules[rule].isSuppressed(alert, memory, correctable) {
                counters.suppressed += 1
            } else if alert.state == .firing, isFolded(alert, rule) {
                counters.folded += 1
            } else {
                send(rules[rule].marked(alert), rule, &output)
            }
            counters.forgotten += rules[rule].takeForgotten()
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
        if counters.sentByRule.indices.contains(rule) { counters.sentByRule[rule] += 1 }
        output.append(alert)
    }

    // MARK: - Snapshot

    /// 2: what was forgotten.
    private static let form = 2

    /// All that the stage remembers, as bytes. See `Engine.snapshot`.
    public func snapshot() -> [UInt8] {
        var writer = StateWriter()
        writer.section(version: AlertStage.form) { writer in
            writer.write(counters.sent)
            writer.write(counters.suppressed)
            writer.write(counters.folded)
            writer.write(counters.forgotten)
            let names = indexOfRule.sorted { $0.value < $1.value }.map(\.key)
            writer.write(names.count)
            for (rule, name) in names.enumerated() {
                writer.write(name)
                writer.write(
                    counters.sentByRule.indices.contains(rule) ? counters.sentByRule[rule] : 0)
                rules[rule].write(to: &writer)
            }
            writer.write(Int(clamping: groupsMade))
            writer.write(sorted: groupEnds.inAnyOrder) { end, writer in
                writer.write(end.end)
                writer.write(Int(clamping: end.number))
                writer.write(names[end.rule])
                writer.write(end.values)
            }
        }
        return writer.bytes
    }

    /// A stage that goes on where another stopped. What `suppress by` and `group by` say now counts from
    /// now on; groups that are open end when they would have.
    public init(restoring snapshot: [UInt8], program: Program) throws(SnapshotError) {
        self.init(program: program)
        var snapshot = StateReader(snapshot)
        var (reader, form) = try snapshot.section("the alert stage", known: AlertStage.form)
        counters.sent = try reader.tally()
        counters.suppressed = try reader.tally()
        counters.folded = try reader.tally()
        if form >= 2 { counters.forgotten = try reader.tally() }
        var seen: Set<Int> = []
        for _ in 0..<(try reader.count()) {
            let name = try reader.string()
            let sent = try reader.tally()
            let state = try RuleState(from: &reader, form: form)
            guard let rule = place(of: name, isNeeded: state.hasOpenEnds) else { continue }
            guard seen.insert(rule).inserted else { throw reader.damaged("a rule that was there") }
            if counters.sentByRule.indices.contains(rule) { counters.sentByRule[rule] = sent }
            rules[rule].takeOver(
                state, id: program.rules.indices.contains(rule) ? program.rules[rule].id : nil)
        }
        groupsMade = UInt64(try reader.tally())
        for _ in 0..<(try reader.count()) {
            let end: Timestamp = try reader.read()
            let number = UInt64(try reader.tally())
            guard let rule = indexOfRule[try reader.string()] else {
                throw reader.damaged("a group without its rule")
            }
            groupEnds.push(
                GroupEnd(end: end, number: number, rule: rule, values: try reader.readArray()))
        }
        try reader.expectEnd(of: "the alert stage")
        try snapshot.expectEnd(of: "the alert stage")
    }

    /// The index of a rule; of one that is not in the program when it is needed.
    private mutating func place(of name: String, isNeeded: Bool) -> Int? {
        if let index = indexOfRule[name] { return index }
        guard isNeeded else { return nil }
        indexOfRule[name] = rules.count
        rules.append(RuleState(hasEpisodes: true))
        return rules.count - 1
    }

    // MARK: - Groups

    private mutating func isFolded(_ alert: Alert, _ rule: Int) -> Bool {
        guard let span = rules[rule].grouping else { return false }
        let values = alert.groupKey
        guard var group = rules[rule].groups.removeValue(forKey: values) else {
            if rules[rule].groups.count >= memory {
                rules[rule].forgotten += 1
                return false
            }
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
            group.keys.append(alert.keyText)
        }
        rules[rule].groups[values] = group
        rules[rule].silence(alert, memory, correctable)
        return true
    }

    private static func summary(of group: Group, endingAt end: Timestamp) -> Alert {
        var alert = group.first
        alert.state = .updated
        alert.reason = "group"
        alert.fold(group.folded, keys: group.keys)
        alert.matchedAt = end
        alert.lastTime = group.lastTime
        alert.order.instant = end.nanoseconds
        alert.order.arrival = .max
        return alert
    }
}

extension Alert {
    /// Says that it stands for others as well.
    ///
    /// - Parameter keys: Keys of some of them.
    public mutating func fold(_ count: Int, keys: [String]) {
        guard count > 0 else { return }
        grouped += count
        message += " (and \(count) more: " + keys.joined(separator: ", ")
        message += count > keys.count ? ", …)" : ")"
    }

    /// The key as people read it: `user=u-4 host=db-1`.
    public var keyText: String {
        key.map { "\($0.name)=\($0.value.plainText)" }.joined(separator: " ")
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
    fileprivate mutating func isSuppressed(
        _ alert: Alert, _ memory: Int, _ correctable: TimeSpan?
    ) -> Bool {
        guard let span = suppression else { return false }
        while let oldest = sent.first,
            alert.matchedAt - oldest.time > span || sent.count >= memory
        {
            sent.removeFirst()
            guard lastSent[oldest.values] == oldest.time else { continue }
            lastSent[oldest.values] = nil
            if alert.matchedAt - oldest.time <= span {
                forgotten += 1
                doubtfulUntil = max(doubtfulUntil, oldest.time + span)
            }
        }
        if let last = lastSent[alert.suppressKey], alert.matchedAt - last <= span {
            silence(alert, memory, correctable)
            return true
        }
        lastSent[alert.suppressKey] = alert.matchedAt
        sent.append(AlertStage.Sent(values: alert.suppressKey, time: alert.matchedAt))
        return false
    }

    /// Remembers that what follows in an episode is silent too. A match of a sequence is over at once.
    fileprivate mutating func silence(
        _ alert: Alert, _ memory: Int, _ correctable: TimeSpan?
    ) {
        guard hasEpisodes, silent.insert(alert.id).inserted else { return }
        silentInOrder.append(AlertStage.Silent(id: alert.id, time: alert.matchedAt))
        // Ids whose episode has ended are dropped on the way.
        while let oldest = silentInOrder.first {
            let isOver =
                !silent.contains(oldest.id)
                || isOnlyCorrected
                    && (correctable.map { oldest.time + $0 < alert.matchedAt } ?? false)
            guard isOver || silentInOrder.count > memory else { break }
            if silent.remove(oldest.id) != nil, !isOver { forgotten += 1 }
            silentInOrder.removeFirst()
        }
    }

    /// The record, with a mark when one like it may have been sent that is no longer remembered (T9).
    fileprivate func marked(_ alert: Alert) -> Alert {
        guard alert.state == .firing, alert.matchedAt <= doubtfulUntil else { return alert }
        var alert = alert
        alert.incompleteBecause.append(
            "values that `suppress by` remembers were dropped for their limit")
        return alert
    }

    fileprivate mutating func takeForgotten() -> Int {
        defer { forgotten = 0 }
        return forgotten
    }

    // MARK: - Snapshot

    /// Whether something will come of it though the rule is gone.
    fileprivate var hasOpenEnds: Bool { !silent.isEmpty || !groups.isEmpty }

    fileprivate func write(to writer: inout StateWriter) {
        writer.write(doubtfulUntil)
        writer.write(sent.count)
        for index in 0..<sent.count {
            writer.write(sent[index].values)
            writer.write(sent[index].time)
        }
        let stillSilent = (0..<silentInOrder.count).lazy.map { silentInOrder[$0] }
            .filter { silent.contains($0.id) }
        writer.write(stillSilent.count)
        for episode in stillSilent {
            writer.write(episode.id)
            writer.write(episode.time)
        }
        writer.write(sorted: groups) { entry, writer in
            writer.write(entry.key)
            writer.write(entry.value.first)
            writer.write(entry.value.folded)
            writer.write(entry.value.keys)
            writer.write(entry.value.lastTime)
        }
    }

    fileprivate init(from reader: inout StateReader, form: Int) throws(SnapshotError) {
        hasEpisodes = true
        if form >= 2 { doubtfulUntil = try reader.read() }
        for _ in 0..<(try reader.count()) {
            let values: [Value] = try reader.readArray()
            let time: Timestamp = try reader.read()
            lastSent[values] = time
            sent.append(AlertStage.Sent(values: values, time: time))
        }
        for _ in 0..<(try reader.count()) {
            let id = try reader.string()
            let time: Timestamp = form >= 2 ? try reader.read() : .distantPast
            if silent.insert(id).inserted {
                silentInOrder.append(AlertStage.Silent(id: id, time: time))
            }
        }
        for _ in 0..<(try reader.count()) {
            let values: [Value] = try reader.readArray()
            groups[values] = AlertStage.Group(
                first: try reader.read(), folded: try reader.tally(), keys: try reader.readArray(),
                lastTime: try reader.read())
        }
    }

    /// Goes on with what another state remembered, under the actions that the rule has now.
    ///
    /// - Parameter id: What the plan of now calls the rule; nil when it is gone.
    fileprivate mutating func takeOver(_ state: Self, id: RuleID?) {
        if suppression != nil {
            lastSent = state.lastSent
            sent = state.sent
            doubtfulUntil = state.doubtfulUntil
        }
        silent = state.silent
        silentInOrder = state.silentInOrder
        groups = state.groups.mapValues { group in
            var group = group
            if let id { group.first.ruleID = id }
            return group
        }
    }
}
