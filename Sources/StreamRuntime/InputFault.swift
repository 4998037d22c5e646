/// Something in the input that could not be used: a line, or a whole file.
///
/// Faults are the fault of the data, so they are values that are counted and kept, never errors
/// that stop the run.
public struct InputFault: Sendable, Equatable {
    /// What kind of fault, for counting.
    public var reason: Reason
    /// The file as the user named it, or `standard input`.
    public var source: String
    /// The line, counted from 1; nil where the fault is about the whole file.
    public var line: Int?
    /// Where in the file the fault stands, in bytes from 0, after decompression.
    public var offset: Int
    /// One sentence that says what is wrong, without the position.
    public var message: String
    /// The line as it was read, cut at `rawBytesMax`; empty where the fault is about the whole file.
    public var raw: [UInt8]
    /// Whether the line was longer than what `raw` keeps of it.
    public var isRawCut: Bool

    /// How much of a bad line is kept.
    public static let rawBytesMax = 64 << 10

    /// A fault; `raw` is cut by whoever makes it.
    public init(
        reason: Reason, source: String, line: Int?, offset: Int, message: String,
        raw: [UInt8] = [], isRawCut: Bool = false
    ) {
        self.reason = reason
        self.source = source
        self.line = line
        self.offset = offset
        self.message = message
        self.raw = raw
        self.isRawCut = isRawCut
    }

    /// The kinds of fault. The raw value is the name in counters and dead-letter files.
    public enum Reason: String, Sendable, CaseIterable {
        // One line.
        case malformed
        case truncated
        case trailingBytes = "trailing_bytes"
        case notAnObject = "not_an_object"
        case invalidUTF8 = "invalid_utf8"
        case controlCharacter = "control_character"
        case loneSurrogate = "lone_surrogate"
        case numberOutOfRange = "number_out_of_range"
        case tooDeep = "too_deep"
        case lineTooLong = "line_too_long"
        case typeMissing = "type_missing"
        case typeUnreadable = "type_unreadable"
        case timeMissing = "time_missing"
        case timeUnreadable = "time_unreadable"
        case timeAbsurd = "time_absurd"
        // A whole file.
        case unreadableFile = "unreadable_file"
        case emptyFile = "empty_file"
        case binaryFile = "binary_file"
        case damagedCompression = "damaged_compression"
        case skippedFile = "skipped_file"

        /// Whether the fault concerns a whole file and not one line.
        public var isAboutFile: Bool {
            switch self {
            case .unreadableFile, .emptyFile, .binaryFile, .damagedCompression, .skippedFile: true
            case .malformed, .truncated, .trailingBytes, .notAnObject, .invalidUTF8,
                .controlCharacter, .loneSurrogate, .numberOutOfRange, .tooDeep, .lineTooLong,
                .typeMissing, .typeUnreadable, .timeMissing, .timeUnreadable, .timeAbsurd:
                false
            }
        }
    }
}

extension InputFault: CustomStringConvertible {
    /// The fault for a log: `orders.ndjson:17 (byte 4,711): the string is not closed`.
    public var description: String {
        guard let line else { return "\(source): \(message)" }
        return "\(source):\(line) (byte \(grouped(offset))): \(message)"
    }
}
