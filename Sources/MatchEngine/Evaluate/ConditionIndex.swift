import RuleModel

/// Leads from the fields of an event to the conditions that it may satisfy, so that ten thousand
/// conditions cost an event little more than ten.
///
/// For each event type and column there is one look-up for all texts that conditions want, one pass
/// for all literals, and one search for all limits of a comparison. What a look-up leads to is then
/// judged on that row alone.
struct ConditionIndex: Sendable {
    /// A condition that a path leads to, and the part of it that the path does not prove.
    struct Posting: Sendable {
        var condition: Int32
        var testStart: Int32
        var testCount: Int32
    }

    /// Something left to be judged on a row.
    enum Test: Sendable {
        case number(column: Int, Comparison, Double, whenMissing: Bool)
        case kernel(Kernel)
    }

    /// Postings by key, as ranges of one array.
    private struct Keyed<Lookup: Sendable>: Sendable {
        var lookup: Lookup
        var starts: [Int32]
        var postings: [Posting]
    }

    private struct TextColumn: Sendable {
        var column: Int
        var isFolded: Bool
        var texts: Keyed<TextLookup>?
        var literals: Keyed<LiteralAutomaton>?
        /// Every condition of the column, for cells that hold neither text nor number.
        var all: [Posting]
    }

    private struct NumberColumn: Sendable {
        var column: Int
        var comparison: Comparison
        /// Rising.
        var limits: [Double]
        var postings: [Posting]
    }

    private struct TypeIndex: Sendable {
        var texts: [TextColumn] = []
        var numbers: [NumberColumn] = []
    }

    /// By `EventTypeID`.
    private var types: [TypeIndex]
    private var tests: [Test] = []
    /// By `ConditionID`: whether the index finds all its rows.
    private(set) var covers: [Bool]

    /// From how many conditions on a look-up it costs less than asking every row for each.
    static let conditionsMin = 8

    init(
        kernels: [Kernel], types conditionTypes: [[EventTypeID]], typeCount: Int,
        patterns: [Code.Pattern], conditionsMin: Int
    ) {
        covers = Array(repeating: false, count: kernels.count)
        types = Array(repeating: TypeIndex(), count: typeCount)
        let planner = AccessPlanner(patterns: patterns, kernels: kernels)
        let routes = kernels.map { planner.routes($0) }
        var sizes: [AccessPath.Group: Int] = [:]
        for path in routes.compactMap(\.self).joined() { sizes[path.path.group, default: 0] += 1 }
        var builders = Array(repeating: Builder(), count: typeCount)
        for (condition, routes) in routes.enumerated() {
            guard let routes,
                routes.allSatisfy({ sizes[$0.path.group, default: 0] >= conditionsMin })
            else { continue }
            covers[condition] = true
            let whole = add([kernels[condition]], condition)
            for route in routes {
                let posting = add(route.rest, condition)
                for type in conditionTypes[condition] {
                    builders[Int(type.rawValue)].add(route.path, posting, whole: whole)
                }
            }
        }
        types = builders.map { $0.finish() }
    }

    private mutating func add(_ kernels: [Kernel], _ condition: Int) -> Posting {
        let posting = Posting(
            condition: Int32(condition), testStart: Int32(tests.count),
            testCount: Int32(kernels.count))
        for kernel in kernels {
            if case .number(let field, let comparison, let constant) = kernel,
                let number = Numbers.double(constant), number.magnitude < 0x1p53
            {
                tests.append(
                    .number(
                        column: field.column, comparison, number,
                        whenMissing: comparison == .notEqual))
            } else {
                tests.append(.kernel(kernel))
            }
        }
        return posting
    }

    // MARK: - Looking up

    /// Adds the rows of each type for which conditions of the index hold.
    func find(_ pass: Pass, typeBits: [RowBits], into hits: inout ConditionHits) {
        var scratch: [UInt8] = []
        for (index, bits) in zip(types, typeBits) where !bits.isEmpty {
            for column in index.numbers { find(column, pass, bits, &hits) }
            for column in index.texts { find(column, pass, bits, &scratch, &hits) }
        }
    }

    private func find(
        _ column: NumberColumn, _ pass: Pass, _ rows: RowBits, _ hits: inout ConditionHits
    ) {
        pass.events.columns[column.column].withUnsafeBufferPointer { cells in
            rows.forEach { row in
                let number: Double
                switch cells[row].kind {
                case .int: number = Double(Int64(bitPattern: cells[row].bits))
                case .float: number = Double(bitPattern: cells[row].bits)
                default: return
                }
                let places = column.limits.places(comparison: column.comparison, number)
                for place in places { judge(column.postings[place], row, pass, &hits) }
            }
        }
    }

    private func find(
        _ column: TextColumn, _ pass: Pass, _ rows: RowBits, _ scratch: inout [UInt8],
        _ hits: inout ConditionHits
    ) {
        pass.events.columns[column.column].withUnsafeBufferPointer { cells in
            pass.events.bytes.withUnsafeBufferPointer { bytes in
                rows.forEach { row in
                    let cell = cells[row]
                    switch cell.kind {
                    case .text:
                        let text = UnsafeBufferPointer(rebasing: bytes[cell.textRange])
                        guard column.isFolded else {
                            find(text, column, row, pass, &hits)
                            return
                        }
                        CaseFolding.fold(text, into: &scratch)
                        scratch.withUnsafeBufferPointer { find($0, column, row, pass, &hits) }
                    case .json:
                        // What an array or object means depends on the condition.
                        for posting in column.all { judge(posting, row, pass, &hits) }
                    case .missing, .bool, .int, .float:
                        break
                    }
                }
            }
        }
    }

    private func find(
        _ text: UnsafeBufferPointer<UInt8>, _ column: TextColumn, _ row: Int, _ pass: Pass,
        _ hits: inout ConditionHits
    ) {
        if let texts = column.texts, let key = texts.lookup.find(text) {
            judge(texts, key, row, pass, &hits)
        }
        if let literals = column.literals {
            literals.lookup.forEach(in: text) { judge(literals, $0, row, pass, &hits) }
        }
    }

    private func judge<Lookup>(
        _ keyed: Keyed<Lookup>, _ key: Int, _ row: Int, _ pass: Pass, _ hits: inout ConditionHits
    ) {
        for place in Int(keyed.starts[key])..<Int(keyed.starts[key + 1]) {
            judge(keyed.postings[place], row, pass, &hits)
        }
    }

    private func judge(
        _ posting: Posting, _ row: Int, _ pass: Pass, _ hits: inout ConditionHits
    ) {
        // A literal may occur twice.
        if hits.contains(posting.condition, row) { return }
        for place in Int(posting.testStart)..<Int(posting.testStart + posting.testCount) {
            switch tests[place] {
            case .number(let column, let comparison, let number, let whenMissing):
                let cell = pass.events.columns[column][row]
                guard
                    Pass.holds(comparison, cell, number, whenMissing: whenMissing)
                else { return }
            case .kernel(let kernel):
                guard pass.holds(kernel, row) else { return }
            }
        }
        hits.insert(posting.condition, row)
    }

    // MARK: - Building

    /// The postings of one event type while they are gathered.
    private struct Builder {
        private var order: [AccessPath.Group] = []
        private var groups: [AccessPath.Group: [(path: AccessPath, posting: Posting)]] = [:]
        private var wholes: [AccessPath.Group: [Posting]] = [:]

        mutating func add(_ path: AccessPath, _ posting: Posting, whole: Posting) {
            if groups[path.group] == nil { order.append(path.group) }
            groups[path.group, default: []].append((path, posting))
            if wholes[path.group]?.last?.condition != whole.condition {
                wholes[path.group, default: []].append(whole)
            }
        }

        func finish() -> TypeIndex {
            var index = TypeIndex()
            for group in order {
                let paths = groups[group] ?? []
                switch group {
                case .number(let column, let comparison):
                    let sorted = paths.map { (limit($0.path), $0.posting) }.sorted { left, right in
                        (left.0, left.1.condition) < (right.0, right.1.condition)
                    }
                    index.numbers.append(
                        NumberColumn(
                            column: column, comparison: comparison, limits: sorted.map(\.0),
                            postings: sorted.map(\.1)))
                case .text(let column, let isFolded), .literal(let column, let isFolded):
                    var place = index.texts.firstIndex {
                        $0.column == column && $0.isFolded == isFolded
                    }
                    if place == nil {
                        place = index.texts.count
                        index.texts.append(
                            TextColumn(column: column, isFolded: isFolded, all: []))
                    }
                    guard let place else { continue }
                    index.texts[place].all += wholes[group] ?? []
                    if case .text = group {
                        index.texts[place].texts = keyed(paths) { TextLookup($0) }
                    } else {
                        index.texts[place].literals = keyed(paths) { LiteralAutomaton($0) }
                    }
                }
            }
            return index
        }

        private func keyed<Lookup>(
            _ paths: [(path: AccessPath, posting: Posting)], _ make: ([[UInt8]]) -> Lookup
        ) -> Keyed<Lookup> {
            var keys: [[UInt8]] = []
            var numbers: [[UInt8]: Int] = [:]
            var postings: [[Posting]] = []
            for (path, posting) in paths {
                let bytes = self.bytes(path)
                if let number = numbers[bytes] {
                    postings[number].append(posting)
                } else {
                    numbers[bytes] = keys.count
                    keys.append(bytes)
                    postings.append([posting])
                }
            }
            var starts: [Int32] = [0]
            for postings in postings {
                starts.append(starts[starts.count - 1] + Int32(postings.count))
            }
            return Keyed(lookup: make(keys), starts: starts, postings: Array(postings.joined()))
        }

        private func bytes(_ path: AccessPath) -> [UInt8] {
            switch path {
            case .text(_, let bytes, _), .literal(_, let bytes, _): bytes
            case .number: []
            }
        }

        private func limit(_ path: AccessPath) -> Double {
            if case .number(_, _, let bits) = path { return Double(bitPattern: bits) }
            return 0
        }
    }
}

extension [Double] {
    /// Where in a rising row of limits those stand that `number` is so compared with.
    fileprivate func places(comparison: Comparison, _ number: Double) -> Range<Int> {
        switch comparison {
        case .equal: firstPlace { $0 < number }..<firstPlace { $0 <= number }
        case .greater: 0..<firstPlace { $0 < number }
        case .greaterOrEqual: 0..<firstPlace { $0 <= number }
        case .less: firstPlace { $0 <= number }..<count
        case .lessOrEqual: firstPlace { $0 < number }..<count
        case .notEqual: 0..<0
        }
    }

    /// The first place at which the test fails; it holds for all before.
    private func firstPlace(where test: (Double) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if test(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
