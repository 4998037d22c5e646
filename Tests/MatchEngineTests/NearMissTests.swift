import MatchEngine
import RuleModel
import TestKit
import Testing

/// What a recorder says of attempts that came to nothing.
@Suite("Near misses") struct NearMissTests {
    private func observe(
        _ rule: String, _ events: [TestEvent], end: TimeSpan, key: [String]? = nil
    ) throws -> Observations {
        let rules = try CompiledRules(
            """
            event login { user: text  ok: bool  country: text }
            event paid { user: text  amount: number }
            \(rule)
            """)
        let lists = rules.program.tables.lists.indices.compactMap { rules.lists[ListID($0)] }
        return EngineRun().observed(
            rules.program, lists: lists, events: events, end: TestEvent.epoch + end, key: key
        ).observations
    }

    private func login(_ second: Int64, _ ok: Bool, _ country: String = "DE") -> TestEvent {
        TestEvent(
            "login", at: .second * second,
            ["user": .text("ann"), "ok": .bool(ok), "country": .text(Text(country))])
    }

    private func paid(_ second: Int64) -> TestEvent {
        TestEvent("paid", at: .second * second, ["user": .text("ann"), "amount": .int(5)])
    }

    private let takeover = """
        rule takeover {
          sequence by user within 5m {
            at least 3 failed: login where not ok
            then success: login where ok and success.country != failed.last.country
            then payout: paid within 2m
          }
          alert "x"
        }
        """

    private func attempts(_ seen: Observations) -> [Attempt] {
        seen.entries.compactMap { if case .attempt(let attempt) = $0 { attempt } else { nil } }
    }

    @Test("a condition that failed is told with both values")
    func condition() throws {
        let seen = try observe(
            takeover, [login(0, false), login(1, false), login(2, false), login(10, true)],
            end: .minute * 20)
        let attempt = try #require(attempts(seen).first)
        #expect(attempts(seen).count == 1)
        #expect(attempt.steps.map(\.name) == ["failed"])
        #expect(attempt.steps[0].count == 3)
        #expect(attempt.waitsFor == ["success"])
        #expect((attempt.filled, attempt.needed) == (1, 3))
        #expect(attempt.outcome == .timeOver(at: TestEvent.epoch + .minute * 5))
        guard case .condition(let failed, _)? = attempt.misses.first?.reason else {
            Issue.record("no condition is told")
            return
        }
        #expect(failed.map(\.left) == [.text("DE")])
        #expect(failed.map(\.right) == [.text("DE")])
        // The two starts inside it came no further.
        #expect(seen.folded == 2)
    }

    @Test("an event that came too late says by how much, for a step and for the whole")
    func tooLate() throws {
        let begun = [login(0, false), login(1, false), login(2, false), login(10, true, "BR")]
        let gap = try observe(takeover, begun + [paid(140)], end: .minute * 20)
        #expect(attempts(gap).first?.steps.map(\.name) == ["failed", "success"])
        #expect(
            attempts(gap).first?.misses.first?.reason
                == .gap(limit: .minute * 2, over: .second * 10))
        let within = try observe(
            takeover.replacing(" within 2m", with: ""), begun + [paid(312)], end: .minute * 20)
        #expect(
            attempts(within).first?.misses.first?.reason
                == .within(limit: .minute * 5, over: .second * 12))
    }

    @Test("what is still open says until when, and a match is told as one")
    func open() throws {
        let open = try observe(takeover, [login(0, false), login(1, false)], end: .second * 2)
        #expect(
            attempts(open).map(\.outcome)
                == [.open(until: TestEvent.epoch + .second + .minute * 5)])
        #expect(attempts(open).first?.waitsFor == ["failed"])
        let matched = try observe(
            takeover,
            [
                login(0, false), login(1, false), login(2, false), login(10, true, "BR"), paid(20),
            ], end: .minute * 20)
        #expect(
            attempts(matched).map(\.outcome) == [.matched(at: TestEvent.epoch + .second * 20)])
        #expect(matched.alerts == 1)
    }

    @Test("a forbidden event, an `until` and an absence that did not hold are named")
    func stopped() throws {
        func rule(_ body: String, _ policy: String = "") -> String {
            "rule r {\n sequence by user within 5m \(policy) {\n\(body)\n}\n alert \"x\"\n}"
        }
        let events = [login(0, false), login(5, true), paid(9)]
        let without = try observe(
            rule("a: login where not ok\n without w: login where ok\n then p: paid"), events,
            end: .minute * 20)
        #expect(
            attempts(without).first?.misses.first?.reason
                == .forbidden(step: "w", at: TestEvent.epoch + .second * 5))
        let until = try observe(
            rule("a: login where not ok\n then p: paid\n until u: login where ok"), events,
            end: .minute * 20)
        #expect(
            attempts(until).map(\.outcome)
                == [.ended(by: "u", at: TestEvent.epoch + .second * 5)])
        for policy in ["", "overlap each", "restart on repeat"] {
            let absence = try observe(
                rule("a: login where not ok\n then no p: paid within 1m", policy), events,
                end: .minute * 20)
            guard case .broken(let step, at: _)? = attempts(absence).first?.outcome else {
                Issue.record("\(policy): the absence is not told: \(attempts(absence))")
                continue
            }
            #expect(step == "p")
        }
        let replaced = try observe(
            rule("a: login where not ok\n then p: paid", "restart on repeat"),
            [login(0, false), login(4, false)], end: .second * 5)
        #expect(
            attempts(replaced).map(\.outcome).first
                == .replaced(at: TestEvent.epoch + .second * 4))
    }

    @Test("where nothing began, the nearest event is told, and case that differs is noticed")
    func nothingBegan() throws {
        let seen = try observe(
            """
            rule r {
              sequence by user within 5m {
                a: login where ok and country == "BR"
                then p: paid
              }
              alert "x"
            }
            """, [login(0, false, "DE"), login(1, true, "br")], end: .minute, key: ["ann"])
        guard case .nothing(_, let miss)? = seen.entries.first,
            case .condition(let failed, of: 2) = miss.reason
        else {
            Issue.record("not told: \(seen.entries)")
            return
        }
        #expect(failed.count == 1)
        #expect(failed.first?.differsOnlyInCase == true)
        #expect(miss.time == TestEvent.epoch + .second)
    }

    @Test("a threshold tells its spells, and how near it came")
    func threshold() throws {
        let rule = """
            rule r {
              threshold by user {
                over login where not ok
                window 1m sliding
                measure failures = count
                when failures >= 3 for 10s
              }
              alert "x"
            }
            """
        let seen = try observe(
            rule, [0, 1, 2, 65, 66].map { login($0, false) }, end: .minute * 10, key: ["ann"])
        let spells = seen.entries.compactMap { entry -> Spell? in
            if case .spell(let spell) = entry { spell } else { nil }
        }
        #expect(spells.map(\.state) == [.inactive, .pending, .firing, .inactive])
        let near = try #require(spells.last?.nearest)
        #expect(near.failed.map(\.left) == [.int(2)])
        #expect(near.failed.map(\.right) == [.int(3)])
        #expect(seen.alerts == 1)
    }

    @Test("a correlation tells which members were missing")
    func correlation() throws {
        let seen = try observe(
            """
            rule r {
              correlation by user within 1m {
                failure: login where not ok
                payout: paid where amount > 10
              }
              alert "x"
            }
            """, [login(0, false), paid(5)], end: .minute * 10)
        guard case .gathering(let gathering)? = seen.entries.first else {
            Issue.record("not told: \(seen.entries)")
            return
        }
        #expect(gathering.present.map(\.name) == ["failure"])
        #expect(gathering.missing == ["payout"])
        #expect(gathering.outcome == .tooFew)
        guard case .condition(let failed, _)? = gathering.misses.first?.reason else {
            Issue.record("the payout is not told")
            return
        }
        #expect(failed.map(\.left) == [.int(5)])
    }

    @Test("a cluster tells who stood out and who did not")
    func cluster() throws {
        let rule = """
            rule r {
              anomaly_cluster {
                measure n = count of login every 1m by country
                baseline last 10
                at least 5 values
                anomalous when robust_z(n) > 3
                cluster when at least 2 country within 5m
              }
              alert "x"
            }
            """
        var events: [TestEvent] = []
        for minute in 0..<12 as Range<Int64> {
            for country in ["DE", "BR"] {
                let count = country == "DE" && minute == 11 ? 40 : 3
                for index in 0..<Int64(count) {
                    events.append(login(minute * 60 + index, true, country))
                }
            }
        }
        events.sort { $0.time < $1.time }
        let seen = try observe(rule, events, end: .minute * 15)
        let buckets = seen.entries.compactMap { entry -> ClusterAttempt? in
            if case .cluster(let cluster) = entry { cluster } else { nil }
        }
        let best = try #require(buckets.first)
        #expect((best.onsets, best.needed) == (1, 2))
        #expect(best.members.first?.name == .text("DE"))
        #expect(best.members.first?.isAnomalous == true)
        #expect(best.members.last?.failed.isEmpty == false)
    }

    @Test("what a rule masks is masked here too")
    func masks() throws {
        let seen = try observe(
            takeover.replacing(
                "alert \"x\"", with: "alert \"x\"\n mask user, failed.country, success.country"),
            [login(0, false), login(1, false), login(2, false), login(10, true)],
            end: .minute * 20)
        #expect(seen.entries.count == 1)
        #expect(!"\(seen.entries)".contains("DE"))
        #expect(!"\(seen.entries)".contains("ann"))
    }

    @Test("a key that was dropped for the limit says so")
    func evicted() throws {
        let rules = try CompiledRules(
            "event login { user: text  ok: bool  country: text }\nevent paid { user: text  amount: number }\n"
                + takeover)
        var run = EngineRun()
        run.limits.keysPerRule = 1
        var other = login(1, false)
        other.fields["user"] = .text("ben")
        let seen = run.observed(
            rules.program, lists: [], events: [login(0, false), other, login(2, false)],
            end: TestEvent.epoch + .minute, key: ["ann"])
        #expect(
            attempts(seen.observations).contains {
                if case .evicted = $0.outcome { true } else { false }
            })
        #expect(seen.observations.doubts.contains { $0.contains("dropped") })
    }
}
