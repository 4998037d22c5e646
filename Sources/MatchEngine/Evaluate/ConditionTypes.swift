import RuleModel

/// For each condition on single events: the types of the events it is asked about, and whether its
/// outcome may change with a list.
struct ConditionTypes: Sendable {
    /// By `ConditionID`, sorted.
    private(set) var types: [[EventTypeID]]
    private let listReaders: [Bool]

    init(program: Program) {
        var sets: [Set<EventTypeID>] = Array(repeating: [], count: program.eventConditions.count)
        let typeCount = program.tables.eventTypes.count
        func ask(_ condition: ConditionID?, about type: EventTypeID) {
            guard let condition, Int(type.rawValue) < typeCount else { return }
            sets[Int(condition.rawValue)].insert(type)
        }
        for rule in program.rules {
            switch rule.pattern {
            case .sequence(let sequence):
                for input in sequence.inputs { ask(input.condition, about: input.type) }
                for step in sequence.steps {
                    ask(step.condition, about: sequence.inputs[step.input].type)
                }
            case .threshold(let threshold):
                ask(threshold.input.condition, about: threshold.input.type)
                ask(threshold.condition, about: threshold.input.type)
                for measure in threshold.measures {
                    ask(measure.condition, about: threshold.input.type)
                }
            case .correlation(let correlation):
                for input in correlation.inputs { ask(input.condition, about: input.type) }
                for member in correlation.members {
                    ask(member.condition, about: correlation.inputs[member.input].type)
                }
            case .anomaly(let anomaly):
                for input in anomaly.inputs { ask(input.condition, about: input.type) }
                for series in anomaly.series {
                    let type = anomaly.inputs[series.input].type
                    ask(series.condition, about: type)
                    ask(series.measure.condition, about: type)
                }
            case .metric(let metric):
                ask(metric.input.condition, about: metric.input.type)
                ask(metric.condition, about: metric.input.type)
                for measure in metric.measures { ask(measure.condition, about: metric.input.type) }
            }
        }
        types = sets.map { $0.sorted() }
        let walker = CodeWalker(code: program.code)
        listReaders = program.eventConditions.map { condition in
            walker.contains(condition) { $0.opcode == .inList || $0.opcode == .lookup }
        }
    }

    func readsList(_ condition: ConditionID) -> Bool { listReaders[Int(condition.rawValue)] }
}

/// Looks through the instructions of an expression.
struct CodeWalker {
    let code: Code

    func contains(_ root: CodeID, where test: (Instruction) -> Bool) -> Bool {
        var found = false
        forEach(root) { if test($0) { found = true } }
        return found
    }

    /// Every instruction of the expression, parents first.
    func forEach(_ root: CodeID, _ body: (Instruction) -> Void) {
        var pending = [root.rawValue]
        while let index = pending.popLast() {
            let instruction = code.instructions[Int(index)]
            body(instruction)
            switch instruction.opcode {
            case .constant, .field, .stepField, .stepList, .stepCount, .stepAggregate, .key,
                .measure, .fact, .score, .clusterCount, .clusterField, .variable:
                break
            case .not, .negate, .exists, .pattern, .inList, .lookup:
                pending.append(instruction.a)
            case .and, .or, .list, .call:
                let start = Int(instruction.a)
                pending += code.operands[start..<start + Int(instruction.count)]
            case .compare, .textTest, .member, .inNetwork, .otherwise, .arithmetic, .quantified:
                pending.append(instruction.a)
                pending.append(instruction.b)
            }
        }
    }
}
