/// For each condition the rows of a batch that satisfy it; nothing is kept for those without any.
struct ConditionHits: Sendable {
    /// By condition: its place among those with rows, or -1.
    private var places: [Int32]
    /// `wordCount` words for each place; row `r` is bit `r % 64` of word `r / 64`.
    private var words: [UInt64] = []
    private let wordCount: Int
    /// The conditions with rows, in the order in which the first row was found.
    private(set) var found: [Int32] = []

    init(conditions: Int, words: Int) {
        places = Array(repeating: -1, count: conditions)
        wordCount = words
    }

    /// False for a condition that the batch knows nothing of.
    @inline(__always)
    func contains(_ condition: Int32, _ row: Int) -> Bool {
        let place = Int(places[Int(condition)])
        return place >= 0 && words[place * wordCount + row / 64] >> UInt64(row % 64) & 1 == 1
    }

    mutating func insert(_ condition: Int32, _ row: Int) {
        words[start(condition) + row / 64] |= 1 << UInt64(row % 64)
    }

    /// Adds rows; an empty set takes no room.
    mutating func insert(_ condition: Int32, _ rows: RowBits) {
        if rows.isEmpty { return }
        let start = start(condition)
        for word in rows.words.indices { words[start + word] |= rows.words[word] }
    }

    /// The rows of a condition that stand in `rows` too, in rising order.
    @inline(__always)
    func forEach(_ condition: Int32, in rows: RowBits, _ body: (Int) -> Void) {
        let place = Int(places[Int(condition)])
        if place < 0 { return }
        for word in 0..<wordCount {
            var rest = words[place * wordCount + word] & rows.words[word]
            while rest != 0 {
                body(word * 64 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
    }

    private mutating func start(_ condition: Int32) -> Int {
        if places[Int(condition)] < 0 {
            places[Int(condition)] = Int32(found.count)
            found.append(condition)
            words.append(contentsOf: repeatElement(0, count: wordCount))
        }
        return Int(places[Int(condition)]) * wordCount
    }
}
