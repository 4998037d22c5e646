// Texts: where they end, whether they are valid, and their escapes undone.

extension LineScanner {
    /// Finds the closing quote of a text and checks all bytes before it.
    ///
    /// `start` is the first byte behind the opening quote. Sets `isEscaped` if there is a backslash.
    @inline(__always)
    mutating func stringEnd(_ start: BytePointer, _ isEscaped: inout Bool) -> BytePointer? {
        var position = start
        while true {
            let stops = Stops(position)
            if stops.low | stops.high == 0 {
                position += 16
                continue
            }
            position += stops.first
            if position.pointee == .quote { return position }
            guard let next = scanOddBytes(position, &isEscaped) else { return nil }
            position = next
        }
    }

    /// Where a text may stop being plain, in sixteen bytes: at a quote, a backslash, a control
    /// character, or a byte that is not ASCII. Such bytes are all ones, the others zero.
    private struct Stops {
        let low: UInt64
        let high: UInt64

        @inline(__always)
        init(_ position: BytePointer) {
            let bytes = UnsafeRawPointer(position).loadUnaligned(as: SIMD16<Int8>.self)
            // Vectors on both sides, and the masks joined as words: with a scalar or with `.|` the
            // compiler goes from lane to lane.
            let quotes = bytes .== SIMD16<Int8>(repeating: 0x22)
            let backslashes = bytes .== SIMD16<Int8>(repeating: 0x5C)
            // As signed numbers, bytes that are not ASCII are below the space too.
            let odd = bytes .< SIMD16<Int8>(repeating: 0x20)
            let words =
                unsafeBitCast(quotes, to: SIMD2<UInt64>.self)
                | unsafeBitCast(backslashes, to: SIMD2<UInt64>.self)
                | unsafeBitCast(odd, to: SIMD2<UInt64>.self)
            low = UInt64(littleEndian: words[0])
            high = UInt64(littleEndian: words[1])
        }

        /// The first of them.
        @inline(__always)
        var first: Int {
            // Without a branch, which would be guessed wrong half the time: the bits of `high` count
            // only behind the 64 of an empty `low`.
            let more = low == 0 ? high.trailingZeroBitCount : 0
            return (low.trailingZeroBitCount &+ more) >> 3
        }
    }

    /// Checks the bytes at which the fast loop stopped: one escape, or a row of non-ASCII bytes.
    ///
    /// Returns the first byte behind them.
    @inline(never)
    private mutating func scanOddBytes(
        _ start: BytePointer, _ isEscaped: inout Bool
    ) -> BytePointer? {
        if start.pointee == .backslash {
            isEscaped = true
            return scanEscape(start)
        }
        if start.pointee < 0x20 {
            if isLineEnd(start) { return fail(.unclosedString, at: start) }
            return fail(start.pointee == 0 ? .nulByte : .controlCharacter, at: start)
        }
        var position = start
        while position.pointee >= 0x80 {
            let count = utf8Count(position)
            if count == 0 { return fail(.invalidUTF8, at: position) }
            position += count
        }
        return position
    }

    /// How many bytes the code point at `position` has; 0 if it is not valid UTF-8.
    ///
    /// A byte is looked at only if all before it fit, and a line feed never fits.
    /// - SeeAlso: The Unicode Standard, version 15, table 3-7, "Well-Formed UTF-8 Byte Sequences".
    private func utf8Count(_ position: BytePointer) -> Int {
        func follows(_ place: Int) -> Bool { position[place] & 0xC0 == 0x80 }
        let first = position[0]
        switch first {
        case 0xC2...0xDF:
            return follows(1) ? 2 : 0
        case 0xE0...0xEF:
            guard follows(1) else { return 0 }
            if first == 0xE0 && position[1] < 0xA0 || first == 0xED && position[1] > 0x9F {
                return 0
            }
            return follows(2) ? 3 : 0
        case 0xF0...0xF4:
            guard follows(1) else { return 0 }
            if first == 0xF0 && position[1] < 0x90 || first == 0xF4 && position[1] > 0x8F {
                return 0
            }
            return follows(2) && follows(3) ? 4 : 0
        default:
            return 0
        }
    }

    /// Checks one escape, a surrogate pair as one; returns the first byte behind it.
    private mutating func scanEscape(_ start: BytePointer) -> BytePointer? {
        switch start[1] {
        case .quote, .backslash, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74:  // " \ / b f n r t
            return start + 2
        case 0x75:  // u
            guard let unit = codeUnit(start) else { return failEscape(start) }
            if unit & 0xF800 != 0xD800 { return start + 6 }
            guard unit < 0xDC00, start[6] == .backslash, start[7] == 0x75 else {
                return fail(.loneSurrogate, at: start)
            }
            guard let second = codeUnit(start + 6) else { return failEscape(start + 6) }
            guard second & 0xFC00 == 0xDC00 else { return fail(.loneSurrogate, at: start) }
            return start + 12
        default:
            return failEscape(start)
        }
    }

    /// The line may also just have been cut in the middle of an escape.
    private mutating func failEscape(_ start: BytePointer) -> BytePointer? {
        var position = start + 1
        if position.pointee == 0x75 {
            position += 1
            while position < start + 6, hexDigit(position.pointee) != nil { position += 1 }
        }
        if isLineEnd(position) { return fail(.unclosedString, at: position) }
        return fail(.badEscape, at: start)
    }

    /// The code unit of `\uXXXX`; nil if a digit is missing. Stops at the first byte that is none.
    private func codeUnit(_ start: BytePointer) -> UInt32? {
        var unit: UInt32 = 0
        for place in 2..<6 {
            guard let digit = hexDigit(start[place]) else { return nil }
            unit = unit << 4 | digit
        }
        return unit
    }

    private func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x30...0x39: UInt32(byte - 0x30)
        case 0x41...0x46: UInt32(byte - 0x37)
        case 0x61...0x66: UInt32(byte - 0x57)
        default: nil
        }
    }

    /// Writes a text that has been checked with its escapes undone; returns how many bytes it has.
    ///
    /// The result is never longer than what was read.
    @inline(never)
    func unescape(
        _ start: BytePointer, _ end: BytePointer, into goal: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var position = start
        var count = 0
        while position < end {
            if position.pointee != .backslash {
                goal[count] = position.pointee
                count += 1
                position += 1
                continue
            }
            var scalar: UInt32
            switch position[1] {
            case 0x62: scalar = 0x08  // b
            case 0x66: scalar = 0x0C  // f
            case 0x6E: scalar = 0x0A  // n
            case 0x72: scalar = 0x0D  // r
            case 0x74: scalar = 0x09  // t
            case 0x75:  // u
                scalar = codeUnit(position) ?? 0
                position += 4
                if scalar & 0xFC00 == 0xD800 {
                    let second = codeUnit(position + 2) ?? 0
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + second & 0x3FF
                    position += 6
                }
            default: scalar = UInt32(position[1])
            }
            position += 2
            count += encode(scalar, into: goal + count)
        }
        return count
    }

    private func encode(_ scalar: UInt32, into goal: UnsafeMutablePointer<UInt8>) -> Int {
        func tail(_ shift: UInt32) -> UInt8 { UInt8(0x80 | scalar >> shift & 0x3F) }
        switch scalar {
        case ..<0x80:
            goal[0] = UInt8(scalar)
            return 1
        case ..<0x800:
            goal[0] = UInt8(0xC0 | scalar >> 6)
            goal[1] = tail(0)
            return 2
        case ..<0x10000:
            goal[0] = UInt8(0xE0 | scalar >> 12)
            goal[1] = tail(6)
            goal[2] = tail(0)
            return 3
        default:
            goal[0] = UInt8(0xF0 | scalar >> 18)
            goal[1] = tail(12)
            goal[2] = tail(6)
            goal[3] = tail(0)
            return 4
        }
    }
}
