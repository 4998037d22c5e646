import RuleModel

/// Finds out what a late event would have changed (T3), where a source asks for `correction`.
///
/// Keeps the events of each key for the correction period and as long as a match may take. When a
/// late event comes, the key sees them twice from nothing, once without and once with the event; what
/// fires in one and not in the other is what the event would have changed. The state of the rule is
/// never touched.
///
/// - Complexity: for each event of a rule that is corrected O(1); for each late event linear in the
///   key's kept events; keys with more than `eventsMax` of them are not looked at.
struct LateJudge: Sendable {
    /// What a late event has brought to light.
    enum Finding {
        case cancelled(Alert)
        case missed(Alert)
    }

    private struct Kept: Sendable {
        var place: Timestamp
        var key: RehearsedKey
    }

    static let eventsMax = 10_000

    /// Which rules are corrected, by index into `Program.rules`.
    let rules: [Bool]
    /// By rule: how long before a match its events can lie; nil for rules that are not corrected.
    private let spans: [TimeSpan?]
    private let memory: TimeSpan
    private var rehearsal: Rehearsal
    private var events: [RehearsedKey: [RehearsedEvent]] = [:]
    /// All kept events in order of their places, so that old ones can be dropped.
    private var kept = Queue<Kept>()
    /// Alerts of the correction period, by id: only what was told can be taken back.
    private var told: [String: Timestamp] = [:]
    private var toldInOrder = Queue<String>()
    /// Since when events are kept: what lies before was another engine's and is not in a snapshot.
    private var keepsSince = Timestamp.distantPast

    /// Nil when no source asks for corrections or no rule can have any.
    init?(program: Program, environment: EngineEnvironment, options: EngineOptions) {
        guard let correction = options.corrections.max(), correction > .zero else { return nil }
        let spans = program.rules.map(\.correctionSpan)
        guard let longest = spans.compactMap({ $0 }).max() else { return nil }
        self.spans = spans
        rules = spans.map { $0 != nil }
        memory = correction + longest
        rehearsal = Rehearsal(
            program: program, environment: environment, options: options, rules: rules)
    }

    mutating func setList(_ list: ListID, _ table: ListTable) { rehearsal.setList(list, table) }

    mutating func setWatchStart(_ time: Timestamp) { rehearsal.setWatchStart(time) }

    /// Nothing is known of the time before: matches that may have events there are not corrected.
    mutating func beginKeeping(at time: Timestamp) { keepsSince = time }

    /// Keeps an event that is being processed in order.
    mutating func keep(_ entry: RehearsedEvent, _ key: RehearsedKey) {
        if let last = events[key]?.indices.last,
            events[key]?[last].event.arrival == entry.event.arrival
        {
            events[key]?[last].inputs |= entry.inputs
            return
        }
        events[key, default: []].append(entry)
        kept.append(Kept(place: entry.place, key: key))
    }

    /// Remembers an alert that was told.
    mutating func note(_ id: String, at matchedAt: Timestamp) {
        if told.updateValue(matchedAt, forKey: id) == nil { toldInOrder.append(id) }
    }

    /// Forgets what lies before the memory.
    mutating func forget(before watermark: Timestamp) {
        while let oldest = kept.first, oldest.place + memory < watermark {
            dropOldestEvent()
        }
        while let oldest = toldInOrder.first, let time = told[oldest], time + memory < watermark {
            toldInOrder.removeFirst()
            told[oldest] = nil
        }
    }

    /// Drops the oldest events and alerts beyond a limit: how many. Matches that may have had one of
    /// them are no longer corrected.
    mutating func makeRoom(_ limit: Int) -> Int {
        var dropped = 0
        while kept.count > limit, let oldest = kept.first {
            keepsSince = max(keepsSince, oldest.place)
            dropOldestEvent()
            dropped += 1
        }
        while toldInOrder.count > limit, let oldest = toldInOrder.first {
            if let time = told.removeValue(forKey: oldest) { keepsSince = max(keepsSince, time) }
            toldInOrder.removeFirst()
            dropped += 1
        }
        return dropped
    }

    private mutating func dropOldestEvent() {
        guard let oldest = kept.first else { return }
        kept.removeFirst()
        guard var list = events.removeValue(forKey: oldest.key) else { return }
        list.removeFirst()
        if !list.isEmpty { events[oldest.key] = list }
    }

    /// What a late event of a key would have changed of what matched in a span before the watermark.
    mutating func findings(
        _ entry: RehearsedEvent, _ key: RehearsedKey, values: [Value], since: Timestamp,
        watermark: Timestamp
    ) -> [Finding] {
        let since = max(since, keepsSince + (spans[key.rule] ?? .zero))
        let before = events[key] ?? []
        guard before.count < LateJudge.eventsMax else { return [] }
        var after = before
        after.insert(entry, at: before.firstIndex { $0.place > entry.place } ?? before.count)
        func alerts(_ events: [RehearsedEvent]) -> [Alert] {
            rehearsal.alerts(
                key, values: values, start: nil, time: .distantPast, events: events,
                end: watermark
            ).filter { $0.matchedAt >= since }
        }
        let (without, with) = (alerts(before), alerts(after))
        let (idsWithout, idsWith) = (Set(without.map(\.id)), Set(with.map(\.id)))
        return without.filter { !idsWith.contains($0.id) && told[$0.id] != nil }
            .map { .cancelled($0) }
            + with.filter { !idsWithout.contains($0.id) && told[$0.id] == nil }.map { .missed($0) }
    }
}

extension RuleProgram {
    /// How long before a match its events can lie; nil for rules that late events do not correct:
    /// those with keys from a list, over alerts or metrics, without a limit of time, or of kinds that
    /// compare with a long history.
    fileprivate var correctionSpan: TimeSpan? {
        guard keyList == nil, place.depth == 0 else { return nil }
        switch pattern {
        case .sequence(let sequence):
            guard let horizon = sequence.horizon ?? sequence.within else { return nil }
            let shape = SequenceShape(sequence)
            let absences = (shape.leadingAbsences + shape.trailingAbsences).map(\.span)
            return horizon + (absences.max() ?? .zero)
        case .threshold(let threshold):
            switch threshold.window.kind {
            case .sliding(let span), .tumbling(let span), .hopping(let span, every: _):
                return span + span + threshold.holdFor
            case .session(gap: _, max: let longest): return longest + longest
            case .last: return nil
            }
        case .correlation, .anomaly, .metric: return nil
        }
    }
}
