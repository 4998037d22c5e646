// Values that nobody wants: checked against the whole grammar, kept nowhere.

extension LineScanner {
    /// Checks the value at `start`; returns the first byte behind it.
    @inline(__always)
    mutating func skipValue(_ start: BytePointer, depth: Int) -> BytePointer? {
        switch start.pointee {
        case .quote:
            var isEscaped = false
            guard let end = stringEnd(start + 1, &isEscaped) else { return nil }
            return end + 1
        case .leftBrace, .leftBracket: return skipContainer(start, depth: depth)
        case 0x74, 0x66, 0x6E: return skipLiteral(start)  // t, f, n
        default: return skipNumber(start)
        }
    }

    /// Checks `true`, `false` or `null`, told apart by their first letter.
    mutating func skipLiteral(_ start: BytePointer) -> BytePointer? {
        let word = loadWord(start)
        if UInt32(truncatingIfNeeded: word) == 0x6575_7274 { return start + 4 }  // "true"
        if UInt32(truncatingIfNeeded: word) == 0x6C6C_756E { return start + 4 }  // "null"
        if word & 0xFF_FFFF_FFFF == 0x65_736C_6166 { return start + 5 }  // "false"
        var position = start
        while position.pointee | 0x20 >= 0x61, position.pointee | 0x20 <= 0x7A { position += 1 }
        return fail(.badLiteral, at: isLineEnd(position) ? position : start)
    }

    /// Checks an object or array with all that is in it; returns the first byte behind it.
    ///
    /// Does not call itself: what is open is one bit for each level, so that deep nesting costs
    /// 64 bytes and no stack.
    mutating func skipContainer(_ start: BytePointer, depth outer: Int) -> BytePointer? {
        var open = OpenContainers()
        var depth = outer
        var position = start
        while true {
            // At the first byte of a value.
            switch position.pointee {
            case .leftBrace:
                depth += 1
                if depth > LineScanner.depthMax { return fail(.tooDeep, at: position) }
                open.push(isObject: true, depth: depth)
                position = skipSpace(position + 1)
                if position.pointee != .rightBrace {
                    guard let value = skipKey(position) else { return nil }
                    position = value
                    continue
                }
                depth -= 1
                position += 1
            case .leftBracket:
                depth += 1
                if depth > LineScanner.depthMax { return fail(.tooDeep, at: position) }
                open.push(isObject: false, depth: depth)
                position = skipSpace(position + 1)
                if position.pointee != .rightBracket { continue }
                depth -= 1
                position += 1
            case .quote:
                var isEscaped = false
                guard let end = stringEnd(position + 1, &isEscaped) else { return nil }
                position = end + 1
            case 0x74, 0x66, 0x6E:  // t, f, n
                guard let end = skipLiteral(position) else { return nil }
                position = end
            default:
                guard let end = skipNumber(position) else { return nil }
                position = end
            }
            // Behind a value: close what ends here, then find the next value.
            while true {
                if depth == outer { return position }
                position = skipSpace(position)
                let isObject = open.isObject(depth: depth)
                if position.pointee == .comma {
                    position = skipSpace(position + 1)
                    if !isObject { break }
                    guard let value = skipKey(position) else { return nil }
                    position = value
                    break
                }
                guard position.pointee == (isObject ? .rightBrace : .rightBracket) else {
                    return fail(
                        isObject ? .expectedCommaOrBrace : .expectedCommaOrBracket, at: position)
                }
                depth -= 1
                position += 1
            }
        }
    }

    /// Checks a key and its colon; returns the first byte of the value.
    private mutating func skipKey(_ start: BytePointer) -> BytePointer? {
        guard start.pointee == .quote else { return fail(.expectedKey, at: start) }
        var isEscaped = false
        guard let end = stringEnd(start + 1, &isEscaped) else { return nil }
        let colon = skipSpace(end + 1)
        guard colon.pointee == .colon else { return fail(.expectedColon, at: colon) }
        return skipSpace(colon + 1)
    }
}

/// For each level whether it is an object or an array.
private struct OpenContainers {
    private var bits = InlineArray<9, UInt64>(repeating: 0)

    @inline(__always)
    mutating func push(isObject: Bool, depth: Int) {
        let bit: UInt64 = 1 << UInt64(depth & 63)
        if isObject {
            bits[depth >> 6] |= bit
        } else {
            bits[depth >> 6] &= ~bit
        }
    }

    @inline(__always)
    func isObject(depth: Int) -> Bool { bits[depth >> 6] >> UInt64(depth & 63) & 1 == 1 }
}
