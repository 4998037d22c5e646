import RuleModel

/// Makes the plans of a rule set flat: what an engine runs.
///
/// Rules that are switched off and kinds that this version does not run are left out; the ids of
/// the others stay. Conditions on one event are made once for all rules that contain them.
///
/// - Complexity: linear in the number of terms.
public func emit(_ plans: [RulePlan], tables: RuleSetTables) -> Program {
    var builder = ProgramBuilder()
    for plan in plans where plan.metadata.isEnabled { builder.add(plan) }
    return Program(
        tables: tables, code: builder.code.code, eventConditions: builder.eventConditions,
        rules: builder.rules)
}

private struct ProgramBuilder {
    var code = CodeBuilder()
    var eventConditions: [CodeID] = []
    var rules: [RuleProgram] = []
    private var conditionOf: [CodeID: ConditionID] = [:]

    mutating func add(_ plan: RulePlan) {
        let pattern: RuleProgram.Pattern
        switch plan.pattern {
        case .sequence(let sequence): pattern = .sequence(flat(sequence))
        case .threshold(let threshold): pattern = .threshold(flat(threshold))
        case .notRun: return
        }
        var emit = flat(plan.emit)
        if case .sequence(let sequence) = plan.pattern { emit.maskKeyFields(of: sequence) }
        rules.append(
            RuleProgram(
                id: plan.id, name: plan.name, metadata: plan.metadata, keyNames: plan.keyNames,
                keyList: plan.keyList, pattern: pattern, unless: plan.unless.map { code.add($0) },
                active: plan.active, emit: emit, probes: plan.probes.map { code.add($0) },
                bound: plan.bound, fingerprint: plan.fingerprint, shape: plan.shape))
    }

    // MARK: - Patterns

    private mutating func flat(_ plan: SequencePlan) -> SequenceProgram {
        SequenceProgram(
            inputs: plan.inputs.map { flat($0) },
            steps: plan.steps.map { step in
                flat(step, inputCondition: plan.inputs[step.input].condition)
            },
            elements: plan.elements, until: plan.until, within: plan.within, overlap: plan.overlap,
            restartsOnRepeat: plan.restartsOnRepeat, runLimit: plan.runLimit,
            reportsPartial: plan.reportsPartial, resumeAt: plan.resumeAt,
            assumesAbsentAtStart: plan.assumesAbsentAtStart, horizon: plan.horizon)
    }

    private mutating func flat(_ plan: StepPlan, inputCondition: Term?) -> StepProgram {
        StepProgram(
            name: plan.name, input: plan.input,
            condition: condition(inputCondition, plan.eventCondition),
            runCondition: plan.runCondition.map { code.add($0) }, minimum: plan.minimum,
            maximum: plan.maximum, isRepeated: plan.isRepeated, isReluctant: plan.isReluctant,
            gapLimit: plan.gapLimit, captured: plan.captured)
    }

    private mutating func flat(_ plan: ThresholdPlan) -> ThresholdProgram {
        ThresholdProgram(
            input: flat(plan.input), condition: condition(plan.input.condition, plan.condition),
            window: plan.window, measures: plan.measures.map { flat($0) },
            when: code.add(plan.when),
            holdFor: plan.holdFor, minimumEvents: plan.minimumEvents,
            resolveWhen: plan.resolveWhen.map { code.add($0) }, resolveFor: plan.resolveFor,
            remindEvery: plan.remindEvery, staleAfter: plan.staleAfter, onNoData: plan.onNoData,
            resetsAfterMatch: plan.resetsAfterMatch, forgetAfter: plan.forgetAfter)
    }

    private mutating func flat(_ plan: MeasurePlan) -> MeasureProgram {
        MeasureProgram(
            name: plan.name, function: plan.function, argument: plan.argument.map { code.add($0) },
            parameter: plan.parameter, condition: condition(plan.condition))
    }

    private mutating func flat(_ plan: InputPlan) -> InputProgram {
        InputProgram(
            name: plan.name, type: plan.type, condition: condition(plan.condition), key: plan.key)
    }

    /// The bit for a condition on one event: all of these together. Nil when every event fits.
    private mutating func condition(_ terms: Term?...) -> ConditionID? {
        let parts = terms.compactMap { $0 }.filter {
            $0 != .constant(.bool(true)) && $0 != .and([])
        }
        if parts.isEmpty { return nil }
        let root = code.add(allOf: parts)
        if let known = conditionOf[root] { return known }
        let id = ConditionID(Int32(eventConditions.count))
        eventConditions.append(root)
        conditionOf[root] = id
        return id
    }

    // MARK: - Emission

    private mutating func flat(_ plan: EmitPlan) -> EmitProgram {
        var emit = EmitProgram()
        emit.message = plan.message.map { part in
            switch part {
            case .text(let text): .text(text)
            case .term(let term, let format): .code(code.add(term), format)
            }
        }
        emit.attach = plan.attach.map {
            EmitProgram.Attached(name: $0.name, code: code.add($0.term))
        }
        emit.suppress = plan.suppress.map { flat($0) }
        emit.group = plan.group.map { flat($0) }
        emit.sinks = plan.sinks
        for term in plan.mask {
            switch term {
            case .key(let index): emit.maskedKeys.appendOnce(index)
            case .measure(let index, _): emit.maskedMeasures.appendOnce(index)
            case .stepField(let step, _, let field), .stepList(let step, let field):
                emit.maskedFields.appendOnce(EmitProgram.MaskedField(step: step, field: field))
            default: break  // The checker lets nothing else through.
            }
        }
        return emit
    }

    private mutating func flat(_ plan: EmitPlan.Spaced) -> EmitProgram.Spaced {
        EmitProgram.Spaced(by: plan.by.map { code.add($0) }, span: plan.span)
    }
}

extension EmitProgram {
    /// A masked part of the key is a field of the bound events too, and could be read there.
    fileprivate mutating func maskKeyFields(of sequence: SequencePlan) {
        for key in maskedKeys {
            for (index, step) in sequence.steps.enumerated() {
                let fields = sequence.inputs[step.input].key
                guard fields.indices.contains(key), step.captured.contains(fields[key]) else {
                    continue
                }
                maskedFields.appendOnce(MaskedField(step: StepID(index), field: fields[key]))
            }
        }
    }
}

extension Array where Element: Equatable {
    fileprivate mutating func appendOnce(_ element: Element) {
        if !contains(element) { append(element) }
    }
}
