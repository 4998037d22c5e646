import RuleModel
import RuleSyntax

// `sequence`: steps, their order, and the limits that bound what a run may keep.

/// One named event of a sequence's block, before its condition is looked at.
private struct PendingStep {
    var syntax: StepSyntax
    var stream: ResolvedStream?
    var role: StepSymbol.Role
}

/// What is gathered while the block is read.
private struct SequenceDraft {
    var pending: [PendingStep] = []
    var until: StepID?
}

extension Checker {
    /// The most named events a block may hold.
    static let stepsMax = 64

    /// The most members that an `all of` can have: the engine follows every subset of them.
    static let membersMax = 12

    mutating func sequence(_ syntax: SequenceSyntax, _ pattern: PatternSyntax) -> SequencePlan {
        rule.kind = .sequence
        beginKeys(syntax.keys)
        if let list = syntax.keys?.list { report(.keyListOutsideThreshold(at: list.range)) }
        positive(syntax.within)

        var draft = SequenceDraft()
        let elements = declareSteps(syntax.elements, into: &draft)
        if draft.pending.count > Checker.stepsMax {
            report(
                .tooManySteps(
                    draft.pending.count, max: Checker.stepsMax,
                    at: draft.pending[Checker.stepsMax].syntax.name.range))
        }
        var inputs: [InputPlan] = []
        var steps: [StepPlan] = []
        for (index, pending) in draft.pending.enumerated() {
            steps.append(step(index, pending, syntax, &inputs))
        }
        checkOrder(syntax.elements, pattern)
        var plan = SequencePlan(
            inputs: inputs, steps: steps, elements: elements, until: draft.until,
            within: syntax.within.map(span), overlap: .none, restartsOnRepeat: false, runLimit: nil,
            reportsPartial: false, resumeAt: nil, assumesAbsentAtStart: false, horizon: nil)
        apply(syntax.policies, to: &plan)
        plan.horizon = plan.within ?? sequenceHorizon(of: plan)
        let isSingle = steps.count == 1 && steps[0].maximum == 1 && steps[0].minimum == 1
        // A limit that could not be read is not one that is missing.
        let header = SourceRange(
            source: pattern.keyword.source, start: pattern.keyword.end,
            end: draft.pending.first?.syntax.name.range.start ?? pattern.keyword.end)
        if plan.horizon == nil, plan.runLimit == nil, !isSingle, !steps.isEmpty,
            !hasSyntaxError(in: header)
        {
            report(.unboundedSequence(rule.name, at: pattern.keyword))
        }
        return plan
    }

    func span(_ literal: DurationLiteral) -> TimeSpan { TimeSpan(nanoseconds: literal.nanoseconds) }

    /// A length of time that has to be longer than nothing; what could not be read is 0 in the tree.
    mutating func positive(_ literal: DurationLiteral?) {
        guard let literal, literal.nanoseconds <= 0, !hasSyntaxError(in: literal.range) else {
            return
        }
        report(.zeroDuration(at: literal.range))
    }

    // MARK: - First pass: names

    private mutating func declareSteps(
        _ elements: [SequenceElement], into draft: inout SequenceDraft
    ) -> [ElementPlan] {
        var plans: [ElementPlan] = []
        for (index, element) in elements.enumerated() {
            if let plan = declare(element, element: index, group: nil, into: &draft) {
                plans.append(plan)
            }
        }
        return plans
    }

    private mutating func declare(
        _ element: SequenceElement, element index: Int, group: StepGroup?,
        into draft: inout SequenceDraft
    ) -> ElementPlan? {
        let kind: ElementPlan.Kind
        switch element.kind {
        case .step(let step):
            kind = .step(declare(step, .taken, index, group, into: &draft))
        case .absence(let step, let limit, let spelledFor):
            positive(limit)
            let id = declare(step, .absent, index, group, into: &draft)
            guard let limit else {
                report(.absenceWithoutSpan(step.name.text, at: step.name.range))
                return nil
            }
            if spelledFor != (index == 0), group == nil {
                report(
                    .absenceWord(
                        spelledFor ? "for" : "within", wanted: index == 0 ? "for" : "within",
                        isFirst: index == 0, at: limit.range))
            }
            kind = .absence(id, span(limit))
        case .without(let step):
            kind = .without(declare(step, .without, index, group, into: &draft))
        case .until(let step):
            let id = declare(step, .until, index, group, into: &draft)
            if let first = draft.until {
                report(
                    .severalUntils(
                        at: step.name.range,
                        first: draft.pending[first.rawValue].syntax.name.range))
            }
            draft.until = id
            return nil
        case .allOf(let inner), .anyOf(let inner):
            let isAll = if case .allOf = element.kind { true } else { false }
            if inner.count < 2 {
                report(.groupTooSmall(isAll ? "all of" : "any of", at: element.range))
            }
            if isAll, inner.count > Checker.membersMax {
                report(
                    .groupTooLarge(
                        inner.count, max: Checker.membersMax,
                        at: inner[Checker.membersMax].range))
            }
            var plans: [ElementPlan] = []
            for part in inner {
                switch part.kind {
                case .step(let step):
                    if isAll, step.quantity != nil {
                        report(
                            .quantityInAllOf(
                                step.name.text, at: step.quantityRange ?? step.name.range))
                    }
                case .absence(let step, _, _), .without(let step), .until(let step):
                    report(.absenceInGroup(step.name.text, at: step.name.range))
                case .allOf, .anyOf: break
                }
                if let plan = declare(
                    part, element: index, group: group ?? (isAll ? .allOf : .anyOf), into: &draft)
                {
                    plans.append(plan)
                }
            }
            kind = isAll ? .all(plans) : .any(plans)
        }
        return ElementPlan(kind, immediately: element.immediately != nil)
    }

    private mutating func declare(
        _ step: StepSyntax, _ role: StepSymbol.Role, _ element: Int, _ group: StepGroup?,
        into draft: inout SequenceDraft
    ) -> StepID {
        let id = draft.pending.count
        let stream = stream(step.source)
        draft.pending.append(PendingStep(syntax: step, stream: stream, role: role))
        if let first = rule.stepIndex[step.name.text] {
            report(
                .duplicateName(
                    step.name.text, kind: "step", at: step.name.range,
                    first: rule.steps[first].name.range, place: nil))
        } else {
            rule.stepIndex[step.name.text] = id
            declare(.step, step.name.range)
        }
        let isOptional = step.quantity == .optional || group == .anyOf
        var isRepeated = false
        if let quantity = step.quantity, quantity != .optional { isRepeated = true }
        rule.steps.append(
            StepSymbol(
                name: step.name, role: role, event: stream?.event ?? unknownEvent(),
                element: element,
                group: group, isRepeated: isRepeated, isOptional: isOptional, number: element + 1))
        return StepID(id)
    }

    /// What stands in for a source that was left out: an event about which nothing is known.
    mutating func unknownEvent() -> Int {
        if let known = symbols.eventIndex[""] { return known }
        symbols.eventIndex[""] = symbols.events.count
        symbols.events.append(EventSymbol(name: "", kind: .undeclared))
        return symbols.events.count - 1
    }

    // MARK: - Second pass: conditions

    private mutating func step(
        _ index: Int, _ pending: PendingStep, _ sequence: SequenceSyntax,
        _ inputs: inout [InputPlan]
    ) -> StepPlan {
        let syntax = pending.syntax
        let event = rule.steps[index].event
        let key = keyFields(of: event, aliases: syntax.aliases, input: syntax.source.range)
        let input = InputPlan(
            name: pending.stream?.name ?? "", type: fields.eventType(symbols.events[event].name),
            condition: pending.stream?.condition, key: key, producer: pending.stream?.producer)
        let inputIndex = inputs.indexOrAppend(input)
        var split: (event: Term?, run: Term?) = (nil, nil)
        if let where_ = syntax.source.condition {
            let term = condition(
                where_, in: Scope(.event(event), reader: index), keyword: "where",
                keywordRange: syntax.source.whereRange)
            split = splitCondition(term)
        }
        let (minimum, maximum) = quantity(syntax)
        positive(syntax.within)
        if let limit = syntax.within, let whole = sequence.within,
            limit.nanoseconds > whole.nanoseconds, whole.nanoseconds > 0
        {
            report(
                .stepLimitBeyondRule(
                    syntax.name.text, step: span(limit).description, rule: span(whole).description,
                    at: limit.range, whole: whole.range))
        }
        return StepPlan(
            name: syntax.name.text, input: inputIndex, eventCondition: split.event,
            runCondition: split.run, minimum: minimum, maximum: maximum,
            isRepeated: rule.steps[index].isRepeated, isReluctant: syntax.isReluctant,
            gapLimit: syntax.within.map(span), captured: [])
    }

    private mutating func quantity(_ step: StepSyntax) -> (minimum: Int, maximum: Int?) {
        let range = step.quantityRange ?? step.name.range
        switch step.quantity {
        case nil: return (1, 1)
        case .atLeast(let count):
            if count < 1 {
                report(.badQuantity("at least \(count)", instead: "any number of", at: range))
            }
            return (max(count, 1), nil)
        case .exactly(let count):
            if count < 1 { report(.badQuantity("exactly \(count)", instead: "without", at: range)) }
            return (max(count, 1), max(count, 1))
        case .between(let least, let most):
            if least > most {
                report(.reversedQuantity(least, most, at: range))
            } else if most < 1 {
                report(.badQuantity("\(least) to \(most)", instead: "without", at: range))
            }
            return (least, max(least, most))
        case .anyNumber: return (0, nil)
        case .optional: return (0, 1)
        }
    }

    // MARK: - Order

    private mutating func checkOrder(_ elements: [SequenceElement], _ pattern: PatternSyntax) {
        // `until` is a condition on the whole, wherever it is written.
        let ordered = elements.filter { if case .until = $0.kind { false } else { true } }
        guard !ordered.isEmpty else {
            if !hasSyntaxError(in: pattern.range) {
                report(.emptyPattern("sequence", at: pattern.keyword))
            }
            return
        }
        var hasStep = false
        for (index, element) in ordered.enumerated() {
            let isFirst = index == 0
            let isLast = index == ordered.count - 1
            if isFirst, let word = element.immediately { report(.immediatelyFirst(at: word)) }
            switch element.kind {
            case .absence(let step, _, _):
                if !isFirst, !isLast {
                    report(.absenceInTheMiddle(step.name.text, at: step.name.range))
                } else if let word = element.immediately {
                    report(.immediatelyAbsent(step.name.text, at: word))
                }
            case .without(let step):
                if isFirst || isLast {
                    report(.withoutAtTheEdge(step.name.text, isFirst: isFirst, at: step.name.range))
                }
            case .step(let step):
                hasStep = true
                let canBeEmpty = step.quantity == .anyNumber || step.quantity == .optional
                let hasUntil = ordered.count != elements.count
                if isLast, canBeEmpty, !(hasUntil && step.quantity == .anyNumber) {
                    report(
                        .trailingEmptyStep(
                            step.name.text, at: step.quantityRange ?? step.name.range))
                }
            case .allOf, .anyOf: hasStep = true
            case .until: break
            }
        }
        if !hasStep { report(.nothingHappens(at: pattern.keyword)) }
    }

    // MARK: - Policies

    private mutating func apply(_ policies: [SequencePolicy], to plan: inout SequencePlan) {
        var overlap: SequencePolicy?
        for policy in policies {
            switch policy.kind {
            case .overlapNone, .overlapEach, .overlapLatest, .overlapAll, .restartOnRepeat:
                if let first = overlap {
                    report(.conflictingPolicies(at: policy.range, first: first.range))
                }
                overlap = policy
            default: break
            }
            switch policy.kind {
            case .overlapNone: plan.overlap = .none
            case .overlapEach: plan.overlap = .each
            case .overlapLatest: plan.overlap = .latest
            case .overlapAll(let limit):
                atLeastOne(limit)
                plan.overlap = .all(limit: max(1, limit.value))
            case .restartOnRepeat: plan.restartsOnRepeat = true
            case .unbounded(let limit):
                atLeastOne(limit)
                plan.runLimit = max(1, limit.value)
            case .reportPartial: plan.reportsPartial = true
            case .afterMatchResume(let name): plan.resumeAt = takenStep(name)
            case .assumeAbsentAtStart: plan.assumesAbsentAtStart = true
            }
        }
    }

    mutating func atLeastOne(_ literal: IntegerLiteral) {
        if literal.value < 1 { report(.countBelowOne(literal.value, at: literal.range)) }
    }

    /// A step that takes events, by its name.
    private mutating func takenStep(_ name: Name) -> StepID? {
        if let index = rule.stepIndex[name.text], rule.steps[index].role == .taken {
            use(.step, at: name.range, of: rule.steps[index].name.range)
            return StepID(index)
        }
        let candidates = rule.steps.filter { $0.role == .taken }.map(\.name.text)
        report(.unknownStep(name.text, at: name.range, similarTo: candidates))
        return nil
    }
}
