import RuleModel

/// A match as the reference matcher finds it.
public struct ReferenceMatch: Sendable, Equatable {
    public var rule: RuleID
    public var key: [Value]
    public var matchedAt: Timestamp
    /// `firing`, `updated` or `resolved`.
    public var state: Alert.State
    /// `no data`, `reminder`, ... as in alert records.
    public var reason: String?
    /// The arrival numbers of the events that each step took, by step; of a correlation those of each
    /// member that is there, the witness last. Empty for thresholds.
    public var steps: [[UInt64]]
    /// The measures of a threshold or of a correlation's strength at that instant.
    public var measures: [Value]
    /// The instant of processing and the arrival number of the event that did it; none: a deadline.
    public var instant: Timestamp
    public var arrival: UInt64?
}

/// The judge of the engine: finds what a rule finds by the plainest reading of the language.
///
/// It lists every choice of events and filters (`ReferenceChoices`), walks one run at a time
/// (`ReferenceRuns`), or recomputes a window from nothing at every instant (`ReferenceThreshold`,
/// `ReferenceCorrelation`).
/// It is slow on purpose and shares no code with the engine; where the two differ, one of them has
/// misread a sentence.
public struct ReferenceMatcher: Sendable {
    public var tables: RuleSetTables
    public var lists: [ListTable]
    /// From when on the engine has watched its input; nil: since the first event.
    public var watchedFrom: Timestamp?

    public init(tables: RuleSetTables, lists: [ListTable] = [], watchedFrom: Timestamp? = nil) {
        self.tables = tables
        self.lists = lists
        self.watchedFrom = watchedFrom
    }

    /// All matches of a rule.
    ///
    /// - Parameters:
    ///   - arrived: The events of one source in order of arrival.
    ///   - lateness: As declared by the source.
    ///   - watermark: How far event time goes in the end; deadlines before it fire (T5).
    public func matches(
        of plan: RulePlan, in arrived: [ReferenceEvent], lateness: TimeSpan = .zero,
        watermark: Timestamp
    ) -> [ReferenceMatch] {
        let events = referenceOrder(arrived, lateness: lateness).events
        let began = watchedFrom ?? events.first?.instant ?? watermark
        var matches: [ReferenceMatch] = []
        let keys = keys(of: plan, in: events)
        for key in keys {
            switch plan.pattern {
            case .sequence(let sequence):
                let row = ReferenceRow(
                    plan: sequence, key: key, events: events, tables: tables, lists: lists,
                    began: began, watermark: watermark)
                let isRun =
                    sequence.restartsOnRepeat || sequence.overlap == .each
                    || sequence.overlap == .latest
                let found = isRun ? referenceRuns(row) : referenceChoices(row)
                matches += found.map { $0.match(rule: plan.id, key: key, row: row) }
            case .threshold(let threshold):
                let fitting = events.filter { fits($0, threshold, key) }
                var series = ReferenceThreshold(
                    plan: threshold, rule: plan.id, key: key, isListed: plan.keyList != nil,
                    events: fitting, began: began, watermark: watermark, tables: tables,
                    lists: lists)
                matches += series.run()
            case .correlation(let correlation):
                matches += self.matches(
                    of: correlation, plan, key: key, keys: keys, in: events, began: began,
                    watermark: watermark)
            case .anomaly, .metric: break
            }
        }
        return matches.sorted(by: referenceBefore)
    }

    /// The keys that exist: those of the input's events in order of appearance, and those of the
    /// list (H9). An event whose key has a missing part belongs to none (T6).
    private func keys(of plan: RulePlan, in events: [ReferenceEvent]) -> [[Value]] {
        var keys: [[Value]] = []
        if let list = plan.keyList {
            let table = lists[list.rawValue]
            keys = table.rows.map { [$0[table.keyColumn]] }
        }
        for event in events {
            for input in plan.inputs where event.type == input.type {
                guard let key = referenceKey(of: event, in: input, tables, lists) else { continue }
                let isNew = !keys.contains { referenceEqual(.list($0), .list(key)) == true }
                if isNew, plan.keyList == nil { keys.append(key) }
            }
        }
        return keys
    }

    private func fits(_ event: ReferenceEvent, _ plan: ThresholdPlan, _ key: [Value]) -> Bool {
        guard event.type == plan.input.type,
            let found = referenceKey(of: event, in: plan.input, tables, lists),
            referenceEqual(.list(found), .list(key)) == true
        else { return false }
        var term = ReferenceTerm(tables: tables, lists: lists)
        term.event = event
        return term.holds(plan.condition)
    }
}

/// The key of an event that belongs to an input; nil when it does not, or when a part is missing.
func referenceKey(
    of event: ReferenceEvent, in input: InputPlan, _ tables: RuleSetTables, _ lists: [ListTable]
) -> [Value]? {
    guard event.type == input.type else { return nil }
    var term = ReferenceTerm(tables: tables, lists: lists)
    term.event = event
    guard term.holds(input.condition) else { return nil }
    let key = input.key.map { term.value(.field($0)) }
    return key.contains(where: \.isMissing) ? nil : key
}

/// By instant; those of events by arrival, before those of deadlines. Stable otherwise, since the
/// order of keys is the engine's own (a hash).
private func referenceBefore(_ left: ReferenceMatch, _ right: ReferenceMatch) -> Bool {
    (left.instant, left.arrival ?? .max) < (right.instant, right.arrival ?? .max)
}
