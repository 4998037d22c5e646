import Foundation
import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax

/// One rule of a kind, with events for it.
struct KindSample: Sendable {
    var name: String
    var text: String
    /// How many events fill a key, and how many keys are filled.
    var perKey: Int
    var keys: Int
    /// How long it takes in event time until they are full.
    var filling = TimeSpan.second
    /// The type and the fields but the key, by the number of the event.
    var event: @Sendable (Int) -> (type: String, fields: [(String, Value)])
}

let kindSamples = [
    KindSample(
        name: "correlation",
        text: """
            event deploy { service: text  version: text }
            event surge { service: text  level: number }
            rule r {
              correlation by service within 15m {
                a: deploy
                b: surge where level > 1
                order a, b
              }
              alert "{service}: {a.version}, {b.level}"
            }
            """,
        perKey: 2_500, keys: 200,
        event: { number in
            number % 10 == 0
                ? ("deploy", [("version", .text("version-\(number % 97)-of-the-service"))])
                : ("surge", [("level", .int(Int64(number % 5)))])
        }),
    KindSample(
        name: "correlation with a lift",
        text: """
            event deploy { service: text  version: text }
            event surge { service: text  level: number }
            rule r {
              correlation by service within 1s {
                a: deploy
                b: surge where level > 1
                order a, b
                strength lift(b after a within 1m) >= 3 over 1d with at least 20
              }
              alert "{service}: {a.version}, {b.level}"
            }
            """,
        perKey: 110_000, keys: 20,
        event: { number in
            number % 10 == 0
                ? ("deploy", [("version", .text("version-\(number % 97)-of-the-service"))])
                : ("surge", [("level", .int(Int64(number % 5)))])
        }),
    KindSample(
        name: "anomaly cluster",
        text: """
            event surge { service: text  pod: text  level: number }
            rule r {
              anomaly_cluster by service {
                measure m = max(level) of surge every 1m by pod
                baseline last 60 adapt after 10m
                anomalous when robust_z(m) > 20
                cluster when at least 3 pod within 5m
              }
              alert "{service}: {members.count}"
            }
            """,
        perKey: 70_000, keys: 3, filling: .minute * 70,
        event: { number in
            (
                "surge",
                [
                    ("pod", .text("pod-number-\(number % 1000)")),
                    ("level", .int(Int64(number * 31 % 17))),
                ]
            )
        }),
]

/// Runs the engine alone, on one thread, over events that are in memory: how many it takes a second, and
/// how much memory a key takes when it has as many events as its rule allows, beside the bound that
/// the compiler states.
func runKindBench(events count: Int) {
    var engines: [HeldEngine] = []
    var memory: [String] = []
    // Memory first: what the speed takes and gives back would hide it.
    for sample in kindSamples {
        let compilation = compile([SourceText(name: "kind.rules", text: sample.text)])
        guard let program = compilation.program, let plan = compilation.plans.first else {
            print("kinds    \(sample.name): \(compilation.diagnostics.map(\.message))")
            exit(1)
        }
        engines.append(HeldEngine(program))
        let bytes = keyBytes(sample, engines[engines.count - 1])
        memory.append("\(bytes) bytes a full key, bound \(plan.bound.bytesPerKey)")
    }
    for (index, sample) in kindSamples.enumerated() {
        let seconds = speed(sample, engines[index].program, events: count)
        print("kinds    \(sample.name): \(Int(Double(count) / seconds)) events/s; \(memory[index])")
    }
}

func batches(
    _ sample: KindSample, _ program: Program, events count: Int, keys: Int, step: TimeSpan,
    _ use: (EventBatch) -> Void
) {
    let tables = program.tables
    func column(_ name: String) -> Int? { tables.columns.firstIndex(of: FieldPath([name])) }
    let start = Timestamp(nanoseconds: 1_767_225_600_000_000_000)
    var number = 0
    while number < count {
        var batch = EventBatch(source: 0, fieldCount: tables.columns.count)
        for _ in 0..<min(4096, count - number) {
            // Every key gets the whole mixture.
            let (type, values) = sample.event(number / keys)
            let key = Value.text("service-number-\(number % keys)")
            let fields = ([("service", key)] + values).compactMap { name, value in
                column(name).map { (column: $0, value: value) }
            }
            let id = tables.eventTypes.firstIndex(of: type).map {
                EventTypeID(rawValue: UInt16($0))
            }
            batch.append(
                type: id ?? .unread, time: start + step * Int64(number),
                arrival: UInt64(number + 1),
                fields: fields)
            number += 1
        }
        use(batch)
    }
}

private func speed(_ sample: KindSample, _ program: Program, events count: Int) -> Double {
    var made: [EventBatch] = []
    let step = TimeSpan(nanoseconds: 5_000_000)
    batches(sample, program, events: count, keys: 1000, step: step) { made.append($0) }
    var best = Double.infinity
    for _ in 0..<3 {
        var engine = Engine(
            program: program, environment: EngineEnvironment(), options: EngineOptions())
        var alerts: [Alert] = []
        best = min(
            best,
            cpuSeconds {
                for batch in made {
                    engine.process(batch, rows: 0..<batch.count, emitting: &alerts)
                    alerts.removeAll(keepingCapacity: true)
                }
            })
    }
    return best
}

/// What the process grows by while keys fill up, for each key.
private func keyBytes(_ sample: KindSample, _ held: HeldEngine) -> Int {
    let (keys, perKey) = (sample.keys, sample.perKey)
    var alerts: [Alert] = []
    let before = residentBytes()
    // Mostly within a second, so that nothing leaves a window.
    let step = TimeSpan(nanoseconds: sample.filling.nanoseconds / Int64(keys * perKey + 1))
    batches(sample, held.program, events: keys * perKey, keys: keys, step: step) { batch in
        held.engine.process(batch, rows: 0..<batch.count, emitting: &alerts)
        alerts.removeAll(keepingCapacity: true)
    }
    let after = residentBytes()
    precondition(held.engine.keysInUse == keys, "the keys were to be full")
    return max(0, after - before) / keys
}

/// Engines are kept to the end, so that what one gives back does not hide what the next takes.
private final class HeldEngine {
    let program: Program
    var engine: Engine

    init(_ program: Program) {
        self.program = program
        engine = Engine(
            program: program, environment: EngineEnvironment(), options: EngineOptions())
    }
}

private func residentBytes() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * Int(getpagesize())
}
