import RuleModel

/// Which tests of conditions have come out true and false.
public struct Branches: Sendable, Equatable {
    /// By test: 1 it failed, 2 it held, 3 both.
    private var outcomes: [Term: UInt8] = [:]

    public init() {}

    mutating func note(_ tests: [(term: Term, holds: Bool)]) {
        for test in tests { outcomes[test.term, default: 0] |= test.holds ? 2 : 1 }
    }

    /// Adds what another has seen.
    public mutating func add(_ other: Branches) {
        for (term, seen) in other.outcomes { outcomes[term, default: 0] |= seen }
    }

    /// Whether a test has come out so.
    public func has(_ term: Term, _ outcome: Bool) -> Bool {
        outcomes[term, default: 0] & (outcome ? 2 : 1) != 0
    }
}

extension TermEvaluator {
    /// Every test of a condition with its outcome; unknown counts as failed.
    func tests<Context: TermContext>(
        of id: CodeID, in context: Context, logic: Logic = .plain
    ) -> [(term: Term, holds: Bool)] {
        code.tests(of: id).map { leaf in
            (code.term(leaf), value(leaf, in: context, logic: logic) == .bool(true))
        }
    }
}

extension Code {
    /// The tests that a condition consists of: what stands between `and`, `or` and `not`.
    public func tests(of id: CodeID) -> [CodeID] {
        let instruction = instructions[Int(id.rawValue)]
        switch instruction.opcode {
        case .and, .or:
            let start = Int(instruction.a)
            return operands[start..<start + Int(instruction.count)].flatMap {
                tests(of: CodeID($0))
            }
        case .not: return tests(of: CodeID(instruction.a))
        // What folds to a constant has one outcome.
        case .constant: return []
        default: return [id]
        }
    }
}

extension RuleProgram {
    /// What the rule asks of single events, with the place of the step, member or series.
    var eventConditions: [(place: Int, type: EventTypeID, condition: ConditionID?)] {
        switch pattern {
        case .sequence(let sequence):
            sequence.steps.enumerated().map {
                ($0, sequence.inputs[$1.input].type, $1.condition)
            }
        case .threshold(let threshold):
            [(0, threshold.input.type, threshold.condition)]
                + threshold.measures.compactMap { measure in
                    measure.condition.map { (0, threshold.input.type, $0) }
                }
        case .correlation(let correlation):
            correlation.members.enumerated().map {
                ($0, correlation.inputs[$1.input].type, $1.condition)
            }
        case .anomaly(let anomaly):
            anomaly.series.enumerated().map {
                ($0, anomaly.inputs[$1.input].type, $1.condition)
            }
        case .metric: []
        }
    }
}
