import RuleModel
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// Which pages `martlet docs` wrote into a folder, and their contents, so that those of rules that are
/// gone can be taken away: never a file that it did not write, nor one that was changed since.
struct DocsManifest {
    static let name = ".martlet-docs"
    private static let head =
        "# The pages that `martlet docs` wrote here, each behind a hash of it.\n"

    private let folder: String
    /// In the order of the file.
    private var earlier: [(name: String, hash: String)] = []

    /// What an earlier run wrote; nothing where there was none.
    ///
    /// Lines that name no page of ours are passed over: whoever writes into the list must not be able to
    /// have another file removed.
    init(folder: String) throws(Failure) {
        self.folder = folder
        let path = "\(folder)/\(Self.name)"
        guard fileKind(path) != .absent else { return }
        guard let bytes = readFile(path) else {
            throw Failure(
                .failed, "cannot read `\(path)`: \(systemError())",
                help: "without it pages of rules that are gone would stay; remove it if they may")
        }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, Self.isPage(String(parts[1])) else { continue }
            earlier.append((String(parts[1]), String(parts[0])))
        }
    }

    /// Refuses to write pages where there is a file that no earlier run wrote, or that was changed since:
    /// whoever did that would lose it.
    func refuseForeign(among pages: [(name: String, text: String)]) throws(Failure) {
        let written = Dictionary(earlier.map { ($0.name, $0.hash) }) { $1 }
        let foreign = pages.map(\.name).filter { name in
            let path = "\(folder)/\(name)"
            guard fileKind(path) != .absent else { return false }
            return !Self.isAsWritten(path, written[name])
        }
        guard let first = foreign.first else { return }
        throw Failure(
            .failed,
            "`\(folder)/\(first)` is there already and is not as `docs` wrote it"
                + (foreign.count > 1 ? ", nor are \(foreign.count - 1) more" : "")
                + ", so nothing was written",
            help: "name another folder with `--html`, or move the file away")
    }

    /// Removes the pages that are not among these any more, and notes these for the next run.
    ///
    /// - Returns: How many were removed, and which would have been but were changed since.
    func exchange(
        for pages: [(name: String, text: String)]
    ) throws(Failure) -> (removed: Int, changed: [String]) {
        let names = Set(pages.map(\.name))
        var removed = 0
        var changed: [String] = []
        for page in earlier where !names.contains(page.name) {
            let path = "\(folder)/\(page.name)"
            // What somebody else has removed is gone as well.
            guard fileKind(path) != .absent else { continue }
            guard Self.isAsWritten(path, page.hash) else {
                changed.append(path)
                continue
            }
            guard unlink(path) == 0 else {
                throw Failure(.failed, "cannot remove `\(path)`: \(systemError())")
            }
            removed += 1
        }
        let lines = pages.map { "\(Self.hash(Array($0.text.utf8))) \($0.name)\n" }
        try replaceFile(
            "\(folder)/\(Self.name)", with: Array((Self.head + lines.joined()).utf8))
        return (removed, changed)
    }

    /// A name as `RuleCatalogue` gives it to a page.
    private static func isPage(_ name: String) -> Bool {
        name == "index.html"
            || (name.hasPrefix("rule.") || name.hasPrefix("metric.")) && name.hasSuffix(".html")
                && !name.contains("/")
    }

    private static func isAsWritten(_ path: String, _ written: String?) -> Bool {
        guard let written, let bytes = readFile(path) else { return false }
        return hash(bytes) == written
    }

    private static func hash(_ bytes: [UInt8]) -> String {
        var hash = StableHash()
        for byte in bytes { hash.combine(byte: byte) }
        return String(hash.value, radix: 16)
    }
}
