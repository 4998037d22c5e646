import Glibc
import Synchronization
import TestKit

@testable import StreamRuntime

/// A disk of which the tests know what is durable, and that does at a chosen step what disks do.
///
/// What was written and not synced may survive a power cut whole, in part, or not at all, later writes
/// also without earlier ones. Names change in order, and the last changes may be undone. When only the process is killed,
/// all is there.
final class SimulatedDisk: Disk {
    enum Fault: Sendable, CaseIterable {
        case kill, powerCut, syncError, writeError, full
    }

    struct Node: Sendable {
        var durable: [UInt8] = []
        /// Writes since the last sync: where, what.
        var pending: [(offset: Int, bytes: [UInt8])] = []
        var content: [UInt8] = []

        /// All that was written lasts.
        mutating func settle() {
            durable = content
            pending = []
        }

        /// What was written since the last sync is gone.
        mutating func forget() {
            content = durable
            pending = []
        }

        mutating func append(_ bytes: [UInt8]) {
            pending.append((content.count, bytes))
            content += bytes
        }

        mutating func truncate(to size: Int) {
            content.removeLast(max(0, content.count - size))
            pending.removeAll { $0.offset >= size }
        }

        mutating func flip(_ random: inout RandomSource) {
            guard !content.isEmpty else { return }
            content[random.number(0...content.count - 1)] ^= UInt8(1 << random.number(0...7))
            durable = content
        }
    }

    struct State: Sendable {
        var nodes: [Int: Node] = [:]
        /// The folder as it is, and as it was after each change since its last sync.
        var names: [String: Int] = [:]
        var history: [[String: Int]] = []
        var nodesMade = 0
        var random: RandomSource
        var stepsToFault = Int.max
        var fault = Fault.kill
        var isDead = false
        var fullUntil: Int64 = 0
        var steps = 0
    }

    let state: Mutex<State>
    let time = Atomic<Int64>(1_000_000_000)

    init(seed: UInt64) {
        state = Mutex(State(random: RandomSource(seed: seed)))
        state.withLock { $0.history = [$0.names] }
    }

    var clock: RuntimeClock {
        RuntimeClock(
            now: { [self] in time.load(ordering: .relaxed) },
            wall: { [self] in
                .init(nanoseconds: 1_790_000_000_000_000_000 + time.load(ordering: .relaxed))
            },
            sleep: { [self] in _ = time.add($0, ordering: .relaxed) })
    }

    /// Plans one fault.
    func plan(_ fault: Fault, after steps: Int) {
        state.withLock {
            $0.fault = fault
            $0.stepsToFault = steps
        }
    }

    var isDead: Bool { state.withLock(\.isDead) }
    var steps: Int { state.withLock(\.steps) }

    /// Counts a step; throws when the disk has come to its fault.
    private func step(
        _ state: inout State, _ deed: String, _ name: String, writes: Bool = false,
        syncs: Bool = false
    ) throws(DiskError) {
        func error(_ code: Int32, _ reason: String) -> DiskError {
            DiskError(deed, name, code: code, reason: reason)
        }
        _ = time.add(syncs ? 1_000_000 : 20_000, ordering: .relaxed)
        if state.isDead { throw error(EIO, "the simulated machine is off") }
        state.steps += 1
        if writes, time.load(ordering: .relaxed) < state.fullUntil {
            throw error(ENOSPC, "no space left")
        }
        state.stepsToFault -= 1
        guard state.stepsToFault <= 0 else { return }
        switch state.fault {
        case .kill, .powerCut:
            state.stepsToFault = .max
            state.isDead = true
            throw error(EIO, "the simulated machine is off")
        case .syncError:
            guard syncs else { return }
            state.stepsToFault = .max
            throw error(EIO, "input/output error")
        case .writeError:
            guard writes else { return }
            state.stepsToFault = .max
            throw error(EIO, "input/output error")
        case .full:
            state.stepsToFault = .max
            state.fullUntil = time.load(ordering: .relaxed) + 900_000_000
            if writes { throw error(ENOSPC, "no space left") }
        }
    }

    /// Ends the process; what is left is what a new one finds.
    ///
    /// - Parameter losesUnsynced: Whether the machine went down with it.
    func restart(losesUnsynced: Bool) {
        state.withLock { state in
            state.isDead = false
            state.stepsToFault = .max
            state.fullUntil = 0
            if losesUnsynced {
                state.names = state.history[state.random.number(0...state.history.count - 1)]
                // In an order that is the same in every run.
                for (number, node) in state.nodes.sorted(by: { $0.key < $1.key }) {
                    var content = node.durable
                    for write in node.pending {
                        let kept = state.random.number(0...2)
                        // All, nothing, or a part of it.
                        let count = [
                            0, write.bytes.count, state.random.number(0...write.bytes.count),
                        ][kept]
                        guard count > 0 else { continue }
                        let missing = write.offset - content.count
                        if missing > 0 { content += [UInt8](repeating: 0, count: missing) }
                        content.replaceSubrange(
                            write.offset..<min(content.count, write.offset + count),
                            with: write.bytes[..<count])
                    }
                    state.nodes[number]?.content = content
                }
            }
            for number in state.nodes.keys {
                state.nodes[number]?.settle()
            }
            state.history = [state.names]
        }
    }

    /// Changes one byte of a file.
    func damage(_ name: String) {
        state.withLock { state in
            guard let number = state.names[name] else { return }
            state.nodes[number]?.flip(&state.random)
        }
    }

    // MARK: - Disk

    func names() throws(DiskError) -> [String] {
        try guarded { state throws(DiskError) in
            try step(&state, "read", "folder")
            return state.names.keys.sorted()
        }
    }

    func open(_ name: String) throws(DiskError) -> any DiskFile {
        try guarded { state throws(DiskError) in
            if let number = state.names[name] {
                try step(&state, "opened", name)
                return SimulatedFile(disk: self, number: number, name: name)
            }
            try step(&state, "made", name, writes: true)
            state.nodesMade += 1
            state.nodes[state.nodesMade] = Node()
            state.names[name] = state.nodesMade
            state.history.append(state.names)
            return SimulatedFile(disk: self, number: state.nodesMade, name: name)
        }
    }

    func rename(_ name: String, to newName: String) throws(DiskError) {
        try guarded { state throws(DiskError) in
            try step(&state, "renamed", name)
            state.names[newName] = state.names.removeValue(forKey: name)
            state.history.append(state.names)
        }
    }

    func remove(_ name: String) throws(DiskError) {
        try guarded { state throws(DiskError) in
            try step(&state, "removed", name)
            if state.names.removeValue(forKey: name) != nil { state.history.append(state.names) }
        }
    }

    func syncFolder() throws(DiskError) {
        try guarded { state throws(DiskError) in
            try step(&state, "made durable", "folder", syncs: true)
            state.history = [state.names]
        }
    }

    private func guarded<Result>(
        _ body: (inout State) throws(DiskError) -> sending Result
    ) throws(DiskError) -> sending Result {
        try state.withLock { state throws(DiskError) in try body(&state) }
    }

    // MARK: - Files

    fileprivate func size(_ number: Int) -> Int {
        state.withLock { $0.nodes[number]?.content.count ?? 0 }
    }

    fileprivate func append(_ bytes: [UInt8], to number: Int, _ name: String) throws(DiskError) {
        try guarded { state throws(DiskError) in
            do throws(DiskError) {
                try step(&state, "written", name, writes: true)
            } catch {
                // The process dies in the middle of the call.
                if state.isDead {
                    let part = Array(bytes.prefix(state.random.number(0...bytes.count)))
                    state.nodes[number]?.append(part)
                }
                throw error
            }
            state.nodes[number]?.append(bytes)
        }
    }

    fileprivate func read(
        _ number: Int, _ name: String, at offset: Int, count: Int
    ) throws(DiskError) -> [UInt8] {
        try guarded { state throws(DiskError) in
            try step(&state, "read", name)
            let content = state.nodes[number]?.content ?? []
            let start = min(offset, content.count)
            return Array(content[start..<min(content.count, start + count)])
        }
    }

    fileprivate func truncate(_ number: Int, _ name: String, to size: Int) throws(DiskError) {
        try guarded { state throws(DiskError) in
            try step(&state, "cut", name)
            state.nodes[number]?.truncate(to: size)
        }
    }

    fileprivate func sync(_ number: Int, _ name: String) throws(DiskError) {
        try guarded { state throws(DiskError) in
            do throws(DiskError) {
                try step(&state, "made durable", name, syncs: true)
            } catch {
                // After an error the cache counts as clean, and what was in it is gone.
                if !state.isDead { state.nodes[number]?.forget() }
                throw error
            }
            state.nodes[number]?.settle()
        }
    }
}

private final class SimulatedFile: DiskFile {
    private let disk: SimulatedDisk
    private let number: Int
    private let name: String

    init(disk: SimulatedDisk, number: Int, name: String) {
        self.disk = disk
        self.number = number
        self.name = name
    }

    var size: Int { disk.size(number) }
    func append(_ bytes: [UInt8]) throws(DiskError) { try disk.append(bytes, to: number, name) }
    func read(at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        try disk.read(number, name, at: offset, count: count)
    }
    func truncate(to size: Int) throws(DiskError) { try disk.truncate(number, name, to: size) }
    func sync() throws(DiskError) { try disk.sync(number, name) }
}
