import Foundation
import Testing

@testable import StreamRuntime

extension TimeParser {
    /// The time of a text, read by a new parser.
    static func parse(_ text: String) -> ParsedTime {
        var parser = TimeParser()
        return parser.parse(Array(text.utf8))
    }

    /// The time of some bytes, put where enough bytes behind them can be read.
    mutating func parse(_ bytes: [UInt8]) -> ParsedTime {
        let padded = bytes + [UInt8](repeating: 0x20, count: 16)
        return padded.withUnsafeBufferPointer {
            parse(UnsafeBufferPointer(rebasing: $0[..<bytes.count]))
        }
    }
}

@Suite("Time parser")
struct TimeParserTests {
    @Test(
        "reads RFC 3339 with any offset and any number of decimals",
        arguments: [
            ("2026-01-02T03:04:05Z", 1_767_323_045_000_000_000),
            ("2026-01-02t03:04:05z", 1_767_323_045_000_000_000),
            ("2026-01-02 03:04:05Z", 1_767_323_045_000_000_000),
            ("2026-01-02T03:04:05.6Z", 1_767_323_045_600_000_000),
            ("2026-01-02T03:04:05.678Z", 1_767_323_045_678_000_000),
            ("2026-01-02T03:04:05.123456789Z", 1_767_323_045_123_456_789),
            ("2026-01-02T03:04:05.1234567899999Z", 1_767_323_045_123_456_789),
            ("2026-01-02T05:04:05+02:00", 1_767_323_045_000_000_000),
            ("2026-01-01T21:34:05-05:30", 1_767_323_045_000_000_000),
            ("2026-01-02T05:04:05.5+0200", 1_767_323_045_500_000_000),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
            ("1971-01-01T00:00:00Z", 31_536_000_000_000_000),
            ("2200-12-31T23:59:59.999999999Z", 7_289_654_399_999_999_999),
        ])
    func dates(text: String, nanoseconds: Int64) {
        #expect(TimeParser.parse(text) == .time(nanoseconds))
    }

    @Test(
        "refuses what is no time",
        arguments: [
            "", "x", "yesterday", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02T03:04:05+2",
            "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+02:60", "2026-01-02T03:04:05.Z",
            "2026-13-02T03:04:05Z", "2026-00-02T03:04:05Z", "2026-01-32T03:04:05Z",
            "2026-02-29T03:04:05Z", "2100-02-29T03:04:05Z", "2026-04-31T03:04:05Z",
            "2026-01-00T03:04:05Z", "2026-01-02T24:00:00Z", "2026-01-02T03:60:05Z",
            "2026-01-02T03:04:61Z", "2026-01-02T03:04:05ZZ", "2026-01-02X03:04:05Z",
            "2026/01/02T03:04:05Z", "2026-01-02T03.04:05Z", "2O26-01-02T03:04:05Z",
            "2026-01-02T03:04:05.6", "2026-01-02T03:04:05é", "17e", "1.", ".5", "1_700_000_000",
            "0x5", "1700000000 ", " 1700000000", "+1700000000", "inf", "nan",
        ])
    func unreadable(text: String) {
        #expect(TimeParser.parse(text) == .unreadable)
    }

    @Test(
        "tells the unit of a number by its size",
        arguments: [
            ("1700000000", 1_700_000_000_000_000_000),
            ("1700000000.5", 1_700_000_000_500_000_000),
            ("1700000000.123456789", 1_700_000_000_123_456_789),
            ("1700000000123", 1_700_000_000_123_000_000),
            ("1700000000123.25", 1_700_000_000_123_250_000),
            ("1700000000123456", 1_700_000_000_123_456_000),
            ("1700000000123456789", 1_700_000_000_123_456_789),
            ("1.7e9", 1_700_000_000_000_000_000), ("17E+8", 1_700_000_000_000_000_000),
            ("99999999.9", 99_999_999_900_000_000),
            ("100000000000", 100_000_000_000_000_000),
        ])
    func epochs(text: String, nanoseconds: Int64) {
        #expect(TimeParser.parse(text) == .time(nanoseconds))
    }

    @Test(
        "calls times before 1971 and after 2200 absurd",
        arguments: [
            "0", "-1", "31535999", "1e300", "99999999999", "9223372036854775807",
            "99999999999999999999999999", "-1700000000", "1970-12-31T23:59:59Z",
            "1971-01-01T00:00:00+00:01", "2201-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
            "0000-01-01T00:00:00Z", "-1e3", "1e-5",
        ])
    func absurd(text: String) {
        #expect(TimeParser.parse(text) == .absurd)
    }

    @Test("agrees with Foundation on random times")
    func foundation() {
        var random = SeededRandom(seed: 11)
        let formatter = ISO8601DateFormatter()
        for _ in 0..<3000 {
            let seconds = Int64(random.next(upTo: 7_258_000_000)) + 31_536_000
            let zone = (Int(random.next(upTo: 48)) - 24) * 1800
            formatter.timeZone = TimeZone(secondsFromGMT: zone)
            let text = formatter.string(from: Date(timeIntervalSince1970: Double(seconds)))
            #expect(TimeParser.parse(text) == .time(seconds * 1_000_000_000), "\(text)")
        }
    }

    @Test("a remembered date does not mislead")
    func rememberedDate() {
        var parser = TimeParser()
        let texts = [
            "2026-01-02T03:04:05Z", "2026-01-02T23:04:05Z", "2026-01-03T03:04:05Z",
            "2026-01-0xT03:04:05Z", "2026-01-03T03:04:05Z", "2026-02-30T03:04:05Z",
            "2026-02-28T03:04:05Z", "1970-01-01T00:00:00Z", "2026-02-28T03:04:05Z",
        ]
        for text in texts { #expect(parser.parse(Array(text.utf8)) == TimeParser.parse(text)) }
    }

    @Test("random bytes and good times with one byte changed never trap")
    func randomBytes() {
        var random = SeededRandom(seed: 12)
        var parser = TimeParser()
        let alphabet = Array("0123456789-:.TZtz+e \u{0}".utf8)
        for _ in 0..<20_000 {
            let bytes = (0..<Int(random.next(upTo: 32))).map { _ in
                alphabet[Int(random.next(upTo: UInt64(alphabet.count)))]
            }
            _ = parser.parse(bytes)
        }
        // One byte of a good time changed.
        for _ in 0..<20_000 {
            var bytes = Array("2026-01-02T03:04:05.678+02:00".utf8)
            let place = Int(random.next(upTo: UInt64(bytes.count)))
            bytes[place] = UInt8(random.next(upTo: 256))
            _ = parser.parse(bytes)
        }
    }
}

/// A small generator with a seed, so that a failure can be run again.
struct SeededRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    /// A number from 0 to below `bound`.
    mutating func next(upTo bound: UInt64) -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return (state &* 0x2545_F491_4F6C_DD1D) >> 11 % bound
    }
}
