import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax

/// A few random rules in one file over one stream, and perhaps a rule over the alerts of two of them.
public struct GeneratedSet: Sendable {
    public var seed: UInt64
    public var text: String
    public var events: [TestEvent]
    public var end: TimeSpan

    /// The set of a seed: the rules are those that `Generator` makes of the seeds behind it.
    public init(seed: UInt64) {
        self.seed = seed
        var random = RandomSource(seed: seed ^ 0x7365_7473)
        let kinds: [Generator.Kind] = [.sequence, .sequence, .threshold, .correlation, .anomaly]
        let cases = (0..<random.number(2...4)).map { index in
            var generator = Generator(seed: seed &* 8 &+ UInt64(index))
            return generator.makeCase(random.pick(kinds))
        }
        let stream = random.pick(cases)
        events = stream.events
        end = stream.end
        text = GeneratedRule.schema + "\n\n"
        for (index, one) in cases.enumerated() {
            let rule = one.rule.text.dropFirst(GeneratedRule.schema.utf8.count)
            text += rule.replacing("rule r {", with: "rule r\(index) {") + "\n"
        }
        if random.chance(60) {
            let second = random.pick([
                "then y: alert r1", "then y: alert r1", "then no y: alert r1 within 3s",
                "then immediately y: alert where rule == \"r1\"",
                "without z: alert r0\n    then y: alert r1",
            ])
            let overlap = random.pick(["", "", " overlap each", " overlap latest"])
            text += """
                rule over {
                  sequence by k within \(random.pick([2, 5, 20]))s\(overlap) {
                    x: alert r0
                    \(second)
                  }
                  alert "found"
                }

                """
        }
    }

    /// Whether each rule does in the set what the reference matcher says that it does alone.
    public func verdict() -> Verdict {
        let compilation = compile([SourceText(name: "set.rules", text: text)])
        guard let program = compilation.program else {
            return .refused(compilation.diagnostics.filter { $0.severity == .error }.map(\.message))
        }
        let lists = inlineLists(compilation.tables)
        let end = TestEvent.epoch + end
        var run = EngineRun()
        run.shards = seed % 2 == 0 ? 1 : 2
        let found = run.alerts(of: program, lists: lists, events: events, end: end)
        let matcher = ReferenceMatcher(tables: compilation.tables, lists: lists)
        let arrived = makeReferenceEvents(events, tables: compilation.tables)
        let numbers = events.map { plainText($0.fields["n"] ?? .missing) }
        var matches: [RuleID: [ReferenceMatch]] = [:]
        var total = 0
        for plan in compilation.plans {
            let isOver = plan.name == "over"
            let stream = isOver ? alerts(matches, compilation) : arrived
            let own = matcher.matches(of: plan, in: stream, watermark: end)
            matches[plan.id] = own
            let names = isOver ? stream.map { _ in "?" } : numbers
            let expected = sorted(own.map { TestRecord($0, plan: plan, numbers: names) })
            let records = sorted(testRecords(found.filter { $0.rule == plan.name }))
            if expected != records {
                return .differed(
                    expected: ["\(plan.name):"] + expected, found: ["\(plan.name):"] + records)
            }
            total += own.count
        }
        return .agreed(matches: total)
    }

    private func sorted(_ records: [TestRecord]) -> [String] {
        records.map(\.description).sorted { Text($0) < Text($1) }
    }

    /// The beginnings that the reference found, as events: those of events by arrival, before those of
    /// deadlines, and at one place by rule.
    private func alerts(
        _ matches: [RuleID: [ReferenceMatch]], _ compilation: Compilation
    ) -> [ReferenceEvent] {
        var beginnings: [(match: ReferenceMatch, plan: RulePlan)] = []
        for plan in compilation.plans {
            for match in matches[plan.id] ?? [] where match.state == .firing {
                beginnings.append((match, plan))
            }
        }
        let order = beginnings.indices.sorted { left, right in
            let (a, b) = (beginnings[left].match, beginnings[right].match)
            return (a.instant, a.arrival ?? .max, a.rule, left)
                < (b.instant, b.arrival ?? .max, b.rule, right)
        }
        return order.enumerated().map { index, place in
            let (match, plan) = beginnings[place]
            var fields: [FieldID: Value] = [:]
            for (number, field) in compilation.tables.fields.enumerated() {
                let id = FieldID(rawValue: Int32(number))
                switch field.path.description {
                case "rule": fields[id] = .text(plan.name)
                case "state": fields[id] = .text(match.state.rawValue)
                case let name:
                    if let part = plan.keyNames.firstIndex(of: name) {
                        fields[id] = match.key[part]
                    }
                }
            }
            return ReferenceEvent(
                type: typeID("alert", compilation.tables), time: match.instant,
                arrival: UInt64(index + 1), fields: fields)
        }
    }
}
