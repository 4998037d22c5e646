import RuleModel

/// Makes the expressions of all rules flat, equal ones once.
///
/// Operands are made before the instruction that uses them, so two expressions are equal exactly
/// when their instructions are: one look-up per node, whatever the depth. The operands of `and` and
/// `or` are flattened, sorted and stripped of duplicates first, so that `a and b` is `b and a`; no
/// condition has side effects and both logics are commutative, so the order has no meaning.
struct CodeBuilder {
    private(set) var code = Code()
    private var known: [Instruction: Int32] = [:]
    private var knownConstants: [Value: Int32] = [:]
    private var knownOperands: [[Int32]: Int32] = [:]
    private var knownPatterns: [Code.Pattern: Int32] = [:]
    private var knownSpans: [TimeSpan: Int32] = [:]
    private var knownNames: [Text: Int32] = [:]

    /// The index of the expression's root.
    mutating func add(_ term: Term) -> CodeID { CodeID(index(of: term)) }

    /// The index of a condition that holds when all of these do.
    mutating func add(allOf terms: [Term]) -> CodeID {
        add(terms.count == 1 ? terms[0] : .and(terms))
    }

    private mutating func index(of term: Term) -> Int32 {
        let instruction = instruction(of: term)
        if let known = known[instruction] { return known }
        let index = Int32(code.instructions.count)
        code.instructions.append(instruction)
        known[instruction] = index
        return index
    }

    private mutating func instruction(of term: Term) -> Instruction {
        switch term {
        case .constant(let value):
            return Instruction(
                .constant, a: Self.place(of: value, in: &code.constants, &knownConstants))
        case .field(let field):
            return Instruction(.field, a: field.rawValue)
        case .stepField(let step, let occurrence, let field):
            let place: Int32 = occurrence == .only ? 0 : occurrence == .first ? 1 : 2
            return Instruction(.stepField, a: Int32(step.rawValue), b: field.rawValue, c: place)
        case .stepList(let step, let field):
            return Instruction(.stepList, a: Int32(step.rawValue), b: field.rawValue)
        case .stepCount(let step):
            return Instruction(.stepCount, a: Int32(step.rawValue))
        case .stepAggregate(let function, let step, let field):
            return Instruction(
                .stepAggregate, a: Int32(step.rawValue), b: field.rawValue,
                c: Instruction.place(of: function))
        case .key(let index):
            return Instruction(.key, a: Int32(index))
        case .measure(let index, .now):
            return Instruction(.measure, a: Int32(index))
        case .measure(let index, .previous):
            return Instruction(.measure, a: Int32(index), c: 1)
        case .measure(let index, .earlier(let span)):
            let place = Self.place(of: span, in: &code.spans, &knownSpans)
            return Instruction(.measure, a: Int32(index), b: place, c: 2)
        case .fact(let fact):
            return Instruction(.fact, a: Instruction.place(of: fact))
        case .score(let function, let measure, let parameter):
            let constant = parameter.map {
                Self.place(of: Value.float($0), in: &code.constants, &knownConstants)
            }
            return Instruction(
                .score, a: Int32(measure), b: constant ?? -1, c: Instruction.place(of: function))
        case .clusterCount:
            return Instruction(.clusterCount)
        case .clusterField(let field, let occurrence):
            let place: Int32 = occurrence.map { $0 == .last ? 2 : 1 } ?? 0
            return Instruction(.clusterField, a: Instruction.place(of: field), b: place)
        case .variable(let depth):
            return Instruction(.variable, a: Int32(depth))
        case .not(let operand):
            return Instruction(.not, a: index(of: operand))
        case .negate(let operand):
            return Instruction(.negate, a: index(of: operand))
        case .exists(let operand):
            return Instruction(.exists, a: index(of: operand))
        case .and:
            return listed(.and, sorted(conjuncts(of: term)))
        case .or:
            return listed(.or, sorted(disjuncts(of: term)))
        case .list(let elements):
            return listed(.list, elements.map { index(of: $0) })
        case .call(let function, let arguments):
            return listed(
                .call, arguments.map { index(of: $0) }, c: Instruction.place(of: function))
        case .compare(let comparison, let left, let right, let ignoringCase):
            return pair(
                .compare, left, right, c: Instruction.place(of: comparison), flag: ignoringCase)
        case .textTest(let test, let left, let right, let ignoringCase):
            return pair(.textTest, left, right, c: Instruction.place(of: test), flag: ignoringCase)
        case .member(let left, of: let right, let ignoringCase):
            return pair(.member, left, right, flag: ignoringCase)
        case .inNetwork(let left, let right):
            return pair(.inNetwork, left, right)
        case .otherwise(let left, let right):
            return pair(.otherwise, left, right)
        case .arithmetic(let operation, let left, let right):
            return pair(.arithmetic, left, right, c: Instruction.place(of: operation))
        case .quantified(let all, in: let list, let depth, let condition):
            return pair(.quantified, list, condition, c: Int32(depth), flag: all)
        case .pattern(let operand, let source, let ignoringCase):
            let pattern = Code.Pattern(source: source, ignoresCase: ignoringCase)
            let operand = index(of: operand)
            return Instruction(
                .pattern, a: operand,
                b: Self.place(of: pattern, in: &code.patterns, &knownPatterns),
                flag: ignoringCase)
        case .inList(let operand, let list, let ignoringCase):
            return Instruction(
                .inList, a: index(of: operand), b: Int32(list.rawValue), flag: ignoringCase)
        case .lookup(let list, key: let key, let column):
            let key = index(of: key)
            return Instruction(.lookup, a: key, b: Int32(list.rawValue), c: place(ofName: column))
        }
    }

    private mutating func pair(
        _ opcode: Instruction.Opcode, _ left: Term, _ right: Term, c: Int32 = 0, flag: Bool = false
    ) -> Instruction {
        let left = index(of: left)
        return Instruction(opcode, a: left, b: index(of: right), c: c, flag: flag)
    }

    /// An instruction whose operands stand in `Code.operands`, equal lists once.
    private mutating func listed(
        _ opcode: Instruction.Opcode, _ operands: [Int32], c: Int32 = 0
    ) -> Instruction {
        let count = Int32(operands.count)
        if let start = knownOperands[operands] {
            return Instruction(opcode, a: start, c: c, count: count)
        }
        let start = Int32(code.operands.count)
        code.operands += operands
        knownOperands[operands] = start
        return Instruction(opcode, a: start, c: c, count: count)
    }

    /// The roots of the parts in order, each once.
    private mutating func sorted(_ parts: [Term]) -> [Int32] {
        var unique: [Int32] = []
        for operand in parts.map({ index(of: $0) }).sorted() where operand != unique.last {
            unique.append(operand)
        }
        return unique
    }

    private mutating func place(ofName name: String?) -> Int32 {
        guard let name else { return -1 }
        if let known = knownNames[Text(name)] { return known }
        let place = Int32(code.names.count)
        code.names.append(name)
        knownNames[Text(name)] = place
        return place
    }

    private static func place<Element: Hashable>(
        of element: Element, in array: inout [Element], _ known: inout [Element: Int32]
    ) -> Int32 {
        if let place = known[element] { return place }
        let place = Int32(array.count)
        array.append(element)
        known[element] = place
        return place
    }
}
