import Foundation

/// A folder in which one engine keeps its state.
///
///     lock             held by the engine that runs, with its process id
///     format           the version of what is in the folder
///     checkpoint-N     what the engine knew, and where the sources stood; the newest two are kept
///     journal-N        what came behind checkpoint N
///     outbox-N         alerts from number N on
///     dead-N-SINK      an alert that a sink did not take
///     judgements       what people said of alerts
///     silence-N        alerts that people do not want to be told of for some time
public enum DataFolder {
    private static let version = 1
    private static let lockName = "lock"
    private static let formatName = "format"
    private static let formatPrefix = "martlet data "

    /// Opens a folder for one engine, or makes it.
    public static func open(path: String) throws(DurableFailure) -> SystemDisk {
        do {
            let disk = try SystemDisk(path: path)
            let lock = Glibc.open(disk.path(of: lockName), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard lock >= 0 else {
                throw DurableFailure.failed(
                    "the data folder `\(path)` cannot be locked: \(systemError())")
            }
            disk.hold(lock)
            if flock(lock, LOCK_EX | LOCK_NB) != 0 {
                let pid = lockHolder(path).map { "process \($0)" } ?? "another process"
                throw DurableFailure.refused("the data folder `\(path)` is in use by \(pid)")
            }
            try checkFormat(disk, makes: true)
            let pid = Array("\(getpid())\n".utf8)
            ftruncate(lock, 0)
            pwrite(lock, pid, pid.count, 0)
            return disk
        } catch let failure as DurableFailure {
            throw failure
        } catch {
            throw .failed("\(error)")
        }
    }

    /// Opens a folder to look at it, while an engine may be running on it.
    public static func reading(path: String) throws(DurableFailure) -> SystemDisk {
        guard FolderListing.isFolder(path) else {
            throw .refused("there is no data folder `\(path)`")
        }
        do {
            let disk = try SystemDisk(path: path)
            try checkFormat(disk, makes: false)
            return disk
        } catch {
            if let failure = error as? DurableFailure { throw failure }
            throw .failed("\(error)")
        }
    }

    /// The process whose engine runs on a folder; nil when none does.
    public static func owner(path: String) -> Int? {
        let lock = Glibc.open(path + "/" + lockName, O_RDWR | O_CLOEXEC)
        guard lock >= 0 else { return nil }
        defer { close(lock) }
        if flock(lock, LOCK_SH | LOCK_NB) == 0 { return nil }
        return lockHolder(path)
    }

    private static func lockHolder(_ path: String) -> Int? {
        let text = FileManager.default.contents(atPath: path + "/" + lockName)
        return text.flatMap {
            Int(String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }

    private static func checkFormat(_ disk: SystemDisk, makes: Bool) throws {
        let names = try disk.names()
        guard names.contains(formatName) else {
            let others = names.filter {
                $0 != lockName && !$0.hasSuffix(".sock") && !$0.hasSuffix(".tmp")
            }
            if let other = others.sorted().first {
                throw DurableFailure.refused(
                    "`\(disk.path)` is no data folder of Martlet: it holds `\(other)` and no `format`; nothing was touched"
                )
            }
            guard makes else {
                throw DurableFailure.refused("`\(disk.path)` is no data folder of Martlet")
            }
            let text = Array("\(formatPrefix)\(version)\n".utf8)
            try disk.replace(formatName) { file throws(DiskError) in try file.append(text) }
            return
        }
        let file = try disk.open(formatName)
        let text = String(decoding: try file.read(at: 0, count: 64), as: UTF8.self)
        guard text.hasPrefix(formatPrefix),
            let found = Int(text.dropFirst(formatPrefix.count).prefix { $0.isNumber })
        else {
            throw DurableFailure.failed("`\(disk.path)/format` cannot be understood")
        }
        guard found <= version else {
            throw DurableFailure.refused(
                "the data folder `\(disk.path)` has format \(found), and this version knows \(version); nothing was touched"
            )
        }
    }
}
