import MatchEngine
import RuleModel

/// What a pipeline that keeps its state does at the start and at checkpoints.
extension Pipeline {
    /// What was found in the data folder, for people.
    public struct RecoveryReport: Sendable {
        /// What became of the state of each rule.
        public var rules: RestoreReport
        /// Events that came behind the checkpoint and were processed again.
        public var replayedEvents: Int
        /// Ranges of files that were read before the crash and cannot be read again.
        public var lostRanges: Int
        public var seconds: Double
    }

    /// Goes on from the checkpoint and the journal behind it.
    func recover(_ output: ([Alert], [InputFault], PipelineSummary) throws -> Void) throws {
        guard let store else { return }
        guard store.keepsState else {
            try store.beginLive()
            return
        }
        let started = clock.now()
        var report = RestoreReport()
        if let checkpoint = store.recovered { report = try restore(checkpoint) }
        let eventsBefore = feeds.reduce(0) { $0 + $1.report.events }
        var ranges = RangeReader()
        var lost = 0
        try store.replay { record in
            switch record {
            case .begin, .acknowledge: return
            case .time(let idle, let advance):
                let feeds = feeds.filter { idle.contains($0.name) }
                for feed in feeds { feed.isIdle = true }
                passTime(idle: feeds, reached: advance)
            case .bytes(let source, let arrival, let name, let offset, let line, let bytes):
                let lines = LineChunk(bytes, name: name, line: line, fileOffset: offset)
                replay(lines, of: nil, source, arrival)
            case .range(let source, let arrival, let position, let end):
                guard let lines = ranges.lines(from: position, to: end) else {
                    lost += 1
                    store.notice(
                        "\(position.path): bytes \(position.offset) to \(end) were read before the "
                            + "crash and cannot be read again: alerts that they led to may be missing"
                    )
                    return
                }
                replay(lines, of: position.identity, source, arrival)
            }
            try passOn(output)
        }
        for feed in feeds { feed.resume() }
        let replayed = feeds.reduce(0) { $0 + $1.report.events } - eventsBefore
        try store.beginLive()
        summary.recovery = RecoveryReport(
            rules: report, replayedEvents: replayed, lostRanges: lost,
            seconds: Double(clock.now() - started) / 1e9)
        try passOn(output)
        // Engines that are killed again and again get on.
        if replayed > 0 { try checkpoint(store, isClean: false) }
    }

    private func replay(
        _ lines: LineChunk, of identity: FileIdentity?, _ source: String, _ arrival: UInt64
    ) {
        guard let feed = feeds.first(where: { $0.name == source }) else { return }
        self.arrival = arrival
        feed.replay(lines, of: identity, arrival: &self.arrival)
        guard feed.hasRows else { return }
        let rows = feed.take(upTo: nil)
        note(feed, rows)
        process(feed, rows)
    }

    private func restore(_ checkpoint: Checkpoint) throws -> RestoreReport {
        arrival = checkpoint.arrival
        summary.firstTime = checkpoint.firstTime
        summary.lastTime = checkpoint.lastTime
        var sources: [(Feed, Checkpoint.Source)] = []
        for feed in feeds {
            guard let source = checkpoint.sources.first(where: { $0.name == feed.name }) else {
                continue
            }
            sources.append((feed, source))
        }
        do throws(SnapshotError) {
            for (feed, source) in sources { try feed.restore(source) }
            stage = try AlertStage(restoring: checkpoint.stage, program: program)
            stage.correctable = setup.correctable
            let shards = shards
            let parts = onAllCores(shards.count) { index in
                Result { () throws(SnapshotError) in
                    try shards[index].perform { engine, alerts throws(SnapshotError) in
                        try engine.restore(checkpoint.engines, emitting: &alerts)
                    }
                }
            }
            var report: RestoreReport?
            for part in parts {
                let part = try part.get()
                report = report?.adding(shard: part) ?? part
            }
            return report ?? RestoreReport()
        } catch {
            let name = Recovery.checkpointName(checkpoint.number)
            if case .newer = error {
                throw DurableFailure.refused("\(name): \(error); nothing was touched")
            }
            throw DurableFailure.failed("\(name): \(error)")
        }
    }

    /// Makes one cut through all shards and hands it to the store.
    ///
    /// - Precondition: no batch is under way, no row is waiting, and all alerts have been passed on.
    func checkpoint(_ store: DurableStore, isClean: Bool) throws {
        let started = clock.now()
        wantsCheckpoint = false
        var cut = Checkpoint()
        cut.arrival = arrival
        cut.firstTime = summary.firstTime
        cut.lastTime = summary.lastTime
        cut.isClean = isClean
        cut.sources = feeds.map(\.state)
        try store.begin(&cut)
        // No batch is under way, so no other thread holds a shard, as a copy of the process needs it.
        let stage = stage
        var parts: [Checkpoint.Part] = [{ stage.snapshot() }]
        for shard in shards { parts.append { shard.perform { engine, _ in engine.snapshot() } } }
        try store.write(cut, isLast: isClean, parts, since: started)
    }
}
