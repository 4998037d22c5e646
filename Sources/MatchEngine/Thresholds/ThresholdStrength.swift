import RuleModel

extension TermEvaluator {
    /// How far the values of a condition that holds go beyond its limits, 0 to 1.
    ///
    /// For one comparison `1 - limit / value`, the smaller side divided by the larger one. All parts of
    /// an `and` are needed, so the weakest counts; of an `or` the strongest that holds. What has no
    /// more or less about it (equality, membership) takes no part; a condition of only such parts has
    /// the strength 0.
    func strength<Context: TermContext>(of condition: CodeID, in context: Context) -> Double {
        partStrength(condition, in: context) ?? 0
    }

    private func partStrength<Context: TermContext>(
        _ condition: CodeID, in context: Context
    ) -> Double? {
        let instruction = code.instructions[Int(condition.rawValue)]
        switch instruction.opcode {
        case .and: return parts(instruction).compactMap { partStrength($0, in: context) }.min()
        case .or:
            return parts(instruction).filter { judge($0, in: context) == true }
                .compactMap { partStrength($0, in: context) }.max()
        case .compare:
            let left = value(CodeID(instruction.a), in: context, logic: .threeValued)
            let right = value(CodeID(instruction.b), in: context, logic: .threeValued)
            guard let left = Quantity(left)?.decimal, let right = Quantity(right)?.decimal else {
                return nil
            }
            switch instruction.comparison {
            case .greater, .greaterOrEqual: return excess(of: left, over: right)
            case .less, .lessOrEqual: return excess(of: right, over: left)
            case .equal, .notEqual: return nil
            }
        default: return nil
        }
    }

    private func parts(_ instruction: Instruction) -> [CodeID] {
        code.operands[Int(instruction.a)..<Int(instruction.a + instruction.count)].map {
            CodeID($0)
        }
    }

    private func excess(of larger: Double, over smaller: Double) -> Double {
        if larger == smaller { return 0 }
        let excess = larger == 0 ? 1 : 1 - smaller / larger
        return excess.isNaN ? 0 : Swift.min(Swift.max(excess, 0), 1)
    }
}
