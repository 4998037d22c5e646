/// A path into an event, such as `geo.country`. Segments are kept apart, since a name may hold a dot.
public struct FieldPath: Hashable, Sendable, CustomStringConvertible {
    public var segments: [String]

    public init(_ segments: [String]) { self.segments = segments }

    public var description: String { segments.joined(separator: ".") }
}

/// The index of a column: a field path that some rule reads. `FieldID.time` is the event's own time
/// and `FieldID.type` its type; both have no column.
public struct FieldID: Hashable, Sendable {
    public var rawValue: Int32

    @inlinable
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The event time; read from `EventBatch.times`.
    @inlinable public static var time: FieldID { FieldID(rawValue: -1) }
    /// The name of the event type; read from `EventBatch.types`.
    @inlinable public static var type: FieldID { FieldID(rawValue: -2) }
}

/// The index of an event type in `Program.eventTypes`.
public struct EventTypeID: Hashable, Comparable, Sendable {
    public var rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// A type that no rule reads. Such a row moves event time and does nothing else.
    @inlinable public static var unread: EventTypeID { EventTypeID(rawValue: .max) }

    public static func < (left: EventTypeID, right: EventTypeID) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// One field of one event, 16 bytes, as the decoder found it.
///
///     kind      bits                             length
///     missing   -                                -
///     bool      0 or 1                           -
///     int       the bits of an Int64             -
///     float     the bits of a Double             -
///     text      offset into `EventBatch.bytes`   bytes of UTF-8, escapes undone
///     json      offset into `EventBatch.bytes`   bytes of a JSON array or object, valid as it stands
///
/// A cell keeps the kind found in the data. Reading it as the declared type (an `ip` out of a
/// text) is the evaluator's business; what cannot be read so is missing (T7).
public struct Cell: Sendable {
    public enum Kind: UInt8, Sendable { case missing, bool, int, float, text, json }

    public var bits: UInt64
    public var length: UInt32
    public var kind: Kind

    @inlinable
    public init(kind: Kind, bits: UInt64 = 0, length: UInt32 = 0) {
        self.bits = bits
        self.length = length
        self.kind = kind
    }

    @inlinable public static var missing: Cell { Cell(kind: .missing) }
}

/// Events in columns, in arrival order, all of one source.
///
/// Only the fields that the rules read are there (`Program.fields`); `columns[f][row]` is the cell
/// of field `f`. Every array of `columns`, `types`, `times` and `arrivals` has `count` elements.
public struct EventBatch: Sendable {
    /// Which source the rows came from: its place in the pipeline's list of sources.
    public var source: UInt16
    public var types: [EventTypeID]
    /// Event times in nanoseconds since 1970 UTC.
    public var times: [Int64]
    /// Arrival numbers: unique and rising over all sources of a pipeline, given once on arrival.
    public var arrivals: [UInt64]
    public var columns: [[Cell]]
    /// The text that cells point into.
    public var bytes: [UInt8]

    public init(source: UInt16, fieldCount: Int) {
        self.source = source
        types = []
        times = []
        arrivals = []
        columns = Array(repeating: [], count: fieldCount)
        bytes = []
    }

    public var count: Int { times.count }

    /// Empties the batch and keeps its memory.
    public mutating func removeAll() {
        types.removeAll(keepingCapacity: true)
        times.removeAll(keepingCapacity: true)
        arrivals.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        for index in columns.indices { columns[index].removeAll(keepingCapacity: true) }
    }
}
