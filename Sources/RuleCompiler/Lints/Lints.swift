import RuleModel
import RuleSyntax

/// Looks for what is allowed and probably not meant. Rules with an error are left alone: their
/// types are guesses.
func lint(_ set: LoadedRuleSet, _ checked: CheckedRuleSet) -> [Diagnostic] {
    var lints = Lints(set: set, checked: checked)
    for file in set.files {
        for declaration in file.declarations { lints.lint(declaration) }
    }
    // With an error somewhere, a name may be unused only because its use is misspelled.
    if !(set.diagnostics + checked.diagnostics).contains(where: { $0.severity == .error }) {
        for file in set.files { lints.reportUnusedNames(in: file) }
    }
    return lints.diagnostics
}

/// What the lints look at, and what they found.
struct Lints {
    let set: LoadedRuleSet
    let facts: [SourceRange: ExpressionFact]
    let symbols: Symbols
    var diagnostics: [Diagnostic] = []
    /// By the range of the rule's name; only sound rules.
    private let plans: [SourceRange: RulePlan]
    /// How often each name that could be unused stands anywhere in the rule set.
    let words: WordCount

    init(set: LoadedRuleSet, checked: CheckedRuleSet) {
        self.set = set
        facts = checked.facts
        symbols = checked.symbols
        plans = Dictionary(
            zip(checked.origins, checked.plans), uniquingKeysWith: { first, _ in first })
        words = WordCount(of: checked.symbols.helperNames.map(\.text), in: set.sources)
    }

    fileprivate mutating func lint(_ declaration: Declaration) {
        switch declaration {
        case .rule(let rule):
            guard let plan = plans[rule.name.range] else { return }
            lint(rule, plan)
        case .select(let select):
            guard let condition = select.source.condition else { return }
            reportMixedOperators(in: condition)
            reportNegatedOptionals(in: condition, guardedBy: [])
            reportUnknownCases(in: condition, isRequired: false)
        case .let(let constant): reportMixedOperators(in: constant.value)
        case .define(let define): reportMixedOperators(in: define.body)
        case .metric(let metric):
            if let condition = metric.over?.condition { reportMixedOperators(in: condition) }
        case .import, .event, .list, .schedule, .test, .deployment: break
        }
    }

    private mutating func lint(_ rule: RuleDeclaration, _ plan: RulePlan) {
        for condition in rule.lintedConditions {
            reportMixedOperators(in: condition.expression)
            var isRequired = false
            switch condition.place {
            case .step(isRequired: let needed): isRequired = needed
            case .over: isRequired = true
            case .measure, .when, .resolve, .unless: break
            }
            reportUnknownCases(in: condition.expression, isRequired: isRequired)
            if let source = condition.source {
                reportNegatedOptionals(
                    in: condition.expression, guardedBy: symbols.selectConditions(of: source))
            }
        }
        for expression in rule.emittedExpressions { reportMixedOperators(in: expression) }
        switch rule.pattern?.kind {
        case .sequence(let sequence)?:
            reportNominalBounds(in: sequence, of: rule)
            reportHiddenFields(in: sequence)
            reportUnusedSteps(in: sequence, of: rule)
            reportExplosions(in: sequence)
            if case .sequence(let plan) = plan.pattern { reportBarringWithouts(in: sequence, plan) }
        case .threshold(let threshold)?: reportShortHolds(in: threshold)
        case .correlation, .anomalyCluster, nil: break
        }
    }

    mutating func report(_ diagnostic: Diagnostic) { diagnostics.append(diagnostic) }

    func sourceText(_ range: SourceRange) -> String {
        set.sources[Int(range.source.rawValue)].text(range)
    }

    /// `rules/auth.rules:8`
    func place(_ range: SourceRange) -> String {
        let source = set.sources[Int(range.source.rawValue)]
        return "\(source.name):\(source.line(at: range.start) + 1)"
    }

    /// What is known of an expression, whatever parentheses it stands in.
    func fact(_ expression: ExpressionSyntax) -> ExpressionFact? {
        facts[expression.unwrapped.range]
    }
}

extension Symbols {
    /// The conditions that every event of a source has passed: those of its `select`.
    func selectConditions(of source: SourceSyntax) -> [ExpressionSyntax] {
        var conditions: [ExpressionSyntax] = []
        var source = source
        // A select over a select leads on; a circle of them is an error, and has an end here.
        for _ in 0...selects.count {
            guard case .named(let path) = source.stream, path.segments.count == 1,
                let index = selectIndex[path.text]
            else { break }
            source = selects[index].source
            conditions += [source.condition].compactMap { $0 }
        }
        return conditions
    }

    /// The event type that a source's events are of; nil where nothing is declared.
    func event(of source: SourceSyntax) -> EventSymbol? {
        var source = source
        for _ in 0...selects.count {
            guard case .named(let path) = source.stream else { return nil }
            if path.segments.count == 1, let index = selectIndex[path.text] {
                source = selects[index].source
            } else {
                return eventIndex[path.text].map { events[$0] }
            }
        }
        return nil
    }

    /// The names that rules are written with and that exist for nothing else.
    var helperNames: [Name] {
        selects.map(\.name) + lists.map(\.declaration.name) + schedules.map(\.name)
            + lets.map(\.name)
            + defines.map(\.name)
    }
}
