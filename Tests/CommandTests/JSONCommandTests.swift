import Foundation
import Testing

@Suite("rules as JSON") struct JSONCommandTests {
    private let text = """
        # At the top.

        event login {  # behind a brace
          user: text
          ok: bool  # behind a field
        }

        rule failed {
          severity high
          # Inside.
          sequence by user within 5m {
            at least 3 fails: login where not ok
            then success: login where ok and (
                  user != "a" or user starts with "a very long name that makes the line break" or user == "c"
                )
          }

          alert "{user} failed \\"{fails.count}\\" times {{"
        }

        test "three" for failed {
          at 0s login { user: "ann", ok: false } repeat 3 every 1s
          at 9s login {
            user: "a name so long that the fields of this event stand on lines of their own", ok: true
          } repeat 2 every 1s
          expect alert at 9s with fails.count == 3
        }

        """

    @Test("what goes through JSON comes back in its canonical form, comments included")
    func roundTrip() throws {
        let workspace = try Workspace(["r.rules": text])
        #expect(try workspace.martlet("fmt", "r.rules").code == 0)
        let formatted = try workspace.read("r.rules")
        let json = try workspace.martlet("to-json", "r.rules")
        #expect(json.code == 0, "\(json.errors)")
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let clauses = try #require(document["clauses"] as? [[String: Any]])
        let rule = try #require(clauses.first { $0["word"] as? String == "rule" })
        #expect(rule["name"] as? String == "failed")
        let body = try #require(rule["body"] as? [[String: Any]])
        #expect(
            body.map { $0["word"] as? String ?? "#" } == ["severity", "#", "sequence", "alert"])
        let back = try workspace.martlet("from-json", input: json.output)
        #expect(back.code == 0, "\(back.errors)")
        #expect(back.output == formatted)
    }

    @Test("every shipped rule file comes back as it is")
    func shipped() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let workspace = try Workspace()
        let all = try workspace.martlet("to-json", root.appendingPathComponent("rules").path)
        #expect(all.code == 0, "\(all.errors)")
        let lines = all.output.split(separator: "\n")
        #expect(lines.count > 20)
        for line in lines {
            let document = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let path = try #require(document["file"] as? String)
            let back = try workspace.martlet("from-json", input: String(line))
            #expect(back.output == (try String(contentsOfFile: path, encoding: .utf8)), "\(path)")
        }
    }

    @Test("a program can make rules, and what is no rule is refused")
    func made() throws {
        let workspace = try Workspace()
        let made = try workspace.martlet(
            "from-json",
            input: """
                {"schema": 1, "clauses": [
                  {"text": "event login", "body": [{"text": "user: text"}]},
                  {"text": "rule seen", "space": true, "body": [
                    {"text": "sequence by user", "body": [{"text": "a: login"}]},
                    {"text": "alert \\"{user}\\""}
                  ]}
                ]}
                """)
        #expect(made.code == 0, "\(made.errors)")
        try workspace.write("m.rules", made.output)
        #expect(try workspace.martlet("check", "m.rules").code == 0)
        let schema = try workspace.martlet("to-json", "--schema")
        let page = try JSONSerialization.jsonObject(with: Data(schema.output.utf8))
        #expect((page as? [String: Any])?["$defs"] != nil)
        try workspace.write("bad.rules", "rule x {")
        #expect(try workspace.martlet("to-json", "bad.rules").code == 2)
    }

    @Test(
        "what is no rule file as JSON is refused, with the place, what is and what is needed",
        arguments: [
            ("{", ["no JSON", "line 1, column 2"]),
            ("{\"schema\":1,\n \"clauses\": nil}", ["no JSON", "line 2, column 13"]),
            ("[]", ["at the top: this is an array, and an object is needed"]),
            ("{}", ["at the top: the member `schema` is missing"]),
            (#"{"schema":1}"#, ["at the top: the member `clauses` is missing"]),
            (#"{"schema":2,"clauses":[]}"#, ["at `/schema`: this is the number 2"]),
            (#"{"schema":1,"file":null,"clauses":[]}"#, ["at `/file`: this is `null`", "text"]),
            (#"{"schema":1,"clauses":{}}"#, ["at `/clauses`: this is an object", "array"]),
            (#"{"schema":1,"clauses":[],"a/b~":1}"#, ["at `/a~1b~0`: a rule file has no member"]),
            (#"{"schema":1,"clauses":[{"body":[]}]}"#, ["at `/clauses/0`", "`text`", "`comment`"]),
            (
                #"{"schema":1,"clauses":[{"text":"event x","boddy":[]}]}"#,
                ["at `/clauses/0/boddy`", "a similar name: `body`"]
            ),
            (
                #"{"schema":1,"clauses":[{"text":"event x","body":[{"text":"a: text"},3]}]}"#,
                ["at `/clauses/0/body/1`: this is the number 3, and an object is needed"]
            ),
            (#"{"schema":1,"clauses":[{"text":" "}]}"#, ["at `/clauses/0/text`", "empty"]),
            (
                #"{"schema":1,"clauses":[{"text":"x","text":"y"}]}"#,
                ["at `/clauses/0/text`", "stands twice"]
            ),
            (
                #"{"schema":1,"clauses":[{"text":"event x","body":[],"space":false}]}"#,
                ["at `/clauses/0/space`: this is `false`"]
            ),
            (#"{"schema":1,"clauses":[{"text":"x","after":"y"}]}"#, ["at `/clauses/0/after`"]),
            (#"{"schema":1,"clauses":[{"comment":"a"}]}"#, ["at `/clauses/0/comment`", "`#`"]),
            (
                ##"{"schema":1,"clauses":[{"comment":"# a","body":[]}]}"##,
                ["at `/clauses/0/body`", "a clause of its own"]
            ),
            (
                ##"{"schema":1,"clauses":[{"comment":"# a","space":true},{"text":"rule x"}]}"##,
                ["error[", "line 3 of the rules is made of `/clauses/1`"]
            ),
        ] as [(String, [String])])
    func refused(input: String, words: [String]) throws {
        let run = try Workspace().martlet("from-json", input: input)
        #expect(run.code == 2)
        #expect(run.output == "")
        for word in words { #expect(run.errors.contains(word), "\(run.errors)") }
    }
}
