import RuleModel

/// What an anomaly cluster says, made ready for its groups.
struct AnomalyRule: Sendable {
    let program: AnomalyProgram
    let grid: BucketGrid
    /// The scores that the condition asks for, each once.
    let scores: [ScoreUse]
    /// The length of a season and of the history looked at, in buckets; 1 and 0 for `last N`.
    let bucketsPerSeason: Int64
    let bucketsBack: Int64
    /// How long a member without events is kept.
    let forgetAfter: TimeSpan
    let memberLimit: Int
    let eventLimit: Int
    /// Replaced as a whole when the list changes.
    var links: MemberLinks?

    init(_ program: AnomalyProgram, code: Code, limits: EngineLimits) {
        self.program = program
        let every = max(program.every, TimeSpan(nanoseconds: 1))
        grid = BucketGrid(size: every, step: every, zone: nil)
        var scores: [ScoreUse] = []
        CodeWalker(code: code).forEach(program.when) { instruction in
            guard let use = ScoreUse(instruction, code: code), !scores.contains(use) else { return }
            scores.append(use)
        }
        // Not in the order of the expression, which the compiler may change.
        self.scores = scores.sorted { $0.rank < $1.rank }
        switch program.baseline {
        case .last:
            bucketsPerSeason = 1
            bucketsBack = 0
        case .seasonal(let season, let over):
            bucketsPerSeason = max(1, season.span.nanoseconds / every.nanoseconds)
            bucketsBack = over.nanoseconds / every.nanoseconds
        }
        forgetAfter = program.baseline.forgetAfter(every: every)
        memberLimit = max(1, limits.membersPerGroup)
        eventLimit = max(1, limits.eventsPerWindow)
    }

    /// Whether the condition asks for a score of a measure: only then are its values kept.
    func isScored(_ measure: Int) -> Bool { scores.contains { $0.measure == measure } }

    /// The number of the bucket that ends at an instant.
    func bucket(endingAt end: Timestamp) -> Int64 {
        (end - program.every).nanoseconds.flooredQuotient(grid.size.nanoseconds)
    }
}

extension ScoreUse {
    private static let functions = ScoreFunction.allCases

    fileprivate init?(_ instruction: Instruction, code: Code) {
        guard instruction.opcode == .score else { return nil }
        function = ScoreUse.functions[Int(instruction.c)]
        measure = Int(instruction.a)
        parameter = nil
        if instruction.b >= 0, case .float(let number) = code.constants[Int(instruction.b)] {
            parameter = number
        }
    }

    fileprivate var rank: (Int, Int, Double) {
        (measure, ScoreUse.functions.firstIndex(of: function) ?? 0, parameter ?? 0)
    }
}

/// Which members are linked to which, by the pairs of a list, in either direction (A6).
struct MemberLinks: Sendable {
    private var neighbours: [Value: Set<Value>] = [:]

    /// - Parameter type: That of the field that names the members.
    init(_ table: ListTable, type: ValueType) {
        for row in table.rows where row.count > 1 {
            let first = Comparisons.entry(row[0], as: type)
            let second = Comparisons.entry(row[1], as: type)
            neighbours[first, default: []].insert(second)
            neighbours[second, default: []].insert(first)
        }
    }

    /// Whether a member is linked to one of others, itself not counted.
    func links(_ member: Value, to others: Set<Value>) -> Bool {
        guard let linked = neighbours[member] else { return false }
        return linked.contains { $0 != member && others.contains($0) }
    }
}
