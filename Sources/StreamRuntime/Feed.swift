import Dispatch
import MatchEngine
import RuleModel

/// One input with its decoder and the rows not yet processed.
final class Feed {
    /// Where a row stands in the order of a replay.
    struct Head: Comparable {
        var time: Int64
        var arrival: UInt64

        static func < (left: Head, right: Head) -> Bool {
            (left.time, left.arrival) < (right.time, right.arrival)
        }
    }

    /// As messages name it.
    let name: String
    let index: UInt16
    let idleAfter: TimeSpan
    /// Silent for so long that it no longer holds event time back.
    var isIdle = false
    private var lastArrival: DispatchTime
    private let now: () -> DispatchTime
    private let source: any ByteSource
    private let options: InputOptions
    private var decoder: NDJSONDecoder
    /// Nil where events that come twice are two.
    private(set) var seen: SeenIDs?
    /// Memory for the ids of a batch, and their place among the columns that rules read, if they do.
    private var ids: (cells: [Cell], column: Int?) = ([], nil)
    private var chunk = LineChunk()
    private(set) var batch: EventBatch
    /// The batch with its conditions judged, once someone has asked for that.
    var loaded: LoadedBatch?
    /// The batches before, the oldest first: the shards may still work on all but that.
    private var spares: [EventBatch]
    private var position = 0
    private var sourceEnded = false
    /// The lines of the batch, in the chunk, and the number of the first one.
    private var decoded = (range: 0..<0, line: 1)
    /// How far each file has been processed.
    private(set) var positions: [FilePosition] = []
    var report = InputReport()

    init(
        _ input: PipelineInput, index: UInt16, program: Program, now: @escaping () -> DispatchTime
    ) {
        self.now = now
        lastArrival = now()
        name = input.name
        self.index = index
        source = input.source
        idleAfter = input.idleAfter
        options = input.options
        seen = input.deduplication.map {
            SeenIDs($0, lateness: max(input.lateness, input.correction))
        }
        batch = EventBatch(source: index, fieldCount: program.tables.columns.count)
        spares = Array(repeating: batch, count: Pipeline.turnsMax + 1)
        (decoder, ids.column) = Feed.decoder(for: program, ids: seen?.field, options)
    }

    private static func decoder(
        for program: Program, ids field: FieldPath?, _ options: InputOptions
    ) -> (NDJSONDecoder, column: Int?) {
        var fields = program.tables.columns
        let column = field.flatMap(fields.firstIndex(of:))
        if let field, column == nil { fields.append(field) }
        let decoder = NDJSONDecoder(
            fields: fields, eventTypes: program.tables.outsideTypes, options: options)
        return (decoder, column)
    }

    /// Takes from the lines not yet decoded what other rules read.
    ///
    /// - Precondition: no row is waiting, and no shard works on one.
    func read(for program: Program) {
        precondition(!hasRows, "rows of the old columns are processed first")
        (decoder, ids.column) = Feed.decoder(for: program, ids: seen?.field, options)
        batch = EventBatch(source: index, fieldCount: program.tables.columns.count)
        loaded = nil
        position = 0
        spares = Array(repeating: batch, count: Pipeline.turnsMax + 1)
    }

    var hasRows: Bool { position < batch.count }
    var isEnded: Bool { !hasRows && sourceEnded && chunk.isDecoded }
    var head: Head { Head(time: batch.times[position], arrival: batch.arrivals[position]) }

    /// How long nothing has come, on the clock.
    func silence(at now: DispatchTime) -> TimeSpan {
        TimeSpan(
            nanoseconds: Int64(clamping: now.uptimeNanoseconds &- lastArrival.uptimeNanoseconds))
    }

    /// Decodes the next rows, reading if need be; none where a whole chunk held nothing of use.
    func fill(rowMax: Int, arrival: inout UInt64, waitMilliseconds: Int) {
        loaded = nil
        spares.append(batch)
        batch = spares.removeFirst()
        batch.removeAll()
        position = 0
        while batch.count == 0 {
            if chunk.isDecoded {
                if sourceEnded { return }
                switch source.next(into: &chunk, waitingAtMost: waitMilliseconds, report: &report) {
                case .lines:
                    lastArrival = now()
                    isIdle = false
                case .idle: return
                case .end:
                    sourceEnded = true
                    return
                }
            }
            decode(rowMax: rowMax, arrival: &arrival)
            if batch.count == 0, chunk.isDecoded {
                note(chunk, to: decoded.range.upperBound)
                return
            }
        }
    }

    private func decode(rowMax: Int, arrival: inout UInt64) {
        let start = chunk.position
        let line = chunk.line
        // The ids are a column of the decoder's alone, unless rules read that field.
        let ownColumn = seen != nil && ids.column == nil ? batch.columns.count : nil
        if let ownColumn {
            batch.columns.append([])
            swap(&batch.columns[ownColumn], &ids.cells)
        }
        decoder.decode(&chunk, into: &batch, rowMax: rowMax, arrival: &arrival, report: &report)
        if let ownColumn {
            swap(&batch.columns[ownColumn], &ids.cells)
            batch.columns.removeLast()
        }
        decoded = (start..<chunk.position, line)
        removeRepeats(arrival: &arrival)
        ids.cells.removeAll(keepingCapacity: true)
    }

    /// Takes out of the batch just decoded what came before, so that it leaves no trace but a count.
    private func removeRepeats(arrival: inout UInt64) {
        let cells = ids.column.map { batch.columns[$0] } ?? ids.cells
        guard let rows = seen?.repeats(in: cells, of: batch, report: &report) else { return }
        report.events -= rows.count
        report.unreadTypeEvents -= rows.count { batch.types[$0] == .unread }
        arrival -= UInt64(rows.count)
        batch.remove(rows)
    }

    // MARK: - What outlasts a crash

    /// Where the batch came from, for the journal; counts it as processed.
    func journalRecord() -> JournalRecord {
        let arrival = batch.arrivals[0]
        let offset = chunk.fileOffset + decoded.range.lowerBound
        let end = chunk.fileOffset + decoded.range.upperBound
        note(chunk, to: decoded.range.upperBound)
        guard let identity = chunk.identity else {
            return .bytes(
                source: name, arrival: arrival, name: chunk.name, offset: offset,
                line: decoded.line, Array(chunk.bytes[decoded.range]))
        }
        let start = FilePosition(
            path: chunk.name, identity: identity, offset: offset, line: decoded.line)
        return .range(source: name, arrival: arrival, start, end: end)
    }

    /// All that stands before the place in the chunk has been processed.
    private func note(_ chunk: LineChunk, to place: Int) {
        let position = FilePosition(
            path: chunk.name, identity: chunk.identity ?? .none,
            offset: chunk.fileOffset + place, line: chunk.line)
        if let index = positions.firstIndex(where: { $0.path == position.path }) {
            positions[index] = position
        } else {
            positions.append(position)
        }
    }

    /// What a checkpoint keeps of this input.
    ///
    /// - Precondition: no row is waiting: its id counts as seen, and its position as not read.
    var state: Checkpoint.Source {
        precondition(!hasRows, "rows are processed before their ids are written down")
        return Checkpoint.Source(name: name, positions: positions, isIdle: isIdle, ids: seen)
    }

    /// Goes back to where a checkpoint was made.
    func restore(_ source: Checkpoint.Source) throws(SnapshotError) {
        positions = source.positions
        isIdle = source.isIdle
        try seen?.restore(source.idBytes)
    }

    /// Takes lines of a journal as if they had been read now.
    ///
    /// - Parameter identity: Of the file that they are from; nil when the journal holds the lines themselves.
    func replay(_ lines: LineChunk, of identity: FileIdentity?, arrival: inout UInt64) {
        chunk = lines
        chunk.identity = identity
        loaded = nil
        batch.removeAll()
        position = 0
        isIdle = false
        decode(rowMax: .max, arrival: &arrival)
        note(chunk, to: decoded.range.upperBound)
        // What is being told now was told when it was read.
        _ = report.takeFaults()
    }

    /// From now on reads what comes behind the positions.
    func resume() {
        source.resume(at: positions)
        lastArrival = now()
    }

    /// The batch with its conditions judged, once for all of its rows.
    func load(with judge: BatchJudge) -> LoadedBatch {
        if let loaded { return loaded }
        let loaded = judge.load(batch)
        self.loaded = loaded
        return loaded
    }

    /// Takes rows from the front that stand before the limit, at least one.
    func take(upTo limit: Head?) -> Range<Int> {
        let start = position
        var end = batch.count
        if let limit {
            // Through a local, not the property, which is checked at each access.
            end = start + 1
            let (times, arrivals) = (batch.times, batch.arrivals)
            while end < times.count, Head(time: times[end], arrival: arrivals[end]) < limit {
                end += 1
            }
        }
        position = end
        return start..<end
    }
}
