import MatchEngine
import RuleModel

/// An alert that a sink did not take, with the reason; one file in the data folder.
///
/// `martlet dlq retry` renames the file, and the engine that finds it under that name puts the alert into
/// the outbox again.
public struct DeadLetter: Sendable {
    public var sink: String
    public var reason: String
    public var attempts: Int
    /// When it was given up, by the wall clock.
    public var at: Timestamp
    public var entry: OutboxEntry

    private static let prefix = "dead-"
    private static let retryPrefix = "retry-"
    private static let form = 1

    /// The name of its file, which is also how `martlet dlq` calls it.
    public var name: String {
        let safe = sink.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" ? $0 : "_" }
        return "\(DeadLetter.prefix)\(entry.sequence)-\(String(safe))"
    }

    static func isLetter(_ name: String) -> Bool {
        (name.hasPrefix(prefix) || name.hasPrefix(retryPrefix)) && !name.hasSuffix(".tmp")
    }

    static func isRetry(_ name: String) -> Bool {
        name.hasPrefix(retryPrefix) && !name.hasSuffix(".tmp")
    }

    /// The file that asks for the alert to be tried again.
    static func retryName(of sequence: UInt64, in names: [String]) -> String {
        names.first { $0.hasPrefix("\(retryPrefix)\(sequence)-") } ?? "\(retryPrefix)\(sequence)-"
    }

    init(sink: String, reason: String, attempts: Int, at time: Timestamp, entry: OutboxEntry) {
        self.sink = sink
        self.reason = reason
        self.attempts = attempts
        at = time
        self.entry = entry
    }

    /// Nil when the file is damaged.
    init?(_ file: any DiskFile) throws(DiskError) {
        var records = RecordReader(file)
        guard let payload = try records.next() else { return nil }
        do throws(SnapshotError) {
            var outer = StateReader(payload)
            var (reader, _) = try outer.section("a dead letter", known: DeadLetter.form)
            sink = try reader.string()
            reason = try reader.string()
            attempts = try reader.tally()
            at = Timestamp(nanoseconds: try reader.int64())
            entry = try OutboxEntry(payload: try reader.readBytes())
        } catch {
            return nil
        }
    }

    func write(to disk: any Disk) throws(DiskError) {
        var writer = StateWriter()
        writer.section(version: DeadLetter.form) { writer in
            writer.write(sink)
            writer.write(reason)
            writer.write(attempts)
            writer.write(at.nanoseconds)
            writer.write(bytes: entry.payload)
        }
        let bytes = RecordLog.framed(writer.bytes)
        try disk.replace(name) { file throws(DiskError) in try file.append(bytes) }
    }

    /// All dead letters of a data folder, in order.
    public static func all(in disk: any Disk) throws(DiskError) -> [DeadLetter] {
        var letters: [DeadLetter] = []
        for name in try disk.names() where name.hasPrefix(prefix) && !name.hasSuffix(".tmp") {
            if let letter = try DeadLetter(try disk.open(name)) { letters.append(letter) }
        }
        return letters.sorted { ($0.entry.sequence, $0.sink) < ($1.entry.sequence, $1.sink) }
    }

    /// Asks the engine that runs, or the next one, to try it again.
    public func retry(in disk: any Disk) throws(DiskError) {
        try disk.rename(name, to: DeadLetter.retryPrefix + name.dropFirst(DeadLetter.prefix.count))
        try disk.syncFolder()
    }

    /// Throws it away.
    public func drop(in disk: any Disk) throws(DiskError) {
        try disk.remove(name)
        try disk.syncFolder()
    }
}
