import Foundation
import MatchEngine
import RuleModel
import Testing

@testable import StreamRuntime

@Suite("What outlasts a crash") struct DurableTests {
    @Test("checksums and signatures are those of the standards")
    func checkValues() {
        // RFC 3720, B.4, and the check value of the catalogue of parametrised CRC algorithms.
        #expect(checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(checksum((0..<32).map { UInt8($0) }) == 0x46DD_794E)
        // RFC 4231, test case 2.
        #expect(
            hmac(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test(
        "a checkpoint of the version before, which knew no ids, is read; one of the next is refused"
    )
    func versions() throws {
        func file(version: Int, ids: Bool) throws -> any DiskFile {
            var head = StateWriter()
            head.section(version: version) { writer in
                writer.write(4)
                writer.write(unsigned: 77)
                writer.write(time: nil)
                writer.write(time: nil)
                writer.write(1)
                writer.write("orders")
                writer.write(true)
                writer.write(0)
                if ids { writer.write(bytes: [1, 2, 3]) }
                writer.write(unsigned: 9)
                for _ in 0..<2 { writer.write(0) }
                writer.write(false)
                writer.write(0)
            }
            let file = MemoryDisk().open("checkpoint")
            try file.append(Array("MARTCKPT".utf8))
            for section in [head.bytes, []] {
                let length = withUnsafeBytes(of: UInt64(section.count).littleEndian) { Array($0) }
                try file.append(length + RecordLog.littleEndian(checksum(section)) + section)
            }
            return file
        }
        for (version, ids) in [(1, [UInt8]()), (2, [1, 2, 3])] {
            let checkpoint = try Checkpoint(try file(version: version, ids: !ids.isEmpty))
            #expect(checkpoint.number == 4 && checkpoint.arrival == 77)
            #expect(checkpoint.outboxEnd == 9 && !checkpoint.isClean)
            let source = try #require(checkpoint.sources.first)
            #expect(source.name == "orders" && source.isIdle && source.idBytes == ids)
        }
        let newer = #expect(throws: CheckpointError.self) {
            try Checkpoint(try file(version: 3, ids: true))
        }
        guard case .newer = newer else {
            Issue.record("\(String(describing: newer))")
            return
        }
    }

    @Test("a log is read up to the first record that is not whole")
    func tornRecords() throws {
        let disk = MemoryDisk()
        let file = disk.open("log")
        let payloads: [[UInt8]] = [[1], Array(repeating: 7, count: 300), [3, 4]]
        var ends: [Int] = []
        for payload in payloads {
            try file.append(RecordLog.framed(payload))
            ends.append(file.size)
        }
        let whole = try file.read(at: 0, count: file.size)
        for length in 0...whole.count {
            let cut = MemoryDisk().open("cut")
            try cut.append(Array(whole[..<length]))
            var reader = RecordReader(cut)
            var count = 0
            while let payload = try reader.next() {
                #expect(payload == payloads[count])
                count += 1
            }
            #expect(count == ends.filter { $0 <= length }.count)
            #expect(reader.offset == (ends.last { $0 <= length } ?? 0))
        }
        for place in whole.indices {
            var damaged = whole
            damaged[place] ^= 0x10
            let file = MemoryDisk().open("damaged")
            try file.append(damaged)
            var reader = RecordReader(file)
            var count = 0
            while try reader.next() != nil { count += 1 }
            #expect(count == ends.filter { $0 <= place }.count)
        }
    }

    @Test("a folder is one engine's, of a known format, and not some other folder")
    func folders() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/state"
        do {
            let disk = try DataFolder.open(path: path)
            #expect(disk.path == path)
            #expect(DataFolder.owner(path: path) == Int(getpid()))
            let error = #expect(throws: DurableFailure.self) { try DataFolder.open(path: path) }
            #expect(error.map { "\($0)".contains("in use by process \(getpid())") } == true)
        }
        #expect(DataFolder.owner(path: path) == nil)
        try Data("martlet data 99\n".utf8).write(to: URL(fileURLWithPath: path + "/format"))
        let newer = #expect(throws: DurableFailure.self) { try DataFolder.open(path: path) }
        #expect(newer.map { "\($0)".contains("has format 99") } == true)
        try Data().write(to: URL(fileURLWithPath: folder.path + "/letter.txt"))
        let other = #expect(throws: DurableFailure.self) {
            try DataFolder.open(path: folder.path)
        }
        #expect(
            other.map {
                "\($0)".contains("it holds `letter.txt`") || "\($0)".contains("it holds `state`")
            } == true)
    }

    @Test("a file sink makes the file anew when it was moved, and finds what a crash left")
    func fileSink() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/alerts.ndjson"
        let entries = (0..<3).map {
            OutboxEntry(
                sequence: UInt64($0), emittedAt: .distantPast, sinks: ["f"], alert: alert("u-\($0)")
            )
        }
        let sink = FileSink(path: path, form: .json)
        try sink.open(mark: 0)
        #expect(sink.deliver(Array(entries[..<2])) == [.done, .done])
        let mark = sink.mark
        #expect(sink.deliver([entries[2]]) == [.done])
        // The crash tears a line that was being written.
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"schema\":".utf8))
        let next = FileSink(path: path, form: .json)
        try next.open(mark: mark)
        #expect(next.mark == mark)
        #expect(!next.holds(entries[0]) && next.holds(entries[2]) && !next.holds(entries[2]))
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.split(separator: "\n").count == 3 && text.hasSuffix("}\n"))
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        #expect(next.deliver([entries[0]]) == [.done])
        #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count == 1)
    }

    // MARK: - Copies of this process

    @Test("a copy of the process writes what memory held when it was made")
    func forkedWriter() throws {
        let folder = try TemporaryFolder()
        let disk = try SystemDisk(path: folder.path)
        final class Box { var bytes = Array(repeating: UInt8(1), count: 1 << 20) }
        let box = Box()
        let writer = try #require(
            try disk.fork(writing: "file") { file throws(DiskError) in
                usleep(100_000)
                try file.append(box.bytes)
            })
        box.bytes = [2]
        guard case .written = writer.wait(isUnwanted: { false }) else {
            Issue.record("the copy has not written its file")
            return
        }
        let file = try disk.open("file")
        #expect(try file.read(at: 0, count: file.size) == Array(repeating: 1, count: 1 << 20))
    }

    @Test("what goes wrong in a copy is told")
    func forkedFaults() throws {
        let folder = try TemporaryFolder()
        let disk = try SystemDisk(path: folder.path)
        func outcome(
            idleSeconds: Double = 30, isUnwanted: Bool = false,
            _ body: (any DiskFile) throws(DiskError) -> Void
        ) throws -> ForkedWriter.Outcome {
            try #require(try disk.fork(writing: "file", body))
                .wait(idleSeconds: idleSeconds, isUnwanted: { isUnwanted })
        }
        let full = try outcome { _ throws(DiskError) in
            throw DiskError("written", "x", code: ENOSPC, reason: "")
        }
        guard case .failed(let error) = full else {
            Issue.record("\(full)")
            return
        }
        #expect(error.isFull)
        #expect("\(error)" == "\(folder.path)/file cannot be written: No space left on device")
        // A copy that waits for a lock that nobody will open sleeps like this one.
        let idle = try outcome(idleSeconds: 0.2) { _ in while true { sleep(1000) } }
        guard case .ended(let how) = idle else {
            Issue.record("\(idle)")
            return
        }
        #expect(how == "was ended by signal 9")
        let stopped = try outcome(isUnwanted: true) { _ in while true { sleep(1000) } }
        guard case .stopped = stopped else {
            Issue.record("\(stopped)")
            return
        }
    }

    @Test("a copy that holds nothing open but its file lets others have the data folder")
    func forkedLocks() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/state"
        let writer = try {
            let disk = try DataFolder.open(path: path)
            return try #require(
                try disk.fork(writing: "checkpoint.tmp") { _ in while true { sleep(1000) } })
        }()
        // The engine has gone and its copy has not: the lock is free as soon as the copy runs.
        var isFree = false
        for _ in 0..<200 where !isFree {
            isFree = DataFolder.owner(path: path) == nil
            if !isFree { usleep(10_000) }
        }
        #expect(isFree)
        _ = writer.wait(isUnwanted: { true })
    }
}

/// An alert of a user, with nothing in it that tests do not look at.
func alert(
    _ id: String, user: String? = nil, rule: String = "test", state: Alert.State = .firing
) -> Alert {
    var alert = Alert(
        engine: rule, about: Alert.NamedValue("user", .text(user ?? id)), message: id,
        reason: "test", idTime: .distantPast, ruleID: RuleID(-1), fingerprint: 0, sinks: [],
        order: AlertOrder(instant: 0, arrival: 0, depth: 0, rule: 0, key: 0, serial: 0),
        at: .distantPast)
    alert.id = id
    alert.kind = "sequence"
    alert.state = state
    return alert
}
