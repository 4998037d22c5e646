/// A set of rows of a batch, one bit each.
struct RowBits: Sendable {
    var words: [UInt64]

    init(words: Int) { self.words = Array(repeating: 0, count: words) }

    init(words: [UInt64]) { self.words = words }

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    func contains(_ row: Int) -> Bool { words[row / 64] >> UInt64(row % 64) & 1 == 1 }

    mutating func insert(_ row: Int) { words[row / 64] |= 1 << UInt64(row % 64) }

    mutating func formUnion(_ other: RowBits) {
        for word in words.indices { words[word] |= other.words[word] }
    }

    mutating func subtract(_ other: RowBits) {
        for word in words.indices { words[word] &= ~other.words[word] }
    }

    /// Calls `body` with each row, in rising order.
    @inline(__always)
    func forEach(_ body: (Int) -> Void) {
        for index in words.indices {
            var rest = words[index]
            while rest != 0 {
                body(index * 64 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
    }

    /// The rows for which the test holds, in rising order.
    @inline(__always)
    func filter(_ test: (Int) -> Bool) -> RowBits {
        var result = RowBits(words: words.count)
        for index in words.indices {
            var rest = words[index]
            var kept: UInt64 = 0
            while rest != 0 {
                let bit = rest.trailingZeroBitCount
                rest &= rest - 1
                if test(index * 64 + bit) { kept |= 1 << UInt64(bit) }
            }
            result.words[index] = kept
        }
        return result
    }
}
