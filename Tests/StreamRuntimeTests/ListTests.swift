import Foundation
import RuleModel
import Testing

@testable import StreamRuntime

@Suite("Lists")
struct ListTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func plan(
        _ kind: ListPlan.Kind, path: String? = "lists/x", key: String? = nil,
        refresh: TimeSpan? = nil,
        values: [Value] = []
    ) -> ListPlan {
        ListPlan(
            name: "x", kind: kind, path: path, declaredIn: folder.path + "/a.rules", keyColumn: key,
            refresh: refresh, values: values)
    }

    private func load(_ kind: ListPlan.Kind, key: String? = nil, _ text: String) throws -> Result<
        ListTable, ListFault
    > {
        try folder.write("lists/x", Array(text.utf8))
        return loadList(plan(kind, key: key))
    }

    private func problems(_ result: Result<ListTable, ListFault>) -> [String] {
        guard case .failure(let fault) = result else { return [] }
        return fault.problems.map { "\($0.line.map(String.init) ?? "-"): \($0.message)" }
    }

    @Test("plain lists have one value on each line, with comments, blanks and any line end")
    func plain() throws {
        let texts = try load(.text, "\u{FEFF}# servers\nweb-1\r\n\n  web-2  \nc#\n").get()
        #expect(texts.rows == [[.text("web-1")], [.text("web-2")], [.text("c#")]])
        let numbers = try load(.number, "1\n-2.5 # why\n1e3\n").get()
        #expect(numbers.rows == [[.int(1)], [.float(-2.5)], [.float(1000)]])
        let networks = try load(.cidr, "10.0.0.0/8 # inside\n192.0.2.7\n2001:db8::/32\n").get()
        #expect(networks.rows.count == 3)
        #expect(networks.contains(.ip(IPAddress(version4: 0x0A01_0203))))
        #expect(networks.contains(.ip(IPAddress(version4: 0xC000_0207))))
        #expect(!networks.contains(.ip(IPAddress(version4: 0xC000_0208))))
        #expect(try load(.text, "").get().rows == [])
    }

    @Test("tables have a header, typed cells and quotes")
    func table() throws {
        let text = """
            service, p95_ms, owner
            # comment
            checkout, 250, "Smith, ""Al""\nJr."
            "search" ,1.5,

            007,0x10,x
            """
        let table = try load(.table, key: "service", text).get()
        #expect(table.columns == ["service", "p95_ms", "owner"])
        #expect(
            table.rows == [
                [.text("checkout"), .int(250), .text("Smith, \"Al\"\nJr.")],
                [.text("search"), .float(1.5), .missing],
                [.text("007"), .text("0x10"), .text("x")],
            ])
        #expect(table.row(for: .text("search"))?[1] == .float(1.5))
    }

    @Test("pairs have two columns of text; networks with a key column keep their row")
    func pairsAndNetworks() throws {
        let pairs = try load(.pair, "from,to\na,1\n").get()
        #expect(pairs.contains(.list([.text("a"), .text("1")])))
        let networks = try load(
            .cidr, key: "network", "name,network\nall,10.0.0.0/8\nlab,10.1.0.0/16\n"
        ).get()
        #expect(networks.row(for: .ip(IPAddress(version4: 0x0A01_0203)))?[0] == .text("lab"))
        #expect(networks.row(for: .ip(IPAddress(version4: 0x0A02_0203)))?[0] == .text("all"))
    }

    @Test("a file with a mistake gives no table but each mistake with its line")
    func mistakes() throws {
        #expect(
            problems(try load(.number, "1\nx\n2\n007\n")) == [
                "2: `x` is not a number", "4: `007` is not a number",
            ])
        #expect(
            problems(try load(.cidr, "10.0.0.0/33\n")) == [
                "1: `10.0.0.0/33` is neither a network such as `10.0.0.0/8` nor an address"
            ])
        #expect(
            problems(try load(.table, key: "b", "a,c\n1,2\n")) == [
                "1: there is no column `b`; the columns are `a`, `c`"
            ])
        #expect(
            problems(try load(.table, "a,b\n1\n1,2,3\n,4\n")) == [
                "2: the row has 1 cell, the header has 2",
                "3: the row has 3 cells, the header has 2",
                "4: the key `a` is empty",
            ])
        #expect(problems(try load(.table, "a,a\n")) == ["1: two columns are named `a`"])
        #expect(
            problems(try load(.pair, "a,b,c\n")) == [
                "1: a list of pairs has two columns, this one has 3"
            ])
        #expect(
            problems(try load(.table, "a,b\n1,\"x\n")) == [
                "2: the quote that begins here is never closed"
            ])
        #expect(
            problems(try load(.table, "a,b\n1,\"x\"y\n")) == [
                "2: something follows the closing quote of a cell"
            ])
        #expect(
            problems(try load(.table, "")) == [
                "-: the file has no header line with the names of its columns"
            ])
        try folder.write("lists/x", [0x61, 0x0A, 0xFF, 0x0A])
        #expect(problems(loadList(plan(.text))) == ["2: the line is not valid UTF-8"])
        #expect(
            problems(loadList(plan(.text, path: "nowhere"))) == [
                "-: cannot be opened: No such file or directory"
            ])
        #expect(problems(loadList(plan(.text, path: "lists"))) == ["-: is a folder"])
        guard case .failure(let fault) = loadList(plan(.text, path: "nowhere")) else { return }
        #expect(
            fault.description
                == "list `x`: \(folder.path)/nowhere: cannot be opened: No such file or directory")
    }

    @Test("values that stand in the rules need no file")
    func inline() throws {
        let table = try loadList(plan(.text, path: nil, values: [.text("ann")])).get()
        #expect(table.contains(.text("ann")))
        let pairs = try loadList(plan(.pair, path: nil, values: [.list([.int(1), .int(2)])])).get()
        #expect(pairs.contains(.list([.int(1), .int(2)])))
    }

    @Test("a changed file is read again after its refresh, whole or not at all")
    func reload() throws {
        try folder.write("lists/x", Array("1\n".utf8))
        var watcher = ListWatcher(
            [plan(.number, refresh: .second), plan(.number)], defaultRefresh: nil)
        func poll(_ seconds: Int64) -> [String] {
            watcher.poll(now: seconds * 1_000_000_000).map { update in
                switch update {
                case .changed(let list, let table): "\(list) \(table.rows)"
                case .failed(let list, let fault): "\(list) \(fault.problems[0].message)"
                }
            }
        }
        #expect(poll(100) == ["0 [[RuleModel.Value.int(1)]]", "1 [[RuleModel.Value.int(1)]]"])
        #expect(poll(102) == [])
        try folder.write("lists/x", Array("1\n2\n".utf8))
        #expect(poll(102) == [])
        #expect(poll(103) == ["0 [[RuleModel.Value.int(1)], [RuleModel.Value.int(2)]]"])
        try folder.write("lists/x", Array("1\nx\n".utf8))
        #expect(poll(105) == ["0 `x` is not a number"])
        #expect(poll(107) == [])
        try FileManager.default.removeItem(atPath: folder.path + "/lists/x")
        #expect(poll(109) == ["0 cannot be opened: No such file or directory"])
        #expect(poll(111) == [])
        // The same content as before the trouble is no change.
        try folder.write("lists/x", Array("1\n2\n".utf8))
        #expect(poll(113) == [])
    }
}

@Suite("Zones")
struct ZoneTests {
    @Test(
        "offsets are those of Foundation from 1970 to 2100, to the second at each change",
        arguments: [
            "Europe/Berlin", "America/Sao_Paulo", "Europe/Moscow", "Australia/Lord_Howe", "UTC",
            "Asia/Kolkata",
        ])
    func offsets(name: String) throws {
        let table = try #require(zoneTable(named: name))
        let zone = try #require(TimeZone(identifier: name))
        var times = table.transitions.dropFirst().flatMap {
            [$0.start - 1, $0.start, $0.start + 1]
        }
        var random = SeededRandom(seed: 5)
        for _ in 0..<5000 { times.append(Int64(random.next(upTo: 4_102_444_800))) }
        for time in times {
            let expected = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time)))
            #expect(
                table.offset(at: Timestamp(nanoseconds: time * 1_000_000_000)) == Int64(expected))
        }
        #expect(table.transitions.map(\.start) == table.transitions.map(\.start).sorted())
    }

    @Test("a zone that is not in the database is none", arguments: ["Europe/Nowhere", "", "x"])
    func unknown(name: String) {
        #expect(zoneTable(named: name) == nil)
    }
}
