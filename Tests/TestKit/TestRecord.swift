import MatchEngine
import RuleModel

/// What a match comes down to, in a form that both the engine's alerts and the reference matcher's
/// matches can be brought into.
public struct TestRecord: Sendable, Equatable, CustomStringConvertible {
    /// Since `TestEvent.epoch`.
    public var matchedAt: TimeSpan
    public var state: Alert.State
    public var reason: String?
    public var key: [String]
    /// The numbers (field `n`) of the events that each step bound; steps without events left out.
    public var steps: [String]
    public var measures: [String]
    /// By which records are put in order: instant and arrival.
    var instant: Int64
    var arrival: UInt64

    public init(_ alert: Alert) {
        matchedAt = alert.matchedAt - TestEvent.epoch
        state = alert.state
        reason = alert.reason
        key = alert.key.map { plainText($0.value) }
        steps = alert.steps.filter { !$0.events.isEmpty }.map { step in
            let numbers = step.events.map { event in
                event.fields.first { $0.name == "n" }.map { plainText($0.value) } ?? "?"
            }
            return "\(step.name)=\(numbers.joined(separator: ","))"
        }
        measures = alert.measures.map { "\($0.name)=\(plainText($0.value))" }
        instant = alert.order.instant
        arrival = alert.order.arrival
    }

    /// - Parameter numbers: The number of each event by its arrival number minus one.
    public init(_ match: ReferenceMatch, plan: RulePlan, numbers: [String]) {
        matchedAt = match.matchedAt - TestEvent.epoch
        state = match.state
        reason = match.reason
        key = match.key.map { plainText($0) }
        steps = []
        measures = []
        switch plan.pattern {
        case .sequence(let sequence):
            for (step, arrivals) in zip(sequence.steps, match.steps) where !arrivals.isEmpty {
                let bound = arrivals.map { numbers[Int($0) - 1] }
                steps.append("\(step.name)=\(bound.joined(separator: ","))")
            }
        case .threshold(let threshold):
            measures = zip(threshold.measures, match.measures).map { "\($0.name)=\(plainText($1))" }
        case .correlation(let correlation):
            for (member, arrivals) in zip(correlation.members, match.steps) where !arrivals.isEmpty
            {
                let bound = arrivals.map { numbers[Int($0) - 1] }
                steps.append("\(member.name)=\(bound.joined(separator: ","))")
            }
            let names =
                switch correlation.strength {
                case nil: [String]()
                case .lift?: ["lift", "rate_after", "rate_base", "occurrences"]
                case .movement?: ["coefficient", "lag", "points"]
                }
            measures = zip(names, match.measures).map { "\($0)=\(plainText($1))" }
        case .anomaly, .metric: break
        }
        instant = match.instant.nanoseconds
        arrival = match.arrival ?? .max
    }

    public static func == (left: TestRecord, right: TestRecord) -> Bool {
        left.description == right.description
    }

    public var description: String {
        var text = "\(matchedAt) \(state.rawValue)"
        if let reason { text += " (\(reason))" }
        if !key.isEmpty { text += " key \(key.joined(separator: "/"))" }
        return ([text] + steps + measures).joined(separator: " ")
    }
}

/// The records of rules, without what the engine says about itself (`engine.overflow`).
public func testRecords(_ alerts: [Alert]) -> [TestRecord] {
    alerts.filter { !$0.rule.hasPrefix("engine.") }.map { TestRecord($0) }
}

/// Records in the order of processing; at one instant by key, since the engine's own order of keys
/// is that of a hash.
public func inOrder(_ records: [TestRecord]) -> [TestRecord] {
    records.enumerated().sorted { left, right in
        let (a, b) = (left.element, right.element)
        if (a.instant, a.arrival) != (b.instant, b.arrival) {
            return (a.instant, a.arrival) < (b.instant, b.arrival)
        }
        let keys = (a.key.joined(separator: "/"), b.key.joined(separator: "/"))
        return keys.0 != keys.1 ? Text(keys.0) < Text(keys.1) : left.offset < right.offset
    }.map(\.element)
}
