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
    private let options: InputOptions
    private var reader: BatchReader
    /// Reads in place of the reader, where batches are decoded ahead.
    private let ahead: ReadAhead?
    private(set) var batch: EventBatch
    /// The batch with its conditions judged, once someone has asked for that.
    var loaded: LoadedBatch?
    /// The batches before, the oldest first: the shards may still work on all but that.
    private var spares: [EventBatch]
    private var position = 0
    private var aheadEnded = false
    /// How far each file has been processed.
    private(set) var positions: [FilePosition] = []
    var report = InputReport()

    /// - Parameter readsAhead: Whether the next batch may be decoded while nobody has asked for it.
    init(
        _ input: PipelineInput, index: UInt16, program: Program, readsAhead: Bool,
        now: @escaping () -> DispatchTime
    ) {
        self.now = now
        lastArrival = now()
        name = input.name
        self.index = index
        idleAfter = input.idleAfter
        options = input.options
        reader = BatchReader(input.source, options: options, program: program)
        batch = EventBatch(source: index, fieldCount: program.tables.columns.count)
        spares = Array(repeating: batch, count: Pipeline.turnsMax + 1)
        // What can be read only once may let its reader wait, and nobody else can be asked meanwhile.
        let files = (input.source as? FileSource).flatMap { $0.canReread && readsAhead ? $0 : nil }
        ahead = files.map { [batch, options] files in
            ReadAhead(files, options: options, program: program, batch: batch)
        }
    }

    /// Takes from the lines not yet decoded what other rules read.
    ///
    /// - Precondition: no row is waiting, and no shard works on one.
    func read(for program: Program) {
        precondition(!hasRows, "rows of the old columns are processed first")
        precondition(ahead == nil, "what was decoded ahead has the old columns")
        reader.read(for: program, options)
        batch = EventBatch(source: index, fieldCount: program.tables.columns.count)
        loaded = nil
        position = 0
        spares = Array(repeating: batch, count: Pipeline.turnsMax + 1)
    }

    var isReadAhead: Bool { ahead != nil }
    var hasRows: Bool { position < batch.count }
    var isEnded: Bool { !hasRows && (ahead == nil ? reader.isEnded : aheadEnded) }
    var head: Head { Head(time: batch.times[position], arrival: batch.arrivals[position]) }

    /// How long nothing has come, on the clock.
    func silence(at now: DispatchTime) -> TimeSpan {
        TimeSpan(
            nanoseconds: Int64(clamping: now.uptimeNanoseconds &- lastArrival.uptimeNanoseconds))
    }

    /// Decodes the next rows, reading if need be.
    func fill(rowMax: Int, arrival: inout UInt64, waitMilliseconds: Int) {
        loaded = nil
        spares.append(batch)
        batch = spares.removeFirst()
        batch.removeAll()
        position = 0
        if let ahead {
            aheadEnded = ahead.take(&batch, arrival: &arrival, report: &report)
        } else if reader.fill(
            &batch, rowMax: rowMax, waitMilliseconds: waitMilliseconds, arrival: &arrival,
            report: &report)
        {
            lastArrival = now()
            isIdle = false
        }
    }

    // MARK: - What outlasts a crash

    /// Where the batch came from, for the journal; counts it as processed.
    func journalRecord() -> JournalRecord {
        let arrival = batch.arrivals[0]
        let offset = reader.chunk.fileOffset + reader.decoded.range.lowerBound
        let end = reader.chunk.fileOffset + reader.decoded.range.upperBound
        note(
            FilePosition(
                path: reader.chunk.name, identity: reader.chunk.identity ?? .none, offset: end,
                line: reader.chunk.line))
        guard let identity = reader.chunk.identity else {
            return .bytes(
                source: name, arrival: arrival, name: reader.chunk.name, offset: offset,
                line: reader.decoded.line, Array(reader.chunk.bytes[reader.decoded.range]))
        }
        let start = FilePosition(
            path: reader.chunk.name, identity: identity, offset: offset, line: reader.decoded.line)
        return .range(source: name, arrival: arrival, start, end: end)
    }

    private func note(_ position: FilePosition) {
        if let index = positions.firstIndex(where: { $0.path == position.path }) {
            positions[index] = position
        } else {
            positions.append(position)
        }
    }

    /// Goes back to where a checkpoint was made.
    func restore(_ positions: [FilePosition], isIdle: Bool) {
        self.positions = positions
        self.isIdle = isIdle
    }

    /// Takes lines of a journal as if they had been read now.
    ///
    /// - Parameter identity: Of the file that they are from; nil when the journal holds the lines themselves.
    func replay(_ lines: LineChunk, of identity: FileIdentity?, arrival: inout UInt64) {
        reader.chunk = lines
        reader.chunk.identity = identity
        loaded = nil
        batch.removeAll()
        position = 0
        isIdle = false
        reader.decode(into: &batch, rowMax: .max, arrival: &arrival, report: &report)
        note(
            FilePosition(
                path: reader.chunk.name, identity: identity ?? .none,
                offset: reader.chunk.fileOffset + reader.decoded.range.upperBound,
                line: reader.chunk.line))
        // What is being told now was told when it was read.
        _ = report.takeFaults()
    }

    /// From now on reads what comes behind the positions.
    func resume() {
        reader.source.resume(at: positions)
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
