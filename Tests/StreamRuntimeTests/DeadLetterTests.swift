import Foundation
import Testing

@testable import StreamRuntime

@Suite("Faults kept and counted")
struct DeadLetterTests {
    @Test("each fault becomes one JSON object from which the line can be had back")
    func records() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/dead.ndjson"
        let text = Array("{\"a\\n\":\"é\u{1}\u{7F}\"".utf8)
        let odd: [UInt8] = Array("a\\x".utf8) + [0xC3, 0x28, 0xFF, 0x00] + Array("é😀".utf8)
        let faults = [
            InputFault(
                reason: .truncated, source: "a \"b\".ndjson", line: 3, offset: 99, message: "cut",
                raw: text),
            InputFault(
                reason: .invalidUTF8, source: "b", line: 1, offset: 4, message: "odd", raw: odd,
                isRawCut: true),
            InputFault(reason: .emptyFile, source: "c", line: nil, offset: 0, message: "empty"),
        ]
        try DeadLetterFile(path: path).append([faults[0]])
        try DeadLetterFile(path: path).append(Array(faults[1...]))
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let records = try lines.map { line in
            try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(records.count == 3)
        #expect(records[0]["source"] as? String == "a \"b\".ndjson")
        #expect(records[0]["line"] as? Int == 3)
        #expect(records[0]["offset"] as? Int == 99)
        #expect(records[0]["reason"] as? String == "truncated")
        #expect((records[0]["raw"] as? String).map { Array($0.utf8) } == text)
        #expect(records[0]["raw_escaped"] == nil && records[0]["raw_cut"] == nil)
        #expect(records[1]["raw"] as? String == "a\\\\x\\xc3(\\xff\u{0}é😀")
        #expect(
            records[1]["raw_escaped"] as? Bool == true && records[1]["raw_cut"] as? Bool == true)
        #expect(records[2]["line"] == nil && records[2]["raw"] == nil)
        // Our own decoder can read them again.
        #expect(
            decode(Array(lines.joined(separator: "\n").utf8), fields: []).report.count(
                of: .typeMissing) == 3)
    }

    @Test("the file is only for its owner, and one that cannot be opened is an error")
    func opening() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/dead.ndjson"
        try DeadLetterFile(path: path).append([])
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(
            throws: DeadLetterError.cannotOpen(
                path: "/nowhere/x", reason: "No such file or directory")
        ) { try DeadLetterFile(path: "/nowhere/x") }
    }

    @Test("the summary says how many, of what kind, where the first was and what to do")
    func summary() throws {
        var report = InputReport()
        #expect(report.summary == "")
        report.lines = 1000
        report.duplicateKeyFiles = 1
        report.byteOrderMarks = 2
        let faults: [(InputFault.Reason, String, Int?)] = [
            (.timeMissing, "the event has no time", 4), (.malformed, "expected a value", 17),
            (.timeMissing, "the event has no time", 9), (.emptyFile, "the file is empty", nil),
            (.skippedFile, "skipped", nil),
        ]
        for (reason, message, line) in faults {
            report.record(
                InputFault(
                    reason: reason, source: "a.log", line: line, offset: 4711, message: message))
        }
        #expect(
            report.summary == """
                3 of 1,000 lines could not be read:
                  1 malformed; the first: a.log:17 (byte 4,711): expected a value
                  2 without a time; the first: a.log:4 (byte 4,711): the event has no time
                1 file could not be read, or not wholly:
                  1 empty; the first: a.log: the file is empty
                1 file in folders not read:
                  1 of another kind; the first: a.log: skipped
                help: `--time-field FIELD` says which field holds the time
                1 file with a key twice in one object; the last one counts
                2 files with a byte order mark, passed over
                """)
    }

    @Test("reports add up, the first of each kind stays first, and faults are handed out once")
    func adding() {
        var first = InputReport()
        var second = InputReport()
        func fault(_ source: String, _ reason: InputFault.Reason) -> InputFault {
            InputFault(reason: reason, source: source, line: 1, offset: 0, message: "x")
        }
        first.record(fault("a", .truncated))
        second.record(fault("b", .truncated))
        second.record(fault("b", .tooDeep))
        second.lines = 5
        first.add(second)
        #expect(first.lines == 5 && first.badLines == 3)
        #expect(first.firstFaults.map(\.source) == ["a", "b"])
        #expect(first.takeFaults().map(\.source) == ["a", "b", "b"])
        #expect(first.takeFaults() == [])
        #expect(first.count(of: .truncated) == 2)
    }
}
