import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax

/// What must hold for every rule and every stream.
public enum Law: String, Sendable, CaseIterable {
    case reference = "the engine finds what the reference matcher finds"
    case batches = "T11 how events are split into batches changes nothing"
    case shards = "T11 how keys are divided among engines changes nothing"
    case lateness = "T11 the order of arrival within the lateness changes nothing"
    case advance = "T5 when time is advanced between events changes nothing"
    case passes = "what the compiler simplifies changes nothing"
    case early = "T2a what is told early is confirmed or corrected, and the end is that of order"
    case restart = "an engine made of a snapshot goes on as if nothing had been"
    case reload = "T10 other rules before and behind it do not touch the state of a rule"
    case reshard = "a snapshot is read by any number of shards"
    case observed = "a recorder changes nothing, and knows of every match"
    case replay = "T12 a replay gives the same records with the same ids"
}

/// How a case came out under a law.
public enum Verdict: Sendable, Equatable {
    case agreed(matches: Int)
    /// The compiler did not take the rule.
    case refused([String])
    case differed(expected: [String], found: [String])

    public var isFailure: Bool {
        if case .differed = self { return true }
        return false
    }
}

/// A rule as the checker built it, before any pass, and the same made ready to run without passes.
public struct UnoptimisedRule: Sendable {
    public var plan: RulePlan
    public var program: Program

    public init(plan: RulePlan, program: Program) {
        self.plan = plan
        self.program = program
    }
}

extension GeneratedCase {
    /// Tries the case under a law. The same case always comes out the same.
    ///
    /// - Parameter unoptimised: The rule of a file without the compiler's passes, so that the
    ///   reference matcher judges them too.
    public func verdict(
        under law: Law, unoptimised: (SourceText) -> UnoptimisedRule?
    ) -> Verdict {
        let source = SourceText(name: "case.rules", text: rule.text)
        let compilation = compile([source])
        guard let program = compilation.program, let plain = unoptimised(source) else {
            return .refused(compilation.diagnostics.filter { $0.severity == .error }.map(\.message))
        }
        let lists = inlineLists(compilation.tables)
        let end = TestEvent.epoch + end
        if case .metric(let metric) = rule.pattern {
            return metricVerdict(
                under: law, metric, program, plain, compilation.tables, lists: lists, end: end)
        }
        func alerts(
            _ run: EngineRun, _ events: [TestEvent]? = nil, by other: Program? = nil
        ) -> [Alert] {
            run.alerts(
                of: other ?? program, lists: lists, events: events ?? self.events, end: end)
        }
        var random = RandomSource(seed: seed ^ 0x6c61_7773)
        var run = EngineRun()
        switch law {
        case .reference:
            let found = inOrder(testRecords(alerts(run))).map(\.description)
            return compare(expected: reference(plain.plan, compilation.tables, lists, end), found)
        case .batches:
            run.pieces = (0..<4).map { _ in random.number(1...4) }
            run.splitsBatches = random.chance(50)
            return compare(alerts(EngineRun()), alerts(run))
        case .shards:
            run.shards = random.pick([2, 4])
            return compare(unnumbered(alerts(EngineRun())), unnumbered(alerts(run)))
        case .advance:
            run.pieces = [1]
            run.advancesBetween = true
            return compare(alerts(EngineRun()), alerts(run))
        case .passes:
            return compare(
                expected: withIDs(alerts(run, by: plain.program)), withIDs(alerts(run)))
        case .observed: return observed(program, lists: lists, end)
        case .replay:
            return compare(alerts(EngineRun()), alerts(EngineRun()))
        case .restart, .reload, .reshard:
            return restarted(under: law, program, lists: lists, end, &random)
        case .lateness, .early:
            let lateness = TimeSpan.second * Int64(random.number(1...3))
            let shuffled = shuffled(within: lateness, &random)
            run.lateness = lateness
            run.isEarly = law == .early
            let found = alerts(run, shuffled)
            let sorted = shuffled.enumerated()
                .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
                .map(\.element)
            let verdict = compare(
                expected: withIDs(alerts(EngineRun(), sorted)), withIDs(settled(found)))
            guard law == .early, case .agreed = verdict else { return verdict }
            // Of interest are the cases in which something was told early.
            return .agreed(matches: found.count(where: \.isEarly))
        }
    }

    /// The recorder of a sequence must come to as many matches as the machine, though it looks for
    /// itself how each attempt goes.
    private func observed(_ program: Program, lists: [ListTable], _ end: Timestamp) -> Verdict {
        let run = EngineRun()
        let plain = run.alerts(of: program, lists: lists, events: events, end: end)
        let seen = run.observed(program, lists: lists, events: events, end: end)
        let verdict = compare(plain, seen.alerts)
        guard case .agreed = verdict, case .sequence(let sequence) = program.rules[0].pattern else {
            return verdict
        }
        // Of all combinations an attempt is told once.
        if case .all = sequence.overlap { return verdict }
        let matches = seen.observations.entries.count { entry in
            if case .attempt(let attempt) = entry, case .matched = attempt.outcome { return true }
            return false
        }
        let wanted = plain.count { $0.state == .firing && $0.kind == "sequence" } + seen.silenced
        guard matches == min(wanted, 200) else {
            return .differed(
                expected: ["\(wanted) matches"] + plain.map(line),
                found: ["\(matches) matches seen"] + seen.observations.entries.map { "\($0)" })
        }
        // There the recorder cannot tell events of one instant apart.
        if sequence.resumeAt != nil { return verdict }
        let hasAbsence = sequence.elements.last.map {
            if case .absence = $0.kind { true } else { false }
        }
        return openAttempts(seen, hasAbsence: hasAbsence ?? false, verdict)
    }

    /// What the machine says is open is what the recorder, which looks for itself, has seen open.
    private func openAttempts(
        _ seen: (
            alerts: [Alert], observations: Observations, open: OpenStates?, silenced: Int
        ), hasAbsence: Bool, _ verdict: Verdict
    ) -> Verdict {
        // What an absence has stopped the recorder tells as stopped; in the machine its start may go on
        // with another last event.
        func isTold(_ attempt: Attempt) -> Bool {
            !hasAbsence || attempt.waitsFor.isEmpty && attempt.steps.count == 1
        }
        func lines(_ attempts: [Attempt]) -> [String] {
            attempts.filter(isTold).map { "\($0.key) \($0.steps) \($0.waitsFor) \($0.outcome)" }
                .sorted()
        }
        let recorded = seen.observations.entries.compactMap { entry -> Attempt? in
            guard case .attempt(let attempt) = entry, case .open = attempt.outcome else {
                return nil
            }
            return attempt
        }
        let held = (seen.open?.states ?? []).compactMap { state -> Attempt? in
            if case .attempt(let attempt) = state { return attempt }
            return nil
        }
        guard lines(recorded) == lines(held) else {
            return .differed(expected: lines(recorded), found: lines(held))
        }
        return verdict
    }

    /// What a reader believes in the end: an alert that was told early counts unless it was taken back,
    /// and as it was corrected.
    private func settled(_ alerts: [Alert]) -> [Alert] {
        var corrections: [String: Alert] = [:]
        for alert in alerts where alert.state == .corrected { corrections[alert.id] = alert }
        return alerts.compactMap { alert in
            if alert.state == .corrected { return nil }
            guard alert.isEarly, let correction = corrections[alert.id] else { return alert }
            if correction.reason?.hasPrefix("withdrawn") == true { return nil }
            var believed = correction
            believed.state = .firing
            believed.reason = nil
            return believed
        }
    }

    /// The same events with restarts and without.
    struct RestartTrial {
        var undisturbed = EngineRun()
        var run: RestartRun
        var events: [TestEvent]
    }

    /// Half of the cases have events that wait when the snapshot is written. Nil when the rule is not
    /// taken among others.
    func restartTrial(
        under law: Law, _ program: Program, lists: [ListTable], _ random: inout RandomSource
    ) -> RestartTrial? {
        var undisturbed = EngineRun()
        var run = RestartRun(programs: [(program, lists)])
        var events = events
        if random.chance(50) {
            let lateness = TimeSpan.second * Int64(random.number(1...3))
            undisturbed.lateness = lateness
            run.lateness = lateness
            undisturbed.isEarly = random.chance(50)
            run.judgesEarly = undisturbed.isEarly
            events = shuffled(within: lateness, &random)
        }
        switch law {
        case .reload:
            let source = SourceText(name: "case.rules", text: rule.textAmongOthers)
            let compilation = compile([source])
            guard let other = compilation.program else { return nil }
            run.programs.append((other, inlineLists(compilation.tables)))
            run.movesKeys = random.chance(60)
            if run.movesKeys { run.shards = [random.number(1...2)] }
        case .reshard: run.shards = [1, 3, 2]
        default: run.pieces = [1, random.number(1...3)]
        }
        return RestartTrial(undisturbed: undisturbed, run: run, events: events)
    }

    private func restarted(
        under law: Law, _ program: Program, lists: [ListTable], _ end: Timestamp,
        _ random: inout RandomSource
    ) -> Verdict {
        guard let trial = restartTrial(under: law, program, lists: lists, &random) else {
            return .refused(["the rule is not taken among others"])
        }
        let expected = trial.undisturbed.alerts(
            of: program, lists: lists, events: trial.events, end: end)
        do {
            let found = try trial.run.records(events: trial.events, end: end).alerts
            if law == .restart, !trial.run.judgesEarly { return compare(expected, found) }
            // Rules and keys that come about elsewhere have no part in the numbering of records, nor
            // has what was tried early and came to nothing.
            return compare(expected: withIDs(expected), withIDs(found.filter { $0.rule == "r" }))
        } catch {
            return .differed(expected: expected.map(line), found: ["\(error)"])
        }
    }

    private func reference(
        _ plan: RulePlan, _ tables: RuleSetTables, _ lists: [ListTable], _ end: Timestamp
    ) -> [String] {
        let matcher = ReferenceMatcher(tables: tables, lists: lists)
        let matches = matcher.matches(
            of: plan, in: makeReferenceEvents(events, tables: tables), watermark: end)
        let numbers = events.map { plainText($0.fields["n"] ?? .missing) }
        return inOrder(matches.map { TestRecord($0, plan: plan, numbers: numbers) })
            .map(\.description)
    }

    /// Arrival numbers differ between two orders of arrival, so only what a reader of the alerts sees
    /// is compared.
    private func withIDs(_ alerts: [Alert]) -> [String] {
        alerts.map { "\($0.id) \(TestRecord($0))" }.sorted { Text($0) < Text($1) }
    }

    /// An engine numbers what it makes at one instant through all its keys: the order is the same for
    /// any number of engines, the numbers are not.
    private func unnumbered(_ alerts: [Alert]) -> [Alert] {
        alerts.map { alert in
            var alert = alert
            alert.order.serial = 0
            return alert
        }
    }

    func compare(expected: [String], _ found: [String]) -> Verdict {
        expected == found
            ? .agreed(matches: found.count) : .differed(expected: expected, found: found)
    }

    private func compare(_ expected: [Alert], _ found: [Alert]) -> Verdict {
        if expected == found { return .agreed(matches: found.count) }
        return .differed(expected: expected.map(line), found: found.map(line))
    }

    private func line(_ alert: Alert) -> String {
        "\(alert.id) \(TestRecord(alert)) \(alert.order)"
    }

    /// Each event arrives up to `lateness` after its time, so none is late.
    func shuffled(within lateness: TimeSpan, _ random: inout RandomSource) -> [TestEvent] {
        let arrivals = events.map { event in
            event.time + .second * Int64(random.number(0...Int(lateness.seconds)))
        }
        return events.indices.sorted { (arrivals[$0], $0) < (arrivals[$1], $1) }.map { events[$0] }
    }
}

extension GeneratedCase: CustomStringConvertible {
    /// The case as a file with a test, to paste.
    public var description: String {
        var lines = [rule.text, "test \"seed \(seed)\" for r {"]
        lines += events.map { "  \($0)" }
        lines += ["  advance to \(end)", "}"]
        return lines.joined(separator: "\n")
    }
}
