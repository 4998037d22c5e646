import RuleModel
import TestKit
import Testing

@testable import MatchEngine

/// T10: what becomes of state when other rules take over.
@Suite("Going on with other rules") struct ReloadTests {
    private static let schema = """
        event login { user: text  ok: bool  host: text }

        """

    private static func threshold(_ text: String = "when fails > 2") -> String {
        """
        rule many {
          threshold by user {
            over login where not ok
            window 1m sliding
            measure fails = count
            \(text)
          }
          alert "{fails} of {user}"
        }

        """
    }

    private static let pair = """
        rule pair {
          sequence by user within 1m {
            bad: login where not ok
            then good: login where ok
          }
          alert "{user}"
        }

        """

    private static func login(_ second: Int64, _ user: String, ok: Bool = false) -> TestEvent {
        TestEvent(
            "login", at: .second * second,
            ["user": .text(user), "ok": .bool(ok), "host": .text("h\(second)")])
    }

    private static func fails(_ user: String) -> [TestEvent] {
        (1...3).map { login($0, user) }
    }

    /// Runs events under one set of rules and more under another.
    private static func run(
        _ before: String, _ events: [TestEvent], then after: String, _ more: [TestEvent] = [],
        until end: Int64 = 30, lateness: Int64 = 0
    ) throws -> (records: [String], report: RestoreReport) {
        var output: [Alert] = []
        let old = try CompiledRules(schema + before)
        var options = EngineOptions()
        options.lateness = [.second * lateness]
        var first = old.engine(options)
        old.process(events, by: &first, emitting: &output)
        let new = try CompiledRules(schema + after)
        var report = RestoreReport()
        var second = try new.engine(
            restoring: [first.snapshot()], options, report: &report, emitting: &output)
        new.process(
            more, by: &second, firstArrival: UInt64(events.count + 1), emitting: &output)
        second.advance(to: TestEvent.epoch + .second * end, emitting: &output)
        let records = output.map { alert in
            let second = (alert.matchedAt - TestEvent.epoch).nanoseconds / 1_000_000_000
            return "\(second)s \(alert.rule) \(alert.state) \(alert.message)"
                + (alert.reason.map { ": \($0)" } ?? "")
        }
        return (records, report)
    }

    private typealias R = ReloadTests

    @Test("T10 the report says what became of each rule, with its keys and open matches")
    func report() throws {
        let events = R.fails("ann") + [R.login(4, "bob")]
        let run = try R.run(
            R.pair + R.threshold(), events,
            then: R.pair.replacing("within 1m", "within 2m")
                + R.threshold("when fails > 5")
                + R.pair.replacing("rule pair", "rule extra"))
        #expect(
            run.report.rules == [
                RestoreReport.Rule("pair", .reset, keys: 2, openMatches: 4),
                RestoreReport.Rule("many", .kept, keys: 2, openMatches: 1),
                RestoreReport.Rule("extra", .new),
            ])
        let gone = try R.run(R.pair + R.threshold(), events, then: R.pair)
        #expect(
            gone.report.rules == [
                RestoreReport.Rule("pair", .kept, keys: 2, openMatches: 4),
                RestoreReport.Rule("many", .removed, keys: 2, openMatches: 1),
            ])
    }

    @Test("T10 a firing alert stays firing until its condition of now ends it")
    func staysFiring() throws {
        let run = try R.run(
            R.threshold(), R.fails("ann"), then: R.pair + R.threshold("when fails > 1"), [],
            until: 120)
        #expect(run.records == ["3s many firing 3 of ann", "62s many resolved 3 of ann"])
    }

    @Test("T10 a firing alert whose rule is removed, or begins anew, is resolved and says so")
    func removed() throws {
        let removed = try R.run(R.threshold(), R.fails("ann"), then: R.pair)
        #expect(
            removed.records == [
                "3s many firing 3 of ann", "3s many resolved 3 of ann: rule removed",
            ])
        let changed = try R.run(
            R.threshold(), R.fails("ann"),
            then: R.threshold().replacing("1m sliding", "2m sliding"))
        #expect(
            changed.records == [
                "3s many firing 3 of ann", "3s many resolved 3 of ann: rule changed",
            ])
    }

    @Test("T10 a shorter `for` counts from when the condition came true")
    func shorterHold() throws {
        let run = try R.run(
            R.threshold("when fails > 2 for 50s"), R.fails("ann"),
            then: R.threshold("when fails > 2 for 10s"), [], until: 40)
        #expect(run.records == ["13s many firing 3 of ann"])
    }

    @Test(
        "T10 a message may ask for fields that were not kept before: of events of before they are missing"
    )
    func newFields() throws {
        let run = try R.run(
            R.pair, [R.login(1, "ann")],
            then: R.pair.replacing("{user}", "{user} {bad.host} {good.host}"),
            [R.login(2, "ann", ok: true)])
        #expect(run.report.rules.map(\.outcome) == [.kept])
        #expect(run.records.count == 1)
        #expect(run.records[0].hasSuffix(" h2"))
        #expect(!run.records[0].contains("h1"))
    }

    @Test("A field that is read as another type is another shape")
    func otherType() throws {
        let old = try CompiledRules(R.schema + R.pair)
        let new = try CompiledRules(
            R.schema.replacing("user: text", "user: ip") + R.pair)
        #expect(old.program.rules[0].shape != new.program.rules[0].shape)
        let plain = try CompiledRules(R.schema.replacing("host: text", "host: ip") + R.pair)
        #expect(old.program.rules[0].shape == plain.program.rules[0].shape)
    }

    @Test("A new rule watches the input since the reload")
    func newRule() throws {
        let silence = """
            rule silence {
              sequence by user {
                no before: login where ok for 20s
                then bad: login where not ok
              }
              alert "{user}"
            }

            """
        let events = [R.login(1, "x"), R.login(40, "x")]
        let more = [R.login(50, "ann"), R.login(70, "bob")]
        let run = try R.run(R.pair, events, then: R.pair + silence, more, until: 80)
        #expect(run.records == ["70s silence firing bob"])
        let kept = try R.run(R.pair + silence, events, then: R.pair + silence, more, until: 80)
        #expect(
            kept.records == [
                "40s silence firing x", "50s silence firing ann", "70s silence firing bob",
            ])
    }

    @Test("A new rule does not see what waited, which was read without its fields")
    func waiting() throws {
        let remote = """
            rule remote {
              sequence by user within 1m {
                one: login where host != "h1"
              }
              alert "{user}"
            }
            rule quiet {
              sequence by user {
                no before: login where host == "h4" for 2s
                then bad: login where not ok
              }
              alert "{user}"
            }

            """
        // When the rules come, the logins of seconds 1 to 5 wait, without hosts.
        let run = try R.run(
            R.pair, (1...5).map { R.login($0, "ann") }, then: R.pair + remote,
            [R.login(6, "ann"), R.login(8, "ann")], lateness: 10)
        #expect(
            run.records == [
                "6s remote firing ann", "8s remote firing ann", "8s quiet firing ann",
            ])
        let kept = try R.run(
            R.pair + remote, (1...5).map { R.login($0, "ann") }, then: R.pair + remote,
            [R.login(6, "ann"), R.login(8, "ann")], lateness: 10)
        #expect(kept.records.count == 9)
        #expect(kept.records.contains("2s remote firing ann"))
    }

    @Test("H9 keys that a list lost or gained while nobody looked go and come")
    func lists() throws {
        func rules(_ names: String) -> String {
            """
            list names = [\(names)]
            rule quiet {
              threshold by user from list names {
                over login
                window 10s sliding
                when count < 1
                on no data keep
              }
              alert "{user}"
            }

            """
        }
        let run = try R.run(
            rules("\"ann\", \"bob\""), [R.login(1, "ann"), R.login(20, "ann")],
            then: rules("\"ann\", \"cem\""), [R.login(21, "ann")], until: 31)
        #expect(
            run.records == [
                "11s quiet firing ann", "11s quiet firing bob", "20s quiet resolved ann",
                "20s quiet resolved bob: no longer listed", "30s quiet firing cem",
            ])
    }

    @Test("Alerts that wait for the rules that read them, and points, wait in the snapshot")
    func derived() throws {
        let text =
            R.schema
            + R.pair.replacing("alert \"{user}\"", "alert \"{user}\"\n  risk 10 on user")
                + """
                rule chain {
                  sequence by user within 1m {
                    one: alert pair
                    then two: alert pair
                  }
                  alert "{user} twice"
                }
                rule risky {
                  threshold by user {
                    over risk.user
                    window 1m sliding
                    measure total = max(score)
                    when total >= 20
                  }
                  alert "{user} has {total}"
                }

                """
        let rules = try CompiledRules(text)
        let events = (0..<6).map { R.login(Int64($0 / 4), "ann", ok: $0 % 2 == 1) }
        let end = TestEvent.epoch + .second * 2
        let expected = EngineRun().alerts(
            of: rules.program, lists: [], events: events, end: end)
        #expect(expected.map(\.rule).contains("chain") && expected.map(\.rule).contains("risky"))
        var run = RestartRun(programs: [(rules.program, [])])
        #expect(try run.records(events: events, end: end).alerts == expected)
        // What one shard has to tell is not told by others as well, nor counted twice.
        for shards in [[2], [3, 1], [1, 3, 2]] {
            run.shards = shards
            let found = try run.records(events: events, end: end).alerts
            #expect(
                found.map { "\($0.id) \($0.message)" } == expected.map { "\($0.id) \($0.message)" })
        }
    }

    @Test(
        "T10 rules over alerts read the last word of a rule that is gone, in whatever shard it lived"
    )
    func farewellsAreRead() throws {
        let reader = """
            rule ended {
              sequence by rule { end: alert where state == "resolved" }
              alert "{rule} ended"
            }

            """
        // Without its neighbours the rule that reads lives in another shard.
        let before = try CompiledRules(R.schema + R.pair + R.threshold() + reader)
        let after = try CompiledRules(R.schema + reader)
        var found: [String] = []
        for shards in [[1], [2], [3], [1, 2], [3, 2], [2, 5]] {
            var run = RestartRun(programs: [(before.program, []), (after.program, [])])
            run.shards = shards
            run.pieces = [3, 1]
            let alerts = try run.records(
                events: R.fails("ann") + [R.login(4, "eve", ok: true)],
                end: TestEvent.epoch + .second * 30
            ).alerts
            found.append(alerts.map { "\($0.state) \($0.message)" }.joined(separator: ", "))
        }
        #expect(
            Set(found) == ["firing 3 of ann, resolved 3 of ann, firing many ended"], "\(found)")
    }
}

extension String {
    fileprivate func replacing(_ old: String, _ new: String) -> String {
        var parts: [Substring] = []
        var rest = self[...]
        while let range = rest.firstRange(of: old) {
            parts += [rest[..<range.lowerBound], Substring(new)]
            rest = rest[range.upperBound...]
        }
        precondition(!parts.isEmpty, "\(old) is not in the text")
        return parts.joined() + rest
    }
}
