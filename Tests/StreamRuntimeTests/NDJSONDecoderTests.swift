import RuleModel
import Testing

@testable import StreamRuntime

/// What a decoder makes of a text, in a form that is easy to compare.
struct Decoded {
    var batch: EventBatch
    var report: InputReport
    var rows: [[Value]] = []

    /// Cells as values; JSON ranges are texts that begin with their bracket.
    func value(_ field: Int, _ row: Int) -> Value {
        let cell = batch.columns[field][row]
        switch cell.kind {
        case .missing: return .missing
        case .bool: return .bool(cell.bits == 1)
        case .int: return .int(Int64(bitPattern: cell.bits))
        case .float: return .float(Double(bitPattern: cell.bits))
        case .text, .json:
            let start = Int(cell.bits)
            return .text(
                String(decoding: batch.bytes[start..<start + Int(cell.length)], as: UTF8.self))
        }
    }
}

func decode(
    _ text: String, fields: [String] = ["a"], types: [String] = ["t"],
    options: InputOptions = InputOptions(), rowMax: Int = 1024
) -> Decoded {
    decode(Array(text.utf8), fields: fields, types: types, options: options, rowMax: rowMax)
}

func decode(
    _ bytes: [UInt8], fields: [String] = ["a"], types: [String] = ["t"],
    options: InputOptions = InputOptions(), rowMax: Int = 1024
) -> Decoded {
    let paths = fields.map { FieldPath($0.split(separator: ".").map(String.init)) }
    var decoder = NDJSONDecoder(fields: paths, eventTypes: types, options: options)
    var batch = EventBatch(source: 0, fieldCount: fields.count)
    var report = InputReport()
    var arrival: UInt64 = 7
    var chunk = LineChunk(bytes, name: "x.ndjson")
    while !chunk.isDecoded {
        decoder.decode(&chunk, into: &batch, rowMax: rowMax, arrival: &arrival, report: &report)
    }
    return Decoded(batch: batch, report: report)
}

/// One line with the given members, of type `t` and with a good time.
private func event(_ members: String) -> String {
    #"{"type":"t","time":"2026-01-02T03:04:05Z",\#(members)}"#
}

@Suite("NDJSON decoder")
struct NDJSONDecoderTests {
    @Test("takes the wanted fields in the kinds that the data has")
    func kinds() {
        let decoded = decode(
            event(#""a":1,"b":-2.5,"c":true,"d":null,"e":"x","f":{"g":[1, 2]},"h":[{"i":1}]"#),
            fields: ["a", "b", "c", "d", "e", "f", "f.g", "h", "nowhere"])
        let values = (0..<9).map { decoded.value($0, 0) }
        #expect(
            values == [
                .int(1), .float(-2.5), .bool(true), .missing, .text("x"), .text(#"{"g":[1, 2]}"#),
                .text("[1, 2]"), .text(#"[{"i":1}]"#), .missing,
            ])
        #expect(decoded.batch.types == [EventTypeID(rawValue: 0)])
        #expect(decoded.batch.times == [1_767_323_045_000_000_000])
        #expect(decoded.batch.arrivals == [7])
        #expect(decoded.report.faults.isEmpty)
    }

    @Test("undoes escapes and keeps other texts as they are")
    func escapes() {
        let decoded = decode(
            event(#""a":"q\" b\\ s\/ \b\f\n\r\t \u00e9 \ud83d\ude00 é😀","\u0062":"key""#),
            fields: ["a", "b"])
        #expect(
            decoded.value(0, 0)
                == .text("q\" b\\ s/ \u{8}\u{c}\n\r\t é 😀 é😀"))
        #expect(decoded.value(1, 0) == .text("key"))
    }

    @Test(
        "finds a path nested and as a dotted key; the nested one wins",
        arguments: [
            (#""geo":{"country":"DE"}"#, "DE"), (#""geo.country":"DE""#, "DE"),
            (#""geo.country":"FR","geo":{"country":"DE"}"#, "DE"),
            (#""geo":{"country":"DE"},"geo.country":"FR""#, "DE"),
            (#""geo":{"country":null},"geo.country":"FR""#, "FR"),
            (#""geo":{"city":"x"},"geo.country":"FR""#, "FR"),
        ])
    func dotted(members: String, expected: String) {
        #expect(decode(event(members), fields: ["geo.country"]).value(0, 0) == .text(expected))
    }

    @Test("a path of three is found in each of its four spellings")
    func dottedThree() {
        let lines = [
            #""a":{"b":{"c":1}}"#, #""a.b":{"c":2}"#, #""a":{"b.c":3}"#, #""a.b.c":4"#,
        ].map(event)
        let decoded = decode(lines.joined(separator: "\n"), fields: ["a.b.c"])
        #expect((0..<4).map { decoded.value(0, $0) } == [.int(1), .int(2), .int(3), .int(4)])
    }

    @Test("the last of two equal keys wins with all that is in it, and the file is counted once")
    func duplicates() {
        let text = """
            \(event(#""a":1,"a":{"b":2}"#))
            \(event(#""a":{"b":1,"c":2},"a":{"c":3}"#))
            \(event(#""a":1,"a":null"#))
            """
        let decoded = decode(text, fields: ["a", "a.b", "a.c"])
        #expect(decoded.value(0, 0) == .text(#"{"b":2}"#))
        #expect(decoded.value(1, 0) == .int(2))
        #expect(decoded.value(1, 1) == .missing)
        #expect(decoded.value(2, 1) == .int(3))
        #expect(decoded.value(0, 2) == .missing)
        #expect(decoded.report.duplicateKeyFiles == 1)
        #expect(decode(event(#""a":1,"b":1"#), fields: ["a", "b"]).report.duplicateKeyFiles == 0)
    }

    @Test("numbers keep their kind and value at the edges")
    func numbers() {
        let cases: [(String, Value)] = [
            ("0", .int(0)), ("-0", .int(0)), ("9223372036854775807", .int(.max)),
            ("-9223372036854775808", .int(.min)), ("9223372036854775808", .float(0x1p63)),
            ("-9223372036854775809", .float(-0x1p63)), ("18446744073709551616", .float(0x1p64)),
            ("1e0", .float(1)), ("1E+2", .float(100)), ("0.1", .float(0.1)), ("-0.0", .float(-0.0)),
            ("100000000000000000000000000000", .float(1e29)),
            ("0.30000000000000004", .float(0.30000000000000004)), ("1e-400", .float(0)),
            ("2.2250738585072014e-308", .float(2.2250738585072014e-308)),
            ("1.7976931348623157e308", .float(.greatestFiniteMagnitude)),
            ("9007199254740993.0", .float(9_007_199_254_740_992)),
            ("0." + String(repeating: "0", count: 400) + "1e400", .float(0.1)),
        ]
        for (text, expected) in cases {
            #expect(decode(event("\"a\":\(text)")).value(0, 0) == expected, "\(text)")
        }
    }

    /// What is wrong with a line, the reason, and the byte of the line at which it stands.
    static let malformed: [(String, InputFault.Reason, Int)] = [
        (#"{"type":"t","time":1700000000,"a":1"#, .truncated, 35),
        (#"{"type":"t","time":1700000000,"a":"x"#, .truncated, 36),
        (#"{"type":"t","time":1700000000,"a":"x\"#, .truncated, 37),
        (#"{"type":"t","time":1700000000,"a":"\u00"#, .truncated, 39),
        (#"{"type":"t","time":1700000000,"#, .truncated, 30),
        (#"{"type":"t","time":1700000000,"a"#, .truncated, 32),
        (#"{"type":"t","time":1700000000,"a":"#, .truncated, 34),
        (#"{"type":"t","time":1700000000,"a":tru"#, .truncated, 37),
        (#"{"type":"t","time":1700000000,"a":-"#, .truncated, 35),
        (#"{"type":"t","time":1700000000,"a":[1,{"b":2}"#, .truncated, 44),
        (#"{"#, .truncated, 1),
        (#"{"type":"t","time":1700000000,}"#, .malformed, 30),
        (#"{"type":"t","time":1700000000 "a":1}"#, .malformed, 30),
        (#"{"type":"t","time":1700000000,,"a":1}"#, .malformed, 30),
        (#"{"type":"t","time":1700000000,a:1}"#, .malformed, 30),
        (#"{"type":"t","time":1700000000,"a" 1}"#, .malformed, 34),
        (#"{"type":"t","time":1700000000,"a":}"#, .malformed, 34),
        (#"{"type":"t","time":1700000000,"z":nul}"#, .malformed, 34),
        (#"{"type":"t","time":1700000000,"z":NaN}"#, .malformed, 34),
        (#"{"type":"t","time":1700000000,"z":01}"#, .malformed, 34),
        (#"{"type":"t","time":1700000000,"z":1.}"#, .malformed, 36),
        (#"{"type":"t","time":1700000000,"z":.5}"#, .malformed, 34),
        (#"{"type":"t","time":1700000000,"z":+5}"#, .malformed, 34),
        (#"{"type":"t","time":1700000000,"z":1e}"#, .malformed, 36),
        (#"{"type":"t","time":1700000000,"z":-}"#, .malformed, 35),
        (#"{"type":"t","time":1700000000,"z":[1,]}"#, .malformed, 37),
        (#"{"type":"t","time":1700000000,"z":[1 2]}"#, .malformed, 37),
        (#"{"type":"t","time":1700000000,"z":[}"#, .malformed, 35),
        (#"{"type":"t","time":1700000000,"z":{]}"#, .malformed, 35),
        (#"{"type":"t","time":1700000000,"z":{"b":1]}"#, .malformed, 40),
        (#"{"type":"t","time":1700000000,"z":"\x"}"#, .malformed, 35),
        (#"{"type":"t","time":1700000000,"z":"\u12g4"}"#, .malformed, 35),
        (#"{"type":"t","time":1700000000,'z':1}"#, .malformed, 30),
        (#"{"type":"t","time":1700000000} x"#, .trailingBytes, 31),
        (#"{"type":"t","time":1700000000}{"type":"t"}"#, .trailingBytes, 30),
        (#"{"type":"t","time":1700000000}}"#, .trailingBytes, 30),
        (#"[{"type":"t"}]"#, .notAnObject, 0), ("42", .notAnObject, 0), (#""x""#, .notAnObject, 0),
        ("Dec 10 06:55:46 LabSZ sshd[24200]: hello", .notAnObject, 0),
        (#"{"type":"t","time":1700000000,"z":"\ud800"}"#, .loneSurrogate, 35),
        (#"{"type":"t","time":1700000000,"z":"\ud800\u0041"}"#, .loneSurrogate, 35),
        (#"{"type":"t","time":1700000000,"z":"\udc00"}"#, .loneSurrogate, 35),
        (#"{"type":"t","time":1700000000,"z":"x\#u{1}y"}"#, .controlCharacter, 36),
        (#"{"type":"t","time":1700000000,"z":"x\#u{9}y"}"#, .controlCharacter, 36),
        (#"{"type":"t","time":1700000000,"z":"x\#u{0}y"}"#, .controlCharacter, 36),
        ("{\"type\":\"t\",\"time\":1700000000,\"z\":\u{0}}", .malformed, 34),
        (#"{"type":"t","time":1700000000,"z":1e400}"#, .numberOutOfRange, 34),
        (#"{"type":"t","time":1700000000,"a":-1e400}"#, .numberOutOfRange, 34),
        (#"{"type":"t","time":1700000000,"z":[1e309]}"#, .numberOutOfRange, 35),
        (#"{"time":1700000000,"z":1}"#, .typeMissing, 0),
        (#"{"type":null,"time":1700000000,"z":1}"#, .typeMissing, 0),
        (#"{"type":{"t":1},"time":1700000000}"#, .typeUnreadable, 8),
        (#"{"type":1.5,"time":1700000000}"#, .typeUnreadable, 8),
        (#"{"type":true,"time":1700000000}"#, .typeUnreadable, 8),
        (#"{"type":"t","z":1}"#, .timeMissing, 0),
        (#"{"type":"t","time":null}"#, .timeMissing, 0),
        (#"{"type":"t","time":"yesterday"}"#, .timeUnreadable, 19),
        (#"{"type":"t","time":[1]}"#, .timeUnreadable, 19),
        (#"{"type":"t","time":false}"#, .timeUnreadable, 19),
        (#"{"type":"t","time":0}"#, .timeAbsurd, 19),
        (#"{"type":"t","time":-5}"#, .timeAbsurd, 19),
        (#"{"type":"t","time":"1066-10-14T09:00:00Z"}"#, .timeAbsurd, 19),
        (#"{"type":"t","time":9223372036854775808}"#, .timeAbsurd, 19),
    ]

    @Test(
        "every malformed line is found at its byte, and its neighbours are kept",
        arguments: malformed)
    func malformedLines(line: String, reason: InputFault.Reason, column: Int) throws {
        let good = event(#""a":1"#)
        let decoded = decode("\(good)\n\(line)\n\(good)\n")
        #expect(decoded.batch.count == 2)
        #expect(decoded.value(0, 1) == .int(1))
        #expect(decoded.report.lines == 3)
        let fault = try #require(decoded.report.faults.first)
        #expect(decoded.report.faults.count == 1)
        #expect(fault.reason == reason)
        #expect(fault.line == 2)
        #expect(fault.offset == good.utf8.count + 1 + column, "\(fault)")
        #expect(fault.raw == Array(line.utf8))
        // The same line without a line feed at the end of the file.
        #expect(decode(line).report.count(of: reason) == 1)
    }

    @Test(
        "UTF-8 that is not valid is found in wanted and unwanted texts and in keys",
        arguments: [
            [0x80], [0xC0, 0xAF], [0xC1, 0x81], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80],
            [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xF0, 0x9F, 0x98], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE],
        ] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        let head = Array(#"{"type":"t","time":1700000000,"#.utf8)
        for (before, after) in [
            (#""a":"xy"#, #"z"}"#), (#""z":"xy"#, #""}"#), (#""z":[{"b"#, #"":1}]}"#),
        ] {
            let line = head + Array(before.utf8) + bytes + Array(after.utf8)
            let decoded = decode(line)
            #expect(decoded.report.count(of: .invalidUTF8) == 1)
            #expect(decoded.batch.count == 0)
        }
    }

    @Test("blank lines, CRLF and a byte order mark at the start of a file are passed over")
    func lineEnds() {
        let text = "\u{FEFF}" + event(#""a":1"#) + "\r\n\r\n  \n" + event(#""a":2"#) + "\r\n"
        let decoded = decode(text)
        #expect((0..<2).map { decoded.value(0, $0) } == [.int(1), .int(2)])
        #expect(decoded.report.blankLines == 2)
        #expect(decoded.report.byteOrderMarks == 1)
        #expect(decoded.report.faults.isEmpty)
        #expect(decoded.report.lines == 4)
        #expect(decode(event("\"a\":1\n\u{FEFF}{}")).report.byteOrderMarks == 0)
    }

    @Test(
        "a line cut off before CRLF is cut off like any other",
        arguments: ["\"x", "tru", "\"\\", "[1"])
    func cutBeforeCRLF(value: String) {
        #expect(
            decode(#"{"type":"t","time":1700000000,"a":"# + value + "\r\n").report.count(
                of: .truncated) == 1)
    }

    @Test(
        "nesting is allowed to a depth of 512 and refused beyond, without a stack",
        arguments: [true, false])
    func depth(isWanted: Bool) {
        let key = isWanted ? "a" : "z"
        func nested(_ depth: Int) -> String {
            event(
                "\"\(key)\":" + String(repeating: "[", count: depth)
                    + String(repeating: "]", count: depth))
        }
        #expect(decode(nested(511)).batch.count == 1)
        #expect(decode(nested(512)).report.count(of: .tooDeep) == 1)
        #expect(decode(nested(100_000)).report.count(of: .tooDeep) == 1)
        let objects = event("\"z\":" + String(repeating: #"{"a":"#, count: 100_000))
        #expect(decode(objects).report.count(of: .tooDeep) == 1)
    }

    @Test("events of other types make rows that only carry the time, and are counted")
    func unreadTypes() {
        let text = """
            {"type":"t","time":1700000000}
            {"type":"other","time":1700000001}
            {"type":4625,"time":1700000002}
            """
        let decoded = decode(text, types: ["x", "4625", "t"])
        #expect(
            decoded.batch.types == [EventTypeID(rawValue: 2), .unread, EventTypeID(rawValue: 1)])
        #expect(decoded.report.unreadTypeEvents == 1)
        #expect(decoded.report.events == 3)
    }

    @Test("type and time are taken from the fields that the options name, or the type is given")
    func options() {
        var options = InputOptions(
            typeField: FieldPath(["event", "kind"]), timeField: FieldPath(["@timestamp"]))
        let line = #"{"@timestamp":"2026-01-02T03:04:05Z","event":{"kind":"t"},"a":1}"#
        #expect(decode(line, options: options).batch.types == [EventTypeID(rawValue: 0)])
        options.typeName = "u"
        let decoded = decode(line, types: ["t", "u"], options: options)
        #expect(decoded.batch.types == [EventTypeID(rawValue: 1)])
        #expect(decode(line, options: options).batch.types == [.unread])
    }

    @Test("time and type may be wanted fields too, and may hold escapes")
    func roleFields() {
        let line = #"{"type":"\u0074","time":"2026\u002d01-02T03:04:05Z"}"#
        let decoded = decode(line, fields: ["type", "time"])
        #expect(decoded.value(0, 0) == .text("t"))
        #expect(decoded.value(1, 0) == .text("2026-01-02T03:04:05Z"))
        #expect(decoded.batch.types == [EventTypeID(rawValue: 0)])
        #expect(decoded.batch.times == [1_767_323_045_000_000_000])
    }

    @Test("the rows do not depend on where a batch ends", arguments: [1, 2, 3, 7, 1000])
    func rowMax(rowMax: Int) {
        let lines = (0..<40).map { index in
            index % 7 == 3
                ? "broken" : event(#""a":"value \#(index)","n":\#(index),"b":{"c":"\\n\#(index)"}"#)
        }
        let text = lines.joined(separator: "\n")
        let whole = decode(text, fields: ["a", "n", "b.c"])
        let split = decode(text, fields: ["a", "n", "b.c"], rowMax: rowMax)
        #expect(whole.batch.count == 34)
        #expect(split.batch.count == 34)
        for row in 0..<34 {
            for field in 0..<3 { #expect(whole.value(field, row) == split.value(field, row)) }
        }
        #expect(whole.batch.times == split.batch.times)
        #expect(whole.batch.arrivals == split.batch.arrivals)
        #expect(whole.report == split.report)
    }

    @Test("remembered keys do not mislead where lines differ in keys, order and white space")
    func keyMemo() {
        var lines: [String] = []
        for index in 0..<200 {
            switch index % 5 {
            case 0: lines.append(event(#""a":1,"bb":2"#))
            case 1: lines.append(event(#""bb":2,"a":1"#))
            case 2: lines.append(event(#" "a" : 1 , "bb" : 2 "#))
            case 3: lines.append(event(#""a2":9,"a":1,"b":3,"bb":2"#))
            default: lines.append(event(#""x\#(index)":"aa","bb":2,"a":1"#))
            }
        }
        let decoded = decode(lines.joined(separator: "\n"), fields: ["a", "bb"])
        #expect(decoded.batch.count == 200)
        for row in 0..<200 {
            #expect(decoded.value(0, row) == .int(1))
            #expect(decoded.value(1, row) == .int(2))
        }
    }

    @Test("white space before a value may come and go from line to line")
    func spaceAfterColon() {
        let spaces = ["", " ", "  ", "\t", "", " \t ", "", "\r"]
        let lines = spaces.map { space in
            #"{"type":\#(space)"t","time":\#(space)1767323045,"a":\#(space)1,"o":\#(space){"b":\#(space)2}}"#
        }
        let decoded = decode(lines.joined(separator: "\n"), fields: ["a", "o.b"])
        #expect(decoded.report.badLines == 0, "\(decoded.report.summary)")
        #expect(
            (0..<decoded.batch.count).map { decoded.value(0, $0) } == spaces.map { _ in .int(1) })
        #expect(
            (0..<decoded.batch.count).map { decoded.value(1, $0) } == spaces.map { _ in .int(2) })

        let empty = decode(event(#""a":1"#) + "\n" + event(#""a": "#), fields: ["a"])
        #expect(empty.report.count(of: .malformed) == 1)
    }

    @Test("a line is too long beyond the limit and not at it")
    func lineLimit() {
        let line = event(#""a":1"#)
        var options = InputOptions(lineBytesMax: line.utf8.count)
        #expect(decode(line, options: options).batch.count == 1)
        options.lineBytesMax -= 1
        #expect(decode(line, options: options).report.count(of: .lineTooLong) == 1)
        #expect(decode(line, options: options).batch.count == 0)
    }

    @Test("with nothing wanted, lines are checked all the same")
    func nothingWanted() {
        let decoded = decode(event(#""a":1"#) + "\nx\n", fields: [])
        #expect(decoded.batch.count == 1)
        #expect(decoded.report.badLines == 1)
    }
}
