import Foundation
import MatchEngine
import RuleModel
import TestKit
import Testing

@testable import StreamRuntime

/// The real pipeline, journal, checkpoints, outbox and delivery, on one thread, on a disk, clocks, sources
/// and sinks that do their worst. `SEED=n` runs one case, `FAULTS=n` as many faults as that.
@Suite("Simulated faults") struct SimulationTests {
    @Test("whatever is done to the engine, its alerts are those of a quiet run")
    func faults() throws {
        let environment = ProcessInfo.processInfo.environment
        let wanted = environment["FAULTS"].flatMap { Int($0) } ?? 2_000
        let only = environment["SEED"].flatMap { UInt64($0) }
        let folder = NSTemporaryDirectory() + "martlet-simulation-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let text = try String(contentsOfFile: faultRules, encoding: .utf8)
        let rules = try CompiledRules(text)
        let others = try CompiledRules(text + otherRules)
        var faults = 0
        var cases = 0
        var restarts = 0
        var steps = 0
        var reloads = 0
        var repeats = 0
        var seed = only ?? 1
        while faults < wanted {
            let events = FaultEvents(seed: seed)
            let path = folder + "/\(seed).ndjson"
            try Data(events.first).write(to: URL(fileURLWithPath: path))
            var quiet = Simulation(
                rules: rules, others: others, file: path, sent: events.second, seed: seed)
            let truth = try quiet.run(faultsMax: 0)
            var rough = Simulation(
                rules: rules, others: others, file: path, sent: events.secondInDisorder, seed: seed)
            do {
                let result = try rough.run(faultsMax: 12)
                faults += result.faults
                restarts += result.restarts
                steps += result.steps
                reloads += result.reloads
                repeats += result.repeats
                for problem in problems(truth, result) {
                    Issue.record("SEED=\(seed): \(problem)")
                }
            } catch {
                Issue.record("SEED=\(seed): \(error)")
                faults += 12
            }
            cases += 1
            seed += 1
            try FileManager.default.removeItem(atPath: path)
            if only != nil { break }
        }
        print(
            "simulation: \(faults) faults in \(cases) cases, \(restarts) restarts, \(reloads) reloads, \(repeats) repeats, \(steps) steps of the disk"
        )
    }

    /// What differs from the quiet run beyond what is promised.
    private func problems(_ truth: Simulation.Result, _ result: Simulation.Result) -> [String] {
        var problems: [String] = []
        let wanted = truth.receipts[0].map(\.record)
        if Set(wanted).count < 10 { problems.append("only \(wanted.count) alerts to look at") }
        for (name, receipts) in zip(Simulation.sinkNames, result.receipts) {
            var seen: Set<String> = []
            var extra = 0
            for receipt in receipts where !seen.insert(receipt.record).inserted {
                extra += 1
                if !receipt.isRedelivery {
                    problems.append("\(name): \(receipt.record) came twice and was not marked")
                }
            }
            let missing = Set(wanted).subtracting(seen).subtracting(result.deadLetters)
            let strange = seen.subtracting(wanted)
            if let first = missing.first {
                problems.append("\(name): \(missing.count) alerts are missing, such as \(first)")
            }
            if let first = strange.first {
                problems.append("\(name): \(strange.count) alerts are strange, such as \(first)")
            }
            let limit = name == "idempotent" ? 0 : result.restarts * 8
            if extra > limit { problems.append("\(name): \(extra) came twice, and \(limit) may") }
            if result.deadLetters.isEmpty, order(receipts) != order(truth.receipts[0]) {
                problems.append("\(name): the order of a key has changed")
            }
        }
        return problems
    }

    /// For each key the records in the order in which they came first.
    private func order(_ receipts: [SimulatedSink.Receipt]) -> [String: [String]] {
        var seen: Set<String> = []
        var order: [String: [String]] = [:]
        for receipt in receipts where seen.insert(receipt.record).inserted {
            order[receipt.key, default: []].append(receipt.record)
        }
        return order
    }

    private let otherRules = """
        rule nobody {
          sequence by ip within 1m {
            first: login where user == "nobody"
            then second: login where result == "nothing"
          }
          alert "never"
        }
        rule nothing {
          threshold by service {
            over request where service == "nothing"
            window 1m sliding
            measure count = count
            when count >= 1
          }
          alert "never"
        }
        """

    private var faultRules: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Faults/faults.rules").path
    }
}

/// Events of two sources over the same minutes.
private struct FaultEvents {
    var first: [UInt8] = []
    var second: [UInt8] = []
    /// The second out of order within the lateness, with events that come again.
    var secondInDisorder: [UInt8] = []

    init(seed: UInt64) {
        var moved: [(place: Int, line: String)] = []
        var random = RandomSource(seed: seed &* 77)
        var orders: [Int] = []
        for number in 0..<170 {
            let time = 1_790_000_000_000 + number * 1000
            let fields: String
            switch random.number(0...9) {
            case 0...5:
                let result = random.chance(65) ? "fail" : "ok"
                fields =
                    "{\"type\":\"login\",\"user\":\"u\(random.number(0...7))\",\"ip\":\"10.0.0.\(random.number(0...2))\",\"result\":\"\(result)\""
            case 6, 7:
                orders.append(number)
                fields = "{\"type\":\"order\",\"order\":\"o\(number)\",\"user\":\"u1\""
            default:
                let order = orders.isEmpty ? 0 : random.pick(orders)
                fields = "{\"type\":\"payment\",\"order\":\"o\(order)\",\"amount\":1"
            }
            let line = fields + ",\"id\":\(number),\"time\":\(time)}\n"
            if random.chance(50) {
                first += line.utf8
                continue
            }
            second += line.utf8
            moved.append((number + random.number(0...25), line))
            if random.chance(30) { moved.append((number + random.number(0...50), line)) }
        }
        moved.sort { $0.place < $1.place }
        for (_, line) in moved { secondInDisorder += line.utf8 }
    }
}
