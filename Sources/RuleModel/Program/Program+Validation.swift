extension Program {
    /// What is wrong with the program: an index out of range, or an operand that does not point
    /// backwards. Empty for every program that the compiler makes; an engine may trap on others.
    ///
    /// - Complexity: linear in the size of the program.
    public var faults: [String] {
        var check = ProgramCheck(program: self)
        check.run()
        return check.faults
    }
}

private struct ProgramCheck {
    let program: Program
    var faults: [String] = []

    mutating func run() {
        for (index, field) in program.tables.fields.enumerated() {
            expect(field.column, below: program.tables.columns.count, "column of field \(index)")
        }
        for index in program.code.instructions.indices { checkInstruction(index) }
        for (index, condition) in program.eventConditions.enumerated() {
            check(condition, "event condition \(index)")
        }
        for rule in program.rules { check(rule) }
    }

    private mutating func expect(_ index: Int, below count: Int, _ what: @autoclosure () -> String)
    {
        if index < 0 || index >= count {
            faults.append("\(what()): \(index) is not below \(count)")
        }
    }

    // MARK: - Code

    private mutating func checkInstruction(_ index: Int) {
        let code = program.code
        let instruction = code.instructions[index]
        let what = "instruction \(index) (\(instruction.opcode))"
        func operand(_ value: Int32) { expect(Int(value), below: index, "\(what), operand") }
        func choice<Choice: CaseIterable>(_ value: Int32, _ type: Choice.Type) {
            expect(Int(value), below: type.allCases.count, "\(what), \(type)")
        }
        switch instruction.opcode {
        case .constant: expect(Int(instruction.a), below: code.constants.count, what)
        case .field: check(FieldID(rawValue: instruction.a), what)
        case .stepField, .stepList:
            check(FieldID(rawValue: instruction.b), what)
            expect(Int(instruction.c), below: 3, "\(what), occurrence")
        case .stepAggregate:
            check(FieldID(rawValue: instruction.b), what)
            choice(instruction.c, AggregateFunction.self)
        case .stepCount, .key, .variable:
            expect(Int(instruction.a), below: .max, what)
        case .measure:
            expect(Int(instruction.c), below: 3, "\(what), time")
            if instruction.c == 2 {
                expect(Int(instruction.b), below: code.spans.count, "\(what), span")
            }
        case .fact: choice(instruction.a, MatchFact.self)
        case .score:
            choice(instruction.c, ScoreFunction.self)
            if instruction.b != -1 { expect(Int(instruction.b), below: code.constants.count, what) }
        case .clusterCount: break
        case .clusterField:
            choice(instruction.a, ClusterField.self)
            expect(Int(instruction.b), below: 3, "\(what), occurrence")
        case .not, .negate, .exists: operand(instruction.a)
        case .and, .or, .list, .call:
            let start = Int(instruction.a)
            let end = start + Int(instruction.count)
            if start < 0 || instruction.count < 0 || end > code.operands.count {
                faults.append("\(what): operands \(start)..<\(end) of \(code.operands.count)")
            } else {
                for value in code.operands[start..<end] { operand(value) }
            }
            if instruction.opcode == .call { choice(instruction.c, Function.self) }
        case .compare, .textTest, .member, .inNetwork, .otherwise, .arithmetic, .quantified:
            operand(instruction.a)
            operand(instruction.b)
            if instruction.opcode == .compare { choice(instruction.c, Comparison.self) }
            if instruction.opcode == .textTest { choice(instruction.c, TextTest.self) }
            if instruction.opcode == .arithmetic { choice(instruction.c, Arithmetic.self) }
            if instruction.opcode == .quantified {
                expect(Int(instruction.c), below: .max, "\(what), depth")
            }
        case .pattern:
            operand(instruction.a)
            expect(Int(instruction.b), below: code.patterns.count, what)
        case .inList, .lookup:
            operand(instruction.a)
            expect(Int(instruction.b), below: program.tables.lists.count, "\(what), list")
            if instruction.opcode == .lookup, instruction.c != -1 {
                expect(Int(instruction.c), below: code.names.count, "\(what), column")
            }
        }
    }

    private mutating func check(_ field: FieldID, _ what: @autoclosure () -> String) {
        if field == .time || field == .type { return }
        expect(Int(field.rawValue), below: program.tables.fields.count, "\(what()), field")
    }

    private mutating func check(_ code: CodeID?, _ what: @autoclosure () -> String) {
        guard let code else { return }
        expect(Int(code.rawValue), below: program.code.instructions.count, "\(what()), code")
    }

    private mutating func check(_ condition: ConditionID?, _ what: @autoclosure () -> String) {
        guard let condition else { return }
        expect(
            Int(condition.rawValue), below: program.eventConditions.count, "\(what()), condition")
    }

    // MARK: - Rules

    private mutating func check(_ rule: RuleProgram) {
        let what = "rule \(rule.name)"
        if let list = rule.keyList {
            expect(list.rawValue, below: program.tables.lists.count, "\(what), key list")
        }
        for active in rule.active {
            expect(
                active.schedule.rawValue, below: program.tables.schedules.count, "\(what), schedule"
            )
        }
        check(rule.unless, what)
        for probe in rule.probes { check(probe, what) }
        check(rule.emit, of: rule, what)
        switch rule.pattern {
        case .sequence(let sequence): check(sequence, of: rule, what)
        case .threshold(let threshold):
            check(threshold.input, of: rule, what)
            check(threshold.condition, what)
            for measure in threshold.measures { check(measure, what) }
            check(threshold.when, what)
            check(threshold.resolveWhen, what)
        case .correlation(let correlation): check(correlation, of: rule, what)
        case .anomaly(let anomaly): check(anomaly, of: rule, what)
        case .metric(let metric):
            check(metric.input, of: rule, what)
            check(metric.condition, what)
            for measure in metric.measures { check(measure, what) }
            for forecast in metric.forecasts {
                expect(forecast.measure, below: metric.measures.count, "\(what), forecast")
                guard let step = metric.window.bucketStep, step > .zero else {
                    faults.append("\(what): a forecast without buckets")
                    continue
                }
                for span in [forecast.horizon, forecast.season?.span ?? step]
                where span < step || span.nanoseconds % step.nanoseconds != 0 {
                    faults.append("\(what): \(span) is not a whole number of buckets of \(step)")
                }
            }
        }
        // Code is shared between rules, so what it says of steps, keys and measures is checked here.
        for root in roots(of: rule) { checkReferences(from: root, of: rule, what) }
    }

    private mutating func check(_ input: InputProgram, of rule: RuleProgram, _ what: String) {
        expect(
            Int(input.type.rawValue), below: program.tables.eventTypes.count, "\(what), event type")
        check(input.condition, what)
        if input.key.count != rule.keyNames.count {
            faults.append("\(what): \(input.key.count) key fields for \(rule.keyNames.count) names")
        }
        for field in input.key { check(field, what) }
    }

    private mutating func check(_ sequence: SequenceProgram, of rule: RuleProgram, _ what: String) {
        for input in sequence.inputs { check(input, of: rule, what) }
        for step in sequence.steps {
            expect(step.input, below: sequence.inputs.count, "\(what), input of \(step.name)")
            check(step.condition, what)
            check(step.runCondition, what)
            for field in step.captured { check(field, what) }
        }
        for step in [sequence.until, sequence.resumeAt] {
            if let step { expect(step.rawValue, below: sequence.steps.count, "\(what), step") }
        }
        for element in sequence.elements { check(element, steps: sequence.steps.count, what) }
    }

    private mutating func check(_ measure: MeasureProgram, _ what: String) {
        check(measure.argument, what)
        check(measure.condition, what)
    }

    private mutating func check(
        _ correlation: CorrelationProgram, of rule: RuleProgram, _ what: String
    ) {
        for input in correlation.inputs { check(input, of: rule, what) }
        for member in correlation.members {
            expect(
                member.input, below: correlation.inputs.count, "\(what), input of \(member.name)")
            check(member.condition, what)
            for field in member.captured { check(field, what) }
        }
        var named = correlation.order + correlation.precedences.flatMap { [$0.earlier, $0.later] }
        switch correlation.strength {
        case nil: break
        case .lift(let lift): named += [lift.later, lift.earlier]
        case .movement(let movement):
            named += [movement.first.member, movement.second.member]
            check(movement.first.value, what)
            check(movement.second.value, what)
        }
        for member in named {
            expect(member.rawValue, below: correlation.members.count, "\(what), member")
        }
    }

    private mutating func check(_ anomaly: AnomalyProgram, of rule: RuleProgram, _ what: String) {
        for input in anomaly.inputs { check(input, of: rule, what) }
        for series in anomaly.series {
            expect(series.input, below: anomaly.inputs.count, "\(what), input of a series")
            check(series.condition, what)
            check(series.measure, what)
            check(series.member, what)
        }
        check(anomaly.when, what)
        if anomaly.series.isEmpty || anomaly.every <= .zero || anomaly.required < 1
            || anomaly.outOf < anomaly.required
        {
            faults.append("\(what): a cluster without series, buckets or judgements")
        }
        if let list = anomaly.linkedBy {
            expect(list.rawValue, below: program.tables.lists.count, "\(what), links")
        }
    }

    private mutating func check(_ element: ElementPlan, steps: Int, _ what: String) {
        switch element.kind {
        case .step(let step), .absence(let step, _), .without(let step):
            expect(step.rawValue, below: steps, "\(what), step")
        case .all(let inner), .any(let inner):
            for element in inner { check(element, steps: steps, what) }
        }
    }

    private mutating func check(_ emit: EmitProgram, of rule: RuleProgram, _ what: String) {
        for part in emit.message {
            if case .code(let code, _) = part { check(code, what) }
        }
        for attached in emit.attach { check(attached.code, what) }
        for risk in emit.risks {
            check(risk.entity, what)
            check(risk.points, what)
        }
        for spaced in [emit.suppress, emit.group] {
            for code in spaced?.by ?? [] { check(code, what) }
        }
        for key in emit.maskedKeys {
            expect(key, below: rule.keyNames.count, "\(what), masked key")
        }
        for masked in emit.maskedFields {
            expect(masked.step.rawValue, below: rule.stepCount, "\(what), masked step")
            check(masked.field, what)
        }
        for measure in emit.maskedMeasures {
            expect(measure, below: rule.measures.count, "\(what), masked measure")
        }
    }

    /// Code that is judged with a match or a run at hand.
    private func roots(of rule: RuleProgram) -> [CodeID] {
        var roots = rule.probes + [rule.unless].compactMap { $0 }
        for part in rule.emit.message {
            if case .code(let code, _) = part { roots.append(code) }
        }
        roots += rule.emit.attach.map(\.code)
        roots += rule.emit.risks.flatMap { [$0.entity, $0.points] }
        roots += (rule.emit.suppress?.by ?? []) + (rule.emit.group?.by ?? [])
        switch rule.pattern {
        case .sequence(let sequence): roots += sequence.steps.compactMap(\.runCondition)
        case .threshold(let threshold):
            roots += [threshold.when] + [threshold.resolveWhen].compactMap { $0 }
        case .anomaly(let anomaly): roots.append(anomaly.when)
        case .correlation, .metric: break
        }
        return roots
    }

    private mutating func checkReferences(from root: CodeID, of rule: RuleProgram, _ what: String) {
        // Operands point backwards, which has been checked; a fault there would make this endless.
        guard faults.isEmpty else { return }
        var open = [root.rawValue]
        while let index = open.popLast() {
            let instruction = program.code.instructions[Int(index)]
            switch instruction.opcode {
            case .stepField, .stepList, .stepCount, .stepAggregate:
                expect(Int(instruction.a), below: rule.stepCount, "\(what), step read")
            case .key: expect(Int(instruction.a), below: rule.keyNames.count, "\(what), key read")
            case .measure, .score:
                expect(Int(instruction.a), below: rule.measures.count, "\(what), measure read")
            case .not, .negate, .exists, .pattern, .inList, .lookup: open.append(instruction.a)
            case .and, .or, .list, .call:
                let start = Int(instruction.a)
                open += program.code.operands[start..<start + Int(instruction.count)]
            case .compare, .textTest, .member, .inNetwork, .otherwise, .arithmetic, .quantified:
                open += [instruction.a, instruction.b]
            case .constant, .field, .fact, .clusterCount, .clusterField, .variable: break
            }
        }
    }
}

extension RuleProgram {
    fileprivate var stepCount: Int {
        switch pattern {
        case .sequence(let sequence): sequence.steps.count
        case .correlation(let correlation): correlation.members.count
        case .threshold, .anomaly, .metric: 0
        }
    }

    /// The measures of the pattern, by the index that expressions use.
    public var measures: [MeasureProgram] {
        switch pattern {
        case .sequence, .correlation: []
        case .threshold(let threshold): threshold.measures
        case .anomaly(let anomaly): anomaly.series.map(\.measure)
        case .metric(let metric): metric.measures
        }
    }

    /// Whether it is a `metric`, which makes events and no alerts.
    public var isMetric: Bool {
        if case .metric = pattern { return true }
        return false
    }

    /// The inputs of the pattern.
    public var inputs: [InputProgram] {
        switch pattern {
        case .sequence(let sequence): sequence.inputs
        case .threshold(let threshold): [threshold.input]
        case .correlation(let correlation): correlation.inputs
        case .anomaly(let anomaly): anomaly.inputs
        case .metric(let metric): [metric.input]
        }
    }
}
