/// A file of records, each with its length and checksum in front:
///
///     length    4 bytes, little endian: of the payload
///     checksum  4 bytes: CRC-32C of length and payload
///     payload
///
/// A crash may leave a torn record at the end. Reading stops before it, and whoever goes on cuts it off.
enum RecordLog {
    static let headBytes = 8
    /// No record is longer, so that a damaged length is found out before room is made for it.
    static let payloadMax = 64 << 20

    /// The bytes of a record.
    static func framed(_ payload: [UInt8]) -> [UInt8] {
        let length = littleEndian(UInt32(payload.count))
        return length + littleEndian(checksum(length + payload)) + payload
    }

    static func littleEndian(_ number: UInt32) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
}

/// Reads the records of a file one after the other, a piece at a time.
struct RecordReader {
    private let file: any DiskFile
    /// Where the next record begins.
    private(set) var offset: Int
    private var piece: [UInt8] = []
    /// Where in the file `piece` begins.
    private var pieceStart: Int
    private let pieceBytes = 1 << 20

    init(_ file: any DiskFile, at offset: Int = 0) {
        self.file = file
        self.offset = offset
        pieceStart = offset
    }

    /// The payload of the next record; nil at the end, before a torn or damaged record, and before one
    /// that is only being written.
    mutating func next() throws(DiskError) -> [UInt8]? {
        guard try hold(RecordLog.headBytes) else { return nil }
        let place = offset - pieceStart
        let length = number(at: place)
        let sum = number(at: place + 4)
        guard length > 0, length <= RecordLog.payloadMax,
            try hold(RecordLog.headBytes + Int(length))
        else { return nil }
        let start = offset - pieceStart + RecordLog.headBytes
        let payload = Array(piece[start..<start + Int(length)])
        guard checksum(RecordLog.littleEndian(length) + payload) == sum else { return nil }
        offset += RecordLog.headBytes + Int(length)
        return payload
    }

    private func number(at place: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(piece[place + $1]) << UInt32(8 * $1) }
    }

    /// Whether so many bytes from `offset` on are in the piece, after reading if need be.
    private mutating func hold(_ count: Int) throws(DiskError) -> Bool {
        if offset - pieceStart + count <= piece.count { return true }
        piece = try file.read(at: offset, count: max(count, pieceBytes))
        pieceStart = offset
        return piece.count >= count
    }
}
