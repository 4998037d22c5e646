import RuleModel

extension TermEvaluator {
    /// The tests that keep a condition from holding, with what each compared.
    ///
    /// - Returns: Those tests, and how many tests the condition consists of.
    func failures<Context: TermContext>(
        of id: CodeID, in context: Context, logic: Logic = .plain
    ) -> (failed: [FailedTest], all: Int) {
        var failed: [FailedTest] = []
        var all = 0
        collect(id.rawValue, wanted: true, context, logic, &failed, &all)
        return (failed, all)
    }

    private func collect<Context: TermContext>(
        _ index: Int32, wanted: Bool, _ context: Context, _ logic: Logic,
        _ failed: inout [FailedTest], _ all: inout Int
    ) {
        let instruction = code.instructions[Int(index)]
        switch instruction.opcode {
        case .and, .or:
            let start = Int(instruction.a)
            let operands = code.operands[start..<start + Int(instruction.count)]
            // One part of an `or` is enough, and so is one that fails of a negated `and`.
            if (instruction.opcode == .or) == wanted,
                operands.contains(where: { holds($0, context, logic) == wanted })
            {
                all += 1
                return
            }
            for operand in operands {
                collect(operand, wanted: wanted, context, logic, &failed, &all)
            }
        case .not:
            collect(instruction.a, wanted: !wanted, context, logic, &failed, &all)
        default:
            all += 1
            let value = value(CodeID(index), in: context, logic: logic)
            if value == .bool(wanted) { return }
            let term = code.term(CodeID(index))
            failed.append(
                FailedTest(
                    term: wanted ? term : .not(term),
                    left: left(of: instruction, value, context, logic),
                    right: right(of: instruction, context, logic),
                    differsOnlyInCase: wanted && holdsIgnoringCase(instruction, context, logic)))
        }
    }

    private func holds<Context: TermContext>(
        _ index: Int32, _ context: Context, _ logic: Logic
    ) -> Bool? {
        if case .bool(let bool) = value(CodeID(index), in: context, logic: logic) { return bool }
        return nil
    }

    private func left<Context: TermContext>(
        of instruction: Instruction, _ whole: Value, _ context: Context, _ logic: Logic
    ) -> Value {
        switch instruction.opcode {
        case .compare, .textTest, .member, .inNetwork, .pattern, .inList, .exists, .quantified:
            value(CodeID(instruction.a), in: context, logic: logic)
        default: whole
        }
    }

    private func right<Context: TermContext>(
        of instruction: Instruction, _ context: Context, _ logic: Logic
    ) -> Value? {
        switch instruction.opcode {
        case .compare, .textTest, .member, .inNetwork:
            value(CodeID(instruction.b), in: context, logic: logic)
        default: nil
        }
    }

    private func holdsIgnoringCase<Context: TermContext>(
        _ instruction: Instruction, _ context: Context, _ logic: Logic
    ) -> Bool {
        guard !instruction.flag else { return false }
        let first = left(of: instruction, .missing, context, logic)
        let second = right(of: instruction, context, logic)
        switch instruction.opcode {
        case .compare:
            guard instruction.comparison == .equal, case .text = first, let second else {
                return false
            }
            return Comparisons.equal(first, second, ignoringCase: true) == true
        case .textTest:
            guard case .text(let text) = first, case .text(let part)? = second else { return false }
            return TextTests.holds(instruction.textTest, text, part, ignoringCase: true)
        case .member:
            guard case .list(let elements)? = second, case .text = first else { return false }
            return elements.contains {
                Comparisons.equal(first, $0, ignoringCase: true) == true
            }
        case .inList:
            guard case .text = first else { return false }
            return inList(first, ListID(Int(instruction.b)), ignoringCase: true)
        default: return false
        }
    }
}
