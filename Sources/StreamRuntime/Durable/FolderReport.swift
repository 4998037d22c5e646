import MatchEngine
import RuleModel

/// What lies in a data folder, read without changing it, also while an engine runs on it.
public struct FolderReport: Sendable {
    /// One file and what is wrong with it.
    public struct File: Sendable {
        public var name: String
        public var bytes: Int
        /// For people: what is in it.
        public var content: String
        /// Nil when it is whole.
        public var damage: String?
    }

    public private(set) var files: [File] = []

    /// Reads every file, and every checksum.
    public init(_ disk: any Disk) throws(DiskError) {
        for name in try disk.names().sorted() where name != "lock" && name != "format" {
            if name.hasSuffix(".tmp") || name.hasSuffix(".sock") { continue }
            let file = try disk.open(name)
            var report = File(name: name, bytes: file.size, content: "", damage: nil)
            if Recovery.checkpoints([name]).first != nil {
                describeCheckpoint(file, &report)
            } else if DeadLetter.isLetter(name) {
                let letter = try DeadLetter(file)
                report.content = letter.map { "\($0.entry.alert.id) for \($0.sink)" } ?? ""
                report.damage = letter == nil ? "its checksum is wrong" : nil
            } else if Silence.isSilence(name) {
                var records = RecordReader(file)
                if try records.next() == nil { report.damage = "its checksum is wrong" }
            } else {
                try describeLog(file, isOutbox: Outbox.first(of: name) != nil, &report)
            }
            files.append(report)
        }
    }

    private func describeCheckpoint(_ file: any DiskFile, _ report: inout File) {
        do throws(CheckpointError) {
            let checkpoint = try Checkpoint(file)
            var parts = [counted(checkpoint.engines.count, "engine")]
            if let time = checkpoint.lastTime { parts.append("events up to \(time)") }
            for sink in checkpoint.sinks {
                parts.append("\(sink.name) done up to \(sink.low) of \(checkpoint.outboxEnd)")
            }
            report.content = parts.joined(separator: ", ")
        } catch {
            switch error {
            case .damaged(let part): report.damage = "\(part) is not what was written"
            case .newer(let reason): report.damage = reason
            case .unreadable(let error): report.damage = "\(error)"
            }
        }
    }

    private func describeLog(
        _ file: any DiskFile, isOutbox: Bool, _ report: inout File
    ) throws(DiskError) {
        var reader = RecordReader(file)
        var count = 0
        while try reader.next() != nil { count += 1 }
        let what =
            isOutbox ? "alert" : report.name == Judgements.fileName ? "judgement" : "record"
        report.content = counted(count, what)
        // What a crash has torn, or the running engine is writing, is at the end.
        if reader.offset < report.bytes {
            report.content +=
                ", then \(counted(report.bytes - reader.offset, "byte")) that are no whole record"
        }
    }

    /// What an engine that started now would go on from.
    public struct StateReport: Sendable {
        /// Of the checkpoint.
        public var name: String
        /// Of the last event before it.
        public var lastTime: Timestamp?
        /// All shards together.
        public var rules: [SnapshotSummary.Rule]
        /// Each source with the positions it has reached in its files.
        public var sources: [(name: String, positions: [String])]
    }

    /// Reads the newest checkpoint that is whole; nil when there is none.
    ///
    /// - Parameter tell: Takes sentences about damaged ones.
    public static func state(
        in disk: any Disk, tell: (String) -> Void
    ) throws -> StateReport? {
        guard let checkpoint = try Recovery.newestCheckpoint(disk, disk.names(), tell) else {
            return nil
        }
        var rules: [SnapshotSummary.Rule] = []
        var places: [String: Int] = [:]
        for rule in try checkpoint.engines.flatMap({ try SnapshotSummary($0).rules }) {
            if let place = places[rule.name] {
                rules[place].keys += rule.keys
                rules[place].openMatches += rule.openMatches
                rules[place].bytes += rule.bytes
            } else {
                places[rule.name] = rules.count
                rules.append(rule)
            }
        }
        return StateReport(
            name: Recovery.checkpointName(checkpoint.number), lastTime: checkpoint.lastTime,
            rules: rules,
            sources: checkpoint.sources.map { source in
                (source.name, source.positions.map { "\($0.path) at byte \($0.offset)" })
            })
    }

    /// Hands out the alerts that are still in the outbox, the oldest first, with the sinks they are for.
    public static func alerts(
        in disk: any Disk, _ visit: (OutboxEntry) -> Void
    ) throws {
        for first in try disk.names().compactMap(Outbox.first).sorted() {
            var reader = RecordReader(try disk.open(Outbox.name(of: first)))
            while let payload = try reader.next() {
                let entry = try OutboxEntry(payload: payload)
                if entry.retryOf == nil { visit(entry) }
            }
        }
    }

    /// Copies what an engine needs to go on into an empty folder, also while the engine runs.
    ///
    /// Checkpoints first, then what builds on them, so that the copy is one that a crash could have left.
    /// - Returns: How many bytes; nil when the engine has tidied meanwhile, so that it must be tried again.
    public static func copy(from disk: any Disk, to copy: any Disk) throws(DiskError) -> Int? {
        let names = try disk.names()
        func numbered(_ prefix: String) -> [String] {
            names.filter { $0.hasPrefix(prefix) && !$0.hasSuffix(".tmp") }.sorted()
        }
        var total = 0
        let wanted =
            numbered("checkpoint-") + numbered("journal-") + numbered("outbox-")
            + numbered("dead-") + numbered("retry-") + numbered(Judgements.fileName)
            + numbered("silence-")
            + numbered("format")
        for name in wanted {
            let source = try disk.open(name)
            let size = source.size
            let file = try copy.open(name)
            while file.size < size {
                let piece = try source.read(at: file.size, count: min(4 << 20, size - file.size))
                if piece.isEmpty { return nil }
                try file.append(piece)
            }
            try file.sync()
            total += size
        }
        try copy.syncFolder()
        return Set(try disk.names()).isSuperset(of: wanted) ? total : nil
    }
}
