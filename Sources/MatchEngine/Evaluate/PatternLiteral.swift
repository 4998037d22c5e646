/// Pieces of text that every match of a pattern contains.
///
/// Leaves pieces out wherever it is not sure: a piece too few costs time, a piece too many matches.
enum PatternLiteral {
    /// Of a pattern with `*`, `?` and `\` (`TextTests.like`).
    static func ofLike(_ pattern: [UInt8]) -> [[UInt8]] {
        var pieces: [[UInt8]] = [[]]
        var place = 0
        while place < pattern.count {
            switch pattern[place] {
            case UInt8(ascii: "*"), UInt8(ascii: "?"):
                pieces.append([])
            case UInt8(ascii: "\\") where place + 1 < pattern.count:
                place += 1
                pieces[pieces.count - 1].append(pattern[place])
            default:
                pieces[pieces.count - 1].append(pattern[place])
            }
            place += 1
        }
        return pieces
    }

    /// Of a regular expression as RE2 reads it; only what stands outside all groups is looked at.
    static func ofExpression(_ source: [UInt8]) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var piece: [UInt8] = []
        func end() {
            if !piece.isEmpty { pieces.append(piece) }
            piece = []
        }
        var place = 0
        while place < source.count {
            let sign = source[place]
            place += 1
            switch sign {
            case UInt8(ascii: "|"):
                return []
            case UInt8(ascii: "("):
                end()
                // Flags may change what follows.
                if place < source.count, source[place] == UInt8(ascii: "?"),
                    place + 1 >= source.count || source[place + 1] != UInt8(ascii: ":")
                {
                    return []
                }
                guard let close = groupEnd(source, from: place) else { return [] }
                place = close
            case UInt8(ascii: "["):
                end()
                guard let close = classEnd(source, from: place) else { return [] }
                place = close
            case UInt8(ascii: "*"), UInt8(ascii: "?"):
                // What stands before it may be left out.
                if !piece.isEmpty { piece.removeLast() }
                end()
            case UInt8(ascii: "{"):
                if !piece.isEmpty { piece.removeLast() }
                end()
                while place < source.count, source[place] != UInt8(ascii: "}") { place += 1 }
                place += 1
            case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "$"),
                UInt8(ascii: ")"):
                end()
            case UInt8(ascii: "\\"):
                guard place < source.count else { return [] }
                let escaped = source[place]
                place += 1
                if isWordSign(escaped) {
                    // Classes and anchors of one letter; of the others the end is not looked for.
                    guard simpleClasses.contains(escaped) else { return [] }
                    end()
                } else {
                    append(escaped)
                }
            default:
                append(sign)
            }
        }
        end()
        return pieces

        func append(_ byte: UInt8) {
            // A sign of several bytes may be repeated as one.
            if byte < 0x80 { piece.append(byte) } else { end() }
        }
    }

    private static let simpleClasses = Array("dDsSwWbBAz".utf8)

    private static func isWordSign(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte >= 0x80
    }

    /// Behind the parenthesis that closes a group.
    private static func groupEnd(_ source: [UInt8], from start: Int) -> Int? {
        var depth = 1
        var place = start
        while place < source.count {
            switch source[place] {
            case UInt8(ascii: "\\"):
                // Between `\Q` and `\E` parentheses mean nothing.
                if place + 1 < source.count, source[place + 1] == UInt8(ascii: "Q") { return nil }
                place += 1
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"):
                depth -= 1
                if depth == 0 { return place + 1 }
            case UInt8(ascii: "["):
                guard let close = classEnd(source, from: place + 1) else { return nil }
                place = close - 1
            default: break
            }
            place += 1
        }
        return nil
    }

    /// Behind the bracket that closes a class of characters.
    private static func classEnd(_ source: [UInt8], from start: Int) -> Int? {
        var place = start
        if place < source.count, source[place] == UInt8(ascii: "^") { place += 1 }
        // A bracket that stands first is one of the class.
        if place < source.count, source[place] == UInt8(ascii: "]") { place += 1 }
        while place < source.count {
            switch source[place] {
            case UInt8(ascii: "\\"): place += 1
            case UInt8(ascii: "]"): return place + 1
            case UInt8(ascii: "[") where place + 1 < source.count && source[place + 1] == 0x3A:
                // `[:alpha:]`
                while place < source.count, source[place] != UInt8(ascii: "]") { place += 1 }
            default: break
            }
            place += 1
        }
        return nil
    }
}
