import Foundation
import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

/// For one rule of each kind alone, on one thread: how many events a second are read and judged beside
/// the bare scan of the same bytes in the same run, what is left of that while a recorder looks on, and how much memory a key takes that is as full as
/// its rule allows, beside the bound that the compiler states.
func runKindBench(events count: Int) {
    var runs: [(sample: KindSample, run: KindRun, memory: String)] = []
    // Memory first: what the speed takes and gives back would hide it.
    for sample in kindSamples {
        let run = KindRun(sample)
        let bytes = keyBytes(sample, run)
        let memory =
            "\(bytes) bytes a key of \(sample.filling.words), bound \(run.bound.bytesPerKey)"
        runs.append((sample, run, memory))
    }
    for (sample, _, memory) in runs {
        let (scan, whole, observed, alerts) = speed(sample, events: count)
        func rate(_ seconds: Double) -> String {
            String(format: "%.2f M", Double(count) / seconds / 1e6)
        }
        print(
            "kinds    \(sample.name): \(rate(whole)) events/s, bare scan \(rate(scan)), "
                + String(format: "%.2f of scan, ", scan / whole)
                + String(format: "%.2f of that with a recorder, ", whole / observed)
                + "\(alerts * 1000 / count) alerts a thousand; \(memory)")
    }
}

/// An engine with the decoder in front of it. Runs are kept to the end, so that what one gives back does
/// not hide what the next takes.
final class KindRun {
    let program: Program
    let bound: StateBound
    private(set) var engine: Engine
    private var decoder: NDJSONDecoder
    private var batch: EventBatch
    private var report = InputReport()
    private var arrival: UInt64 = 0
    private var output: [Alert] = []
    private(set) var alerts = 0

    init(_ sample: KindSample) {
        let compilation = compile([SourceText(name: "kind.rules", text: sample.text)])
        guard let program = compilation.program, let plan = compilation.plans.first else {
            print("kinds    \(sample.name): \(compilation.diagnostics.map(\.message))")
            exit(1)
        }
        self.program = program
        bound = plan.bound
        engine = Engine(
            program: program, environment: EngineEnvironment(), options: EngineOptions())
        decoder = NDJSONDecoder(
            fields: program.tables.columns, eventTypes: program.tables.eventTypes,
            options: InputOptions(timeField: FieldPath(["time"])))
        batch = EventBatch(source: 0, fieldCount: program.tables.columns.count)
    }

    var events: Int { report.events }

    /// Lets a recorder look on, as `explain --events` does.
    func observe() {
        engine.recorder = RuleRecorder(
            rule: program.rules[0].id, key: nil, program: program, limits: EngineLimits())
    }

    /// - Parameter judges: Whether the engine gets to see the events; else they are only read.
    func read(_ bytes: [UInt8], judges: Bool) {
        var chunk = LineChunk(padded: bytes, count: bytes.count - 64)
        while !chunk.isDecoded {
            batch.removeAll()
            decoder.decode(&chunk, into: &batch, arrival: &arrival, report: &report)
            guard judges else { continue }
            engine.process(batch, rows: 0..<batch.count, emitting: &output)
            alerts += output.count
            output.removeAll(keepingCapacity: true)
        }
    }

    func fill(_ filling: KindSample.Filling) {
        makeChunks(
            filling.keys * filling.eventsPerKey, keys: filling.keys,
            { filling.event($0 / filling.keys) }, { read($0, judges: true) })
        precondition(engine.keysInUse == filling.keys, "the keys were to be full")
    }
}

/// Seconds to read the events, and to read and judge them: the best of three rounds each, in turns.
private func speed(
    _ sample: KindSample, events count: Int
) -> (scan: Double, whole: Double, observed: Double, alerts: Int) {
    let keys = 1_000
    var chunks: [[UInt8]] = []
    makeChunks(
        count, keys: keys,
        { (sample.event($0 / keys), milliseconds(5 * $0)) }, { chunks.append($0) })
    var best = (
        scan: Double.infinity, whole: Double.infinity, observed: Double.infinity, alerts: 0
    )
    for _ in 0..<3 {
        let (reader, whole) = (KindRun(sample), KindRun(sample))
        best.scan = min(
            best.scan, cpuSeconds { for chunk in chunks { reader.read(chunk, judges: false) } })
        best.whole = min(
            best.whole, cpuSeconds { for chunk in chunks { whole.read(chunk, judges: true) } })
        let observed = KindRun(sample)
        observed.observe()
        best.observed = min(
            best.observed, cpuSeconds { for chunk in chunks { observed.read(chunk, judges: true) } }
        )
        precondition(observed.alerts == whole.alerts, "a recorder changes nothing")
        precondition(reader.events == count && whole.events == count, "every line is an event")
        best.alerts = whole.alerts
    }
    return best
}

/// What the process grows by while keys fill up, for each key.
private func keyBytes(_ sample: KindSample, _ run: KindRun) -> Int {
    let before = residentBytes()
    run.fill(sample.filling)
    return max(0, residentBytes() - before) / sample.filling.keys
}

/// Events as lines, each followed by one of the next key, in chunks for the decoder.
///
/// - Parameter event: The event of a number, and how long after the first it comes.
private func makeChunks(
    _ count: Int, keys: Int, _ event: (Int) -> (event: KindEvent, after: TimeSpan),
    _ use: ([UInt8]) -> Void
) {
    let start = Timestamp(nanoseconds: 1_767_225_600_000_000_000)
    var number = 0
    while number < count {
        var lines: [UInt8] = []
        for _ in 0..<min(2_048, count - number) {
            let (event, after) = event(number)
            let line = """
                {"time":"\(start + after)","type":"\(event.type)",\
                "service":"service-number-\(number % keys)",\(event.fields)}\n
                """
            lines += line.utf8
            number += 1
        }
        use(lines + [UInt8](repeating: 0, count: 64))
    }
}
