import Foundation
import Testing

/// A web server of Python's on loopback that answers with the number in the path, and notes what it was asked.
final class LoopbackServer {
    struct Request: Decodable {
        /// `POST /200`.
        var line: String
        var headers: [String: String]
        var body: String
    }

    let port: String
    private let process = Process()
    private let path: String

    init(in workspace: Workspace) throws {
        path = workspace.path
        try workspace.write(
            "server.py",
            """
            import http.server, json, os
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_POST(self):
                    body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                    asked = {"line": self.command + " " + self.path, "headers": dict(self.headers), "body": body}
                    with open("asked", "a") as file: file.write(json.dumps(asked) + "\\n")
                    self.send_response(int(self.path[1:]))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                do_HEAD = do_GET = do_POST
                def log_message(self, *arguments): pass
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            open("port.new", "w").write(str(server.server_port))
            os.rename("port.new", "port")
            server.serve_forever()
            """)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "server.py"]
        process.currentDirectoryURL = URL(fileURLWithPath: path)
        // It must not hold what the tests write to.
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        var port = ""
        for _ in 0..<500 where port.isEmpty {
            port = (try? String(contentsOfFile: path + "/port", encoding: .utf8)) ?? ""
            if port.isEmpty { usleep(20_000) }
        }
        self.port = port
        try #require(!port.isEmpty, "the server did not start")
    }

    deinit {
        // Test runners let their children ignore SIGTERM.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// All requests so far, in order of their ends.
    var asked: [Request] {
        get throws {
            let text = try String(contentsOfFile: path + "/asked", encoding: .utf8)
            return try text.split(separator: "\n").map {
                try JSONDecoder().decode(Request.self, from: Data($0.utf8))
            }
        }
    }
}
