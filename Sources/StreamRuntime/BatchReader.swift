import RuleModel

/// Reads a source and decodes its lines, batch by batch.
struct BatchReader {
    let source: any ByteSource
    private var decoder: NDJSONDecoder
    /// The lines read last; those before its position have been decoded.
    var chunk = LineChunk()
    /// The lines of the batch, in the chunk, and the number of the first one.
    private(set) var decoded = (range: 0..<0, line: 1)
    private var sourceEnded = false

    init(_ source: any ByteSource, options: InputOptions, program: Program) {
        self.source = source
        decoder = Self.decoder(for: program, options)
    }

    private static func decoder(for program: Program, _ options: InputOptions) -> NDJSONDecoder {
        NDJSONDecoder(
            fields: program.tables.columns, eventTypes: program.tables.outsideTypes,
            options: options)
    }

    /// Nothing more comes, and what came has been decoded.
    var isEnded: Bool { sourceEnded && chunk.isDecoded }

    /// Takes from the lines not yet decoded what other rules read.
    mutating func read(for program: Program, _ options: InputOptions) {
        decoder = Self.decoder(for: program, options)
    }

    /// Decodes the next rows, reading if need be; none when nothing came in time, or at the end.
    ///
    /// - Returns: Whether lines were read.
    mutating func fill(
        _ batch: inout EventBatch, rowMax: Int, waitMilliseconds: Int, arrival: inout UInt64,
        report: inout InputReport
    ) -> Bool {
        var hasRead = false
        while batch.count == 0 {
            if chunk.isDecoded {
                if sourceEnded { return hasRead }
                switch source.next(into: &chunk, waitingAtMost: waitMilliseconds, report: &report) {
                case .lines: hasRead = true
                case .idle: return hasRead
                case .end:
                    sourceEnded = true
                    return hasRead
                }
            }
            decode(into: &batch, rowMax: rowMax, arrival: &arrival, report: &report)
        }
        return hasRead
    }

    mutating func decode(
        into batch: inout EventBatch, rowMax: Int, arrival: inout UInt64, report: inout InputReport
    ) {
        let start = chunk.position
        let line = chunk.line
        decoder.decode(&chunk, into: &batch, rowMax: rowMax, arrival: &arrival, report: &report)
        decoded = (start..<chunk.position, line)
    }
}
