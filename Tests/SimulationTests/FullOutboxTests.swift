import Foundation
import MatchEngine
import RuleModel
import TestKit
import Testing

@testable import StreamRuntime

/// What an engine does while its sources wait for room in the outbox.
@Suite("A full outbox") struct FullOutboxTests {
    private static let events = 3_000

    @Test("checkpoints are made while the sources wait, so that a start after a kill is not long")
    func checkpointsWhileFull() throws {
        let disk = SimulatedDisk(seed: 1)
        let sink = deadSink()
        var waits = 0
        #expect(throws: (any Error).self) {
            try run(disk, sink) { store in
                waits = store.counters.outboxWaits
                // Two seconds of waiting; then the process is killed.
                if waits > 400 { disk.plan(.kill, after: 1) }
                return waits > 1_000
            }
        }
        #expect(disk.isDead, "it ended otherwise after \(waits) waits")
        disk.restart(losesUnsynced: false)
        sink.state.withLock { $0.failures = 0 }
        let summary = try run(disk, sink) { _ in false }
        let recovery = try #require(summary.recovery)
        #expect(recovery.replayedEvents == 0)
        #expect(recovery.lostRanges == 0)
        let records = sink.state.withLock { $0.receipts.map(\.record) }
        #expect(records.count == Self.events && Set(records).count == Self.events)
        #expect(summary.durable?.waiting == 0)
    }

    @Test("a stop is heard while the sources wait, and the next start has nothing to process again")
    func stopsWhileFull() throws {
        let (disk, sink) = try stoppedWhileFull(seed: 2)
        let summary = try run(disk, sink) { _ in false }
        #expect(summary.recovery?.replayedEvents == 0)
        #expect(sink.state.withLock { Set($0.receipts.map(\.record)).count } == Self.events)
    }

    @Test("what is delivered right after a clean end and a kill is marked when it comes again")
    func marksAfterStop() throws {
        let (disk, sink) = try stoppedWhileFull(seed: 4)
        // The sink has taken something, and nothing says so: the machine loses its power.
        #expect(throws: (any Error).self) {
            try run(disk, sink) { _ in
                if sink.state.withLock({ !$0.receipts.isEmpty }) { disk.plan(.kill, after: 1) }
                return false
            }
        }
        disk.restart(losesUnsynced: true)
        try run(disk, sink) { _ in false }
        var seen: Set<String> = []
        for receipt in sink.state.withLock(\.receipts)
        where !seen.insert(receipt.record).inserted {
            #expect(receipt.isRedelivery, "\(receipt.record) came twice and was not marked")
        }
        #expect(seen.count == Self.events)
    }

    /// What an engine leaves that was stopped while its sources waited, with a sink that works again.
    private func stoppedWhileFull(seed: UInt64) throws -> (SimulatedDisk, SimulatedSink) {
        let disk = SimulatedDisk(seed: seed)
        let sink = deadSink()
        try run(disk, sink) { $0.counters.outboxWaits > 3 }
        disk.restart(losesUnsynced: true)
        sink.state.withLock { $0.failures = 0 }
        return (disk, sink)
    }

    private func deadSink() -> SimulatedSink {
        SimulatedSink(
            isIdempotent: false, isConcurrent: false, inFlightMax: 8, failures: 100, seed: 3)
    }

    /// An alert for each event, and room for some of them.
    @discardableResult
    private func run(
        _ disk: SimulatedDisk, _ sink: SimulatedSink,
        until shouldStop: (DurableStore) -> Bool
    ) throws -> PipelineSummary {
        let rules = try CompiledRules(
            """
            event login { time: time, user: text }
            rule each {
              sequence by user { a: login }
              alert "{user}"
            }
            """)
        var options = DurableOptions()
        options.usesThreads = false
        options.checkpointEvery = 500_000_000
        options.outboxBytesMax = 40_000
        var route = SinkRoute(name: "sink", sink: sink)
        route.takesAll = true
        let store = try DurableStore(
            disk, routes: [route], keepsState: true, options: options, clock: disk.clock,
            tell: { _ in })
        let input = PipelineInput(
            name: "sender", source: SimulatedSender(sent, pieceBytes: 900),
            options: InputOptions())
        let pipeline = Pipeline(
            program: rules.program, inputs: [input], mode: .live, shardCount: 2,
            environment: rules.environment, lists: nil, store: store, clock: disk.clock)
        return try pipeline.run(shouldStop: { shouldStop(store) }, output: { _, _, _ in })
    }

    private var sent: [UInt8] {
        (0..<Self.events).flatMap { number in
            let time = 1_790_000_000_000 + number * 10
            return Array("{\"type\":\"login\",\"user\":\"u-\(number)\",\"time\":\(time)}\n".utf8)
        }
    }
}
