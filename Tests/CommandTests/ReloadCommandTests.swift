import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Rules in which five failures of a user fire, for changes while three are known.
private func rules(
    message: String = "{fails} of {user}", window: String = "10m", more: String = ""
) -> String {
    """
    event login { user: text  ok: bool  host: text }
    rule many {
      threshold by user {
        over login where not ok
        window \(window) sliding
        measure fails = count
        when fails >= 5
      }
      alert "\(message)"
    }
    \(more)

    """
}

private let extra = """
    rule hosts {
      sequence by user within 5m {
        one: login where host == "h1"
        then two: login where host == "h5"
      }
      alert "{user} went from {one.host} to {two.host}"
    }
    """

private func failures(_ seconds: ClosedRange<Int>) -> String {
    seconds.map { second in
        #"{"type":"login","time":"2026-01-01T00:00:0\#(second)Z","user":"ann","ok":false,"host":"h\#(second)"}"#
            + "\n"
    }.joined()
}

/// An engine that runs in a workspace and is talked to.
private final class Engine {
    let workspace: Workspace
    let command: RunningCommand

    init(_ files: [String: String], _ flags: String..., path: String = "a.rules") throws {
        workspace = try Workspace(files)
        command = try workspace.start(
            ["run", "--rules", path, "--control", "control.sock"] + flags)
        #expect(try command.wait { FileManager.default.fileExists(atPath: socket) })
    }

    var socket: String { workspace.path + "/control.sock" }

    func martlet(_ verb: String, _ flags: String...) throws -> CommandRun {
        try martlet(verb, flags)
    }

    func martlet(_ verb: String, _ flags: [String]) throws -> CommandRun {
        let client = try workspace.start([verb, "--control", "control.sock"] + flags)
        return try client.wait()
    }

    func send(_ text: String, events: Int) throws {
        try command.send(text)
        #expect(try command.wait { try status()["events"] as? Int == events })
    }

    func status() throws -> [String: Any] {
        let run = try martlet("status", "--format", "json")
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        return try #require(object as? [String: Any])
    }

    func rules(_ name: String) throws -> Int? {
        (try status()["rules"] as? [String: Any])?[name] as? Int
    }

    func end() throws -> CommandRun {
        try command.closeInput()
        return try command.wait()
    }
}

@Suite("martlet reload")
struct ReloadCommandTests {
    @Test("progress is kept when another rule comes, and when this rule's message changes")
    func keepsProgress() throws {
        let engine = try Engine(["a.rules": rules()], "--no-watch")
        try engine.send(failures(1...3), events: 3)
        try engine.workspace.write("a.rules", rules(more: extra))
        let added = try engine.martlet("reload")
        #expect(added.code == 0, "\(added.errors)")
        #expect(added.output.contains("new     hosts\n"))
        #expect(added.output.contains("version 2 is in force"))
        try engine.send(failures(4...4), events: 4)
        try engine.workspace.write("a.rules", rules(message: "{user}: {fails}", more: extra))
        let dry = try engine.martlet("reload", "--dry-run")
        #expect(dry.code == 0)
        #expect(dry.output.contains("(keeps 1 key, "))
        #expect(try engine.rules("version") == 2)
        #expect(try engine.martlet("reload").code == 0)
        try engine.send(failures(5...5), events: 5)
        let run = try engine.end()
        #expect(run.code == 0)
        // The rule over hosts came after h1, so it does not fire.
        #expect(run.output.split(separator: "\n").count == 1)
        #expect(run.output.contains(#""message":"ann: 5""#))
    }

    @Test("explain --engine tells what is open, by the rules in force, and what cannot be asked")
    func explainEngine() throws {
        let engine = try Engine(["a.rules": rules()], "--no-watch", "--threads", "2")
        let idle = try engine.martlet("explain", "many", "--engine")
        #expect(idle.output.contains("many   no event yet"))
        try engine.send(failures(1...3), events: 3)
        let all = try engine.martlet("explain", "many", "--engine")
        #expect(all.code == 0)
        #expect(all.output.contains("many   nothing open, 1 key held, as of 2026-01-01T00:00:03Z"))
        #expect(all.output.contains("1. user=ann  inactive: fails 3"))
        #expect(all.output.contains("`fails >= 5` compared 3 with 5"))
        #expect(all.output.contains("complete: yes"))
        #expect(all.output.contains("`martlet explain many --events FILE`"))
        let other = try engine.martlet("explain", "many", "--engine", "--key", "user=bob")
        #expect(other.output.contains("nothing is held for this key; keys held: user=ann"))
        #expect(other.output.contains("--events FILE --key 'user=bob'"))
        try engine.workspace.write("a.rules", rules(more: extra))
        #expect(try engine.martlet("reload").code == 0)
        try engine.send(
            failures(4...5).replacing("h5", with: "h1"), events: 5)
        let json = try engine.martlet(
            "explain", "hosts", "--engine", "--key", "ann", "--format", "json")
        let page = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        let open = try #require((page?["open"] as? [[String: Any]])?.first)
        #expect(open["since"] as? String == "2026-01-01T00:00:05Z")
        #expect(open["until"] as? String == "2026-01-01T00:05:05Z")
        #expect(page?["complete"] as? Bool == true)
        let firing = try engine.martlet("explain", "many", "--engine")
        #expect(firing.output.contains("1 open, 1 of them firing"))
        for (flags, message) in [
            (["meny"], "similar name: `many`"),
            (
                ["many", "--key", "host=h1,user=ann", "--at", "2026-01-01"],
                "`--at` does not go with"
            ),
            (["many", "--events", "x"], "exclude each other"),
        ] {
            let refused = try engine.martlet("explain", flags + ["--engine"])
            #expect(refused.code == 3)
            #expect(refused.errors.contains(message), "\(refused.errors)")
        }
        _ = try engine.end()
    }

    @Test("another shape begins anew, which a dry run says before and the log afterwards")
    func reset() throws {
        let engine = try Engine(["a.rules": rules()], "--no-watch")
        try engine.send(failures(1...4), events: 4)
        try engine.workspace.write("a.rules", rules(window: "20m"))
        let dry = try engine.martlet("reload", "--dry-run")
        #expect(dry.code == 1)
        #expect(dry.output.contains("(drops 1 key, "))
        #expect(try engine.martlet("reload").code == 0)
        try engine.send(failures(5...5), events: 5)
        let run = try engine.end()
        #expect(run.output.isEmpty)
        #expect(run.errors.contains("version 2 of the rules is in force (martlet reload)"))
        #expect(run.errors.contains("+ window 20m sliding"))
    }

    @Test("bad rules of every sort leave the old ones in force, and say why to who asked")
    func refused() throws {
        let engine = try Engine(["a.rules": rules(), "b.rules": extra], "--no-watch", path: ".")
        try engine.send(failures(1...3), events: 3)
        let whole = rules()
        let half = String(whole.prefix(whole.count / 2))
        var refused = 0
        for (text, reason) in [
            ("rule many {", "a.rules:1"), (half, "a.rules:"), ("", "is empty now"),
            (rules(more: "import \"gone.rules\""), "gone.rules"),
            (rules(message: "{nobody}"), "nobody"),
            (
                rules(
                    more:
                        "list bad of text from \"bad.txt\"\nrule b { sequence { one: login where user in list bad } within 1m alert \"x\" }"
                ), "bad"
            ),
        ] {
            try engine.workspace.write("a.rules", text)
            let run = try engine.martlet("reload")
            #expect(run.code == 2, "\(text)\n\(run.output)\(run.errors)")
            #expect(run.errors.contains(reason), "\(run.errors)")
            #expect(run.errors.contains("version 1 of the rules stays in force"))
            refused += 1
            #expect(try engine.rules("reload_failed_total") == refused)
        }
        try engine.workspace.write("a.rules", whole)
        let same = try engine.martlet("reload")
        #expect(same.code == 0)
        #expect(same.output.contains("nothing has changed: version 1 stays in force"))
        try engine.send(failures(4...5), events: 5)
        #expect(try engine.end().output.contains(#""message":"5 of ann""#))
    }

    @Test("a changed file is read by itself, a bad one is told, and SIGHUP asks as well")
    func watches() throws {
        let engine = try Engine(["a.rules": rules()])
        try engine.send(failures(1...3), events: 3)
        try engine.workspace.write("a.rules", rules(message: "{user}: {fails}"))
        #expect(try engine.command.wait { try engine.rules("version") == 2 })
        try engine.workspace.write("a.rules", "rule many {")
        #expect(try engine.command.wait { try engine.rules("reload_failed_total") == 1 })
        engine.command.hangUp()
        #expect(try engine.command.wait { try engine.rules("reload_failed_total") == 2 })
        try engine.send(failures(4...5), events: 5)
        let run = try engine.end()
        #expect(run.output.contains(#""message":"ann: 5""#))
        #expect(run.errors.contains("version 2 of the rules stays in force"))
    }

    @Test("links that are exchanged as Kubernetes does it are followed")
    func symbolicLinks() throws {
        let workspace = try Workspace([
            "..one/a.rules": rules(), "..two/a.rules": rules(message: "{user}: {fails}"),
        ])
        let manager = FileManager.default
        func link(_ name: String, to target: String) throws {
            try manager.createSymbolicLink(
                atPath: workspace.path + "/" + name, withDestinationPath: target)
        }
        try link("..data", to: "..one")
        try link("a.rules", to: "..data/a.rules")
        let command = try workspace.start(
            ["run", "--rules", ".", "--control", "control.sock"])
        #expect(
            try command.wait { manager.fileExists(atPath: workspace.path + "/control.sock") })
        try link("..next", to: "..two")
        #expect(rename(workspace.path + "/..next", workspace.path + "/..data") == 0)
        #expect(
            try command.wait { try command.errors().contains("version 2 of the rules is in force") }
        )
        try command.send(failures(1...5))
        try command.closeInput()
        let run = try command.wait()
        #expect(run.code == 0 && run.output.contains("ann: 5"))
    }

    @Test("a list is read again by itself; a broken one keeps the old content")
    func lists() throws {
        let text = """
            event door { user: text  number: number }
            list known of number from "known.txt"
            rule strange {
              sequence by user within 1m { one: door where number not in list known }
              alert "{user} at {one.number}"
            }
            """
        func door(_ number: Int) -> String {
            #"{"type":"door","time":"2026-01-01T00:00:00Z","user":"ann","number":\#(number)}"#
                + "\n"
        }
        let engine = try Engine(["a.rules": text, "known.txt": "2\n"], "--no-watch")
        try engine.send(door(2) + door(3), events: 2)
        try engine.workspace.write("known.txt", "2\n3\n")
        // Nothing tells that a list was taken but what becomes of events.
        var events = 2
        #expect(
            try engine.command.wait {
                let before = try engine.command.output().count
                events += 1
                try engine.send(door(3), events: events)
                return try engine.command.output().count == before
            })
        try engine.workspace.write("known.txt", "two\n")
        #expect(
            try engine.command.wait {
                try engine.command.errors().contains("the old content stays in force")
            })
        try engine.send(door(3) + door(7), events: events + 2)
        let run = try engine.end()
        #expect(run.output.split(separator: "\n").last?.contains("engine.list_failed") == false)
        #expect(run.output.contains(#""message":"ann at 7""#))
    }

    @Test("whatever comes in by the socket, the engine goes on")
    func hostileRequests() throws {
        let engine = try Engine(["a.rules": rules()], "--no-watch")
        let requests: [[UInt8]] = [
            [], [0x0A], Array("{".utf8), Array("null\n".utf8), Array("{\"verb\":7}\n".utf8),
            Array("{\"verb\":\"stop\"}\n".utf8), [0xFF, 0xFE, 0x00, 0x0A],
            [UInt8](repeating: 0x5B, count: 60_000) + [0x0A],
            [UInt8](repeating: 0x61, count: 1 << 20),
        ]
        for request in requests {
            let connection = try connect(engine.socket)
            _ = request.withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            shutdown(connection, Int32(SHUT_WR))
            var answer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(connection, &answer, answer.count, 0)
            if count > 0 {
                let object = try JSONSerialization.jsonObject(with: Data(answer[..<count]))
                #expect((object as? [String: Any])?["code"] as? Int == 3)
            }
            close(connection)
        }
        // Connections that say nothing do not keep others out for long.
        let silent = try (0..<8).map { _ in try connect(engine.socket) }
        let busy = try engine.martlet("status")
        #expect(busy.code == 0 || busy.errors.contains("busy"))
        silent.forEach { _ = close($0) }
        #expect(try engine.command.wait { try engine.martlet("status").code == 0 })
        try engine.send(failures(1...5), events: 5)
        let permissions = try FileManager.default.attributesOfItem(atPath: engine.socket)
        #expect(permissions[.posixPermissions] as? Int == 0o600)
        let run = try engine.end()
        #expect(run.code == 0 && run.output.contains("5 of ann"))
        #expect(!FileManager.default.fileExists(atPath: engine.socket))
        let gone = try engine.martlet("status")
        #expect(gone.code == 4 && gone.errors.contains("nobody listens"))
    }

    @Test("a service manager hears that it is ready, that it lives, and that it ends")
    func serviceManager() throws {
        let workspace = try Workspace(["a.rules": rules()])
        let path = workspace.path + "/notify"
        let receiver = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(receiver) }
        try #require(call(receiver, path, Glibc.bind) == 0)
        let command = try workspace.start(
            ["run", "--rules", "a.rules", "--control", "control.sock"],
            environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "300000"])
        var heard: [String] = []
        func hear() -> Bool {
            var bytes = [UInt8](repeating: 0, count: 1024)
            let count = recv(receiver, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            if count > 0 { heard.append(String(decoding: bytes[..<count], as: UTF8.self)) }
            return count > 0
        }
        #expect(
            try command.wait {
                while hear() {}
                return heard.count { $0 == "WATCHDOG=1" } >= 3
            })
        #expect(heard.first?.hasPrefix("READY=1\nSTATUS=") == true)
        try command.send(failures(1...1))
        try command.closeInput()
        #expect(try command.wait().code == 0)
        while hear() {}
        #expect(heard.last == "STOPPING=1")
    }

    private func connect(_ path: String) throws -> Int32 {
        let connection = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try #require(call(connection, path, Glibc.connect) == 0)
        return connection
    }

    private func call(
        _ descriptor: Int32, _ path: String,
        _ deed: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                deed(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
