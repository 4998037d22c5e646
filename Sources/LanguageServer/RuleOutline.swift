import RuleCompiler
import RuleModel
import RuleSyntax

/// A named event of a rule: a step of a sequence, or a member of a correlation.
struct OutlineStep {
    var name: Name
    var source: SourceSyntax
    /// What was written in front of the name: `at least 3`.
    var quantity: StepSyntax.Quantity?
    /// Whether it takes an event that later steps can read.
    var isTaken: Bool
    var range: SourceRange

    /// Whether its fields are lists, with `count`, `first` and `last` beside them.
    var isRepeated: Bool { quantity != nil && quantity != .optional }
}

extension RuleDeclaration {
    /// The named events in the order written, those of groups included.
    var steps: [OutlineStep] {
        switch pattern?.kind {
        case .sequence(let sequence): sequence.elements.flatMap(\.steps)
        case .correlation(let correlation):
            correlation.members.map { member in
                OutlineStep(
                    name: member.name, source: member.source, quantity: nil, isTaken: true,
                    range: member.range)
            }
        case .threshold, .anomalyCluster, nil: []
        }
    }

    var keys: [PathSyntax] {
        switch pattern?.kind {
        case .sequence(let sequence): sequence.keys?.fields ?? []
        case .threshold(let threshold): threshold.keys?.fields ?? []
        case .correlation(let correlation): correlation.keys?.fields ?? []
        case .anomalyCluster(let cluster): cluster.keys?.fields ?? []
        case nil: []
        }
    }

    var measures: [(name: Name, range: SourceRange)] {
        switch pattern?.kind {
        case .threshold(let threshold): threshold.measures.map { ($0.name, $0.range) }
        case .anomalyCluster(let cluster): cluster.series.map { ($0.name, $0.range) }
        case .sequence, .correlation, nil: []
        }
    }

    /// Where its events come from, besides the steps.
    var inputs: [SourceSyntax] {
        switch pattern?.kind {
        case .threshold(let threshold): threshold.over.map { [$0] } ?? []
        case .anomalyCluster(let cluster): cluster.series.map(\.source)
        case .sequence, .correlation: steps.map(\.source)
        case nil: []
        }
    }
}

extension SequenceElement {
    fileprivate var steps: [OutlineStep] {
        func outline(_ step: StepSyntax, isTaken: Bool) -> [OutlineStep] {
            [
                OutlineStep(
                    name: step.name, source: step.source, quantity: step.quantity,
                    isTaken: isTaken, range: range)
            ]
        }
        switch kind {
        case .step(let step): return outline(step, isTaken: true)
        case .absence(let step, span: _, spelledFor: _): return outline(step, isTaken: false)
        case .without(let step), .until(let step): return outline(step, isTaken: false)
        case .allOf(let inner), .anyOf(let inner): return inner.flatMap(\.steps)
        }
    }
}

extension RuleFile {
    var rules: [RuleDeclaration] {
        declarations.compactMap { if case .rule(let rule) = $0 { rule } else { nil } }
    }

    var tests: [TestDeclaration] {
        declarations.compactMap { if case .test(let test) = $0 { test } else { nil } }
    }

    /// The rule whose text a place lies in.
    func rule(around offset: UInt32) -> RuleDeclaration? {
        rules.first { $0.range.touches(offset) }
    }
}

extension Compilation {
    /// The event type that a source reads, `select`s followed; nil when there is none of that name.
    func event(of stream: SourceSyntax.Stream) -> EventSymbol? {
        switch stream {
        case .alert: return events.first { $0.kind == .alert }
        case .missing: return nil
        case .named(let path): return event(named: path.text)
        }
    }

    /// The event type of a name, which may be that of a `select`.
    func event(named name: String) -> EventSymbol? {
        var name = name
        // A `select` may select from another; a circle is an error that is told elsewhere.
        for _ in 0..<16 {
            if let select = selects.first(where: { $0.name.text == name }) {
                guard case .named(let path) = select.source.stream else {
                    return event(of: select.source.stream)
                }
                name = path.text
            } else {
                return events.first { $0.name == name }
            }
        }
        return nil
    }

    var declarations: [Declaration] { files.flatMap(\.declarations) }

    var selects: [SelectDeclaration] {
        declarations.compactMap { if case .select(let select) = $0 { select } else { nil } }
    }

    /// The plan of the rule whose name is declared at a place; nil when it has a mistake.
    func plan(declaredAt range: SourceRange) -> RulePlan? {
        plans.first { origins[$0.origin.rawValue] == range }
    }
}
