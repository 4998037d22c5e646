import Dispatch

/// How checkpoints are made: one cut, and a file that is written beside the running engine.
extension DurableStore {
    /// Whether it is time for a checkpoint.
    var isCheckpointDue: Bool {
        guard keepsState else { return false }
        let now = clock.now()
        return state.withLock { state in
            if state.isWritingCheckpoint { return false }
            if state.journalBytes >= options.journalBytesMax { return true }
            let isWorthIt = state.journalBytes > state.idleBytes || state.idleBytes > 1 << 20
            return isWorthIt && now - state.lastCheckpoint >= options.checkpointEvery
        }
    }

    /// Puts into a cut through the pipeline what the store knows, and begins the journal behind it.
    /// `write` must follow.
    func begin(_ cut: inout Checkpoint) throws {
        try room { state throws(DiskError) in
            try state.rotate(self)
            cut.number = state.journalNumber
            cut.outboxEnd = state.outbox.next
            cut.sinks = state.ledgers
            cut.expected = state.expected
            cut.isClean = cut.isClean && state.ledgers.allSatisfy(\.open.isEmpty)
            state.isWritingCheckpoint = true
            state.lastCheckpoint = self.clock.now()
            state.journalBytes = 0
            state.idleBytes = 0
        }
    }

    /// Writes a cut beside the running engine: a copy of this process encodes the state and writes the
    /// file, so the engine stands still for as long as it takes to make the copy. Where no copy can be
    /// had, the state is encoded here.
    ///
    /// - Parameters:
    ///   - isLast: Whether the engine ends with it: it is there when this returns.
    ///   - parts: The alert stage and the engines, which stay as they are during this call.
    ///   - started: When the engine stood still for it.
    func write(
        _ checkpoint: Checkpoint, isLast: Bool, _ parts: [Checkpoint.Part], since started: Int64
    ) throws {
        let name = Recovery.checkpointName(checkpoint.number)
        let isBeside = options.usesThreads && !isLast
        if isBeside, let writer = fork(checkpoint, parts, name) {
            notePause(since: started)
            checkpointQueue.async { [self] in
                finish(checkpoint) { () throws(DiskError) in try take(writer, name) }
            }
            return
        }
        let bytes = onAllCores(parts.count) { parts[$0]() }
        if !isLast { notePause(since: started) }
        let write: @Sendable () -> Void = { [self] in
            finish(checkpoint) { () throws(DiskError) in
                try disk.replace(name) { file throws(DiskError) in
                    try checkpoint.write(bytes.map { part in { part } }, to: file)
                }
                return true
            }
        }
        if isBeside {
            checkpointQueue.async(execute: write)
        } else {
            if options.usesThreads { checkpointQueue.sync {} }
            write()
            try check()
        }
    }

    private func notePause(since started: Int64) {
        let pause = clock.now() - started
        state.withLock { $0.counters.notePause(pause) }
    }

    // MARK: - In a copy of this process

    private func fork(
        _ checkpoint: Checkpoint, _ parts: [Checkpoint.Part], _ name: String
    ) -> ForkedWriter? {
        guard let disk = disk as? SystemDisk else { return nil }
        // After one that failed, one that cannot: so there is a new checkpoint now and then in any case.
        let hasFailed = state.withLock { state in
            defer { state.forkHasFailed = false }
            return state.forkHasFailed
        }
        if hasFailed { return nil }
        do throws(DiskError) {
            return try disk.fork(writing: name + ".tmp") { file throws(DiskError) in
                try checkpoint.write(parts, to: file)
            }
        } catch {
            // Writing it here meets the same error, and says so.
            return nil
        }
    }

    /// - Returns: Whether there is a checkpoint now.
    private func take(_ writer: ForkedWriter, _ name: String) throws(DiskError) -> Bool {
        switch writer.wait(isUnwanted: { state.withLock(\.isStopping) }) {
        case .written:
            try disk.adopt(name + ".tmp", as: name)
            return true
        case .stopped:
            try disk.remove(name + ".tmp")
            return false
        case .failed(let error):
            // The room it has taken is needed; the first error is the one to tell.
            do throws(DiskError) { try disk.remove(name + ".tmp") } catch {}
            throw error
        case .ended(let how):
            try disk.remove(name + ".tmp")
            state.withLock { $0.forkHasFailed = true }
            notice(
                "the process that writes \(name) \(how): this checkpoint is left out, the one before "
                    + "stays good, and the engine stands still for the next one")
            return false
        }
    }

    // MARK: - The file

    /// - Parameter write: Makes the file; tells whether it is there.
    private func finish(_ checkpoint: Checkpoint, _ write: () throws(DiskError) -> Bool) {
        defer { state.withLock { $0.isWritingCheckpoint = false } }
        // What the checkpoint counts on must be there before it is.
        commit()
        guard state.withLock({ $0.failure == nil }) else { return }
        do throws(DiskError) {
            guard try write() else { return }
        } catch {
            if error.isFull {
                notice("\(error): this checkpoint is left out; the one before stays good")
            } else {
                fail(DurableFailure.failed("\(error)"))
            }
            return
        }
        let kept = state.withLock { state in
            state.kept.append(Kept(number: checkpoint.number, outboxEnd: checkpoint.outboxEnd))
            state.kept = state.kept.suffix(2)
            state.counters.checkpoints += 1
            return state.kept
        }
        do throws(DiskError) {
            try Recovery.tidy(disk, keeping: kept.map(\.number))
            let ends = kept.map(\.outboxEnd)
            let error: DiskError? = state.withLock { state in
                guard kept.count > 1, let end = ends.min() else { return nil }
                let low = min(end, state.low ?? end)
                do throws(DiskError) {
                    try state.outbox.drop(before: low, keeping: options.historyBytes, disk)
                    return nil
                } catch { return error }
            }
            if let error { throw error }
        } catch {
            notice("\(error); it is tried again after the next checkpoint")
        }
    }
}
