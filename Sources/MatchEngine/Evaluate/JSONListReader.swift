import RuleModel

/// Reads the JSON array of a cell as a list value.
///
/// The decoder has checked that the text is JSON; what is unexpected all the same ends in missing.
/// Null elements and those of another type than declared are left out, objects too.
struct JSONListReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var place = 0

    private static let depthMax = 32

    static func list(_ json: UnsafeBufferPointer<UInt8>, of element: ValueType) -> Value {
        var reader = JSONListReader(bytes: json)
        reader.skipSpace()
        guard reader.peek == UInt8(ascii: "[") else { return .missing }
        return reader.array(of: element, depth: 0) ?? .missing
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private var peek: UInt8 { place < bytes.count ? bytes[place] : 0 }

    private mutating func skipSpace() {
        while place < bytes.count, bytes[place] <= 0x20 { place += 1 }
    }

    /// Nil when the text is not JSON after all.
    private mutating func array(of element: ValueType, depth: Int) -> Value? {
        guard depth < JSONListReader.depthMax else { return nil }
        place += 1
        var values: [Value] = []
        skipSpace()
        if peek == UInt8(ascii: "]") {
            place += 1
            return .list([])
        }
        while true {
            skipSpace()
            guard let value = value(as: element, depth: depth) else { return nil }
            if !value.isMissing { values.append(value) }
            skipSpace()
            let next = peek
            place += 1
            if next == UInt8(ascii: "]") { return .list(values) }
            guard next == UInt8(ascii: ",") else { return nil }
        }
    }

    private mutating func value(as type: ValueType, depth: Int) -> Value? {
        switch peek {
        case UInt8(ascii: "\""):
            guard let text = string() else { return nil }
            return text.withUnsafeBufferPointer { CellReader.text($0, as: type) }
        case UInt8(ascii: "["):
            var inner = ValueType.unknown
            var isWanted = type == .unknown
            if case .list(let element) = type {
                inner = element
                isWanted = true
            }
            guard let list = array(of: inner, depth: depth + 1) else { return nil }
            return isWanted ? list : .missing
        case UInt8(ascii: "{"):
            return skipObject() ? .missing : nil
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            let first = peek
            while peek >= UInt8(ascii: "a"), peek <= UInt8(ascii: "z") { place += 1 }
            if first == UInt8(ascii: "n") { return .missing }
            return cell(Cell(kind: .bool, bits: first == UInt8(ascii: "t") ? 1 : 0), as: type)
        default:
            return number(as: type)
        }
    }

    private func cell(_ cell: Cell, as type: ValueType) -> Value {
        CellReader.value(cell, as: type, bytes: [])
    }

    private mutating func number(as type: ValueType) -> Value? {
        let start = place
        while place < bytes.count, isNumberByte(bytes[place]) { place += 1 }
        guard place > start else { return nil }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        if let whole = Int64(text) {
            return cell(Cell(kind: .int, bits: UInt64(bitPattern: whole)), as: type)
        }
        guard let number = Double(text), number.isFinite else { return .missing }
        return cell(Cell(kind: .float, bits: number.bitPattern), as: type)
    }

    private func isNumberByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
            UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    /// The bytes of a string with its escapes undone.
    private mutating func string() -> [UInt8]? {
        place += 1
        var text: [UInt8] = []
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            if byte == UInt8(ascii: "\"") { return text }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            let escape = peek
            place += 1
            switch escape {
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "u"):
                guard let scalar = escapedScalar() else { return nil }
                text += Array(String(Character(scalar)).utf8)
            default: text.append(escape)
            }
        }
        return nil
    }

    /// The character of `\uXXXX`, with its second half for a pair; a lone half is U+FFFD.
    private mutating func escapedScalar() -> Unicode.Scalar? {
        guard let unit = hexadecimal() else { return nil }
        if unit >= 0xD800, unit < 0xDC00, peek == UInt8(ascii: "\\"), place + 1 < bytes.count,
            bytes[place + 1] == UInt8(ascii: "u")
        {
            place += 2
            guard let second = hexadecimal() else { return nil }
            if second >= 0xDC00, second < 0xE000 {
                return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (second - 0xDC00))
            }
        }
        return Unicode.Scalar(unit) ?? "\u{FFFD}"
    }

    private mutating func hexadecimal() -> UInt32? {
        guard place + 4 <= bytes.count else { return nil }
        let digits = String(decoding: bytes[place..<place + 4], as: UTF8.self)
        place += 4
        return UInt32(digits, radix: 16)
    }

    private mutating func skipObject() -> Bool {
        var depth = 0
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\""):
                guard string() != nil else { return false }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            place += 1
            if depth == 0 { return true }
        }
        return false
    }
}
