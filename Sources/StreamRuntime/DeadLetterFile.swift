import Foundation

/// The file in which lines that could not be read are kept, one JSON object for each.
///
///     {"source":"a.ndjson","line":17,"offset":4711,"reason":"truncated","message":"…","raw":"{\"a\":"}
///
/// `raw` is the line as it was read, at most 64 KiB of it (`"raw_cut":true` if there was more). Bytes
/// that are not UTF-8 are written as `\xNN` and backslashes doubled; `"raw_escaped":true` says so.
/// `line` and `raw` are missing where the fault is about a whole file.
///
/// The file is appended to, and only its owner may read it: bad lines hold the same secrets as good ones.
public final class DeadLetterFile {
    private let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    /// Opens the file, or makes it.
    public init(path: String) throws(DeadLetterError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        if descriptor < 0 {
            throw DeadLetterError.cannotOpen(path: path, reason: systemError())
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Writes the faults behind those already there.
    public func append(_ faults: [InputFault]) throws(DeadLetterError) {
        buffer.removeAll(keepingCapacity: true)
        for fault in faults {
            appendRecord(fault)
            // Large records do not pile up.
            if buffer.count > 1 << 20 { try flush() }
        }
        try flush()
    }

    private func flush() throws(DeadLetterError) {
        guard writeAll(descriptor, buffer) else {
            throw DeadLetterError.cannotWrite(path: path, reason: systemError())
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private func appendRecord(_ fault: InputFault) {
        append("{\"source\":")
        appendText(Array(fault.source.utf8))
        if let line = fault.line { append(",\"line\":\(line)") }
        append(",\"offset\":\(fault.offset),\"reason\":\"\(fault.reason.rawValue)\",\"message\":")
        appendText(Array(fault.message.utf8))
        if fault.line != nil {
            let isText = String(validating: fault.raw, as: UTF8.self) != nil
            append(",\"raw\":")
            appendText(isText ? fault.raw : escaped(fault.raw))
            if !isText { append(",\"raw_escaped\":true") }
            if fault.isRawCut { append(",\"raw_cut\":true") }
        }
        append("}\n")
    }

    private func append(_ text: String) { buffer += text.utf8 }

    /// A JSON text. The bytes are valid UTF-8.
    private func appendText(_ bytes: [UInt8]) {
        buffer.append(.quote)
        for byte in bytes {
            switch byte {
            case .quote, .backslash:
                buffer.append(.backslash)
                buffer.append(byte)
            case ..<0x20, 0x7F:
                append("\\u00" + hexadecimal(byte))
            default:
                buffer.append(byte)
            }
        }
        buffer.append(.quote)
    }

    /// The bytes as valid UTF-8: odd ones as `\xNN`, backslashes doubled so that it can be undone.
    private func escaped(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = bytes[...]
        while let first = rest.first {
            // A code point is at most four bytes, and a shorter beginning of one is not valid.
            let valid = (1...4).first { count in
                rest.count >= count && String(validating: rest.prefix(count), as: UTF8.self) != nil
            }
            if let valid, first != .backslash {
                result += rest.prefix(valid)
            } else {
                result += (first == .backslash ? "\\\\" : "\\x" + hexadecimal(first)).utf8
            }
            rest = rest.dropFirst(valid ?? 1)
        }
        return result
    }
}

/// Why faults could not be kept.
public enum DeadLetterError: Error, Equatable, CustomStringConvertible {
    /// It cannot be opened or made.
    case cannotOpen(path: String, reason: String)
    /// It cannot be written any more: the disk is full, for example.
    case cannotWrite(path: String, reason: String)

    /// The error for people: what, where and why.
    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason):
            "the dead-letter file \(path) cannot be opened: \(reason)"
        case .cannotWrite(let path, let reason):
            "the dead-letter file \(path) cannot be written: \(reason)"
        }
    }
}

/// Two digits.
private func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.utf8.count < 2 ? "0" + digits : digits
}
