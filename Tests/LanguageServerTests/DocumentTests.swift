import LanguageServer
import RuleSyntax
import Testing

@Suite("Documents") struct DocumentTests {
    private static let outside = "file:///elsewhere/lone.rules"

    @Test("the files of a workspace are compiled together, open texts over those of the disk")
    func overlay() {
        var client = TestClient.withRule()
        #expect(client.findings(TestClient.ruleURI) == [])
        client.open(TestClient.schemaURI, TestClient.schema.replacing("account", with: "iban"))
        #expect(client.findings(TestClient.ruleURI).contains { $0.contains("`account`") })
        client.notify(
            "textDocument/didClose", ["textDocument": ["uri": .text(TestClient.schemaURI)]])
        #expect(client.findings(TestClient.ruleURI) == [])
    }

    @Test("a file that is not on the disk yet belongs to its folder") func newFile() {
        var client = TestClient()
        client.open(
            "file:///ws/rules/new.rules",
            "rule late {\n  sequence by user {\n    a: shop.logon\n  }\n  alert \"x\"\n}\n")
        let findings = client.findings("file:///ws/rules/new.rules")
        #expect(findings.contains { $0.contains("shop.logon") })
    }

    @Test("outside the workspace a file goes with those beside it") func beside() {
        var client = TestClient(files: [
            "/ws/rules/schema.rules": TestClient.schema,
            "/elsewhere/types.rules": "event ping {\n  host: text\n}\n",
            "/elsewhere/deeper/more.rules": "event pong {\n  host: text\n}\n",
            "/elsewhere/lone.rules": "",
        ])
        client.open(
            Self.outside,
            """
            rule lone {
              sequence by host {
                a: ping where hosst == "x"
              }
              alert "{host}"
            }
            rule deep {
              sequence by host {
                a: pong
              }
              alert "{host}"
            }
            """)
        let findings = client.findings(Self.outside)
        #expect(findings.contains { $0.contains("hosst") })
        // The folder below is another rule set.
        #expect(findings.contains { $0.contains("`pong`") })
    }

    @Test("a file that the workspace imports is one of the workspace") func imported() {
        var client = TestClient(files: [
            "/ws/rules/a.rules": "import \"../../lib/types.rules\"\n"
                + "rule a {\n  sequence by host {\n    a: ping\n  }\n  alert \"{host}\"\n}\n",
            "/lib/types.rules": "event ping {\n  host: text\n}\n",
        ])
        client.open("file:///lib/types.rules", "event ping {\n  hosst: text\n}\n")
        #expect(client.findings("file:///ws/rules/a.rules").contains { $0.contains("`host`") })
    }

    @Test("a text that is no file yet is a rule set of its own") func untitled() {
        var client = TestClient()
        client.open("untitled:Untitled-1", "rule x {\n")
        #expect(!client.findings("untitled:Untitled-1").isEmpty)
        #expect(client.findings(TestClient.ruleURI) == [])
    }

    @Test("changes on the disk are seen when the client tells") func folders() {
        var client = TestClient()
        client.notify(
            "workspace/didChangeWorkspaceFolders",
            ["event": ["added": [], "removed": [["uri": "file:///ws", "name": "ws"]]]])
        #expect(client.request("workspace/symbol", ["query": "takeover"]).elements?.count == 0)
        client.notify(
            "workspace/didChangeWorkspaceFolders",
            ["event": ["added": [["uri": "file:///ws/", "name": "ws"]], "removed": []]])
        let found = client.request("workspace/symbol", ["query": "takeover"])
        #expect(found.elements?.first?["name"]?.text == "takeover")
    }

    @Test("a burst of changes is compiled and told once") func debounce() {
        var client = TestClient.withRule()
        let texts = ["r", "ru", "rule"].map { TestClient.rule + "\n" + $0 + "\n" }
        let changes = texts.map { text -> JSONDocument in
            [
                "jsonrpc": "2.0", "method": "textDocument/didChange",
                "params": [
                    "textDocument": ["uri": .text(TestClient.ruleURI), "version": 3],
                    "contentChanges": [["text": .text(text)]],
                ],
            ]
        }
        let answers = client.receive(changes)
        #expect(answers.count { $0["method"]?.text == "textDocument/publishDiagnostics" } == 1)
    }

    // MARK: - Positions

    private func edited(
        _ text: String, _ range: (Int, Int, Int, Int), _ new: String, encodings: [String]
    ) -> String {
        var client = TestClient(
            capabilities: ["general": ["positionEncodings": .array(encodings.map { .text($0) })]])
        let uri = "untitled:a"
        client.open(uri, text)
        client.notify(
            "textDocument/didChange",
            [
                "textDocument": ["uri": .text(uri), "version": 2],
                "contentChanges": [
                    [
                        "range": [
                            "start": ["line": .number(range.0), "character": .number(range.1)],
                            "end": ["line": .number(range.2), "character": .number(range.3)],
                        ], "text": .text(new),
                    ]
                ],
            ])
        // The formatter shows what the server holds.
        let edits = client.request(
            "textDocument/formatting", ["textDocument": ["uri": .text(uri)], "options": [:]])
        return edits.elements?.map { $0["newText"]?.text ?? "" }.joined() ?? ""
    }

    @Test("columns count UTF-16 units, or bytes where the client offers them") func encodings() {
        let text = "let   a = \"🐦é\"\n"
        #expect(edited(text, (0, 14, 0, 14), "x", encodings: []) == "let a = \"🐦éx\"\n")
        #expect(edited(text, (0, 13, 0, 14), "x", encodings: ["utf-16"]) == "let a = \"🐦x\"\n")
        #expect(edited(text, (0, 11, 0, 15), "x", encodings: ["utf-8"]) == "let a = \"xé\"\n")
        #expect(
            edited(text, (0, 15, 0, 17), "x", encodings: ["utf-32", "utf-8"]) == "let a = \"🐦x\"\n")
    }

    @Test("columns and lines beyond the end are the end") func clamping() {
        #expect(edited("let   a = 1\n", (0, 99, 0, 99), "0", encodings: []) == "let a = 10\n")
        #expect(
            edited("let   a = 1", (7, 3, 9, 0), "\nlet  b = 2\n", encodings: [])
                == "let a = 1\nlet b = 2\n")
    }

    @Test("a change that makes no sense is told and ignored") func badChange() {
        var client = TestClient.withRule()
        client.notify(
            "textDocument/didChange",
            ["textDocument": ["uri": "file:///ws/rules/other.rules"], "contentChanges": []])
        #expect(client.notifications.contains { $0["method"]?.text == "window/logMessage" })
    }
}
