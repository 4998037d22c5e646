/// Where lines come from: files, standard input, files that still grow.
///
/// What goes wrong on the way (a file that cannot be opened, a damaged archive, a line that is too
/// long) is recorded in the report, and the source goes on with what is left.
public protocol ByteSource: AnyObject {
    /// Fills `chunk` with the next whole lines.
    ///
    /// Waits no longer than `waitMilliseconds` for input that is not there yet, so that the caller
    /// can look at the clock and at a request to stop. The same chunk may be given again and again,
    /// which saves memory; what it held is gone.
    func next(
        into chunk: inout LineChunk, waitingAtMost waitMilliseconds: Int, report: inout InputReport
    ) -> SourceStep

    /// Whether everything can be read again after a restart, for as long as the files are there.
    var canReread: Bool { get }

    /// Goes on where a run before stopped; called before anything is read.
    func resume(at positions: [FilePosition])
}

extension ByteSource {
    /// A pipe, for example, can be read once.
    public var canReread: Bool { false }

    /// What can be read only once begins where it is.
    public func resume(at positions: [FilePosition]) {}
}

/// What a call of `ByteSource.next` led to.
public enum SourceStep: Sendable, Equatable {
    /// The chunk holds lines.
    case lines
    /// Nothing came in time; more may come. The chunk is empty.
    case idle
    /// Nothing will come any more. The chunk is empty.
    case end
}

/// Which input to read, as the command line or a `source` block names it.
public enum InputSelection: Sendable, Equatable {
    /// Files and folders in this order, each read to its end. `-` is standard input.
    case files([String])
    /// Files that are read to their end and then watched for more, also over rotation.
    case follow([String])
    case standardInput
}

/// Opens nothing yet: files are opened one after the other as they are needed.
public func makeSource(_ selection: InputSelection, options: InputOptions) -> any ByteSource {
    switch selection {
    case .files(let paths): FileSource(paths: paths, options: options)
    case .follow(let paths): FollowSource(paths: paths, options: options)
    case .standardInput: FileSource(paths: ["-"], options: options)
    }
}
