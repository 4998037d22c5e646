import CSimdjson
import Foundation
import RuleModel
import Testing

@testable import StreamRuntime

/// The scanner against simdjson (accept or reject) and Foundation (values), on a corpus and on
/// seeded mutations of it. `FUZZ_SECONDS=600 swift test --filter Fuzz` goes on with fresh seeds.
@Suite("Scanner fuzz")
struct ScannerFuzzTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Corpus/json")

    static func corpus(_ name: String) throws -> [[UInt8]] {
        let bytes = try Array(Data(contentsOf: folder.appendingPathComponent(name)))
        return bytes.split(separator: 0x0A).map(Array.init)
    }

    /// Fields that occur in the corpus, wanted in some runs.
    static let fields = [
        "user", "geo", "geo.country", "a", "a.b", "a.b.c", "n", "s", "k", "u", "text", "amount",
        "card.last4",
        "userIdentity.sessionContext.attributes.mfaAuthenticated", "requestParameters.key", "tags",
        "deep", "empty.d",
        "Image", "CommandLine", "ok", "b",
    ]

    /// What our scanner says of a line as JSON: nil if it is fine, whatever its type and time are.
    ///
    /// - Parameter before: A line that the scanner has read just before, and remembers.
    private static func fault(_ line: [UInt8], fields: [String], after before: [UInt8]? = nil)
        -> InputFault?
    {
        var decoder = NDJSONDecoder(
            fields: fields.map { FieldPath($0.split(separator: ".").map(String.init)) },
            eventTypes: ["login"],
            options: InputOptions())
        var report = InputReport()
        for bytes in [before, line] {
            guard let bytes else { continue }
            // Not at the start of a file, so that a byte order mark is not passed over.
            var chunk = LineChunk(bytes, fileOffset: 1)
            var batch = EventBatch(source: 0, fieldCount: fields.count)
            var arrival: UInt64 = 0
            report = InputReport()
            decoder.decode(&chunk, into: &batch, arrival: &arrival, report: &report)
        }
        switch report.faults.first?.reason {
        case nil, .typeMissing, .typeUnreadable, .timeMissing, .timeUnreadable, .timeAbsurd:
            return nil
        default: return report.faults.first
        }
    }

    /// Whether the two may differ over a line, and why.
    private static func allowedDifference(_ line: [UInt8], ours: InputFault?, judge: Int32)
        -> String?
    {
        switch ours?.reason {
        case .notAnObject: return "an event is an object; simdjson takes any value"
        case .tooDeep: return "our limit is 512 levels, simdjson's 1,024"
        default: break
        }
        // simdjson: 9 NUMBER_ERROR for whole numbers that fit neither Int64 nor UInt64.
        if ours == nil, judge == 9, hasLongNumber(line) {
            return "whole numbers beyond 64 bits are decimals here and an error there"
        }
        return nil
    }

    private static func hasLongNumber(_ line: [UInt8]) -> Bool {
        line.split { $0 < 0x30 || $0 > 0x39 }.contains { $0.count >= 19 }
    }

    private static func check(
        _ line: [UInt8], _ origin: String, fields: [String] = ScannerFuzzTests.fields,
        after before: [UInt8]? = nil
    ) {
        if line.allSatisfy({ [0x20, 0x09, 0x0D].contains($0) }) { return }
        let ours = fault(line, fields: fields)
        let judge = simdjson_judge(line, line.count)
        if (ours == nil) != (judge == 0), allowedDifference(line, ours: ours, judge: judge) == nil {
            Issue.record(
                "\(origin): simdjson says \(judge), we say \(ours?.message ?? "fine") of \(escaped(line))"
            )
        }
        // What is wrong does not depend on what is wanted.
        let unwanted = fault(line, fields: [])
        if ours?.reason != unwanted?.reason || ours?.offset != unwanted?.offset {
            Issue.record(
                "\(origin): wanted \(ours?.description ?? "-"), unwanted \(unwanted?.description ?? "-"): \(escaped(line))"
            )
        }
        // Nor on the keys that the line before has left in memory.
        if let before {
            let warm = fault(line, fields: fields, after: before)
            if ours?.reason != warm?.reason || ours?.offset != warm?.offset {
                Issue.record(
                    "\(origin): alone \(ours?.description ?? "-"), after \(escaped(before)) \(warm?.description ?? "-"): \(escaped(line))"
                )
            }
        }
        if ours == nil { compareValues(line, origin, fields) }
    }

    /// The cells of wanted fields hold what Foundation finds.
    private static func compareValues(
        _ line: [UInt8], _ origin: String, _ fields: [String]
    ) {
        // Type and time are put in front, so that the line makes a row.
        guard let brace = line.firstIndex(of: 0x7B) else { return }
        var event = Array(#"{"type":"login","time":1767323045"#.utf8)
        let rest = line[(brace + 1)...]
        if rest.first(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) != 0x7D {
            event.append(0x2C)
        }
        event += rest
        var options = InputOptions()
        options.typeName = "login"
        let decoded = decode(event, fields: fields, types: ["login"], options: options)
        // Foundation does not say which of two equal keys it takes, nor is the time then ours.
        if decoded.batch.count == 0 || decoded.report.duplicateKeyFiles > 0 { return }
        // Foundation drops byte order marks in the middle of texts.
        if event.indices.contains(where: { event[$0...].starts(with: [0xEF, 0xBB, 0xBF]) }) {
            return
        }
        guard let object = try? JSONSerialization.jsonObject(with: Data(event)) as? [String: Any]
        else {
            // It refuses numbers that a Double cannot hold to its liking, and nothing else.
            if hasLongNumber(event) || event.contains(0x65) || event.contains(0x45) { return }
            Issue.record("\(origin): Foundation refuses \(escaped(event))")
            return
        }
        for (index, field) in fields.enumerated()
        where !isEqual(decoded, index, find(field, in: object)) {
            Issue.record(
                "\(origin): \(field) is \(decoded.value(index, 0)), not \(String(describing: find(field, in: object))): \(escaped(event))"
            )
        }
    }

    /// The value of a path in any of its spellings, the most nested first.
    private static func find(_ field: String, in object: [String: Any]) -> Any? {
        for keys in spellings(of: FieldPath(field.split(separator: ".").map(String.init))) {
            var value: Any? = object
            for key in keys { value = (value as? [String: Any])?[key] }
            if let value, !(value is NSNull) { return value }
        }
        return nil
    }

    private static func isEqual(_ decoded: Decoded, _ field: Int, _ value: Any?) -> Bool {
        let cell = decoded.batch.columns[field][0]
        switch cell.kind {
        case .missing: return value == nil
        case .bool: return (value as? Bool) == (cell.bits == 1)
        case .int: return (value as? NSNumber)?.int64Value == Int64(bitPattern: cell.bits)
        case .float: return (value as? NSNumber)?.doubleValue == Double(bitPattern: cell.bits)
        case .text:
            guard case .text(let text) = decoded.value(field, 0), let value = value as? String
            else { return false }
            return text == Text(value)
        case .json:
            guard case .text(let text) = decoded.value(field, 0), let value,
                let parsed = try? JSONSerialization.jsonObject(with: Data(text.string.utf8)),
                let ours = try? JSONSerialization.data(
                    withJSONObject: parsed, options: .sortedKeys),
                let theirs = try? JSONSerialization.data(
                    withJSONObject: value, options: .sortedKeys)
            else { return false }
            return ours == theirs
        }
    }

    private static func escaped(_ line: [UInt8]) -> String {
        line.map {
            $0 >= 0x20 && $0 < 0x7F ? String(UnicodeScalar($0)) : "\\x" + String($0, radix: 16)
        }.joined()
    }

    // MARK: - Tests

    @Test("the corpus is judged as simdjson judges it")
    func corpus() throws {
        for (index, line) in try Self.corpus("accepted.ndjson").enumerated() {
            #expect(Self.fault(line, fields: Self.fields) == nil, "accepted.ndjson:\(index + 1)")
            Self.check(line, "accepted.ndjson:\(index + 1)")
        }
        for (index, line) in try Self.corpus("rejected.ndjson").enumerated() {
            #expect(Self.fault(line, fields: Self.fields) != nil, "rejected.ndjson:\(index + 1)")
            Self.check(line, "rejected.ndjson:\(index + 1)")
        }
    }

    @Test("every beginning of every good line is judged as simdjson judges it")
    func prefixes() throws {
        for (index, line) in try Self.corpus("accepted.ndjson").enumerated() {
            for count in 1..<max(2, line.count) {
                Self.check(
                    Array(line.prefix(count)), "accepted.ndjson:\(index + 1), first \(count) bytes")
            }
        }
    }

    @Test("mutated lines are judged as simdjson judges them, and values are those of Foundation")
    func mutations() throws {
        let good = try Self.corpus("accepted.ndjson")
        let bad = try Self.corpus("rejected.ndjson")
        let seconds = ProcessInfo.processInfo.environment["FUZZ_SECONDS"].flatMap(Double.init)
        let end = seconds.map { Date().addingTimeInterval($0) }
        var seed: UInt64 = seconds == nil ? 1 : UInt64(Date().timeIntervalSince1970)
        var cases = 0
        repeat {
            var mutator = LineMutator(seed: seed, good: good, bad: bad)
            for step in 0..<8000 {
                let line = mutator.next()
                Self.check(line, "seed \(seed), step \(step)", after: mutator.original)
                cases += 1
            }
            seed += 1
        } while end.map { Date() < $0 } == true
        if seconds != nil { print("\(cases) mutated lines, seeds up to \(seed - 1)") }
    }

    /// Real recordings lie beside the checkout, or where `MARTLET_DATA` says.
    static let recordings: [String] = {
        let named = ProcessInfo.processInfo.environment["MARTLET_DATA"]
        let beside = folder.deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("shared/data").path
        return ["cloudtrail-s3-exfil", "win-psexec", "panther-rule-tests", "retail"]
            .map { "\(named ?? beside)/\($0).ndjson.gz" }
            .filter { FileManager.default.fileExists(atPath: $0) }
    }()

    @Test(
        "real lines and mutations of them are judged and read as by simdjson and Foundation",
        .enabled(if: !recordings.isEmpty, "the recordings are not here"))
    func realLines() throws {
        for path in Self.recordings {
            var gathered = Gathered()
            gather(makeSource(.files([path]), options: InputOptions()), into: &gathered)
            let all = gathered.bytes.split(separator: 0x0A).map(Array.init)
            // Some forty from all over the file, none so long that it takes the time of all.
            let lines = stride(from: 0, to: all.count, by: max(1, all.count / 40))
                .map { all[$0] }.filter { $0.count < 8000 }
            let fields = try Set(
                lines.prefix(20).flatMap { line in
                    try (JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]).map(
                        paths)
                        ?? []
                }
            ).sorted()
            for (index, line) in lines.enumerated() {
                Self.check(line, "\(path), sample \(index)", fields: fields)
            }
            var mutator = LineMutator(seed: 3, good: lines, bad: [])
            for step in 0..<300 {
                let line = mutator.next()
                Self.check(
                    line, "\(path), step \(step)", fields: fields, after: mutator.original)
            }
        }
    }

    /// The keys of an object and of the objects in it, as paths.
    private func paths(_ object: [String: Any]) -> [String] {
        object.flatMap { key, value -> [String] in
            if key.contains(".") { return [] }
            let inner = (value as? [String: Any]) ?? [:]
            return [key] + inner.keys.filter { !$0.contains(".") }.map { "\(key).\($0)" }
        }
    }

    @Test("lines, chunks and batches cut anywhere give the same rows and the same faults")
    func cuts() throws {
        let folder = try TemporaryFolder()
        var mutator = try LineMutator(
            seed: 77, good: Self.corpus("accepted.ndjson"), bad: Self.corpus("rejected.ndjson"))
        var bytes: [UInt8] = []
        for _ in 0..<400 {
            let line = mutator.next()
            // A time, so that what is not broken makes a row.
            bytes += Array(#"{"time":1767323045,"#.utf8) + line.drop { $0 == 0x7B } + [0x0A]
        }
        let path = try folder.write("x.ndjson", bytes)
        let fields = Self.fields.map { FieldPath($0.split(separator: ".").map(String.init)) }
        func read(chunkBytes: Int, rowMax: Int) -> (EventBatch, InputReport) {
            var options = InputOptions(chunkBytes: chunkBytes)
            options.typeName = "login"
            options.timeField = FieldPath(["time"])
            let source = makeSource(.files([path]), options: options)
            var decoder = NDJSONDecoder(fields: fields, eventTypes: ["login"], options: options)
            var batch = EventBatch(source: 0, fieldCount: fields.count)
            var report = InputReport()
            var chunk = LineChunk()
            var arrival: UInt64 = 0
            while source.next(into: &chunk, waitingAtMost: 0, report: &report) == .lines {
                while !chunk.isDecoded {
                    decoder.decode(
                        &chunk, into: &batch, rowMax: rowMax, arrival: &arrival, report: &report)
                }
            }
            return (batch, report)
        }
        let (batch, report) = read(chunkBytes: 1 << 20, rowMax: 100_000)
        #expect(batch.count > 20, "\(report.summary)")
        #expect(report.badLines > 100)
        for (chunkBytes, rowMax) in [(1, 1), (13, 3), (64, 1000), (1000, 2), (65536, 7)] {
            let (other, otherReport) = read(chunkBytes: chunkBytes, rowMax: rowMax)
            #expect(
                other.times == batch.times && other.types == batch.types
                    && other.bytes == batch.bytes)
            for field in fields.indices {
                for row in 0..<batch.count {
                    let (left, right) = (batch.columns[field][row], other.columns[field][row])
                    #expect(
                        left.kind == right.kind && left.bits == right.bits
                            && left.length == right.length)
                }
            }
            #expect(otherReport == report)
        }
    }
}

/// Makes broken lines out of good ones, the same ones for the same seed.
struct LineMutator {
    private var random: SeededRandom
    private let lines: [[UInt8]]
    private let goodCount: Int
    /// The line that the last one was made of.
    private(set) var original: [UInt8] = []
    /// Pieces that matter to a JSON reader.
    private static let pieces: [[UInt8]] =
        [
            "\"", "\\", "{", "}", "[", "]", ":", ",", " ", "\t", "\r", "0", "-", "1e9", ".", "e",
            "E+", "true", "null",
            "\\u0041", "\\ud83d\\ude00", "\\ud800", "\\n", "\"\"", "é", "😀", "\":\"", "\",\"",
            "{\"", "\"}", "[]", "{}",
            "99999999999999999999", "1e400", "0.1", "\u{0}", "\u{1}", "\u{FEFF}", "\"a\":1,",
        ].map { Array($0.utf8) } + [
            [0xC3], [0x80], [0xFF], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xED, 0xA0, 0x80],
        ]

    init(seed: UInt64, good: [[UInt8]], bad: [[UInt8]]) {
        random = SeededRandom(seed: seed)
        lines = good + bad
        goodCount = good.count
    }

    private mutating func below(_ bound: Int) -> Int {
        bound <= 0 ? 0 : Int(random.next(upTo: UInt64(bound)))
    }

    mutating func next() -> [UInt8] {
        var line = below(4) == 0 ? lines[below(lines.count)] : lines[below(goodCount)]
        original = line
        // Most stay nearly whole, so that there are values to compare.
        for _ in 0..<[0, 1, 1, 1, 2, 4][below(6)] {
            let place = below(line.count + 1)
            switch below(8) {
            case 0 where place < line.count: line[place] = UInt8(below(256))
            case 1 where place < line.count: line[place] ^= 1 << UInt8(below(8))
            case 2: line.removeSubrange(place..<min(line.count, place + 1 + below(4)))
            case 3: line = Array(line.prefix(place))
            case 4:
                let other = lines[below(lines.count)]
                let start = below(other.count)
                line.insert(
                    contentsOf: other[start..<min(other.count, start + below(20))], at: place)
            case 5:
                let copy = Array(line[place..<min(line.count, place + 1 + below(12))])
                line.insert(contentsOf: copy, at: place)
            default:
                line.insert(
                    contentsOf: LineMutator.pieces[below(LineMutator.pieces.count)], at: place)
            }
        }
        return line.map { $0 == 0x0A ? 0x20 : $0 }
    }
}
