import CZstd

/// Zstandard data undone, any number of frames behind each other.
final class ZstdReader: ByteReader {
    private let source: any ByteReader
    private let context = ZSTD_createDStream()
    private var input = [UInt8](repeating: 0, count: 64 << 10)
    /// The part of `input` not yet used.
    private var pending = 0..<0
    /// Whether a frame has begun and not ended.
    private var isInFrame = true
    private var hasEnded = false

    init(_ source: any ByteReader) { self.source = source }

    deinit { ZSTD_freeDStream(context) }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, waitingAtMost waitMilliseconds: Int
    ) -> ReadStep {
        guard let context else {
            return .failed(.damagedCompression, "there is no memory to undo the zstd data")
        }
        while !hasEnded {
            if pending.isEmpty {
                let step = input.withUnsafeMutableBytes {
                    source.read(into: $0, waitingAtMost: waitMilliseconds)
                }
                switch step {
                case .bytes(let count): pending = 0..<count
                case .end:
                    // What the library holds back because the last buffer was too small.
                    let written = isInFrame ? decompressSome(context, into: buffer).written : 0
                    if written > 0 { return .bytes(written) }
                    hasEnded = true
                    if isInFrame { return .failed(.damagedCompression, "the zstd data is cut off") }
                    return .end
                case .idle, .failed: return step
                }
            }
            let (result, written) = decompressSome(context, into: buffer)
            if ZSTD_isError(result) != 0 {
                hasEnded = true
                let reason = String(cString: ZSTD_getErrorName(result))
                return .failed(.damagedCompression, "the zstd data is damaged: \(reason)")
            }
            isInFrame = result != 0
            if written > 0 { return .bytes(written) }
        }
        return .end
    }

    private func decompressSome(
        _ context: OpaquePointer, into buffer: UnsafeMutableRawBufferPointer
    ) -> (result: Int, written: Int) {
        input.withUnsafeBytes { input in
            var inBuffer = ZSTD_inBuffer(
                src: input.baseAddress, size: pending.upperBound, pos: pending.lowerBound)
            var outBuffer = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
            let result = ZSTD_decompressStream(context, &outBuffer, &inBuffer)
            pending = inBuffer.pos..<pending.upperBound
            return (result, outBuffer.pos)
        }
    }
}
