import Foundation

/// Files and folders, one after the other, each to its end.
final class FileSource: ByteSource {
    private let options: InputOptions
    /// What is still to be read, the next one last. Folders are opened up when their turn comes.
    private var paths: [String]
    private var current: (reader: any ByteReader, cutter: LineCutter)?
    /// Where to go on with files that were read before a restart.
    private var positions: [FilePosition] = []
    let canReread: Bool

    init(paths: [String], options: InputOptions) {
        self.paths = paths.reversed()
        self.options = options
        canReread = !paths.contains("-")
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

    func resume(at positions: [FilePosition]) { self.positions = positions }

    private func open(_ path: String, _ report: inout InputReport) {
        if path == "-" {
            start(
                DetectingReader(DescriptorReader()),
                LineCutter(name: "standard input", options: options), &report)
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
            if let position = positions.last(where: { $0.path == path }),
                position.identity == FileIdentity(path: path),
                let reader = position.reopen()?.reader
            {
                start(reader, LineCutter(name: path, options: options, at: position), &report)
                return
            }
            let reader = try DescriptorReader(path: path)
            var status = stat()
            var position: FilePosition?
            if fstat(reader.descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
                position = FilePosition(
                    path: path, identity: FileIdentity(status), offset: 0, line: 1)
            }
            start(
                DetectingReader(reader), LineCutter(name: path, options: options, at: position),
                &report)
        } catch {
            report.record(
                InputFault(
                    reason: .unreadableFile, source: path, line: nil, offset: 0,
                    message: error.message))
        }
    }

    private func start(
        _ reader: any ByteReader, _ cutter: LineCutter, _ report: inout InputReport
    ) {
        report.files += 1
        current = (reader, cutter)
    }
}
