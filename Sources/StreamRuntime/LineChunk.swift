/// Some whole lines of one file, with where they stood in it.
///
/// The bytes end with a line feed, and `padding` zero bytes follow. The scanner leans on both: a
/// line feed stops every inner loop, since JSON allows none inside a token, and eight or sixteen
/// bytes may be loaded at any position without leaving the memory.
public struct LineChunk: Sendable {
    /// The lines, then `padding` zero bytes, then whatever an earlier use left.
    var bytes: [UInt8]
    /// How many bytes of `bytes` are lines. Zero, or the last of them is a line feed.
    public internal(set) var count = 0
    /// The file as the user named it, or `standard input`.
    public internal(set) var name = ""
    /// Which file it is, if the lines can be read again; nil for a pipe, for example.
    var identity: FileIdentity?
    /// The number of the first line not yet decoded, counted from 1.
    public internal(set) var line = 1
    /// Where in the file, after decompression, the first line of the chunk begins.
    public internal(set) var fileOffset = 0
    /// How many bytes of the chunk have been decoded.
    public internal(set) var position = 0

    /// How many bytes may be read behind the last line.
    public static let padding = 64

    /// An empty chunk, for a source to fill.
    public init() { bytes = [UInt8](repeating: 0, count: LineChunk.padding) }

    /// A chunk over bytes that are already as they must be, without a copy.
    /// - Precondition: The first `count` bytes end with a line feed, and `padding` more follow.
    public init(padded bytes: [UInt8], count: Int, name: String = "text") {
        self.bytes = bytes
        self.count = count
        self.name = name
        precondition(isSound, "a chunk ends with a line feed and padding")
    }

    /// A chunk of the given text; a line feed is added if the last line has none.
    public init(
        _ text: some Collection<UInt8>, name: String = "text", line: Int = 1, fileOffset: Int = 0
    ) {
        bytes = Array(text)
        if let last = bytes.last, last != 0x0A { bytes.append(0x0A) }
        count = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: LineChunk.padding))
        self.name = name
        self.line = line
        self.fileOffset = fileOffset
    }

    /// Takes the lines out and keeps the memory.
    mutating func clear() {
        count = 0
        position = 0
    }

    /// Makes the memory large enough for `count` bytes of lines and the padding.
    mutating func makeRoom(_ count: Int) {
        let missing = count + LineChunk.padding - bytes.count
        if missing > 0 { bytes.append(contentsOf: repeatElement(0, count: missing)) }
    }

    /// Whether the scanner may lean on the bytes: lines end with a line feed, and padding follows.
    var isSound: Bool {
        bytes.count >= count + LineChunk.padding && (count == 0 || bytes[count - 1] == 0x0A)
    }

    /// Whether every line has been decoded.
    public var isDecoded: Bool { position >= count }
}
