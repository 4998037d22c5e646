import CSimdjson
import Foundation
import RuleModel
import StreamRuntime

/// Compares our scanner with simdjson in one run, so that the state of the machine cancels out.
///
/// Prints events a second of both for seeded events of about 297 bytes, six fields taken of twelve,
/// best of a few rounds each, in turns.
func runScanBench(events count: Int, rounds: Int) {
    let lines = makeEvents(count)
    let chunks = cut(lines, bytes: 256 << 10)
    print("\(count) events, \(lines.count / count) bytes each, best of \(rounds) rounds")

    var slots = [simdjson_slot](repeating: simdjson_slot(), count: 6 * (256 << 10))
    var text = [UInt8](repeating: 0, count: 512 << 10)
    func look(_ chunk: [UInt8]) -> simdjson_sums {
        chunk.withUnsafeBufferPointer { simdjson_read_six($0.baseAddress, $0.count - 64) }
    }
    func keep(_ chunk: [UInt8]) -> simdjson_sums {
        chunk.withUnsafeBufferPointer {
            simdjson_keep_six($0.baseAddress, $0.count - 64, &slots, &text)
        }
    }
    var best = [Double](repeating: .infinity, count: 3)
    var sums = [Sums](repeating: Sums(), count: 3)
    let file = NSTemporaryDirectory() + "martlet-bench-\(getpid()).ndjson"
    guard FileManager.default.createFile(atPath: file, contents: Data(lines)) else {
        print("cannot write \(file)")
        exit(4)
    }
    defer { try? FileManager.default.removeItem(atPath: file) }
    var fromFile = Double.infinity
    for _ in 0..<rounds {
        fromFile = min(
            fromFile,
            cpuSeconds {
                let source = makeSource(.files([file]), options: InputOptions())
                var chunk = LineChunk()
                var report = InputReport()
                var reader = BenchReader()
                while source.next(into: &chunk, waitingAtMost: 0, report: &report) == .lines {
                    reader.read(&chunk)
                }
            })
        best[0] = min(best[0], cpuSeconds { sums[0] = scan(chunks) })
        for (reader, read) in [(1, look), (2, keep)] {
            sums[reader] = Sums()
            best[reader] = min(
                best[reader], cpuSeconds { for chunk in chunks { sums[reader].add(read(chunk)) } })
        }
    }
    guard sums[0].agrees(with: sums[1]), sums[0].agrees(with: sums[2]) else {
        print("the readers disagree:\n  martlet  \(sums[0])\n  simdjson \(sums[1])\n  \(sums[2])")
        exit(1)
    }
    show(
        "martlet (all of it: columns, times, types, every byte checked)", best[0], lines.count,
        count)
    show("martlet from a file", fromFile, lines.count, count)
    show("simdjson that looks at six values and keeps nothing", best[1], lines.count, count)
    show("simdjson that keeps six values and goes to the end", best[2], lines.count, count)
    let ratios = best[1...].map { String(format: "%.2f", $0 / best[0]) }.joined(separator: " and ")
    print("  martlet is faster by \(ratios)")
}

/// What a reader found, so that the work of both can be compared.
struct Sums {
    var events = 0
    var textBytes = 0
    var intSum = 0
    var floatSum = 0.0

    /// The floats are added up in another order, so their last digits may differ.
    func agrees(with other: Sums) -> Bool {
        events == other.events && textBytes == other.textBytes && intSum == other.intSum
            && abs(floatSum - other.floatSum) <= abs(floatSum) * 1e-9
    }

    mutating func add(_ other: simdjson_sums) {
        events += Int(other.events)
        textBytes += Int(other.text_bytes)
        intSum += Int(other.int_sum)
        floatSum += other.float_sum
    }
}

func scan(_ chunks: [[UInt8]]) -> Sums {
    var reader = BenchReader()
    for bytes in chunks {
        var chunk = LineChunk(padded: bytes, count: bytes.count - 64)
        reader.read(&chunk)
    }
    return reader.sums
}

/// Our decoder over the six fields, with what it found added up.
private struct BenchReader {
    private var decoder: NDJSONDecoder
    private var batch: EventBatch
    private var report = InputReport()
    private var arrival: UInt64 = 0
    private(set) var sums = Sums()

    init() {
        let fields = [["ts"], ["type"], ["user"], ["status"], ["latency_ms"], ["geo", "country"]]
        decoder = NDJSONDecoder(
            fields: fields.map { FieldPath($0) }, eventTypes: ["login", "order"],
            options: InputOptions(timeField: FieldPath(["ts"])))
        batch = EventBatch(source: 0, fieldCount: fields.count)
    }

    mutating func read(_ chunk: inout LineChunk) {
        while !chunk.isDecoded {
            batch.removeAll()
            decoder.decode(&chunk, into: &batch, arrival: &arrival, report: &report)
            for column in [0, 1, 2, 5] {
                for cell in batch.columns[column] { sums.textBytes += Int(cell.length) }
            }
            for cell in batch.columns[3] { sums.intSum += Int(bitPattern: UInt(cell.bits)) }
            for cell in batch.columns[4] {
                sums.floatSum +=
                    cell.kind == .float
                    ? Double(bitPattern: cell.bits) : Double(Int64(bitPattern: cell.bits))
            }
        }
        sums.events = report.events
    }
}

func show(_ name: String, _ seconds: Double, _ bytes: Int, _ count: Int) {
    let rate = Double(count) / seconds / 1e6
    let speed = Double(bytes) / seconds / 1e9
    let each = seconds / Double(count) * 1e9
    print(
        "  " + String(format: "%.2f M events/s  %.2f GB/s  %.0f ns/event  ", rate, speed, each)
            + name)
}

func cpuSeconds(_ work: () -> Void) -> Double {
    var start = timespec()
    var end = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
    work()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
    return Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) / 1e9
}

/// Cuts at line ends; each piece is followed by 64 zero bytes.
func cut(_ lines: [UInt8], bytes: Int) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var start = 0
    while start < lines.count {
        var end = min(start + bytes, lines.count)
        while lines[end - 1] != 0x0A { end -= 1 }
        pieces.append(Array(lines[start..<end]) + [UInt8](repeating: 0, count: 64))
        start = end
    }
    return pieces
}

func makeEvents(_ count: Int) -> [UInt8] {
    var seed: UInt64 = 42
    func random(_ bound: Int) -> Int {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(seed >> 33) % bound
    }
    let words = ["connection", "reset", "by", "peer", "user", "accepted", "payment", "declined"]
    let countries = ["DE", "FR", "US", "BR", "JP"]
    var lines: [UInt8] = []
    lines.reserveCapacity(count * 300)
    for index in 0..<count {
        let time = String(
            format: "2026-01-%02dT%02d:%02d:%02d.%03dZ", 1 + index / 86_400_000 % 28,
            index / 3_600_000 % 24, index / 60_000 % 60, index / 1000 % 60, index % 1000)
        var message = (0..<7).map { _ in words[random(words.count)] }.joined(separator: " ")
        if random(50) == 0 { message += " \\\"quoted\\\"" }
        let host = "web-\(random(100)).example.internal"
        let line = """
            {"ts":"\(time)","type":"\(random(2) == 0 ? "login" : "order")",\
            "host":"\(host)","user":"u-\(random(1_000_000))","ip":"10.\(random(256)).\(random(256)).7",\
            "status":\(200 + random(300)),"latency_ms":\(random(1000)).\(1 + random(9)),\
            "ok":\(random(2) == 0),"attempt":\(random(9)),\
            "geo":{"country":"\(countries[random(5)])","city":"c\(random(999))","asn":\(random(65_000))},\
            "trace":"\(String(seed, radix: 16))","msg":"\(message)"}\n
            """
        lines += Array(line.utf8)
    }
    return lines
}
