import Foundation
import RuleModel

/// Turns lines of JSON into rows of an event batch, taking only the fields that are wanted.
public struct NDJSONDecoder: Sendable {
    private let fields: [FieldPath]
    private let eventTypes: [String]
    private let options: InputOptions

    /// - Parameters:
    ///   - fields: The wanted fields; field `i` goes to `EventBatch.columns[i]`.
    ///   - eventTypes: The names of the event types that rules read; the place is the id.
    public init(fields: [FieldPath], eventTypes: [String], options: InputOptions) {
        self.fields = fields
        self.eventTypes = eventTypes
        self.options = options
    }

    /// Decodes the lines of a chunk from where the last call stopped.
    ///
    /// Stops at the end of the chunk (`chunk.isDecoded`) or when `rowMax` rows have been appended.
    /// Lines that cannot be read are recorded in the report; the lines around them are not harmed.
    ///
    /// - Parameters:
    ///   - batch: Rows are appended; must have as many columns as there are wanted fields.
    ///   - arrival: The arrival number of the next row; raised by one for each row appended.
    public mutating func decode(
        _ chunk: inout LineChunk, into batch: inout EventBatch, rowMax: Int = 1024,
        arrival: inout UInt64, report: inout InputReport
    ) {
        precondition(batch.columns.count == fields.count, "the batch has other columns than the decoder")
        var rows = 0
        while !chunk.isDecoded, rows < rowMax {
            let line = chunk.bytes[chunk.position..<chunk.count].prefix { $0 != 0x0A }
            let start = chunk.position
            chunk.position = line.endIndex + 1
            defer { chunk.line += 1 }
            report.lines += 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) {
                report.blankLines += 1
                continue
            }
            guard let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
                let time = object[options.timeField.description] as? String,
                let date = try? Date(time, strategy: .iso8601)
            else {
                report.record(
                    InputFault(
                        reason: .malformed, source: chunk.name, line: chunk.line,
                        offset: chunk.fileOffset + start, message: "the line is not an event",
                        raw: Array(line.prefix(InputFault.rawBytesMax))))
                continue
            }
            let type = options.typeName ?? object[options.typeField.description] as? String ?? ""
            let place = eventTypes.firstIndex(of: type)
            if place == nil { report.unreadTypeEvents += 1 }
            batch.types.append(place.map { EventTypeID(rawValue: UInt16($0)) } ?? .unread)
            batch.times.append(Int64(date.timeIntervalSince1970 * 1e9))
            batch.arrivals.append(arrival)
            arrival += 1
            rows += 1
            report.events += 1
            for (index, field) in fields.enumerated() {
                batch.columns[index].append(cell(object[field.description], bytes: &batch.bytes))
            }
        }
    }

    private func cell(_ value: Any?, bytes: inout [UInt8]) -> Cell {
        if let number = value as? Int { return Cell(kind: .int, bits: UInt64(bitPattern: Int64(number))) }
        if let number = value as? Double { return Cell(kind: .float, bits: number.bitPattern) }
        guard let text = value as? String else { return .missing }
        defer { bytes += Array(text.utf8) }
        return Cell(kind: .text, bits: UInt64(bytes.count), length: UInt32(text.utf8.count))
    }
}
