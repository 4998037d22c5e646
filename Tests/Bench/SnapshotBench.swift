import Foundation
import MatchEngine
import RuleModel

/// How large a snapshot of full keys is, and how fast it is written and read, on one thread.
func runSnapshotBench() {
    for sample in kindSamples {
        let run = KindRun(sample)
        run.fill(sample.filling)
        var snapshot: [UInt8] = []
        var writing = Double.infinity
        var reading = Double.infinity
        for _ in 0..<3 {
            writing = min(writing, cpuSeconds { snapshot = run.engine.snapshot() })
            var keys = 0
            reading = min(
                reading, cpuSeconds { keys = keysRestored(from: snapshot, run.program) })
            precondition(keys == run.engine.keysInUse, "the snapshot is read whole")
        }
        func speed(_ seconds: Double) -> Int { Int(Double(snapshot.count) / seconds / 1e6) }
        print(
            "snapshot \(sample.name): \(snapshot.count / sample.filling.keys) bytes a key, "
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
