import Foundation

/// Files and folders, one after the other, each to its end.
final class FileSource: ByteSource {
    private let options: InputOptions
    /// What is still to be read, the next one last. Folders are opened up when their turn comes.
    private var paths: [String]
    private var current: (reader: any ByteReader, cutter: LineCutter)?

    init(paths: [String], options: InputOptions) {
        self.paths = paths.reversed()
        self.options = options
    }

    func next(
        into chunk: inout LineChunk, waitingAtMost waitMilliseconds: Int, report: inout InputReport
    ) -> SourceStep {
        while true {
            if var file = current {
                // The cutter is put back below, so that its memory is not copied.
                current = nil
                let step = file.cutter.next(
                    into: &chunk, from: file.reader, waitingAtMost: waitMilliseconds,
                    report: &report)
                if step != .end {
                    current = file
                    return step
                }
            }
            guard let path = paths.popLast() else {
                chunk.clear()
                return .end
            }
            open(path, &report)
        }
    }

    private func open(_ path: String, _ report: inout InputReport) {
        if path == "-" {
            start(DescriptorReader(), name: "standard input", &report)
            return
        }
        if FolderListing.isFolder(path) {
            let listing = FolderListing(of: path)
            for fault in listing.faults { report.record(fault) }
            if listing.files.isEmpty {
                report.record(
                    InputFault(
                        reason: .emptyFile, source: path, line: nil, offset: 0,
                        message: "the folder holds no event files"))
            }
            paths += listing.files.reversed()
            return
        }
        do throws(OpenFailure) {
            start(try DescriptorReader(path: path), name: path, &report)
        } catch {
            report.record(
                InputFault(
                    reason: .unreadableFile, source: path, line: nil, offset: 0,
                    message: error.message))
        }
    }

    private func start(_ reader: any ByteReader, name: String, _ report: inout InputReport) {
        report.files += 1
        current = (DetectingReader(reader), LineCutter(name: name, options: options))
    }
}
