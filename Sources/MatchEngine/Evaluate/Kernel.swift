import RuleModel

/// A condition in the form in which it runs over a column: the common shapes have a case of their
/// own, everything else is evaluated row by row.
indirect enum Kernel: Sendable {
    case never
    case and([Kernel])
    case or([Kernel])
    case not(Kernel)
    case exists(Field)
    /// A field and a number.
    case number(Field, Comparison, Value)
    /// A text field and a text; the bytes are folded when the case is ignored.
    case text(Field, isEqual: Bool, [UInt8], ignoringCase: Bool)
    /// A text field and several texts.
    case texts(Field, [[UInt8]], ignoringCase: Bool)
    case textTest(Field, TextTest, [UInt8], ignoringCase: Bool)
    /// A text field and an index into `Code.patterns`.
    case pattern(Field, Int)
    case network(Field, IPNetwork)
    case rows(CodeID)
}

/// Finds the kernel of a condition.
struct KernelBuilder {
    let code: Code
    let fields: [Field]

    func kernel(_ id: CodeID) -> Kernel {
        let instruction = code.instructions[Int(id.rawValue)]
        func inner(_ index: Int32) -> Kernel { kernel(CodeID(index)) }
        switch instruction.opcode {
        case .constant:
            if case .bool(true) = code.constants[Int(instruction.a)] { return .not(.never) }
            return .never
        case .and, .or:
            let operands = code.operands[
                Int(instruction.a)..<Int(instruction.a + instruction.count)
            ].map(inner)
            return instruction.opcode == .and ? .and(operands) : .or(operands)
        case .not:
            return .not(inner(instruction.a))
        case .exists:
            guard let field = field(instruction.a) else { return .rows(id) }
            return .exists(field)
        case .compare:
            return comparison(instruction) ?? .rows(id)
        case .textTest:
            guard let field = textField(instruction.a),
                case .text(let text) = constant(instruction.b)
            else { return .rows(id) }
            return .textTest(
                field, instruction.textTest, bytes(text, folded: instruction.flag),
                ignoringCase: instruction.flag)
        case .pattern:
            guard let field = textField(instruction.a) else { return .rows(id) }
            return .pattern(field, Int(instruction.b))
        case .member:
            return membership(instruction) ?? .rows(id)
        case .inNetwork:
            guard let field = field(instruction.a), field.type == .ip || isText(field.type),
                case .network(let network) = constant(instruction.b)
            else { return .rows(id) }
            return .network(field, network)
        default:
            return .rows(id)
        }
    }

    private func comparison(_ instruction: Instruction) -> Kernel? {
        guard let field = field(instruction.a), let constant = constant(instruction.b) else {
            return nil
        }
        switch constant {
        case .int, .float:
            guard field.type == .number || field.type == .unknown else { return nil }
            return .number(field, instruction.comparison, constant)
        case .text(let text):
            let isEqual = instruction.comparison == .equal
            guard isText(field.type), isEqual || instruction.comparison == .notEqual else {
                return nil
            }
            return .text(
                field, isEqual: isEqual, bytes(text, folded: instruction.flag),
                ignoringCase: instruction.flag)
        default:
            return nil
        }
    }

    private func membership(_ instruction: Instruction) -> Kernel? {
        guard let field = textField(instruction.a),
            let elements = constantList(instruction.b)
        else { return nil }
        var texts: [[UInt8]] = []
        for element in elements {
            guard case .text(let text) = element else { return nil }
            texts.append(bytes(text, folded: instruction.flag))
        }
        return .texts(field, texts, ignoringCase: instruction.flag)
    }

    // MARK: - Operands

    private func field(_ index: Int32) -> Field? {
        let instruction = code.instructions[Int(index)]
        guard instruction.opcode == .field, instruction.a >= 0 else { return nil }
        return fields[Int(instruction.a)]
    }

    private func textField(_ index: Int32) -> Field? {
        field(index).flatMap { isText($0.type) ? $0 : nil }
    }

    private func isText(_ type: ValueType) -> Bool {
        switch type {
        case .text, .enumeration, .unknown: true
        default: false
        }
    }

    private func constant(_ index: Int32) -> Value? {
        let instruction = code.instructions[Int(index)]
        guard instruction.opcode == .constant else { return nil }
        return code.constants[Int(instruction.a)]
    }

    private func constantList(_ index: Int32) -> [Value]? {
        if case .list(let values) = constant(index) { return values }
        let instruction = code.instructions[Int(index)]
        guard instruction.opcode == .list else { return nil }
        let elements = code.operands[
            Int(instruction.a)..<Int(instruction.a + instruction.count)
        ].map(constant)
        return elements.contains(where: { $0 == nil }) ? nil : elements.compactMap { $0 }
    }

    private func bytes(_ text: Text, folded: Bool) -> [UInt8] {
        folded ? CaseFolding.folded(text.string.utf8) : Array(text.string.utf8)
    }
}
