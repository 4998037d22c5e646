import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax

extension GeneratedCase {
    /// Tries a metric, and the rule that reads it, under a law.
    func metricVerdict(
        under law: Law, _ metric: GeneratedMetric, _ program: Program, _ plain: UnoptimisedRule,
        _ tables: RuleSetTables, lists: [ListTable], end: Timestamp
    ) -> Verdict {
        var random = RandomSource(seed: seed ^ 0x6d65_7472_6963)
        var run = EngineRun()
        var program = program
        // The rule that reads the metric keeps it on one shard: alone its keys are divided.
        let isAlone = [.shards, .reshard].contains(law) && random.chance(50)
        if isAlone {
            let source = SourceText(name: "case.rules", text: rule.textOfMetricAlone(metric))
            guard let alone = compile([source]).program else {
                return .refused(["the metric is not taken alone"])
            }
            program = alone
        }
        func lines(
            _ run: EngineRun, _ events: [TestEvent]? = nil, by other: Program? = nil,
            ordered: Bool = true
        ) -> [String] {
            let found = run.records(
                of: other ?? program, lists: lists, events: events ?? self.events, end: end)
            return shown(found.alerts, found.metrics, ordered: ordered)
        }
        switch law {
        case .reference:
            let found = run.records(of: program, lists: lists, events: events, end: end)
            let alerts = found.alerts.map { "alert \($0.matchedAt)" }
            let expected = reference(plain.plan, tables, lists, end)
            let firing = expected.filter { $0.measures[0].reaches(metric.limit) }
            return compare(
                expected: sorted(expected.map(\.line)) + sorted(firing.map { "alert \($0.end)" }),
                sorted(found.metrics.map(\.line)) + sorted(alerts))
        case .batches:
            run.pieces = (0..<4).map { _ in random.number(1...4) }
            run.splitsBatches = random.chance(50)
        case .shards: run.shards = random.pick([2, 4])
        case .advance:
            run.pieces = [1]
            run.advancesBetween = true
        case .passes:
            return compare(expected: lines(run, by: plain.program), lines(run))
        // A recorder of a metric notes nothing; that its reader is not disturbed is tried with rules.
        case .replay, .observed: break
        case .restart, .reload, .reshard:
            guard let trial = restartTrial(under: law, program, lists: lists, &random) else {
                return .refused(["the metric is not taken among others"])
            }
            // Rules and keys that come about elsewhere have no part in the numbering of records, nor
            // has what was tried early and came to nothing.
            let ordered = law == .restart && !trial.run.judgesEarly
            let expected = lines(trial.undisturbed, trial.events, ordered: ordered)
            do {
                let found = try trial.run.records(events: trial.events, end: end)
                return compare(
                    expected: expected,
                    shown(found.alerts.filter { $0.rule == "r" }, found.metrics, ordered: ordered))
            } catch {
                return .differed(expected: expected, found: ["\(error)"])
            }
        case .lateness, .early:
            let lateness = TimeSpan.second * Int64(random.number(1...3))
            let shuffled = shuffled(within: lateness, &random)
            run.lateness = lateness
            run.isEarly = law == .early
            let sorted = shuffled.enumerated()
                .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
                .map(\.element)
            return compare(
                expected: lines(EngineRun(), sorted, ordered: false),
                lines(run, shuffled, ordered: false))
        }
        // Shards number what they make at one instant each for itself.
        return compare(
            expected: lines(EngineRun(), ordered: !isAlone), lines(run, ordered: !isAlone))
    }

    /// - Parameter ordered: Whether to say where records stand: not for another order of arrival.
    private func shown(
        _ alerts: [Alert], _ metrics: [MetricRecord], ordered: Bool
    ) -> [String] {
        let lines =
            metrics.map { "\($0.line)\(ordered ? " \($0.order)" : "")" }
            + alerts.map { "\($0.id) \(TestRecord($0))\(ordered ? " \($0.order)" : "")" }
        return ordered ? lines : sorted(lines)
    }

    private func sorted(_ lines: [String]) -> [String] { lines.sorted { Text($0) < Text($1) } }

    private func reference(
        _ plan: RulePlan, _ tables: RuleSetTables, _ lists: [ListTable], _ end: Timestamp
    ) -> [ReferenceBucket] {
        ReferenceMatcher(tables: tables, lists: lists).buckets(
            of: plan, in: makeReferenceEvents(events, tables: tables), watermark: end)
    }
}

extension Value {
    /// `>= limit`, which a missing value and one that is no number do not fulfil.
    fileprivate func reaches(_ limit: Int) -> Bool {
        switch self {
        case .int(let number): number >= limit
        case .float(let number): number >= Double(limit)
        default: false
        }
    }
}

extension MetricRecord {
    /// What a reader sees of a record.
    var line: String {
        ReferenceBucket(
            start: start, end: end, key: key.map(\.value), measures: measures.map(\.value),
            forecasts: forecasts
        ).line
    }
}

extension ReferenceBucket {
    var line: String {
        var words = ["\(start) \(end)", key.map { plainText($0) }.joined(separator: "/")]
        words += measures.map { plainText($0) }
        for forecast in forecasts {
            words += forecast.fields.map { "\(forecast.measure).\($0.name)=\(plainText($0.value))" }
        }
        return words.joined(separator: " ")
    }
}
