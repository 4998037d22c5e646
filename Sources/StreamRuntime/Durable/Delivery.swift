import Foundation
import MatchEngine
import RuleModel
import Synchronization

/// What one sink has done, for people.
public struct DeliveryCounters: Sendable {
    /// As the rules call it.
    public var name: String
    public var delivered = 0
    /// Attempts that failed and were made again.
    public var retries = 0
    public var redelivered = 0
    public var deadLetters = 0
    /// Alerts that went as part of another.
    public var grouped = 0
    /// Whether alerts wait because of the sink's `rate`.
    public var isAtRate = false
    /// Why the last attempt failed; nil when the last one went well.
    public var trouble: String?
}

/// Brings the alerts of the outbox to one sink, in order for each key.
///
/// At most `inFlightMax` alerts are with the sink without the note that they are done being durable: after
/// a crash no more than those come twice. An alert that fails is tried again, later and later; it holds
/// back only what stands behind it for the same key. What a sink refuses, or what keeps failing while
/// others get through, becomes a dead letter.
final class Delivery: Sendable {
    private struct Item {
        var entry: OutboxEntry
        /// Those that go as part of it.
        var others: [OutboxEntry] = []
        /// Rule and key, for the order.
        var key: String
        /// Whether the sink has it, and has not said what became of it.
        var isPending = false
        var attempts = 0
        /// Attempts that count against the alert and not against the sink.
        var strikes = 0
        var successesSeen = 0
        var due: Int64 = 0
    }

    /// Alerts that are alike, of which the first goes for all when their time is over.
    private struct Group {
        /// What they have in common.
        var name: String
        var first: Item
        var others: [OutboxEntry] = []
        var end: Int64
    }

    private struct State {
        var cursor: UInt64?
        var reader: RecordReader?
        var segment = ""
        var items: [Item] = []
        /// In order of their ends.
        var groups: [Group] = []
        /// When alerts were given to the sink, as far back as its rate asks.
        var attempts: [Int64] = []
        /// Tickets of notes that are not durable yet, one for each alert.
        var unsettled: [UInt64] = []
        /// When trouble may be told again.
        var nextNotice: Int64 = 0
        var successes = 0
        /// Alerts before this one that may have been sent before the crash: so many are marked.
        var doubtful: Int
        var doubtfulEnd: UInt64
        var random: UInt64
        var counters: DeliveryCounters
    }

    /// What others may ask while an alert is being sent.
    private struct Shown {
        var counters: DeliveryCounters
        var isQuiet = false
    }

    let name: String
    let sink: any Sink
    private let rate: SinkRate?
    private let grouping: SinkGrouping?
    private let clock: RuntimeClock
    private let state: Mutex<State>
    private let shown: Mutex<Shown>
    /// Raised when there may be something to do.
    private let bell = Bell()
    private let stops = Atomic<Bool>(false)
    private let closesGroups = Atomic<Bool>(false)

    /// An alert that the sink refuses, or that fails while others get through, is given up after this.
    static let strikesMax = 5
    private static let firstPause: Int64 = 500_000_000
    private static let longestPause: Int64 = 60_000_000_000
    private static let batchMax = 256
    /// A group that is this large goes before its time is over.
    static let groupMax = 1_000

    /// - Parameter doubtfulEnd: Alerts before this one may have been sent before a crash.
    init(_ route: SinkRoute, clock: RuntimeClock, doubtfulEnd: UInt64, seed: UInt64) {
        name = route.name
        sink = route.sink
        rate = route.rate
        grouping = route.grouping
        self.clock = clock
        shown = Mutex(Shown(counters: DeliveryCounters(name: name)))
        state = Mutex(
            State(
                doubtful: doubtfulEnd > 0 ? sink.inFlightMax : 0, doubtfulEnd: doubtfulEnd,
                random: seed | 1, counters: DeliveryCounters(name: name)))
    }

    var counters: DeliveryCounters { shown.withLock(\.counters) }

    func ring() { bell.ring() }

    /// Works in a thread of its own until it is told to stop.
    func start(_ store: DurableStore) {
        let thread = Thread { [self] in
            while !stops.load(ordering: .acquiring) {
                let pause = step(store)
                if pause > 0 {
                    bell.wait(atMost: min(pause, 1_000_000_000))
                }
            }
            ended.signal()
        }
        thread.name = "sink \(name)"
        thread.start()
    }

    private let ended = DispatchSemaphore(value: 0)

    func stop() {
        stops.store(true, ordering: .releasing)
        bell.ring()
        ended.wait()
    }

    /// Whether nothing waits that could be sent now: all is done, or the sink is in trouble. As of the
    /// last step.
    var isQuiet: Bool { shown.withLock(\.isQuiet) }

    /// Lets no group wait for its time any more.
    func closeGroups() {
        closesGroups.store(true, ordering: .releasing)
        bell.ring()
    }

    /// Does what can be done now.
    ///
    /// - Returns: After how many nanoseconds to look again, at the latest; 0 is at once.
    func step(_ store: DurableStore) -> Int64 {
        state.withLock { state in
            var pause = Delivery.longestPause
            do {
                // What was sent and could not be noted must not be sent again by this engine.
                try store.check()
                pause = try step(&state, store)
            } catch { store.fail(error) }
            let isDone = state.items.isEmpty && (state.cursor ?? 0) >= store.durableEnd
            let counters = state.counters
            // What is held back goes after the next start, where that knows of it.
            let isHeld = counters.isAtRate && store.keepsState
            let isQuiet =
                state.unsettled.isEmpty && (isDone || isHeld || counters.trouble != nil)
            shown.withLock { $0 = Shown(counters: counters, isQuiet: isQuiet) }
            return pause
        }
    }

    private func step(_ state: inout State, _ store: DurableStore) throws -> Int64 {
        let settled = store.committed
        state.unsettled.removeAll { $0 <= settled }
        try fetch(&state, store)
        let now = clock.now()
        closeGroups(&state, at: closesGroups.load(ordering: .acquiring) ? .max : now)
        var batch = choose(state, now)
        let allowed = rate.map { self.allowed($0, &state, now) } ?? .max
        let fresh = batch.filter { !state.items[$0].isPending }
        state.counters.isAtRate = fresh.count > allowed
        if fresh.count > allowed {
            let late = Set(fresh.dropFirst(allowed))
            batch.removeAll { late.contains($0) }
        }
        guard !batch.isEmpty else {
            var pause = Delivery.longestPause
            for place in state.items.indices { pause = min(pause, state.items[place].due - now) }
            if let group = state.groups.first { pause = min(pause, group.end - now) }
            if let rate, state.counters.isAtRate, let first = state.attempts.first {
                pause = min(max(pause, first + rate.nanoseconds - now), Delivery.longestPause)
            }
            return max(1_000_000, pause)
        }
        if rate != nil { state.attempts += fresh.prefix(allowed).map { _ in now } }
        let results = sink.deliver(batch.map { state.items[$0].entry })
        var finished: [Int] = []
        for (place, result) in zip(batch, results) {
            if try settle(place, result, &state, store) { finished.append(place) }
        }
        if !finished.isEmpty {
            let done = finished.flatMap { place in
                [state.items[place].entry.sequence] + state.items[place].others.map(\.sequence)
            }
            try acknowledge(done, &state, store)
            // Later ones first, so that places stay right.
            for place in finished.reversed() { state.items.remove(at: place) }
        }
        return finished.isEmpty ? 1_000_000 : 0
    }

    // MARK: - Taking from the outbox

    private func fetch(_ state: inout State, _ store: DurableStore) throws {
        if state.cursor == nil { state.cursor = store.low(of: name) }
        while state.items.count + state.unsettled.count < sink.inFlightMax {
            guard var entry = try next(&state, store) else { return }
            guard store.take(entry, for: name) else { continue }
            if entry.sequence < state.doubtfulEnd {
                if sink.holds(entry) {
                    try acknowledge([entry.sequence], &state, store)
                    continue
                }
                if state.doubtful > 0, case .atLeastOnce = sink.promise {
                    state.doubtful -= 1
                    entry.isRedelivery = true
                    state.counters.redelivered += 1
                }
            }
            let key = entry.alert.key.map { "\($0.name)=\($0.value.plainText)" }
            add(
                Item(entry: entry, key: ([entry.alert.rule] + key).joined(separator: "\u{0}")),
                &state)
        }
    }

    /// Puts an alert where it waits: into its group if it begins something, else behind the others.
    private func add(_ item: Item, _ state: inout State) {
        guard let grouping else {
            state.items.append(item)
            return
        }
        let alert = item.entry.alert
        guard alert.state == .firing, alert.kind != "engine" else {
            // What ends or corrects an alert comes behind its beginning.
            if let place = state.groups.firstIndex(where: { group in
                group.first.key == item.key || group.others.contains { $0.alert.id == alert.id }
            }) {
                close(state.groups.remove(at: place), &state)
            }
            state.items.append(item)
            return
        }
        let name = grouping.parts.map { part in
            switch part {
            case "rule": alert.rule
            case "severity": alert.severity.rawValue
            default: alert.key.first { $0.name == part }?.value.plainText ?? "\u{0}"
            }
        }.joined(separator: "\u{0}")
        guard let place = state.groups.firstIndex(where: { $0.name == name }) else {
            state.groups.append(
                Group(name: name, first: item, end: clock.now() + grouping.nanoseconds))
            return
        }
        state.groups[place].others.append(item.entry)
        if state.groups[place].others.count + 1 >= Delivery.groupMax {
            close(state.groups.remove(at: place), &state)
        }
    }

    private func closeGroups(_ state: inout State, at now: Int64) {
        while let group = state.groups.first, group.end <= now {
            close(state.groups.removeFirst(), &state)
        }
    }

    /// Lets the first alert of a group go, with the number of the others.
    private func close(_ group: Group, _ state: inout State) {
        var item = group.first
        item.others = group.others
        let isOfOneRule = group.others.allSatisfy { $0.alert.rule == item.entry.alert.rule }
        item.entry.alert.fold(
            group.others.count,
            keys: group.others.prefix(5).map { entry in
                (isOfOneRule ? "" : entry.alert.rule + " ") + entry.alert.keyText
            })
        state.items.append(item)
    }

    /// The entry at the cursor, which moves on; nil when there is none that is durable.
    private func next(_ state: inout State, _ store: DurableStore) throws -> OutboxEntry? {
        guard let cursor = state.cursor, cursor < store.durableEnd else { return nil }
        while true {
            guard let segment = store.segment(holding: cursor) else { return nil }
            if segment.name != state.segment || state.reader == nil {
                state.segment = segment.name
                state.reader = RecordReader(try store.disk.open(segment.name))
            }
            while let payload = try state.reader?.next() {
                let entry = try OutboxEntry(payload: payload)
                guard entry.sequence >= cursor else { continue }
                state.cursor = entry.sequence + 1
                return entry
            }
            // What is durable can be read, unless the disk has lost it.
            state.reader = nil
            throw DiskError(
                "read", segment.name, code: 0, reason: "alert \(cursor) is damaged or missing")
        }
    }

    // MARK: - Choosing

    /// How many more alerts the sink may be given now.
    private func allowed(_ rate: SinkRate, _ state: inout State, _ now: Int64) -> Int {
        state.attempts.removeFirst(state.attempts.prefix { $0 + rate.nanoseconds <= now }.count)
        return rate.count - state.attempts.count
    }

    /// Places of the items that may go now.
    private func choose(_ state: State, _ now: Int64) -> [Int] {
        guard sink.isConcurrent else {
            guard let first = state.items.first, first.due <= now else { return [] }
            return Array(state.items.indices.prefix(Delivery.batchMax))
        }
        var keys: Set<String> = []
        return state.items.indices.filter { place in
            keys.insert(state.items[place].key).inserted && state.items[place].due <= now
        }
    }

    // MARK: - What came of it

    private func acknowledge(
        _ done: [UInt64], _ state: inout State, _ store: DurableStore
    ) throws {
        let ticket = try store.acknowledge(done, by: name, mark: sink.mark)
        state.unsettled += done.map { _ in ticket }
    }

    /// Whether the item is finished.
    private func settle(
        _ place: Int, _ result: DeliveryResult, _ state: inout State, _ store: DurableStore
    ) throws -> Bool {
        state.items[place].isPending = result == .pending
        switch result {
        case .pending: return false
        case .done:
            state.successes += 1
            state.counters.delivered += 1
            state.counters.grouped += state.items[place].others.count
            state.counters.trouble = nil
            return true
        case .broken(let reason):
            throw DurableFailure.failed("\(name): \(reason)")
        case .refused(let reason):
            return try fail(place, reason, isAgainstAlert: true, after: nil, &state, store)
        case .failed(let reason, let seconds):
            let othersGetThrough = state.successes > state.items[place].successesSeen
            let isAgainstAlert = state.items[place].attempts > 0 && othersGetThrough
            return try fail(
                place, reason, isAgainstAlert: isAgainstAlert, after: seconds, &state, store)
        }
    }

    private func fail(
        _ place: Int, _ reason: String, isAgainstAlert: Bool, after seconds: Int?,
        _ state: inout State, _ store: DurableStore
    ) throws -> Bool {
        state.items[place].attempts += 1
        state.items[place].successesSeen = state.successes
        if isAgainstAlert { state.items[place].strikes += 1 }
        let item = state.items[place]
        if item.strikes >= Delivery.strikesMax {
            for entry in [item.entry] + item.others {
                try store.deadLetter(entry, of: name, reason: reason, attempts: item.attempts)
                state.counters.deadLetters += 1
            }
            return true
        }
        if state.counters.trouble == nil, clock.now() >= state.nextNotice {
            state.nextNotice = clock.now() + Delivery.longestPause
            store.notice("sink \(name): \(reason); trying again")
        }
        state.counters.trouble = reason
        state.counters.retries += 1
        state.items[place].due = clock.now() + pause(after: item.attempts, seconds, &state.random)
        return false
    }

    /// Twice as long each time, and for each alert a little different.
    private func pause(after attempts: Int, _ asked: Int?, _ random: inout UInt64) -> Int64 {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let share = Double(random >> 33) / Double(1 << 31)
        if let asked {
            let asked = Int64(min(max(0, asked), 3600)) * 1_000_000_000
            return asked + Int64(share * 0.1 * Double(asked))
        }
        let full = min(Delivery.longestPause, Delivery.firstPause << Int64(min(attempts - 1, 10)))
        return full / 2 + Int64(share * Double(full / 2))
    }
}
