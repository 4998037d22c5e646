import Foundation
import RuleModel

// Numbers: their grammar, their value where it is wanted, and whether a Double can hold them.

extension LineScanner {
    /// Reads a number. A whole one that fits is an `int`, any other that is finite a `float`.
    mutating func scanNumber(_ start: BytePointer, into cell: inout Cell) -> BytePointer? {
        var position = start
        let isNegative = position.pointee == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let first = position
        var digits: UInt64 = 0
        // Wrapping: the sum is used only where the digits are few enough.
        while position.pointee &- 0x30 <= 9 {
            digits = digits &* 10 &+ UInt64(position.pointee &- 0x30)
            position += 1
        }
        let wholeCount = position - first
        if wholeCount == 0 {
            return fail(isNegative ? .badNumber : .expectedValue, at: position)
        }
        if first.pointee == 0x30, wholeCount > 1 { return fail(.leadingZero, at: start) }
        if position.pointee != UInt8(ascii: "."), position.pointee | 0x20 != UInt8(ascii: "e") {
            if wholeCount < 19 || wholeCount == 19 && digits <= UInt64(Int64.max) {
                let value = Int64(bitPattern: digits)
                cell = Cell(kind: .int, bits: UInt64(bitPattern: isNegative ? -value : value))
                return position
            }
            // The one whole number whose positive twin does not fit.
            if wholeCount == 19, isNegative, digits == 1 << 63 {
                cell = Cell(kind: .int, bits: 1 << 63)
                return position
            }
            return float(start, position, into: &cell)
        }
        var exponent = 0
        guard
            let end = scanFractionAndExponent(
                position, digits: &digits, exponent: &exponent)
        else { return nil }
        let digitCount = end.isExact ? wholeCount + end.fractionCount : 20
        // Both numbers are exact as Doubles, so one operation rounds once and correctly.
        // See Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990, section 3.
        if digitCount <= 19, digits <= 1 << 53, exponent.magnitude <= 22 {
            let power = powersOfTen[Int(exponent.magnitude)]
            let magnitude = exponent < 0 ? Double(digits) / power : Double(digits) * power
            cell = Cell(kind: .float, bits: (isNegative ? -magnitude : magnitude).bitPattern)
            return end.position
        }
        return float(start, end.position, into: &cell)
    }

    /// Checks a number that nobody wants. Its size is looked into only where it may be too large.
    mutating func skipNumber(_ start: BytePointer) -> BytePointer? {
        var position = start
        if position.pointee == UInt8(ascii: "-") { position += 1 }
        let first = position
        while position.pointee &- 0x30 <= 9 { position += 1 }
        let wholeCount = position - first
        if wholeCount == 0 {
            return fail(first == start ? .expectedValue : .badNumber, at: position)
        }
        if first.pointee == 0x30, wholeCount > 1 { return fail(.leadingZero, at: start) }
        var largest = wholeCount
        if position.pointee == UInt8(ascii: ".") || position.pointee | 0x20 == UInt8(ascii: "e") {
            var digits: UInt64 = 0
            var exponent = 0
            guard
                let end = scanFractionAndExponent(
                    position, digits: &digits, exponent: &exponent)
            else { return nil }
            largest += exponent + end.fractionCount
            position = end.position
        }
        // A number below 1e308 fits for certain.
        if largest <= 308 { return position }
        var cell = Cell.missing
        return float(start, position, into: &cell)
    }

    /// What follows the whole part of a number.
    private struct NumberTail {
        var position: BytePointer
        var fractionCount: Int
        /// Whether `digits` and `exponent` are exact.
        var isExact: Bool
    }

    /// Reads `.123e-4`. `digits` goes on with the decimals; `exponent` is that of its last digit.
    private mutating func scanFractionAndExponent(
        _ start: BytePointer, digits: inout UInt64, exponent: inout Int
    ) -> NumberTail? {
        var position = start
        var fractionCount = 0
        if position.pointee == UInt8(ascii: ".") {
            position += 1
            let first = position
            while position.pointee &- 0x30 <= 9 {
                digits = digits &* 10 &+ UInt64(position.pointee &- 0x30)
                position += 1
            }
            fractionCount = position - first
            if fractionCount == 0 { return failNumber(position) }
        }
        var written = 0
        if position.pointee | 0x20 == UInt8(ascii: "e") {
            position += 1
            let isNegative = position.pointee == UInt8(ascii: "-")
            if isNegative || position.pointee == UInt8(ascii: "+") { position += 1 }
            let first = position
            while position.pointee &- 0x30 <= 9 {
                // Beyond this no digit changes whether the number is zero or too large.
                if written < 100_000_000 { written = written * 10 + Int(position.pointee &- 0x30) }
                position += 1
            }
            if position == first { return failNumber(position) }
            if isNegative { written = -written }
        }
        exponent = written - fractionCount
        return NumberTail(
            position: position, fractionCount: fractionCount, isExact: fractionCount <= 19)
    }

    private mutating func failNumber(_ position: BytePointer) -> NumberTail? {
        _ = fail(.badNumber, at: position)
        return nil
    }

    /// The slow and always right way to a Double.
    @inline(never)
    private mutating func float(
        _ start: BytePointer, _ end: BytePointer, into cell: inout Cell
    ) -> BytePointer? {
        // `strtod` stops at the byte behind the number: JSON's numbers are a part of C's, and the
        // grammar has been checked. The process never leaves the C locale.
        let value = strtod(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self), nil)
        guard value.isFinite else { return fail(.numberOutOfRange, at: start) }
        cell = Cell(kind: .float, bits: value.bitPattern)
        return end
    }
}

/// The powers of ten that a Double holds exactly.
private let powersOfTen: InlineArray<23, Double> = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]
