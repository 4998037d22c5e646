/// What was read and what could not be read, in numbers, with the faults not yet passed on.
///
/// The reader of a source and its decoder count into the same report. The owner takes the faults
/// out with `takeFaults` after each chunk, writes them to the dead-letter file if one is named, and
/// prints `summary` at the end.
public struct InputReport: Sendable, Equatable {
    /// Files opened and read, standard input included.
    public var files = 0
    /// Bytes read, after decompression.
    public var bytes = 0
    /// Lines seen, the blank and the bad ones included.
    public var lines = 0
    /// Rows appended to batches, those of unread types included.
    public var events = 0
    /// Events of a type that no rule reads.
    public var unreadTypeEvents = 0
    /// Events whose id came before, within the span of `dedup`: left out, and not among `events`.
    public var repeatedEvents = 0
    /// Events without the id that `dedup` compares.
    public var eventsWithoutID = 0
    /// Ids that had to be forgotten before their time.
    public var forgottenIDs = 0
    /// Lines of white space only, which are passed over.
    public var blankLines = 0
    /// Files that began with a byte order mark, which is passed over.
    public var byteOrderMarks = 0
    /// Files in which an object held the same key twice; the last one counts.
    public var duplicateKeyFiles = 0
    /// Whether faults are kept for `takeFaults`. Without a dead-letter file they need not be.
    public var keepsFaults = true
    /// How many faults of each kind, in the order of `InputFault.Reason.allCases`.
    public private(set) var faultCounts = [Int](
        repeating: 0, count: InputFault.Reason.allCases.count)
    /// The first fault of each kind, in the order in which they came.
    public private(set) var firstFaults: [InputFault] = []
    /// Faults since the last `takeFaults`.
    public private(set) var faults: [InputFault] = []

    /// A report in which nothing has been read yet.
    public init() {}

    /// How many faults of one kind were counted.
    public func count(of reason: InputFault.Reason) -> Int { faultCounts[reason.index] }

    /// How many lines could not be read.
    public var badLines: Int {
        InputFault.Reason.allCases.reduce(0) { $1.isAboutFile ? $0 : $0 + count(of: $1) }
    }

    /// How many files could not be read, or not wholly.
    public var badFiles: Int {
        InputFault.Reason.allCases.reduce(0) { $1.isAboutFile ? $0 + count(of: $1) : $0 }
    }

    /// Counts a fault and keeps it for `takeFaults`.
    public mutating func record(_ fault: InputFault) {
        if faultCounts[fault.reason.index] == 0 { firstFaults.append(fault) }
        faultCounts[fault.reason.index] += 1
        if keepsFaults { faults.append(fault) }
    }

    /// Hands out the faults recorded since the last call. The counts stay.
    public mutating func takeFaults() -> [InputFault] {
        defer { faults.removeAll(keepingCapacity: true) }
        return faults
    }

    /// Adds the numbers of another report, such as that of another source.
    public mutating func add(_ other: InputReport) {
        files += other.files
        bytes += other.bytes
        lines += other.lines
        events += other.events
        unreadTypeEvents += other.unreadTypeEvents
        repeatedEvents += other.repeatedEvents
        eventsWithoutID += other.eventsWithoutID
        forgottenIDs += other.forgottenIDs
        blankLines += other.blankLines
        byteOrderMarks += other.byteOrderMarks
        duplicateKeyFiles += other.duplicateKeyFiles
        for fault in other.firstFaults where faultCounts[fault.reason.index] == 0 {
            firstFaults.append(fault)
        }
        for index in faultCounts.indices { faultCounts[index] += other.faultCounts[index] }
        if keepsFaults { faults += other.faults }
    }
}

extension InputFault.Reason {
    /// The place in `allCases`, for counting without a dictionary.
    var index: Int { Self.places[rawValue] ?? 0 }

    private static let places = Dictionary(
        uniqueKeysWithValues: allCases.enumerated().map { ($1.rawValue, $0) })
}
