import MatchEngine
import RuleCompiler
import RuleModel
import TestKit

/// Plans of small sequences written by hand: events `a`, `b`, `c` with a key `k`, a number `v`, a
/// text `u` and the event's own number `n`.
enum PlanSketch {
    static let key = FieldID(rawValue: 0)
    static let number = FieldID(rawValue: 1)
    static let text = FieldID(rawValue: 2)
    static let serial = FieldID(rawValue: 3)

    static var tables: RuleSetTables {
        var tables = RuleSetTables()
        tables.eventTypes = ["a", "b", "c"]
        tables.columns = ["k", "v", "u", "n"].map { FieldPath([$0]) }
        let types: [ValueType] = [.text, .number, .text, .number]
        tables.fields = types.enumerated().map { index, type in
            Field(path: tables.columns[index], column: index, type: type)
        }
        return tables
    }

    static func input(_ type: Int, key: [FieldID] = [key]) -> InputPlan {
        InputPlan(
            name: tables.eventTypes[type], type: EventTypeID(rawValue: UInt16(type)),
            condition: nil, key: key)
    }

    /// A step over the events of one of the three types.
    static func step(_ name: String, _ type: Int) -> StepPlan {
        StepPlan(
            name: name, input: type, eventCondition: nil, runCondition: nil, minimum: 1, maximum: 1,
            isRepeated: false, isReluctant: false, gapLimit: nil,
            captured: [number, text, serial])
    }

    static func repeated(_ name: String, _ type: Int, _ minimum: Int, _ maximum: Int?) -> StepPlan {
        var step = step(name, type)
        step.minimum = minimum
        step.maximum = maximum
        step.isRepeated = true
        return step
    }

    static func sequence(
        _ steps: [StepPlan], _ elements: [ElementPlan]? = nil, within: Int64? = 10
    ) -> SequencePlan {
        let span = within.map { TimeSpan.second * $0 }
        return SequencePlan(
            inputs: [input(0), input(1), input(2)], steps: steps,
            elements: elements ?? steps.indices.map { ElementPlan(.step(StepID($0))) }, until: nil,
            within: span, overlap: .none, restartsOnRepeat: false, runLimit: nil,
            reportsPartial: false, resumeAt: nil, assumesAbsentAtStart: false, horizon: span)
    }

    static func rule(_ sequence: SequencePlan, name: String = "sketch") -> RulePlan {
        RulePlan(
            id: RuleID(0), name: name, metadata: RuleMetadata(), keyNames: ["k"], keyList: nil,
            pattern: .sequence(sequence), unless: nil, active: [], emit: EmitPlan(), probes: [],
            bound: StateBound(runsPerKey: 10_000, eventsPerRun: 10_000, keys: 1000, bytesPerKey: 1),
            fingerprint: 1, shape: 1, origin: OriginID(0))
    }

    static func program(_ rule: RulePlan) -> Program { emit([rule], tables: tables) }

    /// `"a1 b3 a3"`: an `a` at second 1, a `b` at second 3, an `a` at second 3; a third part is `v`.
    static func events(_ text: String, key: String = "p") -> [TestEvent] {
        text.split(separator: " ").enumerated().map { index, word in
            let parts = word.dropFirst().split(separator: ":")
            var fields: [String: Value] = ["k": .text(key), "n": .int(Int64(index + 1))]
            if parts.count > 1 { fields["v"] = .int(Int64(parts[1]) ?? 0) }
            let second = Double(parts[0]) ?? 0
            return TestEvent(
                String(word.prefix(1)), at: TimeSpan(nanoseconds: Int64(second * 1e9)), fields)
        }
    }

    /// The engine's records as lines: `3s firing key p x=1 y=2`.
    static func run(
        _ rule: RulePlan, _ events: [TestEvent], until end: Int64? = nil,
        _ run: EngineRun = EngineRun()
    ) -> [String] {
        let alerts = run.alerts(
            of: program(rule), lists: [], events: events,
            end: end.map { TestEvent.epoch + .second * $0 + TimeSpan(nanoseconds: 1) })
        return inOrder(alerts.map { TestRecord($0) }).map(\.description)
    }

    static func run(_ sequence: SequencePlan, _ text: String, until end: Int64? = nil) -> [String] {
        run(rule(sequence), events(text), until: end)
    }

    /// `left <comparison> right`
    static func compare(_ comparison: Comparison, _ left: Term, _ right: Term) -> Term {
        .compare(comparison, left, right, ignoringCase: false)
    }
}

/// A program over other tables than those of the sketches.
func makeProgram(_ rule: RulePlan, _ tables: RuleSetTables) -> Program {
    emit([rule], tables: tables)
}
