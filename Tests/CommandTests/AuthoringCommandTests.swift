import Foundation
import Testing

@Suite("writing rules: new, init, fields, fix, docs") struct AuthoringCommandTests {
    @Test(
        "what `new` prints compiles without a warning, is formatted, and its tests pass",
        arguments: [
            "sequence", "absence", "threshold", "correlation", "anomaly_cluster", "metric",
        ])
    func templates(kind: String) throws {
        let workspace = try Workspace()
        let made = try workspace.martlet("new", kind, "my_rule", "-o", "r.rules")
        #expect(made.code == 0)
        #expect(try workspace.read("r.rules").contains("rule my_rule {"))
        let check = try workspace.martlet("check", "r.rules", "--fail-level", "warning")
        #expect(check.code == 0, "\(check.output)")
        #expect(try workspace.martlet("fmt", "--check", "r.rules").code == 0)
        let test = try workspace.martlet("test", "r.rules")
        #expect(test.code == 0, "\(test.output)")
        #expect(test.errors.contains("2 passed"))
        // Nobody's work is written over.
        #expect(try workspace.martlet("new", kind, "-o", "r.rules").code == 4)
    }

    @Test("an unknown kind and a name that is none are refused")
    func badTemplates() throws {
        let workspace = try Workspace()
        let kind = try workspace.martlet("new", "sequense")
        #expect(kind.code == 3)
        #expect(kind.errors.contains("`sequence`"))
        #expect(try workspace.martlet("new", "sequence", "9x").code == 3)
        #expect(try workspace.martlet("new").errors.contains("`absence`"))
    }

    private let events =
        (0..<100).map { index in
            let ok = index % 3 == 0 ? "ok" : "fail"
            let extra = index < 40 ? #","note":"n\#(index)""# : ""
            return
                #"{"kind":"login","at":"2026-01-01T00:\#(10 + index / 60):\#(10 + index % 50)Z","user":"u\#(index)","src":{"ip":"198.51.100.\#(index)","port":\#(index)},"result":"\#(ok)","tags":["a"]\#(extra)}"#
                + "\n"
        }.joined()
        + #"{"kind":"logout now","at":"2026-01-01T00:12:00Z","user":"x"}"# + "\n" + "{broken\n"

    @Test("`init` finds types, choices, optional fields, the type and the disorder")
    func initialise() throws {
        let workspace = try Workspace(["e.ndjson": events])
        let run = try workspace.martlet(
            "init", "--from", "e.ndjson", "--time-field", "at", "-o", "app")
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.errors.contains("1 line are no JSON object") || run.errors.contains("1 line"))
        #expect(run.errors.contains("\"logout now\""))
        let schema = try workspace.read("app/schema.rules")
        #expect(schema.contains("event login {"))
        #expect(schema.contains(#"result: "fail" | "ok""#))
        #expect(schema.contains("src.ip: ip"))
        #expect(schema.contains("src.port: number"))
        #expect(schema.contains("tags: [text]"))
        #expect(schema.contains("note: text?  # in 40 %"))
        #expect(!schema.contains("kind:") && !schema.contains("at:"))
        let sources = try workspace.read("app/sources.rules")
        #expect(sources.contains("time at"))
        #expect(sources.contains(#"type field "kind""#))
        #expect(sources.contains("lateness"))
        #expect(try workspace.martlet("check", "app", "--fail-level", "error").code == 0)
        // A second time nothing is written over.
        #expect(
            try workspace.martlet("init", "--from", "e.ndjson", "--time-field", "at", "-o", "app")
                .code == 4)
        #expect(try workspace.martlet("init", "--from", "none.ndjson").code == 4)
        #expect(try workspace.martlet("init").code == 3)
    }

    private let rules = """
        event login {
          user: text
          result: "ok" | "fail"
          src.ip: ip
          src.port: text
          device: text
          note: text?
        }

        rule failed {
          threshold by user {
            over login where result == "fail"
            window 1m sliding
            measure n = distinct(src.ip)
            when n >= 3
          }
          alert "{user} failed"
        }

        test "three" for failed {
          at 0s login { user: "a", result: "fail", src.ip: "198.51.100.1", note: "x" }
          expect nothing
        }

        """

    @Test("`fields` says what is read, never read, missing, of another type, and not declared")
    func fields() throws {
        let workspace = try Workspace(["e.ndjson": events, "r.rules": rules])
        let plain = try workspace.martlet("fields", "--rules", "r.rules")
        #expect(plain.code == 0)
        #expect(plain.output.contains("read by failed"))
        let line = { (run: CommandRun, name: String) in
            run.output.split(separator: "\n").first { $0.contains("  \(name) ") } ?? ""
        }
        // A test does not count as a reader.
        #expect(line(plain, "note").hasSuffix("never read"))
        let run = try workspace.martlet(
            "fields", "login", "--rules", "r.rules", "--from", "e.ndjson", "--type-field", "kind",
            "--time-field", "at")
        #expect(run.code == 1)
        #expect(line(run, "user").contains("100 %  read by failed"))
        #expect(line(run, "note").contains("40 %"))
        #expect(line(run, "device").contains("missing in 100 %, and declared as always there"))
        #expect(line(run, "src.port").contains("of the values are no `text`"))
        #expect(line(run, "tags").contains("not declared"))
        let json = try workspace.martlet("fields", "--rules", "r.rules", "--format", "json")
        let page = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect((page?["types"] as? [Any])?.count == 1)
        let unknown = try workspace.martlet("fields", "logn", "--rules", "r.rules")
        #expect(unknown.code == 3)
        #expect(unknown.errors.contains("`login`"))
    }

    @Test("`fix` applies what is sure, shows it first, and leaves the rest alone")
    func fix() throws {
        let wrong = rules.replacing("result == \"fail\"", with: "result = \"fail\"")
        let workspace = try Workspace(["r.rules": wrong])
        let shown = try workspace.martlet("fix", "--diff", "r.rules")
        #expect(shown.code == 1)
        #expect(shown.output.contains("+    over login where result == \"fail\""))
        #expect(try workspace.read("r.rules") == wrong)
        let fixed = try workspace.martlet("fix", "r.rules")
        #expect(fixed.code == 0)
        #expect(fixed.errors.contains("1 fix in 1 file"))
        #expect(try workspace.read("r.rules") == rules)
        #expect(try workspace.martlet("fix", "--diff", "r.rules").code == 0)
    }

    @Test("`docs` writes a page for each rule, with its machine, and what rules say is inert")
    func docs() throws {
        let text = rules.replacing(
            "rule failed {", with: "rule failed {\n  title \"<img src=x>\"\n  attack [T1110.003]")
        let workspace = try Workspace(["r.rules": text])
        let run = try workspace.martlet("docs", "--html", "site", "r.rules")
        #expect(run.code == 0)
        let index = try workspace.read("site/index.html")
        #expect(index.contains("<a href=\"rule.failed.html\">failed</a>"))
        #expect(index.contains("&lt;img src=x&gt;") && !index.contains("<img"))
        #expect(index.contains("credential-access") && index.contains("T1110.003"))
        let page = try workspace.read("site/rule.failed.html")
        #expect(page.contains("<svg") && page.contains(">firing</text>"))
        #expect(page.contains("<summary>three</summary>"))
        #expect(page.contains("over login where result == &quot;fail&quot;"))
        for page in [index, page] {
            #expect(!page.contains("<script") && page.contains("default-src 'none'"))
        }
        #expect(try workspace.martlet("docs").code == 3)
    }

    @Test("`docs` removes the pages that it wrote for rules that are gone, and nothing else")
    func docsOfGoneRules() throws {
        let workspace = try Workspace()
        func docs(_ names: String...) throws -> CommandRun {
            let rules = names.map { name in
                """
                rule \(name) {
                  sequence by user within 1m { a: login }
                  alert "{user}"
                }

                """
            }
            try workspace.write("r.rules", "event login { user: text }\n" + rules.joined())
            return try workspace.martlet("docs", "--html", "site", "r.rules")
        }
        func pages() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: workspace.path + "/site").sorted()
        }
        try workspace.write("site/rule.mine.html", "mine")
        try workspace.write("site/style.css", "mine")
        let first = try docs("one", "two", "three", "four")
        #expect(first.code == 0, "\(first.errors)")
        #expect(!first.errors.contains("removed"))
        // Somebody changed one, and removed one.
        try workspace.write("site/rule.two.html", "better words")
        try FileManager.default.removeItem(atPath: workspace.path + "/site/rule.four.html")
        // Somebody wrote into the list what is no page of ours.
        let list = try workspace.read("site/.martlet-docs")
        let hash = try #require(
            list.split(separator: "\n").last { $0.hasSuffix("rule.three.html") }?
                .split(separator: " ").first)
        try workspace.write("precious.html", try workspace.read("site/rule.three.html"))
        try workspace.write("site/other.html", try workspace.read("site/rule.three.html"))
        try workspace.write(
            "site/.martlet-docs",
            list
                + "\(hash) ../precious.html\n\(hash) rule./../../precious.html\n\(hash) other.html\n"
        )
        let second = try docs("one")
        #expect(second.code == 0, "\(second.errors)")
        #expect(second.errors.contains("removed 1 of rules that are gone"), "\(second.errors)")
        #expect(second.errors.contains("`site/rule.two.html` stays"), "\(second.errors)")
        #expect(
            try pages() == [
                ".martlet-docs", "index.html", "other.html", "rule.mine.html", "rule.one.html",
                "rule.two.html", "style.css",
            ])
        #expect(try workspace.read("precious.html").contains("<html"))
        // Rules that do not compile remove nothing.
        try workspace.write("r.rules", "rule x {")
        #expect(try workspace.martlet("docs", "--html", "site", "r.rules").code == 2)
        #expect(try pages().contains("rule.one.html"))
        // What was changed belongs to whoever changed it, and is not told again.
        let third = try docs("five")
        #expect(!third.errors.contains("rule.two.html"), "\(third.errors)")
        #expect(try !pages().contains("rule.one.html"))
        #expect(try workspace.read("site/rule.two.html") == "better words")
        // Nor is it written over when the rule comes again, and then nothing else is written either.
        let fourth = try docs("two", "six")
        #expect(fourth.code == 4)
        #expect(
            fourth.errors.contains(
                "`site/rule.two.html` is there already and is not as `docs` wrote it"),
            "\(fourth.errors)")
        #expect(try workspace.read("site/rule.two.html") == "better words")
        #expect(try !pages().contains("rule.six.html"))
        // A page of somebody else's site has the name that the first page would have.
        try workspace.write("other/index.html", "mine")
        let fifth = try workspace.martlet("docs", "--html", "other", "r.rules")
        #expect(fifth.code == 4 && fifth.errors.contains("`other/index.html`"), "\(fifth.errors)")
        #expect(try workspace.read("other/index.html") == "mine")
    }
}
