import LanguageServer
import RuleSyntax
import Testing

@Suite("Protocol") struct ProtocolTests {
    private static let messages: [JSONDocument] = [
        ["jsonrpc": "2.0", "method": "a", "params": ["text": "grüße 🐦\n"]],
        ["jsonrpc": "2.0", "method": "b"],
        ["jsonrpc": "2.0", "id": 1, "result": .null],
    ]

    @Test("a stream cut anywhere gives the same messages", arguments: 1...40)
    func cutting(size: Int) throws {
        let stream = Self.messages.flatMap(frame)
        var reader = FrameReader()
        var received: [JSONDocument] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            let piece = stream[start..<min(stream.count, start + size)]
            for message in try reader.append(piece) {
                guard case .message(let message) = message else { continue }
                received.append(message)
            }
        }
        #expect(received == Self.messages)
        #expect(!reader.isInsideMessage)
    }

    @Test("other header fields are passed over") func otherFields() throws {
        var reader = FrameReader()
        let text =
            "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nCONTENT-length:2\r\n\r\n{}"
        #expect(try reader.append(text.utf8).count == 1)
    }

    @Test(
        "a header that says nothing ends the stream with a reason",
        arguments: [
            "Content-Length: many\r\n\r\n", "Content-Length: -1\r\n\r\n",
            "Content-Length: 999999999999\r\n\r\n", "X: 1\r\n\r\n", "hello\r\n", "{}\n",
            String(repeating: "x", count: 10_000),
        ])
    func badHeaders(text: String) {
        var reader = FrameReader()
        #expect(throws: FrameFault.self) { try reader.append(text.utf8) }
    }

    @Test("a frame that is no JSON is answered, and the next is read") func badContent() throws {
        var reader = FrameReader()
        let stream = Array("Content-Length: 3\r\n\r\n{x}".utf8) + frame(Self.messages[1])
        let messages = try reader.append(stream)
        #expect(messages.count == 2)
        var client = TestClient()
        let answers = client.server.receive(messages)
        #expect(answers.first?["error"]?["code"]?.integer == -32700)
        #expect(answers.first?["id"] == .null)
    }

    // MARK: - Life

    private func freshServer() -> LanguageServer {
        LanguageServer(environment: .memory([:]))
    }

    private func request(_ id: Int, _ method: String, _ parameters: JSONDocument = .null)
        -> ReceivedMessage
    {
        .message([
            "jsonrpc": "2.0", "id": .number(id), "method": .text(method), "params": parameters,
        ])
    }

    private func notification(_ method: String, _ parameters: JSONDocument = .null)
        -> ReceivedMessage
    {
        .message(["jsonrpc": "2.0", "method": .text(method), "params": parameters])
    }

    @Test("nothing is answered before initialize, and nothing behind shutdown") func order() {
        var server = freshServer()
        let early = server.receive([request(1, "textDocument/hover")])
        #expect(early.first?["error"]?["code"]?.integer == -32002)
        let started = server.receive([request(2, "initialize")])
        #expect(started.first?["result"]?["serverInfo"]?["name"]?.text == "martlet")
        let again = server.receive([request(3, "initialize")])
        #expect(again.first?["error"]?["code"]?.integer == -32600)
        let stopped = server.receive([request(4, "shutdown")])
        #expect(stopped.first?["result"] == .null)
        let late = server.receive([request(5, "textDocument/hover")])
        #expect(late.first?["error"]?["code"]?.integer == -32600)
        #expect(server.exitCode == nil)
        _ = server.receive([notification("exit")])
        #expect(server.exitCode == 0)
    }

    @Test("exit without shutdown is a failure") func exitAtOnce() {
        var server = freshServer()
        _ = server.receive([request(1, "initialize"), notification("exit")])
        #expect(server.exitCode == 1)
    }

    @Test("unknown methods: requests are refused, notifications passed over") func unknown() {
        var client = TestClient()
        #expect(client.response("textDocument/juggle", .null)["error"]?["code"]?.integer == -32601)
        #expect(client.server.receive([notification("$/juggle")]).isEmpty)
    }

    @Test("messages that are no requests are refused") func invalid() {
        var client = TestClient()
        for message: JSONDocument in [[], "x", ["jsonrpc": "2.0", "id": 9], .null] {
            let answers = client.server.receive([.message(message)])
            #expect(answers.first?["error"]?["code"]?.integer == -32600)
        }
        let hover = client.response("textDocument/hover", ["textDocument": ["uri": "file:///no"]])
        #expect(hover["error"]?["code"]?.integer == -32602)
    }

    @Test("a request that was cancelled while it waited is not worked on") func cancellation() {
        var client = TestClient.withRule()
        let parameters: JSONDocument = ["textDocument": ["uri": .text(TestClient.ruleURI)]]
        let answers = client.server.receive([
            request(70, "textDocument/documentSymbol", parameters),
            request(71, "textDocument/documentSymbol", parameters),
            notification("$/cancelRequest", ["id": 70]),
        ])
        #expect(answers.count == 2)
        #expect(answers[0]["error"]?["code"]?.integer == -32800)
        #expect(answers[1]["result"]?.elements?.isEmpty == false)
    }

    @Test("a client that can watch files is asked to") func watching() {
        var client = TestClient(
            capabilities: ["workspace": ["didChangeWatchedFiles": ["dynamicRegistration": true]]])
        let answers = client.receive([["jsonrpc": "2.0", "method": "initialized", "params": [:]]])
        #expect(answers.contains { $0["method"]?.text == "client/registerCapability" })
        var plain = TestClient()
        let none = plain.receive([["jsonrpc": "2.0", "method": "initialized", "params": [:]]])
        #expect(!none.contains { $0["method"]?.text == "client/registerCapability" })
    }
}

@Suite("JSON") struct JSONTests {
    @Test(
        "what is read is what was written",
        arguments: [
            "null", "true", "[]", "{}", "[1,-2,0]", #"{"a":{"b":[null,false]},"c":"d"}"#,
            #""q\" b\\ n\n t\t""#, "0.5", "-1.25",
        ])
    func roundTrip(text: String) throws {
        #expect(try JSONDocument(parsing: Array(text.utf8)).line == text)
    }

    @Test("escapes") func escapes() throws {
        let text = #""\u0041\u00e9\ud83d\ude00\ud83d\/\b\f""#
        let value = try JSONDocument(parsing: Array(text.utf8))
        #expect(value == "Aé😀\u{FFFD}/\u{8}\u{C}")
    }

    @Test(
        "what is no JSON is refused",
        arguments: [
            "", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "1.", "-", "+1", "\"a", "\"\\x\"",
            "\"\\u12\"", "tru", "1 2", "\"\n\"", "{a:1}", "[1 2]", "NaN",
            String(repeating: "[", count: 100_000),
        ])
    func refused(text: String) {
        #expect(throws: JSONDocument.Fault.self) {
            try JSONDocument(parsing: Array(text.utf8))
        }
    }
}
