import MatchEngine
import RuleModel

/// One atomic cut through the pipeline: what the engine knew, where the sources stood, and what the
/// sinks had taken.
struct Checkpoint: Sendable {
    struct Source: Sendable {
        var name: String
        var positions: [FilePosition]
        var isIdle: Bool
        /// The ids that came lately; nil where none are kept.
        var ids: SeenIDs?
        /// The same as read; empty where there are none.
        var idBytes: [UInt8] = []
    }

    /// The journal of the same number holds what came behind the cut.
    var number = 0
    /// Of the last event.
    var arrival: UInt64 = 0
    var firstTime: Timestamp?
    var lastTime: Timestamp?
    var sources: [Source] = []
    /// The first alert behind the cut.
    var outboxEnd: UInt64 = 0
    var sinks: [SinkLedger] = []
    /// Records before `outboxEnd` that the engine has yet to make again, since a crash came between.
    var expected: [String: Int] = [:]
    /// Whether the engine ended on purpose, with nothing under way to a sink.
    var isClean = false
    /// As read.
    var stage: [UInt8] = []
    /// As read, one for each shard.
    var engines: [[UInt8]] = []

    /// What makes the bytes of the alert stage, then of each shard's engine, when it is asked.
    typealias Part = @Sendable () -> [UInt8]

    private static let mark = Array("MARTCKPT".utf8)
    /// 2: with the ids of `dedup`.
    private static let version = 2

    /// Writes a mark, then sections, each with its length and checksum in front.
    func write(_ parts: [Part], to file: any DiskFile) throws(DiskError) {
        var writer = StateWriter()
        writer.section(version: Checkpoint.version) { writer in
            writer.write(number)
            writer.write(unsigned: arrival)
            writer.write(time: firstTime)
            writer.write(time: lastTime)
            writer.write(sources.count)
            for source in sources {
                writer.write(source.name)
                writer.write(source.isIdle)
                writer.write(source.positions.count)
                for position in source.positions { position.write(to: &writer) }
                var ids = StateWriter()
                source.ids?.write(to: &ids)
                writer.write(bytes: ids.bytes)
            }
            writer.write(unsigned: outboxEnd)
            writer.write(sinks.count)
            for sink in sinks { sink.write(to: &writer) }
            writer.write(expected.count)
            for (record, count) in expected.sorted(by: { $0.key < $1.key }) {
                writer.write(record)
                writer.write(count)
            }
            writer.write(isClean)
            writer.write(parts.count - 1)
        }
        let head = writer.bytes
        try file.append(Checkpoint.mark)
        for part in [{ head }] + parts {
            let section = part()
            let length = withUnsafeBytes(of: UInt64(section.count).littleEndian) { Array($0) }
            try file.append(length + RecordLog.littleEndian(checksum(section)))
            try file.append(section)
        }
    }

    init() {}

    /// Reads what `write` wrote; whatever has been done to them, a checksum tells.
    init(_ file: any DiskFile) throws(CheckpointError) {
        do {
            let mark = try file.read(at: 0, count: Checkpoint.mark.count)
            guard mark == Checkpoint.mark else { throw CheckpointError.damaged("its first bytes") }
            var offset = mark.count
            var shards = 0
            try readMeta(try Checkpoint.section(file, &offset, "its head"), &shards)
            stage = try Checkpoint.section(file, &offset, "the alert stage")
            for shard in 0..<shards {
                engines.append(try Checkpoint.section(file, &offset, "engine \(shard + 1)"))
            }
            guard offset == file.size else { throw CheckpointError.damaged("its length") }
        } catch let error as CheckpointError {
            throw error
        } catch let error as DiskError {
            throw .unreadable(error)
        } catch let error as SnapshotError {
            if case .newer = error { throw .newer("\(error)") }
            throw .damaged("its head: \(error)")
        } catch {
            throw .damaged("\(error)")
        }
    }

    private static func section(
        _ file: any DiskFile, _ offset: inout Int, _ part: String
    ) throws -> [UInt8] {
        let head = try file.read(at: offset, count: 12)
        guard head.count == 12 else { throw CheckpointError.damaged(part) }
        let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(head[$1]) << UInt64(8 * $1) }
        offset += 12
        guard length <= UInt64(file.size - offset) else { throw CheckpointError.damaged(part) }
        let bytes = try file.read(at: offset, count: Int(length))
        guard RecordLog.littleEndian(checksum(bytes)) == Array(head[8...]) else {
            throw CheckpointError.damaged(part)
        }
        offset += bytes.count
        return bytes
    }

    private mutating func readMeta(_ bytes: [UInt8], _ shards: inout Int) throws(SnapshotError) {
        var outer = StateReader(bytes)
        var (reader, version) = try outer.section("the checkpoint", known: Checkpoint.version)
        number = try reader.tally()
        arrival = try reader.unsigned()
        firstTime = try reader.time()
        lastTime = try reader.time()
        for _ in 0..<(try reader.count()) {
            var source = Source(name: try reader.string(), positions: [], isIdle: try reader.bool())
            for _ in 0..<(try reader.count()) {
                source.positions.append(try FilePosition(from: &reader))
            }
            if version >= 2 { source.idBytes = try reader.readBytes() }
            sources.append(source)
        }
        outboxEnd = try reader.unsigned()
        for _ in 0..<(try reader.count()) { sinks.append(try SinkLedger(from: &reader)) }
        for _ in 0..<(try reader.count()) {
            expected[try reader.string(), default: 0] += try reader.tally()
        }
        isClean = try reader.bool()
        shards = try reader.tally()
        try reader.expectEnd(of: "the head of a checkpoint")
        try outer.expectEnd(of: "the head of a checkpoint")
    }
}

/// Why a checkpoint cannot be used.
enum CheckpointError: Error {
    /// Its bytes are not those that were written: the one before is used.
    case damaged(String)
    /// It was written by a version that knows more than this one: nothing is touched.
    case newer(String)
    case unreadable(DiskError)
}

/// What one sink has been given and what of it is done.
///
/// All alerts before `next` are done, except those in `open`.
struct SinkLedger: Sendable {
    var name: String
    /// The first alert that has not been looked at.
    var next: UInt64 = 0
    /// Alerts that are on their way.
    var open: Set<UInt64> = []
    /// Alerts at or behind `next` that are done, as the journal says after a crash.
    var doneAhead: Set<UInt64> = []
    /// What the sink said of itself with the last alert that was done, for example the size of its file.
    var mark = 0

    init(name: String, next: UInt64) {
        self.name = name
        self.next = next
    }

    /// All alerts before this one are done.
    var low: UInt64 { open.min() ?? next }

    mutating func acknowledge(_ sequences: [UInt64], mark: Int) {
        self.mark = mark
        for sequence in sequences where open.remove(sequence) == nil && sequence >= next {
            doneAhead.insert(sequence)
        }
    }

    /// Alerts before this one were done, or they would still be there.
    mutating func forget(before sequence: UInt64) {
        next = max(next, sequence)
        open = open.filter { $0 >= sequence }
        doneAhead = doneAhead.filter { $0 >= sequence }
    }

    init(from reader: inout StateReader) throws(SnapshotError) {
        name = try reader.string()
        next = try reader.unsigned()
        mark = try reader.tally()
        for _ in 0..<(try reader.count()) { open.insert(try reader.unsigned()) }
        for _ in 0..<(try reader.count()) { doneAhead.insert(try reader.unsigned()) }
    }

    func write(to writer: inout StateWriter) {
        writer.write(name)
        writer.write(unsigned: next)
        writer.write(mark)
        for set in [open, doneAhead] {
            writer.write(set.count)
            for sequence in set.sorted() { writer.write(unsigned: sequence) }
        }
    }
}
