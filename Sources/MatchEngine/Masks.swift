import RuleModel

/// What of a rule's records is masked, and which lists the rule reads.
struct RuleEmission: Sendable {
    /// Parts of the key.
    let keys: Set<Int>
    /// Parts of the message, and attached values, that show something masked.
    let message: Set<Int>
    let attach: Set<Int>
    let lists: [ListID]

    init(rule: RuleProgram, program: Program) {
        let masks = Masks(rule: rule)
        keys = masks.keys
        let walker = CodeWalker(code: program.code)
        func shows(_ code: CodeID) -> Bool { walker.contains(code, where: masks.covers) }
        message = Set(
            rule.emit.message.indices.filter { index in
                if case .code(let code, _) = rule.emit.message[index] { return shows(code) }
                return false
            })
        attach = Set(rule.emit.attach.indices.filter { shows(rule.emit.attach[$0].code) })
        var lists: Set<Int> = []
        for root in rule.expressions(in: program) {
            walker.forEach(root) { instruction in
                if instruction.opcode == .inList || instruction.opcode == .lookup {
                    lists.insert(Int(instruction.b))
                }
            }
        }
        if let list = rule.keyList { lists.insert(list.rawValue) }
        if case .anomaly(let anomaly) = rule.pattern, let list = anomaly.linkedBy {
            lists.insert(list.rawValue)
        }
        self.lists = lists.sorted().map { ListID($0) }
    }
}

/// What a rule's `mask` names, and what holds the same by nature: a part of the key is in every
/// event as the field it comes from.
struct Masks: Sendable {
    private(set) var keys: Set<Int>
    private(set) var fields: Set<EmitProgram.MaskedField>
    let measures: Set<Int>
    let members: Bool

    init(rule: RuleProgram) {
        keys = Set(rule.emit.maskedKeys)
        fields = Set(rule.emit.maskedFields)
        measures = Set(rule.emit.maskedMeasures)
        members = rule.emit.masksMembers
        let steps: [(StepID, [FieldID])]
        switch rule.pattern {
        case .sequence(let sequence):
            steps = sequence.steps.enumerated().map { (StepID($0), sequence.inputs[$1.input].key) }
        case .correlation(let correlation):
            steps = correlation.members.enumerated().map {
                (StepID($0), correlation.inputs[$1.input].key)
            }
        case .threshold, .anomaly, .metric: return
        }
        for (step, key) in steps {
            for (index, field) in key.enumerated()
            where fields.contains(EmitProgram.MaskedField(step: step, field: field)) {
                keys.insert(index)
            }
        }
        for (step, key) in steps {
            for (index, field) in key.enumerated() where keys.contains(index) {
                fields.insert(EmitProgram.MaskedField(step: step, field: field))
            }
        }
    }

    func covers(_ step: StepID, _ field: FieldID) -> Bool {
        fields.contains(EmitProgram.MaskedField(step: step, field: field))
    }

    func covers(_ instruction: Instruction) -> Bool {
        switch instruction.opcode {
        case .stepField, .stepList, .stepAggregate:
            covers(StepID(Int(instruction.a)), FieldID(rawValue: instruction.b))
        case .key: keys.contains(Int(instruction.a))
        case .measure, .score: measures.contains(Int(instruction.a))
        case .clusterField: members && ClusterField.allCases[Int(instruction.a)] == .name
        default: false
        }
    }
}

extension RuleProgram {
    /// The roots of all expressions of the rule.
    func expressions(in program: Program) -> [CodeID] {
        var roots: [CodeID] = []
        func add(_ condition: ConditionID?) {
            if let condition { roots.append(program.eventConditions[Int(condition.rawValue)]) }
        }
        switch pattern {
        case .sequence(let sequence):
            for step in sequence.steps {
                add(step.condition)
                if let condition = step.runCondition { roots.append(condition) }
            }
        case .threshold(let threshold):
            add(threshold.condition)
            roots.append(threshold.when)
            if let resolve = threshold.resolveWhen { roots.append(resolve) }
        case .correlation(let correlation):
            for member in correlation.members { add(member.condition) }
            if case .movement(let movement)? = correlation.strength {
                roots += [movement.first.value, movement.second.value]
            }
        case .anomaly(let anomaly):
            for series in anomaly.series { add(series.condition) }
            roots.append(anomaly.when)
        case .metric(let metric): add(metric.condition)
        }
        for measure in measures {
            add(measure.condition)
            if let argument = measure.argument { roots.append(argument) }
        }
        if let unless { roots.append(unless) }
        for part in emit.message {
            if case .code(let code, _) = part { roots.append(code) }
        }
        roots += emit.attach.map(\.code)
        roots += emit.risks.flatMap { [$0.entity, $0.points] }
        return roots
    }
}
