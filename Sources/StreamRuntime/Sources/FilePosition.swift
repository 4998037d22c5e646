import Foundation

/// Where reading of one file stands.
public struct FilePosition: Sendable, Equatable {
    /// As the source names it.
    public var path: String
    /// Which file bore that name.
    public var identity: FileIdentity
    /// Bytes that have been processed, after decompression.
    public var offset: Int
    /// The number of the line that comes next.
    public var line: Int
}

/// Which file a path names at the moment.
public struct FileIdentity: Sendable, Equatable {
    var device: UInt64
    var inode: UInt64

    /// Of what is no file.
    static let none = FileIdentity(device: 0, inode: 0)

    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    /// Nil if there is no such file.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }
}

extension FilePosition {
    /// Opens the file again, at the position. It may have been renamed since, within its folder.
    ///
    /// Nil when it is gone, or shorter than it was.
    func reopen() -> (reader: any ByteReader, file: DescriptorReader)? {
        guard let path = FileIdentity(path: path) == identity ? path : renamedPath() else {
            return nil
        }
        do throws(OpenFailure) {
            let file = try DescriptorReader(path: path)
            var head = [UInt8](repeating: 0, count: 4)
            let count = pread(file.descriptor, &head, head.count, 0)
            let isCompressed = Compression.allCases.contains {
                $0.mayBegin(Array(head.prefix(max(0, count))))
            }
            guard isCompressed else {
                var status = stat()
                // A last line without a line feed counts as if it had one.
                guard fstat(file.descriptor, &status) == 0, Int(status.st_size) + 1 >= offset
                else { return nil }
                lseek(file.descriptor, off_t(offset), SEEK_SET)
                return (file, file)
            }
            let reader = DetectingReader(file)
            return reader.skip(offset) ? (reader, file) : nil
        } catch {
            return nil
        }
    }

    /// Where in its folder the file is now.
    private func renamedPath() -> String? {
        let folder = (path as NSString).deletingLastPathComponent
        let names = try? FileManager.default.contentsOfDirectory(
            atPath: folder.isEmpty ? "." : folder)
        return names?.lazy.map { folder.isEmpty ? $0 : folder + "/" + $0 }
            .first { FileIdentity(path: $0) == identity }
    }
}

extension ByteReader {
    /// Reads so many bytes away; false when there are fewer.
    fileprivate func skip(_ count: Int) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var rest = count
        while rest > 0 {
            let step = buffer.withUnsafeMutableBytes { bytes in
                read(
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<min(rest, bytes.count)]),
                    waitingAtMost: 1000)
            }
            switch step {
            case .bytes(let read): rest -= read
            case .idle: continue
            // A last line without a line feed counts as if it had one.
            case .end: return rest <= 1
            case .failed: return false
            }
        }
        return true
    }
}

/// Reads ranges of files again that were read before a crash.
struct RangeReader {
    private var current: (position: FilePosition, reader: any ByteReader)?

    /// The lines of a range; nil when they cannot be had any more.
    mutating func lines(from position: FilePosition, to end: Int) -> LineChunk? {
        if current?.position.identity != position.identity
            || current?.position.offset != position.offset
        {
            current = position.reopen().map { (position, $0.reader) }
        }
        guard let reader = current?.reader, end >= position.offset else { return nil }
        var bytes: [UInt8] = []
        var isEnded = false
        while bytes.count < end - position.offset, !isEnded {
            var piece = [UInt8](repeating: 0, count: end - position.offset - bytes.count)
            switch piece.withUnsafeMutableBytes({ reader.read(into: $0, waitingAtMost: 1000) }) {
            case .bytes(let count): bytes += piece[..<count]
            case .idle: continue
            case .end, .failed: isEnded = true
            }
        }
        current?.position.offset = end
        // A last line without a line feed counts as if it had one.
        guard bytes.count >= end - position.offset - 1 else { return nil }
        return LineChunk(
            bytes, name: position.path, line: position.line, fileOffset: position.offset)
    }
}
