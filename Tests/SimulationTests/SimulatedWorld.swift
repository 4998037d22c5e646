import Foundation
import MatchEngine
import RuleModel
import Synchronization
import TestKit

@testable import StreamRuntime

/// What is outside of the engine and outlasts it: the sinks' other ends.
final class SimulatedSink: Sink {
    struct Receipt: Sendable {
        var record: String
        var key: String
        var isRedelivery: Bool
    }

    struct State: Sendable {
        var receipts: [Receipt] = []
        var held: Set<String> = []
        var random: RandomSource
        /// Out of a hundred deliveries so many fail.
        var failures: Int
    }

    let state: Mutex<State>
    let isIdempotent: Bool
    let isConcurrent: Bool
    let inFlightMax: Int

    init(isIdempotent: Bool, isConcurrent: Bool, inFlightMax: Int, failures: Int, seed: UInt64) {
        self.isIdempotent = isIdempotent
        self.isConcurrent = isConcurrent
        self.inFlightMax = inFlightMax
        state = Mutex(State(random: RandomSource(seed: seed), failures: failures))
    }

    var promise: SinkPromise {
        isIdempotent ? .effectivelyOnce("it is asked") : .atLeastOnce("marked")
    }

    func open(mark: Int) {}

    func holds(_ entry: OutboxEntry) -> Bool {
        isIdempotent && state.withLock { $0.held.contains(entry.alert.recordID) }
    }

    func probe() -> ProbeResult { .reached("simulated") }

    func deliver(_ entries: [OutboxEntry]) -> [DeliveryResult] {
        state.withLock { state in
            var hasFailed = false
            return entries.map { entry in
                if state.random.chance(state.failures) || (hasFailed && !isConcurrent) {
                    hasFailed = true
                    return .failed("no", retryAfterSeconds: state.random.chance(20) ? 3 : nil)
                }
                let key = entry.alert.key.map { "\($0.name)=\($0.value.plainText)" }
                state.held.insert(entry.alert.recordID)
                state.receipts.append(
                    Receipt(
                        record: entry.alert.recordID,
                        key: ([entry.alert.rule] + key).joined(separator: " "),
                        isRedelivery: entry.isRedelivery))
                return .done
            }
        }
    }
}

/// A sender that sends again what was not durable: it goes on where the engine says it stands.
final class SimulatedSender: ByteSource {
    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1
    private let pieceBytes: Int

    init(_ bytes: [UInt8], pieceBytes: Int) {
        self.bytes = bytes
        self.pieceBytes = pieceBytes
    }

    func next(
        into chunk: inout LineChunk, waitingAtMost waitMilliseconds: Int, report: inout InputReport
    ) -> SourceStep {
        guard offset < bytes.count else {
            chunk.clear()
            return .end
        }
        var end = min(bytes.count, offset + pieceBytes)
        while bytes[end - 1] != 0x0A { end += 1 }
        chunk = LineChunk(bytes[offset..<end], name: "sender", line: line, fileOffset: offset)
        line += bytes[offset..<end].count { $0 == 0x0A }
        offset = end
        return .lines
    }

    func resume(at positions: [FilePosition]) {
        guard let position = positions.last(where: { $0.path == "sender" }) else { return }
        offset = position.offset
        line = position.line
    }
}

/// A run over and over through faults until the input is at its end.
struct Simulation {
    static let sinkNames = ["idempotent", "ordered", "concurrent"]

    let rules: CompiledRules
    /// The same rules with others that read other fields and make no alert, for reloads in between.
    let others: CompiledRules
    /// The events of two sources: one is a file, the other a sender, which may repeat itself.
    let file: String
    let sent: [UInt8]
    let seed: UInt64
    /// Whether to print what happens, for the search for a cause.
    private let isLoud = ProcessInfo.processInfo.environment["LOUD"] != nil
    var random: RandomSource

    struct Result {
        var faults = 0
        var receipts: [[SimulatedSink.Receipt]] = []
        var deadLetters: Set<String> = []
        var restarts = 0
        var steps = 0
        var reloads = 0
        var repeats = 0
    }

    init(
        rules: CompiledRules, others: CompiledRules, file: String, sent: [UInt8], seed: UInt64
    ) {
        self.rules = rules
        self.others = others
        self.file = file
        self.sent = sent
        self.seed = seed
        random = RandomSource(seed: seed)
    }

    /// - Parameter faultsMax: After so many faults the engine is left in peace.
    mutating func run(faultsMax: Int) throws -> Result {
        let disk = SimulatedDisk(seed: random.next())
        let failures = faultsMax > 0 ? [0, 10, 40][random.number(0...2)] : 0
        let sinks = [
            SimulatedSink(
                isIdempotent: true, isConcurrent: false, inFlightMax: 64, failures: failures,
                seed: random.next()),
            SimulatedSink(
                isIdempotent: false, isConcurrent: false, inFlightMax: 8, failures: failures,
                seed: random.next()),
            SimulatedSink(
                isIdempotent: false, isConcurrent: true, inFlightMax: 8, failures: failures,
                seed: random.next()),
        ]
        var result = Result()
        while true {
            let isLast = result.faults >= faultsMax
            if isLast {
                for sink in sinks { sink.state.withLock { $0.failures = 0 } }
            } else {
                let fault = random.pick(SimulatedDisk.Fault.allCases)
                disk.plan(fault, after: random.number(1...random.pick([20, 80, 300])))
                result.faults += 1
                if isLoud { print("fault \(result.faults): \(fault)") }
            }
            let stopsAfter = isLast || random.chance(80) ? Int.max : random.number(1...60)
            do {
                let (summary, isStopped) = try attempt(
                    disk, sinks, stopsAfter: stopsAfter, reloads: faultsMax > 0, &result)
                result.repeats += summary.input.repeatedEvents
                let isWhole = summary.durable?.waiting == 0 && !isStopped
                if isLoud { print("  ended, \(summary.durable?.waiting ?? -1) wait") }
                if isWhole, isLast || random.chance(60) { break }
            } catch let failure as DurableFailure {
                if isLoud { print("  failed: \(failure)") }
                guard !isLast else { throw failure }
            } catch let error as DiskError {
                guard !isLast else { throw error }
            }
            if isLoud {
                print("  receipts \(sinks.map { $0.state.withLock(\.receipts.count) })")
                print("  files \(disk.state.withLock { $0.names.keys.sorted() })")
            }
            result.restarts += 1
            guard result.restarts < faultsMax + 20 else { throw Endless() }
            disk.restart(losesUnsynced: random.chance(60))
            if random.chance(20) { damageCheckpoint(disk) }
        }
        disk.restart(losesUnsynced: false)
        result.receipts = sinks.map { $0.state.withLock(\.receipts) }
        result.deadLetters = Set(try DeadLetter.all(in: disk).map(\.entry.alert.recordID))
        result.steps = disk.steps
        return result
    }

    struct Endless: Error {}
    struct Refused: Error {}

    /// The newest checkpoint is damaged, when there is one to fall back to.
    private mutating func damageCheckpoint(_ disk: SimulatedDisk) {
        guard let names = try? disk.names() else { return }
        let checkpoints = Recovery.checkpoints(names)
        guard let newest = checkpoints.last else { return }
        let before = checkpoints.dropLast().last ?? 0
        if Recovery.journals(names).contains(before) {
            disk.damage(Recovery.checkpointName(newest))
        }
    }

    private mutating func attempt(
        _ disk: SimulatedDisk, _ sinks: [SimulatedSink], stopsAfter: Int, reloads: Bool,
        _ result: inout Result
    ) throws -> (summary: PipelineSummary, isStopped: Bool) {
        var options = DurableOptions()
        options.usesThreads = false
        options.checkpointEvery = Int64(random.pick([5, 30, 100, 400])) * 1_000_000
        options.historyBytes = 0
        options.outboxBytesMax = random.chance(20) ? 4_000 : 1 << 20
        options.seed = random.next()
        let routes = zip(Simulation.sinkNames, sinks).map { name, sink in
            var route = SinkRoute(name: name, sink: sink)
            route.takesAll = true
            if random.chance(20) {
                route.rate = SinkRate(
                    count: random.number(1...20),
                    nanoseconds: Int64(random.number(1...50)) * 1_000_000)
            }
            return route
        }
        let store = try DurableStore(
            disk, routes: routes, keepsState: true, options: options, clock: disk.clock,
            tell: { [isLoud] in if isLoud { print("  tells: \($0)") } })
        var input = InputOptions()
        input.chunkBytes = random.number(300...1500)
        let inputs = [
            PipelineInput(
                name: "file", source: makeSource(.files([file]), options: input), options: input,
                lateness: TimeSpan(nanoseconds: 60_000_000_000), isEarly: false),
            PipelineInput(
                name: "sender",
                source: SimulatedSender(sent, pieceBytes: random.number(100...1200)),
                options: input, lateness: TimeSpan(nanoseconds: 60_000_000_000), isEarly: false,
                deduplication: Deduplication(field: FieldPath(["id"]), span: .minute * 10)),
        ]
        let requests = PipelineRequests()
        let pipeline = Pipeline(
            program: rules.program, inputs: inputs, mode: .live,
            shardCount: random.number(1...3), environment: rules.environment, lists: nil,
            requests: requests, store: store, clock: disk.clock)
        var turns = 0
        let reloadTurns =
            reloads ? (0..<random.number(0...2)).map { _ in random.number(1...40) } : []
        let refused = Mutex(0)
        let summary = try pipeline.run(
            shouldStop: {
                turns += 1
                if reloadTurns.contains(turns) {
                    let next = random.chance(50) ? rules : others
                    result.reloads += 1
                    _ = requests.submit { pipeline in
                        guard let pipeline else { return }
                        let prepared = PreparedRules(
                            program: next.program, environment: next.environment, lists: nil,
                            setup: pipeline.setup)
                        do { _ = try pipeline.replace(with: prepared) } catch {
                            refused.withLock { $0 += 1 }
                        }
                    }
                }
                return turns > stopsAfter
            }, output: { _, _, _ in })
        if refused.withLock({ $0 }) > 0 { throw Refused() }
        return (summary, turns > stopsAfter)
    }
}
