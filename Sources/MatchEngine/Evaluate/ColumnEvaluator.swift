import RuleModel

/// Judges every condition on single events for a whole batch, once however many rules contain it.
struct ColumnEvaluator: Sendable {
    /// One that the index does not cover.
    private struct Condition: Sendable {
        var number: Int32
        var kernel: Kernel
        /// The event types whose rules read the condition; rows of others keep a zero.
        var types: [EventTypeID]
    }

    /// A rule that sees the events of a type that pass a condition, or all of the type.
    private struct Interest: Sendable {
        var type: Int32
        var rule: Int32
    }

    private let conditionCount: Int
    private let index: ConditionIndex
    private let unindexed: [Condition]
    /// Who asks for each condition, condition after condition, and where in it each one begins.
    private let interests: [Interest]
    private let interestStarts: [Int32]
    /// Rules that see every event of a type.
    private let unconditional: [Interest]
    let keyReader: KeyReader
    private let fields: [Field]
    private let eventTypes: [String]

    /// - Parameters:
    ///   - routes: By index into `Program.rules`.
    ///   - conditionsMin: How many conditions must ask about a field for it to be indexed.
    init(
        program: Program, routes: [[KeyRoute]], conditionTypes: [[EventTypeID]],
        conditionsMin: Int = ConditionIndex.conditionsMin
    ) {
        let builder = KernelBuilder(code: program.code, fields: program.tables.fields)
        let kernels = program.eventConditions.map { builder.kernel($0) }
        let index = ConditionIndex(
            kernels: kernels, types: conditionTypes,
            typeCount: program.tables.eventTypes.count, patterns: program.code.patterns,
            conditionsMin: conditionsMin)
        unindexed = kernels.indices.filter { !index.covers[$0] }.map {
            Condition(number: Int32($0), kernel: kernels[$0], types: conditionTypes[$0])
        }
        conditionCount = kernels.count
        self.index = index
        var asked: [(condition: Int32, interest: Interest)] = []
        var unconditional: [Interest] = []
        for (rule, routes) in routes.enumerated() {
            for route in routes {
                let interest = Interest(type: Int32(route.type.rawValue), rule: Int32(rule))
                for condition in route.conditions {
                    if let condition {
                        asked.append((condition.rawValue, interest))
                    } else {
                        unconditional.append(interest)
                    }
                }
            }
        }
        asked.sort { ($0.condition, $0.interest.rule) < ($1.condition, $1.interest.rule) }
        interests = asked.map(\.interest)
        var starts: [Int32] = []
        starts.reserveCapacity(kernels.count + 1)
        for (place, entry) in asked.enumerated() {
            while starts.count <= entry.condition { starts.append(Int32(place)) }
        }
        while starts.count <= kernels.count { starts.append(Int32(asked.count)) }
        interestStarts = starts
        self.unconditional = unconditional
        keyReader = KeyReader(tables: program.tables, routes: routes)
        fields = program.tables.fields
        eventTypes = program.tables.eventTypes
    }

    /// The batch with what all conditions say of `rows` and with the rules that want to see them;
    /// of other rows nothing holds.
    func load(_ events: EventBatch, rows: Range<Int>, with evaluator: TermEvaluator) -> LoadedBatch
    {
        let words = (events.count + 63) / 64
        let typeBits = typeBits(events, rows, words)
        let pass = Pass(
            events: events, fields: fields, eventTypes: eventTypes, evaluator: evaluator)
        var hits = ConditionHits(conditions: conditionCount, words: words)
        for condition in unindexed {
            var mask = RowBits(words: words)
            for type in condition.types { mask.formUnion(typeBits[Int(type.rawValue)]) }
            if !mask.isEmpty {
                hits.insert(condition.number, pass.evaluate(condition.kernel, on: mask))
            }
        }
        index.find(pass, typeBits: typeBits, into: &hits)
        return LoadedBatch(
            events: events, fields: fields, eventTypes: eventTypes, hits: hits,
            candidates: candidates(hits, typeBits, rowCount: events.count)
                .reading(events, by: keyReader))
    }

    private func typeBits(_ events: EventBatch, _ rows: Range<Int>, _ words: Int) -> [RowBits] {
        // Side by side first: an array of arrays would be asked twice for each row whether it is shared.
        var bits = Array(repeating: UInt64(0), count: eventTypes.count * words)
        bits.withUnsafeMutableBufferPointer { bits in
            for row in rows {
                let type = Int(events.types[row].rawValue)
                if type < eventTypes.count {
                    bits[type * words + row / 64] |= 1 << UInt64(row % 64)
                }
            }
        }
        return eventTypes.indices.map { RowBits(words: Array(bits[$0 * words..<($0 + 1) * words])) }
    }

    private func candidates(
        _ hits: ConditionHits, _ typeBits: [RowBits], rowCount: Int
    ) -> Candidates {
        var pairs: [(row: Int32, rule: Int32)] = []
        pairs.reserveCapacity(rowCount)
        for interest in unconditional {
            typeBits[Int(interest.type)].forEach { pairs.append((Int32($0), interest.rule)) }
        }
        for condition in hits.found {
            let (start, end) = (
                Int(interestStarts[Int(condition)]), Int(interestStarts[Int(condition) + 1])
            )
            for interest in interests[start..<end] {
                hits.forEach(condition, in: typeBits[Int(interest.type)]) {
                    pairs.append((Int32($0), interest.rule))
                }
            }
        }
        return Candidates(rowCount: rowCount, pairs: pairs)
    }
}

/// One run over one batch.
struct Pass {
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
            if let short = ShortText(text), !ignoringCase {
                return texts(of: field, mask, whenMissing: !isEqual) { short.equals($0) == isEqual }
            }
            return texts(of: field, mask, whenMissing: !isEqual) { bytes in
                equal(bytes, text, ignoringCase) == isEqual
            }
        case .texts(let field, let texts, let ignoringCase):
            return self.texts(of: field, mask) { bytes in
                texts.contains { equal(bytes, $0, ignoringCase) }
            }
        case .textTest(let field, let test, let part, let ignoringCase):
            return cells(of: field, mask) { holds(test, field, $0, part, ignoringCase) }
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

    /// The same for a single row.
    func holds(_ kernel: Kernel, _ row: Int) -> Bool {
        switch kernel {
        case .never: false
        case .and(let parts): parts.allSatisfy { holds($0, row) }
        case .or(let parts): parts.contains { holds($0, row) }
        case .not(let part): !holds(part, row)
        case .exists(let field): exists(cell(field, row), field.type)
        case .number(let field, let comparison, let constant):
            number(cell(field, row), comparison, constant)
        case .text(let field, let isEqual, let text, let ignoringCase):
            self.text(field, cell(field, row), whenMissing: !isEqual) { bytes in
                equal(bytes, text, ignoringCase) == isEqual
            }
        case .texts(let field, let texts, let ignoringCase):
            text(field, cell(field, row)) { bytes in
                texts.contains { equal(bytes, $0, ignoringCase) }
            }
        case .textTest(let field, let test, let part, let ignoringCase):
            holds(test, field, cell(field, row), part, ignoringCase)
        case .pattern(let field, let index):
            text(field, cell(field, row)) { bytes in
                evaluator.patterns[index]?.matches(UnsafeRawBufferPointer(bytes)) ?? false
            }
        case .network(let field, let network):
            text(field, cell(field, row)) { bytes in
                IPAddress(utf8: bytes).map(network.contains) ?? false
            }
        case .rows(let code):
            evaluator.holds(code, in: context(row))
        }
    }

    private func context(_ row: Int) -> EventContext {
        let batch = LoadedBatch(unjudged: events, fields: fields, eventTypes: eventTypes)
        return EventContext(event: Event(batch: batch, row: row))
    }

    @inline(__always)
    private func cell(_ field: Field, _ row: Int) -> Cell { events.columns[field.column][row] }

    @inline(__always)
    private func cells(of field: Field, _ mask: RowBits, _ test: (Cell) -> Bool) -> RowBits {
        events.columns[field.column].withUnsafeBufferPointer { cells in
            mask.filter { test(cells[$0]) }
        }
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
        if let number = Numbers.double(constant), number.magnitude < 0x1p53 {
            return cells(of: field, mask) {
                Pass.holds(comparison, $0, number, whenMissing: whenMissing)
            }
        }
        return cells(of: field, mask) { number($0, comparison, constant) }
    }

    private func number(_ cell: Cell, _ comparison: Comparison, _ constant: Value) -> Bool {
        let whenMissing = comparison == .notEqual
        if let number = Numbers.double(constant), number.magnitude < 0x1p53 {
            return Pass.holds(comparison, cell, number, whenMissing: whenMissing)
        }
        let value = CellReader.value(cell, as: .number, bytes: events.bytes)
        return Comparisons.compare(comparison, value, constant, ignoringCase: false)
            ?? whenMissing
    }

    /// Compares with a small number. Small whole numbers and decimals compare exactly as decimals;
    /// of numbers further away than any small one, rounding does not change the order.
    @inline(__always)
    static func holds(
        _ comparison: Comparison, _ cell: Cell, _ number: Double, whenMissing: Bool
    ) -> Bool {
        switch cell.kind {
        case .int: holds(comparison, Double(Int64(bitPattern: cell.bits)), number)
        case .float: holds(comparison, Double(bitPattern: cell.bits), number)
        default: whenMissing
        }
    }

    @inline(__always)
    private static func holds(_ comparison: Comparison, _ left: Double, _ right: Double) -> Bool {
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
            cells(of: field, mask) { text(field, $0, in: bytes, whenMissing: whenMissing, test) }
        }
    }

    /// Whether the cell is a text that passes the test.
    private func text(
        _ field: Field, _ cell: Cell, whenMissing: Bool = false,
        _ test: (UnsafeBufferPointer<UInt8>) -> Bool
    ) -> Bool {
        events.bytes.withUnsafeBufferPointer {
            text(field, cell, in: $0, whenMissing: whenMissing, test)
        }
    }

    @inline(__always)
    private func text(
        _ field: Field, _ cell: Cell, in bytes: UnsafeBufferPointer<UInt8>, whenMissing: Bool,
        _ test: (UnsafeBufferPointer<UInt8>) -> Bool
    ) -> Bool {
        // An object where nothing is declared is its text (`CellReader`).
        let isText =
            cell.kind == .text
            || (cell.kind == .json && field.type == .unknown
                && bytes[cell.textRange.lowerBound] == UInt8(ascii: "{"))
        guard isText else { return whenMissing }
        return test(UnsafeBufferPointer(rebasing: bytes[cell.textRange]))
    }

    private func holds(
        _ test: TextTest, _ field: Field, _ cell: Cell, _ part: [UInt8], _ ignoringCase: Bool
    ) -> Bool {
        let isFound = text(field, cell) { bytes in
            if ignoringCase {
                let folded = CaseFolding.folded(bytes)
                return folded.withUnsafeBufferPointer { text in
                    part.withUnsafeBufferPointer { TextTests.holds(test, text, $0) }
                }
            }
            return part.withUnsafeBufferPointer { TextTests.holds(test, bytes, $0) }
        }
        // Nothing is declared, so the field may be an array; then an element is asked for.
        guard !isFound, test == .contains, field.type == .unknown, cell.kind == .json,
            case .list(let elements) = CellReader.value(cell, as: .unknown, bytes: events.bytes)
        else { return isFound }
        return elements.contains { element in
            guard case .text(let text) = element else { return false }
            return ignoringCase
                ? CaseFolding.folded(text.string.utf8) == part
                : text.string.utf8.elementsEqual(part)
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
