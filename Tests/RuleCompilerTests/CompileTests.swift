import Foundation
import RuleModel
import RuleSyntax
import Testing

@testable import RuleCompiler

/// What `compile` makes of whole rule sets.
@Suite("Compiling rules")
struct CompileTests {
    private static let login = "event login { user: text, ip: ip, ok: bool, port: number? }\n"

    private func compiled(_ text: String, tests: Bool = false) throws -> Compilation {
        let result = compile(
            [SourceText(name: "a.rules", text: Self.login + text)],
            options: CompileOptions(includesTests: tests))
        let errors = result.diagnostics.filter { $0.severity == .error }.map(\.message)
        try #require(errors.isEmpty, "\(errors)")
        return result
    }

    private func sequence(_ text: String) throws -> (plan: SequencePlan, tables: RuleSetTables) {
        let result = try compiled(text)
        guard case .sequence(let plan) = result.plans[0].pattern else {
            throw TestFailure("not a sequence")
        }
        return (plan, result.tables)
    }

    private struct TestFailure: Error {
        var text: String
        init(_ text: String) { self.text = text }
    }

    private func rule(_ head: String, _ steps: String, alert: String = "x") -> String {
        "rule r {\n  sequence by user \(head) {\n\(steps)\n  }\n  alert \"\(alert)\"\n}\n"
    }

    @Test("keeps of an event only what a later condition or the alert reads")
    func captured() throws {
        let (plan, tables) = try sequence(
            rule(
                "within 5m",
                "a: login where port > 5 and not ok\nthen b: login where ip == a.ip and ok",
                alert: "{a.time} {b.port}"))
        let names = plan.steps.map {
            $0.captured.map { tables.fields[Int($0.rawValue)].path.description }
        }
        #expect(names == [["ip"], ["port"]])
    }

    @Test("splits a condition into what looks at the event and what looks at other events")
    func split() throws {
        let (plan, _) = try sequence(
            rule("within 5m", "a: login\nthen b: login where ok and ip == a.ip"))
        #expect(plan.steps[1].eventCondition?.isEventOnly == true)
        #expect(plan.steps[1].runCondition?.isEventOnly == false)
    }

    @Test("takes the time a match may last from the whole or from all its steps")
    func horizon() throws {
        let steps =
            "a: login\nthen b: login where ok within 2m\nthen no c: login where not ok within 3m"
        #expect(try sequence(rule("within 7m", steps)).plan.horizon == TimeSpan.minute * 7)
        #expect(try sequence(rule("", steps)).plan.horizon == TimeSpan.minute * 5)
        let counted = try sequence(
            rule("unbounded limit 9 runs", "a: login\nthen b: login where ok")
        ).plan
        #expect(counted.horizon == nil)
        #expect(counted.runLimit == 9)
    }

    @Test("gives each input its condition and its own field for the key")
    func inputs() throws {
        let (plan, tables) = try sequence(
            """
            event flow { src.user: text, size: number }
            select good = login where ok
            """ + "\n"
                + rule(
                    "within 5m",
                    "a: good\nthen b: good where port == 1\nthen c: flow by user = src.user\nthen d: login"
                ))
        #expect(plan.inputs.map(\.name) == ["good", "flow", "login"])
        #expect(plan.steps.map(\.input) == [0, 0, 1, 2])
        #expect(plan.inputs.map { $0.condition != nil } == [true, false, false])
        let keys = plan.inputs.map { tables.fields[Int($0.key[0].rawValue)].path.description }
        #expect(keys == ["user", "src.user", "user"])
    }

    @Test("replaces a definition by its body, whose names never mean those of the use")
    func hygiene() throws {
        // `ip` of the definition is its parameter, whatever the event has under that name.
        let (plan, tables) = try sequence(
            "define same(ip, x) = ip == x.ip and x.ok\n"
                + rule("within 5m", "a: login\nthen b: login where same(a.ip, b)"))
        let ip = tables.fields.firstIndex { $0.path.description == "ip" }
        let field = FieldID(rawValue: Int32(try #require(ip)))
        #expect(
            plan.steps[1].runCondition
                == .compare(
                    .equal, .stepField(StepID(0), .only, field), .field(field), ignoringCase: false)
                || plan.steps[1].runCondition
                    == .compare(
                        .equal, .field(field), .stepField(StepID(0), .only, field),
                        ignoringCase: false)
        )
    }

    @Test("reads constants in the type of the other side")
    func coercion() throws {
        let (plan, _) = try sequence(
            rule("", "a: login where ip in [\"10.0.0.1\", \"::ffff:10.0.0.1\"]"))
        let address = Value.ip(IPAddress(version4: 0x0A00_0001))
        guard case .member(_, of: .constant(.list(let values)), _) = plan.steps[0].eventCondition
        else {
            Issue.record("not a list of constants")
            return
        }
        #expect(values == [address, address])
    }

    @Test("makes an aggregate in a condition or message a measure, each once")
    func implicitMeasures() throws {
        let result = try compiled(
            """
            rule r {
              threshold by user {
                over login
                window 5m sliding
                when count > 5 and distinct(ip) > 2
              }
              alert "{count} {distinct(ip)} {max(port)}"
            }
            """)
        guard case .threshold(let plan) = result.plans[0].pattern else {
            Issue.record("not a threshold")
            return
        }
        #expect(plan.measures.map(\.name) == ["count", "distinct(ip)", "max(port)"])
    }

    @Test("adds the expectations of tests to the rule's probes, with both sides of comparisons")
    func probes() throws {
        let text =
            rule("", "a: login where ok", alert: "{a.port}") + """
                test "t" for r {
                  at 5s login { user: "ann", ip: "10.0.0.1", ok: true, port: 22 } repeat 2 every 1s
                  expect alert at 5s with a.port == 22, a.ok
                  expect nothing else
                }
                """
        #expect(try compiled(text).plans[0].probes.isEmpty)
        let result = try compiled(text, tests: true)
        #expect(result.plans[0].probes.count == 4)
        let test = result.tests[0]
        #expect(test.rule == RuleID(0))
        guard case .event(let event, time: let time, count: 2, every: .second) = test.lines[0].kind,
            case .expect(.alert, at: _, with: let expected) = test.lines[1].kind
        else {
            Issue.record("\(test.lines)")
            return
        }
        #expect(time.description == "2026-01-01T00:00:05Z")
        #expect(event.type == EventTypeID(rawValue: 0))
        #expect(event.fields[1].value == .ip(IPAddress(version4: 0x0A00_0001)))
        #expect(expected.map(\.condition) == [0, 3])
        #expect(expected[0].sides?.right == 2 && expected[1].sides == nil)
    }

    @Test("D4 checks every file together, whatever is wrong with another")
    func files() {
        let bad = "rule broken { sequence by user { a: login where"
        let other = "rule other {\nsequence { a: login where usr == \"x\" }\nalert \"{a.time}\"\n}"
        let good = "rule good {\nsequence { a: login where ok }\nalert \"{a.time}\"\n}"
        let result = compile([
            SourceText(name: "a.rules", text: bad),
            SourceText(name: "b.rules", text: Self.login + other),
            SourceText(name: "c.rules", text: good),
        ])
        #expect(result.plans.map(\.name) == ["good"])
        #expect(result.ruleCount == 3)
        #expect(result.program == nil)
        #expect(Set(result.diagnostics.map(\.primary.range.source.rawValue)) == [0, 1])
    }

    @Test("reads imports relative to the importing file, each file once")
    func imports() {
        let files = [
            "rules/schemas/login.rules": Self.login + "import \"../main.rules\"\n",
            "rules/more.rules": "import \"schemas/./login.rules\"\n",
        ]
        let main = """
            import "schemas/login.rules"
            import "more.rules"
            rule good {
              sequence { a: login where ok }
              alert "{a.time}"
            }
            """
        let result = compile(
            [
                SourceText(name: "rules/main.rules", text: main),
                SourceText(name: "rules/main.rules", text: main),
            ],
            options: CompileOptions(load: { path in
                files[path].map { SourceText(name: path, text: $0) }
            }))
        #expect(
            result.sources.map(\.name) == [
                "rules/main.rules", "rules/schemas/login.rules", "rules/more.rules",
            ])
        #expect(result.plans.count == 1 && !result.hasErrors)
    }

    @Test("puts rules behind those whose alerts they read, all in one shard")
    func places() throws {
        func over(_ name: String, _ source: String) -> String {
            "rule \(name) {\nsequence { hit: \(source) }\nalert \"{hit.time}\"\n}\n"
        }
        let result = try compiled(
            rule("", "a: login where ok", alert: "{a.time}") + over("free", "login where not ok")
                + over("second", "alert r where severity >= high") + over("third", "alert second")
                + over("all", "alert where severity >= low") + over("last", "alert all"))
        #expect(result.diagnostics.isEmpty)
        #expect(result.plans.map(\.place.depth) == [0, 0, 1, 2, 3, 4])
        #expect(Set(result.plans.map(\.place.home)) == [0])
        #expect(result.plans.map(\.place.isRead) == [true, true, true, true, true, false])
        let alone = try compiled(rule("", "a: login where ok", alert: "{a.time}"))
        #expect(alone.plans[0].place == RulePlace())
    }

    @Test("D2 reads deployment blocks, with secrets as references")
    func deployment() throws {
        let plan = try compiled(
            """
            source orders { file "orders.ndjson"  time meta.at  type field "kind"  lateness 10s  dedup id for 10m }
            sink soc { slack { url secret file "tokens/slack" }  when severity >= high  rate 2 per minute }
            engine { data "state/"  listen 127.0.0.1:8686  memory 1GB  keys per rule 500  events per key 2000 }
            """
        ).deployment
        let source = plan.sources[0]
        #expect(source.connector?.text("path") == "orders.ndjson")
        #expect(source.timeField == FieldPath(["meta", "at"]))
        #expect(source.type == .field(FieldPath(["kind"])))
        #expect(source.lateness == TimeSpan.second * 10)
        #expect(source.deduplication?.span == TimeSpan.minute * 10)
        let sink = plan.sinks[0]
        #expect(sink.connector?.settings.map(\.values) == [[.secret(.file("tokens/slack"))]])
        #expect(sink.minimumSeverity == .high)
        #expect(sink.rate == SinkPlan.Rate(count: 2, per: .minute))
        #expect(plan.engine.listen == "127.0.0.1:8686")
        #expect(plan.engine.memoryBytes == 1_000_000_000 && plan.engine.keysPerRule == 500)
        #expect(plan.engine.eventsPerKey == 2000)
    }

    @Test("D1 unknown settings, connectors and sinks are errors with a suggestion")
    func unknownSettings() {
        let text =
            Self.login + """
                source orders { file "orders.ndjson"  latenes 5s }
                sink soc { slak { url secret file "tokens/slack" } }
                engine { memori 1GB }
                rule r {
                  sequence { a: login where ok }
                  alert "{a.time}"
                  send to sok
                }
                """
        let result = compile([SourceText(name: "a.rules", text: text)])
        let found = result.diagnostics.filter { $0.severity == .error }
        #expect(found.count >= 4)
        for word in ["lateness", "slack", "memory", "soc"] {
            #expect(
                found.contains { $0.help.contains { $0.text.contains("`\(word)`") } },
                "nothing suggests \(word)")
        }
        #expect(result.program == nil)
    }

    @Test("silences a warning that a rule allows, in that rule only")
    func allow() {
        let text = """
            rule a {
              allow W0302 "no schema yet"
              sequence { hit: one where x == 1 }
              alert "{hit.time}"
            }
            rule b {
              sequence { hit: two where x == 1 }
              alert "{hit.time}"
            }
            """
        let result = compile([SourceText(name: "a.rules", text: text)])
        #expect(result.diagnostics.map(\.message) == ["event type `two` is not declared"])
    }

    @Test(
        "reads schedules by day and hour",
        arguments: [
            ("Mon-Fri 08:00-18:00", [[1, 2, 3, 4, 5]], [[480, 1080]]),
            ("Sat,Sun 00:00-24:00", [[6, 7]], [[0, 1440]]),
            ("Fri-Mon 22:00-06:00", [[1, 5, 6, 7], [1, 2, 6, 7]], [[1320, 1440], [0, 360]]),
            ("Mon 8:00-9:00; Tue 09:30-10:00", [[1], [2]], [[480, 540], [570, 600]]),
        ])
    func schedules(_ text: String, _ days: [[Int]], _ minutes: [[Int]]) throws {
        let spans = try parseSchedule(text).get()
        #expect(spans.map(\.days) == days)
        #expect(spans.map { [$0.startMinute, $0.endMinute] } == minutes)
    }

    @Test(
        "refuses what is no schedule",
        arguments: [
            "", "Mon", "Mon 8-18", "Mon 08:00-08:00", "Mo 08:00-18:00", "Mon 24:00-25:00",
            "Mon-Wed-Fri 08:00-18:00",
        ])
    func badSchedules(_ text: String) {
        if case .success(let spans) = parseSchedule(text) { Issue.record("\(spans)") }
    }

    @Test(
        "reads times as RFC 3339 has them",
        arguments: [
            ("2026-01-02", "2026-01-02T00:00:00Z"),
            ("2026-01-02T03:04:05.25Z", "2026-01-02T03:04:05.250Z"),
            ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"),
            ("2024-02-29t00:00:00z", "2024-02-29T00:00:00Z"),
        ])
    func times(_ text: String, _ expected: String) {
        #expect(timestamp(rfc3339: text)?.description == expected)
    }

    @Test(
        "refuses what is no time",
        arguments: [
            "2026-02-29", "2026-13-01", "2026-01-02T24:00:00Z", "2026-01-02T03:04:05", "26-01-02",
            "9999-01-01", "2026-01-02T03:04:05.Z", "",
        ])
    func badTimes(_ text: String) { #expect(timestamp(rfc3339: text) == nil) }

    @Test(
        "documents every function with an example that compiles", arguments: Builtin.all.map(\.name)
    )
    func builtins(_ name: String) throws {
        let builtin = try #require(Builtin.byName[name])
        #expect(builtin.documentation.hasSuffix("."))
        #expect(builtin.example.hasPrefix("\(name)("))
        let call = try #require(builtin.example.components(separatedBy: " -> ").first)
        let text =
            "event login { lat: number }\n"
            + "rule r { sequence within 5m { a: login\nthen login: login\nthen b: login }\nattach \(call)\n}\n"
        let result = compile([SourceText(name: "a.rules", text: text)])
        let errors = result.diagnostics.filter { $0.severity == .error }.map(\.message)
        #expect(errors == [])
    }
}
