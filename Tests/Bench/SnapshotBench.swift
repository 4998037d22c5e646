import Foundation
import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax

/// Rules whose keys keep events as long as their windows last.
private let keptSamples = [
    KindSample(
        name: "sequence",
        text: """
            event deploy { service: text  version: text }
            event surge { service: text  level: number }
            rule r {
              sequence by service within 15m {
                a: deploy
                then b: surge where level > 100
              }
              alert "{service}: {a.version}, {b.level}"
            }
            """,
        perKey: 2_500, keys: 200,
        event: { number in
            ("deploy", [("version", .text("version-\(number % 97)-of-the-service"))])
        }),
    KindSample(
        name: "threshold",
        text: """
            event surge { service: text  level: number }
            rule r {
              threshold by service {
                over surge
                window 15m sliding
                measure total = sum(level)
                measure slow = percentile(95, level)
                when total < 0 and slow > 3
              }
              alert "{service}: {total}"
            }
            """,
        perKey: 2_500, keys: 200,
        event: { number in ("surge", [("level", .float(Double(number * 31 % 1009) / 8))]) }),
]

/// How large a snapshot of full keys is, and how fast it is written and read, on one thread.
func runSnapshotBench() {
    for sample in keptSamples + kindSamples {
        guard let program = compile([SourceText(name: "kind.rules", text: sample.text)]).program
        else {
            print("snapshot \(sample.name): the rule does not compile")
            exit(1)
        }
        var engine = Engine(
            program: program, environment: EngineEnvironment(), options: EngineOptions())
        var alerts: [Alert] = []
        let count = sample.keys * sample.perKey
        let step = TimeSpan(nanoseconds: sample.filling.nanoseconds / Int64(count + 1))
        batches(sample, program, events: count, keys: sample.keys, step: step) { batch in
            engine.process(batch, rows: 0..<batch.count, emitting: &alerts)
            alerts.removeAll(keepingCapacity: true)
        }
        var snapshot: [UInt8] = []
        var writing = Double.infinity
        var reading = Double.infinity
        for _ in 0..<3 {
            writing = min(writing, cpuSeconds { snapshot = engine.snapshot() })
            var keys = 0
            reading = min(
                reading, cpuSeconds { keys = keysRestored(from: snapshot, program) })
            precondition(keys == engine.keysInUse, "the snapshot is read whole")
        }
        func speed(_ seconds: Double) -> Int { Int(Double(snapshot.count) / seconds / 1e6) }
        print(
            "snapshot \(sample.name): \(snapshot.count / sample.keys) bytes a key, "
                + "written at \(speed(writing)) MB/s, read at \(speed(reading)) MB/s")
    }
}

private func keysRestored(from snapshot: [UInt8], _ program: Program) -> Int {
    var report = RestoreReport()
    var alerts: [Alert] = []
    do {
        let engine = try Engine(
            restoring: [snapshot], program: program, environment: EngineEnvironment(),
            options: EngineOptions(), report: &report, emitting: &alerts)
        return engine.keysInUse
    } catch {
        print("snapshot: \(error)")
        exit(1)
    }
}
