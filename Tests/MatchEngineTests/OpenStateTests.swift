import RuleModel
import TestKit
import Testing

@testable import MatchEngine

/// What an engine says is open in it. That it agrees with a recorder for sequences is a law of the property
/// tests.
@Suite("Open states") struct OpenStateTests {
    private func open(
        _ body: String, _ events: [TestEvent], end: TimeSpan, key: [String]? = nil,
        run: EngineRun = EngineRun()
    ) throws -> OpenStates {
        let rules = try CompiledRules(
            """
            event login { user: text  ok: bool }
            event paid { user: text  amount: number }
            event load { shop: text  host: text  value: number }
            rule r {
            \(body)
            alert "x"
            }
            """)
        let seen = run.observed(
            rules.program, lists: [], events: events, end: TestEvent.epoch + end, key: key)
        return try #require(seen.open)
    }

    private func login(_ second: Int64, _ user: String = "ann", ok: Bool = false) -> TestEvent {
        TestEvent(
            "login", at: .second * second, ["user": .text(Text(user)), "ok": .bool(ok)])
    }

    private func at(_ second: Int64) -> Timestamp { TestEvent.epoch + .second * second }

    private let steps = """
        sequence by user within 5m {
          at least 2 failed: login where not ok
          then success: login where ok
        }
        """

    @Test("of all keys the nearest comes first, of one key only its own is told")
    func keys() throws {
        let events = [login(0, "ben"), login(1), login(2)]
        let all = try open(steps, events, end: .second * 3)
        #expect(all.states.map(\.key) == [[.text("ann")], [.text("ben")]])
        #expect((all.keys, all.keysSeen, all.folded) == (2, 2, 1))
        #expect(all.end == at(3))
        let one = try open(steps, events, end: .second * 3, key: ["ben"])
        guard case .attempt(let attempt)? = one.states.first, one.states.count == 1 else {
            Issue.record("not one attempt: \(one.states)")
            return
        }
        #expect(attempt.waitsFor == ["failed"])
        #expect(attempt.outcome == .open(until: at(300)))
        let none = try open(steps, events, end: .second * 3, key: ["cyd"])
        #expect(none.states.isEmpty)
        #expect(none.otherKeys == [[.text("ben")], [.text("ann")]])
    }

    @Test("a key is found by any spelling of its number or address, and texts by their own alone")
    func spellings() throws {
        let address = try #require(IPAddress("2001:db8::1"))
        #expect(isKey([.ip(address), .int(7)], ["2001:DB8:0::1", "7.0"]))
        #expect(isKey([.float(0.5)], ["0.50"]))
        #expect(!isKey([.int(7)], ["7.5"]) && !isKey([.ip(address)], ["2001:db8::2"]))
        #expect(!isKey([.text("7")], ["7.0"]) && !isKey([.int(7)], ["seven"]))
        #expect(!isKey([.int(7)], ["7", "7"]))
    }

    @Test("what is over is not open, and an absence says when it matches")
    func absence() throws {
        #expect(try open(steps, [login(0)], end: .minute * 6).states.isEmpty)
        for policy in ["", "overlap each"] {
            let absence = """
                sequence by user within 5m \(policy) {
                  a: login where ok
                  then no p: paid within 2m
                }
                """
            let waiting = try open(absence, [login(4, ok: true)], end: .second * 5)
            guard case .attempt(let attempt)? = waiting.states.first else {
                Issue.record("\(policy): nothing open")
                continue
            }
            #expect(attempt.outcome == .open(until: at(124)))
            #expect(attempt.waitsFor.isEmpty)
            let paid = TestEvent(
                "paid", at: .second * 9, ["user": .text("ann"), "amount": .int(1)])
            #expect(
                try open(absence, [login(4, ok: true), paid], end: .second * 10).states.isEmpty)
        }
    }

    @Test("a threshold tells its state, its clock and its measures")
    func threshold() throws {
        let body = """
            threshold by user {
              over login where not ok
              window 1m sliding
              measure failures = count
              when failures >= 2 for 10s
              resolve when failures < 1 for 5s
            }
            """
        func state(_ events: [TestEvent], _ end: Int64) throws -> OpenThreshold? {
            guard
                case .threshold(let open)? = try open(body, events, end: .second * end).states.first
            else { return nil }
            return open
        }
        let inactive = try #require(try state([login(0)], 1))
        #expect((inactive.state, inactive.events) == (.inactive, 1))
        #expect(inactive.now.failed.map(\.left) == [.int(1)])
        let pending = try #require(try state([login(0), login(3)], 4))
        #expect((pending.state, pending.since, pending.until) == (.pending, at(3), at(13)))
        #expect(pending.alert == nil)
        let firing = try #require(try state([login(0), login(3)], 20))
        #expect((firing.state, firing.until) == (.firing, nil))
        #expect(firing.alert?.count == 32)
        let ending = try #require(try state([login(0), login(3)], 65))
        #expect((ending.state, ending.until) == (.firing, at(68)))
    }

    @Test("a correlation tells who is there and until when")
    func correlation() throws {
        let body = """
            correlation by user within 1m {
              failure: login where not ok
              payout: paid where amount > 10
            }
            """
        func state(_ events: [TestEvent], _ end: Int64) throws -> OpenCorrelation? {
            guard
                case .correlation(let open)? = try open(body, events, end: .second * end)
                    .states.first
            else { return nil }
            return open
        }
        let paid = TestEvent("paid", at: .second * 9, ["user": .text("ann"), "amount": .int(50)])
        let part = try #require(try state([login(0)], 5)).gathering
        #expect((part.outcome, part.missing, part.until) == (.tooFew, ["payout"], at(60)))
        let whole = try #require(try state([login(0), paid], 10))
        #expect((whole.gathering.outcome, whole.gathering.until) == (.fired, at(60)))
        #expect(whole.alert?.count == 32)
        #expect(try state([login(0)], 90) == nil)
    }

    @Test("a group tells who stands out, and its open cluster")
    func cluster() throws {
        let body = """
            anomaly_cluster by shop {
              measure v = sum(value) of load every 10s by host
              baseline last 20
              at least 2 values
              anomalous when ratio(v) > 3
              cluster when at least 2 host within 1m
            }
            """
        var events: [TestEvent] = []
        for second in stride(from: Int64(1), to: 60, by: 10) {
            for host in ["a", "b", "c"] {
                let isHigh = (second > 50 && host == "a") || (second > 40 && host == "b")
                events.append(
                    TestEvent(
                        "load", at: .second * second,
                        [
                            "shop": .text("s"), "host": .text(Text(host)),
                            "value": .int(isHigh ? 90 : 10),
                        ]))
            }
        }
        func group(_ end: Int64) throws -> OpenGroup? {
            let seen = events.filter { $0.timestamp <= at(end) }
            let states = try open(body, seen, end: .second * end).states
            guard case .group(let group)? = states.first else { return nil }
            return group
        }
        let begun = try #require(try group(55))
        #expect(begun.members == 3)
        #expect(begun.waiting.map(\.name) == [.text("b")])
        #expect((begun.needed, begun.clusters.count, begun.nextJudgement) == (2, 0, at(60)))
        let grown = try #require(try group(61))
        #expect(grown.anomalous == [.text("a"), .text("b")])
        #expect(grown.clusters.map { $0.members.map(\.name) } == [[.text("b"), .text("a")]])
        #expect(grown.clusters.first?.until == at(120))
    }

    @Test("evicted keys, waiting events and masks")
    func doubts() throws {
        var run = EngineRun()
        run.limits.keysPerRule = 1
        let evicted = try open(
            steps, [login(0, "ben"), login(1)], end: .second * 2, key: ["ben"], run: run)
        #expect(evicted.states.isEmpty)
        #expect(evicted.doubts.contains { $0.contains("dropped") })
        var late = EngineRun()
        late.lateness = .minute
        let waiting = try open(steps, [login(0), login(1)], end: .second, run: late)
        #expect(waiting.waitingEvents == 1)
        let masked = try open(steps + "\nmask user", [login(0)], end: .second)
        #expect(masked.states.map(\.key) == [[.text("***")]])
    }
}
