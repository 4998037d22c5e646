import RuleModel
import TextPatterns

/// Evaluates the expressions of a program. Never changed: a list with another content makes another
/// evaluator.
final class TermEvaluator: Sendable {
    /// How a comparison with missing comes out.
    enum Logic: Sendable {
        /// False; `!=` and `not in` are the plain complements (T6).
        case plain
        /// Unknown, which is `missing`; `not`, `and` and `or` are Kleene's (H3).
        case threeValued
    }

    let code: Code
    /// The lists in force, by `ListID`.
    let lists: [ListTable]
    /// By index into `Code.patterns`. A pattern that the library refuses never matches; the
    /// compiler lets none through.
    let patterns: [TextPattern?]

    init(program: Program, environment: EngineEnvironment) {
        code = program.code
        lists = program.tables.lists.indices.map { index in
            environment.lists[ListID(index)] ?? ListTable(kind: program.tables.lists[index].kind)
        }
        patterns = program.code.patterns.map { pattern in
            try? TextPattern(pattern.source, ignoringCase: pattern.ignoresCase)
        }
    }

    private init(_ other: TermEvaluator, lists: [ListTable]) {
        code = other.code
        patterns = other.patterns
        self.lists = lists
    }

    /// The same with another content of a list.
    func setting(_ list: ListID, to table: ListTable) -> TermEvaluator {
        var lists = lists
        lists[list.rawValue] = table
        return TermEvaluator(self, lists: lists)
    }

    /// The value of an expression.
    func value<Context: TermContext>(
        _ id: CodeID, in context: Context, logic: Logic = .plain
    ) -> Value {
        value(id.rawValue, context, logic, [])
    }

    /// The value of an expression on an event; most often that is a field.
    @inline(__always)
    func value(_ id: CodeID, of event: Event) -> Value {
        let instruction = code.instructions[Int(id.rawValue)]
        if instruction.opcode == .field { return event.value(FieldID(rawValue: instruction.a)) }
        return value(id, in: EventContext(event: event))
    }

    /// Whether a condition holds under the plain logic.
    func holds<Context: TermContext>(_ id: CodeID, in context: Context) -> Bool {
        isTrue(value(id.rawValue, context, .plain, []))
    }

    /// Whether a condition holds under the three-valued logic; nil when unknown.
    func judge<Context: TermContext>(_ id: CodeID, in context: Context) -> Bool? {
        if case .bool(let bool) = value(id.rawValue, context, .threeValued, []) { return bool }
        return nil
    }

    private func isTrue(_ value: Value) -> Bool {
        if case .bool(true) = value { return true }
        return false
    }

    /// Unknown and no answer are false in plain logic.
    private func result(_ outcome: Bool?, _ logic: Logic, otherwise plain: Bool = false) -> Value {
        if let outcome { return .bool(outcome) }
        return logic == .plain ? .bool(plain) : .missing
    }

    /// - Parameter variables: What the surrounding quantified expressions look at, outermost first.
    private func value<Context: TermContext>(
        _ index: Int32, _ context: Context, _ logic: Logic, _ variables: [Value]
    ) -> Value {
        let instruction = code.instructions[Int(index)]
        func operand(_ index: Int32) -> Value { value(index, context, logic, variables) }
        var operands: ArraySlice<Int32> {
            code.operands[Int(instruction.a)..<Int(instruction.a + instruction.count)]
        }
        switch instruction.opcode {
        case .constant:
            return code.constants[Int(instruction.a)]
        case .field:
            return context.field(FieldID(rawValue: instruction.a))
        case .stepField:
            let occurrence: Term.Occurrence =
                instruction.c == 0 ? .only : instruction.c == 1 ? .first : .last
            return context.stepField(
                StepID(Int(instruction.a)), occurrence, FieldID(rawValue: instruction.b))
        case .stepList:
            return context.stepList(StepID(Int(instruction.a)), FieldID(rawValue: instruction.b))
        case .stepCount:
            return context.stepCount(StepID(Int(instruction.a)))
        case .stepAggregate:
            return context.stepAggregate(
                Instruction.aggregates[Int(instruction.c)], StepID(Int(instruction.a)),
                FieldID(rawValue: instruction.b))
        case .key:
            return context.key(Int(instruction.a))
        case .measure:
            let time: Term.MeasureTime =
                instruction.c == 0
                ? .now
                : instruction.c == 1 ? .previous : .earlier(code.spans[Int(instruction.b)])
            return context.measure(Int(instruction.a), time)
        case .fact:
            return context.fact(Instruction.facts[Int(instruction.a)])
        case .score:
            var parameter: Double?
            if instruction.b >= 0, case .float(let value) = code.constants[Int(instruction.b)] {
                parameter = value
            }
            return context.score(
                Instruction.scores[Int(instruction.c)], measure: Int(instruction.a),
                parameter: parameter)
        case .clusterCount:
            return context.clusterCount()
        case .clusterField:
            let occurrence: Term.Occurrence? =
                instruction.b == 0 ? nil : instruction.b == 1 ? .first : .last
            return context.clusterField(
                Instruction.clusterFields[Int(instruction.a)], occurrence)
        case .variable:
            return variables[Int(instruction.a)]

        case .not:
            let inner = operand(instruction.a)
            if logic == .threeValued, inner.isMissing { return .missing }
            return .bool(!isTrue(inner))
        case .and:
            var isUnknown = false
            for index in operands {
                let part = operand(index)
                if isTrue(part) { continue }
                if logic == .plain || !part.isMissing { return .bool(false) }
                isUnknown = true
            }
            return isUnknown ? .missing : .bool(true)
        case .or:
            var isUnknown = false
            for index in operands {
                let part = operand(index)
                if isTrue(part) { return .bool(true) }
                if logic == .threeValued, part.isMissing { isUnknown = true }
            }
            return isUnknown ? .missing : .bool(false)
        case .compare:
            let comparison = instruction.comparison
            let outcome = Comparisons.compare(
                comparison, operand(instruction.a), operand(instruction.b),
                ignoringCase: instruction.flag)
            return result(outcome, logic, otherwise: comparison == .notEqual)
        case .textTest:
            return result(
                textTest(instruction, operand(instruction.a), operand(instruction.b)), logic)
        case .pattern:
            guard case .text(let text) = operand(instruction.a) else { return result(nil, logic) }
            return .bool(matches(Int(instruction.b), text))
        case .member:
            return result(
                member(operand(instruction.a), of: operand(instruction.b), instruction.flag), logic)
        case .inNetwork:
            return result(inNetwork(operand(instruction.a), operand(instruction.b)), logic)
        case .inList:
            let inner = operand(instruction.a)
            if inner.isMissing { return result(nil, logic) }
            return .bool(inList(inner, ListID(Int(instruction.b)), ignoringCase: instruction.flag))
        case .lookup:
            return lookup(instruction, operand(instruction.a))
        case .exists:
            return .bool(!operand(instruction.a).isMissing)
        case .otherwise:
            let first = operand(instruction.a)
            return first.isMissing ? operand(instruction.b) : first
        case .arithmetic:
            return Numbers.apply(
                Instruction.operators[Int(instruction.c)], operand(instruction.a),
                operand(instruction.b))
        case .negate:
            return Numbers.negated(operand(instruction.a))
        case .call:
            return Functions.call(Instruction.functions[Int(instruction.c)], operands.map(operand))
        case .list:
            return .list(operands.map(operand).filter { !$0.isMissing })
        case .quantified:
            return quantified(instruction, context, logic, variables)
        }
    }

    private func quantified<Context: TermContext>(
        _ instruction: Instruction, _ context: Context, _ logic: Logic, _ variables: [Value]
    ) -> Value {
        guard case .list(let elements) = value(instruction.a, context, logic, variables) else {
            return result(nil, logic)
        }
        // Variables count from the outermost, so this one's place is its depth.
        var inner = variables
        while inner.count <= Int(instruction.c) { inner.append(.missing) }
        var isUnknown = false
        for element in elements {
            inner[Int(instruction.c)] = element
            let outcome = value(instruction.b, context, logic, inner)
            if logic == .threeValued, outcome.isMissing {
                isUnknown = true
            } else if isTrue(outcome) != instruction.flag {
                return .bool(!instruction.flag)
            }
        }
        return isUnknown ? .missing : .bool(instruction.flag)
    }

    // MARK: - Tests of values

    private func textTest(_ instruction: Instruction, _ text: Value, _ part: Value) -> Bool? {
        let test = instruction.textTest
        // `tags contains "x"` asks for an element.
        if case .list(let elements) = text, test == .contains {
            if part.isMissing { return nil }
            return elements.contains {
                Comparisons.equal($0, part, ignoringCase: instruction.flag) == true
            }
        }
        guard case .text(let text) = text, case .text(let part) = part else { return nil }
        return TextTests.holds(test, text, part, ignoringCase: instruction.flag)
    }

    private func matches(_ pattern: Int, _ text: Text) -> Bool {
        guard let pattern = patterns[pattern] else { return false }
        var string = text.string
        return string.withUTF8 { pattern.matches(UnsafeRawBufferPointer($0)) }
    }

    private func member(_ value: Value, of list: Value, _ ignoringCase: Bool) -> Bool? {
        guard case .list(let elements) = list, !value.isMissing else { return nil }
        return elements.contains {
            Comparisons.equal(value, $0, ignoringCase: ignoringCase) == true
        }
    }

    private func inNetwork(_ address: Value, _ network: Value) -> Bool? {
        guard let address = Self.address(address) else { return nil }
        switch network {
        case .network(let network): return network.contains(address)
        case .text(let text): return IPNetwork(text.string)?.contains(address)
        case .list(let networks): return networks.contains { inNetwork(.ip(address), $0) == true }
        default: return nil
        }
    }

    /// An address, also one written as text where nothing is declared.
    private static func address(_ value: Value) -> IPAddress? {
        switch value {
        case .ip(let address): address
        case .text(let text): IPAddress(text.string)
        default: nil
        }
    }

    /// Membership with the version in force.
    func inList(_ value: Value, _ list: ListID, ignoringCase: Bool) -> Bool {
        lists[list.rawValue].contains(listKey(value, list), ignoringCase: ignoringCase)
    }

    private func listKey(_ value: Value, _ list: ListID) -> Value {
        if lists[list.rawValue].kind == .cidr, let address = Self.address(value) {
            return .ip(address)
        }
        return value
    }

    private func lookup(_ instruction: Instruction, _ key: Value) -> Value {
        let list = ListID(Int(instruction.b))
        let table = lists[list.rawValue]
        guard !key.isMissing, let row = table.row(for: listKey(key, list)) else { return .missing }
        guard instruction.c >= 0 else { return row.count > 1 ? row[1] : .missing }
        return table.columnIndex(code.names[Int(instruction.c)]).map { row[$0] } ?? .missing
    }
}

extension Instruction {
    // Arrays made once: `allCases` makes a new one each time.
    fileprivate static let aggregates = AggregateFunction.allCases
    fileprivate static let facts = MatchFact.allCases
    fileprivate static let scores = ScoreFunction.allCases
    fileprivate static let clusterFields = ClusterField.allCases
    fileprivate static let operators = Arithmetic.allCases
    fileprivate static let functions = Function.allCases
    private static let comparisons = Comparison.allCases
    private static let textTests = TextTest.allCases

    var comparison: Comparison { Instruction.comparisons[Int(c)] }
    var textTest: TextTest { Instruction.textTests[Int(c)] }
}
