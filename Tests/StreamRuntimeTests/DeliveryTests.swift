import RuleModel
import Synchronization
import Testing

@testable import StreamRuntime

/// A sink that notes when it got what, on a clock that the test turns.
private final class NotingSink: Sink {
    struct Note: Equatable {
        var second: Double
        var id: String
        var grouped: Int
    }

    let clock: TurnedClock
    private let noted = Mutex<[Note]>([])
    var notes: [Note] { noted.withLock { $0 } }
    /// What becomes of each attempt; what is not said is done.
    let results = Mutex<[DeliveryResult]>([])

    init(_ clock: TurnedClock) { self.clock = clock }

    var promise: SinkPromise { .atLeastOnce("marked") }
    var inFlightMax: Int { 32 }
    var isConcurrent: Bool { true }
    func open(mark: Int) {}
    func probe() -> ProbeResult { .reached("a test") }

    func deliver(_ entries: [OutboxEntry]) -> [DeliveryResult] {
        entries.map { entry in
            let note = Note(
                second: clock.seconds, id: entry.alert.id, grouped: entry.alert.grouped)
            noted.withLock { $0.append(note) }
            return results.withLock { $0.isEmpty ? .done : $0.removeFirst() }
        }
    }
}

private final class TurnedClock: Sendable {
    private let nanoseconds = Mutex<Int64>(0)

    var seconds: Double { Double(nanoseconds.withLock { $0 }) / 1e9 }
    func turn(_ by: Double) { nanoseconds.withLock { $0 += Int64(by * 1e9) } }

    var clock: RuntimeClock {
        RuntimeClock(
            now: { [self] in nanoseconds.withLock { $0 } },
            wall: { [self] in Timestamp(nanoseconds: nanoseconds.withLock { $0 }) },
            sleep: { [self] span in nanoseconds.withLock { $0 += span } })
    }
}

@Suite("What a sink is given, and when") struct DeliveryTests {
    private let clock = TurnedClock()

    private func store(
        _ sink: any Sink, on disk: MemoryDisk = MemoryDisk(), keepsState: Bool = true,
        rate: SinkRate? = nil, grouping: SinkGrouping? = nil
    ) throws -> DurableStore {
        var route = SinkRoute(name: "s", sink: sink)
        route.takesAll = true
        route.rate = rate
        route.grouping = grouping
        var options = DurableOptions()
        options.usesThreads = false
        let store = try DurableStore(
            disk, routes: [route], keepsState: keepsState, options: options, clock: clock.clock,
            tell: { _ in })
        try store.beginLive()
        return store
    }

    /// Lets so many seconds pass, a hundredth at a time.
    private func pass(_ seconds: Double, _ store: DurableStore) throws {
        for _ in 0..<Int((seconds * 100).rounded()) {
            try store.tick()
            clock.turn(0.01)
        }
    }

    @Test("within any span no more attempts than its rate says, and nothing is lost")
    func rate() throws {
        let sink = NotingSink(clock)
        // The second and the fifth attempt fail, and are attempts all the same.
        sink.results.withLock {
            $0 =
                [.done, .failed("no", retryAfterSeconds: nil), .done, .done]
                + [.failed("no", retryAfterSeconds: 1)]
        }
        let store = try store(sink, rate: SinkRate(count: 3, nanoseconds: 1_000_000_000))
        try store.append((0..<10).map { alert("u-\($0)") })
        try pass(0.5, store)
        #expect(sink.notes.count == 3)
        #expect(store.counters.sinks[0].isAtRate)
        try pass(9.5, store)
        let notes = sink.notes
        #expect(notes.count == 12)
        #expect(Set(notes.map(\.id)) == Set((0..<10).map { "u-\($0)" }))
        for note in notes {
            let near = notes.filter { $0.second >= note.second && $0.second < note.second + 1 }
            #expect(near.count <= 3, "\(near)")
        }
        #expect(store.counters.sinks[0].delivered == 10 && !store.counters.sinks[0].isAtRate)
        #expect(store.waiting == 0)
    }

    @Test("an alert that is on its way holds back no other, and is asked after until it is done")
    func pending() throws {
        let sink = NotingSink(clock)
        sink.results.withLock { $0 = [.pending, .done, .pending, .pending, .done] }
        // To ask after it is no attempt more.
        let store = try store(sink, rate: SinkRate(count: 2, nanoseconds: 1_000_000_000_000))
        try store.append([alert("a"), alert("b")])
        try pass(1, store)
        #expect(sink.notes.map(\.id) == ["a", "b", "a", "a", "a"])
        #expect(store.waiting == 0 && store.counters.sinks[0].delivered == 2)
    }

    @Test("alerts that begin within its span go as one, which says how many there were")
    func groups() throws {
        let sink = NotingSink(clock)
        let store = try store(
            sink, grouping: SinkGrouping(parts: ["rule"], nanoseconds: 10_000_000_000))
        try store.append([alert("a"), alert("b"), alert("x", rule: "other")])
        try pass(5, store)
        try store.append([alert("c")])
        try pass(1, store)
        #expect(sink.notes.isEmpty)
        // What has begun is told before its end is.
        try store.append([alert("b", state: .resolved)])
        try pass(1, store)
        #expect(sink.notes.map(\.id) == ["a", "b"])
        #expect(sink.notes[0].grouped == 2)
        try store.append([alert("d")])
        try pass(14, store)
        #expect(
            sink.notes.map { "\($0.id) \($0.grouped) \(Int($0.second + 0.5))" }
                == ["a 2 6", "b 0 6", "x 0 10", "d 0 17"])
        #expect(store.waiting == 0)
        #expect(store.counters.sinks[0].delivered == 4 && store.counters.sinks[0].grouped == 2)
    }

    @Test("a group that is cut by a crash, or by the end, loses none of its alerts")
    func cutGroups() throws {
        let grouping = SinkGrouping(parts: ["user"], nanoseconds: 60_000_000_000)
        let disk = MemoryDisk()
        let first = try store(NotingSink(clock), on: disk, grouping: grouping)
        try first.append([alert("a"), alert("b", user: "a"), alert("c")])
        try pass(1, first)
        // The crash: another engine goes on with what the disk holds.
        let sink = NotingSink(clock)
        let next = try store(sink, on: disk, grouping: grouping)
        try pass(61, next)
        #expect(
            sink.notes.map { "\($0.id) \($0.grouped)" } == ["a 1", "c 0"])
        #expect(next.waiting == 0)

        let last = NotingSink(clock)
        let without = try store(last, keepsState: false, grouping: grouping)
        try without.append([alert("a"), alert("b", user: "a")])
        try pass(1, without)
        #expect(last.notes.isEmpty)
        without.drain(patience: 10_000_000_000)
        #expect(last.notes.map { "\($0.id) \($0.grouped)" } == ["a 1"])
    }

    @Test("of a group that a sink refuses every alert becomes a dead letter")
    func refusedGroup() throws {
        let sink = NotingSink(clock)
        sink.results.withLock { $0 = Array(repeating: .refused("no"), count: 5) }
        let disk = MemoryDisk()
        let store = try store(
            sink, on: disk, grouping: SinkGrouping(parts: ["rule"], nanoseconds: 1_000_000_000))
        try store.append([alert("a"), alert("b")])
        try pass(120, store)
        #expect(Set(try DeadLetter.all(in: disk).map(\.entry.alert.id)) == ["a", "b"])
        #expect(store.waiting == 0)
    }
}
