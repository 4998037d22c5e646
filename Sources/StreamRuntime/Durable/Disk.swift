import Glibc

/// A flat folder of files: all that durability asks of a disk.
///
/// Behind this interface stand the real disk, memory (`MemoryDisk`), and in tests a disk that crashes,
/// tears writes and fills up.
public protocol Disk: AnyObject, Sendable {
    /// The names of all files, in no order.
    func names() throws(DiskError) -> [String]
    /// Opens a file for reading and appending; makes it when it is not there.
    func open(_ name: String) throws(DiskError) -> any DiskFile
    /// Puts a file in another's place, at once or not at all.
    func rename(_ name: String, to newName: String) throws(DiskError)
    /// Takes a file away; one that is not there is no error.
    func remove(_ name: String) throws(DiskError)
    /// Makes the names last over a power cut.
    func syncFolder() throws(DiskError)
}

/// An open file of a `Disk`.
public protocol DiskFile: AnyObject, Sendable {
    /// How many bytes it holds.
    var size: Int { get }
    /// Writes all bytes behind those that are there, or none: what a failed call has written is cut off.
    func append(_ bytes: [UInt8]) throws(DiskError)
    /// At most `count` bytes from a place on; fewer at the end.
    func read(at offset: Int, count: Int) throws(DiskError) -> [UInt8]
    /// Cuts off what lies behind the first `size` bytes.
    func truncate(to size: Int) throws(DiskError)
    /// Makes the content last over a power cut. An error here is final: what had been written may be
    /// lost although a second call would say that all is well.
    func sync() throws(DiskError)
}

/// What went wrong with a file.
public struct DiskError: Error, Sendable, CustomStringConvertible {
    /// For example `written`, for a sentence.
    public var deed: String
    /// The file.
    public var path: String
    /// As the system numbers errors.
    public var code: Int32
    /// What the system says.
    public var reason: String

    /// An error of the deed on the file.
    public init(_ deed: String, _ path: String, code: Int32, reason: String) {
        self.deed = deed
        self.path = path
        self.code = code
        self.reason = reason
    }

    /// The error for people: what, where and why.
    public var description: String { "\(path) cannot be \(deed): \(reason)" }
}

extension DiskError {
    /// Whether there was no room, which passes when room is made.
    var isFull: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }
}

extension Disk {
    /// Writes a whole file so that after a crash there is the old one or the new one.
    func replace(
        _ name: String, _ write: (any DiskFile) throws(DiskError) -> Void
    ) throws(DiskError) {
        let temporary = name + ".tmp"
        try remove(temporary)
        do throws(DiskError) {
            let file = try open(temporary)
            try write(file)
            try file.sync()
        } catch {
            // The room it has taken is needed; the first error is the one to tell.
            do throws(DiskError) { try remove(temporary) } catch {}
            throw error
        }
        try adopt(temporary, as: name)
    }

    /// Puts a file that is written and durable in the place of another.
    func adopt(_ temporary: String, as name: String) throws(DiskError) {
        try rename(temporary, to: name)
        try syncFolder()
    }
}
