import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// The `.rules` files that a command was given, and those that could not be read.
struct RuleFiles {
    /// In order of the arguments; inside a folder by path.
    var sources: [SourceText] = []
    /// One sentence for each file or folder that could not be read.
    var problems: [String] = []

    /// Reads files, and folders with all folders below them.
    init(paths: [String]) {
        var seen: Set<String> = []
        for path in paths { add(path, isArgument: true, seen: &seen) }
    }

    private mutating func add(_ path: String, isArgument: Bool, seen: inout Set<String>) {
        switch fileKind(path) {
        case .folder:
            guard let names = folderEntries(path) else {
                problems.append("cannot read the folder `\(path)`: \(systemError())")
                return
            }
            let before = sources.count + problems.count
            for name in names where !name.hasPrefix(".") {
                let child = path.hasSuffix("/") ? path + name : path + "/" + name
                if name.hasSuffix(".rules") || fileKind(child) == .folder {
                    add(child, isArgument: false, seen: &seen)
                }
            }
            if isArgument, sources.count + problems.count == before {
                problems.append("the folder `\(path)` holds no `.rules` file")
            }
        case .file:
            guard seen.insert(canonicalPath(path)).inserted else { return }
            guard let bytes = readFile(path) else {
                problems.append("cannot read `\(path)`: \(systemError())")
                return
            }
            add(SourceText(id: SourceID(rawValue: 0), name: path, bytes: bytes))
        case .absent:
            problems.append("there is no file `\(path)`")
        }
    }

    /// Adds a text and gives it its id.
    mutating func add(_ source: SourceText) {
        var source = source
        source.id = SourceID(rawValue: UInt32(sources.count))
        sources.append(source)
    }
}

enum FileKind { case file, folder, absent }

func fileKind(_ path: String) -> FileKind {
    var information = stat()
    guard stat(path, &information) == 0 else { return .absent }
    return information.st_mode & S_IFMT == S_IFDIR ? .folder : .file
}

/// Whether something that can be read again lies at a path: no pipe and no device.
func isFileOrFolder(_ path: String) -> Bool {
    var information = stat()
    guard stat(path, &information) == 0 else { return true }
    return [S_IFREG, S_IFDIR].contains(information.st_mode & S_IFMT)
}

/// The names in a folder, sorted by bytes; nil with `errno` set when it cannot be read.
func folderEntries(_ path: String) -> [String]? {
    guard let folder = opendir(path) else { return nil }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

/// All bytes of a file; nil with `errno` set when it cannot be read.
func readFile(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return readAll(descriptor)
}

/// All bytes up to the end of a stream; nil with `errno` set when reading fails.
func readAll(_ descriptor: Int32) -> [UInt8]? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        if count == 0 { return bytes }
        if count > 0 {
            bytes.append(contentsOf: buffer[0..<count])
        } else if errno != EINTR {
            return nil
        }
    }
}

/// The path without links and dots, or as it is when the file does not exist.
func canonicalPath(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
}

/// Resolves a path that a file mentions, relative to that file.
func path(_ mentioned: String, relativeTo file: String) -> String {
    if mentioned.hasPrefix("/") { return mentioned }
    guard let slash = file.lastIndex(of: "/") else { return mentioned }
    return file[...slash] + mentioned
}

/// The size of a regular file in bytes; nil for anything else.
func plainFileSize(_ path: String) -> Int? {
    var information = stat()
    guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(information.st_size)
}
