import RuleModel

/// Writes state as bytes: whole numbers as varints (small ones are short), fixed words little endian,
/// text and sections with their length in front.
///
/// The same state gives the same bytes: what lies in a `Dictionary` or `Set` is written in an order of
/// its own (`write(sorted:)`).
public struct StateWriter: Sendable {
    /// What has been written so far.
    public private(set) var bytes: [UInt8] = []

    /// A writer that has written nothing.
    public init() {}

    /// One byte.
    public mutating func write(byte: UInt8) { bytes.append(byte) }

    /// One byte, 0 or 1.
    public mutating func write(_ bool: Bool) { bytes.append(bool ? 1 : 0) }

    /// Seven bits in each byte, the lowest first; the high bit says that more follow.
    public mutating func write(unsigned number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Numbers near zero are short, of either sign.
    public mutating func write(_ number: Int64) {
        write(unsigned: UInt64(bitPattern: (number << 1) ^ (number >> 63)))
    }

    /// As 64 bits of either sign.
    public mutating func write(_ number: Int) { write(Int64(number)) }

    /// Eight bytes, for hashes and bits that are seldom small.
    public mutating func write(word: UInt64) {
        withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Bit by bit, so that sums come back exactly.
    mutating func write(_ number: Double) { write(word: number.bitPattern) }

    /// UTF-8 with its length in front.
    public mutating func write(_ text: String) {
        write(unsigned: UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// Bytes with their count in front.
    public mutating func write(bytes block: some Collection<UInt8>) {
        write(unsigned: UInt64(block.count))
        bytes.append(contentsOf: block)
    }

    /// A part with its version and its length in front, so that a reader that does not want it
    /// can pass over it.
    public mutating func section(version: Int, _ write: (inout StateWriter) -> Void) {
        self.write(version)
        // The length comes to stand before what is written after it: room for it is left.
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: 8))
        write(&self)
        let length = UInt64(bytes.count - start - 8)
        for index in 0..<8 {
            bytes[start + index] = UInt8(truncatingIfNeeded: length >> UInt64(8 * index))
        }
    }

    /// Elements without an order of their own, in order of their bytes.
    mutating func write<Element>(
        sorted elements: some Collection<Element>, _ write: (Element, inout StateWriter) -> Void
    ) {
        let parts = elements.map { element in
            var writer = StateWriter()
            write(element, &writer)
            return writer.bytes
        }
        self.write(parts.count)
        for part in parts.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            bytes.append(contentsOf: part)
        }
    }
}
