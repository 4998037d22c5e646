import RuleCompiler
import RuleSyntax
import Testing

@testable import LanguageServer

@Suite("Completion") struct CompletionTests {
    private static let world = """
        list hosts of text = ["a"]
        schedule office = "Mon-Fri 08:00-18:00" in "Europe/Berlin"
        select good = shop.login where result == "ok"
        let limit = 3
        define twice(x) = x * 2
        sink soc {
          file "alerts.ndjson"
        }
        metric revenue {
          over shop.payout
          window 1m tumbling
          measure total = count
        }

        """

    /// What is offered at `‸` in a file that has the world above it.
    private func labels(_ marked: String) -> [String] { items(marked).map(\.label) }

    private func items(_ marked: String) -> [(label: String, inserted: String)] {
        var client = TestClient(
            capabilities: [
                "textDocument": ["completion": ["completionItem": ["snippetSupport": true]]]
            ])
        let uri = "file:///ws/rules/new.rules"
        client.open(uri, Self.world + marked.replacing("‸", with: ""))
        let before = (Self.world + marked.prefix { $0 != "‸" }).split(
            separator: "\n", omittingEmptySubsequences: false)
        let answer = client.request(
            "textDocument/completion",
            [
                "textDocument": ["uri": .text(uri)],
                "position": [
                    "line": .number(before.count - 1),
                    "character": .number(before[before.count - 1].utf16.count),
                ],
            ])
        return (answer["items"]?.elements ?? []).map {
            ($0["label"]?.text ?? "", $0["textEdit"]?["newText"]?.text ?? "")
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var place: String
        var offered: [String]
        var notOffered: [String]
        var testDescription: String { place }

        init(_ place: String, _ offered: [String], not: [String] = []) {
            self.place = place
            self.offered = offered
            notOffered = not
        }
    }

    private static func sequence(_ line: String) -> String {
        """
        rule r {
          sequence by user within 5m {
            at least 2 failed: shop.login where result == "fail"
            then one: shop.login
        \(line)
          }
          alert "x"
        }
        """
    }

    private static func threshold(_ line: String) -> String {
        """
        rule r {
          threshold by user {
            over shop.login
            window 5m sliding
            measure tries = count
        \(line)
            when tries > 3
          }
          alert "x"
        }
        """
    }

    private static func rule(_ line: String) -> String {
        sequence("").replacing("alert \"x\"", with: line)
    }

    static let cases: [Case] = [
        // Top level.
        Case("‸", ["rule", "event", "select", "sink"], not: ["severity", "then"]),
        Case("ru‸", ["rule"]),
        Case("select x = ‸", ["good", "shop.login", "metric.revenue"], not: ["user"]),
        Case("select x = shop.‸", ["login", "payout"], not: ["good", "shop.login"]),
        Case("select x = shop.login where ‸", ["user", "geo.country", "limit", "twice", "length"]),
        Case("select x = shop.login where geo.‸", ["country"], not: ["user"]),
        Case("select x = shop.login where result == ‸", ["\"ok\"", "\"fail\""]),
        Case("select x = shop.login where result == \"‸\"", ["\"ok\"", "\"fail\""], not: ["user"]),
        Case("select x = shop.login where result in [\"ok\", ‸]", ["\"ok\"", "\"fail\""]),
        Case("select x = shop.login where user ‸", ["==", "contains", "in list"], not: ["user"]),
        Case("select x = shop.login where user in list ‸", ["hosts"], not: ["user"]),
        Case("list l of ‸", ["text", "cidr", "table"]),
        Case("let x = ‸", ["limit", "round"], not: ["user"]),
        Case("define f(aa) = ‸", ["aa", "twice"], not: ["user"]),
        Case("test \"t\" for ‸", ["takeover"]),
        Case("event e {\n  a: ‸\n}", ["text", "ip"], not: ["severity"]),
        // A rule.
        Case("rule r {\n  ‸\n}", ["sequence", "severity", "alert", "suppress by"], not: ["event"]),
        Case("rule r {\n  severity ‸\n}", ["critical", "low"]),
        Case("rule r {\n  active during ‸\n}", ["office"]),
        Case(rule("send to ‸"), ["soc"]),
        Case(rule("suppress by ‸"), ["user", "one", "failed"]),
        Case(rule("attach failed.‸"), ["count", "first", "last", "src_ip"]),
        Case(rule("attach one.‸"), ["src_ip"], not: ["count"]),
        Case(rule("attach failed.last.‸"), ["src_ip"], not: ["count", "first"]),
        Case(rule("alert \"{‸}\""), ["user", "failed", "one", "matched_at"]),
        Case(rule("alert \"hello {one.‸\""), ["src_ip", "geo.country"]),
        Case(rule("allow ‸"), ["W0605"], not: ["E0301"]),
        Case("rule r {\n  sequence by ‸\n}", ["user", "account"]),
        Case("rule r {\n  sequence by user ‸ {\n  }\n}", ["within", "overlap latest"]),
        // A sequence.
        Case(sequence("    ‸"), ["then", "at least", "without", "all of"], not: ["user"]),
        Case(sequence("    then ‸"), ["at least", "no"], not: ["then"]),
        Case(sequence("    then two: ‸"), ["shop.login", "good", "alert"], not: ["user"]),
        Case(sequence("    then two: shop.login ‸"), ["where", "within"], not: ["user"]),
        Case(sequence("    then two: shop.payout where ‸"), ["account", "failed", "one", "two"]),
        Case(
            sequence("    then two: shop.payout\n      where account == ‸"),
            ["account", "one"], not: ["then"]),
        Case(sequence("    then two: shop.payout where account == \"a\" ‸"), ["and", "within"]),
        Case(sequence("    then two: shop.login where one.result != ‸"), ["\"ok\""]),
        Case(sequence("    then two: alert ‸"), ["takeover", "where"]),
        // A threshold.
        Case(threshold("    ‸"), ["over", "resolve when", "measure"], not: ["then"]),
        Case(threshold("    over ‸"), ["shop.login", "good"]),
        Case(threshold("    measure x = ‸"), ["count", "percentile"], not: ["user"]),
        Case(threshold("    measure x = distinct(‸"), ["user", "src_ip"], not: ["account"]),
        Case(threshold("    when ‸"), ["tries", "user"], not: ["src_ip"]),
        Case(threshold("    when tries > 3 ‸"), ["and", "for", "at least"]),
        Case(threshold("    window 5m ‸"), ["sliding", "tumbling"]),
        // A metric, a test, a deployment.
        Case("metric m {\n  ‸\n}", ["over", "forecast"], not: ["when"]),
        Case("test \"t\" for takeover {\n  ‸\n}", ["at", "expect nothing"], not: ["rule"]),
        Case("test \"t\" for takeover {\n  at 0s ‸\n}", ["shop.login"]),
        Case("test \"t\" for takeover {\n  at 0s shop.login { ‸ }\n}", ["user", "result"]),
        Case(
            "test \"t\" for takeover {\n  at 0s shop.login { user: \"u\", result: ‸ }\n}",
            ["\"ok\"", "\"fail\""], not: ["user"]),
        Case(
            "test \"t\" for takeover {\n  expect alert at 5s with ‸\n}",
            ["failed", "payout", "user"]),
        Case("source s {\n  ‸\n}", ["file", "decode", "lateness"], not: ["webhook"]),
        Case("sink s {\n  ‸\n}", ["webhook", "when", "rate"], not: ["decode"]),
        Case("sink s {\n  webhook {\n    ‸\n  }\n}", ["url", "secret"]),
        Case("engine {\n  ‸\n}", ["memory", "keys per rule", "events per key", "ids per source"]),
    ]

    @Test("what fits the place is offered, and nothing else", arguments: cases)
    func place(_ test: Case) {
        let labels = labels(test.place)
        for label in test.offered {
            #expect(labels.contains(label), "\(label) is not among \(labels)")
        }
        for label in test.notOffered { #expect(!labels.contains(label), "\(label)") }
        #expect(Set(labels).count == labels.count)
    }

    @Test(
        "in comments, numbers and plain text nothing is offered",
        arguments: [
            "# ru‸", "let x = 5‸", "let x = \"a‸\"", "rule r {\n  alert \"he‸llo\"\n}",
            "rule r {\n  title \"‸\"\n}", "rule r {\n  alert \"a {{‸\"\n}",
        ])
    func nothing(place: String) { #expect(labels(place) == []) }

    @Test("a form is put in where the client knows forms") func snippets() {
        let rule = items("ru‸").first { $0.label == "rule" }
        #expect(rule?.inserted.contains("${1:name}") == true)
        var plain = TestClient()
        plain.open("file:///ws/rules/new.rules", "ru")
        let items = plain.ask("completion", at: "ru‸", in: "file:///ws/rules/new.rules")["items"]
        let inserted = items?.elements?.map { $0["textEdit"]?["newText"]?.text ?? "" } ?? []
        #expect(inserted.contains("rule"))
        #expect(!inserted.contains { $0.contains("$") })
    }

    @Test("what was typed is replaced") func replacement() {
        var client = TestClient()
        let uri = "file:///ws/rules/new.rules"
        client.open(uri, "select x = shop.login where resu")
        let answer = client.ask("completion", at: "where re‸su", in: uri)
        let item = answer["items"]?.elements?.first { $0["label"]?.text == "result" }
        #expect(client.text(at: item?["textEdit"]?["range"], in: uri) == "resu")
    }

    @Test("functions come with what they do") func documentation() {
        var client = TestClient()
        let uri = "file:///ws/rules/new.rules"
        client.open(uri, "let x = ")
        let answer = client.ask("completion", at: "let x = ‸", in: uri)
        let item = answer["items"]?.elements?.first { $0["label"]?.text == "geo_km" }
        #expect(item?["detail"]?.text?.hasPrefix("geo_km(lat1: number") == true)
        #expect(item?["documentation"]?["value"]?.text?.contains("along the globe") == true)
    }

    @Test("every word that is offered is a word of the language") func words() {
        let settings: Set = [
            "decode", "idle", "dedup", "ids", "type", "rate", "lateness", "listen", "memory",
            "keys",
            "rule",
            "pair", "table", "text",
        ]
        for word in CompletionWords.all.flatMap(\.self).flatMap({ $0.label.split(separator: " ") })
        where word.first?.isLetter == true {
            let isKeyword = Keyword(rawValue: String(word)) != nil
            #expect(isKeyword || settings.contains(String(word)), "\(word)")
        }
        for word in CompletionWords.declarations {
            #expect(Keyword(rawValue: word.label) != nil)
        }
    }
}
