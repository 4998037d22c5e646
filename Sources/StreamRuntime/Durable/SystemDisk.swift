import Foundation
import Synchronization

/// A folder of the file system.
public final class SystemDisk: Disk {
    /// The folder as the user named it.
    public let path: String
    private let folder: Int32
    /// A descriptor that is held open for as long as the disk is in use, since a lock hangs on it.
    private let held = Mutex<Int32>(-1)

    /// Opens the folder, or makes it with those above it, for its owner only.
    public init(path: String) throws(DiskError) {
        self.path = path
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw DiskError("made", path, code: errno, reason: systemError())
        }
        folder = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder < 0 { throw DiskError("opened", path, code: errno, reason: systemError()) }
    }

    deinit {
        if folder >= 0 { close(folder) }
        held.withLock { if $0 >= 0 { close($0) } }
    }

    func hold(_ descriptor: Int32) { held.withLock { $0 = descriptor } }

    /// The path of one of the files.
    public func path(of name: String) -> String {
        path.hasSuffix("/") ? path + name : path + "/" + name
    }

    /// See `Disk`.
    public func names() throws(DiskError) -> [String] {
        guard let directory = opendir(path) else { throw failure("read", nil) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            let text = String(decoding: name, as: UTF8.self)
            if text != ".", text != ".." { names.append(text) }
        }
        return names
    }

    /// See `Disk`.
    public func open(_ name: String) throws(DiskError) -> any DiskFile {
        try openFile(name)
    }

    private func openFile(_ name: String) throws(DiskError) -> SystemFile {
        let descriptor = openat(folder, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("opened", name) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let error = failure("looked at", name)
            close(descriptor)
            throw error
        }
        return SystemFile(descriptor, path: path(of: name), size: Int(status.st_size))
    }

    /// See `Disk`.
    public func rename(_ name: String, to newName: String) throws(DiskError) {
        guard renameat(folder, name, folder, newName) == 0 else { throw failure("renamed", name) }
    }

    /// See `Disk`.
    public func remove(_ name: String) throws(DiskError) {
        guard unlinkat(folder, name, 0) == 0 || errno == ENOENT else {
            throw failure("removed", name)
        }
    }

    /// See `Disk`.
    public func syncFolder() throws(DiskError) {
        guard fsync(folder) == 0 else { throw failure("made durable", nil) }
    }

    /// Writes a new file in a copy of this process; see `ForkedWriter`.
    ///
    /// - Returns: nil when the system makes no copy.
    func fork(
        writing name: String, _ write: (any DiskFile) throws(DiskError) -> Void
    ) throws(DiskError) -> ForkedWriter? {
        try remove(name)
        let file = try openFile(name)
        return ForkedWriter(
            file: file, descriptor: file.descriptor, path: path(of: name), write)
    }

    private func failure(_ deed: String, _ name: String?) -> DiskError {
        let code = errno
        return DiskError(deed, name.map(path(of:)) ?? path, code: code, reason: systemError())
    }
}

private final class SystemFile: DiskFile {
    let descriptor: Int32
    private let path: String
    private let length: Mutex<Int>

    init(_ descriptor: Int32, path: String, size: Int) {
        self.descriptor = descriptor
        self.path = path
        length = Mutex(size)
    }

    deinit { close(descriptor) }

    var size: Int { length.withLock { $0 } }

    func append(_ bytes: [UInt8]) throws(DiskError) {
        let failed: DiskError? = length.withLock { length in
            guard writeAll(descriptor, bytes) else {
                let error = failure("written")
                // Half a record would hide the ones behind it.
                let isCut = ftruncate(descriptor, off_t(length)) == 0
                return isCut ? error : failure("cut to its old length")
            }
            length += bytes.count
            return nil
        }
        if let failed { throw failed }
    }

    func read(at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        var error: DiskError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            while done < count {
                let step = pread(
                    descriptor, buffer.baseAddress.map { $0 + done }, count - done,
                    off_t(offset + done))
                if step < 0 && errno == EINTR { continue }
                if step < 0 { error = failure("read") }
                if step <= 0 { break }
                done += step
            }
        }
        if let error { throw error }
        return bytes
    }

    func truncate(to size: Int) throws(DiskError) {
        let failed: DiskError? = length.withLock { length in
            guard ftruncate(descriptor, off_t(size)) == 0 else { return failure("cut") }
            length = size
            return nil
        }
        if let failed { throw failed }
    }

    func sync() throws(DiskError) {
        guard fdatasync(descriptor) == 0 else { throw failure("made durable") }
    }

    private func failure(_ deed: String) -> DiskError {
        let code = errno
        return DiskError(deed, path, code: code, reason: systemError())
    }
}
