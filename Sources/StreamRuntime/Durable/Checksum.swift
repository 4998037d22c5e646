/// CRC-32C (Castagnoli) of the bytes, eight at a time.
///
/// - SeeAlso: RFC 3720, appendix B.4, for the polynomial and check values.
func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    bytes.withContiguousStorageIfAvailable { checksum(UnsafeRawBufferPointer($0)) }
        ?? checksum(Array(bytes))
}

private func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var sum = UInt32.max
    var place = 0
    checksumTables.withUnsafeBufferPointer { tables in
        while place + 8 <= bytes.count {
            let word =
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                ^ UInt64(sum)
            var next: UInt32 = 0
            for lane in 0..<8 {
                let byte = Int(truncatingIfNeeded: (word >> UInt64(8 * lane)) & 0xFF)
                next ^= tables[(7 - lane) * 256 + byte]
            }
            sum = next
            place += 8
        }
        while place < bytes.count {
            sum = tables[Int((sum ^ UInt32(bytes[place])) & 0xFF)] ^ (sum >> 8)
            place += 1
        }
    }
    return ~sum
}

/// For each byte, and for each with one to seven zero bytes behind it, what it does to the sum.
private let checksumTables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
        var sum = UInt32(byte)
        for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0x82F6_3B78 : sum >> 1 }
        tables[byte] = sum
    }
    for place in 256..<tables.count {
        let before = tables[place - 256]
        tables[place] = tables[Int(before & 0xFF)] ^ (before >> 8)
    }
    return tables
}()
