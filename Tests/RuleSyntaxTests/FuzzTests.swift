import Foundation
import RuleSyntax
import TestKit
import Testing

/// Bytes in, no crash, no hang, all ranges valid.
@Suite("Whatever the bytes are")
struct FuzzTests {
    /// The rules in the repository and the parser's corpus.
    static let corpus: [SourceText] = {
        let root = DiagnosticGolden.testsFolder + "/.."
        let folders = ["rules", "Tests/Corpus/parser", "Tests/Golden/diagnostics"]
        let paths = folders.flatMap { folder -> [String] in
            let names =
                FileManager.default.enumerator(atPath: "\(root)/\(folder)")?.allObjects as? [String]
                ?? []
            return names.filter { $0.hasSuffix(".rules") }.map { "\(folder)/\($0)" }
        }
        return paths.sorted().compactMap { path in
            FileManager.default.contents(atPath: "\(root)/\(path)").map {
                SourceText(id: SourceID(rawValue: 0), name: path, bytes: Array($0))
            }
        }
    }()

    /// How long to go on; `FUZZ_SECONDS` extends it.
    static let seconds =
        ProcessInfo.processInfo.environment["FUZZ_SECONDS"].flatMap(Double.init) ?? 2

    @Test(
        "a file cut off at any byte is read to its end",
        arguments: corpus.filter { $0.name.contains("Corpus") })
    func truncations(_ source: SourceText) {
        // Every byte of short files; of long ones so many places that it takes about a second.
        let stride = max(1, source.bytes.count / 150)
        for length in Swift.stride(from: 0, through: source.bytes.count, by: stride) {
            if let complaint = complaint(about: Array(source.bytes.prefix(length))) {
                Issue.record("\(source.name) cut at \(length): \(complaint)")
                return
            }
        }
    }

    @Test("a file with any one byte left out is read to its end")
    func omissions() {
        for source in Self.corpus where source.name.contains("Corpus") {
            let stride = max(1, source.bytes.count / 60)
            for position in Swift.stride(from: 0, to: source.bytes.count, by: stride) {
                var bytes = source.bytes
                bytes.remove(at: position)
                if let complaint = complaint(about: bytes) {
                    Issue.record("\(source.name) without byte \(position): \(complaint)")
                    return
                }
            }
        }
    }

    @Test("mutated files are read to their end")
    func mutations() {
        let seed = ProcessInfo.processInfo.environment["SEED"].flatMap(UInt64.init) ?? 8_675_309
        var random = RandomSource(seed: seed)
        let end = Date().addingTimeInterval(Self.seconds)
        var rounds = 0
        while Date() < end {
            rounds += 1
            let bytes = mutated(random.pick(Self.corpus).bytes, &random)
            if let complaint = complaint(about: bytes) {
                Issue.record(
                    "seed \(seed), round \(rounds): \(complaint)\nof\n\(String(decoding: bytes, as: UTF8.self))"
                )
                return
            }
        }
        #expect(rounds > 20, "too few rounds to mean anything")
    }

    @Test("rows of one bracket, quote or word are read to their end")
    func monotony() {
        let pieces = [
            "(", "[", "{", "}", ")", "\"", "'", "`", "/", "\\", "not ", "- ", "a.", "a[", "a(",
            "any a in b: ",
            "a else ", "rule a {\n", "all of {\n", "alert \"{", "kafka {\n", "1 + ", "a and ", "[[",
            "matches /",
            "\n", "#", ";", ",", ":", "\u{0}", "\u{FEFF}", "«", "within ",
            "sequence { then any of { ",
        ]
        for piece in pieces {
            for prefix in [
                "", "let x = ", "rule r {\n sequence {\n ", "source s {\n ", "event e { f: ",
            ] {
                let text = prefix + String(repeating: piece, count: 600)
                if let complaint = complaint(about: Array(text.utf8)) {
                    Issue.record("\(prefix)\(piece)...: \(complaint)")
                }
            }
        }
    }

    /// One to five changes: bytes, pieces moved, doubled or left out, words of the language put in.
    private func mutated(_ original: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        var bytes = original
        for _ in 0..<random.number(1...5) {
            let position = random.number(0...bytes.count)
            let length = min(random.number(1...40), bytes.count - position)
            switch random.number(0...5) {
            case 0 where position < bytes.count:
                bytes[position] = UInt8(random.number(0...255))
            case 1:
                bytes.removeSubrange(position..<position + length)
            case 2:
                bytes.insert(
                    contentsOf: Array(bytes[position..<position + length]),
                    at: random.number(0...bytes.count))
            case 3:
                let other = random.pick(Self.corpus).bytes
                let start = random.number(0...other.count)
                bytes.insert(
                    contentsOf: other[start..<min(start + random.number(1...60), other.count)],
                    at: position)
            case 4:
                bytes.insert(
                    contentsOf: Array(" \(random.pick(Keyword.allCases).rawValue) ".utf8),
                    at: position)
            default:
                let signs = [
                    "{", "}", "(", ")", "[", "]", "\"", "\n", ",", ":", "=", "-", "5", "%", "5m",
                    "'", "`", "#", ";",
                ]
                bytes.insert(contentsOf: Array(random.pick(signs).utf8), at: position)
            }
        }
        return bytes
    }

    /// What is wrong with how bytes are read; nil if nothing is.
    private func complaint(about bytes: [UInt8]) -> String? {
        let source = SourceText(id: SourceID(rawValue: 0), name: "fuzz.rules", bytes: bytes)
        let parsed = parse(source)
        if let complaint = complaintAboutTokens(parsed.tokens, source) { return complaint }
        for diagnostic in parsed.diagnostics {
            let edits = diagnostic.help.compactMap(\.fix).flatMap(\.edits).map(\.range)
            for range in [diagnostic.primary.range] + diagnostic.secondary.map(\.range) + edits {
                guard range.start <= range.end, Int(range.end) <= bytes.count else {
                    return "\(diagnostic.code.number) points at \(range)"
                }
            }
        }
        // Printing must not stumble over what is reported.
        let format = DiagnosticFormat.allCases[bytes.count % DiagnosticFormat.allCases.count]
        _ = render(
            parsed.diagnostics, sources: [source], format: format, colour: bytes.count % 2 == 0)
        let isClean = !parsed.diagnostics.contains { $0.severity == .error }
        return isClean ? complaintOfFormatter(parsed, source) : nil
    }

    private func complaintAboutTokens(_ tokens: [Token], _ source: SourceText) -> String? {
        var end: UInt32 = 0
        for token in tokens {
            guard token.range.start >= end, token.range.end >= token.range.start else {
                return "token \(token.kind) at \(token.range.start) overlaps the one before"
            }
            let gap = source.bytes[Int(end)..<Int(token.range.start)]
            guard gap.allSatisfy({ [0x20, 0x09, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }) else {
                return "bytes before \(token.range.start) are in no token"
            }
            end = token.range.end
        }
        return tokens.last?.kind == .endOfFile && Int(end) == source.bytes.count
            ? nil : "the end is missing"
    }
}
