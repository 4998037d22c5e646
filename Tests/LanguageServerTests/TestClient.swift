import Foundation
import LanguageServer
import RuleCompiler
import RuleSyntax
import Testing

/// An editor for tests: it keeps what the server tells, and says places by the text around them.
struct TestClient {
    var server: LanguageServer
    /// The diagnostics of each file, as last published.
    var diagnostics: [String: [JSONDocument]] = [:]
    /// All notifications of the server but diagnostics, in order.
    var notifications: [JSONDocument] = []
    private var lastID = 0
    private var texts: [String: String] = [:]

    /// A schema and a rule that later tests talk about.
    static let schema = """
        event shop.login {
          user: text
          src_ip: ip
          geo.country: text?
          result: "ok" | "fail"
        }

        event shop.payout {
          user: text
          account: text
        }
        """

    static let rule = """
        rule takeover {
          severity high
          sequence by user within 5m {
            at least 3 failed: shop.login where result == "fail"
            then success: shop.login where result == "ok" and src_ip != failed.last.src_ip
            then payout: shop.payout
          }
          alert "{user} failed {failed.count} times, paid to {payout.account}"
        }

        test "three and out" for takeover {
          at 0s shop.login { user: "u", src_ip: "10.0.0.1", result: "fail" } repeat 3 every 1s
          at 5s shop.login { user: "u", src_ip: "10.0.0.2", result: "ok" }
          at 8s shop.payout { user: "u", account: "X" }
          expect alert at 8s with failed.count == 3
        }
        """

    static let schemaURI = "file:///ws/rules/schema.rules"
    static let ruleURI = "file:///ws/rules/takeover.rules"

    /// A client with a workspace folder `/ws`, behind `initialize`.
    init(
        files: [String: String] = [
            "/ws/rules/schema.rules": schema, "/ws/rules/takeover.rules": rule,
        ],
        capabilities: JSONDocument = .object([])
    ) {
        server = LanguageServer(environment: .memory(files))
        for (path, text) in files { texts["file://" + path] = text }
        request(
            "initialize",
            [
                "capabilities": capabilities,
                "workspaceFolders": [["uri": "file:///ws", "name": "ws"]],
            ])
    }

    /// A client with the sample rule open.
    static func withRule() -> TestClient {
        var client = TestClient()
        client.open(ruleURI, rule)
        return client
    }

    // MARK: - Messages

    @discardableResult
    mutating func receive(_ messages: [JSONDocument]) -> [JSONDocument] {
        let answers = server.receive(messages.map { .message($0) })
        for answer in answers where answer["id"] == nil {
            if answer["method"]?.text == "textDocument/publishDiagnostics",
                let uri = answer["params"]?["uri"]?.text
            {
                diagnostics[uri] = answer["params"]?["diagnostics"]?.elements ?? []
            } else {
                notifications.append(answer)
            }
        }
        return answers
    }

    /// The whole answer to a request.
    @discardableResult
    mutating func response(_ method: String, _ parameters: JSONDocument) -> JSONDocument {
        lastID += 1
        let id = JSONDocument.number(lastID)
        let answers = receive([
            ["jsonrpc": "2.0", "id": id, "method": .text(method), "params": parameters]
        ])
        return answers.first { $0["id"] == id } ?? .null
    }

    @discardableResult
    mutating func request(_ method: String, _ parameters: JSONDocument) -> JSONDocument {
        response(method, parameters)["result"] ?? .null
    }

    mutating func notify(_ method: String, _ parameters: JSONDocument) {
        receive([["jsonrpc": "2.0", "method": .text(method), "params": parameters]])
    }

    mutating func open(_ uri: String, _ text: String) {
        texts[uri] = text
        notify(
            "textDocument/didOpen",
            [
                "textDocument": [
                    "uri": .text(uri), "languageId": "martlet", "version": 1, "text": .text(text),
                ]
            ])
    }

    /// Puts a whole new text in place of an open file's.
    mutating func change(_ uri: String, _ text: String) {
        texts[uri] = text
        notify(
            "textDocument/didChange",
            [
                "textDocument": ["uri": .text(uri), "version": 2],
                "contentChanges": [["text": .text(text)]],
            ])
    }

    // MARK: - Places

    /// The place that `‸` marks in a piece of the file's text.
    func place(_ marked: String, in uri: String = ruleURI) -> JSONDocument {
        let parts = marked.split(separator: "‸", omittingEmptySubsequences: false)
        let text = texts[uri] ?? ""
        guard parts.count == 2, let found = text.range(of: parts[0] + parts[1]) else {
            Issue.record("`\(marked)` is not in \(uri)")
            return .null
        }
        let offset = text.index(found.lowerBound, offsetBy: parts[0].count)
        let before = text[..<offset].split(separator: "\n", omittingEmptySubsequences: false)
        return [
            "line": .number(before.count - 1),
            "character": .number(before[before.count - 1].utf16.count),
        ]
    }

    func parameters(_ marked: String, in uri: String = ruleURI) -> JSONDocument {
        ["textDocument": ["uri": .text(uri)], "position": place(marked, in: uri)]
    }

    mutating func ask(_ method: String, at marked: String, in uri: String = ruleURI)
        -> JSONDocument
    {
        request("textDocument/" + method, parameters(marked, in: uri))
    }

    /// What stands at a range of a file.
    func text(at range: JSONDocument?, in uri: String) -> String {
        let text = texts[uri] ?? ""
        let start = offset(range?["start"], in: text)
        return String(text[start..<max(start, offset(range?["end"], in: text))])
    }

    private func offset(_ position: JSONDocument?, in text: String) -> String.Index {
        var line = position?["line"]?.integer ?? 0
        var index = text.startIndex
        while line > 0, let end = text[index...].firstIndex(of: "\n") {
            index = text.index(after: end)
            line -= 1
        }
        return text.utf16.index(
            index, offsetBy: position?["character"]?.integer ?? 0, limitedBy: text.endIndex)
            ?? text.endIndex
    }

    /// The text of a file after a workspace edit or a list of text edits.
    func applying(_ edits: [JSONDocument], to uri: String) -> String {
        var text = texts[uri] ?? ""
        let ranges = edits.map { edit in
            (
                offset(edit["range"]?["start"], in: text)..<offset(edit["range"]?["end"], in: text),
                edit["newText"]?.text ?? ""
            )
        }
        for (range, new) in ranges.sorted(by: { $0.0.lowerBound > $1.0.lowerBound }) {
            text.replaceSubrange(range, with: new)
        }
        return text
    }

    /// The messages of a file's diagnostics with their numbers.
    func findings(_ uri: String) -> [String] {
        (diagnostics[uri] ?? []).map {
            "\($0["code"]?.text ?? "") \($0["message"]?.text ?? "")"
        }
    }
}

extension ServerEnvironment {
    /// Files that are nowhere but here.
    static func memory(_ files: [String: String]) -> ServerEnvironment {
        @Sendable func sources(_ paths: [String]) -> [SourceText] {
            paths.sorted().map { SourceText(name: $0, text: files[$0] ?? "") }
        }
        return ServerEnvironment(
            filesBelow: { folder in sources(files.keys.filter { $0.hasPrefix(folder + "/") }) },
            filesIn: { folder in
                sources(
                    files.keys.filter {
                        $0.hasPrefix(folder + "/") && !$0.dropFirst(folder.count + 1).contains("/")
                    })
            },
            readFile: { path in files[path].map { Array($0.utf8) } },
            isFolder: { folder in files.keys.contains { $0.hasPrefix(folder + "/") } },
            identity: { normalisedPath($0) },
            zones: { nil },
            runTests: { _, tests in
                TestReport(passed: true, text: "ran " + tests.map(\.title).joined(separator: ", "))
            },
            version: "test")
    }
}
