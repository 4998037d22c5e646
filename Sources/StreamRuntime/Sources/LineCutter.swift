import Foundation

/// Cuts the bytes of one file into chunks of whole lines and knows where in the file they stand.
///
/// Lines longer than `lineBytesMax` are passed over without being held in memory.
struct LineCutter {
    private let name: String
    private let lineBytesMax: Int
    private let chunkBytes: Int
    /// The beginning of a line whose end has not been read yet.
    private var carry: [UInt8] = []
    /// Where in the file `carry` begins.
    private var offset = 0
    /// The number of the line that `carry` begins.
    private(set) var line = 1
    /// Whether the rest of a line that is too long is being passed over.
    private var isSkipping = false
    private var hasSeenStart = false
    private var hasEnded = false
    /// Which file it is; nil for what can be read only once.
    private let identity: FileIdentity?

    /// - Parameter position: Where in the file reading begins; nil for what can be read only once.
    init(name: String, options: InputOptions, at position: FilePosition? = nil) {
        self.name = name
        identity = position?.identity
        offset = position?.offset ?? 0
        line = position?.line ?? 1
        lineBytesMax = max(1, options.lineBytesMax)
        chunkBytes = max(1, options.chunkBytes)
    }

    /// Where reading stands, in bytes of the file, what is held back included.
    var readOffset: Int { offset + carry.count }

    /// Fills the chunk with the next lines of the reader.
    mutating func next(
        into chunk: inout LineChunk, from reader: any ByteReader,
        waitingAtMost waitMilliseconds: Int, report: inout InputReport
    ) -> SourceStep {
        chunk.name = name
        chunk.identity = identity
        chunk.position = 0
        chunk.count = 0
        if hasEnded { return .end }
        // `held` counts the bytes at the beginning of the chunk that are of this file.
        var held = carry.count
        chunk.makeRoom(held + chunkBytes)
        chunk.bytes.replaceSubrange(0..<held, with: carry)
        carry.removeAll(keepingCapacity: true)
        while true {
            chunk.makeRoom(held + chunkBytes)
            let step = chunk.bytes.withUnsafeMutableBytes { bytes in
                reader.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[held..<held + chunkBytes]),
                    waitingAtMost: waitMilliseconds)
            }
            switch step {
            case .bytes(let count):
                report.bytes += count
                let old = held
                held += count
                if !hasSeenStart, let fault = startFault(chunk.bytes[..<held]) {
                    report.record(fault)
                    hasEnded = true
                    return .end
                }
                hasSeenStart = true
                if isSkipping {
                    guard let end = chunk.bytes[..<held].firstIndex(of: 0x0A) else {
                        offset += held
                        held = 0
                        continue
                    }
                    chunk.bytes.removeSubrange(0...end)
                    offset += end + 1
                    held -= end + 1
                    line += 1
                    isSkipping = false
                    if let last = lastLineFeed(chunk.bytes, 0..<held) {
                        return hand(&chunk, last + 1, held)
                    }
                } else if let last = lastLineFeed(chunk.bytes, old..<held) {
                    return hand(&chunk, last + 1, held)
                }
                if held > lineBytesMax {
                    report.lines += 1
                    report.record(tooLong(chunk.bytes[..<held]))
                    isSkipping = true
                    offset += held
                    held = 0
                }
            case .idle:
                carry = Array(chunk.bytes[..<held])
                return .idle
            case .end:
                hasEnded = true
                if readOffset + held == 0 {
                    report.record(fault(.emptyFile, "the file is empty"))
                }
                if held == 0 || isSkipping { return .end }
                chunk.makeRoom(held + 1)
                chunk.bytes[held] = 0x0A
                return hand(&chunk, held + 1, held + 1)
            case .failed(let reason, let message):
                hasEnded = true
                let place = "line \(grouped(line)), byte \(grouped(offset + held))"
                report.record(
                    fault(reason, offset + held == 0 ? message : "\(message) (at \(place))"))
                return .end
            }
        }
    }

    /// Hands out what has been held back as a last line, for a file that was taken away.
    mutating func finish(into chunk: inout LineChunk) -> Bool {
        hasEnded = true
        chunk.position = 0
        chunk.count = 0
        if carry.isEmpty || isSkipping { return false }
        chunk.name = name
        chunk.identity = identity
        chunk.makeRoom(carry.count + 1)
        chunk.bytes.replaceSubrange(0...carry.count, with: carry + [0x0A])
        let count = carry.count + 1
        carry = []
        return hand(&chunk, count, count) == .lines
    }

    /// Makes the first `count` bytes the lines of the chunk and keeps the rest up to `held` back.
    private mutating func hand(_ chunk: inout LineChunk, _ count: Int, _ held: Int) -> SourceStep {
        carry.append(contentsOf: chunk.bytes[count..<held])
        chunk.count = count
        chunk.line = line
        chunk.fileOffset = offset
        offset += count
        line += countLineFeeds(chunk.bytes, count)
        return .lines
    }

    // MARK: - Faults

    private func fault(_ reason: InputFault.Reason, _ message: String) -> InputFault {
        InputFault(reason: reason, source: name, line: nil, offset: offset, message: message)
    }

    private func tooLong(_ bytes: ArraySlice<UInt8>) -> InputFault {
        InputFault(
            reason: .lineTooLong, source: name, line: line, offset: offset,
            message: tooLongMessage(lineBytesMax), raw: Array(bytes.prefix(InputFault.rawBytesMax)),
            isRawCut: true)
    }

    /// A file of which the first piece holds odd bytes and no line that looks like an object is not
    /// ours at all: one fault says so, instead of one for each of its lines.
    private func startFault(_ bytes: ArraySlice<UInt8>) -> InputFault? {
        let piece = bytes.prefix(64 << 10)
        if let kind = FileKind.allCases.first(where: { piece.starts(with: $0.magic) }) {
            return fault(.binaryFile, kind.message)
        }
        let hasNUL = piece.contains(0)
        if !hasNUL, String(validating: validatable(piece), as: UTF8.self) != nil { return nil }
        let hasObject = piece.split(separator: 0x0A).contains { line in
            line.first { $0 != 0x20 && $0 != 0x09 && $0 != 0xEF && $0 != 0xBB && $0 != 0xBF }
                == 0x7B
        }
        if hasObject { return nil }
        return fault(
            .binaryFile,
            "the file is not text: it holds \(hasNUL ? "NUL bytes" : "bytes that are not UTF-8") and no line that begins with `{`"
        )
    }

    /// The piece without a code point that its end may have cut.
    private func validatable(_ piece: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var piece = piece
        for _ in 0..<3 {
            guard let last = piece.last, last >= 0x80 else { break }
            piece.removeLast()
        }
        return piece
    }
}

/// The sentence for a line that is too long.
func tooLongMessage(_ lineBytesMax: Int) -> String {
    "the line is longer than \(grouped(lineBytesMax)) bytes"
}

/// Files that people point at by mistake, by their first bytes.
private enum FileKind: CaseIterable {
    case utf16Little, utf16Big, xz, bzip2, zip, parquet, lz4

    var magic: [UInt8] {
        switch self {
        case .utf16Little: [0xFF, 0xFE]
        case .utf16Big: [0xFE, 0xFF]
        case .xz: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]
        case .bzip2: [0x42, 0x5A, 0x68]
        case .zip: [0x50, 0x4B, 0x03, 0x04]
        case .parquet: [0x50, 0x41, 0x52, 0x31]
        case .lz4: [0x04, 0x22, 0x4D, 0x18]
        }
    }

    var message: String {
        switch self {
        case .utf16Little, .utf16Big: "the file is UTF-16; convert it to UTF-8 first"
        case .xz: "the file is compressed with xz; gzip and zstd can be read as they are"
        case .bzip2: "the file is compressed with bzip2; gzip and zstd can be read as they are"
        case .lz4: "the file is compressed with lz4; gzip and zstd can be read as they are"
        case .zip: "the file is a zip archive; unpack it first"
        case .parquet: "the file is Parquet; export it as JSON lines first"
        }
    }
}

// MARK: - Searching bytes

private func lastLineFeed(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
    bytes.withUnsafeBufferPointer { bytes in
        var place = range.upperBound
        while place > range.lowerBound {
            place -= 1
            if bytes[place] == 0x0A { return place }
        }
        return nil
    }
}

/// How many line feeds the first `count` bytes hold; 32 of them at a time.
private func countLineFeeds(_ bytes: [UInt8], _ count: Int) -> Int {
    bytes.withUnsafeBytes { bytes in
        var total = 0
        var place = 0
        while place + 32 <= count {
            // A lane counts at most 255 before it is added up.
            var lanes = SIMD32<UInt8>(repeating: 0)
            let end = min(place + 255 * 32, count - 31)
            while place < end {
                let piece = bytes.loadUnaligned(fromByteOffset: place, as: SIMD32<UInt8>.self)
                // A hit is all ones, which is -1.
                let hits = piece .== SIMD32<UInt8>(repeating: 0x0A)
                lanes = lanes &- unsafeBitCast(hits, to: SIMD32<UInt8>.self)
                place += 32
            }
            total += Int(SIMD32<UInt16>(truncatingIfNeeded: lanes).wrappedSum())
        }
        while place < count {
            if bytes[place] == 0x0A { total += 1 }
            place += 1
        }
        return total
    }
}
