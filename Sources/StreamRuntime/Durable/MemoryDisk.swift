import Synchronization

/// A disk in memory, for delivery without a data folder: nothing of it is kept over a restart.
public final class MemoryDisk: Disk {
    private let files = Mutex<[String: MemoryFile]>([:])

    /// An empty disk.
    public init() {}

    /// See `Disk`.
    public func names() -> [String] { files.withLock { Array($0.keys) } }

    /// See `Disk`.
    public func open(_ name: String) -> any DiskFile {
        files.withLock { files in
            if let file = files[name] { return file }
            let file = MemoryFile()
            files[name] = file
            return file
        }
    }

    /// See `Disk`.
    public func rename(_ name: String, to newName: String) {
        files.withLock { $0[newName] = $0.removeValue(forKey: name) }
    }

    /// See `Disk`.
    public func remove(_ name: String) { _ = files.withLock { $0.removeValue(forKey: name) } }

    /// See `Disk`.
    public func syncFolder() {}
}

private final class MemoryFile: DiskFile {
    private let bytes = Mutex<[UInt8]>([])

    var size: Int { bytes.withLock(\.count) }

    func append(_ more: [UInt8]) { bytes.withLock { $0 += more } }

    func read(at offset: Int, count: Int) -> [UInt8] {
        bytes.withLock { Array($0[min(offset, $0.count)..<min(offset + count, $0.count)]) }
    }

    func truncate(to size: Int) { bytes.withLock { $0.removeLast(max(0, $0.count - size)) } }

    func sync() {}
}
