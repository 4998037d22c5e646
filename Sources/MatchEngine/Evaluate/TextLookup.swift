/// From texts to numbers: an open-addressed hash table that is built once.
struct TextLookup: Sendable {
    private struct Entry: Sendable {
        var hash: UInt64
        var start: Int32
        var count: Int32
    }

    /// Entry + 1, or 0; the size is a power of two, and at least one place is free.
    private var places: [Int32]
    private var entries: [Entry] = []
    private var bytes: [UInt8] = []

    /// - Precondition: no text is there twice.
    init(_ texts: [[UInt8]]) {
        var size = 4
        while size < texts.count * 2 { size *= 2 }
        places = Array(repeating: 0, count: size)
        for text in texts {
            let hash = text.withUnsafeBufferPointer { TextLookup.hash($0) }
            entries.append(
                Entry(hash: hash, start: Int32(bytes.count), count: Int32(text.count)))
            bytes += text
            var place = Int(truncatingIfNeeded: hash) & (size - 1)
            while places[place] != 0 { place = (place + 1) & (size - 1) }
            places[place] = Int32(entries.count)
        }
    }

    /// The place of the text in the list given to `init`; nil when it is not there.
    func find(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        let hash = TextLookup.hash(text)
        let mask = places.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while places[place] != 0 {
            let index = Int(places[place]) - 1
            if entries[index].hash == hash, Int(entries[index].count) == text.count {
                let start = Int(entries[index].start)
                let isEqual = bytes.withUnsafeBufferPointer { bytes in
                    TextTests.equal(
                        UnsafeBufferPointer(rebasing: bytes[start..<start + text.count]), text)
                }
                if isEqual { return index }
            }
            place = (place + 1) & mask
        }
        return nil
    }

    /// Eight bytes at a time: multiply and fold. Stays within the process.
    private static func hash(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        let raw = UnsafeRawBufferPointer(text)
        var hash = UInt64(text.count) &* 0x9E37_79B9_7F4A_7C15
        var place = 0
        while place + 8 <= raw.count {
            mix(&hash, raw.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            place += 8
        }
        var rest: UInt64 = 0
        while place < raw.count {
            rest = rest << 8 | UInt64(raw[place])
            place += 1
        }
        mix(&hash, rest)
        return hash
    }

    @inline(__always)
    private static func mix(_ hash: inout UInt64, _ word: UInt64) {
        let product = (hash ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        hash = product.low ^ product.high
    }
}
