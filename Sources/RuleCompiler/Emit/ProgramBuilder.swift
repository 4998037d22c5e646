import RuleModel

/// Makes the plans of a rule set flat: what an engine runs.
///
/// Rules that are switched off are left out; the ids of the others stay. Conditions on one event are made once for all rules that contain them.
///
/// - Complexity: linear in the number of terms.
public func emit(_ plans: [RulePlan], tables: RuleSetTables) -> Program {
    var builder = ProgramBuilder()
    builder.rules.reserveCapacity(plans.count)
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
        case .correlation(let correlation): pattern = .correlation(flat(correlation))
        case .anomaly(let anomaly): pattern = .anomaly(flat(anomaly))
        case .metric(let metric): pattern = .metric(flat(metric))
        }
        var emit = flat(plan.emit)
        emit.maskKeyFields(of: plan)
        emit.isEarly = plan.emit.isEarly && plan.canBeEarly
        rules.append(
            RuleProgram(
                id: plan.id, name: plan.name, metadata: plan.metadata, keyNames: plan.keyNames,
                keyList: plan.keyList, pattern: pattern, unless: plan.unless.map { code.add($0) },
                active: plan.active, emit: emit, probes: plan.probes.map { code.add($0) },
                bound: plan.bound, fingerprint: plan.fingerprint, shape: plan.shape,
                place: plan.place))
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

    private mutating func flat(_ plan: CorrelationPlan) -> CorrelationProgram {
        CorrelationProgram(
            inputs: plan.inputs.map { flat($0) },
            members: plan.members.map { member in
                MemberProgram(
                    name: member.name, input: member.input,
                    condition: condition(plan.inputs[member.input].condition, member.condition),
                    isInterval: member.isInterval, captured: member.captured)
            },
            within: plan.within, required: plan.required, order: plan.order,
            precedences: plan.precedences, strength: plan.strength.map { flat($0) },
            isOncePerEvent: plan.isOncePerEvent)
    }

    private mutating func flat(_ plan: StrengthPlan) -> StrengthProgram {
        switch plan {
        case .lift(let lift): .lift(lift)
        case .movement(let movement):
            .movement(
                MovementProgram(
                    first: flat(movement.first), second: flat(movement.second),
                    over: movement.over, step: movement.step, lagMax: movement.lagMax,
                    limit: movement.limit, minimum: movement.minimum))
        }
    }

    private mutating func flat(_ side: MovementPlan.Side) -> MovementProgram.Side {
        MovementProgram.Side(member: side.member, value: code.add(side.value))
    }

    private mutating func flat(_ plan: AnomalyPlan) -> AnomalyProgram {
        AnomalyProgram(
            inputs: plan.inputs.map { flat($0) },
            series: plan.series.map { series in
                SeriesProgram(
                    input: series.input,
                    condition: condition(plan.inputs[series.input].condition, series.condition),
                    measure: flat(series.measure), member: series.member)
            },
            every: plan.every, memberName: plan.memberName, baseline: plan.baseline,
            adaptAfter: plan.adaptAfter, minimumSpread: plan.minimumSpread,
            minimumValues: plan.minimumValues, when: code.add(plan.when), required: plan.required,
            outOf: plan.outOf, minimumMembers: plan.minimumMembers, within: plan.within,
            linkedBy: plan.linkedBy, maxSpan: plan.maxSpan, updateEvery: plan.updateEvery,
            scoreLimit: plan.scoreLimit)
    }

    private mutating func flat(_ plan: MetricPlan) -> MetricProgram {
        MetricProgram(
            input: flat(plan.input), condition: condition(plan.input.condition, plan.condition),
            window: plan.window, measures: plan.measures.map { flat($0) },
            forecasts: plan.forecasts, forgetAfter: plan.forgetAfter, show: plan.show)
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
        emit.risks = plan.risks.map {
            EmitProgram.Risk(
                name: $0.name, entity: code.add($0.entity), points: code.add($0.points))
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
            case .clusterField: emit.masksMembers = true
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
    fileprivate mutating func maskKeyFields(of plan: RulePlan) {
        let bound: [(input: Int, captured: [FieldID])] =
            switch plan.pattern {
            case .sequence(let sequence): sequence.steps.map { ($0.input, $0.captured) }
            case .correlation(let correlation):
                correlation.members.map { ($0.input, $0.captured) }
            case .threshold, .anomaly, .metric: []
            }
        for key in maskedKeys {
            for (index, step) in bound.enumerated() {
                let fields = plan.inputs[step.input].key
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
