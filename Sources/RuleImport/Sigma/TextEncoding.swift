/// Encodings that Sigma's modifiers apply to a value before it is looked for.
enum TextEncoding: Sendable {
    case utf8, utf16LittleEndian, utf16BigEndian
    /// Little-endian with a byte order mark in front.
    case utf16

    func bytes(of text: String) -> [UInt8] {
        switch self {
        case .utf8: return Array(text.utf8)
        case .utf16LittleEndian: return text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        case .utf16BigEndian: return text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        case .utf16: return [0xFF, 0xFE] + TextEncoding.utf16LittleEndian.bytes(of: text)
        }
    }
}

/// Base64 with the alphabet of RFC 4648, section 4, padded.
func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
        let group = bytes[index..<min(index + 3, bytes.count)]
        let bits = group.enumerated().reduce(UInt32(0)) { bits, byte in
            bits | UInt32(byte.element) << UInt32(16 - 8 * byte.offset)
        }
        for sextet in 0..<4 {
            let isPadding = sextet > group.count
            result.append(
                isPadding
                    ? UInt8(ascii: "=")
                    : alphabet[Int(bits >> UInt32(18 - 6 * sextet) & 0x3F)])
        }
        index += 3
    }
    return String(decoding: result, as: UTF8.self)
}

/// What of the base64 of a longer text is the same wherever these bytes stand in it: one text for
/// each of the three places in a group of three bytes.
func base64AtAnyOffset(_ bytes: [UInt8]) -> [String] {
    (0..<3).map { offset in
        let encoded = base64(Array(repeating: UInt8(ascii: " "), count: offset) + bytes)
        // Characters that also hold bits of what stands before or behind are cut off.
        let leading = [0, 2, 3][offset]
        let trailing = [0, 3, 2][(bytes.count + offset) % 3]
        return String(encoded.dropFirst(leading).dropLast(trailing))
    }
}
