/// A hash over values that is the same in every process and on every machine.
public protocol ValueHash: Sendable {
    mutating func combine(byte: UInt8)
    mutating func combine(_ number: UInt64)
    /// The length goes first, so that "ab","c" and "a","bc" differ.
    mutating func combine(_ text: String)
}

extension ValueHash {
    @inlinable
    public mutating func combine(_ number: Int64) { combine(UInt64(bitPattern: number)) }

    @inlinable
    public mutating func combine(_ value: Value) {
        switch value {
        case .missing: combine(byte: 0)
        case .bool(let bool):
            combine(byte: 1)
            combine(byte: bool ? 1 : 0)
        case .int(let number):
            combine(byte: 2)
            combine(number)
        case .float(let number):
            // A whole number hashes alike however it was written, since the two compare equal (T7).
            if let whole = Int64(exactly: number) {
                combine(Value.int(whole))
            } else {
                combine(byte: 3)
                combine(number.bitPattern)
            }
        case .text(let text):
            combine(byte: 4)
            combine(text.string)
        case .ip(let address):
            combine(byte: 5)
            combine(address.high)
            combine(address.low)
        case .network(let network):
            combine(byte: 6)
            combine(network.address.high)
            combine(network.address.low)
            combine(byte: network.prefix)
        case .time(let time):
            combine(byte: 7)
            combine(time.nanoseconds)
        case .span(let span):
            combine(byte: 8)
            combine(span.nanoseconds)
        case .list(let values):
            combine(byte: 9)
            combine(UInt64(values.count))
            for value in values { combine(value) }
        }
    }

}

/// A hash that is the same in every process and on every machine: FNV-1a of 64 bits with a final mix.
///
/// For fingerprints and ids, which outlive the process. Not for defence against chosen keys.
/// - SeeAlso: Fowler, Noll, Vo, "The FNV Non-Cryptographic Hash Algorithm", IETF draft, §2; the mix
///   is the finaliser of MurmurHash3 (Appleby 2011).
public struct StableHash: ValueHash {
    private var state: UInt64

    public init(seed: UInt64 = 0) { state = 0xcbf2_9ce4_8422_2325 ^ seed }

    public mutating func combine(byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    public mutating func combine(_ number: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            combine(byte: UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    public mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            combine(UInt64(bytes.count))
            for byte in bytes { combine(byte: byte) }
        }
    }

    /// The hash of all that was combined so far.
    public var value: UInt64 { mixed(state) }
}

/// A hash for keys of events, read for each event: words multiplied to 128 bits and folded, with a final
/// mix. For tables and the choice of shards.
/// - SeeAlso: the folded multiplication is that of wyhash (Wang Yi 2019).
public struct KeyHash: ValueHash {
    @usableFromInline var state: UInt64 = 0xcbf2_9ce4_8422_2325

    @inlinable public init() {}

    @inlinable
    public mutating func combine(byte: UInt8) { combine(UInt64(byte)) }

    @inlinable
    public mutating func combine(_ number: UInt64) {
        let product = (state ^ number).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        // Without the sum a state that meets its own number would forget all that was before.
        state = (product.high ^ product.low) &+ number
    }

    @inlinable
    public mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { combine(UnsafeRawBufferPointer($0)) }
    }

    /// A text as bytes: eight at a time.
    @inlinable
    public mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        combine(UInt64(bytes.count))
        var offset = 0
        while offset + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            combine(UInt64(littleEndian: word))
            offset += 8
        }
        let left = bytes.count - offset
        guard left > 0 else { return }
        // The bytes that are left, the first the highest: read together with some before them, or from
        // both ends, where the bytes in the middle are the same.
        var rest: UInt64 = 0
        if bytes.count >= 8 {
            let word = bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
            rest = UInt64(bigEndian: word) & (1 << UInt64(8 * left) - 1)
        } else if left >= 4 {
            let high = bytes.loadUnaligned(as: UInt32.self)
            let low = bytes.loadUnaligned(fromByteOffset: left - 4, as: UInt32.self)
            rest =
                UInt64(UInt32(bigEndian: high)) << UInt64(8 * (left - 4))
                | UInt64(UInt32(bigEndian: low))
        } else {
            for byte in bytes { rest = rest << 8 | UInt64(byte) }
        }
        combine(rest)
    }

    /// The hash of all that was combined so far; never 0, which is free to stand for none.
    public var value: UInt64 { max(1, mixed(state)) }
}

/// The finaliser of MurmurHash3 (Appleby 2011).
private func mixed(_ state: UInt64) -> UInt64 {
    var hash = state
    hash ^= hash >> 33
    hash = hash &* 0xff51_afd7_ed55_8ccd
    hash ^= hash >> 33
    hash = hash &* 0xc4ce_b9fe_1a85_ec53
    return hash ^ (hash >> 33)
}
