/// Which file of a rule set a range lies in: the index into the array that was compiled.
public struct SourceID: Hashable, Comparable, Sendable {
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static func < (left: SourceID, right: SourceID) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// A half-open range of bytes in one file.
public struct SourceRange: Hashable, Sendable {
    public var source: SourceID
    public var start: UInt32
    public var end: UInt32

    public init(source: SourceID, start: UInt32, end: UInt32) {
        self.source = source
        self.start = start
        self.end = end
    }

    public var isEmpty: Bool { start == end }

    /// From the start of this range to the end of the other, in the same file.
    public func joined(with other: SourceRange) -> SourceRange {
        SourceRange(source: source, start: min(start, other.start), end: max(end, other.end))
    }
}

/// One file of rules: its name, its bytes, and where its lines begin.
public struct SourceText: Sendable {
    public var id: SourceID
    /// The path as the user gave it; printed in diagnostics.
    public var name: String
    /// The bytes as they are in the file; the lexer reports those that are not UTF-8.
    public var bytes: [UInt8]
    /// Offsets of the first byte of each line; a line ends behind its `\n`.
    public var lineStarts: [UInt32]

    /// - Precondition: `bytes` is shorter than 4 GiB.
    public init(id: SourceID, name: String, bytes: [UInt8]) {
        precondition(bytes.count < Int(UInt32.max), "a rules file is shorter than 4 GiB")
        self.id = id
        self.name = name
        self.bytes = bytes
        lineStarts = [0]
        for (offset, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
            lineStarts.append(UInt32(offset) + 1)
        }
    }

    public init(id: SourceID = SourceID(rawValue: 0), name: String, text: String) {
        self.init(id: id, name: name, bytes: Array(text.utf8))
    }

    /// The line an offset lies in, counted from 0. O(log lines).
    public func line(at offset: UInt32) -> Int {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return low
    }

    /// The bytes of a line without its line end (`\n` or `\r\n`).
    public func lineBytes(_ line: Int) -> ArraySlice<UInt8> {
        let start = Int(lineStarts[line])
        var end = line + 1 < lineStarts.count ? Int(lineStarts[line + 1]) : bytes.count
        if end > start, bytes[end - 1] == UInt8(ascii: "\n") { end -= 1 }
        if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return bytes[start..<end]
    }

    /// Line and column of an offset, both counted from 1; the column counts characters (Unicode
    /// scalars), as terminals and editors show them.
    public func position(at offset: UInt32) -> (line: Int, column: Int) {
        let line = line(at: offset)
        let start = Int(lineStarts[line])
        let end = max(start, min(Int(offset), bytes.count))
        let column = String(decoding: bytes[start..<end], as: UTF8.self).unicodeScalars.count
        return (line + 1, column + 1)
    }

    /// What stands in a range of this file.
    public func text(_ range: SourceRange) -> String {
        let start = min(Int(range.start), bytes.count)
        return String(
            decoding: bytes[start..<max(start, min(Int(range.end), bytes.count))], as: UTF8.self)
    }
}
