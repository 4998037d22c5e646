import RuleModel
import RuleSyntax

// Lints of a sequence as a whole.

extension Lints {
    /// A limit on runs from which on it bounds nothing that a machine would notice.
    static let nominalRunLimit = 1_000_000
    /// Matches at one event that nobody will read.
    static let crowdedMatchLimit = 1_000

    /// W0601: `unbounded limit N` with an N that is no bound in practice.
    mutating func reportNominalBounds(in sequence: SequenceSyntax, of rule: RuleDeclaration) {
        for policy in sequence.policies {
            guard case .unbounded(limit: let limit) = policy.kind,
                limit.value >= Lints.nominalRunLimit
            else { continue }
            report(.nominalBound(rule: rule.name.text, limit.value, at: limit.range))
        }
    }

    /// W0604: a step with the name of a field, which conditions can then no longer read by that name.
    mutating func reportHiddenFields(in sequence: SequenceSyntax) {
        let steps = sequence.lintedSteps
        for (index, step) in steps.enumerated() {
            // The name means the step in its own condition and in those behind it.
            let sources = steps[index...].map(\.syntax.source)
            guard
                let event = sources.compactMap({ symbols.event(of: $0) }).first(where: { event in
                    event.isClosed && event.field(step.syntax.name.text) != nil
                })
            else { continue }
            let name = step.syntax.name
            let conditions = sources.compactMap(\.condition)
            let use = conditions.compactMap { self.use(of: name.text, in: $0) }.first
            report(.hiddenField(name.text, event: event.name, at: name.range, use: use))
        }
    }

    /// The first place where the word stands in front of a dot, with the whole dotted name.
    private func use(of name: String, in condition: ExpressionSyntax) -> SourceRange? {
        var found: SourceRange?
        condition.forEach { expression in
            if found == nil, case .member = expression.kind, expression.headName?.text == name {
                found = expression.range
            }
        }
        return found
    }

    /// W0605: a step that may be left out and that nobody reads changes nothing.
    mutating func reportUnusedSteps(in sequence: SequenceSyntax, of rule: RuleDeclaration) {
        // Which events lie in between is what `immediately` looks at, and `resume at` names a step.
        if sequence.elements.contains(where: { $0.immediately != nil }) { return }
        let source = set.sources[Int(rule.range.source.rawValue)]
        for step in sequence.lintedSteps
        where step.role == .taken && !step.isInAnyOf && !step.isRequired {
            let name = step.syntax.name
            let words = WordCount(of: [name.text], in: source, range: rule.range)
            guard words.count(of: name.text) == 1 else { continue }
            report(.unusedStep(name.text, at: name.range))
        }
    }

    /// W0607: `overlap all` where the number of combinations grows faster than the events.
    mutating func reportExplosions(in sequence: SequenceSyntax) {
        for policy in sequence.policies {
            guard case .overlapAll(limit: let limit) = policy.kind else { continue }
            let open = sequence.lintedSteps.filter { step in
                guard step.role == .taken else { return false }
                switch step.syntax.quantity {
                case .atLeast, .anyNumber: return true
                case nil, .exactly, .between, .optional: return false
                }
            }
            if open.count > 1 {
                report(
                    .matchExplosion(
                        open.map {
                            ($0.syntax.name.text, $0.syntax.quantityRange ?? $0.syntax.name.range)
                        },
                        limit: limit.value, at: policy.range))
            } else if limit.value > Lints.crowdedMatchLimit {
                report(.crowdedMatches(limit.value, at: limit.range))
            }
        }
    }

    /// W0420: `without x` names the very events that the next step waits for.
    mutating func reportBarringWithouts(in sequence: SequenceSyntax, _ plan: SequencePlan) {
        let steps = sequence.lintedSteps
        guard steps.count == plan.steps.count else { return }
        for (index, step) in steps.enumerated() where step.role == .without {
            let next = steps.indices.filter { other in
                steps[other].role == .taken && steps[other].element > step.element
            }
            guard let element = next.map({ steps[$0].element }).min() else { continue }
            for other in next where steps[other].element == element {
                guard plan.namesSameEvents(index, other) else { continue }
                report(
                    .barringWithout(
                        step.syntax.name.text, at: step.syntax.name.range,
                        next: steps[other].syntax.name.text, steps[other].syntax.name.range))
                break
            }
        }
    }
}

extension SequencePlan {
    /// Whether the same events fit two steps, whatever else has happened.
    fileprivate func namesSameEvents(_ first: Int, _ second: Int) -> Bool {
        func parts(_ step: StepPlan) -> Set<Term> {
            Set([step.eventCondition, step.runCondition].compactMap { $0 }.flatMap(conjuncts))
        }
        return steps[first].input == steps[second].input
            && parts(steps[first]) == parts(steps[second])
    }
}
