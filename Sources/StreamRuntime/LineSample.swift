/// The first lines of files, as they are, for whoever wants to learn what events look like.
public struct LineSample: Sendable {
    public private(set) var lines: [[UInt8]] = []
    /// What could not be read.
    public private(set) var report = InputReport()

    /// - Parameter limit: How many lines are taken of each file.
    public init(paths: [String], limit: Int) {
        for path in paths {
            let source = makeSource(.files([path]), options: InputOptions())
            var chunk = LineChunk()
            var left = limit
            while left > 0 {
                guard
                    case .lines = source.next(
                        into: &chunk, waitingAtMost: 1_000, report: &report)
                else { break }
                for line in chunk.bytes.prefix(chunk.count).split(separator: 0x0A) where left > 0 {
                    lines.append(Array(line))
                    left -= 1
                }
            }
        }
    }
}
