import RuleModel
import Testing

@testable import MatchEngine

@Suite("Alerts as text")
struct AlertTextTests {
    static func alert() -> Alert {
        Alert(
            id: "00ff", rule: "ssh_bruteforce", ruleID: RuleID(0), fingerprint: 0xAB,
            kind: "sequence",
            state: .firing, severity: .high, title: nil, message: "5 failed logins", tags: ["ssh"],
            attack: [], key: [Alert.NamedValue("src_ip", .ip(IPAddress(version4: 0xC633_6407)))],
            matchedAt: Timestamp(nanoseconds: 1_767_268_807_000_000_000),
            firstTime: Timestamp(nanoseconds: 1_767_268_800_500_000_000),
            lastTime: Timestamp(nanoseconds: 1_767_268_807_000_000_000), strength: 0.5,
            confidence: 0.95, measures: [],
            steps: [
                Alert.Step(
                    name: "fails",
                    events: [
                        Alert.BoundEvent(
                            time: Timestamp(nanoseconds: 1_767_268_800_500_000_000),
                            type: "ssh.login", fields: [Alert.NamedValue("user", .text("root"))])
                    ], omitted: 4)
            ], attached: [], reason: nil, incompleteBecause: [], grouped: 0, listVersions: [],
            sinks: [], probes: [], suppressKey: [], groupKey: [],
            order: AlertOrder(instant: 0, arrival: 0, depth: 0, rule: 0, key: 0, serial: 0))
    }

    static func json(_ alert: Alert, emittedAt: Timestamp? = nil) -> String {
        var bytes: [UInt8] = []
        alert.appendJSON(emittedAt: emittedAt, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    static func line(_ alert: Alert, _ style: AlertLineStyle = AlertLineStyle()) -> String {
        var bytes: [UInt8] = []
        alert.appendLine(style: style, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("A record is one line of JSON with fixed names in a fixed order")
    func wholeRecord() {
        #expect(
            AlertTextTests.json(AlertTextTests.alert()) == """
                {"schema":1,"id":"00ff","rule":"ssh_bruteforce","fingerprint":"00000000000000ab",\
                "kind":"sequence","state":"firing","severity":"high","message":"5 failed logins",\
                "tags":["ssh"],"attack":[],"key":{"src_ip":"198.51.100.7"},\
                "matched_at":"2026-01-01T12:00:07Z","first_event":"2026-01-01T12:00:00.500Z",\
                "last_event":"2026-01-01T12:00:07Z","duration_s":6.5,"strength":0.5,\
                "confidence":0.95,"measures":{},"steps":[{"name":"fails","events":[{\
                "time":"2026-01-01T12:00:00.500Z","type":"ssh.login","fields":{"user":"root"}}],\
                "omitted":4}],"attached":{},"complete":true,"incomplete_because":[],"grouped":0,\
                "lists":{}}

                """)
    }

    @Test("Members that may be missing appear when they have a value")
    func optionalMembers() {
        var alert = AlertTextTests.alert()
        alert.title = "Brute force"
        alert.reason = "no data"
        alert.incompleteBecause = ["late events"]
        let text = AlertTextTests.json(alert, emittedAt: Timestamp(nanoseconds: 0))
        #expect(text.contains(#""title":"Brute force""#))
        #expect(text.contains(#""reason":"no data""#))
        #expect(text.contains(#""emitted_at":"1970-01-01T00:00:00Z""#))
        #expect(text.contains(#""complete":false,"incomplete_because":["late events"]"#))
    }

    @Test(
        "Values of every type have a JSON form",
        arguments: [
            (Value.missing, "null"), (.bool(true), "true"), (.int(-3), "-3"), (.float(2), "2"),
            (.float(0.1), "0.1"), (.float(1e300), "1e+300"), (.float(.infinity), "null"),
            (.float(.nan), "null"), (.text("a\"b\\c\n\u{0}"), #""a\"b\\c\n\u0000""#),
            (.list([.int(1), .text("x")]), #"[1,"x"]"#),
            (.span(TimeSpan(nanoseconds: 90_000_000_000)), #""1m30s""#),
            (.time(Timestamp(nanoseconds: 0)), #""1970-01-01T00:00:00Z""#),
            (
                .network(IPNetwork(address: IPAddress(version4: 0x0A01_0203), prefix: 104)),
                #""10.0.0.0/8""#
            ),
        ])
    func valueForms(value: Value, expected: String) {
        var bytes: [UInt8] = []
        bytes.appendJSON(value)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test("A sign that JSON escapes is found wherever in a text it stands")
    func escapesAnywhere() {
        for sign in (UInt8(0)...127).map({ String(UnicodeScalar($0)) }) + ["é", "\u{80}"] {
            for length in 0..<20 {
                for place in 0...length {
                    var text = String(repeating: "x", count: length)
                    text.insert(
                        contentsOf: sign, at: text.index(text.startIndex, offsetBy: place))
                    var (whole, alone): ([UInt8], [UInt8]) = ([], [])
                    whole.appendJSON(text)
                    alone.appendJSON(sign)
                    let expected =
                        "\"" + String(repeating: "x", count: place)
                        + String(decoding: alone.dropFirst().dropLast(), as: UTF8.self)
                        + String(repeating: "x", count: length - place) + "\""
                    #expect(String(decoding: whole, as: UTF8.self) == expected)
                }
            }
        }
        let plain = (UInt8(0x20)..<0x7F).filter { $0 != 0x22 && $0 != 0x5C }
        var bytes: [UInt8] = []
        bytes.appendJSON(String(decoding: plain, as: UTF8.self))
        #expect(bytes == [0x22] + plain + [0x22])
        for (sign, escaped) in [("\"", #""\"""#), ("\\", #""\\""#), ("\u{7F}", #""\u007f""#)] {
            bytes = []
            bytes.appendJSON(sign)
            #expect(String(decoding: bytes, as: UTF8.self) == escaped)
        }
    }

    @Test("Whole numbers are written to their last digit")
    func wholeNumbers() {
        for number in [0, 9, 10, -1, 1_234_567_890, Int64.max, .min] {
            var bytes: [UInt8] = []
            bytes.appendJSON(.int(number))
            #expect(String(decoding: bytes, as: UTF8.self) == String(number))
        }
    }

    @Test(
        "Addresses are written as RFC 5952 says",
        arguments: [
            (UInt64(0), UInt64(0), "::"), (0, 1, "::1"), (0x2001_0db8_0000_0000, 1, "2001:db8::1"),
            (0x2001_0db8_0000_0001, 0x0001_0001_0001_0001, "2001:db8:0:1:1:1:1:1"),
            (0x2001_0000_0000_0001, 0x0000_0000_0000_0001, "2001:0:0:1::1"),
            (0x2001_0db8_0000_0000, 0x0001_0000_0000_0001, "2001:db8::1:0:0:1"),
            (0, 0xFFFF_7F00_0001, "127.0.0.1"),
        ])
    func addresses(high: UInt64, low: UInt64, expected: String) {
        #expect(IPAddress(high: high, low: low).description == expected)
    }

    @Test("A line for people says when, how bad, which rule, for whom, and what")
    func readableLine() {
        var alert = AlertTextTests.alert()
        #expect(
            AlertTextTests.line(alert)
                == "12:00:07 HIGH ssh_bruteforce src_ip=198.51.100.7  5 failed logins\n")
        alert.state = .resolved
        alert.reason = "no data"
        #expect(
            AlertTextTests.line(alert, AlertLineStyle(showsDate: true))
                == "2026-01-01 12:00:07 RESOLVED ssh_bruteforce src_ip=198.51.100.7  "
                + "5 failed logins (no data)\n")
        #expect(
            AlertTextTests.line(alert, AlertLineStyle(usesColour: true)).contains(
                "\u{1B}[32mRESOLVED\u{1B}[0m"))
    }

    @Test("Text out of the data can neither steer a terminal nor begin a new line")
    func hostileText() {
        var alert = AlertTextTests.alert()
        let hostile = "\u{1B}[2Jx\r\n\u{9B}1m\u{7F}\u{202E}evil\u{2028}"
        alert.message = hostile
        alert.key = [Alert.NamedValue("user\u{7}", .text(hostile))]
        let (line, json) = (AlertTextTests.line(alert), AlertTextTests.json(alert))
        for text in [line, json] {
            let scalars = text.unicodeScalars.dropLast()
            #expect(!scalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) })
            #expect(!scalars.contains("\u{202E}") && !scalars.contains("\u{2028}"))
        }
        #expect(line.contains(#"\u{1b}[2Jx\r\n\u{9b}1m\u{7f}\u{202e}evil\u{2028}"#))
        #expect(json.contains(#"\u001b[2Jx\r\n\u009b1m\u007f\u202eevil\u2028"#))
    }
}
