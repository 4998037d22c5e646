import RuleCompiler
import RuleModel
import RuleSyntax

// What a word means: its type and declaration, what a rule does and keeps, what a function does.

extension LanguageServer {
    func hover(_ view: DocumentView, at offset: UInt32) -> JSONDocument {
        let uses = view.uses(at: offset)
        var range = uses.first?.range
        var parts = uses.map { description($0, view) }
        if parts.isEmpty, let word = wordHover(view, at: offset) {
            (parts, range) = ([word.text], word.range)
        }
        for diagnostic in view.compilation.diagnostics
        where diagnostic.primary.range.source == view.id
            && diagnostic.primary.range.touches(offset)
        {
            parts.append(page(diagnostic.code))
            range = range ?? diagnostic.primary.range
        }
        guard let range else { return .null }
        // Fields of several event types with one type each need not be said twice.
        var seen: Set<String> = []
        let text = parts.filter { seen.insert($0).inserted }.joined(separator: "\n\n---\n\n")
        return [
            "contents": ["kind": "markdown", "value": .text(text)], "range": view.map.json(range),
        ]
    }

    private func page(_ code: DiagnosticCode) -> String {
        "**\(code.number)** \(code.slug): \(code.explanation)"
    }

    // MARK: - Declared names

    private func description(_ use: NameUse, _ view: DocumentView) -> String {
        let source = view.analysis.source(use.declaration)
        let name = source.text(use.declaration)
        let line = source.position(at: use.declaration.start).line
        let place = "declared in `\(baseName(source.name)):\(line)`"
        let type = use.type.map { ": \($0)" } ?? ""
        let optional = use.isOptional ? ", may be missing" : ""
        let declarations = view.compilation.files[Int(use.declaration.source.rawValue)].declarations
        func code(_ text: String) -> String { "```martlet\n\(text)\n```" }
        func written(_ range: SourceRange) -> String { code(source.text(range)) }
        switch use.kind {
        case .field:
            let owner = view.compilation.events.first { event in
                event.fields.contains { $0.range == use.declaration }
            }
            let of = owner.map { " of `\($0.name)`" } ?? ""
            return code("\(name)\(type)") + "\nfield\(of)\(optional); \(place)"
        case .event, .metric:
            let event = view.compilation.events.first { $0.range == use.declaration }
            return code(shape(event, name))
                + "\n\(use.kind == .event ? "event type" : "metric"); \(place)"
        case .step: return stepDescription(use, source, view) + "\n" + place
        case .rule: return ruleDescription(use.declaration, name, view)
        case .measure:
            let rule = view.compilation.files[Int(use.declaration.source.rawValue)]
                .rule(around: use.declaration.start)
            let measure = rule?.measures.first { $0.name.range == use.declaration }
            return (measure.map { written($0.range) } ?? code(name))
                + "\nmeasure\(type)\(optional); \(place)"
        case .key: return code("by \(name)") + "\npart of the key\(type); \(place)"
        case .parameter: return code(name) + "\nparameter of a definition; \(place)"
        case .variable: return code("\(name)\(type)") + "\nelement of a list"
        case .constant:
            for case .let(let constant) in declarations where constant.name.range == use.declaration
            {
                return written(constant.range) + "\nconstant\(type); \(place)"
            }
        case .define:
            for case .define(let define) in declarations where define.name.range == use.declaration
            {
                return written(define.range) + "\n\(place)"
            }
        case .select:
            for case .select(let select) in declarations where select.name.range == use.declaration
            {
                let event = view.compilation.event(of: select.source.stream)
                return written(select.range) + "\nstream of `\(event?.name ?? "?")`; \(place)"
            }
        case .list:
            for case .list(let list) in declarations where list.name.range == use.declaration {
                return written(list.range) + "\n\(place)"
            }
        case .schedule:
            for case .schedule(let schedule) in declarations
            where schedule.name.range == use.declaration {
                return written(schedule.range) + "\n\(place)"
            }
        case .source, .sink:
            for case .deployment(let block) in declarations
            where block.name?.range == use.declaration {
                return written(block.range) + "\n\(place)"
            }
        }
        return code(name) + "\n\(place)"
    }

    private func shape(_ event: EventSymbol?, _ name: String) -> String {
        guard let event else { return "event \(name)" }
        let fields = event.fields.map { "  \($0.path): \($0.type)\($0.isOptional ? "?" : "")\n" }
        return "event \(event.name) {\n\(fields.joined())}"
    }

    private func stepDescription(_ use: NameUse, _ source: SourceText, _ view: DocumentView)
        -> String
    {
        let rule = view.compilation.files[Int(use.declaration.source.rawValue)]
            .rule(around: use.declaration.start)
        guard let step = rule?.steps.first(where: { $0.name.range == use.declaration }) else {
            return "step"
        }
        var text = "```martlet\n\(source.text(step.range))\n```\n"
        if step.isRepeated {
            let name = step.name.text
            text +=
                "events; `\(name).count`, `\(name).first`, `\(name).last`, and lists of each field"
        } else if step.isTaken {
            text += step.quantity == .optional ? "one event, or none" : "one event"
        } else {
            text += "an event that must not come, or that ends everything"
        }
        let event = view.compilation.event(of: step.source.stream)
        return text + (event.map { " of `\($0.name)`;" } ?? ";")
    }

    /// What the rule does, in the words of `martlet explain`, its bound and its cost included.
    private func ruleDescription(_ range: SourceRange, _ name: String, _ view: DocumentView)
        -> String
    {
        let compilation = view.compilation
        guard let plan = compilation.plan(declaredAt: range) else {
            return "rule `\(name)` has a mistake, so nothing can be said about what it does"
        }
        let page = explain(plan, tables: compilation.tables, program: compilation.program)
        return "```text\n\(page)```"
    }

    private func baseName(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    // MARK: - Words of the language

    private func wordHover(_ view: DocumentView, at offset: UInt32) -> (
        text: String, range: SourceRange
    )? {
        let tokens = expressionTokens(view.source, at: offset)
        guard let index = tokens.firstIndex(where: { $0.kind == .name && $0.range.touches(offset) })
        else { return nil }
        let range = tokens[index].range
        let word = view.source.text(range)
        if let code = DiagnosticCode.all.first(where: { $0.number == word }) {
            return (page(code), range)
        }
        let isCall = index + 1 < tokens.count && tokens[index + 1].kind == .leftParenthesis
        let isMeasure = index > 0 && tokens[index - 1].kind == .assign
        if isCall || isMeasure {
            let texts = functionPages(word)
            if !texts.isEmpty { return (texts.joined(separator: "\n\n---\n\n"), range) }
        }
        // The word in front of a rule or of its pattern stands for the whole rule.
        guard let rule = view.file.rule(around: offset) else { return nil }
        if rule.pattern?.keyword == range || rule.range.start == range.start {
            return (ruleDescription(rule.name.range, rule.name.text, view), range)
        }
        return nil
    }

    /// What a function does: as a function of values, and as an aggregate of many.
    private func functionPages(_ name: String) -> [String] {
        let builtins = Builtin.all.filter { $0.name == name }.map {
            functionPage($0.signature, $0.documentation, $0.example)
        }
        let aggregates = AggregateBuiltin.all.filter { $0.name == name }.map {
            functionPage($0.signature, $0.documentation, $0.example)
        }
        let scores = ScoreBuiltin.all.filter { $0.name == name }.map {
            functionPage($0.signature, $0.documentation, $0.example)
        }
        return builtins + aggregates + scores
    }
}

/// Signature, sentence and example of a function.
func functionPage(_ signature: String, _ documentation: String, _ example: String) -> String {
    "```martlet\n\(signature)\n```\n\(documentation)\n\nExample: `\(example)`"
}
