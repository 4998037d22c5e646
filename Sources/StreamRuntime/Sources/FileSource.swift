import Foundation
import Synchronization

/// Files and folders, one after the other, each to its end. Any thread may read, one at a time.
final class FileSource: ByteSource, Sendable {
    private let reading: Mutex<FileReading>
    let canReread: Bool

    init(paths: [String], options: InputOptions) {
        reading = Mutex(FileReading(paths: paths, options: options))
        canReread = !paths.contains("-")
    }

    func next(
        into chunk: inout LineChunk, waitingAtMost waitMilliseconds: Int, report: inout InputReport
    ) -> SourceStep {
        reading.withLock {
            $0.next(into: &chunk, waitingAtMost: waitMilliseconds, report: &report)
        }
    }

    func resume(at positions: [FilePosition]) { reading.withLock { $0.positions = positions } }
}

/// How far the files of a source have been read.
private struct FileReading {
    private let options: InputOptions
    /// What is still to be read, the next one last. Folders are opened up when their turn comes.
    private var paths: [String]
    private var current: (reader: any ByteReader, cutter: LineCutter)?
    /// Where to go on with files that were read before a restart.
    var positions: [FilePosition] = []

    init(paths: [String], options: InputOptions) {
        self.paths = paths.reversed()
        self.options = options
    }

    mutating func next(
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

    private mutating func open(_ path: String, _ report: inout InputReport) {
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

    private mutating func start(
        _ reader: any ByteReader, _ cutter: LineCutter, _ report: inout InputReport
    ) {
        report.files += 1
        current = (reader, cutter)
    }
}
