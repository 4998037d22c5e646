import RuleModel

/// For each row of a batch the rules that want to see it.
struct Candidates: Sendable {
    /// By row and one more: where its rules begin in `rules`.
    private var starts: [Int32]
    /// Indices into `Program.rules`, rising within a row.
    private var rules: [Int32]
    /// By place: the hash of the row's key for the rule (`KeyReader.hashes`).
    private var keys: [UInt64] = []

    /// A batch without rows of interest.
    static let none = Candidates(rowCount: 0, pairs: [])

    /// - Parameter pairs: Row and rule, in any order, also several times.
    init(rowCount: Int, pairs: [(row: Int32, rule: Int32)]) {
        // Sorted by counting: first how many each row has, then each to its place.
        starts = Array(repeating: 0, count: rowCount + 1)
        for pair in pairs { starts[Int(pair.row) + 1] += 1 }
        for row in 0..<rowCount { starts[row + 1] += starts[row] }
        rules = Array(repeating: 0, count: pairs.count)
        var ends = starts
        for pair in pairs {
            rules[Int(ends[Int(pair.row)])] = pair.rule
            ends[Int(pair.row)] += 1
        }
        var kept = 0
        var begin = 0
        for row in 0..<rowCount {
            let end = Int(starts[row + 1])
            sort(begin, end)
            starts[row] = Int32(kept)
            for place in begin..<end where place == begin || rules[place] != rules[place - 1] {
                // Never behind the place that is read, since no more is kept than was read.
                rules[kept] = rules[place]
                kept += 1
            }
            begin = end
        }
        starts[rowCount] = Int32(kept)
        rules.removeLast(rules.count - kept)
    }

    /// By insertion: conditions come in about the order of their rules, so little is moved.
    private mutating func sort(_ begin: Int, _ end: Int) {
        if end - begin < 2 { return }
        if end - begin > 64 {
            rules[begin..<end].sort()
            return
        }
        for place in (begin + 1)..<end {
            let rule = rules[place]
            var hole = place
            while hole > begin, rules[hole - 1] > rule {
                rules[hole] = rules[hole - 1]
                hole -= 1
            }
            rules[hole] = rule
        }
    }

    /// The same with the keys of the rows.
    func reading(_ events: EventBatch, by reader: KeyReader) -> Candidates {
        var candidates = self
        candidates.keys = reader.hashes(for: self, in: events)
        return candidates
    }

    var rowCount: Int { starts.count - 1 }
    /// How many pairs of a row and a rule there are.
    var count: Int { rules.count }

    /// Whether some rule wants to see the row.
    @inline(__always)
    func contains(_ row: Int) -> Bool { starts[row] != starts[row + 1] }

    /// The places of a row's rules, for `rule(at:)`.
    @inline(__always)
    func places(of row: Int) -> Range<Int> { Int(starts[row])..<Int(starts[row + 1]) }

    @inline(__always)
    func rule(at place: Int) -> Int { Int(rules[place]) }

    /// The hash of the row's key for the rule; 0 without a key and for a rule with several routes.
    @inline(__always)
    func key(at place: Int) -> UInt64 { keys[place] }
}
