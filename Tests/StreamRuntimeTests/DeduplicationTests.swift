import Foundation
import MatchEngine
import RuleModel
import TestKit
import Testing

@testable import StreamRuntime

@Suite("Events that come again") struct DeduplicationTests {
    private static let setup = Deduplication(field: FieldPath(["id"]), span: .second * 10)

    /// Which of the events, each an id and a second, go through.
    private func passing(
        _ events: [(id: String, second: Int)], _ seen: inout SeenIDs
    ) -> [Int] {
        var report = InputReport()
        return passing(events, &seen, &report)
    }

    private func passing(
        _ events: [(id: String, second: Int)], _ seen: inout SeenIDs, _ report: inout InputReport
    ) -> [Int] {
        let (batch, cells) = decoded(
            events.map { "\"id\":\($0.id),\"time\":\(1_790_000_000 + $0.second)" })
        let repeats = seen.repeats(in: cells, of: batch, report: &report)
        return events.indices.filter { !repeats.contains($0) }
    }

    private func decoded(_ lines: [String]) -> (EventBatch, [Cell]) {
        var decoder = NDJSONDecoder(
            fields: [FieldPath(["id"])], eventTypes: [], options: InputOptions())
        var batch = EventBatch(source: 0, fieldCount: 1)
        var chunk = LineChunk(lines.map { "{\"type\":\"a\",\($0)}\n" }.joined().utf8)
        var arrival: UInt64 = 0
        var report = InputReport()
        decoder.decode(
            &chunk, into: &batch, rowMax: .max, arrival: &arrival, report: &report)
        #expect(report.badLines == 0)
        return (batch, batch.columns[0])
    }

    @Test("the first counts, and the span is counted from it")
    func span() {
        var seen = SeenIDs(Self.setup, lateness: .zero)
        let events = [
            ("1", 100), ("1", 100), ("2", 101), ("1", 110), ("1", 111), ("1", 121), ("1", 122),
        ]
        #expect(passing(events, &seen) == [0, 2, 4, 6])
    }

    @Test("ids are the same if they are the same value")
    func values() {
        var seen = SeenIDs(Self.setup, lateness: .zero)
        let ids = [
            "7", "7.0", "\"7\"", "true", "1", "\"a\\u0062\"", "\"ab\"", "{\"a\":1}", "{\"a\":1}",
            "7.5", "75e-1", "\"\"", "\"\"",
        ]
        #expect(passing(ids.map { ($0, 100) }, &seen) == [0, 2, 3, 4, 5, 7, 9, 11])
        var report = InputReport()
        #expect(passing([("null", 100), ("null", 100)], &seen, &report) == [0, 1])
        #expect(report.eventsWithoutID == 2 && report.forgottenIDs == 0)
    }

    @Test("late repeats are found too, with a snapshot anywhere, as by looking at all that came")
    func property() throws {
        var random = RandomSource(seed: 5)
        for _ in 0..<60 {
            let lateness = random.number(0...40)
            var seen = SeenIDs(Self.setup, lateness: .second * Int64(lateness))
            var passed: [(id: Int, second: Int)] = []
            var latest = 1_000
            for _ in 0..<random.number(1...300) {
                latest += random.number(0...3)
                let event = (id: random.number(0...9), second: latest - random.number(0...lateness))
                let isRepeat = passed.contains {
                    $0.id == event.id && abs($0.second - event.second) <= 10
                }
                #expect(passing([("\(event.id)", event.second)], &seen).isEmpty == isRepeat)
                if !isRepeat { passed.append(event) }
                if random.chance(5) {
                    var writer = StateWriter()
                    seen.write(to: &writer)
                    seen = SeenIDs(Self.setup, lateness: .second * Int64(lateness))
                    try seen.restore(writer.bytes)
                }
            }
        }
    }

    @Test("at the limit the oldest are forgotten, and counted")
    func limit() {
        var setup = Self.setup
        setup.idsMax = 10
        var seen = SeenIDs(setup, lateness: .zero)
        let events = (0..<20).map { (id: "\($0)", second: 100) }
        var report = InputReport()
        #expect(passing(events, &seen, &report).count == 20)
        #expect(report.forgottenIDs > 0)
        #expect(passing([("19", 100), ("0", 100)], &seen) == [1])
    }

    @Test("ids of another field are not taken over")
    func otherField() throws {
        var seen = SeenIDs(Self.setup, lateness: .zero)
        #expect(passing([("1", 100)], &seen) == [0])
        var writer = StateWriter()
        seen.write(to: &writer)
        var other = SeenIDs(
            Deduplication(field: FieldPath(["number"]), span: .second * 10), lateness: .zero)
        try other.restore(writer.bytes)
        #expect(passing([("1", 100)], &other) == [0])
        #expect(throws: SnapshotError.self) { try seen.restore(Array(writer.bytes.dropLast())) }
    }

    /// R16, here with the whole pipeline; `./check --faults R16` with the program.
    @Test("a stream in which each event comes twice makes the alerts of a stream without repeats")
    func pipeline() throws {
        let schema = "event login { user: text  ok: bool  id: text }\n"
        for reads in ["id != \"x\"", "not ok"] {
            let rules = try CompiledRules(
                schema + """
                    rule r {
                      sequence by user within 1m {
                        a: login where \(reads)
                        then b: login
                      }
                      alert "{user}"
                    }
                    """)
            let lines = (0..<3_000).map { number in
                "{\"type\":\"login\",\"time\":\(1_790_000_000 + number),\"user\":\"u\(number % 7)\",\"ok\":false,\"id\":\"i\(number)\"}\n"
            }
            let once = try alerts(of: lines.joined(), rules, nil)
            let twice = lines.indices.map { lines[$0] + ($0 > 4 ? lines[$0 - 5] : lines[0]) }
            let again = try alerts(of: twice.joined(), rules, Self.setup)
            #expect(once.alerts == again.alerts)
            #expect(once.alerts.count > 100)
            #expect(again.summary.input.events == 3_000)
            #expect(again.summary.input.repeatedEvents == 3_000)
            #expect(again.summary.input.summary.contains("3,000 events came again"))
        }
    }

    private func alerts(
        of text: String, _ rules: CompiledRules, _ deduplication: Deduplication?
    ) throws -> (alerts: [Alert], summary: PipelineSummary) {
        let path = NSTemporaryDirectory() + "martlet-dedup-\(getpid()).ndjson"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let options = InputOptions()
        var input = PipelineInput(
            name: "in", source: makeSource(.files([path]), options: options), options: options)
        input.deduplication = deduplication
        let pipeline = Pipeline(
            program: rules.program, inputs: [input], mode: .replay, shardCount: 1,
            environment: rules.environment, lists: nil)
        var alerts: [Alert] = []
        let summary = try pipeline.run(
            shouldStop: { false }, output: { made, _, _ in alerts += made })
        return (alerts, summary)
    }
}
