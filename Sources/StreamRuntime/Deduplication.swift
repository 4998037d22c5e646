import MatchEngine
import RuleModel

/// `dedup id for 10m`: of events with the same id within the span the first counts.
public struct Deduplication: Sendable {
    /// The field that holds the id.
    public var field: FieldPath
    /// How far apart, in event time, two events with the same id are still one.
    public var span: TimeSpan
    /// How many ids are remembered; beyond that the oldest half is forgotten.
    public var idsMax: Int

    public init(field: FieldPath, span: TimeSpan, idsMax: Int = 1_000_000) {
        self.field = field
        self.span = span
        self.idsMax = idsMax
    }
}

/// The ids of events that came lately in one source, exact: two ids are the same if all their bytes are.
///
/// Ids are kept in two generations, and the older one is forgotten as a whole once event time has
/// moved by the span and the lateness since the newer one began. So an id is remembered for at least
/// that long and for at most twice as long, and forgetting it costs nothing. A repeat does not
/// prolong anything: the span is counted from the event that was let through.
struct SeenIDs: Sendable {
    private let setup: Deduplication
    /// For how long, in event time, an id must be remembered.
    private let kept: TimeSpan
    private var newer = Generation()
    private var older = Generation()
    /// The latest event time so far, and where it stood when `newer` began.
    private var latest = Timestamp(nanoseconds: .min)
    private var begin = Timestamp(nanoseconds: .min)
    /// An id as the generations compare it.
    private var id: [UInt8] = []

    /// - Parameter lateness: How long behind the latest event others may come.
    init(_ setup: Deduplication, lateness: TimeSpan) {
        self.setup = setup
        kept = setup.span + lateness
    }

    var field: FieldPath { setup.field }

    /// The rows whose ids came before within the span; remembers those of the others.
    ///
    /// - Parameter report: Counts the repeats, rows that hold no id, and ids forgotten before their time.
    mutating func repeats(
        in ids: [Cell], of batch: EventBatch, report: inout InputReport
    ) -> [Int] {
        var rows: [Int] = []
        for row in ids.indices {
            guard take(ids[row], batch.bytes) else {
                report.eventsWithoutID += 1
                continue
            }
            if isRepeat(at: Timestamp(nanoseconds: batch.times[row]), &report) { rows.append(row) }
        }
        report.repeatedEvents += rows.count
        return rows
    }

    /// Puts the id of a cell into `id`; false if it holds none.
    private mutating func take(_ cell: Cell, _ bytes: [UInt8]) -> Bool {
        id.removeAll(keepingCapacity: true)
        var (kind, bits) = (cell.kind, cell.bits)
        switch kind {
        case .missing: return false
        case .text, .json:
            id.append(kind.rawValue)
            let start = Int(bits)
            id.append(contentsOf: bytes[start..<start + Int(cell.length)])
            return true
        case .float:
            // 7 and 7.0 are one number (T7).
            if let whole = Int64(exactly: Double(bitPattern: bits)) {
                (kind, bits) = (.int, UInt64(bitPattern: whole))
            }
        case .bool, .int: break
        }
        id.append(kind.rawValue)
        withUnsafeBytes(of: bits.littleEndian) { id.append(contentsOf: $0) }
        return true
    }

    private mutating func isRepeat(at time: Timestamp, _ report: inout InputReport) -> Bool {
        if newer.count == 0, older.count == 0 { begin = time }
        latest = max(latest, time)
        if latest - begin > kept || newer.count > setup.idsMax / 2 {
            report.forgottenIDs += older.times.count { latest - $0 <= kept }
            rotate()
        }
        let hash = Generation.hash(id)
        if newer.holds(id, hash, within: setup.span, of: time)
            || older.holds(id, hash, within: setup.span, of: time)
        {
            return true
        }
        newer.insert(id, hash, time: time)
        return false
    }

    private mutating func rotate() {
        swap(&newer, &older)
        newer = Generation()
        begin = latest
    }
}

/// Some ids with the times of their events, found by hash, with linear probing. Nothing is removed.
private struct Generation: Sendable {
    private struct Place: Sendable {
        /// Of the id's hash: without a look at the id, which lies somewhere else in memory, nearly all
        /// others are told apart.
        var hash: UInt32 = 0
        /// The number of the id + 1; 0 is a free place.
        var number: UInt32 = 0
    }

    /// The ids one behind the other, and where each ends.
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    private(set) var times: [Timestamp] = []
    /// A power of two, at most half full.
    private var places = [Place](repeating: Place(), count: 16)

    var count: Int { times.count }

    /// Seeded for each process, so that nobody can choose ids that fall on one place.
    static func hash(_ id: [UInt8]) -> UInt32 {
        var hasher = Hasher()
        id.withUnsafeBytes { hasher.combine(bytes: $0) }
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    /// Whether the id came with a time within the span of this one.
    func holds(_ id: [UInt8], _ hash: UInt32, within span: TimeSpan, of time: Timestamp) -> Bool {
        let mask = places.count - 1
        var place = Int(hash) & mask
        while places[place].number != 0 {
            if places[place].hash == hash {
                let number = Int(places[place].number) - 1
                let (earlier, later) = (min(times[number], time), max(times[number], time))
                if later - earlier <= span, bytes[range(number)].elementsEqual(id) { return true }
            }
            place = (place + 1) & mask
        }
        return false
    }

    /// The same id may come with several times.
    mutating func insert(_ id: [UInt8], _ hash: UInt32, time: Timestamp) {
        bytes += id
        ends.append(bytes.count)
        times.append(time)
        if count * 2 > places.count {
            let before = places
            places = Array(repeating: Place(), count: before.count * 2)
            for place in before where place.number != 0 { enter(place) }
        }
        enter(Place(hash: hash, number: UInt32(count)))
    }

    private mutating func enter(_ new: Place) {
        let mask = places.count - 1
        var place = Int(new.hash) & mask
        while places[place].number != 0 { place = (place + 1) & mask }
        places[place] = new
    }

    private func range(_ number: Int) -> Range<Int> {
        (number == 0 ? 0 : ends[number - 1])..<ends[number]
    }

    func write(to writer: inout StateWriter) {
        writer.write(count)
        for number in 0..<count {
            writer.write(times[number].nanoseconds)
            writer.write(bytes: bytes[range(number)])
        }
    }

    mutating func read(from reader: inout StateReader) throws(SnapshotError) {
        for _ in 0..<(try reader.count()) {
            let time = Timestamp(nanoseconds: try reader.int64())
            let id = try reader.readBytes()
            insert(id, Generation.hash(id), time: time)
        }
    }
}

extension SeenIDs {
    /// All that decides about events to come.
    func write(to writer: inout StateWriter) {
        writer.write(setup.field.segments.count)
        for segment in setup.field.segments { writer.write(segment) }
        writer.write(latest.nanoseconds)
        writer.write(begin.nanoseconds)
        older.write(to: &writer)
        newer.write(to: &writer)
    }

    /// Takes over what was written, unless it holds ids of another field, or none.
    mutating func restore(_ bytes: [UInt8]) throws(SnapshotError) {
        if bytes.isEmpty { return }
        var reader = StateReader(bytes)
        var field = FieldPath([])
        for _ in 0..<(try reader.count()) { field.segments.append(try reader.string()) }
        guard field == setup.field else { return }
        latest = Timestamp(nanoseconds: try reader.int64())
        begin = Timestamp(nanoseconds: try reader.int64())
        try older.read(from: &reader)
        try newer.read(from: &reader)
        try reader.expectEnd(of: "the ids of a source")
    }
}

extension EventBatch {
    /// Takes out rows of a batch that was just decoded; those behind them move up and take over their
    /// arrival numbers.
    ///
    /// - Parameter rows: Ascending.
    mutating func remove(_ rows: [Int]) {
        guard let first = rows.first else { return }
        var gone = rows[...]
        var kept = first
        for row in first..<count {
            if row == gone.first {
                gone.removeFirst()
                continue
            }
            types[kept] = types[row]
            times[kept] = times[row]
            for column in columns.indices { columns[column][kept] = columns[column][row] }
            kept += 1
        }
        types.removeLast(rows.count)
        times.removeLast(rows.count)
        arrivals.removeLast(rows.count)
        for column in columns.indices { columns[column].removeLast(rows.count) }
    }
}
