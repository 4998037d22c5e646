import Glibc
import RuleModel

/// Whether a text fits a pattern of `*` (any text) and `?` (one character), as `like` of the language.
public func fitsPattern(_ text: String, _ pattern: String) -> Bool {
    var (text, pattern) = (text, pattern)
    return text.withUTF8 { text in pattern.withUTF8 { TextTests.like(text, $0) } }
}

/// Tests of text, byte by byte; for valid UTF-8 that is by code points (T7).
enum TextTests {
    typealias Bytes = UnsafeBufferPointer<UInt8>

    static func contains(_ text: Bytes, _ part: Bytes) -> Bool {
        guard let wanted = part.baseAddress, part.count > 0 else { return true }
        guard var place = text.baseAddress, text.count >= part.count else { return false }
        // One behind the last place at which the part would fit.
        let end = place + (text.count - part.count + 1)
        while place < end, let found = memchr(place, Int32(wanted[0]), end - place) {
            place = UnsafePointer(found.assumingMemoryBound(to: UInt8.self))
            if memcmp(place, wanted, part.count) == 0 { return true }
            place += 1
        }
        return false
    }

    static func starts(_ text: Bytes, with part: Bytes) -> Bool {
        text.count >= part.count && equal(Bytes(rebasing: text[..<part.count]), part)
    }

    static func ends(_ text: Bytes, with part: Bytes) -> Bool {
        text.count >= part.count && equal(Bytes(rebasing: text[(text.count - part.count)...]), part)
    }

    static func equal(_ left: Bytes, _ right: Bytes) -> Bool {
        guard left.count == right.count else { return false }
        guard let first = left.baseAddress, let second = right.baseAddress else { return true }
        return memcmp(first, second, left.count) == 0
    }

    /// Whether a text fits a pattern of `*` (any text) and `?` (one character), `\` before a
    /// character taking its meaning away. O(text * pattern) at worst, without recursion.
    static func like(_ text: Bytes, _ pattern: Bytes) -> Bool {
        var place = 0
        var patternPlace = 0
        // Where to go on after a mismatch: behind the last star, one character further in the text.
        var star: Int?
        var starPlace = 0
        while place < text.count {
            if patternPlace < pattern.count {
                let sign = pattern[patternPlace]
                if sign == UInt8(ascii: "*") {
                    star = patternPlace
                    starPlace = place
                    patternPlace += 1
                    continue
                }
                if sign == UInt8(ascii: "?") {
                    place += characterLength(text, place)
                    patternPlace += 1
                    continue
                }
                let isEscaped = sign == UInt8(ascii: "\\") && patternPlace + 1 < pattern.count
                if text[place] == (isEscaped ? pattern[patternPlace + 1] : sign) {
                    place += 1
                    patternPlace += isEscaped ? 2 : 1
                    continue
                }
            }
            guard let star else { return false }
            starPlace += characterLength(text, starPlace)
            place = starPlace
            patternPlace = star + 1
        }
        while patternPlace < pattern.count, pattern[patternPlace] == UInt8(ascii: "*") {
            patternPlace += 1
        }
        return patternPlace == pattern.count
    }

    private static func characterLength(_ text: Bytes, _ place: Int) -> Int {
        var length = 1
        while place + length < text.count, text[place + length] & 0xC0 == 0x80 { length += 1 }
        return length
    }

    static func holds(_ test: TextTest, _ text: Bytes, _ part: Bytes) -> Bool {
        switch test {
        case .contains: contains(text, part)
        case .startsWith: starts(text, with: part)
        case .endsWith: ends(text, with: part)
        case .like: like(text, part)
        }
    }

    /// The same for whole strings.
    static func holds(_ test: TextTest, _ text: Text, _ part: Text, ignoringCase: Bool) -> Bool {
        if ignoringCase {
            let (text, part) = (
                CaseFolding.folded(text.string.utf8), CaseFolding.folded(part.string.utf8)
            )
            return text.withUnsafeBufferPointer { text in
                part.withUnsafeBufferPointer { holds(test, text, $0) }
            }
        }
        var (text, part) = (text.string, part.string)
        return text.withUTF8 { text in part.withUTF8 { holds(test, text, $0) } }
    }
}

/// A text of at most eight bytes, as most that conditions name are, as one number.
struct ShortText {
    private let word: UInt64
    private let count: Int

    /// Nil for a longer one.
    init?(_ text: [UInt8]) {
        guard text.count <= 8 else { return nil }
        word = text.withUnsafeBufferPointer { ShortText.word($0) }
        count = text.count
    }

    @inline(__always)
    func equals(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.count == count && ShortText.word(text) == word
    }

    /// At most eight bytes as a number: texts of one length have the same if they are the same. Read from
    /// both ends, whatever lies between is read twice.
    @inline(__always)
    private static func word(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        let raw = UnsafeRawBufferPointer(text)
        if raw.count >= 4 {
            let low = raw.loadUnaligned(as: UInt32.self)
            let high = raw.loadUnaligned(fromByteOffset: raw.count - 4, as: UInt32.self)
            return UInt64(high) << 32 | UInt64(low)
        }
        guard raw.count > 0 else { return 0 }
        return UInt64(raw[0]) << 16 | UInt64(raw[raw.count / 2]) << 8 | UInt64(raw[raw.count - 1])
    }
}
