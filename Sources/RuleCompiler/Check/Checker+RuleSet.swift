import RuleModel
import RuleSyntax

/// What checking a rule set gives.
struct CheckedRuleSet {
    var plans: [RulePlan] = []
    var tables = RuleSetTables()
    var diagnostics: [Diagnostic] = []
    var origins: [SourceRange] = []
    var tests: [TestPlan] = []
    var deployment = DeploymentPlan()
    /// By range of the expression: what the lints need to know of it.
    var facts: [SourceRange: ExpressionFact] = [:]
    var symbols = Symbols()
    var uses: [NameUse] = []
}

/// Checks all files together and makes the plans of the sound rules.
func check(_ set: LoadedRuleSet, options: CompileOptions) -> CheckedRuleSet {
    var diagnostics: [Diagnostic] = []
    let symbols = collectSymbols(set, into: &diagnostics)
    var checker = Checker(set: set, symbols: symbols, options: options)
    for diagnostic in diagnostics { checker.report(diagnostic) }
    var result = checker.checkedRuleSet()
    result.diagnostics = checker.diagnostics
    result.facts = checker.facts
    result.symbols = checker.symbols
    result.uses = checker.uses
    return result
}

extension Checker {
    fileprivate mutating func checkedRuleSet() -> CheckedRuleSet {
        var result = CheckedRuleSet()
        addMetricEvents()
        addRiskEvents()
        // Definitions and constants first, so that a mistake in one is shown where it stands.
        for index in symbols.lets.indices { _ = letValue(index) }
        for index in symbols.defines.indices { _ = isSound(index) }
        result.tables.lists = symbols.lists.map { list($0) }
        result.tables.schedules = symbols.schedules.map { schedule($0) }
        declareSymbols()
        let metrics = checkedMetrics()
        var graph = ProducerGraph()
        var tests: [String: [TestDeclaration]] = [:]
        for test in symbols.tests {
            useRule(test.rule)
            if symbols.ruleIndex[test.rule.text] == nil {
                report(
                    .unknownRule(
                        test.rule.text, at: test.rule.range,
                        similarTo: symbols.rules.map(\.name.text)))
            }
            tests[test.rule.text, default: []].append(test)
        }
        for (index, rule) in symbols.rules.enumerated() {
            // Of two rules with one name the first has the tests.
            let own = symbols.ruleIndex[rule.name.text] == index ? tests[rule.name.text] ?? [] : []
            let checked = plan(rule, tests: own)
            graph.add(
                rule.name.text, isMetric: false, reads: self.rule.reads, risks: rule.riskNames)
            guard var (plan, planTests) = checked else { continue }
            plan.id = RuleID(result.plans.count)
            plan.origin = OriginID(result.origins.count)
            result.origins.append(rule.name.range)
            result.plans.append(plan)
            for position in planTests.indices { planTests[position].rule = plan.id }
            result.tests += planTests
        }
        // What no running rule reads need not be found in the events.
        let read = fields
        for select in symbols.selects {
            _ = stream(
                SourceSyntax(
                    stream: .named(PathSyntax([select.name])), condition: nil,
                    range: select.name.range, whereRange: nil))
        }
        fields = read
        for (metric, checked) in zip(symbols.metrics, metrics) {
            graph.add(metric.name.text, isMetric: true, reads: checked.reads, risks: [])
            guard var plan = checked.plan else { continue }
            plan.id = RuleID(result.plans.count)
            plan.origin = OriginID(result.origins.count)
            result.origins.append(metric.name.range)
            result.plans.append(plan)
        }
        let circles = graph.circles()
        for circle in circles { report(.ruleCycle(circle.path, at: circle.range)) }
        if circles.isEmpty { result.plans = placed(result.plans) }
        result.deployment = deployment()
        result.tables.eventTypes = fields.eventTypes
        result.tables.columns = fields.columns
        result.tables.fields = fields.fields
        // Types and columns are known now that all rules have said what they read.
        for index in result.tests.indices { resolve(&result.tests[index]) }
        result.tests.sort {
            $0.range.source == $1.range.source
                ? $0.range.start < $1.range.start : $0.range.source < $1.range.source
        }
        return result
    }

    private func resolve(_ test: inout TestPlan) {
        for index in test.lines.indices {
            switch test.lines[index].kind {
            case .event(var event, time: let time, count: let count, every: let every):
                resolve(&event)
                test.lines[index].kind = .event(event, time: time, count: count, every: every)
            case .late(var event, arrives: let arrives, time: let time):
                resolve(&event)
                test.lines[index].kind = .late(event, arrives: arrives, time: time)
            case .list, .watch, .advance, .crash, .expect, .expectNothing: break
            }
        }
    }

    private func resolve(_ event: inout TestPlan.Event) {
        event.type = fields.existingType(event.typeName)
        for index in event.fields.indices {
            event.fields[index].column = fields.existingColumn(event.fields[index].path)
        }
    }

    // MARK: - Lists

    private mutating func list(_ symbol: ListSymbol) -> ListPlan {
        let declaration = symbol.declaration
        positive(declaration.refresh)
        let values = (declaration.values ?? []).compactMap { listValue($0, symbol.kind) }
        return ListPlan(
            name: declaration.name.text, kind: symbol.kind, path: declaration.path?.value,
            declaredIn: set.sources[Int(declaration.range.source.rawValue)].name,
            keyColumn: declaration.key?.text, refresh: declaration.refresh.map(span), values: values
        )
    }

    // MARK: - Risk as events

    /// Each kind of entity that rules put a risk on is an event type `risk.NAME`.
    private mutating func addRiskEvents() {
        for rule in symbols.rules {
            for name in rule.riskNames where symbols.eventIndex["risk.\(name)"] == nil {
                symbols.eventIndex["risk.\(name)"] = symbols.events.count
                symbols.events.append(.risk(name))
            }
        }
    }
}

extension RuleDeclaration {
    /// The kinds of entity that the rule puts a risk on.
    fileprivate var riskNames: [String] {
        clauses.compactMap { clause in
            if case .risk(_, on: let path) = clause.kind { return path.segments.last?.text }
            return nil
        }
    }
}
