import MatchEngine
import RuleCompiler
import RuleModel
import TestKit
import Testing

import struct RuleSyntax.SourceText

/// Correlations over alerts (C5), and what their records say.
@Suite("Correlations") struct CorrelationTests {
    private static let events = """
        event deploy { s: text  n: number }
        event request { s: text  ok: bool }

        rule errors {
          threshold by s {
            over request where not ok
            window 10s sliding
            measure bad = count
            when bad >= 2
          }
          alert "{bad} errors"
        }

        rule twice {
          sequence by s within 5s {
            exactly 2 bad: request where not ok
          }
          alert "two errors"
        }

        """

    private func alerts(
        _ members: String, within: String = "3s", _ events: [TestEvent], until end: Int64 = 100,
        limits: EngineLimits? = nil, extra: String = "attach d.n"
    ) throws -> [Alert] {
        let text =
            Self.events + """
                rule bad_deploy {
                  correlation by s within \(within) {
                \(members)
                  }
                  alert "{s} is bad"
                  \(extra)
                }
                """
        let compilation = compile([SourceText(name: "c.rules", text: text)])
        #expect(!compilation.hasErrors, "\(compilation.diagnostics.map(\.message))")
        let program = try #require(compilation.program)
        var run = EngineRun()
        if let limits { run.limits = limits }
        let found = run.alerts(
            of: program, lists: [], events: events, end: TestEvent.epoch + .second * end)
        var others: [[String]] = []
        for pieces in [[1], [3, 1]] {
            run.pieces = pieces
            others.append(
                run.alerts(
                    of: program, lists: [], events: events, end: TestEvent.epoch + .second * end
                ).map { "\($0)" })
        }
        #expect(others.allSatisfy { $0 == found.map { "\($0)" } }, "batches change the records")
        return found.filter { $0.rule == "bad_deploy" || $0.kind == "engine" }
    }

    private func request(_ second: Int64, ok: Bool = false, _ service: String = "p") -> TestEvent {
        TestEvent("request", at: .second * second, ["s": .text(service), "ok": .bool(ok)])
    }

    private func deploy(_ second: Int64, _ service: String = "p") -> TestEvent {
        TestEvent("deploy", at: .second * second, ["s": .text(service), "n": .int(second)])
    }

    private func story(_ alerts: [Alert]) -> [String] {
        alerts.map { "\($0.matchedAt - TestEvent.epoch) \($0.state.rawValue)" }
    }

    @Test("C5 an alert of another rule is there from its beginning to its end")
    func interval() throws {
        // Two errors at 0 s and 1 s: `errors` fires at 1 s and resolves at 10 s.
        let errors = [request(0), request(1)]
        let members = "d: deploy\ne: alert errors"
        let during = try alerts(members, errors + [deploy(8), deploy(30)])
        #expect(story(during) == ["8s firing", "10s resolved"])
        #expect(during.map(\.id) == [during[0].id, during[0].id])
        #expect(during[0].steps.map(\.name) == ["d", "e"])
        // The alert that lasts is near whatever comes while it does.
        #expect(during[0].strength == 1)
        let atTheEnd = try alerts(members, errors + [deploy(10)])
        #expect(story(atTheEnd) == ["10s firing", "10s resolved"])
        #expect(try alerts(members, errors + [deploy(11)]).isEmpty)
        // The deploy goes first: its window is 3 s.
        let before = try alerts(members, [deploy(0)] + errors)
        #expect(story(before) == ["1s firing", "3s resolved"])
        #expect(try alerts(members, [deploy(0), request(3), request(4)]).isEmpty)
    }

    @Test("C5 for order and `before` an alert stands where it begins")
    func order() throws {
        let errors = [request(0), request(1)]
        let members = "d: deploy\ne: alert errors\norder d, e"
        #expect(try alerts(members, errors + [deploy(8)]).isEmpty)
        #expect(story(try alerts(members, [deploy(1)] + errors)) == ["1s firing", "4s resolved"])
        let near = "d: deploy\ne: alert errors\ne before d within 5s"
        #expect(try alerts(near, errors + [deploy(8)]).isEmpty)
        #expect(story(try alerts(near, errors + [deploy(6)])) == ["6s firing", "9s resolved"])
    }

    @Test("C5 an alert of a sequence is a point")
    func point() throws {
        let errors = [request(0), request(1)]
        let members = "d: deploy\ne: alert twice"
        #expect(story(try alerts(members, errors + [deploy(4)])) == ["4s firing", "4s resolved"])
        #expect(try alerts(members, errors + [deploy(5)]).isEmpty)
        // Whatever fits: points and intervals in one member.
        let any = "d: deploy\ne: alert where severity >= low"
        let found = try alerts(any, errors + [deploy(8)])
        #expect(story(found) == ["8s firing", "10s resolved"])
    }

    @Test("C5 what a member asks of an alert is asked at its beginning")
    func condition() throws {
        // The measure has another value in the record of the end.
        let found = try alerts(
            "d: deploy\ne: alert errors where bad == 2",
            [request(0), request(1), request(2), deploy(9)])
        #expect(story(found) == ["9s firing", "11s resolved"])
        let others = try alerts(
            "d: deploy\ne: alert errors where bad == 3",
            [request(0), request(1), request(2), deploy(8)])
        #expect(others.isEmpty)
        let ends = try alerts(
            "d: deploy\ne: alert errors where state == \"resolved\"",
            [request(0), request(1), deploy(12)])
        #expect(story(ends) == ["12s firing", "13s resolved"])
    }

    @Test("C5 `once per event` uses an alert up until it begins anew")
    func used() throws {
        let found = try alerts(
            "d: deploy\ne: alert errors\nonce per event",
            [request(0), request(1), deploy(4), deploy(5), request(30), request(31), deploy(31)])
        #expect(story(found) == ["4s firing", "31s firing"])
        #expect(Set(found.map(\.id)).count == 2)
    }

    @Test("C4 an episode that is silent at its beginning stays silent")
    func silent() throws {
        let found = try alerts(
            "d: deploy\nr: request where ok", [deploy(1), request(2, ok: true), deploy(3)],
            extra: "unless d.n == 1")
        #expect(found.isEmpty)
    }

    @Test("T9 at the limit on events the member that has most gives its oldest")
    func limit() throws {
        var limits = EngineLimits()
        limits.eventsPerKey = 3
        let flood = (1...6).map { request($0, ok: true) }
        let found = try alerts(
            "d: deploy\nr: request where ok\nz: request where not ok", within: "20s",
            [deploy(0)] + flood + [request(9)], limits: limits)
        let match = try #require(found.first { $0.rule == "bad_deploy" })
        #expect(match.steps.map(\.name) == ["d", "r", "z"])
        #expect(match.incompleteBecause == ["events of this key were dropped for its limit"])
        #expect(found.contains { $0.rule == "engine.overflow" && $0.reason == "events" })
    }

    @Test("C2 a search for members that fit together ends, and says when it was cut short")
    func search() throws {
        var limits = EngineLimits()
        limits.workPerEvent = 16
        // They come the other way round, so that one of them at most can be there.
        let members = (0..<6).map { "m\($0): deploy where n == \($0)" }.joined(separator: "\n")
        let order = "order " + (0..<6).reversed().map { "m\($0)" }.joined(separator: ", ")
        let all = members + "\nr: request where ok\n" + order + "\nat least 2 of them"
        let events = [request(0, ok: true)] + (0..<6).map { deploy($0) }
        let found = try alerts(all, within: "20s", events, extra: "")
        #expect(story(found) == ["0s firing", "20s resolved"])
        // The first written of those that are there stays with the request.
        #expect(found.last?.steps.map(\.name) == ["m0", "r"])
        let cut = try alerts(all, within: "20s", events, limits: limits, extra: "")
        #expect(cut.contains { $0.rule == "engine.overflow" && $0.reason == "searches" })
    }

    @Test("C6 `pooled` learns from all keys as if they were one")
    func pooled() throws {
        func lift(_ word: String) -> String {
            "d: deploy\nr: request where ok\n"
                + "strength lift(r after d within 2s) >= 2 over 1h with at least 2 \(word)"
        }
        // Two deploys of other services were followed; the third service has no history of its own.
        let events = [
            deploy(10, "a"), request(11, ok: true, "a"), deploy(20, "b"),
            request(21, ok: true, "b"),
            deploy(40, "p"), request(41, ok: true, "p"),
        ]
        #expect(try alerts(lift(""), events).isEmpty)
        let found = try alerts(lift("pooled"), events)
        #expect(story(found) == ["41s firing", "43s resolved"])
        let measures = try #require(found.first).measures
        // Watched from 10 s: [10, 11) and [19, 21) of the 29 s up to 39 s.
        #expect(measures.first { $0.name == "rate_base" }?.value == .float(3.0 / 29))
        #expect(measures.first { $0.name == "rate_after" }?.value == .float(1))
        #expect(measures.first { $0.name == "occurrences" }?.value == .int(2))
        #expect(found.first?.strength == 29.0 / 3)
    }
}
