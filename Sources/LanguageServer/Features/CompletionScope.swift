import RuleCompiler
import RuleModel
import RuleSyntax

// Names by scope: what an expression can read where it stands.

extension Proposals {
    /// Where an expression stands.
    enum Subject {
        /// A condition on an event; nil: of a type that nobody declares.
        case event(EventSymbol?)
        /// A threshold's `when`.
        case window
        /// Messages, `attach`, `unless`, expectations: the whole match.
        case match
        case constant
    }

    /// What can come next in an expression: a member, an operator, or an operand.
    ///
    /// - Parameter following: What may stand behind the whole expression.
    func expression(_ subject: Subject, following: [CompletionWords.Word] = []) -> [Proposal] {
        if place.text != nil { return comparedValues(subject) }
        let base = place.base
        if !base.isEmpty { return members(of: base, subject) }
        if place.last?.kind == .dot { return [] }
        if place.last?.keyword == .list { return lists }
        if place.isBehindOperand { return words(following) + words(CompletionWords.operators) }
        return comparedValues(subject) + names(subject) + constants + functions
            + words(CompletionWords.operandWords)
    }

    private func names(_ subject: Subject) -> [Proposal] {
        switch subject {
        case .event(let event): fields(of: event, below: []) + steps(before: offset)
        case .window: measures + keys + facts
        case .match:
            steps(before: nil).filter { !absent.contains($0.label) } + measures + keys + facts
        case .constant: []
        }
    }

    /// The values that what stands on the other side of `==`, `!=` or `in` can have.
    private func comparedValues(_ subject: Subject) -> [Proposal] {
        var tokens = place.clause[...]
        while tokens.last?.kind == .comma || tokens.last?.kind == .text { tokens.removeLast() }
        if tokens.last?.kind == .leftBracket { tokens.removeLast() }
        guard let comparison = tokens.popLast() else { return [] }
        guard comparison.kind == .equal || comparison.kind == .notEqual || comparison.keyword == .in
        else { return [] }
        if tokens.last?.keyword == .not { tokens.removeLast() }
        var names: [String] = []
        while let token = tokens.last, token.kind == .name || token.kind == .quotedName {
            names.insert(place.text(token), at: 0)
            tokens.removeLast()
            guard tokens.last?.kind == .dot else { break }
            tokens.removeLast()
        }
        return type(of: names, subject).map(values(of:)) ?? []
    }

    /// The values of a type that has few.
    func values(of type: ValueType) -> [Proposal] {
        switch type {
        case .enumeration(let cases):
            cases.map { Proposal(label: "\"\($0)\"", kind: .enumMember, rank: 0) }
        case .bool:
            place.text == nil
                ? ["true", "false"].map { Proposal(label: $0, kind: .enumMember, rank: 0) } : []
        default: []
        }
    }

    private func type(of names: [String], _ subject: Subject) -> ValueType? {
        guard let head = names.first else { return nil }
        if let step = rule?.steps.first(where: { $0.name.text == head }), names.count > 1 {
            let event = compilation.event(of: step.source.stream)
            let isPlace = names.count > 2 && (names[1] == "first" || names[1] == "last")
            let field = names.dropFirst(isPlace ? 2 : 1).joined(separator: ".")
            return event?.fields.first { $0.path.description == field }?.type
        }
        let field = names.joined(separator: ".")
        let events: [EventSymbol] =
            if case .event(let event) = subject { [event].compactMap(\.self) } else { inputs }
        return events.lazy.flatMap(\.fields).first { $0.path.description == field }?.type
    }

    // MARK: - Fields

    private func members(of base: [String], _ subject: Subject) -> [Proposal] {
        if let step = rule?.steps.first(where: { $0.name.text == base[0] }) {
            let event = compilation.event(of: step.source.stream)
            var rest = Array(base.dropFirst())
            var own: [Proposal] = []
            if step.isRepeated {
                if rest.isEmpty {
                    own = [
                        Proposal(label: "count", kind: .property, detail: "number", rank: 0),
                        Proposal(
                            label: "first", kind: .property, detail: "the first event", rank: 0),
                        Proposal(label: "last", kind: .property, detail: "the last event", rank: 0),
                    ]
                } else if rest[0] == "first" || rest[0] == "last" {
                    rest.removeFirst()
                }
            }
            let isList = step.isRepeated && base.count == 1
            return own + fields(of: event, below: rest, asLists: isList)
        }
        if case .event(let event) = subject { return fields(of: event, below: base) }
        return []
    }

    /// The fields of an event whose names begin with the given ones; what follows of each.
    func fields(of event: EventSymbol?, below base: [String], asLists: Bool = false) -> [Proposal] {
        guard let event else { return [] }
        var result = event.fields.compactMap { field -> Proposal? in
            let segments = field.path.segments
            guard segments.count > base.count, segments.starts(with: base) else { return nil }
            let type = asLists ? "[\(field.type)]" : "\(field.type)"
            return Proposal(
                label: segments.dropFirst(base.count).joined(separator: "."), kind: .field,
                detail: "\(type)\(field.isOptional ? "?" : "")",
                documentation: "field of `\(event.name)`", rank: 0)
        }
        if base.isEmpty {
            result.append(Proposal(label: "time", kind: .field, detail: "time", rank: 1))
            result.append(Proposal(label: "type", kind: .field, detail: "text", rank: 1))
        }
        return result
    }

    /// The event types that the rule reads.
    var inputs: [EventSymbol] {
        var names: Set<String> = []
        return inputSources.compactMap { compilation.event(of: $0.stream) }
            .filter { names.insert($0.name).inserted }
    }

    private var inputSources: [SourceSyntax] {
        if let rule { return rule.inputs }
        let metrics = view.file.declarations.compactMap { declaration in
            if case .metric(let metric) = declaration { metric } else { nil }
        }
        return metrics.last { $0.range.start <= offset }?.over.map { [$0] } ?? []
    }

    /// What a threshold, metric or series looks at.
    var input: EventSymbol? { inputs.first }

    /// The fields a key can be made of: those of the events that the rule reads, or of all.
    var keyFields: [Proposal] {
        let known = inputs
        let events = known.isEmpty ? compilation.events : known
        return events.flatMap { fields(of: $0, below: place.base) }
    }

    // MARK: - Names of a rule

    func steps(before limit: UInt32?) -> [Proposal] {
        (rule?.steps ?? []).filter { step in
            limit.map { step.name.range.start < $0 } ?? true
        }.map { step in
            let event = compilation.event(of: step.source.stream)?.name ?? "event"
            return Proposal(
                label: step.name.text, kind: .variable,
                detail: step.isRepeated ? "events of \(event)" : event, rank: 0)
        }
    }

    /// Steps whose events never come with a match.
    private var absent: Set<String> {
        Set((rule?.steps ?? []).filter { !$0.isTaken }.map(\.name.text))
    }

    var measures: [Proposal] {
        var names = rule?.measures.map(\.name.text) ?? []
        if rule == nil {
            for case .metric(let metric) in view.file.declarations
            where metric.range.touches(offset) {
                names = metric.measures.map(\.name.text)
            }
        }
        return names.map { Proposal(label: $0, kind: .variable, detail: "measure", rank: 0) }
    }

    var keys: [Proposal] {
        (rule?.keys ?? []).map { Proposal(label: $0.text, kind: .property, detail: "key", rank: 0) }
    }

    private var facts: [Proposal] {
        MatchFact.allCases.map {
            Proposal(label: $0.rawValue, kind: .constant, detail: "of the match", rank: 3)
        }
    }

    // MARK: - Names of the rule set

    var events: [Proposal] {
        let base = place.base.map { $0 + "." }.joined()
        return compilation.events.filter { $0.kind != .alert && !$0.name.isEmpty }
            .compactMap { event in
                guard event.name.hasPrefix(base) else { return nil }
                let fields = event.fields.map(\.path.description).joined(separator: ", ")
                return Proposal(
                    label: String(event.name.dropFirst(base.count)), kind: .event,
                    detail: word(for: event.kind), documentation: fields,
                    rank: 1)
            }
    }

    private func word(for kind: EventSymbol.Kind) -> String {
        switch kind {
        case .declared, .undeclared: "event"
        case .alert: "alert"
        case .metric: "metric"
        case .risk: "risk"
        }
    }

    /// Whatever a rule can read.
    var sources: [Proposal] {
        guard place.base.isEmpty else { return events }
        let selects = compilation.selects.map {
            Proposal(label: $0.name.text, kind: .event, detail: "select", rank: 1)
        }
        return selects + events
            + [Proposal(label: "alert", kind: .keyword, documentation: "Alerts of rules.")]
    }

    var rules: [Proposal] {
        compilation.files.flatMap(\.rules).map {
            Proposal(label: $0.name.text, kind: .event, detail: "rule", rank: 1)
        }
    }

    var lists: [Proposal] {
        compilation.declarations.compactMap { declaration in
            guard case .list(let list) = declaration else { return nil }
            let kind = list.element.map { "list of \($0.text)" } ?? "list"
            return Proposal(label: list.name.text, kind: .variable, detail: kind, rank: 1)
        }
    }

    var schedules: [Proposal] {
        compilation.declarations.compactMap { declaration in
            guard case .schedule(let schedule) = declaration else { return nil }
            return Proposal(
                label: schedule.name.text, kind: .constant, detail: schedule.times.value, rank: 1)
        }
    }

    var sinks: [Proposal] {
        compilation.declarations.compactMap { declaration in
            guard case .deployment(let block) = declaration, block.kind == .sink,
                let name = block.name
            else { return nil }
            return Proposal(label: name.text, kind: .module, detail: "sink", rank: 1)
        }
    }

    private var constants: [Proposal] {
        compilation.declarations.compactMap { declaration in
            switch declaration {
            case .let(let constant):
                Proposal(label: constant.name.text, kind: .constant, detail: "constant", rank: 1)
            case .define(let define):
                Proposal(
                    label: define.name.text, kind: .function,
                    detail: "(\(define.parameters.map(\.text).joined(separator: ", ")))",
                    snippet: "\(define.name.text)($0)", rank: 1)
            default: nil
            }
        }
    }

    var aggregates: [Proposal] {
        AggregateBuiltin.all.map { aggregate in
            Proposal(
                label: aggregate.name, kind: .function, detail: aggregate.signature,
                documentation: functionPage(
                    aggregate.signature, aggregate.documentation, aggregate.example),
                snippet: aggregate.function == .count ? nil : "\(aggregate.name)($0)", rank: 3)
        }
    }

    private var functions: [Proposal] {
        let builtins = Builtin.all.map { builtin in
            Proposal(
                label: builtin.name, kind: .function, detail: builtin.signature,
                documentation: functionPage(
                    builtin.signature, builtin.documentation, builtin.example),
                snippet: "\(builtin.name)($0)", rank: 3)
        }
        let scores = ScoreBuiltin.all.map { score in
            Proposal(
                label: score.name, kind: .function, detail: score.signature,
                documentation: functionPage(score.signature, score.documentation, score.example),
                snippet: "\(score.name)($0)", rank: 3)
        }
        return builtins + aggregates + scores
    }
}
