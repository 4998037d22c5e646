import RuleSyntax

/// In what a client counts the columns of a line.
enum PositionEncoding: String {
    case utf8 = "utf-8"
    /// What every client knows, and the default.
    case utf16 = "utf-16"

    /// What to use with a client that offers these.
    init(offered: [String]) {
        // Our own offsets are bytes, so bytes cost nothing.
        self = offered.contains("utf-8") ? .utf8 : .utf16
    }
}

/// Positions of the protocol in one file: lines and columns from 0.
struct PositionMap {
    let source: SourceText
    let encoding: PositionEncoding

    /// The byte offset of a position; a column behind the end of its line is the end of the line, a
    /// line behind the end of the file the end of the file.
    func offset(line: Int, character: Int) -> UInt32 {
        guard line >= 0 else { return 0 }
        guard line < source.lineStarts.count else { return UInt32(source.bytes.count) }
        let bytes = source.lineBytes(line)
        var wanted = max(0, character)
        switch encoding {
        case .utf8: return UInt32(bytes.startIndex + min(wanted, bytes.count))
        case .utf16:
            var index = bytes.startIndex
            for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
                let width = scalar.value > 0xFFFF ? 2 : 1
                if wanted < width { break }
                wanted -= width
                index += UTF8.width(scalar)
            }
            return UInt32(min(index, bytes.endIndex))
        }
    }

    /// `{line, character}` of the protocol; nil when it is none.
    func offset(_ position: JSONDocument?) -> UInt32? {
        guard let line = position?["line"]?.integer,
            let character = position?["character"]?.integer
        else { return nil }
        return offset(line: line, character: character)
    }

    func position(_ offset: UInt32) -> (line: Int, character: Int) {
        let end = min(Int(offset), source.bytes.count)
        let line = source.line(at: UInt32(end))
        let bytes = source.bytes[Int(source.lineStarts[line])..<end]
        return (line, units(bytes))
    }

    func json(_ offset: UInt32) -> JSONDocument {
        let (line, character) = position(offset)
        return ["line": .number(line), "character": .number(character)]
    }

    func json(_ range: SourceRange) -> JSONDocument { json(range.start, range.end) }

    func json(_ start: UInt32, _ end: UInt32) -> JSONDocument {
        ["start": json(start), "end": json(end)]
    }

    /// The length of some text of one line.
    func units(_ bytes: ArraySlice<UInt8>) -> Int {
        switch encoding {
        case .utf8: bytes.count
        case .utf16: String(decoding: bytes, as: UTF8.self).utf16.count
        }
    }
}

extension UTF8 {
    fileprivate static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0..<0x80: 1
        case 0x80..<0x800: 2
        case 0x800..<0x1_0000: 3
        default: 4
        }
    }
}
