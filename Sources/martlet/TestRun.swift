import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

/// What one `test` block came to.
struct TestResult {
    var test: TestPlan
    /// Empty when the test passed.
    var failures: [TestFailure] = []
    var events = 0
    /// How much event time the test covered.
    var span = TimeSpan.zero
    var seconds = 0.0
    /// The rule is switched off, so nothing was judged.
    var wasSkipped = false
    /// What the test made the rule do, where that was asked for.
    var sight: TestSight?
}

/// One expectation that did not hold.
struct TestFailure {
    /// The expectation's place.
    var range: SourceRange
    var expected: String
    /// What came instead, one line each.
    var got: [String]
    /// Which comparison failed, with both values, or how far the nearest candidate came; empty
    /// where there is nothing to show.
    var because: [String] = []
}

/// Runs a test in virtual time: the rule alone, on the events of the block.
///
/// - Parameters:
///   - mutated: What runs in place of the program of the compilation, without words for failures.
func runTest(
    _ test: TestPlan, of compilation: Compilation, lists: [ListID: ListTable],
    mutated: Program? = nil, covers: Bool = false
) -> TestResult {
    var result = TestResult(test: test)
    let started = monotonicSeconds()
    defer { result.seconds = monotonicSeconds() - started }
    guard var program = mutated ?? compilation.program,
        program.rules.contains(where: { $0.id == test.rule })
    else {
        result.wasSkipped = true
        return result
    }
    if mutated == nil {
        let needed = withSources([test.rule], in: compilation.plans)
        program.rules.removeAll { !needed.contains($0.id) }
    }

    var environment = EngineEnvironment(
        lists: lists, zones: zoneTables(of: program))
    var options = EngineOptions()
    options.watchStart = TestPlan.epoch
    var end = TestPlan.epoch
    var arrivals: [(due: Timestamp, time: Timestamp, event: TestPlan.Event)] = []
    var crashes: [(time: Timestamp, range: SourceRange)] = []
    for line in test.lines {
        switch line.kind {
        case .event(let event, let time, let count, let every):
            for index in 0..<count {
                let time = time + every * Int64(index)
                arrivals.append((time, time, event))
                end = max(end, time)
            }
        case .late(let event, let arrives, let time):
            arrivals.append((arrives, time, event))
            end = max(end, arrives)
        case .list(let id, let values):
            environment.lists[id] = ListTable(
                kind: program.tables.lists[id.rawValue].kind, values: values)
        case .watch(let from): options.watchStart = from
        case .advance(let time), .expect(_, at: let time, with: _): end = max(end, time)
        case .crash(at: let time):
            crashes.append((time, line.range))
            end = max(end, time)
        case .expectNothing(else: _, before: let time): end = max(end, time ?? end)
        }
    }
    result.events = arrivals.count
    result.span = end - TestPlan.epoch
    // Events that are due at one instant arrive in the order of the block.
    let order = arrivals.indices.sorted { (arrivals[$0].due, $0) < (arrivals[$1].due, $1) }

    var batch = EventBatch(source: 0, fieldCount: program.tables.columns.count)
    for (arrival, index) in order.enumerated() {
        let event = arrivals[index].event
        batch.append(
            type: event.type, time: arrivals[index].time, arrival: UInt64(arrival),
            fields: event.fields.compactMap { field in field.column.map { ($0, field.value) } })
    }
    var drive = TestDrive(
        program: program, rule: mutated == nil ? test.rule : nil, covers: covers,
        environment: environment, options: options)
    var row = 0
    for crash in crashes.sorted(by: { $0.time < $1.time }) {
        let arrived = order[row...].prefix { arrivals[$0].due <= crash.time }.count
        drive.process(batch, rows: row..<row + arrived)
        row += arrived
        do {
            try drive.crash()
        } catch {
            result.failures = [
                TestFailure(
                    range: crash.range, expected: "to go on from a snapshot", got: ["\(error)"])
            ]
            return result
        }
    }
    drive.process(batch, rows: row..<batch.count)
    drive.finish(at: end)
    var alerts = drive.alerts

    // Rules that this one reads are there to be read; what is expected is said of this one.
    let name = compilation.plans[test.rule.rawValue].name
    alerts.removeAll { $0.ruleID != test.rule && $0.rule != name }
    result.failures = judge(alerts, by: test, sources: compilation.sources)
    if covers { result.sight = drive.sight(of: test.rule, alerts) }
    if mutated == nil, result.failures.contains(where: \.because.isEmpty) {
        let because = drive.nearest(
            NearMissWords(
                compilation.plans[test.rule.rawValue], tables: compilation.tables, shown: shownTime)
        )
        for index in result.failures.indices where result.failures[index].because.isEmpty {
            result.failures[index].because = because
        }
    }
    return result
}

/// The engine and the alert stage of a test.
private struct TestDrive: ~Copyable {
    private let program: Program
    private let environment: EngineEnvironment
    private let options: EngineOptions
    private var engine: Engine
    private var stage: AlertStage
    private(set) var alerts: [Alert] = []
    private var seen: Observations?

    init(
        program: Program, rule: RuleID?, covers: Bool, environment: EngineEnvironment,
        options: EngineOptions
    ) {
        self.program = program
        self.environment = environment
        self.options = options
        engine = Engine(program: program, environment: environment, options: options)
        stage = AlertStage(program: program)
        // Explains an alert that did not come.
        engine.recorder = rule.flatMap {
            RuleRecorder(rule: $0, key: nil, program: program, limits: options.limits)
        }
        engine.recorder?.coversBranches = covers
    }

    mutating func process(_ batch: EventBatch, rows: Range<Int>) {
        var matched: [Alert] = []
        engine.process(batch, rows: rows, emitting: &matched)
        pass(&matched)
    }

    /// Nothing is left but a snapshot, and another engine goes on from it.
    mutating func crash() throws(SnapshotError) {
        let recorder = engine.recorder
        let (engineState, stageState) = (engine.snapshot(), stage.snapshot())
        var matched: [Alert] = []
        var report = RestoreReport()
        engine = try Engine(
            restoring: [engineState], program: program, environment: environment,
            options: options, report: &report, emitting: &matched)
        engine.recorder = recorder
        stage = try AlertStage(restoring: stageState, program: program)
        pass(&matched)
    }

    /// The test's last instant is part of the test, and so are deadlines at exactly that time.
    mutating func finish(at end: Timestamp) {
        let behindEnd = end + TimeSpan(nanoseconds: 1)
        var matched: [Alert] = []
        engine.advance(to: behindEnd, emitting: &matched)
        engine.closeSource(0, emitting: &matched)
        pass(&matched)
        stage.advance(to: behindEnd, emitting: &alerts)
    }

    /// What the rule was made to do.
    mutating func sight(of rule: RuleID, _ alerts: [Alert]) -> TestSight {
        seen = engine.takeObservations()
        let place = program.rules.firstIndex { $0.id == rule }
        let counters = stage.counters
        return TestSight(
            observations: seen ?? Observations(), alerts: alerts,
            silenced: place.map { engine.counters.rules[$0].silenced } ?? 0,
            suppressed: counters.suppressed, folded: counters.folded)
    }

    /// What came nearest to an alert, and why it was none.
    mutating func nearest(_ words: NearMissWords) -> [String] {
        guard let seen = seen ?? engine.takeObservations(),
            let entry = seen.entries.first(where: { $0.progress < 2 })
        else { return [] }
        let key = words.key(entry.key)
        var lines = words.lines(entry)
        if !key.isEmpty { lines[0] = "\(key)  \(lines[0])" }
        return [lines[0]] + lines.dropFirst().map { "  \($0)" }
    }

    private mutating func pass(_ matched: inout [Alert]) {
        matched.sort { $0.order < $1.order }
        stage.process(matched, emitting: &alerts)
    }
}

// MARK: - Judging

private func judge(_ alerts: [Alert], by test: TestPlan, sources: [SourceText]) -> [TestFailure] {
    var failures: [TestFailure] = []
    var isExpected = [Bool](repeating: false, count: alerts.count)
    for line in test.lines {
        guard case .expect(let outcome, at: let time, with: let probes) = line.kind else {
            continue
        }
        let candidates = alerts.indices.filter { index in
            !isExpected[index] && alerts[index].matchedAt == time && fits(alerts[index], outcome)
        }
        if let found = candidates.first(where: { index in
            probes.allSatisfy { alerts[index].probes[$0.condition] == .bool(true) }
        }) {
            isExpected[found] = true
            continue
        }
        var failure = TestFailure(
            range: line.range, expected: "\(outcome.rawValue) at \(shownTime(time))",
            got: alerts.map(describe))
        if let nearest = candidates.first {
            failure.expected +=
                " with " + probes.map { text($0.range, sources) }.joined(separator: ", ")
            failure.because = probes.compactMap { because($0, in: alerts[nearest], sources) }
            isExpected[nearest] = true
        }
        failures.append(failure)
    }
    for line in test.lines {
        guard case .expectNothing(else: _, before: let limit) = line.kind else { continue }
        let surplus = alerts.indices.filter { index in
            !isExpected[index] && limit.map { alerts[index].matchedAt < $0 } ?? true
        }
        guard !surplus.isEmpty else { continue }
        failures.append(
            TestFailure(
                range: line.range,
                expected: "nothing else" + (limit.map { " before \(shownTime($0))" } ?? ""),
                got: surplus.map { describe(alerts[$0]) },
                because: surplus.prefix(1).flatMap { evidence(alerts[$0]) }))
    }
    return failures
}

private func fits(_ alert: Alert, _ outcome: TestPlan.Outcome) -> Bool {
    switch outcome {
    case .alert: alert.state == .firing || alert.state == .updated
    case .resolve: alert.state == .resolved
    case .correction: alert.state == .corrected
    }
}

private func because(
    _ probe: TestPlan.Probe, in alert: Alert, _ sources: [SourceText]
) -> String? {
    guard alert.probes[probe.condition] != .bool(true) else { return nil }
    guard let sides = probe.sides else { return "`\(text(probe.range, sources))` does not hold" }
    let left = alert.probes[sides.left].jsonText
    let right = alert.probes[sides.right].jsonText
    return "`\(text(probe.range, sources))` compared \(left) with \(right)"
}

/// The events behind an alert, so that a reader sees why it came.
private func evidence(_ alert: Alert) -> [String] {
    alert.steps.flatMap { step in
        step.events.map { event in
            let fields = event.fields.map { " \($0.name)=\($0.value.jsonText)" }.joined()
            return "\(step.name) was \(event.type) at \(shownTime(event.time))\(fields)"
        }
    }
}

private func describe(_ alert: Alert) -> String {
    let key = alert.key.map { " \($0.name)=\($0.value.plainText)" }.joined()
    let state = alert.state == .firing ? "" : " \(alert.state.rawValue)"
    let reason = alert.reason.map { " (\($0))" } ?? ""
    return
        "\(alert.rule)\(key)\(state) at \(shownTime(alert.matchedAt))\(reason)  \"\(alert.message)\""
}

/// A time of a test as the test writes it: `1m30s`.
func shownTime(_ time: Timestamp) -> String { (time - TestPlan.epoch).description }

private func text(_ range: SourceRange, _ sources: [SourceText]) -> String {
    sources[Int(range.source.rawValue)].text(range)
}
