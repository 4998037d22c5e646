import RuleModel
import RuleSyntax

// A rule as a whole: metadata, pattern, actions, and the plan they make.

extension Checker {
    /// Checks a rule and everything said about it. Nil: it has a mistake (reported).
    ///
    /// - Parameter tests: The tests of this rule; their expectations become its probes.
    mutating func plan(
        _ declaration: RuleDeclaration, tests: [TestDeclaration]
    ) -> (plan: RulePlan, tests: [TestPlan])? {
        let before = errorCount
        rule = RuleContext()
        rule.name = declaration.name.text
        var pattern: PatternPlan?
        var keyList: ListID?
        if let syntax = declaration.pattern {
            switch syntax.kind {
            case .sequence(let sequence):
                pattern = .sequence(self.sequence(sequence, syntax))
            case .threshold(let threshold):
                let plan = self.threshold(threshold, syntax)
                keyList = self.keyList(threshold.keys)
                if let plan { pattern = .threshold(plan) }
            case .correlation(let correlation):
                pattern = .correlation(self.correlation(correlation, syntax))
            case .anomalyCluster(let cluster):
                if let plan = anomalyCluster(cluster, syntax) { pattern = .anomaly(plan) }
            }
        }
        let metadata = self.metadata(declaration.clauses)
        var unless: Term?
        var active: [ActivePlan] = []
        for clause in declaration.clauses {
            switch clause.kind {
            case .unless(let syntax):
                unless = condition(
                    syntax, in: Scope(.match), keyword: "unless", keywordRange: clause.keyword)
            case .active(let during, let name):
                if let index = symbols.scheduleIndex[name.text] {
                    use(.schedule, at: name.range, of: symbols.schedules[index].name.range)
                    active.append(ActivePlan(during: during, schedule: ScheduleID(index)))
                } else {
                    report(
                        .unknownSchedule(
                            name.text, at: name.range,
                            similarTo: symbols.schedules.map(\.name.text)))
                }
            default: break
            }
        }
        let emit = self.emit(declaration.clauses)
        // Where a part is wrong, its types are guesses; nothing is said about the whole then.
        if errorCount == before { reportContradictions(in: declaration) }
        let isSound =
            errorCount == before && !rule.isPoisoned && declaration.pattern != nil
            && !hasSyntaxError(in: declaration.range)
        // Tests are looked at even when the rule is not sound: their mistakes are their own.
        var probes: [Term] = []
        var drafts: [TestDraft] = []
        for test in tests {
            if let draft = self.test(test, probes: &probes) { drafts.append(draft) }
        }
        noteKeyUses()
        guard isSound, var pattern else { return nil }
        if case .threshold(var plan) = pattern {
            plan.measures = rule.measures
            pattern = .threshold(plan)
        }
        var plan = RulePlan(
            id: RuleID(0), name: declaration.name.text, metadata: metadata,
            keyNames: rule.keys.map(\.name), keyList: keyList, pattern: pattern, unless: unless,
            active: active, emit: emit, probes: options.includesTests ? probes : [],
            bound: StateBound(runsPerKey: 0, eventsPerRun: 0, keys: 0, bytesPerKey: 0),
            fingerprint: 0, shape: 0, origin: OriginID(0))
        captureFields(in: &plan)
        return (
            plan,
            drafts.map {
                TestPlan(title: $0.title, rule: plan.id, lines: $0.lines, range: $0.range)
            }
        )
    }

    // MARK: - Metadata

    private mutating func metadata(_ clauses: [RuleClause]) -> RuleMetadata {
        var result = RuleMetadata()
        for clause in clauses {
            switch clause.kind {
            case .title(let text): result.title = text.value
            case .severity(let name):
                if let severity = Severity(rawValue: name.text) {
                    result.severity = severity
                } else {
                    report(.unknownSeverity(name.text, at: name.range))
                }
            case .tags(let names): result.tags += names.map(\.text)
            case .attack(let names): result.attack += names.map(\.text)
            case .owner(let text): result.owner = text.value
            case .runbook(let text): result.runbook = text.value
            case .references(let texts): result.references += texts.map(\.value)
            case .falsePositives(let texts): result.falsePositives += texts.map(\.value)
            case .enabled(let enabled): result.isEnabled = enabled
            case .confidence(let syntax):
                let typed = expression(syntax, in: .constant)
                switch typed.term {
                case .constant(.int(let value)) where value == 0 || value == 1:
                    result.confidence = Double(value)
                case .constant(.float(let value)) where (0...1).contains(value):
                    result.confidence = value
                default:
                    if !typed.type.isUnknown { report(.badConfidence(at: syntax.range)) }
                }
            case .allow(let number, reason: _):
                let code = DiagnosticCode.all.first { $0.number == number.text }
                if code?.severity != .warning {
                    report(.badAllow(number.text, isKnown: code != nil, at: number.range))
                }
            case .active, .unless, .early, .alert, .suppress, .group, .send, .mask, .attach, .risk:
                break
            }
        }
        return result
    }

    // MARK: - Actions

    private mutating func emit(_ clauses: [RuleClause]) -> EmitPlan {
        var emit = EmitPlan()
        for clause in clauses {
            switch clause.kind {
            case .alert(let message): emit.message = self.message(message)
            case .suppress(by: let by, for: let length):
                positive(length)
                emit.suppress = EmitPlan.Spaced(by: values(by), span: span(length))
            case .group(by: let by, for: let length):
                positive(length)
                emit.group = EmitPlan.Spaced(by: values(by), span: span(length))
            case .send(to: let names):
                for name in names {
                    checkSink(name)
                    if !emit.sinks.contains(name.text) { emit.sinks.append(name.text) }
                }
            case .mask(let expressions):
                for syntax in expressions {
                    let typed = expression(syntax, in: Scope(.match))
                    switch typed.term {
                    case .key, .stepField, .stepList, .measure(_, .now), .clusterField(.name, nil):
                        emit.mask.append(typed.term)
                    default:
                        if !typed.type.isUnknown { report(.cannotMask(at: syntax.range)) }
                    }
                }
            case .attach(let expressions):
                for syntax in expressions {
                    let typed = expression(syntax, in: Scope(.match))
                    emit.attach.append(
                        EmitPlan.Attached(name: sourceText(syntax.range), term: typed.term))
                }
            case .risk(let syntax, on: let path):
                let typed = expression(syntax, in: Scope(.match))
                if typed.type != .number, !typed.type.isUnknown {
                    report(
                        .operandType(
                            "risk", wanted: ValueType.number, typed.type, at: syntax.range,
                            place: clause.keyword))
                }
                if case .value(let entity) = resolve(
                    path.segments, Scope(.match), range: path.range)
                {
                    emit.risks.append(
                        EmitPlan.Risk(
                            name: path.segments.last?.text ?? "", entity: entity.term,
                            points: typed.term))
                } else {
                    report(.eventAsValue(sourceText(path.range), fields: [], at: path.range))
                }
            case .early(let isEarly): emit.isEarly = isEarly
            case .title, .severity, .tags, .attack, .owner, .runbook, .references, .falsePositives,
                .enabled, .active, .unless, .confidence, .allow:
                break
            }
        }
        return emit
    }

    private mutating func values(_ expressions: [ExpressionSyntax]) -> [Term] {
        expressions.map { expression($0, in: Scope(.match)).term }
    }

    private mutating func message(_ syntax: MessageSyntax) -> [EmitPlan.MessagePart] {
        syntax.parts.map { part in
            switch part {
            case .text(let text): return .text(text)
            case .expression(let expression, let format):
                let typed = self.expression(expression, in: Scope(.match))
                return .term(typed.term, self.format(format, typed))
            }
        }
    }

    private mutating func format(
        _ format: MessageSyntax.MessageFormat?, _ typed: Typed
    ) -> EmitPlan.MessageFormat {
        switch format {
        case nil: return .plain
        case .masked: return .masked
        case .inZone(let zone):
            check(zone: zone)
            if typed.type != .time, !typed.type.isUnknown {
                report(
                    .formatType(
                        "in \"\(zone.value)\"", wanted: ValueType.time, typed.type, at: typed.range)
                )
            }
            return .inZone(zone.value)
        case .first(let count):
            atLeastOne(count)
            if typed.type.element == nil, !typed.type.isUnknown {
                report(
                    .formatType(
                        "first \(count.value)", wanted: ValueType.list(.text), typed.type,
                        at: typed.range))
            }
            return .first(max(1, count.value))
        }
    }

    private mutating func checkSink(_ name: Name) {
        if let index = symbols.sinkIndex[name.text] {
            use(.sink, at: name.range, of: symbols.sinks[index].name?.range)
            return
        }
        if symbols.sinks.isEmpty {
            guard undeclaredSinks.insert(name.text).inserted else { return }
            report(.noSinks(name.text, at: name.range))
        } else {
            report(
                .unknownSink(
                    name.text, at: name.range, similarTo: symbols.sinks.compactMap(\.name?.text)))
        }
    }

    // MARK: - State by need

    /// Notes for each step which fields of its events somebody reads later.
    ///
    /// The time and type of an event are always kept and are not listed.
    private func captureFields(in plan: inout RulePlan) {
        var needed: [StepID: Set<FieldID>] = [:]
        func visit(_ term: Term) {
            switch term {
            case .stepField(let step, _, let field), .stepList(let step, let field),
                .stepAggregate(_, let step, let field):
                if field != .time, field != .type { needed[step, default: []].insert(field) }
            default:
                for child in term.children { visit(child) }
            }
        }
        if let term = plan.unless { visit(term) }
        for part in plan.emit.message {
            if case .term(let term, _) = part { visit(term) }
        }
        for attached in plan.emit.attach { visit(attached.term) }
        for risk in plan.emit.risks {
            visit(risk.points)
            visit(risk.entity)
        }
        for term in plan.emit.mask + plan.probes { visit(term) }
        for spaced in [plan.emit.suppress, plan.emit.group] {
            for term in spaced?.by ?? [] { visit(term) }
        }
        func captured(_ step: Int) -> [FieldID] {
            (needed[StepID(step)] ?? []).sorted { $0.rawValue < $1.rawValue }
        }
        switch plan.pattern {
        case .sequence(var sequence):
            for step in sequence.steps {
                // Only what looks at other events reads them.
                if let term = step.runCondition { visit(term) }
            }
            for index in sequence.steps.indices { sequence.steps[index].captured = captured(index) }
            plan.pattern = .sequence(sequence)
        case .correlation(var correlation):
            for index in correlation.members.indices {
                correlation.members[index].captured = captured(index)
            }
            plan.pattern = .correlation(correlation)
        case .threshold, .anomaly, .metric: break
        }
    }
}
