import RuleSyntax

/// How often words stand in texts, comments and messages included: a name that occurs nowhere but
/// in its declaration is unused beyond doubt.
struct WordCount {
    private var counts: [UInt64: Int] = [:]

    /// - Complexity: linear in the length of the texts.
    init(of words: [String], in sources: [SourceText]) {
        if words.isEmpty { return }
        for word in words { counts[Self.hash(Array(word.utf8)[...])] = 0 }
        for source in sources { count(source.bytes[...]) }
    }

    /// The words of one part of a file.
    init(of words: [String], in source: SourceText, range: SourceRange) {
        for word in words { counts[Self.hash(Array(word.utf8)[...])] = 0 }
        count(source.bytes[Int(range.start)..<Int(range.end)])
    }

    /// - Precondition: `word` is one of those that were counted.
    func count(of word: String) -> Int { counts[Self.hash(Array(word.utf8)[...])] ?? 0 }

    private mutating func count(_ bytes: ArraySlice<UInt8>) {
        var start = bytes.startIndex
        for index in bytes.indices where !Self.isWordByte(bytes[index]) {
            if start < index { add(bytes[start..<index]) }
            start = index + 1
        }
        if start < bytes.endIndex { add(bytes[start...]) }
    }

    private mutating func add(_ word: ArraySlice<UInt8>) {
        let hash = Self.hash(word)
        if let known = counts[hash] { counts[hash] = known + 1 }
    }

    /// FNV-1a. Two words with one hash would only make an unused name look used.
    private static func hash(_ word: ArraySlice<UInt8>) -> UInt64 {
        word.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: byte >= 0x80
        }
    }
}
