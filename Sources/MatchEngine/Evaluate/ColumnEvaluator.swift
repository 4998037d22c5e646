import RuleModel

/// Judges every condition on single events for a whole batch, once however many rules contain it.
struct ColumnEvaluator: Sendable {
    private struct Condition: Sendable {
        var code: CodeID
        var kernel: Kernel
        /// The event types whose rules read the condition; rows of others keep a zero.
        var types: [EventTypeID]
    }

    /// What lets an event through to a rule: its type and the condition, if any.
    struct Gate: Hashable, Sendable {
        var type: EventTypeID
        var condition: ConditionID?
    }

    private var conditions: [Condition]
    /// By index into `Program.rules`.
    private let gates: [[Gate]]
    private let fields: [Field]
    private let eventTypes: [String]

    init(program: Program, gates: [[Gate]], conditionTypes: [[EventTypeID]]) {
        let builder = KernelBuilder(code: program.code, fields: program.tables.fields)
        conditions = program.eventConditions.indices.map { index in
            let code = program.eventConditions[index]
            return Condition(
                code: code, kernel: builder.kernel(code), types: conditionTypes[index])
        }
        self.gates = gates
        fields = program.tables.fields
        eventTypes = program.tables.eventTypes
    }

    /// The batch with the bits of all conditions and rules for `rows`; the bits of other rows are zero.
    func load(_ events: EventBatch, rows: Range<Int>, with evaluator: TermEvaluator) -> LoadedBatch
    {
        let words = (events.count + 63) / 64
        var typeBits = Array(repeating: RowBits(words: words), count: eventTypes.count)
        for row in rows {
            let type = Int(events.types[row].rawValue)
            if type < typeBits.count { typeBits[type].insert(row) }
        }
        let pass = Pass(
            events: events, fields: fields, eventTypes: eventTypes, evaluator: evaluator)
        var conditionBits: [UInt64] = []
        conditionBits.reserveCapacity(conditions.count * words)
        for condition in conditions {
            var mask = RowBits(words: words)
            for type in condition.types { mask.formUnion(typeBits[Int(type.rawValue)]) }
            let bits = mask.isEmpty ? mask : pass.evaluate(condition.kernel, on: mask)
            conditionBits += bits.words
        }
        var interesting = RowBits(words: words)
        let ruleBits = gates.map { gates in
            var bits = RowBits(words: words)
            for gate in gates {
                var rows = typeBits[Int(gate.type.rawValue)]
                if let condition = gate.condition {
                    let start = Int(condition.rawValue) * words
                    rows.formIntersection(RowBits(words: conditionBits[start..<start + words]))
                }
                bits.formUnion(rows)
            }
            interesting.formUnion(bits)
            return bits
        }
        return LoadedBatch(
            events: events, fields: fields, eventTypes: eventTypes, conditionBits: conditionBits,
            words: words, ruleBits: ruleBits, interesting: interesting)
    }
}

/// One run over one batch.
private struct Pass {
    let events: EventBatch
    let fields: [Field]
    let eventTypes: [String]
    let evaluator: TermEvaluator

    /// The rows of the mask for which the condition holds. The work is that for rows of the mask:
    /// a later part of an `and` is looked at only where the earlier ones hold.
    func evaluate(_ kernel: Kernel, on mask: RowBits) -> RowBits {
        switch kernel {
        case .never:
            return RowBits(words: mask.words.count)
        case .and(let parts):
            var rows = mask
            for part in parts where !rows.isEmpty { rows = evaluate(part, on: rows) }
            return rows
        case .or(let parts):
            var found = RowBits(words: mask.words.count)
            var rest = mask
            for part in parts where !rest.isEmpty {
                let rows = evaluate(part, on: rest)
                found.formUnion(rows)
                rest.subtract(rows)
            }
            return found
        case .not(let part):
            var rows = mask
            rows.subtract(evaluate(part, on: mask))
            return rows
        case .exists(let field):
            return cells(of: field, mask) { exists($0, field.type) }
        case .number(let field, let comparison, let constant):
            return numbers(of: field, mask, comparison, constant)
        case .text(let field, let isEqual, let text, let ignoringCase):
            return texts(of: field, mask, whenMissing: !isEqual) { bytes in
                equal(bytes, text, ignoringCase) == isEqual
            }
        case .texts(let field, let texts, let ignoringCase):
            return self.texts(of: field, mask) { bytes in
                texts.contains { equal(bytes, $0, ignoringCase) }
            }
        case .textTest(let field, let test, let part, let ignoringCase):
            let found = texts(of: field, mask) { bytes in
                if ignoringCase {
                    let folded = CaseFolding.folded(bytes)
                    return folded.withUnsafeBufferPointer { text in
                        part.withUnsafeBufferPointer { TextTests.holds(test, text, $0) }
                    }
                }
                return part.withUnsafeBufferPointer { TextTests.holds(test, bytes, $0) }
            }
            guard test == .contains, field.type == .unknown else { return found }
            // Nothing is declared, so the field may be an array; then an element is asked for.
            var lists = cells(of: field, mask) { cell in
                guard cell.kind == .json else { return false }
                let value = CellReader.value(cell, as: .unknown, bytes: events.bytes)
                guard case .list(let elements) = value else { return false }
                return elements.contains { element in
                    guard case .text(let text) = element else { return false }
                    return ignoringCase
                        ? CaseFolding.folded(text.string.utf8) == part
                        : text.string.utf8.elementsEqual(part)
                }
            }
            lists.formUnion(found)
            return lists
        case .pattern(let field, let index):
            guard let pattern = evaluator.patterns[index] else {
                return RowBits(words: mask.words.count)
            }
            return texts(of: field, mask) { pattern.matches(UnsafeRawBufferPointer($0)) }
        case .network(let field, let network):
            return texts(of: field, mask) { IPAddress(utf8: $0).map(network.contains) ?? false }
        case .rows(let code):
            let batch = LoadedBatch(unjudged: events, fields: fields, eventTypes: eventTypes)
            return mask.filter { row in
                evaluator.holds(code, in: EventContext(event: Event(batch: batch, row: row)))
            }
        }
    }

    @inline(__always)
    private func cells(of field: Field, _ mask: RowBits, _ test: (Cell) -> Bool) -> RowBits {
        let cells = events.columns[field.column]
        return mask.filter { test(cells[$0]) }
    }

    private func exists(_ cell: Cell, _ type: ValueType) -> Bool {
        switch (cell.kind, type) {
        case (.missing, _): false
        case (_, .unknown), (.text, .text), (.text, .enumeration): true
        default: !CellReader.value(cell, as: type, bytes: events.bytes).isMissing
        }
    }

    private func numbers(
        of field: Field, _ mask: RowBits, _ comparison: Comparison, _ constant: Value
    ) -> RowBits {
        let whenMissing = comparison == .notEqual
        // Small whole numbers and decimals compare exactly as decimals.
        if let number = Numbers.double(constant), number.magnitude < 0x1p53 {
            return cells(of: field, mask) { cell in
                switch cell.kind {
                case .int:
                    let whole = Int64(bitPattern: cell.bits)
                    // Further away than any small number, rounding does not change the order.
                    return holds(comparison, Double(whole), number)
                case .float: return holds(comparison, Double(bitPattern: cell.bits), number)
                default: return whenMissing
                }
            }
        }
        return cells(of: field, mask) { cell in
            let value = CellReader.value(cell, as: .number, bytes: events.bytes)
            return Comparisons.compare(comparison, value, constant, ignoringCase: false)
                ?? whenMissing
        }
    }

    @inline(__always)
    private func holds(_ comparison: Comparison, _ left: Double, _ right: Double) -> Bool {
        switch comparison {
        case .equal: left == right
        case .notEqual: left != right
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        }
    }

    /// The rows whose cell is a text that passes the test.
    @inline(__always)
    private func texts(
        of field: Field, _ mask: RowBits, whenMissing: Bool = false,
        _ test: (UnsafeBufferPointer<UInt8>) -> Bool
    ) -> RowBits {
        events.bytes.withUnsafeBufferPointer { bytes in
            let isUndeclared = field.type == .unknown
            return cells(of: field, mask) { cell in
                // An object where nothing is declared is its text (`CellReader`).
                let isText =
                    cell.kind == .text
                    || (isUndeclared && cell.kind == .json
                        && bytes[cell.textRange.lowerBound] == UInt8(ascii: "{"))
                guard isText else { return whenMissing }
                return test(UnsafeBufferPointer(rebasing: bytes[cell.textRange]))
            }
        }
    }

    @inline(__always)
    private func equal(
        _ text: UnsafeBufferPointer<UInt8>, _ wanted: [UInt8], _ ignoringCase: Bool
    ) -> Bool {
        if ignoringCase { return CaseFolding.folded(text) == wanted }
        guard text.count == wanted.count else { return false }
        return wanted.withUnsafeBufferPointer { TextTests.equal(text, $0) }
    }
}
