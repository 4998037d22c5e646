import Foundation

/// Files and folders, one after the other, each to its end.
final class FileSource: ByteSource {
    private var paths: [String]

    init(paths: [String], options: InputOptions) { self.paths = paths.reversed() }

    func next(
        into chunk: inout LineChunk, waitingAtMost waitMilliseconds: Int, report: inout InputReport
    ) -> SourceStep {
        while let path = paths.popLast() {
            guard let data = FileManager.default.contents(atPath: path == "-" ? "/dev/stdin" : path) else {
                report.record(
                    InputFault(
                        reason: .unreadableFile, source: path, line: nil, offset: 0,
                        message: "the file cannot be read"))
                continue
            }
            report.files += 1
            report.bytes += data.count
            chunk = LineChunk(data, name: path)
            return .lines
        }
        chunk = LineChunk()
        return .end
    }
}
