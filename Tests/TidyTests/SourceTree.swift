import Foundation

/// The project's files, as text.
enum SourceTree {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// A Swift file of `Sources` or `Tests`.
    struct File: Sendable {
        /// From the root, for example `Sources/RuleModel/Alert.swift`.
        var path: String
        var lines: [String]

        /// The target's name: the folder below `Sources` or `Tests`.
        var target: String {
            let parts = path.split(separator: "/")
            return parts.count > 2 ? String(parts[1]) : ""
        }

        /// The lines that are not comments, numbered from 1.
        var code: [(number: Int, text: String)] {
            lines.enumerated().compactMap { index, line in
                let text = line.trimmingCharacters(in: .whitespaces)
                return text.hasPrefix("//") ? nil : (index + 1, text)
            }
        }
    }

    static let sources = swiftFiles(below: "Sources")
    static let tests = swiftFiles(below: "Tests")

    static func text(_ path: String) -> String? {
        try? String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Names of the files in a folder, sorted; empty when there is none.
    static func names(in folder: String) -> [String] {
        let path = root.appending(path: folder).path(percentEncoded: false)
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    private static func swiftFiles(below folder: String) -> [File] {
        let path = root.appending(path: folder).path(percentEncoded: false)
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            let path = "\(folder)/\(name)"
            return File(path: path, lines: (text(path) ?? "").components(separatedBy: "\n"))
        }
    }
}
