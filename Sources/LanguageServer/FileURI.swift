/// The path of a `file:` URI, percent signs undone; nil for other schemes and other hosts.
func filePath(_ uri: String) -> String? {
    guard uri.lowercased().hasPrefix("file://") else { return nil }
    var rest = Array(uri.utf8.dropFirst("file://".utf8.count))
    // `file://localhost/a` is `file:///a`.
    if rest.first != UInt8(ascii: "/") {
        guard let slash = rest.firstIndex(of: UInt8(ascii: "/")),
            String(decoding: rest[..<slash], as: UTF8.self).lowercased() == "localhost"
        else { return nil }
        rest.removeFirst(slash)
    }
    var bytes: [UInt8] = []
    var index = 0
    while index < rest.count {
        if rest[index] == UInt8(ascii: "%"), index + 2 < rest.count,
            let byte = UInt8(
                String(decoding: rest[index + 1...index + 2], as: UTF8.self), radix: 16)
        {
            bytes.append(byte)
            index += 3
        } else {
            bytes.append(rest[index])
            index += 1
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// The `file:` URI of an absolute path; what is no absolute path is taken for a URI already.
func fileURI(_ path: String) -> String {
    guard path.utf8.first == UInt8(ascii: "/") else { return path }
    var text = "file://"
    for byte in path.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
            text.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let digits = String(byte, radix: 16, uppercase: true)
            text += (byte < 16 ? "%0" : "%") + digits
        }
    }
    return text
}
