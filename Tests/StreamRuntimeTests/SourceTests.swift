import CZlib
import CZstd
import Foundation
import Testing

@testable import StreamRuntime

/// A folder that is gone when the test is over.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "martlet-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        let file = path + "/" + name
        let folder = (file as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    func append(_ name: String, _ text: String) throws {
        let handle = try #require(FileHandle(forWritingAtPath: path + "/" + name))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }
}

/// What a source gave until it had no more, or until it was idle.
struct Gathered {
    var bytes: [UInt8] = []
    /// File, line and offset of each line.
    var places: [String] = []
    var report = InputReport()
    var chunkBytesMax = 0
    var memoryMax = 0

    var text: String { String(decoding: bytes, as: UTF8.self) }
}

func gather(_ source: any ByteSource, into gathered: inout Gathered, untilIdle: Bool = false) {
    var chunk = LineChunk()
    while true {
        switch source.next(into: &chunk, waitingAtMost: 50, report: &gathered.report) {
        case .end: return
        case .idle: if untilIdle { return }
        case .lines:
            #expect(chunk.isSound && chunk.count > 0 && chunk.position == 0)
            var line = chunk.line
            var start = 0
            for index in 0..<chunk.count where chunk.bytes[index] == 0x0A {
                gathered.places.append("\(chunk.name):\(line):\(chunk.fileOffset + start)")
                line += 1
                start = index + 1
            }
            gathered.bytes += chunk.bytes[..<chunk.count]
            gathered.chunkBytesMax = max(gathered.chunkBytesMax, chunk.count)
            gathered.memoryMax = max(gathered.memoryMax, chunk.bytes.capacity)
        }
    }
}

func gather(_ selection: InputSelection, options: InputOptions = InputOptions()) -> Gathered {
    var gathered = Gathered()
    gather(makeSource(selection, options: options), into: &gathered)
    return gathered
}

func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    deflateInit2_(
        &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: bytes.count + 1000)
    let room = output.count
    return input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(room)
            #expect(deflate(&stream, Z_FINISH) == Z_STREAM_END)
            return Array(output[..<(room - Int(stream.avail_out))])
        }
    }
}

func zstd(_ bytes: [UInt8]) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
    let count = ZSTD_compress(&output, output.count, bytes, bytes.count, 3)
    return Array(output[..<count])
}

@Suite("Sources")
struct SourceTests {
    private let lines = (0..<5000).map { "{\"n\":\($0),\"text\":\"line number \($0 * 7919)\"}\n" }
    private var text: String { lines.joined() }

    private func places(_ name: String) -> [String] {
        var offset = 0
        return lines.enumerated().map { index, line in
            defer { offset += line.utf8.count }
            return "\(name):\(index + 1):\(offset)"
        }
    }

    @Test(
        "a file gives its lines with their places, plain or compressed, for any size of chunk",
        arguments: [1, 7, 100, 4096, 256 << 10])
    func compression(chunkBytes: Int) throws {
        let folder = try TemporaryFolder()
        let plain = Array(text.utf8)
        let half = plain.count / 2
        let options = InputOptions(chunkBytes: chunkBytes)
        let files = [
            "plain": plain, "gz": gzip(plain), "zst": zstd(plain),
            "members": gzip(Array(plain[..<half])) + gzip([]) + gzip(Array(plain[half...]))
                + [UInt8](repeating: 0, count: 512),
            "frames": zstd(Array(plain[..<half])) + [0x50, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 9, 9]
                + zstd(Array(plain[half...])),
        ]
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
            let path = try folder.write(name, bytes)
            let gathered = gather(.files([path]), options: options)
            #expect(gathered.text == text, "\(name)")
            #expect(gathered.places == places(path), "\(name)")
            #expect(gathered.report.faults == [])
            #expect(gathered.report.bytes == plain.count)
        }
    }

    @Test("a last line without a line feed counts as a line")
    func lastLine() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a.log", Array("{\"a\":1}\n{\"b\":2}".utf8))
        #expect(gather(.files([path])).text == "{\"a\":1}\n{\"b\":2}\n")
    }

    @Test("damaged and cut archives keep what could be read and say where it ended")
    func damage() throws {
        let folder = try TemporaryFolder()
        for (name, packed) in [("gz", gzip(Array(text.utf8))), ("zst", zstd(Array(text.utf8)))] {
            let cut = try folder.write("cut.\(name)", packed.prefix(packed.count * 2 / 3))
            var broken = packed
            for index in packed.count / 2..<packed.count / 2 + 40 { broken[index] ^= 0x5A }
            let damaged = try folder.write("damaged.\(name)", broken)
            let good = try folder.write("good.ndjson", Array("{}\n".utf8))
            for path in [cut, damaged] {
                let gathered = gather(.files([path, good]))
                let fault = try #require(gathered.report.faults.first, "\(path)")
                #expect(gathered.report.faults.count == 1)
                #expect(fault.reason == .damagedCompression)
                #expect(fault.source == path)
                // Only whole lines, and then the next file.
                #expect(gathered.text.hasSuffix("\n{}\n") || gathered.text == "{}\n")
            }
            let gathered = gather(.files([cut]))
            #expect(text.hasPrefix(gathered.text))
            let message = try #require(gathered.report.faults.first?.message)
            #expect(message.contains("data is cut off"), "\(message)")
        }
        let onlyHead = try folder.write("head.gz", [0x1F, 0x8B])
        #expect(
            gather(.files([onlyHead])).report.faults.map(\.message) == ["the gzip data is cut off"])
    }

    @Test("files that cannot be used are one fault each, and the others are read")
    func badFiles() throws {
        let folder = try TemporaryFolder()
        let good = try folder.write("good.ndjson", Array("{\"a\":1}\n".utf8))
        let empty = try folder.write("empty.ndjson", [])
        let binary = try folder.write(
            "binary.log", (0..<10_000).map { UInt8(truncatingIfNeeded: $0 * 31) })
        let utf16 = try folder.write("utf16.json", [0xFF, 0xFE, 0x7B, 0x00])
        let xz = try folder.write("x.json", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 0x01])
        let locked = folder.path + "/missing.ndjson"
        let gathered = gather(.files([empty, locked, binary, utf16, xz, good]))
        #expect(gathered.text == "{\"a\":1}\n")
        #expect(
            gathered.report.faults.map(\.reason) == [
                .emptyFile, .unreadableFile, .binaryFile, .binaryFile, .binaryFile,
            ])
        #expect(gathered.report.faults.map(\.source) == [empty, locked, binary, utf16, xz])
        #expect(gathered.report.badFiles == 5)
    }

    @Test("one bad line does not make a file binary")
    func notBinary() throws {
        let folder = try TemporaryFolder()
        let bytes = Array("{\"a\":1}\n".utf8) + [0x00, 0xFF, 0x0A] + Array("{\"a\":2}\n".utf8)
        let path = try folder.write("x.ndjson", bytes)
        #expect(gather(.files([path])).bytes == bytes)
    }

    @Test("a folder gives its event files by name at any depth and names what it leaves out")
    func folder() throws {
        let folder = try TemporaryFolder()
        try folder.write("b.ndjson", Array("2\n".utf8))
        try folder.write("a/z.jsonl.gz", gzip(Array("1\n".utf8)))
        try folder.write("a/a.log.zst", zstd(Array("0\n".utf8)))
        try folder.write("c.JSON", Array("3\n".utf8))
        try folder.write("notes.txt", Array("x\n".utf8))
        try folder.write("a/.hidden", Array("x\n".utf8))
        symlink(folder.path, folder.path + "/a/circle")
        let gathered = gather(.files([folder.path]))
        #expect(gathered.text == "0\n1\n2\n3\n")
        let names = gathered.report.faults.map { ($0.source as NSString).lastPathComponent }
        #expect(names == [".hidden", "circle", "notes.txt"])
        #expect(gathered.report.count(of: .skippedFile) == 3)
    }

    @Test("a line that is too long is passed over with bounded memory, and its neighbours are kept")
    func longLines() throws {
        let folder = try TemporaryFolder()
        let long = "{\"a\":\"" + String(repeating: "x", count: 64 << 20) + "\"}"
        let path = try folder.write(
            "long.ndjson", Array("{\"a\":1}\n\(long)\n{\"a\":2}\n\(long)".utf8))
        let gathered = gather(.files([path]))
        #expect(gathered.text == "{\"a\":1}\n{\"a\":2}\n")
        #expect(gathered.places.last == "\(path):3:\(8 + long.utf8.count + 1)")
        #expect(gathered.report.faults.map(\.reason) == [.lineTooLong, .lineTooLong])
        #expect(gathered.report.faults.map(\.line) == [2, 4])
        #expect(gathered.report.faults[0].offset == 8)
        #expect(gathered.report.faults[0].raw.count == InputFault.rawBytesMax)
        #expect(gathered.report.faults[0].isRawCut)
        #expect(gathered.memoryMax <= 40 << 20)
    }

    @Test("standard input and pipes hand out lines as they come")
    func pipes() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        // Open for reading and writing, so that neither end waits for the other.
        let writer = open(path, O_RDWR)
        let source = makeSource(.files([path]), options: InputOptions())
        var gathered = Gathered()
        gather(source, into: &gathered, untilIdle: true)
        #expect(gathered.text == "")
        write(writer, "{\"a\":1}\n{\"b", 11)
        gather(source, into: &gathered, untilIdle: true)
        #expect(gathered.text == "{\"a\":1}\n")
        write(writer, "\":2}\n", 5)
        gather(source, into: &gathered, untilIdle: true)
        #expect(gathered.text == "{\"a\":1}\n{\"b\":2}\n")
        #expect(gathered.places.last == "\(path):2:8")
        close(writer)
        gather(source, into: &gathered)
    }
}

@Suite("Following files")
struct FollowTests {
    private func follow(_ paths: [String]) -> any ByteSource {
        makeSource(.follow(paths), options: InputOptions())
    }

    @Test("lines that are added later are read, a line in the making when it is whole")
    func grows() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a.log", Array("1\n2".utf8))
        let source = follow([path])
        var gathered = Gathered()
        gather(source, into: &gathered, untilIdle: true)
        #expect(gathered.text == "1\n")
        try folder.append("a.log", "2\n3\n")
        gather(source, into: &gathered, untilIdle: true)
        #expect(gathered.text == "1\n22\n3\n")
        #expect(gathered.places == ["\(path):1:0", "\(path):2:2", "\(path):3:5"])
    }

    @Test("rotation by renaming reads the old file to its end and the new one from its start")
    func rename() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a.log", Array("1\n".utf8))
        let source = follow([path])
        var gathered = Gathered()
        gather(source, into: &gathered, untilIdle: true)
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        try folder.append("a.log.1", "2\n3")
        gather(source, into: &gathered, untilIdle: true)
        #expect(gathered.text == "1\n2\n")
        try folder.write("a.log", Array("4\n".utf8))
        gather(source, into: &gathered, untilIdle: true)
        #expect(gathered.text == "1\n2\n3\n4\n")
        #expect(gathered.places.last == "\(path):1:0")
        #expect(gathered.report.faults == [])
    }

    @Test("rotation by copying and truncating reads the file from its start again")
    func copyTruncate() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a.log", Array("1\n2\n".utf8))
        let source = follow([path])
        var gathered = Gathered()
        gather(source, into: &gathered, untilIdle: true)
        truncate(path, 0)
        gather(source, into: &gathered, untilIdle: true)
        try folder.append("a.log", "3\n")
        gather(source, into: &gathered, untilIdle: true)
        #expect(gathered.text == "1\n2\n3\n")
        #expect(gathered.places.last == "\(path):1:0")
    }

    @Test("a file that is not there yet is waited for and said once")
    func appears() throws {
        let folder = try TemporaryFolder()
        let source = follow([folder.path + "/a.log"])
        var gathered = Gathered()
        gather(source, into: &gathered, untilIdle: true)
        gather(source, into: &gathered, untilIdle: true)
        #expect(gathered.report.faults.map(\.reason) == [.unreadableFile])
        try folder.write("a.log", Array("1\n".utf8))
        gather(source, into: &gathered, untilIdle: true)
        #expect(gathered.text == "1\n")
    }

    @Test("new files of a followed folder are taken up, renamed ones are not read twice")
    func folder() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a.log", Array("1\n".utf8))
        let source = follow([folder.path])
        var gathered = Gathered()
        gather(source, into: &gathered, untilIdle: true)
        try FileManager.default.moveItem(atPath: path, toPath: folder.path + "/a-old.log")
        try folder.write("b.log", Array("2\n".utf8))
        for _ in 0..<30 { gather(source, into: &gathered, untilIdle: true) }
        #expect(gathered.text == "1\n2\n")
    }

    @Test("a change wakes the wait long before its time is up")
    func wakes() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a.log", Array("1\n".utf8))
        let source = follow([path])
        var gathered = Gathered()
        gather(source, into: &gathered, untilIdle: true)
        let writer = Thread {
            usleep(100_000)
            let handle = open(path, O_WRONLY | O_APPEND)
            write(handle, "2\n", 2)
            close(handle)
        }
        let start = ContinuousClock.now
        writer.start()
        var chunk = LineChunk()
        let step = source.next(into: &chunk, waitingAtMost: 30_000, report: &gathered.report)
        #expect(step == .lines)
        #expect(ContinuousClock.now - start < .seconds(20))
    }
}
