import MatchEngine
import RuleModel

#if canImport(Glibc)
    import Glibc
#endif

/// What somebody said of an alert.
public struct Judgement: Sendable, Equatable {
    /// The id of the alert, which all records of its episode share.
    public var id: String
    public var rule: String
    public var isRight: Bool
    /// Why; may be empty.
    public var note: String
    /// When, by the wall clock.
    public var at: Timestamp

    public init(id: String, rule: String, isRight: Bool, note: String, at time: Timestamp) {
        self.id = id
        self.rule = rule
        self.isRight = isRight
        self.note = note
        at = time
    }
}

/// The judgements of a data folder: one log, to which a command appends also while an engine runs.
public struct Judgements: Sendable {
    static let fileName = "judgements"
    /// What the stated confidence of a rule weighs, in judgements.
    private static let statedWeight = 10.0

    /// By id of the alert; of several judgements the last counts.
    private var last: [String: Judgement] = [:]

    /// Reads what a folder holds; nothing when nobody has judged yet.
    public init(in disk: any Disk) throws {
        guard try disk.names().contains(Judgements.fileName) else { return }
        var records = RecordReader(try disk.open(Judgements.fileName))
        while let payload = try records.next() {
            let judgement = try Judgement(payload: payload)
            last[judgement.id] = judgement
        }
    }

    /// The same by the path of a folder; nil while nobody has judged in it, or while there is none.
    public init?(dataFolder path: String) throws {
        guard access(path + "/" + Judgements.fileName, F_OK) == 0 else { return nil }
        try self.init(in: try DataFolder.reading(path: path))
    }

    public subscript(id: String) -> Judgement? { last[id] }

    /// How many alerts of a rule were judged, and how many of those were right.
    public func count(rule: String) -> (right: Int, judged: Int) {
        let own = last.values.filter { $0.rule == rule }
        return (own.count(where: \.isRight), own.count)
    }

    /// The probability that an alert of the rule is right: what the rule states weighs as much as ten
    /// judgements (part 5 of the language).
    public func confidence(stated: Double, rule: String) -> Double {
        let (right, judged) = count(rule: rule)
        let weight = Judgements.statedWeight
        return (stated * weight + Double(right)) / (weight + Double(judged))
    }

    /// Writes a judgement behind those that are there; it is durable when this returns. Commands that judge
    /// at the same time wait for one another.
    public static func append(_ judgement: Judgement, to disk: SystemDisk) throws {
        let lock = open(disk.path(of: fileName), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX) == 0 else {
            throw DurableFailure.failed(
                "`\(disk.path(of: fileName))` cannot be locked: \(systemError())")
        }
        defer { close(lock) }
        let file = try disk.open(fileName)
        var records = RecordReader(file)
        while try records.next() != nil {}
        // What a crash has torn would hide all that comes behind it.
        if records.offset < file.size { try file.truncate(to: records.offset) }
        try file.append(RecordLog.framed(judgement.payload))
        try file.sync()
        try disk.syncFolder()
    }
}

extension Judgement {
    fileprivate var payload: [UInt8] {
        var writer = StateWriter()
        writer.write(id)
        writer.write(rule)
        writer.write(isRight)
        writer.write(note)
        writer.write(at.nanoseconds)
        return writer.bytes
    }

    fileprivate init(payload: [UInt8]) throws(SnapshotError) {
        var reader = StateReader(payload)
        id = try reader.string()
        rule = try reader.string()
        isRight = try reader.bool()
        note = try reader.string()
        at = Timestamp(nanoseconds: try reader.int64())
        try reader.expectEnd(of: "a judgement")
    }
}
