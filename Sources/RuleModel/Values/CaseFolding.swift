/// Unicode simple case folding, which `ignoring case` compares by (T7).
public enum CaseFolding {
    /// Characters `first`, `first + step`, ... `last` fold to themselves plus `distance`.
    struct Run: Sendable {
        var first: UInt32
        var last: UInt32
        var step: UInt32
        var distance: Int32

        init(_ first: UInt32, _ last: UInt32, _ step: UInt32, _ distance: Int32) {
            self.first = first
            self.last = last
            self.step = step
            self.distance = distance
        }
    }

    /// The bytes of the folded text. The text must be UTF-8; what is not becomes U+FFFD.
    public static func folded<Bytes: Collection<UInt8>>(_ text: Bytes) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        if text.allSatisfy({ $0 < 0x80 }) {
            for byte in text { result.append(lowerASCII(byte)) }
            return result
        }
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            for byte in UTF8.encode(folded(scalar)) ?? UTF8.encodedReplacementCharacter {
                result.append(byte)
            }
        }
        return result
    }

    /// Puts the bytes of the folded text into `result`, whose memory is used again.
    public static func fold(_ text: UnsafeBufferPointer<UInt8>, into result: inout [UInt8]) {
        result.removeAll(keepingCapacity: true)
        result.append(contentsOf: text)
        let isASCII = result.withUnsafeMutableBufferPointer { bytes in
            // Without a branch in the loop, which then handles many bytes at once.
            var all: UInt8 = 0
            for place in bytes.indices {
                all |= bytes[place]
                bytes[place] = lowerASCII(bytes[place])
            }
            return all < 0x80
        }
        if !isASCII { result = folded(text) }
    }

    /// The folded text.
    public static func folded(_ text: String) -> String {
        String(decoding: folded(text.utf8), as: UTF8.self)
    }

    /// A letter of ASCII in lower case, any other byte as it is.
    public static func lowerASCII(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }

    static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        if scalar.isASCII { return Unicode.Scalar(lowerASCII(UInt8(scalar.value))) }
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].last < scalar.value { low = middle + 1 } else { high = middle }
        }
        guard low < runs.count, runs[low].first <= scalar.value,
            (scalar.value - runs[low].first) % runs[low].step == 0
        else { return scalar }
        return Unicode.Scalar(UInt32(Int64(scalar.value) + Int64(runs[low].distance))) ?? scalar
    }
}
