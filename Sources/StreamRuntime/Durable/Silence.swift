import MatchEngine
import RuleModel

/// Alerts that somebody does not want to be told of for some time: they are kept, and given to no sink.
///
/// Each is a file of the data folder that is written once, by a command. The engine looks every second which
/// there are, and takes those away that are over.
public struct Silence: Sendable, Equatable {
    /// `rule`, `severity` or the name of a part of the key, and what its value must be; `*` stands for any text.
    public struct Part: Sendable, Equatable {
        public var name: String
        public var pattern: String

        public init(name: String, pattern: String) {
            self.name = name
            self.pattern = pattern
        }
    }

    /// How `martlet silence rm` calls it.
    public var number: Int
    /// All of them must fit; there is at least one.
    public var parts: [Part]
    /// By the wall clock.
    public var since: Timestamp
    public var until: Timestamp
    /// Why; may be empty.
    public var note: String

    private static let prefix = "silence-"
    private static let form = 1

    public init(
        number: Int, parts: [Part], since: Timestamp, until: Timestamp, note: String
    ) {
        self.number = number
        self.parts = parts
        self.since = since
        self.until = until
        self.note = note
    }

    /// The name of its file.
    var fileName: String { "\(Silence.prefix)\(number)" }

    static func isSilence(_ name: String) -> Bool {
        name.hasPrefix(prefix) && !name.hasSuffix(".tmp")
    }

    /// Whether an alert that comes at this time is not to be told of.
    public func covers(_ alert: Alert, at now: Timestamp) -> Bool { now < until && fits(alert) }

    /// The same whatever the time is.
    public func fits(_ alert: Alert) -> Bool {
        parts.allSatisfy { part in
            switch part.name {
            case "rule": fitsPattern(alert.rule, part.pattern)
            case "severity": fitsPattern(alert.severity.rawValue, part.pattern)
            case let name:
                alert.key.contains {
                    $0.name == name && fitsPattern($0.value.plainText, part.pattern)
                }
            }
        }
    }

    // MARK: - Files

    /// All silences of a data folder, also those that are over, in order of their numbers.
    ///
    /// - Throws: `SnapshotError` for one that is damaged.
    public static func all(in disk: any Disk) throws -> [Silence] {
        try disk.names().filter(isSilence).map { name in
            var records = RecordReader(try disk.open(name))
            guard let payload = try records.next() else {
                throw SnapshotError.damaged("the file `\(name)`", offset: 0)
            }
            return try Silence(payload)
        }.sorted { $0.number < $1.number }
    }

    /// Puts it into the data folder; it is durable when this returns.
    public func write(to disk: any Disk) throws(DiskError) {
        var writer = StateWriter()
        writer.section(version: Silence.form) { writer in
            writer.write(number)
            writer.write(parts.count)
            for part in parts {
                writer.write(part.name)
                writer.write(part.pattern)
            }
            writer.write(since.nanoseconds)
            writer.write(until.nanoseconds)
            writer.write(note)
        }
        let bytes = RecordLog.framed(writer.bytes)
        try disk.replace(fileName) { file throws(DiskError) in try file.append(bytes) }
    }

    /// Ends it before its time.
    public func remove(from disk: any Disk) throws(DiskError) {
        try disk.remove(fileName)
        try disk.syncFolder()
    }

    private init(_ payload: [UInt8]) throws(SnapshotError) {
        var outer = StateReader(payload)
        var (reader, _) = try outer.section("a silence", known: Silence.form)
        number = try reader.tally()
        parts = []
        for _ in 0..<(try reader.count()) {
            parts.append(Part(name: try reader.string(), pattern: try reader.string()))
        }
        since = Timestamp(nanoseconds: try reader.int64())
        until = Timestamp(nanoseconds: try reader.int64())
        note = try reader.string()
    }
}
