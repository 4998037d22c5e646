import Foundation

/// Bytes of one file in order, after decompression.
protocol ByteReader: AnyObject {
    /// Puts at least one byte into `buffer`, which is not empty, or says why not.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, waitingAtMost waitMilliseconds: Int
    ) -> ReadStep
}

/// What a call of `ByteReader.read` led to.
enum ReadStep: Equatable {
    case bytes(Int)
    /// Nothing came in time; more may come.
    case idle
    case end
    /// The rest cannot be read, with a sentence that says why.
    case failed(InputFault.Reason, String)
}

/// An open file, pipe or terminal; closes it in the end.
final class DescriptorReader: ByteReader {
    let descriptor: Int32
    private let closesDescriptor: Bool

    /// Standard input.
    init() {
        descriptor = STDIN_FILENO
        closesDescriptor = false
    }

    /// Fails with a sentence if the file cannot be opened for reading.
    init(path: String) throws(OpenFailure) {
        // Without waiting, so that a named pipe nobody writes to does not hang the open.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        closesDescriptor = true
        if descriptor < 0 {
            throw OpenFailure(code: errno, message: "cannot be opened: " + systemError())
        }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            close(descriptor)
            throw OpenFailure(code: EISDIR, message: "is a folder")
        }
    }

    deinit {
        if closesDescriptor { close(descriptor) }
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, waitingAtMost waitMilliseconds: Int
    ) -> ReadStep {
        while true {
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&request, 1, Int32(clamping: waitMilliseconds))
            if ready == 0 || ready < 0 && errno == EINTR { return .idle }
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            if errno == EAGAIN { return .idle }
            if errno == EINTR { continue }
            return .failed(.unreadableFile, "cannot be read: " + systemError())
        }
    }
}

/// Why a file could not be opened.
struct OpenFailure: Error {
    var code: Int32
    var message: String
}

/// A file of which the first bytes tell whether it is compressed.
final class DetectingReader: ByteReader {
    private let source: any ByteReader
    private var head: [UInt8] = []
    private var reader: (any ByteReader)?

    init(_ source: any ByteReader) { self.source = source }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, waitingAtMost waitMilliseconds: Int
    ) -> ReadStep {
        while reader == nil {
            // As much as is looked at to tell text from other files.
            var piece = [UInt8](repeating: 0, count: 64 << 10)
            let step = piece.withUnsafeMutableBytes {
                source.read(into: $0, waitingAtMost: waitMilliseconds)
            }
            var isComplete = false
            switch step {
            case .bytes(let count): head += piece[..<count]
            case .end: isComplete = true
            case .idle, .failed: return step
            }
            choose(isComplete: isComplete)
        }
        return reader?.read(into: buffer, waitingAtMost: waitMilliseconds) ?? .end
    }

    private func choose(isComplete: Bool) {
        let kinds = Compression.allCases.filter { $0.mayBegin(head) }
        if let kind = kinds.first {
            if head.count < 4, !isComplete { return }
            let plain = PrefixedReader(head, then: source)
            // Of a file that ends this early one byte is not enough to go by.
            reader = head.count < 2 ? plain : kind.makeReader(plain)
        } else {
            reader = PrefixedReader(head, then: source)
        }
        head = []
    }
}

/// How a file is compressed, told by its first bytes and not by its name.
enum Compression: CaseIterable {
    case gzip, zstd, zstdSkippable

    /// Whether a file that begins with these bytes is, or may turn out to be, of this kind.
    func mayBegin(_ head: [UInt8]) -> Bool {
        if head.isEmpty { return false }
        return zip(head, magic).allSatisfy { $0 & $1.mask == $1.byte }
    }

    func makeReader(_ source: any ByteReader) -> any ByteReader {
        switch self {
        case .gzip: GzipReader(source)
        case .zstd, .zstdSkippable: ZstdReader(source)
        }
    }

    private var magic: [(byte: UInt8, mask: UInt8)] {
        switch self {
        case .gzip: [(0x1F, 0xFF), (0x8B, 0xFF), (0x08, 0xFF)]
        case .zstd: [(0x28, 0xFF), (0xB5, 0xFF), (0x2F, 0xFF), (0xFD, 0xFF)]
        // A frame with data of some other program, which may stand first: RFC 8878, 3.1.2.
        case .zstdSkippable: [(0x50, 0xF0), (0x2A, 0xFF), (0x4D, 0xFF), (0x18, 0xFF)]
        }
    }
}

/// Some bytes that have been read already, and then the rest.
private final class PrefixedReader: ByteReader {
    private var prefix: ArraySlice<UInt8>
    private let rest: any ByteReader

    init(_ prefix: [UInt8], then rest: any ByteReader) {
        self.prefix = prefix[...]
        self.rest = rest
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, waitingAtMost waitMilliseconds: Int
    ) -> ReadStep {
        if prefix.isEmpty { return rest.read(into: buffer, waitingAtMost: waitMilliseconds) }
        let count = min(prefix.count, buffer.count)
        buffer.copyBytes(from: prefix.prefix(count))
        prefix = prefix.dropFirst(count)
        return .bytes(count)
    }
}
