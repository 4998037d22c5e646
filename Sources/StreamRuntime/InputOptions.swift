import RuleModel

/// How the lines of an input become events: where type and time stand, and how long a line may be.
public struct InputOptions: Sendable {
    /// The type of every event, if the input holds only one; `typeField` is then not read.
    public var typeName: String?
    /// The field that names the event type.
    public var typeField: FieldPath
    /// The field that holds the event time.
    public var timeField: FieldPath
    /// The longest line in bytes. A longer one is skipped, counted, and never held in memory whole.
    public var lineBytesMax: Int
    /// How many bytes are read at once; the usual size of a chunk.
    public var chunkBytes: Int

    /// The usual options: fields `type` and `time`, lines of up to 16 MiB.
    public init(
        typeName: String? = nil,
        typeField: FieldPath = FieldPath(["type"]),
        timeField: FieldPath = FieldPath(["time"]),
        lineBytesMax: Int = 16 << 20,
        chunkBytes: Int = 256 << 10
    ) {
        self.typeName = typeName
        self.typeField = typeField
        self.timeField = timeField
        self.lineBytesMax = lineBytesMax
        self.chunkBytes = chunkBytes
    }
}
