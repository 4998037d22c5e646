import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

/// What one test made its rule do.
struct TestSight {
    var observations = Observations()
    var alerts: [Alert] = []
    var silenced = 0
    var suppressed = 0
    var folded = 0
}

/// Which parts of the rules the tests bring about.
struct CoverageReport {
    enum Kind: String, CaseIterable { case step, branch, clause }

    struct Item {
        var kind: Kind
        var name: String
        var isCovered: Bool
    }

    struct Rule {
        var name: String
        var place: String
        var items: [Item]
    }

    private(set) var rules: [Rule] = []

    /// - Parameter sights: What the tests of each rule made it do.
    init(_ sights: [RuleID: [TestSight]], of compilation: Compilation) {
        guard let program = compilation.program else { return }
        for plan in compilation.plans where !plan.isMetric && plan.metadata.isEnabled {
            guard let rule = program.rules.first(where: { $0.id == plan.id }) else { continue }
            let range = compilation.origins[plan.origin.rawValue]
            let source = compilation.sources[Int(range.source.rawValue)]
            let items = CoverageItems(
                plan, rule, program, compilation.tables, sights[plan.id] ?? []
            ).items
            rules.append(
                Rule(
                    name: plan.name,
                    place: "\(source.name):\(source.position(at: range.start).line)", items: items))
        }
    }

    private func count(_ kind: Kind?) -> (covered: Int, all: Int) {
        let items = rules.flatMap(\.items).filter { kind == nil || $0.kind == kind }
        return (items.count(where: \.isCovered), items.count)
    }

    private func percent(_ kind: Kind?) -> Double {
        let (covered, all) = count(kind)
        return all == 0 ? 100 : Double(covered) * 100 / Double(all)
    }

    var percent: Double { percent(nil) }

    var summary: String {
        "covered: \(percentText(percent(.step))) of steps, \(percentText(percent(.branch))) of the "
            + "outcomes of conditions, \(percentText(percent(.clause))) of clauses; "
            + "\(percentText(percent)) of all"
    }

    var text: String {
        rules.filter { $0.items.contains { !$0.isCovered } }.map { rule in
            let missing = rule.items.filter { !$0.isCovered }
            return
                "\(rule.name)   \(rule.items.count - missing.count) of \(rule.items.count) covered   \(rule.place)"
                + missing.map { "\n    not covered: \($0.name)" }.joined()
        }.joined(separator: "\n")
    }

    var json: JSONDocument {
        .object([
            ("percent", .decimal(percent)), ("steps", .decimal(percent(.step))),
            ("branches", .decimal(percent(.branch))), ("clauses", .decimal(percent(.clause))),
            (
                "rules",
                .array(
                    rules.map { rule in
                        .object([
                            ("rule", .text(rule.name)), ("items", .number(rule.items.count)),
                            (
                                "uncovered",
                                .array(rule.items.filter { !$0.isCovered }.map { .text($0.name) })
                            ),
                        ])
                    })
            ),
        ])
    }
}

/// The parts of one rule, and which of them its tests have brought about.
private struct CoverageItems {
    private(set) var items: [CoverageReport.Item] = []
    private let entries: [Observation]
    private let alerts: [Alert]

    init(
        _ plan: RulePlan, _ rule: RuleProgram, _ program: Program, _ tables: RuleSetTables,
        _ sights: [TestSight]
    ) {
        entries = sights.flatMap(\.observations.entries)
        alerts = sights.flatMap(\.alerts)
        var branches = Branches()
        var filled: Set<Int> = []
        for sight in sights {
            branches.add(sight.observations.branches)
            filled.formUnion(sight.observations.filled)
        }
        let text = PlanText(plan, tables: tables)
        for (index, name) in names(of: plan).enumerated() {
            add(.step, "an event for `\(name)`", filled.contains(index))
        }
        var seen: Set<Term> = []
        for condition in conditions(of: rule, program) {
            for test in program.code.tests(of: condition) {
                let term = program.code.term(test)
                guard seen.insert(term).inserted else { continue }
                for outcome in [true, false] {
                    add(
                        .branch, "`\(text.text(term))` \(outcome ? "holds" : "fails")",
                        branches.has(term, outcome))
                }
            }
        }
        addClauses(of: plan)
        if plan.unless != nil || !plan.active.isEmpty {
            add(
                .clause, plan.unless != nil ? "`unless` silences" : "`active` silences",
                sights.contains { $0.silenced > 0 })
        }
        if plan.emit.suppress != nil {
            add(
                .clause, "`suppress by` holds something back", sights.contains { $0.suppressed > 0 }
            )
        }
        if plan.emit.group != nil {
            add(.clause, "`group by` folds alerts", sights.contains { $0.folded > 0 })
        }
        add(.clause, "an alert", alerts.contains { $0.state == .firing })
    }

    private mutating func add(_ kind: CoverageReport.Kind, _ name: String, _ isCovered: Bool) {
        items.append(CoverageReport.Item(kind: kind, name: name, isCovered: isCovered))
    }

    private func names(of plan: RulePlan) -> [String] {
        switch plan.pattern {
        case .sequence(let sequence): sequence.steps.map(\.name)
        case .correlation(let correlation): correlation.members.map(\.name)
        case .anomaly(let anomaly): anomaly.series.map(\.measure.name)
        case .threshold, .metric: []
        }
    }

    private func conditions(of rule: RuleProgram, _ program: Program) -> [CodeID] {
        func code(_ condition: ConditionID?) -> CodeID? {
            condition.map { program.eventConditions[Int($0.rawValue)] }
        }
        var codes: [CodeID?] = [rule.unless]
        switch rule.pattern {
        case .sequence(let sequence):
            codes += sequence.steps.flatMap { [code($0.condition), $0.runCondition] }
        case .threshold(let threshold):
            codes += [code(threshold.condition)] + threshold.measures.map { code($0.condition) }
            codes += [threshold.when, threshold.resolveWhen]
        case .correlation(let correlation): codes += correlation.members.map { code($0.condition) }
        case .anomaly(let anomaly):
            codes += anomaly.series.map { code($0.condition) } + [anomaly.when]
        case .metric: break
        }
        return codes.compactMap(\.self)
    }

    // MARK: - Clauses

    private var attempts: [Attempt] {
        entries.compactMap { if case .attempt(let attempt) = $0 { attempt } else { nil } }
    }

    private mutating func addClauses(of plan: RulePlan) {
        switch plan.pattern {
        case .sequence(let sequence): addClauses(sequence)
        case .threshold(let threshold): addClauses(threshold)
        case .correlation(let correlation): addClauses(correlation)
        case .anomaly(let anomaly): addClauses(anomaly)
        case .metric: break
        }
    }

    private mutating func addClauses(_ plan: SequencePlan) {
        let attempts = attempts
        let isOneEvent = plan.steps.count == 1 && plan.steps[0].maximum == 1
        func missed(_ test: (Miss.Reason) -> Bool) -> Bool {
            attempts.contains { $0.misses.contains { test($0.reason) } }
        }
        if let within = plan.within, !isOneEvent {
            add(
                .clause, "`within \(within)` ends an attempt",
                attempts.contains {
                    if case .timeOver = $0.outcome { true } else { false }
                } || missed { if case .within = $0 { true } else { false } })
        }
        for step in plan.steps {
            guard let gap = step.gapLimit else { continue }
            add(
                .clause, "`within \(gap)` of `\(step.name)` keeps an event out",
                attempts.contains { attempt in
                    attempt.misses.contains { miss in
                        if case .gap = miss.reason { miss.step == step.name } else { false }
                    }
                })
        }
        if plan.until != nil {
            add(
                .clause, "`until` ends an attempt",
                attempts.contains { if case .ended = $0.outcome { true } else { false } })
        }
        for element in plan.elements {
            switch element.kind {
            case .without(let step):
                let name = plan.steps[step.rawValue].name
                add(
                    .clause, "`without \(name)` keeps an event out",
                    missed {
                        if case .forbidden(let other, _) = $0 { other == name } else { false }
                    })
            case .absence(let step, _) where element == plan.elements.last:
                let name = plan.steps[step.rawValue].name
                add(
                    .clause, "`no \(name)` does not hold",
                    attempts.contains {
                        if case .broken(name, _) = $0.outcome { true } else { false }
                    })
            default: break
            }
        }
        if plan.restartsOnRepeat {
            add(
                .clause, "`restart on repeat` replaces an attempt",
                attempts.contains { if case .replaced = $0.outcome { true } else { false } })
        }
    }

    private mutating func addClauses(_ plan: ThresholdPlan) {
        let spells = entries.compactMap { entry -> Spell? in
            if case .spell(let spell) = entry { spell } else { nil }
        }
        if plan.holdFor > .zero {
            add(
                .clause, "`for \(plan.holdFor)` is not over when the condition ends",
                spells.contains { $0.state == .pending && !($0.nearest?.failed.isEmpty ?? true) })
        }
        add(.clause, "the alert ends", alerts.contains { $0.state == .resolved })
        if plan.remindEvery != nil {
            add(.clause, "`remind every` repeats", alerts.contains { $0.reason == "reminder" })
        }
        if plan.onNoData != .resolve {
            add(
                .clause, "`on no data` decides",
                alerts.contains { $0.reason == "no data" }
                    || spells.contains { $0.state == .unknown })
        }
        if plan.minimumEvents > 1 {
            add(
                .clause, "`at least \(plan.minimumEvents) events` keeps it from being judged",
                spells.contains { $0.state == .unknown })
        }
    }

    private mutating func addClauses(_ plan: CorrelationPlan) {
        let gatherings = entries.compactMap { entry -> Gathering? in
            if case .gathering(let gathering) = entry { gathering } else { nil }
        }
        add(.clause, "too few members", gatherings.contains { $0.outcome == .tooFew })
        if !plan.order.isEmpty || !plan.precedences.isEmpty {
            add(
                .clause, "members in another order",
                gatherings.contains { $0.outcome == .wrongOrder })
        }
        if plan.required < plan.members.count {
            add(
                .clause, "a match without all members",
                gatherings.contains { $0.outcome == .fired && !$0.missing.isEmpty })
        }
        if plan.strength != nil {
            add(
                .clause, "a strength that is not enough",
                gatherings.contains { if case .tooWeak = $0.outcome { true } else { false } })
        }
    }

    private mutating func addClauses(_ plan: AnomalyPlan) {
        let buckets = entries.compactMap { entry -> ClusterAttempt? in
            if case .cluster(let cluster) = entry { cluster } else { nil }
        }
        add(.clause, "a member with too little history", buckets.contains { $0.unknown > 0 })
        if plan.minimumMembers > 1 {
            add(
                .clause, "too few anomalous members",
                buckets.contains { $0.onsets > 0 && !$0.hasFired })
        }
    }
}
