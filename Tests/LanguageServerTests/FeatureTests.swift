import LanguageServer
import RuleSyntax
import Testing

@Suite("Features") struct FeatureTests {
    // MARK: - Diagnostics and fixes

    @Test("a mistake shows with its number, its other places, and advice") func diagnostics() {
        var client = TestClient.withRule()
        client.change(
            TestClient.ruleURI, TestClient.rule.replacing("then payout:", with: "then success:"))
        let finding = client.diagnostics[TestClient.ruleURI]?.first { $0["severity"]?.integer == 1 }
        #expect(finding?["code"]?.text == "E0303")
        #expect(finding?["source"]?.text == "martlet")
        #expect(client.text(at: finding?["range"], in: TestClient.ruleURI) == "success")
        let related = finding?["relatedInformation"]?.elements?.first
        #expect(related?["location"]?["uri"]?.text == TestClient.ruleURI)
        client.change(TestClient.ruleURI, TestClient.rule)
        #expect(client.diagnostics[TestClient.ruleURI]?.isEmpty == true)
    }

    @Test("what is never used is marked so") func unused() {
        var client = TestClient.withRule()
        client.change(TestClient.ruleURI, "let spare = 1\n" + TestClient.rule)
        let finding = client.diagnostics[TestClient.ruleURI]?.first
        #expect(finding?["tags"] == [1])
    }

    private func actions(
        _ client: inout TestClient, at marked: String, only: [JSONDocument] = []
    ) -> [JSONDocument] {
        let place = client.place(marked)
        var context: [(String, JSONDocument)] = [("diagnostics", [])]
        if !only.isEmpty { context.append(("only", .array(only))) }
        return client.request(
            "textDocument/codeAction",
            [
                "textDocument": ["uri": .text(TestClient.ruleURI)],
                "range": ["start": place, "end": place], "context": .object(context),
            ]
        ).elements ?? []
    }

    @Test("a fix of the compiler mends the file") func quickFix() {
        var client = TestClient.withRule()
        client.change(
            TestClient.ruleURI,
            TestClient.rule.replacing("result == \"fail\"", with: "resul == \"fail\""))
        let fixes = actions(&client, at: "re‸sul ==")
        let edits = fixes.first?["edit"]?["changes"]?[TestClient.ruleURI]?.elements ?? []
        #expect(fixes.first?["kind"]?.text == "quickfix")
        #expect(client.applying(edits, to: TestClient.ruleURI) == TestClient.rule)
        #expect(actions(&client, at: "seve‸rity high").isEmpty)
    }

    @Test("every safe fix at once, and no other") func fixAll() {
        var client = TestClient.withRule()
        let wrong = TestClient.rule.replacing("result == \"fail\"", with: "result = \"fail\"")
        client.change(TestClient.ruleURI, wrong)
        let all = actions(&client, at: "seve‸rity high", only: ["source.fixAll"])
        let edits = all.first?["edit"]?["changes"]?[TestClient.ruleURI]?.elements ?? []
        #expect(client.applying(edits, to: TestClient.ruleURI) == TestClient.rule)
    }

    // MARK: - Hover

    private func hover(
        _ client: inout TestClient, _ marked: String, in uri: String = TestClient.ruleURI
    )
        -> String
    {
        client.ask("hover", at: marked, in: uri)["contents"]?["value"]?.text ?? ""
    }

    @Test("names say their type, their place, and what they stand for") func hoverNames() {
        var client = TestClient.withRule()
        let field = hover(&client, "re‸sult == \"fail\"")
        #expect(field.contains("result: \"ok\" | \"fail\""))
        #expect(field.contains("field of `shop.login`; declared in `schema.rules:5`"))
        #expect(hover(&client, "shop.lo‸gin where result == \"ok\"").contains("geo.country: text?"))
        let step = hover(&client, "failed‸.last")
        #expect(step.contains("at least 3 failed: shop.login where result == \"fail\""))
        #expect(step.contains("`failed.count`"))
        let key = hover(&client, "{us‸er}")
        #expect(key.contains("`shop.login`") && key.contains("`shop.payout`"))
    }

    @Test("a rule says what it does, what it keeps and what it costs") func hoverRule() {
        var client = TestClient.withRule()
        for place in ["rule take‸over {", "for take‸over", "seq‸uence by"] {
            let text = hover(&client, place)
            #expect(text.contains("Waits for"))
            #expect(text.contains("bound: 1 run per key"))
            #expect(text.contains("conditions per batch"))
        }
    }

    @Test("functions, numbers of messages, and mistakes say what they mean") func hoverWords() {
        var client = TestClient.withRule()
        client.change(
            TestClient.ruleURI,
            "let far = geo_km(52.5, 13.4, 48.9, 2.4)\n"
                + TestClient.rule.replacing(
                    "severity high", with: "severity huge\n  allow W0605 \"later\""
                )
                .replacing("{failed.count}", with: "{round(failed.count)}"))
        #expect(hover(&client, "geo‸_km(").contains("The distance between two places"))
        #expect(hover(&client, "{rou‸nd(").contains("The nearest whole number"))
        #expect(hover(&client, "allow W06‸05").contains("**W0605** unused"))
        #expect(hover(&client, "severity hu‸ge").contains("**E0415** bad-metadata"))
        #expect(hover(&client, "let f‸ar").contains("constant: number"))
        #expect(hover(&client, "the‸n success") == "")
    }

    // MARK: - Navigation

    private func places(_ client: TestClient, _ list: JSONDocument) -> [String] {
        (list.elements ?? []).map { location in
            let uri = location["uri"]?.text ?? ""
            let line = (location["range"]?["start"]?["line"]?.integer ?? -1) + 1
            return
                "\(uri.split(separator: "/").last ?? ""):\(line) \(client.text(at: location["range"], in: uri))"
        }
    }

    @Test("names lead to their declarations") func definition() {
        var client = TestClient.withRule()
        func target(_ marked: String) -> [String] {
            places(client, client.ask("definition", at: marked))
        }
        #expect(target("re‸sult == \"fail\"") == ["schema.rules:5 result"])
        #expect(target("shop.p‸ayout\n") == ["schema.rules:8 shop.payout"])
        #expect(target("failed.last.s‸rc_ip") == ["schema.rules:3 src_ip"])
        #expect(target("{failed‸.count}") == ["takeover.rules:4 failed"])
        #expect(target("for take‸over") == ["takeover.rules:1 takeover"])
        #expect(target("sequence by us‸er") == ["schema.rules:2 user", "schema.rules:9 user"])
        #expect(target("with‸in 5m") == [])
    }

    @Test("an import leads to its file") func importDefinition() {
        var client = TestClient.withRule()
        client.change(TestClient.ruleURI, "import \"schema.rules\"\n" + TestClient.rule)
        #expect(places(client, client.ask("definition", at: "\"sch‸ema")) == ["schema.rules:1 "])
    }

    @Test("references: everywhere the same thing is meant") func references() {
        var client = TestClient.withRule()
        client.open(TestClient.schemaURI, TestClient.schema)
        let parameters: JSONDocument = [
            "textDocument": ["uri": .text(TestClient.schemaURI)],
            "position": client.place("acc‸ount: text", in: TestClient.schemaURI),
            "context": ["includeDeclaration": false],
        ]
        let found = client.request("textDocument/references", parameters)
        #expect(
            places(client, found) == ["takeover.rules:8 account", "takeover.rules:14 account"])
        let highlights = client.ask("documentHighlight", at: "failed‸.last").elements ?? []
        #expect(highlights.map { $0["kind"]?.integer } == [3, 2, 2, 2])
    }

    // MARK: - Rename

    private func renamed(_ marked: String, to name: String, _ text: String = TestClient.rule)
        -> (rule: String, schema: String, error: String)
    {
        var client = TestClient()
        client.open(TestClient.ruleURI, text)
        var parameters = client.parameters(marked)
        if case .object(let members) = parameters {
            parameters = .object(members + [("newName", .text(name))])
        }
        let response = client.response("textDocument/rename", parameters)
        let changes = response["result"]?["changes"]
        func result(_ uri: String) -> String {
            client.applying(changes?[uri]?.elements ?? [], to: uri)
        }
        return (
            result(TestClient.ruleURI), result(TestClient.schemaURI),
            response["error"]?["message"]?.text ?? ""
        )
    }

    @Test("a rename changes every place and nothing else") func rename() {
        let step = renamed("failed‸.last", to: "missed")
        #expect(step.error == "")
        #expect(
            step.rule
                == TestClient.rule.replacing("failed:", with: "missed:")
                .replacing("failed.", with: "missed."))
        let field = renamed("{payout.acc‸ount}", to: "iban")
        #expect(field.schema == TestClient.schema.replacing("account", with: "iban"))
        #expect(field.rule == TestClient.rule.replacing("account", with: "iban"))
        // The key is a field of both event types.
        let key = renamed("sequence by us‸er", to: "person")
        #expect(key.schema == TestClient.schema.replacing("user", with: "person"))
        #expect(
            key.rule
                == TestClient.rule.replacing("by user", with: "by person")
                .replacing("{user}", with: "{person}").replacing("user:", with: "person:"))
        let event = renamed("shop.pay‸out\n", to: "shop.payment.out")
        #expect(event.rule == TestClient.rule.replacing("shop.payout", with: "shop.payment.out"))
        let rule = renamed("for take‸over", to: "account_taken")
        #expect(rule.rule == TestClient.rule.replacing("takeover", with: "account_taken"))
    }

    @Test("declared things of every kind can be renamed") func renameKinds() {
        let text = """
            let limit = 3
            list hosts of text = ["a"]
            schedule office = "Mon-Fri 08:00-18:00" in "Europe/Berlin"
            select good = shop.login where result == "ok"
            define twice(x) = x * 2
            sink soc {
              file "alerts.ndjson"
            }
            rule many {
              active during office
              threshold by user {
                over good where user in list hosts
                window 5m sliding
                measure tries = count
                when tries > twice(limit)
              }
              alert "{tries}"
              send to soc
            }
            """
        for (marked, old) in [
            ("twice(lim‸it)", "limit"), ("in list ho‸sts", "hosts"),
            ("active during off‸ice", "office"),
            ("over go‸od", "good"), ("tw‸ice(limit)", "twice"), ("send to s‸oc", "soc"),
            ("{tr‸ies}", "tries"),
        ] {
            let result = renamed(marked, to: "renamed", text)
            #expect(result.error == "", "\(old)")
            #expect(result.rule == text.replacing(old, with: "renamed"), "\(old)")
        }
        let parameter = renamed("define twice(‸x)", to: "n", text)
        #expect(parameter.rule == text.replacing("(x) = x", with: "(n) = n"))
    }

    @Test("a rename that would change what is meant is refused") func renameRefused() {
        #expect(renamed("failed‸.last", to: "success").error.contains("defined twice"))
        #expect(renamed("failed‸.last", to: "two words").error.contains("no name"))
        #expect(renamed("failed‸.last", to: "a.b").error.contains("no name"))
        #expect(renamed("failed‸.last", to: "").error.contains("no name"))
        #expect(renamed("failed‸.last", to: "9x").error.contains("no name"))
        #expect(renamed("failed‸.last", to: "where").error != "")
        // A step of this name would take the place of the field in the condition behind it.
        #expect(renamed("failed‸.last", to: "result").error.contains("result"))
        #expect(renamed("{us‸er}", to: "account").error.contains("defined twice"))
        #expect(renamed("sever‸ity", to: "x").error.contains("nothing that can be renamed"))
    }

    @Test("what is to be renamed is shown first") func prepareRename() {
        var client = TestClient.withRule()
        let answer = client.ask("prepareRename", at: "failed‸.last")
        #expect(answer["placeholder"]?.text == "failed")
        let refused = client.response("textDocument/prepareRename", client.parameters("seve‸rity"))
        #expect(refused["error"]?["code"]?.integer == -32803)
    }

    // MARK: - Views of a file

    private func ask(_ method: String, _ client: inout TestClient) -> JSONDocument {
        client.request(
            "textDocument/" + method, ["textDocument": ["uri": .text(TestClient.ruleURI)]])
    }

    @Test("symbols: rules with their steps, tests") func symbols() {
        var client = TestClient.withRule()
        let symbols = ask("documentSymbol", &client).elements ?? []
        #expect(symbols.map { $0["name"]?.text } == ["takeover", "three and out"])
        #expect(
            symbols[0]["children"]?.elements?.map { $0["name"]?.text }
                == ["failed", "success", "payout"])
        #expect(client.text(at: symbols[0]["selectionRange"], in: TestClient.ruleURI) == "takeover")
    }

    @Test("formatting gives the canonical form") func formatting() {
        var client = TestClient.withRule()
        client.change(
            TestClient.ruleURI,
            TestClient.rule.replacing("  severity high", with: "severity    high")
                + "\n")
        let edits = ask("formatting", &client).elements ?? []
        #expect(edits.count == 1)
        #expect(client.applying(edits, to: TestClient.ruleURI) == TestClient.rule + "\n")
        // Only the line that differs is touched.
        #expect(edits[0]["range"]?["start"]?["line"]?.integer == 1)
        #expect(edits[0]["range"]?["end"]?["line"]?.integer == 2)
        client.change(TestClient.ruleURI, TestClient.rule + "\n")
        #expect(ask("formatting", &client) == [])
        client.change(TestClient.ruleURI, "rule {")
        let refused = client.response(
            "textDocument/formatting", ["textDocument": ["uri": .text(TestClient.ruleURI)]])
        #expect(refused["error"]?["message"]?.text?.contains("syntax error") == true)
    }

    @Test("inlay hints: types that are not written, and the bound") func inlayHints() {
        var client = TestClient.withRule()
        client.change(
            TestClient.ruleURI,
            """
            let limit = 5m
            rule many {
              threshold by user {
                over shop.login
                window 5m sliding
                measure users = distinct(user)
                when users > 3 and limit > 1m
              }
              alert "x"
            }
            """)
        let hints = ask("inlayHint", &client).elements ?? []
        #expect(
            hints.map { $0["label"]?.text } == [": duration", "keeps at most 29 TB", ": number"])
        #expect(hints.map { $0["position"]?["line"]?.integer } == [0, 1, 5])
        #expect(hints[1]["tooltip"]?.text?.contains("per key") == true)
    }

    @Test("a lens runs one test or all tests of a rule") func codeLens() {
        var client = TestClient.withRule()
        let lenses = ask("codeLens", &client).elements ?? []
        #expect(lenses.map { $0["command"]?["title"]?.text } == ["run its test", "run test"])
        for lens in lenses {
            let command = lens["command"]
            let result = client.request(
                "workspace/executeCommand",
                ["command": command?["command"] ?? "", "arguments": command?["arguments"] ?? []])
            #expect(result["text"]?.text == "ran three and out")
        }
        let shown = client.notifications.last
        #expect(shown?["method"]?.text == "window/showMessage")
        #expect(shown?["params"]?["message"]?.text == "ran three and out")
        client.change(
            TestClient.ruleURI,
            TestClient.rule.replacing("shop.payout\n", with: "shop.payout where x = \n"))
        let failed = client.request(
            "workspace/executeCommand",
            ["command": "martlet.runTest", "arguments": [.text(TestClient.ruleURI), "takeover"]])
        #expect(failed["passed"]?.bool == false)
        #expect(failed["text"]?.text?.hasPrefix("nothing was run") == true)
        let unknown = client.response(
            "workspace/executeCommand", ["command": "martlet.juggle", "arguments": []])
        #expect(unknown["error"]?["code"]?.integer == -32602)
    }

    @Test("blocks and comments fold") func folding() {
        var client = TestClient.withRule()
        client.change(TestClient.ruleURI, "# one\n# two\n" + TestClient.rule)
        let folds = ask("foldingRange", &client).elements ?? []
        let lines = folds.map {
            "\($0["startLine"]?.integer ?? -1)-\($0["endLine"]?.integer ?? -1)"
        }
        #expect(lines.sorted() == ["0-1", "12-16", "2-9", "4-7"])
    }

    // MARK: - Semantic tokens

    @Test("every token has the colour of what it means") func semanticTokens() {
        var client = TestClient.withRule()
        let text = """
            # a comment
            rule takeover {
              severity high
              sequence by user within 5m {
                at least 3 failed: shop.login where result == "fail" and length(user) > 2
              }
              alert "🐦 {failed.count} by {user}"
            }
            """
        client.change(TestClient.ruleURI, text)
        let shown = tokens(ask("semanticTokens/full", &client), text)
        let expected = [
            "comment # a comment", "keyword rule", "event* takeover", "keyword severity",
            "enumMember high", "keyword sequence", "keyword by", "property user", "keyword within",
            "number 5m", "keyword at", "keyword least", "number 3", "variable* failed", "type shop",
            "type login", "keyword where", "property result", "operator ==", "string \"fail\"",
            "keyword and", "function length", "property user", "operator >", "number 2",
            "keyword alert", "string \"🐦 {", "variable failed", "string .count} by {",
            "property user", "string }\"",
        ]
        #expect(shown == expected)
    }

    /// The tokens as words: type, a star at a declaration, text.
    private func tokens(_ answer: JSONDocument, _ text: String) -> [String] {
        let types = [
            "type", "property", "variable", "parameter", "function", "keyword", "string", "number",
            "regexp", "comment", "enumMember", "operator", "namespace", "event",
        ]
        let numbers = (answer["data"]?.elements ?? []).compactMap(\.integer)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var (line, column) = (0, 0)
        return stride(from: 0, to: numbers.count, by: 5).map { index in
            column = numbers[index] > 0 ? numbers[index + 1] : column + numbers[index + 1]
            line += numbers[index]
            let units = Array(lines[line].utf16)[column..<column + numbers[index + 2]]
            let star = numbers[index + 4] & 1 == 1 ? "*" : ""
            return types[numbers[index + 3]] + star + " " + String(decoding: units, as: UTF16.self)
        }
    }
}

/// Names that go through what the engine makes: metrics, clusters, alerts.
@Suite("Names across kinds") struct KindTests {
    private static let uri = "file:///ws/rules/kinds.rules"
    private static let text = """
        event sale {
          region: text
          shop: text
          amount: number
        }
        metric revenue {
          by region
          over sale
          window 1m tumbling
          measure total = sum(amount)
          forecast total for 5m
        }
        rule low {
          sequence by region {
            a: metric.revenue where total < 5
          }
          alert "{region} {a.total}"
        }
        list links of pair = [["a", "b"]]
        rule odd {
          anomaly_cluster by region {
            measure sales = count of sale every 1m by shop
            baseline last 30
            anomalous when z(sales) > 4
            cluster when at least 2 shop within 5m linked by links
          }
          alert "odd"
        }
        rule both {
          correlation by region within 5m {
            first_one: alert low
            other: sale where amount > 5
            first_one before other within 1m
          }
          alert "{other.amount}"
        }
        """

    private func renamed(_ marked: String, to name: String) -> String {
        var client = TestClient(files: ["/ws/rules/kinds.rules": Self.text])
        client.open(Self.uri, Self.text)
        guard case .object(let members) = client.parameters(marked, in: Self.uri) else { return "" }
        let response = client.response(
            "textDocument/rename", .object(members + [("newName", .text(name))]))
        if let error = response["error"]?["message"]?.text { return error }
        return client.applying(
            response["result"]?["changes"]?[Self.uri]?.elements ?? [], to: Self.uri)
    }

    @Test(
        "a rename reaches every place",
        arguments: [
            ("{a.to‸tal}", "total"), ("metric.rev‸enue", "revenue"), ("by re‸gion\n", "region"),
            ("linked by li‸nks", "links"), ("z(sa‸les)", "sales"), ("first_one be‸fore", ""),
            ("alert lo‸w\n", "low"), ("first‸_one before", "first_one"),
            ("before oth‸er within", "other"), ("where amou‸nt", "amount"),
            ("every 1m by sh‸op", "shop"),
        ])
    func rename(marked: String, old: String) {
        let result = renamed(marked, to: "new_name")
        if old.isEmpty {
            #expect(result.contains("nothing that can be renamed"))
        } else {
            #expect(result == Self.text.replacing(old, with: "new_name"))
        }
    }
}
