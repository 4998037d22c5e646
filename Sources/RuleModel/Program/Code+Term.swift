extension Code {
    /// The expression that flat code stands for, so that what failed can be shown as a rule writes it.
    /// The parts of `and` and `or` come in the order of the code.
    public func term(_ id: CodeID) -> Term { term(id.rawValue) }

    private func term(_ index: Int32) -> Term {
        let instruction = instructions[Int(index)]
        func choice<Choice: CaseIterable>(_ place: Int32) -> Choice {
            Choice.allCases[Choice.allCases.index(Choice.allCases.startIndex, offsetBy: Int(place))]
        }
        var operandTerms: [Term] {
            let start = Int(instruction.a)
            return operands[start..<start + Int(instruction.count)].map { term($0) }
        }
        var left: Term { term(instruction.a) }
        var right: Term { term(instruction.b) }
        let field = FieldID(rawValue: instruction.b)
        switch instruction.opcode {
        case .constant: return .constant(constants[Int(instruction.a)])
        case .field: return .field(FieldID(rawValue: instruction.a))
        case .stepField:
            return .stepField(
                StepID(Int(instruction.a)),
                instruction.c == 0 ? .only : instruction.c == 1 ? .first : .last, field)
        case .stepList: return .stepList(StepID(Int(instruction.a)), field)
        case .stepCount: return .stepCount(StepID(Int(instruction.a)))
        case .stepAggregate:
            return .stepAggregate(choice(instruction.c), StepID(Int(instruction.a)), field)
        case .key: return .key(Int(instruction.a))
        case .measure:
            let time: Term.MeasureTime =
                instruction.c == 0
                ? .now : instruction.c == 1 ? .previous : .earlier(spans[Int(instruction.b)])
            return .measure(Int(instruction.a), time)
        case .fact: return .fact(choice(instruction.a))
        case .score:
            var parameter: Double?
            if instruction.b >= 0, case .float(let value) = constants[Int(instruction.b)] {
                parameter = value
            }
            return .score(
                choice(instruction.c), measure: Int(instruction.a), parameter: parameter)
        case .clusterCount: return .clusterCount
        case .clusterField:
            return .clusterField(
                choice(instruction.a),
                instruction.b == 0 ? nil : instruction.b == 1 ? .first : .last)
        case .variable: return .variable(Int(instruction.a))
        case .not: return .not(left)
        case .and: return .and(operandTerms)
        case .or: return .or(operandTerms)
        case .compare:
            return .compare(choice(instruction.c), left, right, ignoringCase: instruction.flag)
        case .textTest:
            return .textTest(choice(instruction.c), left, right, ignoringCase: instruction.flag)
        case .pattern:
            return .pattern(
                left, patterns[Int(instruction.b)].source, ignoringCase: instruction.flag)
        case .member: return .member(left, of: right, ignoringCase: instruction.flag)
        case .inNetwork: return .inNetwork(left, right)
        case .inList:
            return .inList(left, ListID(Int(instruction.b)), ignoringCase: instruction.flag)
        case .lookup:
            return .lookup(
                ListID(Int(instruction.b)), key: left,
                column: instruction.c >= 0 ? names[Int(instruction.c)] : nil)
        case .exists: return .exists(left)
        case .otherwise: return .otherwise(left, right)
        case .arithmetic: return .arithmetic(choice(instruction.c), left, right)
        case .negate: return .negate(left)
        case .call: return .call(choice(instruction.c), operandTerms)
        case .list: return .list(operandTerms)
        case .quantified:
            return .quantified(
                all: instruction.flag, in: left, variable: Int(instruction.c), right)
        }
    }
}
