import MatchEngine

/// What a data folder holds to go on from.
struct Recovery {
    /// The newest checkpoint that can be read.
    var checkpoint: Checkpoint?
    /// Journals to replay behind it, in order.
    var journals: [Int] = []
    /// The journal behind which the next one comes: there is no gap between those of one checkpoint, also
    /// when journals had to be dropped, or a damaged checkpoint has a higher number.
    var lastJournal: Int { journals.last ?? (checkpoint?.number ?? 0) - 1 }
    var ledgers: [SinkLedger] = []
    /// Bytes of the last journal that can be read.
    var lengthBefore = 0
    /// Whether the engine before ended on purpose, with nothing under way.
    var isClean = true

    private static let checkpointPrefix = "checkpoint-"
    private static let journalPrefix = "journal-"

    static func checkpointName(_ number: Int) -> String { numbered(checkpointPrefix, number) }
    static func journalName(_ number: Int) -> String { numbered(journalPrefix, number) }

    private static func numbered(_ prefix: String, _ number: Int) -> String {
        let digits = String(number)
        return prefix + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    /// The numbers of the files with a prefix, in order.
    static func checkpoints(_ names: [String]) -> [Int] { numbers(names, checkpointPrefix) }
    static func journals(_ names: [String]) -> [Int] { numbers(names, journalPrefix) }

    private static func numbers(_ names: [String], _ prefix: String) -> [Int] {
        names.filter { $0.hasPrefix(prefix) }.compactMap { Int($0.dropFirst(prefix.count)) }
            .sorted()
    }

    static func find(
        _ disk: any Disk, _ names: [String], _ tell: (String) -> Void
    ) throws -> Recovery {
        var recovery = Recovery()
        let journals = journals(names)
        recovery.checkpoint = try newestCheckpoint(disk, names, tell)
        if recovery.checkpoint == nil, let newest = checkpoints(names).last, journals.first != 0 {
            throw DurableFailure.failed(
                "no checkpoint can be read (the newest is \(checkpointName(newest))), and the journal does not reach back to the beginning; restore the folder from a backup, or move it away to begin anew"
            )
        }
        try recovery.readJournals(disk, journals)
        return recovery
    }

    /// The newest checkpoint that is whole; nil when there is none.
    ///
    /// - Parameter tell: Takes sentences about damaged ones.
    static func newestCheckpoint(
        _ disk: any Disk, _ names: [String], _ tell: (String) -> Void
    ) throws -> Checkpoint? {
        for number in checkpoints(names).reversed() {
            let name = checkpointName(number)
            let file = try disk.open(name)
            do throws(CheckpointError) {
                return try Checkpoint(file)
            } catch {
                switch error {
                case .newer(let reason):
                    throw DurableFailure.refused("\(name): \(reason); nothing was touched")
                case .damaged(let part):
                    tell("\(name) is damaged (\(part)): the one before it is used")
                case .unreadable(let error): throw error
                }
            }
        }
        return nil
    }

    /// Chooses the journals to replay and reads from them what the sinks have taken.
    private mutating func readJournals(_ disk: any Disk, _ all: [Int]) throws {
        ledgers = checkpoint?.sinks ?? []
        isClean = checkpoint?.isClean ?? true
        let start = checkpoint?.number ?? 0
        let wanted = all.filter { $0 >= start }
        for (index, number) in wanted.enumerated() where number != start + index {
            throw DurableFailure.failed(
                "\(Recovery.journalName(start + index)) is missing, so what happened behind the checkpoint is not known; restore the folder from a backup"
            )
        }
        var isBroken = false
        for number in wanted {
            // An engine has worked since: it may have delivered before it wrote anything down.
            if number > start { isClean = false }
            if isBroken {
                try disk.remove(Recovery.journalName(number))
                continue
            }
            var reader = RecordReader(try disk.open(Recovery.journalName(number)))
            var isFirst = true
            while let payload = try reader.next() {
                let record = try JournalRecord(payload: payload)
                if isFirst {
                    guard case .begin(let length) = record else { break }
                    // The end of the journal before was lost, so what came behind it has no ground.
                    if !journals.isEmpty, length > lengthBefore {
                        isBroken = true
                        break
                    }
                }
                if !isFirst { isClean = false }
                isFirst = false
                if case .acknowledge(let sink, let sequences, let mark) = record {
                    if !ledgers.contains(where: { $0.name == sink }) {
                        ledgers.append(SinkLedger(name: sink, next: checkpoint?.outboxEnd ?? 0))
                    }
                    for index in ledgers.indices where ledgers[index].name == sink {
                        ledgers[index].acknowledge(sequences, mark: mark)
                    }
                }
            }
            if isBroken {
                try disk.remove(Recovery.journalName(number))
                continue
            }
            lengthBefore = reader.offset
            journals.append(number)
        }
    }

    /// Removes what is older than the checkpoints that are kept.
    static func tidy(_ disk: any Disk, keeping kept: [Int]) throws(DiskError) {
        guard let newest = kept.last else { return }
        let names = try disk.names()
        // With one checkpoint alone, falling back means beginning at the beginning.
        let oldest = kept.count > 1 ? kept[0] : 0
        for number in checkpoints(names) where !kept.contains(number) && number < newest {
            try disk.remove(checkpointName(number))
        }
        for number in journals(names) where number < oldest {
            try disk.remove(journalName(number))
        }
    }
}
