import Foundation
import MatchEngine
import RuleModel
import Synchronization
import TestKit
import Testing

@testable import StreamRuntime

/// P7: a reload at any position, with any number of shards, changes nothing for rules that keep their
/// shape. Here with the whole pipeline: scanner, engines, alert stage.
@Suite("Other rules while the pipeline runs") struct PipelineReloadTests {
    private static let schema = """
        event login { user: text  ok: bool  host: text  amount: number }
        event order { user: text  amount: number  country: text }

        """

    /// One of each kind that keeps state in its own way.
    private static let base = """
        rule pair {
          sequence by user within 40s {
            bad: login where not ok
            then good: login where ok and host != bad.host
          }
          alert "{user} on {good.host}"
        }
        rule many {
          threshold by user {
            over login where not ok
            window 30s sliding
            measure fails = count
            when fails >= 4
          }
          alert "{fails} of {user}"
          suppress by user for 1m
        }
        rule unpaid {
          sequence by user {
            bought: order where amount > 50
            then no paid: login where ok within 20s
          }
          alert "{user} paid no {bought.amount}"
          group by user for 2m
        }
        rule twice {
          threshold by user {
            over alert pair
            window 3m sliding
            when count >= 2
          }
          alert "{user} twice"
        }

        """

    /// Others, which read other fields and types, come and go.
    private static let others = [
        "",
        """
        rule abroad {
          sequence by user within 1m {
            here: order where country == "DE"
            then there: order where country != "DE"
          }
          alert "{user} in {there.country}"
        }

        """,
        """
        rule total {
          threshold by country {
            over order
            window 1m sliding
            measure sum = sum(amount)
            when sum > 1000
          }
          alert "{country}: {sum}"
        }
        rule dear {
          sequence by host within 1m {
            one: login where amount > 90
          }
          alert "{host}"
        }

        """,
    ]

    private static func line(_ second: Int, of input: Int, _ random: inout RandomSource) -> String {
        let user = "u\(random.number(0...5))"
        let amount = random.number(0...100)
        // Which of two inputs comes first at one instant is left to chance, so there is no such instant.
        let time = "\"time\":\((1_767_225_600 + second) * 1000 + input * 500)"
        if random.number(0...2) == 0 {
            let country = ["DE", "FR", "BR"][random.number(0...2)]
            return
                #"{"type":"order",\#(time),"user":"\#(user)","amount":\#(amount),"country":"\#(country)"}"#
        }
        let ok = random.number(0...2) == 0
        return
            #"{"type":"login",\#(time),"user":"\#(user)","ok":\#(ok),"host":"h\#(random.number(0...3))","amount":\#(amount)}"#
    }

    private struct World {
        var lines: [[String]] = []
        var lateness = TimeSpan.zero
        var isEarly = false
        var shards = 1
        var pieces = 1
    }

    /// The alerts of the rules that are always there, without their numbers.
    private static func run(
        _ world: World, _ programs: [CompiledRules], reloads: Set<Int>, _ random: inout RandomSource
    ) throws -> [Alert] {
        let requests = PipelineRequests()
        let inputs = world.lines.map { lines in
            PipelineInput(
                name: "lines", source: LineSource(lines, pieces: world.pieces),
                options: InputOptions(), lateness: world.lateness, isEarly: world.isEarly)
        }
        let pipeline = Pipeline(
            program: programs[0].program, inputs: inputs, mode: .live, shardCount: world.shards,
            environment: programs[0].environment, lists: nil, requests: requests)
        let setup = pipeline.setup
        let order = (0..<1000).map { _ in random.number(0...5) }
        let problems = Mutex<[String]>([])
        var turn = 0
        var sent: [Alert] = []
        _ = try pipeline.run(
            shouldStop: {
                turn += 1
                guard reloads.contains(turn) else { return false }
                let rules = programs[order[turn % 1000]]
                let prepared = PreparedRules(
                    program: rules.program, environment: rules.environment, lists: nil,
                    setup: setup)
                _ = requests.submit { pipeline in
                    do throws(SnapshotError) {
                        guard let result = try pipeline?.replace(with: prepared) else { return }
                        let kept = result.report.rules.count { $0.outcome == .kept }
                        if kept < 4 { problems.withLock { $0.append("\(result.report)") } }
                    } catch {
                        problems.withLock { $0.append("\(error)") }
                    }
                }
                return false
            },
            output: { alerts, _, _ in sent += alerts })
        #expect(problems.withLock(\.self) == [])
        let names = Set(programs[0].program.rules.map(\.name))
        return sent.filter { names.contains($0.rule) }.map { alert in
            var alert = alert
            // Numbers of rules move when others come and go.
            alert.ruleID = RuleID(0)
            alert.order = AlertOrder(
                instant: 0, arrival: 0, depth: 0, rule: 0, key: 0, serial: 0)
            return alert
        }
    }

    /// `CASES=n` tries n streams; `SEED=n` begins with another one.
    @Test("P7 reloads among other rules change nothing for those that stay")
    func reloads() throws {
        let environment = ProcessInfo.processInfo.environment
        let cases = environment["CASES"].flatMap(Int.init).map { $0 / 500 } ?? 10
        let firstSeed = environment["SEED"].flatMap(UInt64.init) ?? 1
        let programs =
            try Self.others.map { try CompiledRules(Self.schema + $0 + Self.base) }
            + Self.others.map { try CompiledRules(Self.schema + Self.base + $0) }
        var alerts = 0
        for seed in firstSeed..<firstSeed + UInt64(max(10, cases)) {
            var random = RandomSource(seed: seed)
            var world = World()
            world.shards = random.number(1...3)
            // Long chunks are decoded in several batches, and a reload comes between two of them.
            let count = random.chance(20) ? 1500 : 300
            world.pieces = count == 1500 ? 1500 : random.number(1...40)
            if random.number(0...1) == 1 {
                world.lateness = .second * 10
                world.isEarly = random.number(0...1) == 1
            }
            // What is told early depends on which input comes first.
            let inputs =
                world.lateness == .zero || world.isEarly ? 1 : random.number(1...2)
            for input in 0..<inputs {
                var second = 0
                world.lines.append(
                    (0..<count).map { _ in
                        second += random.number(0...2)
                        let back = world.lateness == .zero ? 0 : random.number(0...4)
                        return Self.line(max(0, second - back), of: input, &random)
                    })
            }
            let turns = count == 1500 ? 2 : 300 / world.pieces + 1
            let reloads = Set((0..<random.number(1...6)).map { _ in random.number(1...turns) })
            let undisturbed = try Self.run(world, programs, reloads: [], &random)
            let disturbed = try Self.run(world, programs, reloads: reloads, &random)
            let same =
                undisturbed.map(Self.text).sorted() == disturbed.map(Self.text).sorted()
            #expect(same, "seed \(seed): \(world.shards) shards, reloads at \(reloads.sorted())")
            if !same { break }
            alerts += undisturbed.count
        }
        #expect(alerts > 100)
    }

    private static func text(_ alert: Alert) -> String {
        var bytes: [UInt8] = []
        alert.appendJSON(emittedAt: nil, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("a request that the pipeline does not come to is taken back")
    func unanswered() {
        let requests = PipelineRequests()
        requests.close()
        #expect(requests.perform(waitingAtMost: 1) { _ in true } == nil)
        let waiting = PipelineRequests()
        // Nobody answers, so it is taken back.
        #expect(waiting.perform(waitingAtMost: 0.01) { _ in true } == nil)
    }
}

/// Lines that come a few at a time.
final class LineSource: ByteSource {
    private var lines: ArraySlice<String>
    private let pieces: Int

    init(_ lines: [String], pieces: Int) {
        self.lines = lines[...]
        self.pieces = pieces
    }

    func next(
        into chunk: inout LineChunk, waitingAtMost waitMilliseconds: Int, report: inout InputReport
    ) -> SourceStep {
        chunk.clear()
        guard !lines.isEmpty else { return .end }
        let text = lines.prefix(pieces).map { $0 + "\n" }.joined()
        lines = lines.dropFirst(pieces)
        chunk = LineChunk(text.utf8)
        return .lines
    }
}
