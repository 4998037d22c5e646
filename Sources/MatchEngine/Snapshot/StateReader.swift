import RuleModel

/// Reads what `StateWriter` has written. Every read is checked against the bytes that are left.
public struct StateReader: Sendable {
    private let bytes: [UInt8]
    private var position: Int
    private let end: Int
    /// What the numbers in the bytes stand for in the program of now; filled in by whoever has read
    /// the names.
    var names = Names()
    /// How far time had come when the snapshot was written; filled in likewise.
    var now = Timestamp.distantFuture

    /// The types and columns that the program of the snapshot had; nil for what no rule reads any more.
    struct Names: Sendable {
        var eventTypes: [EventTypeID?] = []
        var columns: [Int?] = []
    }

    /// A reader at the first of the bytes.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }

    private init(_ bytes: [UInt8], _ range: Range<Int>, names: Names, now: Timestamp) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
        self.names = names
        self.now = now
    }

    /// How many bytes have not been read.
    var bytesLeft: Int { end - position }

    /// Whether everything has been read.
    public var isAtEnd: Bool { position == end }

    /// The error that what has just been read cannot be.
    public func damaged(_ what: String) -> SnapshotError { .damaged(what, offset: position) }

    /// One byte.
    public mutating func byte() throws(SnapshotError) -> UInt8 {
        guard position < end else { throw damaged("an early end") }
        defer { position += 1 }
        return bytes[position]
    }

    /// One byte that is 0 or 1.
    public mutating func bool() throws(SnapshotError) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        default: throw damaged("neither yes nor no")
        }
    }

    /// A varint.
    @inline(__always)
    public mutating func unsigned() throws(SnapshotError) -> UInt64 {
        // Most numbers are small.
        if position < end, bytes[position] < 0x80 {
            defer { position += 1 }
            return UInt64(bytes[position])
        }
        return try longUnsigned()
    }

    private mutating func longUnsigned() throws(SnapshotError) -> UInt64 {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte()
            let bits = UInt64(byte & 0x7F)
            guard shift < 63 || (shift == 63 && bits <= 1) else {
                throw damaged("a number of more than 64 bits")
            }
            number |= bits << shift
            if byte & 0x80 == 0 { return number }
            shift += 7
        }
    }

    /// A varint of either sign.
    public mutating func int64() throws(SnapshotError) -> Int64 {
        let number = try unsigned()
        return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
    }

    /// A varint of either sign.
    public mutating func int() throws(SnapshotError) -> Int { Int(try int64()) }

    /// A whole number within bounds.
    mutating func int(in range: ClosedRange<Int>) throws(SnapshotError) -> Int {
        let number = try int()
        guard range.contains(number) else { throw damaged("\(number) is not in \(range)") }
        return number
    }

    /// Eight bytes.
    public mutating func word() throws(SnapshotError) -> UInt64 {
        guard end - position >= 8 else { throw damaged("an early end") }
        let word = bytes.withUnsafeBytes { bytes in
            // There are eight bytes, as was just seen.
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        }
        position += 8
        return word
    }

    mutating func double() throws(SnapshotError) -> Double { Double(bitPattern: try word()) }

    /// How many elements follow. Each takes a byte at least, so a count that the bytes cannot hold is
    /// refused before room is made for it.
    public mutating func count() throws(SnapshotError) -> Int {
        let count = try int()
        guard count >= 0, count <= end - position else { throw damaged("a count of \(count)") }
        return count
    }

    /// UTF-8 with its length in front.
    public mutating func string() throws(SnapshotError) -> String {
        let block = try block()
        guard let text = String(validating: bytes[block], as: UTF8.self) else {
            throw damaged("text that is not UTF-8")
        }
        return text
    }

    /// Bytes with their count in front.
    public mutating func readBytes() throws(SnapshotError) -> [UInt8] { Array(bytes[try block()]) }

    private mutating func block() throws(SnapshotError) -> Range<Int> {
        let length = try unsigned()
        guard length <= UInt64(end - position) else { throw damaged("an early end") }
        defer { position += Int(length) }
        return position..<position + Int(length)
    }

    /// A count of things that are not in the bytes: not negative, and small enough to be added to.
    public mutating func tally() throws(SnapshotError) -> Int { try int(in: 0...(1 << 60)) }

    /// The time at which something was processed, which is not ahead of the engine's. What comes next
    /// is then behind it in order, and so is every deadline.
    mutating func past() throws(SnapshotError) -> Timestamp {
        let time: Timestamp = try read()
        guard time <= now else { throw damaged("a time to come") }
        return time
    }

    /// The event type that a number stood for; nil when no rule reads it any more.
    mutating func eventType() throws(SnapshotError) -> EventTypeID? {
        let number = try int()
        guard names.eventTypes.indices.contains(number) else {
            throw damaged("an event type without a name")
        }
        return names.eventTypes[number]
    }

    /// The column that a number stood for; nil when no rule reads it any more.
    mutating func column() throws(SnapshotError) -> Int? {
        let number = try int()
        guard names.columns.indices.contains(number) else {
            throw damaged("a column without a name")
        }
        return names.columns[number]
    }

    /// The reader of a section, which this one passes over, and the version the section was written in.
    ///
    /// - Parameters:
    ///   - part: What the section holds, for messages.
    ///   - known: The newest version that the caller can read.
    public mutating func section(
        _ part: String, known: Int
    ) throws(SnapshotError) -> (reader: StateReader, version: Int) {
        let version = try int()
        guard version >= 1 else { throw damaged("version \(version) of \(part)") }
        guard version <= known else {
            throw .newer(part: part, version: version, known: known)
        }
        let length = try word()
        guard length <= UInt64(end - position) else { throw damaged("an early end of \(part)") }
        let range = position..<position + Int(length)
        position = range.upperBound
        return (StateReader(bytes, range, names: names, now: now), version)
    }

    /// Refuses what is left over: the writer and the reader of a part must agree on its end.
    public func expectEnd(of part: String) throws(SnapshotError) {
        guard isAtEnd else { throw damaged("more than was expected of \(part)") }
    }
}

extension StateWriter {
    /// An event type by its number in the program of now; the numbers' names are written once.
    mutating func write(_ type: EventTypeID) { write(Int(type.rawValue)) }
}
