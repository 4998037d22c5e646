import Foundation

/// The files that a path stands for: itself, or all event files below it if it is a folder.
struct FolderListing {
    private(set) var files: [String] = []
    /// What lies in the folder and is not read, with the reason.
    private(set) var faults: [InputFault] = []

    private static let plainEndings = [".ndjson", ".jsonl", ".json", ".log"]
    private static let compressedEndings = [".gz", ".zst"]

    /// - Parameter takesCompressed: Whether `.gz` and `.zst` files count as event files.
    init(of path: String, takesCompressed: Bool = true) {
        if FolderListing.isFolder(path) {
            list(path, takesCompressed: takesCompressed)
        } else {
            files = [path]
        }
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Adds what lies in a folder, by name, folders in their place.
    ///
    /// Folders behind symbolic links are not entered, so that a circle of links cannot trap us.
    private mutating func list(_ folder: String, takesCompressed: Bool) {
        guard let directory = opendir(folder) else {
            skip(folder, .unreadableFile, "the folder cannot be opened: " + systemError())
            return
        }
        var names: [[UInt8]] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
        }
        closedir(directory)
        for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard let text = String(validating: name, as: UTF8.self) else {
                skip(folder, .skippedFile, "a file in the folder has a name that is not UTF-8")
                continue
            }
            let path = folder.hasSuffix("/") ? folder + text : folder + "/" + text
            var status = stat()
            guard lstat(path, &status) == 0 else {
                skip(path, .unreadableFile, "cannot be looked at: " + systemError())
                continue
            }
            if status.st_mode & S_IFMT == S_IFDIR {
                list(path, takesCompressed: takesCompressed)
            } else if FolderListing.isEventFile(text, takesCompressed: takesCompressed) {
                if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
                    skip(path, .skippedFile, "skipped: not a regular file")
                } else {
                    files.append(path)
                }
            } else {
                let endings = FolderListing.plainEndings.joined(separator: ", ")
                skip(
                    path, .skippedFile,
                    "skipped: in a folder only \(endings) files are read"
                        + (takesCompressed ? ", also with .gz or .zst behind" : ""))
            }
        }
    }

    private mutating func skip(_ path: String, _ reason: InputFault.Reason, _ message: String) {
        faults.append(
            InputFault(reason: reason, source: path, line: nil, offset: 0, message: message))
    }

    private static func isEventFile(_ name: String, takesCompressed: Bool) -> Bool {
        var name = name.lowercased()
        if takesCompressed, let ending = compressedEndings.first(where: { name.hasSuffix($0) }) {
            name.removeLast(ending.count)
        }
        return plainEndings.contains { name.hasSuffix($0) }
    }
}
