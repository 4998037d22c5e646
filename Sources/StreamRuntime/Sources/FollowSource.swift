import Foundation

/// Files that grow: each is read to its end and then watched for more.
///
/// A file may be rotated in either of the usual ways. *By renaming*: when the path names another
/// file than the open one, the open one is read to its end and the new one from its start. *By
/// copying and truncating*: when the file is shorter than what was read, it is read from its start
/// again. A file that is not there yet is waited for.
final class FollowSource: ByteSource {
    private let options: InputOptions
    private let folders: [String]
    private var files: [FollowedFile] = []
    /// Which file is asked first, so that a busy one does not starve the others.
    private var turn = 0
    private let watcher: FileWatcher
    /// Folders are looked through again after this many milliseconds of waiting.
    private var untilListing = 0
    /// What has been said about files that are not read, so that it is said once.
    private var told: Set<String> = []
    /// Where to go on with files that were read before a restart.
    private var positions: [FilePosition] = []

    init(paths: [String], options: InputOptions) {
        self.options = options
        folders = paths.filter { FolderListing.isFolder($0) }
        watcher = FileWatcher()
        for path in paths where !FolderListing.isFolder(path) { follow(path) }
        for folder in folders { watcher.watch(folder) }
    }

    func next(
        into chunk: inout LineChunk, waitingAtMost waitMilliseconds: Int, report: inout InputReport
    ) -> SourceStep {
        if untilListing <= 0 { listFolders(&report) }
        if readSome(into: &chunk, &report) { return .lines }
        if waitMilliseconds > 0 {
            untilListing -= waitMilliseconds
            watcher.wait(milliseconds: waitMilliseconds)
            if readSome(into: &chunk, &report) { return .lines }
        }
        chunk.clear()
        return .idle
    }

    private func readSome(into chunk: inout LineChunk, _ report: inout InputReport) -> Bool {
        for step in 0..<files.count {
            let index = (turn + step) % files.count
            if files[index].next(into: &chunk, report: &report) {
                turn = (index + 1) % files.count
                return true
            }
        }
        return false
    }

    var canReread: Bool { true }

    func resume(at positions: [FilePosition]) {
        self.positions = positions
        for index in files.indices {
            files[index].start = positions.last { $0.path == files[index].path }
        }
    }

    private func follow(_ path: String) {
        var file = FollowedFile(path: path, options: options)
        file.start = positions.last { $0.path == path }
        files.append(file)
        watcher.watch((path as NSString).deletingLastPathComponent)
    }

    /// Takes up files that have come into a followed folder.
    private func listFolders(_ report: inout InputReport) {
        untilListing = 1000
        for folder in folders {
            let listing = FolderListing(of: folder, takesCompressed: false)
            for fault in listing.faults where told.insert(fault.source).inserted {
                report.record(fault)
            }
            for path in listing.files where !files.contains(where: { $0.path == path }) {
                // A file that has only been renamed is being read already.
                guard let identity = FileIdentity(path: path),
                    !files.contains(where: {
                        $0.identity == identity || $0.start?.identity == identity
                    })
                else { continue }
                follow(path)
            }
        }
    }
}

/// One path that is followed, over the files that bear its name one after the other.
private struct FollowedFile {
    let path: String
    private let options: InputOptions
    private var reader: DescriptorReader?
    private var cutter: LineCutter
    private(set) var identity: FileIdentity?
    /// Where to go on after a restart, until the file has been opened.
    var start: FilePosition?
    private var hasToldFailure = false
    /// The file is of a kind that cannot be followed; it is not looked at again until it changes.
    private var isRefused = false

    init(path: String, options: InputOptions) {
        self.path = path
        self.options = options
        cutter = LineCutter(name: path, options: options)
    }

    /// Fills the chunk with new lines; false if there are none at the moment.
    mutating func next(into chunk: inout LineChunk, report: inout InputReport) -> Bool {
        if reader == nil { open(&report) }
        guard let reader else { return false }
        if read(reader, into: &chunk, &report) { return true }
        // All that was there has been read; now see whether the file is still the same.
        var status = stat()
        if fstat(reader.descriptor, &status) == 0, status.st_size < cutter.readOffset {
            let hasLine = cutter.finish(into: &chunk)
            lseek(reader.descriptor, 0, SEEK_SET)
            startAgain()
            return hasLine
        }
        guard let now = FileIdentity(path: path), now != identity else { return false }
        // Whoever wrote to the old file may have done so after our last look at it.
        if read(reader, into: &chunk, &report) { return true }
        let hasLine = cutter.finish(into: &chunk)
        self.reader = nil
        startAgain()
        return hasLine
    }

    private mutating func startAgain() {
        cutter = LineCutter(
            name: path, options: options,
            at: identity.map { FilePosition(path: path, identity: $0, offset: 0, line: 1) })
        isRefused = false
    }

    private mutating func read(
        _ reader: DescriptorReader, into chunk: inout LineChunk, _ report: inout InputReport
    ) -> Bool {
        if isRefused { return false }
        switch cutter.next(
            into: &chunk, from: GrowingReader(reader), waitingAtMost: 0, report: &report)
        {
        case .lines: return true
        case .idle: return false
        case .end:
            isRefused = true
            return false
        }
    }

    /// Goes on where a run before stopped; false when there is nothing to go on with.
    private mutating func reopen(_ report: inout InputReport) -> Bool {
        guard let start else { return false }
        self.start = nil
        guard let file = start.reopen()?.file else {
            if FileIdentity(path: path) != start.identity {
                report.record(
                    InputFault(
                        reason: .unreadableFile, source: path, line: nil, offset: start.offset,
                        message: "was replaced while nobody read it: what the old file held behind "
                            + "byte \(grouped(start.offset)) is lost; reading the new one"))
            }
            return false
        }
        identity = start.identity
        reader = file
        cutter = LineCutter(name: path, options: options, at: start)
        report.files += 1
        return true
    }

    private mutating func open(_ report: inout InputReport) {
        if reopen(&report) { return }
        do throws(OpenFailure) {
            let reader = try DescriptorReader(path: path)
            var status = stat()
            guard fstat(reader.descriptor, &status) == 0 else { return }
            let identity = FileIdentity(status)
            self.identity = identity
            self.reader = reader
            startAgain()
            report.files += 1
            hasToldFailure = false
        } catch {
            if hasToldFailure { return }
            hasToldFailure = true
            report.record(
                InputFault(
                    reason: .unreadableFile, source: path, line: nil, offset: 0,
                    message: error.message + "; waiting for it"))
        }
    }
}

/// A file whose end is only the end for now.
private final class GrowingReader: ByteReader {
    private let reader: DescriptorReader

    init(_ reader: DescriptorReader) { self.reader = reader }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, waitingAtMost waitMilliseconds: Int
    ) -> ReadStep {
        let step = reader.read(into: buffer, waitingAtMost: waitMilliseconds)
        guard case .bytes(let count) = step else { return step == .end ? .idle : step }
        return .bytes(count)
    }
}
