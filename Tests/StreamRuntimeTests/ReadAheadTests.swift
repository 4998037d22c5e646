import Foundation
import MatchEngine
import RuleModel
import TestKit
import Testing

@testable import StreamRuntime

/// A replay of several files on several threads decodes ahead, and says the same.
@Suite("Files are read ahead") struct ReadAheadTests {
    private static let rules = """
        event login { user: text  ok: bool }
        rule pair {
          sequence by user within 1m {
            bad: login where not ok
            then good: login where ok
          }
          alert "{user}"
        }
        rule many {
          threshold by user {
            over login where not ok
            window 30s sliding
            measure fails = count
            when fails >= 3
          }
          alert "{fails} of {user}"
        }

        """

    /// All that a run told, in order.
    private struct Told: Equatable {
        var alerts: [String] = []
        var faults: [InputFault] = []
        var input = InputReport()
        var late = 0
    }

    private static func replay(
        _ files: [String], shards: Int, requests: PipelineRequests?, stopsAfter turns: Int = .max
    ) throws -> Told {
        let rules = try CompiledRules(Self.rules)
        let inputs = files.map { path in
            PipelineInput(
                name: path, source: makeSource(.files([path]), options: InputOptions()),
                options: InputOptions(), lateness: .second, isEarly: false)
        }
        let pipeline = Pipeline(
            program: rules.program, inputs: inputs, mode: .replay, shardCount: shards,
            environment: rules.environment, lists: nil, requests: requests)
        // Somebody who could ask for other rules keeps the pipeline from reading ahead.
        #expect(pipeline.feeds.allSatisfy { $0.isReadAhead == (shards > 1 && requests == nil) })
        var told = Told()
        var turn = 0
        let summary = try pipeline.run(
            shouldStop: {
                turn += 1
                return turn > turns
            },
            output: { alerts, faults, _ in
                for alert in alerts {
                    var bytes: [UInt8] = []
                    alert.appendJSON(emittedAt: nil, to: &bytes)
                    told.alerts.append(String(decoding: bytes, as: UTF8.self))
                }
                told.faults += faults
            })
        told.input = summary.input
        told.late = summary.engine.sources.reduce(0) { $0 + $1.late }
        return told
    }

    /// Lines of one file: good ones, bad ones, blank ones, keys that stand twice.
    private static func lines(_ count: Int, _ random: inout RandomSource) -> String {
        var text = random.chance(30) ? "\u{FEFF}" : ""
        var time: Int64 = 1_767_225_600_000
        for _ in 0..<count {
            // Many events at a time, then a while in which only other files have some.
            time += Int64(random.number(0...(random.chance(2) ? 20_000 : 100)))
            // Coarse, so that events of several files are of one instant: the arrival decides.
            let at = (time - Int64(random.number(0...1500))) / 250 * 250
            switch random.number(0...60) {
            case 0: text += "\n"
            case 1: text += #"{"type":"login","user":"u1"}"# + "\n"
            case 2: text += #"{"type":"login","time":\#(at),"user":"u1","user":"u2"}"# + "\n"
            case 3: text += "{\n"
            default:
                text +=
                    #"{"type":"login","time":\#(at),"user":"u\#(random.number(0...9))","ok":\#(random.chance(3))}"#
                    + "\n"
            }
        }
        return text
    }

    /// `SEED=n` begins with another stream.
    @Test("what is read ahead gives the same alerts, the same faults and the same numbers")
    func same() throws {
        let environment = ProcessInfo.processInfo.environment
        let first = environment["SEED"].flatMap(UInt64.init) ?? 1
        let folder = try TemporaryFolder()
        var alerts = 0
        for seed in first..<first + 4 {
            var random = RandomSource(seed: seed)
            var files: [String] = []
            for number in 0..<random.number(2...4) {
                // Some are shorter than a batch, some are several.
                let lines = Self.lines(
                    random.number(0...(random.chance(50) ? 6000 : 1500)), &random)
                files.append(try folder.write("\(seed)-\(number).ndjson", lines.utf8))
            }
            if random.chance(50) { files.append(folder.path + "/nowhere.ndjson") }
            let one = try Self.replay(files, shards: 1, requests: nil)
            let ahead = try Self.replay(files, shards: random.number(2...3), requests: nil)
            #expect(one == ahead, "seed \(seed)")
            alerts += one.alerts.count
            // One that stops in between has counted what it took, and no more.
            let turns = random.number(1...40)
            let whole = try Self.replay(
                files, shards: 2, requests: PipelineRequests(), stopsAfter: turns)
            let stopped = try Self.replay(files, shards: 2, requests: nil, stopsAfter: turns)
            #expect(whole == stopped, "seed \(seed), stopped after \(turns) turns")
        }
        #expect(alerts > 500)
    }
}
