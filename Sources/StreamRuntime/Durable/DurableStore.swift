import Foundation
import MatchEngine
import RuleModel
import Synchronization

/// Which alerts a sink gets.
public struct SinkRoute: Sendable {
    /// As the rules call it.
    public var name: String
    public var sink: any Sink
    /// Nil: of any severity.
    public var minimumSeverity: Severity?
    /// Whether it gets the alerts of rules that name no sink.
    public var takesUnrouted = false
    /// Whether it gets every alert, whatever the rules name.
    public var takesAll = false
    /// At most so many attempts within a time; nil: as many as it takes.
    public var rate: SinkRate?
    /// Alerts that begin within a time go as one; nil: each goes by itself.
    public var grouping: SinkGrouping?

    public init(name: String, sink: any Sink) {
        self.name = name
        self.sink = sink
    }

    func takes(_ alert: Alert) -> Bool {
        if let minimumSeverity, alert.severity < minimumSeverity { return false }
        return takesAll || (takesUnrouted && alert.sinks.isEmpty) || alert.sinks.contains(name)
    }
}

/// At most `count` alerts, or groups of them, are given to a sink within any `nanoseconds`.
public struct SinkRate: Sendable, Equatable {
    public var count: Int
    public var nanoseconds: Int64

    public init(count: Int, nanoseconds: Int64) {
        self.count = count
        self.nanoseconds = nanoseconds
    }
}

/// Alerts that are alike in some parts go to a sink as one: the first, which says how many more there
/// were within `nanoseconds` of it.
public struct SinkGrouping: Sendable, Equatable {
    /// `rule`, `severity`, or the name of a part of the key.
    public var parts: [String]
    public var nanoseconds: Int64

    public init(parts: [String], nanoseconds: Int64) {
        self.parts = parts
        self.nanoseconds = nanoseconds
    }
}

/// How a store behaves; the defaults are what the manual says.
public struct DurableOptions: Sendable {
    /// Undelivered alerts take no more room than this: then the sources wait.
    public var outboxBytesMax = 1 << 30
    /// Delivered alerts that are kept for `martlet alerts`.
    public var historyBytes = 16 << 20
    public var checkpointEvery: Int64 = 10_000_000_000
    /// A checkpoint comes early when the journal has grown by so much.
    public var journalBytesMax = 64 << 20
    /// What must be durable is so after this long, or sooner when there is much of it.
    public var commitAfter: Int64 = 5_000_000
    public var commitBytes = 256 << 10
    /// Whether the store starts threads for commits, checkpoints and sinks; else `tick` does their work.
    public var usesThreads = true
    /// Of the pauses between attempts.
    public var seed: UInt64 = 1
    /// Whether the engine is to end although it waits for room on the disk.
    public var isAskedToStop: @Sendable () -> Bool = { false }

    public init() {}
}

/// Why durability cannot be had, or has come to an end.
public enum DurableFailure: Error, Sendable, CustomStringConvertible {
    /// What is there was written by a newer version, or another engine works on it: nothing was touched.
    case refused(String)
    /// The disk, or a sink, has failed for good.
    case failed(String)

    public var description: String {
        switch self {
        case .refused(let reason), .failed(let reason): reason
        }
    }
}

/// Keeps what must outlast a crash: the journal of what the engine was given, checkpoints of what it
/// knows, and the outbox of what it has said.
///
///     source ─→ journal ─→ engine ─→ outbox ─→ sinks
///                 └── checkpoint: positions, engine state, place in the outbox, one cut ──┘
///
/// The pipeline's thread writes; a second thread makes durable what was written, many records at once;
/// each sink has a thread of its own and gets only alerts that are durable.
public final class DurableStore: Sendable {
    struct State {
        /// Nil before the replay is over, and when no state is kept.
        var journal: (any DiskFile)?
        var journalNumber = 0
        /// Of the journal before this one.
        var lengthBefore = 0
        var outbox: Outbox
        var ledgers: [SinkLedger]
        var unsyncedJournals: [any DiskFile] = []
        var unsyncedOutbox: [any DiskFile] = []
        var isFolderUnsynced = false
        /// When the first of what must be made durable was written; nil: there is none.
        var pendingSince: Int64?
        var pendingBytes = 0
        /// Counts what was written and must become durable.
        var written: UInt64 = 0
        var committed: UInt64 = 0
        /// Alerts before this one are durable.
        var durableEnd: UInt64
        var failure: (any Error)?
        /// Records that are in the outbox and that the replay will make again, by how often.
        var expected: [String: Int]
        var journalBytes = 0
        /// Of these such as only say that time has passed: they alone are not worth a checkpoint.
        var idleBytes = 0
        var lastCheckpoint: Int64
        var isWritingCheckpoint = false
        /// Whether the copy of this process that was to write the last checkpoint has failed.
        var forkHasFailed = false
        /// Checkpoints on disk that can be fallen back to, the newest last.
        var kept: [Kept] = []
        var isStopping = false
        /// When people were told last that the outbox is full: with a slow sink it is again and again.
        var toldFull: Int64?
        var nextPoll: Int64 = 0
        /// What people do not want to be told of, and the names of the files that say so.
        var silences: [Silence] = []
        var silenceNames: [String] = []
        var counters = DurableCounters()

        /// The first alert that some sink has yet to take; nil without sinks.
        var low: UInt64? { ledgers.map(\.low).min() }
    }

    struct Kept: Sendable {
        var number: Int
        var outboxEnd: UInt64
    }

    let disk: any Disk
    let options: DurableOptions
    let clock: RuntimeClock
    /// Whether input and engine state are kept, or only alerts until they are delivered.
    public let keepsState: Bool
    private let routes: [SinkRoute]
    private let tell: @Sendable (String) -> Void
    /// What the engine goes on from; nil when there is nothing.
    let recovered: Checkpoint?
    private let journals: [Int]
    private let deliveries: [Delivery]
    let state: Mutex<State>
    /// A sink that waits for room must not be asked to work meanwhile.
    private let isPumping = Atomic<Bool>(false)
    private let commitLock = Mutex(())
    private let commitBell = Bell()
    private let committerEnded = DispatchSemaphore(value: 0)
    let checkpointQueue = DispatchQueue(label: "martlet.checkpoint")

    /// Opens what is there. Nothing is delivered and nothing written before `beginLive`.
    ///
    /// - Parameter tell: Takes sentences for the user.
    public init(
        _ disk: any Disk, routes: [SinkRoute], keepsState: Bool,
        options: DurableOptions = DurableOptions(), clock: RuntimeClock = .system,
        tell: @escaping @Sendable (String) -> Void
    ) throws(DurableFailure) {
        self.disk = disk
        self.routes = routes
        self.keepsState = keepsState
        self.options = options
        self.clock = clock
        self.tell = tell
        do {
            let names = try disk.names()
            let found = try Recovery.find(disk, names, tell)
            recovered = found.checkpoint
            journals = found.journals
            var expected = found.checkpoint?.expected ?? [:]
            var retried: Set<UInt64> = []
            var dropped = 0
            let end = found.checkpoint?.outboxEnd ?? 0
            let outbox = try Outbox(disk, names: names, from: end, dropped: &dropped) { entry in
                if let old = entry.retryOf {
                    retried.insert(old)
                } else {
                    expected[entry.alert.recordID, default: 0] += 1
                }
            }
            var ledgers = found.ledgers
            for route in routes where !ledgers.contains(where: { $0.name == route.name }) {
                ledgers.append(SinkLedger(name: route.name, next: end))
            }
            if let first = outbox.segments.first?.first {
                for index in ledgers.indices { ledgers[index].forget(before: first) }
            }
            for route in routes {
                try route.sink.open(mark: ledgers.first { $0.name == route.name }?.mark ?? 0)
            }
            let isClean = found.isClean && outbox.next == end
            let doubtfulEnd = isClean ? 0 : outbox.next
            var seed = options.seed
            deliveries = routes.map { route in
                seed = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
                return Delivery(route, clock: clock, doubtfulEnd: doubtfulEnd, seed: seed)
            }
            var state = State(
                outbox: outbox, ledgers: ledgers, durableEnd: outbox.next, expected: expected,
                lastCheckpoint: clock.now())
            state.journalNumber = found.lastJournal
            state.lengthBefore = found.lengthBefore
            if let checkpoint = found.checkpoint {
                state.kept = [Kept(number: checkpoint.number, outboxEnd: checkpoint.outboxEnd)]
            }
            self.state = Mutex(state)
            for old in retried { try disk.remove(DeadLetter.retryName(of: old, in: names)) }
            try readSilences(names)
        } catch let failure as DurableFailure {
            throw failure
        } catch {
            throw .failed("\(error)")
        }
    }

    // MARK: - Recovery

    /// Hands out what came behind the checkpoint, in order.
    func replay(_ visit: (JournalRecord) throws -> Void) throws {
        for number in journals {
            let file = try disk.open(Recovery.journalName(number))
            var reader = RecordReader(file)
            while let payload = try reader.next() {
                state.withLock { $0.journalBytes += payload.count }
                try visit(try JournalRecord(payload: payload))
            }
            if reader.offset < file.size {
                notice(
                    "\(Recovery.journalName(number)): the crash has torn the last "
                        + "\(file.size - reader.offset) bytes, which nothing had relied on")
                try file.truncate(to: reader.offset)
            }
            // It may have been in the cache only, and what comes now builds on it.
            try file.sync()
        }
    }

    /// From now on everything is written down, and alerts are delivered.
    func beginLive() throws {
        if keepsState { try room { state throws(DiskError) in try state.rotate(self) } }
        // That it has begun must last before a sink is given anything: a start that knows of no engine
        // since a clean end marks nothing as coming again.
        commit()
        try check()
        try adoptLeftAlerts()
        guard options.usesThreads else { return }
        let committer = Thread { [self] in
            while !state.withLock(\.isStopping) {
                let wait = state.withLock {
                    $0.pendingSince == nil ? 1_000_000_000 : self.options.commitAfter
                }
                commitBell.wait(atMost: wait)
                if state.withLock({ isCommitDue($0) }) { commit() }
            }
            committerEnded.signal()
        }
        committer.name = "commit"
        committer.start()
        for delivery in deliveries { delivery.start(self) }
    }

    /// Alerts that wait for sinks that are gone become dead letters.
    private func adoptLeftAlerts() throws {
        let gone = state.withLock { state in
            state.ledgers.filter { ledger in !routes.contains { $0.name == ledger.name } }
        }
        for ledger in gone {
            var count = 0
            var sequence = ledger.low
            while let segment = segment(holding: sequence), sequence < durableEnd {
                var reader = RecordReader(try disk.open(segment.name))
                while let payload = try reader.next() {
                    let entry = try OutboxEntry(payload: payload)
                    sequence = max(sequence, entry.sequence + 1)
                    let isOpen = ledger.open.contains(entry.sequence)
                    let isNew =
                        entry.sequence >= ledger.next
                        && !ledger.doneAhead.contains(entry.sequence)
                    guard isOpen || isNew, entry.sinks.contains(ledger.name) else { continue }
                    try deadLetter(
                        entry, of: ledger.name, reason: "the sink is no longer declared",
                        attempts: 0)
                    count += 1
                }
            }
            if count > 0 {
                notice(
                    "sink \(ledger.name) is no longer declared: \(count) alerts that waited for it are dead letters"
                )
            }
            state.withLock { $0.ledgers.removeAll { $0.name == ledger.name } }
        }
    }

    // MARK: - Writing

    /// Writes down what the engine is about to be given.
    func log(_ record: JournalRecord) throws {
        guard keepsState else { return }
        var mustLast = false
        if case .bytes = record { mustLast = true }
        let bytes = RecordLog.framed(record.payload)
        try room { state throws(DiskError) in
            try state.append(bytes, mustLast: mustLast, self.clock.now())
            if case .time = record { state.idleBytes += bytes.count }
        }
        if mustLast { commitBell.ring() }
    }

    /// Puts alerts into the outbox. Those that are there already, from before the crash, are passed over.
    func append(_ alerts: [Alert]) throws {
        guard !alerts.isEmpty else { return }
        let now = clock.wall()
        try room { state throws(DiskError) in
            var entries: [OutboxEntry] = []
            var expected = state.expected
            var filtered = 0
            var silenced = 0
            for alert in alerts {
                var sinks = self.routes.filter { $0.takes(alert) }.map(\.name)
                if sinks.isEmpty { filtered += 1 }
                if !expected.isEmpty, let count = expected[alert.recordID], count > 0 {
                    expected[alert.recordID] = count > 1 ? count - 1 : nil
                    continue
                }
                guard !sinks.isEmpty else { continue }
                if state.silences.contains(where: { $0.covers(alert, at: now) }) {
                    // Kept like the others, and for nobody.
                    sinks = []
                    silenced += 1
                }
                entries.append(
                    OutboxEntry(
                        sequence: state.outbox.next + UInt64(entries.count), emittedAt: now,
                        sinks: sinks, alert: alert))
            }
            try state.append(entries, self.disk, self.clock.now())
            state.expected = expected
            state.counters.filtered += filtered
            state.counters.silenced += silenced
        }
        commitBell.ring()
    }

    /// Whether more alerts wait for a sink than may: then nothing is read, and `awaitDelivery` is called.
    ///
    /// What has been read is processed all the same, so the outbox holds the alerts of a few batches more.
    var isOutboxFull: Bool {
        state.withLock { state in
            guard let low = state.low else { return false }
            return state.outbox.bytes(from: low) > options.outboxBytesMax
        }
    }

    /// Gives the sinks a moment to take some of the alerts.
    func awaitDelivery() {
        let now = clock.now()
        let isNews = state.withLock { state in
            state.counters.outboxWaits += 1
            if let told = state.toldFull, now - told < 60_000_000_000 { return false }
            state.toldFull = now
            return true
        }
        if isNews {
            notice("the outbox is full: the sources wait until a sink has taken some alerts")
        }
        pause(5_000_000)
    }

    /// Does something that takes room on the disk, as soon as there is some.
    func room(_ body: (inout State) throws(DiskError) -> Void) throws {
        var isTold = false
        while true {
            try check()
            let error: DiskError? = state.withLock { state in
                do throws(DiskError) {
                    try body(&state)
                    return nil
                } catch { return error }
            }
            guard let error else {
                if isTold {
                    state.withLock { $0.counters.isDiskFull = false }
                    notice("there is room on the disk again: going on")
                }
                return
            }
            guard error.isFull else { throw DurableFailure.failed("\(error)") }
            if !isTold {
                notice("\(error): the sources wait until there is room; nothing is lost")
                isTold = true
                state.withLock { $0.counters.isDiskFull = true }
            }
            if options.isAskedToStop() || state.withLock({ $0.isStopping }) {
                throw DurableFailure.failed(
                    "\(error), and the engine was told to stop: the next start goes on from the last checkpoint"
                )
            }
            pause(200_000_000)
        }
    }

    private func pause(_ nanoseconds: Int64) {
        clock.sleep(nanoseconds)
        if !options.usesThreads { pump() }
    }

    // MARK: - Committing

    private func isCommitDue(_ state: State) -> Bool {
        guard let since = state.pendingSince else { return false }
        return state.pendingBytes >= options.commitBytes
            || clock.now() - since >= options.commitAfter
    }

    /// Makes durable what has been written: the journal before the outbox.
    func commit() {
        commitLock.withLock { _ in
            // After an error a second attempt would say that all is well, and it is not.
            guard state.withLock({ $0.failure == nil }) else { return }
            let work = state.withLock { state in
                defer {
                    state.unsyncedJournals = []
                    state.unsyncedOutbox = []
                    state.isFolderUnsynced = false
                    state.pendingSince = nil
                    state.pendingBytes = 0
                }
                return (
                    files: state.unsyncedJournals + state.unsyncedOutbox, state.isFolderUnsynced,
                    state.written, state.outbox.next
                )
            }
            do throws(DiskError) {
                if work.1 { try disk.syncFolder() }
                for file in work.files { try file.sync() }
            } catch {
                fail(
                    DurableFailure.failed(
                        "\(error); what was written last may be lost, so the engine stops; the next start goes on from what is safe"
                    ))
                return
            }
            state.withLock { state in
                state.committed = work.2
                state.durableEnd = work.3
                state.counters.commits += 1
            }
        }
        for delivery in deliveries { delivery.ring() }
    }

    /// The work of all threads, for a store without; and what the pipeline's thread sees to now and then.
    func tick() throws {
        if !options.usesThreads { pump() }
        let now = clock.now()
        let isTime = state.withLock { state in
            guard now >= state.nextPoll else { return false }
            state.nextPoll = now + 1_000_000_000
            return true
        }
        if isTime { try housekeeping() }
        try check()
    }

    /// - Returns: After how many nanoseconds there is more to do.
    @discardableResult
    private func pump() -> Int64 {
        guard !isPumping.exchange(true, ordering: .relaxed) else { return 0 }
        defer { isPumping.store(false, ordering: .relaxed) }
        if state.withLock({ isCommitDue($0) }) { commit() }
        let pauses = deliveries.map { $0.step(self) }
        let isPending = state.withLock { $0.pendingSince != nil }
        return min(isPending ? options.commitAfter : .max, pauses.min() ?? .max)
    }

    private func housekeeping() throws {
        if !keepsState {
            try room { state throws(DiskError) in
                if let low = state.low {
                    try state.outbox.drop(before: low, keeping: 0, self.disk)
                }
            }
            return
        }
        let names = try disk.names()
        try readSilences(names)
        for name in names.filter(DeadLetter.isRetry).sorted() {
            guard let letter = try DeadLetter(disk.open(name)) else { continue }
            guard routes.contains(where: { $0.name == letter.sink }) else { continue }
            let now = clock.wall()
            try room { state throws(DiskError) in
                let entry = OutboxEntry(
                    sequence: state.outbox.next, emittedAt: now, sinks: [letter.sink],
                    alert: letter.entry.alert, retryOf: letter.entry.sequence)
                try state.append([entry], self.disk, self.clock.now())
            }
            commit()
            try check()
            try disk.remove(name)
        }
    }

    /// Takes over which silences there are, and takes away those that are over.
    private func readSilences(_ names: [String]) throws {
        let found = names.filter(Silence.isSilence).sorted()
        let now = clock.wall()
        let (known, isOver) = state.withLock { state in
            (state.silenceNames == found, state.silences.contains { $0.until <= now })
        }
        if known, !isOver { return }
        let silences = try Silence.all(in: disk)
        for silence in silences where silence.until <= now { try silence.remove(from: disk) }
        let names = try disk.names().filter(Silence.isSilence).sorted()
        state.withLock { state in
            state.silenceNames = names
            state.silences = silences.filter { $0.until > now }
        }
    }

    // MARK: - Failing

    /// Ends the run: whatever is asked of the store next throws this.
    func fail(_ error: any Error) { state.withLock { $0.failure = $0.failure ?? error } }

    func check() throws {
        if let failure = state.withLock(\.failure) { throw failure }
    }

    func notice(_ text: String) { tell(text) }

    // MARK: - What sinks ask

    var committed: UInt64 { state.withLock(\.committed) }
    var durableEnd: UInt64 { state.withLock(\.durableEnd) }

    func low(of sink: String) -> UInt64 {
        state.withLock { state in state.ledgers.first { $0.name == sink }?.low ?? 0 }
    }

    func segment(holding sequence: UInt64) -> (name: String, isClosed: Bool)? {
        state.withLock { $0.outbox.segment(holding: sequence) }
    }

    /// Notes that a sink has come to an entry.
    ///
    /// - Returns: Whether it is the sink's to deliver.
    func take(_ entry: OutboxEntry, for sink: String) -> Bool {
        state.withLock { state in
            guard let index = state.ledgers.firstIndex(where: { $0.name == sink }) else {
                return false
            }
            if entry.sequence < state.ledgers[index].next {
                return state.ledgers[index].open.contains(entry.sequence)
            }
            state.ledgers[index].next = entry.sequence + 1
            if state.ledgers[index].doneAhead.remove(entry.sequence) != nil { return false }
            guard entry.sinks.contains(sink) else { return false }
            state.ledgers[index].open.insert(entry.sequence)
            return true
        }
    }

    /// Notes that a sink is done with alerts; after a crash with all of them or with none.
    ///
    /// - Returns: What `committed` has reached when the note is durable.
    func acknowledge(_ sequences: [UInt64], by sink: String, mark: Int) throws -> UInt64 {
        let record = JournalRecord.acknowledge(sink: sink, sequences: sequences, mark: mark)
        let bytes = RecordLog.framed(record.payload)
        var ticket: UInt64 = 0
        try room { state throws(DiskError) in
            if self.keepsState { try state.append(bytes, mustLast: true, self.clock.now()) }
            if let index = state.ledgers.firstIndex(where: { $0.name == sink }) {
                state.ledgers[index].acknowledge(sequences, mark: mark)
            }
            ticket = state.written
        }
        if keepsState { commitBell.ring() }
        return ticket
    }

    /// Puts an alert aside that a sink does not take.
    func deadLetter(_ entry: OutboxEntry, of sink: String, reason: String, attempts: Int) throws {
        guard keepsState else {
            notice("sink \(sink): alert \(entry.alert.id) is given up: \(reason)")
            return
        }
        let letter = DeadLetter(
            sink: sink, reason: reason, attempts: attempts, at: clock.wall(), entry: entry)
        try room { _ throws(DiskError) in try letter.write(to: self.disk) }
        notice(
            "sink \(sink): alert \(entry.alert.id) is a dead letter after \(attempts) attempts: \(reason)"
        )
    }

    // MARK: - The end

    /// Gives the sinks time to take what is there, then ends all threads.
    ///
    /// - Parameter patience: Nanoseconds.
    func drain(patience: Int64) {
        let end = clock.now() + patience
        // Without a folder what is held back now would be gone.
        if !keepsState { deliveries.forEach { $0.closeGroups() } }
        commit()
        while clock.now() < end, state.withLock({ $0.failure == nil }) {
            let pause = options.usesThreads ? 2_000_000 : pump()
            let isDone = waiting == 0 && deliveries.allSatisfy(\.isQuiet)
            let isStuck = deliveries.allSatisfy(\.isQuiet) && clock.now() > end - patience / 2
            if isDone || isStuck { break }
            clock.sleep(max(2_000_000, min(pause, 500_000_000)))
        }
        state.withLock { $0.isStopping = true }
        if options.usesThreads {
            for delivery in deliveries { delivery.stop() }
            commitBell.ring()
            committerEnded.wait()
            checkpointQueue.sync {}
        }
        commit()
    }

    /// How far the slowest sink is behind, in alerts.
    var waiting: Int {
        state.withLock { state in
            let low = state.low ?? state.outbox.next
            return Int(state.outbox.next - min(low, state.outbox.next))
        }
    }

    /// What has been done, for people.
    public var counters: DurableCounters {
        var counters = state.withLock { state in
            state.counters.silences = state.silences.count
            return state.counters
        }
        counters.sinks = deliveries.map(\.counters)
        counters.waiting = waiting
        return counters
    }
}

/// What a store has done, for people.
public struct DurableCounters: Sendable {
    public var checkpoints = 0
    public var commits = 0
    /// Alerts that no sink takes: all of theirs ask for a higher severity.
    public var filtered = 0
    /// Alerts that no sink got, since somebody had silenced them.
    public var silenced = 0
    /// How many silences are in force.
    public var silences = 0
    /// How often the sources had to wait for room in the outbox.
    public var outboxWaits = 0
    public var isDiskFull = false
    /// How far the slowest sink is behind, in alerts.
    public var waiting = 0
    public var sinks: [DeliveryCounters] = []
    /// How long the engine stood still for each of the last checkpoints, in nanoseconds.
    public var pauses: [Int64] = []
    /// Pauses that are remembered.
    static let pausesMax = 4096

    mutating func notePause(_ nanoseconds: Int64) {
        if pauses.count == DurableCounters.pausesMax { pauses.removeFirst() }
        pauses.append(nanoseconds)
    }
}

extension DurableStore.State {
    /// Begins the next journal.
    mutating func rotate(_ store: DurableStore) throws(DiskError) {
        let name = Recovery.journalName(journalNumber + 1)
        let file = try store.disk.open(name)
        let begin = JournalRecord.begin(lengthBefore: journal?.size ?? lengthBefore)
        try file.append(RecordLog.framed(begin.payload))
        journal = file
        journalNumber += 1
        unsyncedJournals.append(file)
        isFolderUnsynced = true
    }

    mutating func append(_ bytes: [UInt8], mustLast: Bool, _ now: Int64) throws(DiskError) {
        guard let journal else { return }
        try journal.append(bytes)
        journalBytes += bytes.count
        if !unsyncedJournals.contains(where: { $0 === journal }) {
            unsyncedJournals.append(journal)
        }
        if mustLast { note(bytes.count, now) }
    }

    mutating func append(
        _ entries: [OutboxEntry], _ disk: any Disk, _ now: Int64
    ) throws(DiskError) {
        guard !entries.isEmpty else { return }
        let before = outbox.segments.reduce(0) { $0 + $1.bytes }
        try outbox.append(entries, disk, unsynced: &unsyncedOutbox)
        note(outbox.segments.reduce(0) { $0 + $1.bytes } - before, now)
    }

    private mutating func note(_ bytes: Int, _ now: Int64) {
        written += 1
        pendingBytes += bytes
        pendingSince = pendingSince ?? now
    }
}
