import RuleModel

/// Reads cells as the types that rules declared. What cannot be read so is missing (T7).
enum CellReader {
    static func value(_ cell: Cell, as type: ValueType, bytes: [UInt8]) -> Value {
        switch cell.kind {
        case .missing:
            return .missing
        case .bool:
            switch type {
            case .bool, .unknown: return .bool(cell.bits != 0)
            default: return .missing
            }
        case .int:
            switch type {
            case .number, .unknown: return .int(Int64(bitPattern: cell.bits))
            case .time:
                return time(Double(Int64(bitPattern: cell.bits)), Int64(bitPattern: cell.bits))
            default: return .missing
            }
        case .float:
            let number = Double(bitPattern: cell.bits)
            switch type {
            case .number, .unknown: return .float(number)
            case .time: return time(number, nil)
            default: return .missing
            }
        case .text:
            return bytes.withUnsafeBufferPointer { bytes in
                text(UnsafeBufferPointer(rebasing: bytes[cell.textRange]), as: type)
            }
        case .json:
            return bytes.withUnsafeBufferPointer { bytes in
                list(UnsafeBufferPointer(rebasing: bytes[cell.textRange]), as: type)
            }
        }
    }

    /// A text read as a type.
    static func text(_ text: UnsafeBufferPointer<UInt8>, as type: ValueType) -> Value {
        switch type {
        case .text, .enumeration, .unknown:
            return .text(String(decoding: text, as: UTF8.self))
        case .ip:
            return IPAddress(utf8: text).map(Value.ip) ?? .missing
        case .network:
            return IPNetwork(String(decoding: text, as: UTF8.self)).map(Value.network) ?? .missing
        case .time:
            return TimeReader.time(text).map(Value.time) ?? .missing
        case .span:
            return TimeReader.span(text).map(Value.span) ?? .missing
        case .bool, .number, .list, .event:
            return .missing
        }
    }

    private static func list(_ json: UnsafeBufferPointer<UInt8>, as type: ValueType) -> Value {
        switch type {
        case .list(let element): return JSONListReader.list(json, of: element)
        case .unknown:
            // An object of unknown type is its text, so that it exists and can be shown.
            if json.first == UInt8(ascii: "[") { return JSONListReader.list(json, of: .unknown) }
            return .text(String(decoding: json, as: UTF8.self))
        default: return .missing
        }
    }

    /// A number as a time since 1970, in the unit that its size tells: below 1e11 seconds, below
    /// 1e14 milliseconds, below 1e17 microseconds, else nanoseconds.
    private static func time(_ number: Double, _ whole: Int64?) -> Value {
        guard number >= 0, number < 9e18 else { return .missing }
        let unit: Int64 =
            number < 1e11 ? 1_000_000_000 : number < 1e14 ? 1_000_000 : number < 1e17 ? 1000 : 1
        if let whole {
            let (nanoseconds, overflow) = whole.multipliedReportingOverflow(by: unit)
            return overflow ? .missing : .time(Timestamp(nanoseconds: nanoseconds))
        }
        let nanoseconds = (number * Double(unit)).rounded()
        return nanoseconds < 9.2e18 ? .time(Timestamp(nanoseconds: Int64(nanoseconds))) : .missing
    }
}

extension Cell {
    /// Where the text of the cell is in the batch's bytes.
    var textRange: Range<Int> {
        let start = Int(truncatingIfNeeded: bits)
        return start..<start + Int(length)
    }
}
