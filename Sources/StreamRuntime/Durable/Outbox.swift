import MatchEngine
import RuleModel

/// One alert on its way to sinks.
public struct OutboxEntry: Sendable {
    /// Its place among all alerts of the data folder.
    public var sequence: UInt64
    /// When it was put into the outbox, by the wall clock.
    public var emittedAt: Timestamp
    /// The sinks it is for; none when it was silenced.
    public internal(set) var sinks: [String]
    /// The entry that had become a dead letter and is tried again with this one.
    var retryOf: UInt64?
    public var alert: Alert
    /// Whether a crash may have come between its sending and the note of it, so that it may come twice.
    public var isRedelivery = false

    var payload: [UInt8] {
        var writer = StateWriter()
        writer.write(unsigned: sequence)
        writer.write(emittedAt.nanoseconds)
        writer.write(sinks.count)
        for sink in sinks { writer.write(sink) }
        writer.write(unsigned: retryOf.map { $0 + 1 } ?? 0)
        alert.write(whole: &writer)
        return writer.bytes
    }

    init(
        sequence: UInt64, emittedAt: Timestamp, sinks: [String], alert: Alert,
        retryOf: UInt64? = nil
    ) {
        self.sequence = sequence
        self.emittedAt = emittedAt
        self.sinks = sinks
        self.alert = alert
        self.retryOf = retryOf
    }

    init(payload: [UInt8]) throws(SnapshotError) {
        var reader = StateReader(payload)
        sequence = try reader.unsigned()
        emittedAt = Timestamp(nanoseconds: try reader.int64())
        sinks = []
        for _ in 0..<(try reader.count()) { sinks.append(try reader.string()) }
        let retry = try reader.unsigned()
        retryOf = retry == 0 ? nil : retry - 1
        alert = try Alert(whole: &reader)
        try reader.expectEnd(of: "an entry of the outbox")
    }
}

extension Alert {
    /// Tells records apart, also those of one episode; the same after a crash and on every machine.
    ///
    /// The id of the alert, its state, and a hash of what the record says.
    public var recordID: String {
        var hash = StableHash()
        hash.combine(state.rawValue)
        hash.combine(matchedAt.nanoseconds)
        hash.combine(lastTime.nanoseconds)
        hash.combine(reason ?? "")
        hash.combine(message)
        hash.combine(isEarly ? 1 as UInt64 : 0)
        var digits = String(hash.value, radix: 16)
        digits = String(repeating: "0", count: 16 - digits.count) + digits
        return "\(id)-\(state.rawValue)-\(digits)"
    }
}

/// Alerts in files, each named after the first alert in it. A file goes when all sinks are done with it.
struct Outbox {
    struct Segment {
        var first: UInt64
        var bytes: Int
        var name: String { Outbox.name(of: first) }
    }

    /// The oldest first; the last one is appended to.
    private(set) var segments: [Segment] = []
    private var file: any DiskFile
    /// The number of the next alert.
    private(set) var next: UInt64

    private static let segmentBytes = 8 << 20
    private static let prefix = "outbox-"

    static func name(of first: UInt64) -> String {
        let digits = String(first)
        return prefix + String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    }

    static func first(of name: String) -> UInt64? {
        name.hasPrefix(prefix) ? UInt64(name.dropFirst(prefix.count)) : nil
    }

    /// Opens what is there, and cuts off what a crash has torn.
    ///
    /// - Parameters:
    ///   - end: The first alert behind the checkpoint: those from it on are handed to `visit`.
    ///   - dropped: How many bytes at the end could not be read.
    init(
        _ disk: any Disk, names: [String], from end: UInt64, dropped: inout Int,
        visit: (OutboxEntry) -> Void
    ) throws {
        let firsts = names.compactMap(Outbox.first).sorted()
        next = end
        // Behind a torn end nothing counts: it was not durable, so no sink has seen it.
        var isTorn = false
        for (index, first) in firsts.enumerated() {
            let name = Outbox.name(of: first)
            let isOlder = index + 1 < firsts.count && firsts[index + 1] <= end
            if isTorn {
                try disk.remove(name)
                continue
            }
            guard first <= max(next, end) else {
                throw SnapshotError.damaged("alerts \(next) to \(first) are not there", offset: 0)
            }
            let file = try disk.open(name)
            if !isOlder {
                var reader = RecordReader(file)
                next = first
                while let payload = try reader.next() {
                    let entry = try OutboxEntry(payload: payload)
                    if entry.sequence >= end { visit(entry) }
                    next = entry.sequence + 1
                }
                if reader.offset < file.size {
                    dropped += file.size - reader.offset
                    isTorn = true
                    try file.truncate(to: reader.offset)
                }
                // It may have been in the cache only, and it counts as durable from now on.
                try file.sync()
            }
            segments.append(Segment(first: first, bytes: file.size))
        }
        next = max(next, end)
        // A new file, so that what is appended lies behind nothing doubtful.
        if let last = segments.last, last.first == next {
            file = try disk.open(last.name)
        } else {
            segments.append(Segment(first: next, bytes: 0))
            file = try disk.open(Outbox.name(of: next))
            try disk.syncFolder()
        }
    }

    /// Writes entries behind the others; the numbers are theirs already.
    ///
    /// - Parameter unsynced: Files that must be made durable for the entries to be.
    mutating func append(
        _ entries: [OutboxEntry], _ disk: any Disk, unsynced: inout [any DiskFile]
    ) throws(DiskError) {
        if segments[segments.count - 1].bytes >= Outbox.segmentBytes {
            let segment = Segment(first: next, bytes: 0)
            let file = try disk.open(segment.name)
            try disk.syncFolder()
            self.file = file
            segments.append(segment)
        }
        try file.append(entries.flatMap { RecordLog.framed($0.payload) })
        segments[segments.count - 1].bytes = file.size
        next += UInt64(entries.count)
        if !unsynced.contains(where: { $0 === file }) { unsynced.append(file) }
    }

    /// The segment that holds an alert, and whether it is written to no more.
    func segment(holding sequence: UInt64) -> (name: String, isClosed: Bool)? {
        guard let index = segments.lastIndex(where: { $0.first <= sequence }) else { return nil }
        return (segments[index].name, index + 1 < segments.count)
    }

    /// About how many bytes the alerts at or behind this one take: alerts of a file count as equally large.
    func bytes(from sequence: UInt64) -> Int {
        guard sequence < next else { return 0 }
        let start = segments.lastIndex { $0.first <= sequence } ?? 0
        let end = start + 1 < segments.count ? segments[start + 1].first : next
        let share = Double(end - sequence) / Double(max(1, end - segments[start].first))
        return segments[(start + 1)...].reduce(0) { $0 + $1.bytes }
            + Int(Double(segments[start].bytes) * min(1, share))
    }

    /// Removes the segments whose alerts all lie before this one, but keeps the newest of them as
    /// history up to a size.
    mutating func drop(
        before sequence: UInt64, keeping historyBytes: Int, _ disk: any Disk
    ) throws(DiskError) {
        guard let last = segments.lastIndex(where: { $0.first <= sequence }), last > 0 else {
            return
        }
        var kept = 0
        var count = last
        while count > 0, kept + segments[count - 1].bytes <= historyBytes {
            kept += segments[count - 1].bytes
            count -= 1
        }
        for segment in segments[..<count] { try disk.remove(segment.name) }
        segments.removeFirst(count)
    }
}
