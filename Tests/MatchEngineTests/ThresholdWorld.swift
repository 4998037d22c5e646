import MatchEngine
import RuleCompiler
import RuleModel

/// Runs one threshold rule over a few events, for tests.
///
/// Events are of one type with the fields `k` (text, the key), `v` (number) and `u` (text). Times are
/// whole seconds.
struct ThresholdWorld {
    static let k = FieldID(rawValue: 0)
    static let v = FieldID(rawValue: 1)
    static let u = FieldID(rawValue: 2)

    struct Event {
        var time: Int64
        var key: String?
        var v: Value
        var u: Value

        init(_ time: Int64, _ key: String? = "a", v: Value = .missing, u: Value = .missing) {
            self.time = time
            self.key = key
            self.v = v
            self.u = u
        }
    }

    var window = WindowPlan(.sliding(seconds(3)))
    var measures: [MeasurePlan] = [
        MeasurePlan(
            name: "n", function: .count, argument: nil, parameter: nil, condition: nil)
    ]
    var when: Term
    var holdFor = TimeSpan.zero
    var minimumEvents = 0
    var resolveWhen: Term?
    var resolveFor = TimeSpan.zero
    var remindEvery: TimeSpan?
    var staleAfter: TimeSpan?
    var onNoData = ThresholdPlan.NoData.resolve
    var resetsAfterMatch = false
    var forgetAfter = TimeSpan.day
    var list: [Value]?
    var unless: Term?
    var message: [EmitPlan.MessagePart] = []
    var zones: [String: ZoneTable] = [:]
    var watchStart: Int64?
    var eventsPerWindow: Int?

    init(when: Term) { self.when = when }

    /// The records, each as `second state key measure=value ... (reason)`.
    func run(_ events: [Event], until end: Int64? = nil) -> [String] {
        alerts(events, until: end).map(ThresholdWorld.text)
    }

    func alerts(_ events: [Event], until end: Int64? = nil) -> [Alert] {
        var engine = makeEngine()
        var output: [Alert] = []
        feed(events, to: &engine, emitting: &output)
        if let end { advance(&engine, to: end, emitting: &output) }
        return output
    }

    func makeEngine() -> Engine {
        var options = EngineOptions()
        options.watchStart = watchStart.map { Timestamp(nanoseconds: 0) + seconds($0) }
        if let eventsPerWindow { options.limits.eventsPerWindow = eventsPerWindow }
        return Engine(
            program: program,
            environment: EngineEnvironment(
                lists: list.map { [ListID(0): ThresholdWorld.table($0)] } ?? [:], zones: zones),
            options: options)
    }

    func feed(_ events: [Event], to engine: inout Engine, emitting output: inout [Alert]) {
        var batch = EventBatch(source: 0, fieldCount: 3)
        for (index, event) in events.enumerated() {
            batch.append(
                type: EventTypeID(rawValue: 0),
                time: Timestamp(nanoseconds: 0) + seconds(event.time), arrival: UInt64(index + 1),
                fields: [
                    (0, event.key.map { .text($0) } ?? .missing), (1, event.v), (2, event.u),
                ])
        }
        engine.process(batch, rows: 0..<batch.count, emitting: &output)
    }

    /// Lets time pass until everything due at `end` has taken effect.
    func advance(_ engine: inout Engine, to end: Int64, emitting output: inout [Alert]) {
        let behind = Timestamp(nanoseconds: 0) + seconds(end) + TimeSpan(nanoseconds: 1)
        engine.advance(to: behind, emitting: &output)
    }

    static func table(_ values: [Value]) -> ListTable {
        ListTable(kind: .text, columns: ["value"], keyColumn: 0, rows: values.map { [$0] })
    }

    static func text(_ alert: Alert) -> String {
        let elapsed = alert.matchedAt.nanoseconds
        let second = elapsed / 1_000_000_000
        let rest = elapsed % 1_000_000_000
        var parts = [rest == 0 ? "\(second)" : "\(second)+\(rest)ns", alert.state.rawValue]
        parts += alert.key.map(\.value.plainText)
        parts += alert.measures.map { "\($0.name)=\($0.value.plainText)" }
        if let reason = alert.reason { parts.append("(\(reason))") }
        return parts.joined(separator: " ")
    }

    private var program: Program {
        var tables = RuleSetTables()
        tables.eventTypes = ["e"]
        tables.columns = ["k", "v", "u"].map { FieldPath([$0]) }
        let types: [ValueType] = [.text, .number, .text]
        tables.fields = types.enumerated().map {
            Field(path: tables.columns[$0], column: $0, type: $1)
        }
        if list != nil {
            tables.lists = [
                ListPlan(
                    name: "keys", kind: .text, path: nil, declaredIn: "test.rules", keyColumn: nil,
                    refresh: nil, values: [])
            ]
        }
        let input = InputPlan(
            name: "e", type: EventTypeID(rawValue: 0), condition: nil, key: [ThresholdWorld.k])
        let plan = ThresholdPlan(
            input: input, condition: nil, window: window, measures: measures, when: when,
            holdFor: holdFor, minimumEvents: minimumEvents, resolveWhen: resolveWhen,
            resolveFor: resolveFor, remindEvery: remindEvery,
            staleAfter: staleAfter ?? windowSpan, onNoData: onNoData,
            resetsAfterMatch: resetsAfterMatch, forgetAfter: forgetAfter)
        var actions = EmitPlan()
        actions.message = message
        let rule = RulePlan(
            id: RuleID(0), name: "r", metadata: RuleMetadata(), keyNames: ["k"],
            keyList: list == nil ? nil : ListID(0), pattern: .threshold(plan), unless: unless,
            active: [], emit: actions, probes: [],
            bound: StateBound(runsPerKey: 1, eventsPerRun: 1000, keys: 1000, bytesPerKey: 1000),
            fingerprint: 1, shape: 1, origin: OriginID(0))
        return emit([rule], tables: tables)
    }

    private var windowSpan: TimeSpan {
        switch window.kind {
        case .sliding(let span), .tumbling(let span), .hopping(let span, every: _): span
        case .session(let gap, max: _): gap
        case .last: .day
        }
    }
}

func seconds(_ number: Int64) -> TimeSpan { TimeSpan.second * number }

/// The `where`-less measure of one field.
func measure(
    _ name: String, _ function: AggregateFunction, _ field: FieldID? = nil,
    _ parameter: Double? = nil,
    where condition: Term? = nil
) -> MeasurePlan {
    MeasurePlan(
        name: name, function: function, argument: field.map { .field($0) }, parameter: parameter,
        condition: condition)
}

/// A measure as it is now.
func now(_ index: Int) -> Term { .measure(index, .now) }

func compare(_ left: Term, _ comparison: Comparison, _ right: Term) -> Term {
    .compare(comparison, left, right, ignoringCase: false)
}

func number(_ number: Int64) -> Term { .constant(.int(number)) }
