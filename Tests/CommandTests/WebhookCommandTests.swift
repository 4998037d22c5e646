import Foundation
import Testing

@Suite("what a webhook posts") struct WebhookCommandTests {
    private func rules(_ sink: String) -> String {
        """
        event login { user: text  ok: bool }
        sink chat {
          webhook { \(sink) }
        }
        rule failures {
          severity high
          threshold by user {
            over login where not ok
            window 1m sliding
            measure failed = count
            when failed >= 2
          }
          alert "{failed} failures of \\"{user}\\""
          send to chat
        }
        """
    }

    private let events = """
        {"time":"2026-01-01T00:00:01Z","type":"login","user":"a\\"b","ok":false}
        {"time":"2026-01-01T00:00:02Z","type":"login","user":"a\\"b","ok":false}

        """

    @Test("`body` makes an object of texts from the alert, always JSON, and the signature is of it")
    func body() throws {
        let workspace = try Workspace(["in.ndjson": events, "key": "hush\n"])
        let server = try LoopbackServer(in: workspace)
        try workspace.write(
            "r.rules",
            rules(
                """
                url "http://127.0.0.1:\(server.port)/204"
                secret secret file "key"
                body [
                  "text: {severity}: {message} ({{{key}}}, {key.user}, {measures.failed})",
                  "when: {matched_at} {state}/{redelivery}", "channel: #soc"
                ]
                """))
        let run = try workspace.martlet("run", "in.ndjson", "--rules", "r.rules")
        #expect(run.code == 0, "\(run.errors)")
        let request = try #require(try server.asked.first { $0.body.contains("firing") })
        let object = try JSONDecoder().decode(
            [String: String].self, from: Data(request.body.utf8))
        #expect(
            object == [
                "text": #"high: 2 failures of "a"b" ({user=a"b}, a"b, 2)"#,
                "when": "2026-01-01T00:00:02Z firing/false", "channel": "#soc",
            ])
        #expect(request.body.hasPrefix(#"{"text":"#), "members stand as written")
        // openssl says what the signature of this body is.
        let signature = try #require(request.headers["X-Martlet-Signature"])
        let parts = signature.split(separator: ",")
        try workspace.write("signed", "\(parts[0].dropFirst(2)).\(request.body)")
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        openssl.arguments = [
            "openssl", "dgst", "-sha256", "-hmac", "hush", "-out", "digest", "signed",
        ]
        openssl.currentDirectoryURL = URL(fileURLWithPath: workspace.path)
        try openssl.run()
        openssl.waitUntilExit()
        #expect(try workspace.read("digest").contains(parts[1].dropFirst(3)))
    }

    @Test(
        "what cannot be a body is refused before anything runs",
        arguments: [
            (#"["text: {mesage}"]"#, "`{mesage}` stands for nothing of an alert", "`{message}`"),
            (#"["text: {key.host}"]"#, "`{key.host}` stands for nothing", "`{key.user}`"),
            (#"["text"]"#, "`text` has no name and colon in front", "one text for each member"),
            (#"["text: {message"]"#, "a `{` is not closed", "one text for each member"),
            (#"["text: message}"]"#, "a `}` closes nothing", "one text for each member"),
            (#"["text: a", "text: b"]"#, "`text` is there twice", "one text for each member"),
        ])
    func refused(_ body: String, _ reason: String, _ help: String) throws {
        let workspace = try Workspace([
            "in.ndjson": events, "r.rules": rules(#"url "http://127.0.0.1:9/" body \#(body)"#),
        ])
        let run = try workspace.martlet("run", "in.ndjson", "--rules", "r.rules")
        #expect(run.code == 3)
        #expect(run.errors.contains("sink `chat`: `body`: \(reason)"), "\(run.errors)")
        #expect(run.errors.contains(help), "\(run.errors)")
    }
}
