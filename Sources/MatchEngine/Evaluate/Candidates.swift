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

    /// - Parameter pairs: Row and rule, in any order, also several times; every row is in
    ///   `0 ..< rowCount`.
    init(rowCount: Int, pairs: [(row: Int32, rule: Int32)]) {
        // Sorted by counting: first how many each row has, then each to its place. No index is out of
        // bounds: the counts add up to the number of pairs.
        var starts = Array(repeating: Int32(0), count: rowCount + 1)
        rules = Array(unsafeUninitializedCapacity: pairs.count) { rules, kept in
            starts.withUnsafeMutableBufferPointer { ends in
                pairs.withUnsafeBufferPointer { pairs in
                    for pair in pairs {
                        precondition(pair.row < rowCount, "a row of the batch")
                        ends[Int(pair.row) + 1] += 1
                    }
                    for row in 0..<rowCount { ends[row + 1] += ends[row] }
                    for pair in pairs {
                        rules[Int(ends[Int(pair.row)])] = pair.rule
                        ends[Int(pair.row)] += 1
                    }
                }
                var begin = 0
                for row in 0..<rowCount {
                    let end = Int(ends[row])
                    ends[row] = Int32(kept)
                    if end - begin == 1 {
                        rules[kept] = rules[begin]
                        kept += 1
                    } else if begin < end {
                        var row = UnsafeMutableBufferPointer(rebasing: rules[begin..<end])
                        Candidates.sort(&row)
                        // Never behind the place that is read, since no more is kept than was read.
                        for place in row.indices where place == 0 || row[place] != row[place - 1] {
                            rules[kept] = row[place]
                            kept += 1
                        }
                    }
                    begin = end
                }
                ends[rowCount] = Int32(kept)
            }
        }
        self.starts = starts
    }

    /// By insertion: conditions come in about the order of their rules, so little is moved.
    private static func sort(_ rules: inout UnsafeMutableBufferPointer<Int32>) {
        if rules.count > 64 {
            rules.sort()
            return
        }
        for place in 1..<rules.count {
            let rule = rules[place]
            var hole = place
            while hole > 0, rules[hole - 1] > rule {
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
