import MatchEngine
import RuleModel
import Synchronization
import TestKit
import Testing

@testable import StreamRuntime

/// A replay with a pace, on a clock that only sleep moves.
@Suite("A replay waits for the time of its events") struct ReplayPaceTests {
    /// Nanoseconds, from anything but zero.
    private final class VirtualClock: Sendable {
        static let begin: Int64 = 7_000_000_000
        let time = Mutex<Int64>(begin)

        func pass(_ nanoseconds: Int64) { time.withLock { $0 += nanoseconds } }

        var clock: RuntimeClock {
            RuntimeClock(
                now: { [self] in time.withLock(\.self) }, wall: { Timestamp(nanoseconds: 0) },
                sleep: { [self] in pass($0) })
        }

        /// Milliseconds since the begin.
        var passed: Int64 { (time.withLock(\.self) - Self.begin) / 1_000_000 }
    }

    private struct Told: Equatable {
        /// Milliseconds on the clock.
        var at: Int64
        /// Milliseconds of event time.
        var matched: Int64
    }

    private static let begin: Int64 = 1_767_225_600_000

    /// Each event is an alert.
    private static let rules = """
        event tick { user: text }
        rule each {
          sequence by user within 1m { a: tick }
          alert "{user}"
        }

        """

    private static func lines(_ times: [Int64]) -> [String] {
        times.map { #"{"type":"tick","time":\#(begin + $0),"user":"u"}"# }
    }

    /// - Parameter stall: Milliseconds that the output takes for each call with alerts.
    private func replay(
        _ inputs: [[Int64]], _ pace: ReplayPace?, lateness: TimeSpan = .zero, shards: Int = 1,
        stall: Int64 = 0
    ) throws -> (told: [Told], summary: PipelineSummary) {
        let rules = try CompiledRules(Self.rules)
        let clock = VirtualClock()
        let pipeline = Pipeline(
            program: rules.program,
            inputs: inputs.map { times in
                PipelineInput(
                    name: "lines", source: LineSource(Self.lines(times), pieces: 1000),
                    options: InputOptions(), lateness: lateness, isEarly: false)
            }, mode: .replay, shardCount: shards, environment: rules.environment, lists: nil,
            pace: pace, clock: clock.clock)
        var told: [Told] = []
        let summary = try pipeline.run(shouldStop: { false }) { alerts, _, _ in
            for alert in alerts {
                let matched = alert.matchedAt.nanoseconds / 1_000_000 - Self.begin
                told.append(Told(at: clock.passed, matched: matched))
            }
            if !alerts.isEmpty { clock.pass(stall * 1_000_000) }
        }
        return (told, summary)
    }

    @Test("an alert comes when its event is due", arguments: [0.5, 1, 3, 10, 1000])
    func due(speed: Double) throws {
        let (told, summary) = try replay(
            [[500, 600, 1500, 90_500], [700, 1499, 3_600_000]], ReplayPace(speed: speed))
        let times: [Int64] = [500, 600, 700, 1499, 1500, 90_500, 3_600_000]
        #expect(told.map(\.matched) == times)
        #expect(told.map(\.at) == times.map { Int64((Double($0 - 500) / speed).rounded(.down)) })
        #expect(summary.lag < .second)
    }

    @Test("an event behind a later one is due with it, and lateness is waited for as always")
    func disorder() throws {
        let times: [Int64] = [0, 5000, 2000, 6000, 4000, 20_000]
        let inOrder = try replay([times], ReplayPace(speed: 1))
        // Without lateness what comes late happens when it comes.
        #expect(inOrder.told.map(\.at) == [0, 5000, 5000, 6000, 6000, 20_000])
        #expect(inOrder.told.map(\.matched) == [0, 5000, 5000, 6000, 6000, 20_000])
        let late = try replay([times], ReplayPace(speed: 1), lateness: .second * 3)
        #expect(
            late.told == [
                Told(at: 5000, matched: 0), Told(at: 6000, matched: 2000),
                Told(at: 20_000, matched: 4000), Told(at: 20_000, matched: 5000),
                Told(at: 20_000, matched: 6000), Told(at: 20_000, matched: 20_000),
            ])
    }

    @Test("what lies outside of the span is not waited for")
    func span() throws {
        let pace = ReplayPace(
            speed: 2, from: Timestamp(nanoseconds: (Self.begin + 10_000) * 1_000_000),
            until: Timestamp(nanoseconds: (Self.begin + 20_000) * 1_000_000))
        let (told, _) = try replay([[0, 9999, 12_000, 20_000, 20_001, 90_000]], pace)
        #expect(told.map(\.at) == [0, 0, 0, 4000, 4000, 4000])
    }

    @Test("whoever cannot keep up is told by how much, and catches up where there is time")
    func lag() throws {
        let (told, summary) = try replay(
            [[0, 1000, 2000, 60_000]], ReplayPace(speed: 1), stall: 30_000)
        #expect(told.map(\.at) == [0, 30_000, 30_000, 60_000])
        #expect(summary.lag == .second * 29)
    }

    @Test("a pace changes no alert")
    func same() throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            var random = RandomSource(seed: seed)
            let inputs = (0..<random.number(1...3)).map { input in
                var time: Int64 = 0
                return (0..<200).map { _ in
                    time += Int64(random.number(0...2000))
                    // Which of two inputs comes first at one instant is left to chance.
                    return max(0, time - Int64(random.number(0...3000))) / 10 * 10 + Int64(input)
                }
            }
            let lateness = TimeSpan.second * Int64(random.number(0...4))
            let shards = random.number(1...3)
            let plain = try replay(inputs, nil, lateness: lateness, shards: shards)
            let paced = try replay(
                inputs, ReplayPace(speed: 7), lateness: lateness, shards: shards)
            #expect(plain.told.map(\.matched) == paced.told.map(\.matched), "seed \(seed)")
            #expect(plain.told.count > 50)
            #expect(plain.summary.input == paced.summary.input)
        }
    }
}
