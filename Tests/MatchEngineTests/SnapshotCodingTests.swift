import RuleModel
import TestKit
import Testing

@testable import MatchEngine

@Suite("Reading and writing state") struct SnapshotCodingTests {
    @Test("What is written is read")
    func roundTrip() throws {
        var writer = StateWriter()
        let numbers: [Int64] = [0, 1, -1, 63, -64, 64, 300, .max, .min]
        for number in numbers { writer.write(number) }
        writer.write(unsigned: .max)
        writer.write(word: 0x0102_0304_0506_0708)
        writer.write(-0.0)
        writer.write("é\u{301}\0")
        writer.write([1, 0])
        let value = Value.list([
            .missing, .bool(true), .bool(false), .int(-5), .float(.infinity), .text(""),
            .ip(IPAddress(version4: 0x7f00_0001)),
            .network(IPNetwork(address: IPAddress(high: 1 << 63, low: 0), prefix: 3)),
            .time(.distantPast), .span(.zero - .second), .list([.list([])]),
        ])
        writer.write(value)
        writer.write(nil as Timestamp?)
        writer.write(Timestamp.distantFuture as Timestamp?)

        var reader = StateReader(writer.bytes)
        for number in numbers { #expect(try reader.int64() == number) }
        #expect(try reader.unsigned() == .max)
        #expect(try reader.word() == 0x0102_0304_0506_0708)
        #expect(try reader.double().bitPattern == (-0.0).bitPattern)
        #expect(try Array(reader.string().utf8) == Array("é\u{301}\0".utf8))
        #expect(try reader.readArray() == [1, 0])
        #expect(try reader.read() == value)
        #expect(try reader.readOptional() == nil as Timestamp?)
        #expect(try reader.readOptional() == Timestamp.distantFuture)
        #expect(reader.isAtEnd)
    }

    @Test("Small numbers take one byte and the order of a set has no part in it")
    func size() {
        var writer = StateWriter()
        writer.write(-64)
        #expect(writer.bytes.count == 1)
        var one = StateWriter()
        one.write(sorted: ["b", "a", "ab"]) { $1.write($0) }
        var other = StateWriter()
        other.write(sorted: ["ab", "b", "a"]) { $1.write($0) }
        #expect(one.bytes == other.bytes)
    }

    @Test("A section can be passed over, and one of a later version is refused")
    func sections() throws {
        var writer = StateWriter()
        writer.section(version: 2) { $0.write("inside") }
        writer.write(7)
        var reader = StateReader(writer.bytes)
        var (inside, version) = try reader.section("a part", known: 2)
        #expect(version == 2)
        #expect(try reader.int() == 7)
        #expect(throws: SnapshotError.damaged("more than was expected of a part", offset: 9)) {
            try inside.expectEnd(of: "a part")
        }
        #expect(try inside.string() == "inside")
        #expect(inside.isAtEnd)
        var older = StateReader(writer.bytes)
        #expect(throws: SnapshotError.newer(part: "a part", version: 2, known: 1)) {
            _ = try older.section("a part", known: 1)
        }
    }

    @Test(
        "Bytes that end too soon or make no sense are errors",
        arguments: [
            [], [0x80], Array(repeating: 0xFF, count: 11),
            // Text of two bytes, one there; text that is not UTF-8.
            [0x02, 0x61], [0x01, 0xFF],
        ] as [[UInt8]])
    func faults(_ bytes: [UInt8]) {
        var reader = StateReader(bytes)
        #expect(throws: SnapshotError.self) { _ = try reader.string() }
    }

    @Test("Lists within lists do not exhaust the stack")
    func deepLists() {
        // A list of one element, again and again.
        var reader = StateReader(Array(repeating: [10, 2], count: 100_000).flatMap { $0 })
        #expect(throws: SnapshotError.self) { _ = try reader.read(Value.self) }
    }

    @Test(
        "A measure over a bucket goes on as it was",
        arguments: AggregateFunction.allCases, [0, 1, 5, 12_000])
    func measures(_ function: AggregateFunction, _ count: Int) throws {
        func value(_ index: Int) -> Value {
            index % 3 == 0 ? .int(Int64(index * 7 % 101)) : .float(Double(index * 31 % 97) / 8)
        }
        func sample(_ index: Int) -> Aggregate.Sample {
            Aggregate.Sample(
                position: index, time: Int64(index) * 1_000_000_000, value: value(index))
        }
        var written = Aggregate(function, parameter: 90)
        for index in 0..<count { written.accumulate(sample(index)) }
        var writer = StateWriter()
        written.write(to: &writer)
        var reader = StateReader(writer.bytes)
        var read = try Aggregate(from: &reader, function, parameter: 90)
        #expect(reader.isAtEnd)
        for index in count..<count + 20 {
            #expect(read.value == written.value)
            #expect(read.isEstimated == written.isEstimated)
            read.accumulate(sample(index))
            written.accumulate(sample(index))
        }
        var again = StateWriter()
        read.write(to: &again)
        var other = StateWriter()
        written.write(to: &other)
        #expect(again.bytes == other.bytes)
    }
}
