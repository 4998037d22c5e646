import CZlib

/// Gzip data undone, any number of members behind each other.
final class GzipReader: ByteReader {
    private let source: any ByteReader
    private var stream = z_stream()
    private var input = [UInt8](repeating: 0, count: 64 << 10)
    /// The part of `input` not yet used.
    private var pending = 0..<0
    private var isOpen: Bool
    /// Whether a member has begun and not ended.
    private var isInMember = true
    private var hasEnded = false
    /// A failure that is told once what came before it has been handed out.
    private var failure: ReadStep?

    init(_ source: any ByteReader) {
        self.source = source
        // 15 is the largest window, 16 asks for the gzip header.
        isOpen =
            inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            == Z_OK
    }

    deinit {
        if isOpen { inflateEnd(&stream) }
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, waitingAtMost waitMilliseconds: Int
    ) -> ReadStep {
        if !isOpen {
            return .failed(.damagedCompression, "there is no memory to undo the gzip data")
        }
        while !hasEnded {
            if pending.isEmpty {
                let step = input.withUnsafeMutableBytes {
                    source.read(into: $0, waitingAtMost: waitMilliseconds)
                }
                switch step {
                case .bytes(let count): pending = 0..<count
                case .end:
                    hasEnded = true
                    if isInMember {
                        return .failed(.damagedCompression, "the gzip data is cut off")
                    }
                    return .end
                case .idle, .failed: return step
                }
            }
            if !isInMember {
                // Some writers fill a block with zeros behind the last member.
                pending = pending.drop { input[$0] == 0 }
                if pending.isEmpty { continue }
                inflateReset(&stream)
                isInMember = true
            }
            let (result, written) = inflateSome(into: buffer)
            switch result {
            case Z_STREAM_END: isInMember = false
            case Z_OK, Z_BUF_ERROR: break
            default:
                hasEnded = true
                let reason = stream.msg.map { String(cString: $0) } ?? "error \(result)"
                if written == 0 {
                    return .failed(.damagedCompression, "the gzip data is damaged: \(reason)")
                }
                failure = .failed(.damagedCompression, "the gzip data is damaged: \(reason)")
            }
            if written > 0 { return .bytes(written) }
        }
        defer { failure = nil }
        return failure ?? .end
    }

    private func inflateSome(into buffer: UnsafeMutableRawBufferPointer) -> (Int32, Int) {
        input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress.map { $0 + pending.lowerBound }
            stream.avail_in = UInt32(pending.count)
            stream.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let room = UInt32(clamping: buffer.count)
            stream.avail_out = room
            let result = inflate(&stream, Z_NO_FLUSH)
            pending = (pending.upperBound - Int(stream.avail_in))..<pending.upperBound
            return (result, Int(room - stream.avail_out))
        }
    }
}
