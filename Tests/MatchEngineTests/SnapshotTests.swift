import Foundation
import RuleModel
import TestKit
import Testing

@testable import MatchEngine

@Suite("Snapshots") struct SnapshotTests {
    /// A case half way, with events that wait.
    private struct Half {
        var rules: CompiledRules
        var options = EngineOptions()
        var snapshot: [UInt8]
        var rest: [TestEvent]
        var end: Timestamp

        init?(seed: UInt64) {
            var generator = Generator(seed: seed)
            let kinds: [Generator.Kind] = [
                .threshold, .anomaly, .sequence, .metric, .correlation,
            ]
            let sample = generator.makeCase(kinds[Int(seed) % kinds.count])
            guard let rules = try? CompiledRules(sample.rule.textAmongOthers) else { return nil }
            self.rules = rules
            options.lateness = [.second * 2]
            var engine = rules.engine(options)
            var output: [Alert] = []
            let half = sample.events.count / 2
            rules.process(
                Array(sample.events[..<half]), by: &engine, emitting: &output)
            snapshot = engine.snapshot()
            rest = Array(sample.events[half...])
            end = TestEvent.epoch + sample.end + .hour
        }

        /// Goes on from bytes that may be anything; says whether they were taken.
        func goesOn(from bytes: [UInt8]) -> Bool {
            var output: [Alert] = []
            var report = RestoreReport()
            do {
                var engine = try rules.engine(
                    restoring: [bytes], options, report: &report, emitting: &output)
                rules.process(rest, by: &engine, firstArrival: 1000, emitting: &output)
                engine.advance(to: end, emitting: &output)
                engine.closeSource(0, emitting: &output)
                _ = engine.snapshot()
                return true
            } catch {
                return false
            }
        }
    }

    /// `CASES=n` tries n snapshots, each with many faults; `SEED=n` begins with another one.
    @Test("Damaged bytes are an error or a working engine, never a trap")
    func damaged() throws {
        let environment = ProcessInfo.processInfo.environment
        let first = environment["SEED"].flatMap { UInt64($0) } ?? 1
        let count = environment["CASES"].flatMap { UInt64($0) } ?? 20
        var refused = 0
        var taken = 0
        for seed in first..<first + count {
            guard let half = Half(seed: seed) else { continue }
            #expect(half.goesOn(from: half.snapshot), "SEED=\(seed)")
            var random = RandomSource(seed: seed)
            for _ in 0..<60 {
                let bytes = damage(half.snapshot, &random)
                if half.goesOn(from: bytes) { taken += 1 } else { refused += 1 }
            }
        }
        print("damaged snapshots: \(refused) refused, \(taken) taken")
        #expect(refused > 0 && taken > 0, "some faults can be seen, and some cannot")
    }

    private func damage(_ snapshot: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        var bytes = snapshot
        for _ in 0..<random.number(1...3) where !bytes.isEmpty {
            let place = random.number(0...bytes.count - 1)
            switch random.number(0...5) {
            case 0: bytes[place] ^= 1 << UInt8(random.number(0...7))
            case 1: bytes[place] = random.pick([0, 1, 2, 0x7F, 0x80, 0xFF])
            case 2: bytes.removeLast(bytes.count - place)
            case 3: bytes.insert(UInt8(random.number(0...255)), at: place)
            case 4: bytes.remove(at: place)
            default:
                let end = min(bytes.count, place + random.number(1...20))
                bytes.replaceSubrange(place..<end, with: bytes[place..<end].reversed())
            }
        }
        return bytes
    }

    @Test("Every early end is an error")
    func shortened() throws {
        let half = try #require(Half(seed: 2))
        for length in 0..<half.snapshot.count {
            #expect(!half.goesOn(from: Array(half.snapshot[..<length])), "of \(length) bytes")
        }
        #expect(!half.goesOn(from: half.snapshot + [0]))
    }

    @Test("Bytes of something else, and of a later version, are told apart")
    func versions() throws {
        let half = try #require(Half(seed: 2))
        func fault(_ bytes: [UInt8]) -> SnapshotError? {
            var output: [Alert] = []
            var report = RestoreReport()
            do throws(SnapshotError) {
                _ = try half.rules.engine(
                    restoring: [bytes], half.options, report: &report, emitting: &output)
                return nil
            } catch {
                return error
            }
        }
        #expect(fault(Array("PK\u{3}\u{4} and more".utf8)) == .foreign)
        var later = half.snapshot
        // The version of the first section stands behind the mark, doubled for its sign.
        let known = SnapshotForm.engineVersion
        later[SnapshotForm.mark.count] = UInt8(2 * (known + 1))
        #expect(fault(later) == .newer(part: "the engine", version: known + 1, known: known))
    }

    @Test("Shards that pass over one another's keys lose none, whatever the number of shards")
    func shards() throws {
        let rules = try CompiledRules(
            """
            event login { user: text }
            event logout { user: text }
            rule pair {
              sequence by user within 1d {
                a: login
                then b: logout
              }
              alert "{user}"
            }
            """)
        let users = 1_000
        let events = ["login", "logout"].enumerated().flatMap { step, type in
            (0..<users).map { user in
                TestEvent(
                    type, at: TimeSpan(nanoseconds: 1_000_000) * Int64(step * users + user),
                    ["user": .text("u\(user)")]
                )
            }
        }
        for shards in [[1], [2], [3, 3, 2], [1, 4]] {
            var run = RestartRun(programs: [(rules.program, [])])
            run.shards = shards
            run.pieces = [500]
            let alerts = try run.records(events: events, end: nil).alerts
            #expect(Set(alerts.map(\.message)).count == users, "\(shards)")
            #expect(alerts.count == users)
        }
    }

    // MARK: - Of other versions

    private static func event(_ index: Int) -> TestEvent {
        let fields: [String: Value] = [
            "user": .text(index % 2 == 0 ? "ann" : "bob"), "ok": .bool(index % 5 == 0),
            "amount": .float(Double(index) * 1.5), "from": .text("192.0.2.\(index % 4)"),
            "wait": .int(Int64(index)),
        ]
        return TestEvent(
            index % 3 == 0 ? "order" : "login", at: .second * Int64(index), fields)
    }

    private static let folder = DiagnosticGolden.testsFolder + "/Golden/snapshots"

    /// `Golden/snapshots/1.state` was written by the first version that wrote any, and stays. With
    /// `UPDATE_GOLDEN=1` the file of the version of now is written, if there is none.
    @Test("Snapshots of every version are read and gone on with")
    func golden() throws {
        let text = String(
            decoding: try #require(
                FileManager.default.contents(atPath: Self.folder + "/rules.rules")),
            as: UTF8.self)
        let rules = try CompiledRules(text)
        var options = EngineOptions()
        options.lateness = [.second * 2]
        let events = (0..<40).map(Self.event)
        var undisturbed = rules.engine(options)
        var before: [Alert] = []
        rules.process(Array(events[..<20]), by: &undisturbed, emitting: &before)
        let path = "\(Self.folder)/\(SnapshotForm.engineVersion).state"
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1",
            !FileManager.default.fileExists(atPath: path)
        {
            try Data(undisturbed.snapshot()).write(to: URL(fileURLWithPath: path))
        }
        func finish(_ engine: inout Engine) -> [Alert] {
            var output: [Alert] = []
            rules.process(
                Array(events[20...]), by: &engine, firstArrival: 21, emitting: &output)
            engine.advance(to: TestEvent.epoch + .hour, emitting: &output)
            return output
        }
        let expected = finish(&undisturbed)
        #expect(Set(expected.map(\.rule)).count == rules.program.rules.count)
        for version in 1...SnapshotForm.engineVersion {
            let bytes = try #require(
                FileManager.default.contents(atPath: "\(Self.folder)/\(version).state"))
            var output: [Alert] = []
            var report = RestoreReport()
            var engine = try rules.engine(
                restoring: [Array(bytes)], options, report: &report, emitting: &output)
            #expect(report.rules.allSatisfy { $0.outcome == .kept && $0.keys > 0 })
            #expect(output + finish(&engine) == expected)
        }
    }
}
