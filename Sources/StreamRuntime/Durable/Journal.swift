import MatchEngine
import RuleModel

/// What the engine was given, in order, and what the sinks have taken: one record each. Replayed behind
/// the checkpoint that it belongs to, the engine is where it was.
///
/// Input from files stands as a range of the file; input that cannot be read again stands as its bytes.
enum JournalRecord {
    /// The first record of a journal. The journal before had this length, or else it has lost its end.
    case begin(lengthBefore: Int)
    /// - arrival: The number of events before it.
    case range(source: String, arrival: UInt64, FilePosition, end: Int)
    case bytes(
        source: String, arrival: UInt64, name: String, offset: Int, line: Int, [UInt8])
    /// Time that passed without events.
    case time(idle: [String], advance: Timestamp?)
    /// A sink is done with alerts, all of them at once.
    case acknowledge(sink: String, sequences: [UInt64], mark: Int)

    private enum Tag: UInt8 { case begin = 1, range, bytes, time, acknowledge }

    var payload: [UInt8] {
        var writer = StateWriter()
        func tag(_ tag: Tag) { writer.write(byte: tag.rawValue) }
        switch self {
        case .begin(let length):
            tag(.begin)
            writer.write(length)
        case .range(let source, let arrival, let position, let end):
            tag(.range)
            writer.write(source)
            writer.write(unsigned: arrival)
            position.write(to: &writer)
            writer.write(end)
        case .bytes(let source, let arrival, let name, let offset, let line, let bytes):
            tag(.bytes)
            writer.write(source)
            writer.write(unsigned: arrival)
            writer.write(name)
            writer.write(offset)
            writer.write(line)
            writer.write(bytes: bytes)
        case .time(let idle, let advance):
            tag(.time)
            writer.write(idle.count)
            for name in idle { writer.write(name) }
            writer.write(time: advance)
        case .acknowledge(let sink, let sequences, let mark):
            tag(.acknowledge)
            writer.write(sink)
            writer.write(mark)
            writer.write(sequences.count)
            for sequence in sequences { writer.write(unsigned: sequence) }
        }
        return writer.bytes
    }

    init(payload: [UInt8]) throws(SnapshotError) {
        var reader = StateReader(payload)
        switch Tag(rawValue: try reader.byte()) {
        case .begin: self = .begin(lengthBefore: try reader.tally())
        case .range:
            self = .range(
                source: try reader.string(), arrival: try reader.unsigned(),
                try FilePosition(from: &reader),
                end: try reader.tally())
        case .bytes:
            self = .bytes(
                source: try reader.string(), arrival: try reader.unsigned(),
                name: try reader.string(), offset: try reader.tally(), line: try reader.tally(),
                try reader.readBytes())
        case .time:
            var idle: [String] = []
            for _ in 0..<(try reader.count()) { idle.append(try reader.string()) }
            self = .time(idle: idle, advance: try reader.time())
        case .acknowledge:
            let sink = try reader.string()
            let mark = try reader.tally()
            var sequences: [UInt64] = []
            for _ in 0..<(try reader.count()) { sequences.append(try reader.unsigned()) }
            self = .acknowledge(sink: sink, sequences: sequences, mark: mark)
        case nil: throw reader.damaged("an unknown kind of record")
        }
        try reader.expectEnd(of: "a record")
    }
}

extension FilePosition {
    init(from reader: inout StateReader) throws(SnapshotError) {
        path = try reader.string()
        identity = FileIdentity(device: try reader.word(), inode: try reader.word())
        offset = try reader.tally()
        line = try reader.tally()
    }

    func write(to writer: inout StateWriter) {
        writer.write(path)
        writer.write(word: identity.device)
        writer.write(word: identity.inode)
        writer.write(offset)
        writer.write(line)
    }
}

extension StateReader {
    /// An instant, or none.
    mutating func time() throws(SnapshotError) -> Timestamp? {
        try bool() ? Timestamp(nanoseconds: try int64()) : nil
    }
}

extension StateWriter {
    /// An instant, or none.
    mutating func write(time: Timestamp?) {
        write(time != nil)
        if let time { write(time.nanoseconds) }
    }
}
