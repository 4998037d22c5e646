import Foundation
import RuleSyntax

/// A file that shows what the compiler says about it: source with the expectation under the line.
///
///     rule r {
///       sequence by usr { a: login }
///     #             ^^^ error[E0301]: no field `usr` on event `login`
///     #                 label: unknown field
///     #                 help: there is a field with a similar name: `user`
///     }
///
/// `^` is the primary label, `-` a secondary one. The lines of the expectation are no part of the
/// source. A range that begins in the first two columns is written as `#@0-4`. `#! file other.rules`
/// begins another file of the same rule set. Next to each `NAME.rules` lies `NAME.txt`, the same
/// diagnostics as a terminal shows them.
///
/// With `UPDATE_GOLDEN=1` in the environment the files are rewritten instead of compared.
public struct DiagnosticGolden: Sendable, CustomStringConvertible {
    public var path: String

    public init(path: String) { self.path = path }

    /// The file's name without its ending.
    public var description: String {
        String(path.split(separator: "/").last ?? "").replacingOccurrences(of: ".rules", with: "")
    }

    /// The number of the code that the file is about.
    public var code: String { String(description.prefix(5)) }

    /// The golden files in `Tests/Golden/diagnostics`, in order of name.
    public static let all: [DiagnosticGolden] = {
        let folder = testsFolder + "/Golden/diagnostics"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".rules") }.sorted().map {
            DiagnosticGolden(path: "\(folder)/\($0)")
        }
    }()

    /// The folder `Tests` of the checkout.
    public static let testsFolder: String = {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(2).joined(separator: "/")
    }()

    /// Compares the file with what is said about it now.
    ///
    /// - Parameter diagnose: From sources to diagnostics: the parser's, or the whole compiler's.
    /// - Returns: What is wrong, in sentences; empty if all is as written.
    public func failures(_ diagnose: ([SourceText]) -> [Diagnostic]) -> [String] {
        guard let bytes = FileManager.default.contents(atPath: path).map(Array.init) else {
            return ["\(path) cannot be read"]
        }
        let sources = Self.sources(in: bytes, name: "\(description).rules")
        let diagnostics = diagnose(sources)
        let annotated = Self.annotated(sources, diagnostics)
        let rendered = render(diagnostics, sources: sources, format: .text, colour: false)
        let textPath = String(path.dropLast("rules".count)) + "txt"

        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try? Data(annotated).write(to: URL(filePath: path))
            try? rendered.write(toFile: textPath, atomically: true, encoding: .utf8)
            return []
        }
        var failures: [String] = []
        if annotated != bytes {
            failures.append(
                "\(description): what is said is not what is written; now it is\n"
                    + String(decoding: annotated, as: UTF8.self))
        }
        let expected = FileManager.default.contents(atPath: textPath).map {
            String(decoding: $0, as: UTF8.self)
        }
        if expected != rendered {
            failures.append(
                "\(description): the terminal shows something else than the .txt:\n\(rendered)")
        }
        return failures
            + Self.fixFailures(diagnostics, sources, diagnose).map { "\(description): \($0)" }
    }

    /// A fix that a program may apply must take its diagnostic away.
    private static func fixFailures(
        _ diagnostics: [Diagnostic], _ sources: [SourceText],
        _ diagnose: ([SourceText]) -> [Diagnostic]
    ) -> [String] {
        diagnostics.flatMap { diagnostic in
            diagnostic.help.compactMap(\.fix).filter { $0.applicability == .always }.compactMap {
                fix in
                let before = diagnostics.count { $0.code == diagnostic.code }
                let after = diagnose(applying(fix, to: sources)).count {
                    $0.code == diagnostic.code
                }
                return after < before
                    ? nil : "the fix of \(diagnostic.code.number) does not take it away"
            }
        }
    }

    /// The sources after the edits of a fix.
    public static func applying(_ fix: FixIt, to sources: [SourceText]) -> [SourceText] {
        sources.map { source in
            var bytes = source.bytes
            let edits = fix.edits.filter { $0.range.source == source.id }
            for edit in edits.sorted(by: { $0.range.start > $1.range.start }) {
                bytes.replaceSubrange(
                    Int(edit.range.start)..<Int(edit.range.end), with: edit.text.utf8)
            }
            return SourceText(id: source.id, name: source.name, bytes: bytes)
        }
    }
}

// MARK: - Reading

extension DiagnosticGolden {
    private static let fileMark = Array("#! file ".utf8)

    /// The sources in a golden file, without expectations.
    private static func sources(in bytes: [UInt8], name: String) -> [SourceText] {
        var files: [(name: String, bytes: [UInt8])] = [(name, [])]
        for line in lines(bytes) {
            if line.starts(with: fileMark) {
                let name = String(decoding: line.dropFirst(fileMark.count), as: UTF8.self)
                files.append((name.trimmingCharacters(in: .whitespacesAndNewlines), []))
            } else if !isExpectation(line) {
                files[files.count - 1].bytes += line
            }
        }
        return files.enumerated().map { index, file in
            SourceText(id: SourceID(rawValue: UInt32(index)), name: file.name, bytes: file.bytes)
        }
    }

    /// The lines of a file with their line ends.
    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
            lines.append(bytes[start...index])
            start = index + 1
        }
        return start < bytes.count ? lines + [bytes[start...]] : lines
    }

    private static func isExpectation(_ line: ArraySlice<UInt8>) -> Bool {
        guard line.first == UInt8(ascii: "#") else { return false }
        let rest = line.dropFirst().drop { $0 == UInt8(ascii: " ") }
        return ["^", "- ", "--", "@", "help: ", "note: ", "label: "].contains {
            rest.starts(with: $0.utf8)
        }
    }
}

// MARK: - Writing

extension DiagnosticGolden {
    /// The sources with what is said about them under the lines.
    private static func annotated(_ sources: [SourceText], _ diagnostics: [Diagnostic]) -> [UInt8] {
        var output: [UInt8] = []
        for source in sources {
            if source.id.rawValue > 0 { output += fileMark + Array("\(source.name)\n".utf8) }
            let remarks = remarks(on: source, diagnostics)
            for line in source.lineStarts.indices {
                let start = Int(source.lineStarts[line])
                let end =
                    line + 1 < source.lineStarts.count
                    ? Int(source.lineStarts[line + 1]) : source.bytes.count
                guard start < end || remarks[line] != nil else { continue }
                output += source.bytes[start..<end]
                if remarks[line] != nil, output.last != UInt8(ascii: "\n") {
                    output.append(UInt8(ascii: "\n"))
                }
                output += (remarks[line] ?? []).flatMap { Array("\($0)\n".utf8) }
            }
        }
        return output
    }

    /// For each line the rows under it.
    private static func remarks(on source: SourceText, _ diagnostics: [Diagnostic]) -> [Int:
        [String]]
    {
        var remarks: [Int: [String]] = [:]
        for diagnostic in diagnostics.inOrderOfPosition() {
            let headline =
                "\(severityWord(diagnostic))[\(diagnostic.code.number)]: \(diagnostic.message)"
            var details =
                diagnostic.primary.text.isEmpty ? [] : ["label: \(diagnostic.primary.text)"]
            details +=
                diagnostic.notes.map { "note: \($0)" } + diagnostic.help.map { "help: \($0.text)" }
            if diagnostic.primary.range.source == source.id {
                let (line, indent, pointer) = pointer(to: diagnostic.primary.range, "^", in: source)
                remarks[line, default: []].append("\(pointer) \(headline)")
                let margin = "#" + String(repeating: " ", count: max(1, indent - 1))
                remarks[line, default: []] += details.map {
                    margin + $0.replacingOccurrences(of: "\n", with: "\\n")
                }
            }
            for label in diagnostic.secondary where label.range.source == source.id {
                let (line, _, pointer) = pointer(to: label.range, "-", in: source)
                remarks[line, default: []].append(
                    "\(pointer) \(label.text) (\(diagnostic.code.number))")
            }
        }
        return remarks
    }

    private static func severityWord(_ diagnostic: Diagnostic) -> String {
        "\(diagnostic.severity)"
    }

    /// The row that points at a range: its line, the column the pointer begins at, and the row.
    private static func pointer(
        to range: SourceRange, _ mark: String, in source: SourceText
    ) -> (line: Int, indent: Int, row: String) {
        let line = source.line(at: range.start)
        let lineEnd = UInt32(source.lineBytes(line).endIndex)
        let start = source.position(at: range.start).column - 1
        let end = source.position(at: min(range.end, lineEnd)).column - 1
        let width = max(1, end - start)
        let goesOn = range.end > lineEnd + 1 ? "…" : ""
        guard start >= 2 else { return (line, 2, "#@\(start)-\(end)\(goesOn)") }
        let row =
            "#" + String(repeating: " ", count: start - 1) + String(repeating: mark, count: width)
            + goesOn
        return (line, start, row)
    }
}
