/// A sum of decimal numbers without rounding errors, from which numbers can be taken away again.
///
/// The sum is kept as an expansion: a few numbers whose exact total is the exact total of all that
/// was added and not removed. It is rounded once, when it is read. So the result is the same
/// whatever the order of adding and removing, and ten times 0.1 is 1.
///
/// Whole numbers are kept apart, in 128 bits. Numbers beyond 1e290 count as infinite while they
/// are in the sum, so that no partial total can overflow.
/// - SeeAlso: Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric
///   Predicates", 1997, §2.5 (grow-expansion); the final rounding is that of Python's `math.fsum`.
struct ExactSum: Sendable {
    private var whole: Int128 = 0
    /// Non-overlapping, of rising magnitude, none zero.
    private var expansion: [Double] = []
    private var decimals = 0
    private var infinities = 0
    private var negativeInfinities = 0

    /// Whether no decimal number is in the sum.
    var isWhole: Bool { decimals == 0 }

    mutating func add(_ number: Int64) { whole += Int128(number) }

    mutating func remove(_ number: Int64) { whole -= Int128(number) }

    /// - Precondition: not a NaN.
    mutating func add(_ number: Double) {
        decimals += 1
        if isInfinite(number) {
            if number > 0 { infinities += 1 } else { negativeInfinities += 1 }
        } else {
            grow(by: number)
        }
    }

    /// - Precondition: the number was added before and not removed since.
    mutating func remove(_ number: Double) {
        decimals -= 1
        if isInfinite(number) {
            if number > 0 { infinities -= 1 } else { negativeInfinities -= 1 }
        } else {
            grow(by: -number)
        }
    }

    /// The sum, if it is a whole number of 64 bits and no decimal number took part.
    var wholeValue: Int64? { isWhole ? Int64(exactly: whole) : nil }

    /// The exact sum, rounded to the nearest number; ties to even. Nil when infinities of both
    /// signs are in it.
    var rounded: Double? {
        if infinities > 0 || negativeInfinities > 0 {
            if infinities > 0 && negativeInfinities > 0 { return nil }
            return infinities > 0 ? .infinity : -.infinity
        }
        if isWhole { return Double(whole) }
        if whole == 0 { return ExactSum.round(expansion) }
        var all = self
        // A double holds 32 bits of a whole number exactly, wherever they stand.
        var rest = whole.magnitude
        var scale = whole < 0 ? -1.0 : 1.0
        while rest > 0 {
            all.grow(by: Double(UInt32(truncatingIfNeeded: rest)) * scale)
            rest >>= 32
            scale *= 4_294_967_296
        }
        return ExactSum.round(all.expansion)
    }

    private func isInfinite(_ number: Double) -> Bool { number.magnitude > 1e290 }

    private mutating func grow(by number: Double) {
        var carry = number
        var kept = 0
        expansion.withUnsafeMutableBufferPointer { parts in
            for index in parts.indices {
                // Knuth's exact sum of two, which asks for no order of magnitudes.
                let part = parts[index]
                let sum = carry + part
                let rest = sum - carry
                let error = (carry - (sum - rest)) + (part - rest)
                // Nothing that is still to be read: no more is kept than was read.
                parts[kept] = error
                if error != 0 { kept += 1 }
                carry = sum
            }
        }
        if carry != 0 {
            if kept < expansion.count { expansion[kept] = carry } else { expansion.append(carry) }
            kept += 1
        }
        while expansion.count > kept { expansion.removeLast() }
    }

    private static func round(_ expansion: [Double]) -> Double {
        guard var sum = expansion.last else { return 0 }
        var index = expansion.count - 1
        var error = 0.0
        while index > 0, error == 0 {
            index -= 1
            let before = sum
            sum = before + expansion[index]
            error = expansion[index] - (sum - before)
        }
        // Halfway between two numbers, so far: what lies below decides.
        if index > 0, (error < 0) == (expansion[index - 1] < 0) {
            let twice = error * 2
            let shifted = sum + twice
            if shifted - sum == twice { sum = shifted }
        }
        return sum
    }
}

// MARK: - Snapshot

extension ExactSum: StateCoded {
    func write(to writer: inout StateWriter) {
        writer.write(word: UInt64(truncatingIfNeeded: whole))
        writer.write(word: UInt64(truncatingIfNeeded: whole >> 64))
        writer.write(expansion)
        writer.write(decimals)
        writer.write(infinities)
        writer.write(negativeInfinities)
    }

    init(from reader: inout StateReader) throws(SnapshotError) {
        let low = try reader.word()
        let high = Int64(bitPattern: try reader.word())
        whole = Int128(high) << 64 | Int128(low)
        // A window has fewer events than this: no further sum can overflow.
        guard whole.magnitude < 1 << 124 else { throw reader.damaged("a sum of no numbers") }
        expansion = try reader.readArray()
        guard expansion.allSatisfy({ $0.isFinite && $0 != 0 }) else {
            throw reader.damaged("a sum of no numbers")
        }
        decimals = try reader.tally()
        infinities = try reader.tally()
        negativeInfinities = try reader.tally()
    }
}
