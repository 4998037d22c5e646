import RuleModel

/// Turns lines of JSON into rows of an event batch, taking only the fields that are wanted.
///
/// The work is done by `LineScanner`; this is its memory and its way in and out: from chunks, to
/// batches, with the faults of bad lines into the report.
public struct NDJSONDecoder: Sendable {
    private let projection: Projection
    private let options: InputOptions
    /// The one type of all events, if the options name it.
    private let fixedType: EventTypeID?
    private let fieldCount: Int

    // Memory of the scanner, kept from call to call. All of it is arrays, so that a decoder can be
    // handed to another thread.
    private var cells: [Cell]
    private var text: [UInt8] = []
    private var memos: [KeyMemo]
    private var seen: [UInt32]
    private var stamp: UInt32 = 0
    /// The file in which a key came twice last; each file is counted once.
    private var duplicateKeyFile: String?

    /// Rows are gathered in blocks that stay in the nearest cache: six slots of 256 rows are 24 KiB.
    private static let blockRows = 256

    /// - Parameters:
    ///   - fields: The wanted fields; field `i` goes to `EventBatch.columns[i]`.
    ///   - eventTypes: The names of the event types that rules read; the place is the id. Nil for one
    ///     that is not to be found in the data.
    public init(fields: [FieldPath], eventTypes: [String?], options: InputOptions) {
        projection = Projection(fields: fields, eventTypes: eventTypes, options: options)
        self.options = options
        fieldCount = fields.count
        fixedType = options.typeName.map { name in
            let place = eventTypes.firstIndex { $0.map(Text.init) == Text(name) }
            return place.map { EventTypeID(rawValue: UInt16($0)) } ?? .unread
        }
        cells = Array(
            repeating: .missing, count: max(1, projection.slotCount) * NDJSONDecoder.blockRows)
        let places = projection.memoPlaces + Projection.typeMemoPlaces
        memos = Array(repeating: KeyMemo(), count: places * KeyMemo.ways)
        // One more, so that there is memory even where nothing is wanted.
        seen = Array(repeating: 0, count: projection.entries.count + 1)
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
        precondition(
            batch.columns.count == fieldCount, "the batch has other columns than the decoder")
        precondition(rowMax > 0, "a batch takes at least one row")
        precondition(chunk.isSound, "a chunk ends with a line feed and padding")
        var rows = 0
        while rows < rowMax, !chunk.isDecoded {
            rows += decodeBlock(
                &chunk, into: &batch, rowMax: min(rowMax - rows, NDJSONDecoder.blockRows),
                arrival: &arrival, report: &report)
        }
    }

    /// Decodes up to `rowMax` rows and returns how many came.
    private mutating func decodeBlock(
        _ chunk: inout LineChunk, into batch: inout EventBatch, rowMax: Int, arrival: inout UInt64,
        report: inout InputReport
    ) -> Int {
        makeRoom(bytes: chunk.count - chunk.position)
        var run = LineRun(
            chunk: chunk, options: options, fixedType: fixedType, rowMax: rowMax, arrival: arrival)
        let textBase = batch.bytes.count
        chunk.bytes.withUnsafeBufferPointer { bytes in
            cells.withUnsafeMutableBufferPointer { cells in
                text.withUnsafeMutableBufferPointer { text in
                    memos.withUnsafeMutableBufferPointer { memos in
                        seen.withUnsafeMutableBufferPointer { seen in
                            // None of the five is ever empty: see `init` and `makeRoom`.
                            guard let start = bytes.baseAddress, let cells = cells.baseAddress,
                                let text = text.baseAddress, let memos = memos.baseAddress,
                                let seen = seen.baseAddress
                            else { return }
                            var scanner = LineScanner(
                                projection: projection, rowCapacity: NDJSONDecoder.blockRows,
                                cells: cells, text: text, textBase: textBase, memos: memos,
                                seen: seen, stamp: stamp, start: start)
                            run.decodeLines(start, &scanner, into: &batch, report: &report)
                            stamp = scanner.stamp
                            batch.bytes.append(
                                contentsOf: UnsafeBufferPointer(
                                    start: text, count: scanner.textCount))
                        }
                    }
                }
            }
        }
        appendColumns(rows: run.rows, to: &batch)
        chunk.position = run.position
        chunk.line = run.line
        arrival = run.arrival
        if run.hasDuplicateKey, duplicateKeyFile != chunk.name {
            duplicateKeyFile = chunk.name
            report.duplicateKeyFiles += 1
        }
        return run.rows
    }

    private mutating func makeRoom(bytes: Int) {
        // One copy more than the slots can ask for: the room in which a key, time or type with
        // escapes is read.
        let textRoom = bytes * (projection.copiesMax + 1) + LineChunk.padding
        if text.count < textRoom { text = Array(repeating: 0, count: textRoom) }
    }

    /// Moves the rows of the slots to the columns and leaves the slots empty.
    private mutating func appendColumns(rows: Int, to batch: inout EventBatch) {
        if rows == 0 { return }
        let blockRows = NDJSONDecoder.blockRows
        cells.withUnsafeMutableBufferPointer { cells in
            func slotRows(_ slot: Int) -> UnsafeMutableBufferPointer<Cell> {
                UnsafeMutableBufferPointer(
                    rebasing: cells[slot * blockRows..<slot * blockRows + rows])
            }
            for (field, slots) in projection.fieldSlots.enumerated() {
                let first = batch.columns[field].count
                batch.columns[field].append(contentsOf: slotRows(slots[0]))
                for slot in slots.dropFirst() {
                    let spelled = slotRows(slot)
                    for row in 0..<rows
                    where spelled[row].kind != .missing
                        && batch.columns[field][first + row].kind == .missing
                    {
                        batch.columns[field][first + row] = spelled[row]
                    }
                }
            }
            for slot in 0..<projection.slotCount { slotRows(slot).update(repeating: .missing) }
        }
    }
}

/// One call of `NDJSONDecoder.decode`: the way from line to line.
private struct LineRun {
    let chunk: LineChunk
    let options: InputOptions
    let fixedType: EventTypeID?
    let rowMax: Int
    var arrival: UInt64
    var rows = 0
    var position: Int
    var line: Int
    var hasDuplicateKey = false

    init(
        chunk: LineChunk, options: InputOptions, fixedType: EventTypeID?, rowMax: Int,
        arrival: UInt64
    ) {
        self.chunk = chunk
        self.options = options
        self.fixedType = fixedType
        self.rowMax = rowMax
        self.arrival = arrival
        position = chunk.position
        line = chunk.line
    }

    mutating func decodeLines(
        _ base: BytePointer, _ scanner: inout LineScanner, into batch: inout EventBatch,
        report: inout InputReport
    ) {
        if chunk.fileOffset == 0, position == 0, base[0] == 0xEF, base[1] == 0xBB, base[2] == 0xBF {
            report.byteOrderMarks += 1
            position = 3
        }
        var unread = 0
        let firstLine = line
        while position < chunk.count, rows < rowMax {
            let lineStart = base + position
            let first = skipSpace(lineStart)
            if first.pointee == .lineFeed {
                report.blankLines += 1
                position = first - base + 1
                line += 1
                continue
            }
            scanner.row = rows
            let textCount = scanner.textCount
            if let end = scanner.scanLine(first), isShort(lineStart, end, &scanner),
                let type = eventType(&scanner, first)
            {
                batch.types.append(type)
                batch.times.append(scanner.time.value)
                batch.arrivals.append(arrival)
                if type == .unread { unread += 1 }
                arrival += 1
                rows += 1
                position = end - base + 1
            } else {
                scanner.textCount = textCount
                scanner.clearRow()
                position = record(scanner, base, lineStart, &report)
            }
            line += 1
        }
        hasDuplicateKey = scanner.hasDuplicateKey
        report.lines += line - firstLine
        report.events += rows
        report.unreadTypeEvents += unread
    }

    /// The cutter holds back only what is far too long for its memory; the limit is kept here.
    private func isShort(
        _ start: BytePointer, _ end: BytePointer, _ scanner: inout LineScanner
    ) -> Bool {
        if end - start <= options.lineBytesMax { return true }
        scanner.fault = .lineTooLong
        scanner.faultPosition = start
        return false
    }

    /// The type of the event just read; nil with the scanner's fault set if it has no type or time.
    private func eventType(_ scanner: inout LineScanner, _ first: BytePointer) -> EventTypeID? {
        let isFixed = fixedType != nil
        if scanner.time.isFound, isFixed || scanner.type.isFound {
            return fixedType ?? scanner.type.value
        }
        if !isFixed, !scanner.type.isFound {
            scanner.fault = scanner.type.isMissing ? .typeMissing : .typeUnreadable
            scanner.faultPosition = scanner.type.isMissing ? first : scanner.type.position
        } else {
            scanner.fault =
                scanner.time.isMissing ? .timeMissing : scanner.time.fault ?? .timeMissing
            scanner.faultPosition = scanner.time.isMissing ? first : scanner.time.position
        }
        return nil
    }

    /// Records the fault of a line and returns where the next one begins.
    private func record(
        _ scanner: LineScanner, _ base: BytePointer, _ lineStart: BytePointer,
        _ report: inout InputReport
    ) -> Int {
        // The fault stands at or before the line feed, and every chunk ends with one.
        var end = scanner.faultPosition
        while end.pointee != .lineFeed { end += 1 }
        let count = end - lineStart
        let rest = UnsafeBufferPointer(
            start: scanner.faultPosition, count: end - scanner.faultPosition)
        report.record(
            InputFault(
                reason: scanner.fault.reason, source: chunk.name, line: line,
                offset: chunk.fileOffset + (scanner.faultPosition - base),
                message: scanner.fault.message(rest: rest, options: options),
                raw: Array(
                    UnsafeBufferPointer(start: lineStart, count: min(count, InputFault.rawBytesMax))
                ),
                isRawCut: count > InputFault.rawBytesMax))
        return end - base + 1
    }
}
