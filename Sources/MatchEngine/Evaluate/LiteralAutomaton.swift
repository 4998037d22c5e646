/// Finds all occurrences of many literals in one pass over a text, whatever their number.
///
/// A deterministic automaton with a row for each prefix of a literal. Bytes that no literal contains
/// share one class, which keeps the rows short.
/// - SeeAlso: Aho, Corasick, "Efficient String Matching: An Aid to Bibliographic Search", CACM 18(6),
///   1975, sections 3 and 6.
struct LiteralAutomaton: Sendable {
    /// The class of each byte.
    private var classes: [UInt8]
    private var classCount: Int
    /// The place of the next state's row by state and class; the highest bit says that a literal
    /// ends there.
    private var next: [UInt32]
    /// By state: the literals that end there, as a range of `endings`.
    private var starts: [Int32]
    private var endings: [Int32] = []

    private static let endFlag: UInt32 = 1 << 31

    /// - Precondition: no literal is empty.
    init(_ literals: [[UInt8]]) {
        classes = Array(repeating: 0, count: 256)
        var count = 1
        for byte in literals.joined() where classes[Int(byte)] == 0 && count < 256 {
            classes[Int(byte)] = UInt8(count)
            count += 1
        }
        classCount = count
        // The tree of prefixes; 0 is the root, and no edge leads there.
        var edges: [Int32] = Array(repeating: 0, count: count)
        var found: [[Int32]] = [[]]
        for (index, literal) in literals.enumerated() {
            var state = 0
            for byte in literal {
                let place = state * count + Int(classes[Int(byte)])
                if edges[place] == 0 {
                    edges[place] = Int32(found.count)
                    edges.append(contentsOf: repeatElement(0, count: count))
                    found.append([])
                }
                state = Int(edges[place])
            }
            found[state].append(Int32(index))
        }
        // By breadth: the failure of a state is the longest proper suffix that is a prefix too.
        var failures = Array(repeating: 0, count: found.count)
        var order: [Int] = [0]
        var reached = 0
        while reached < order.count {
            let state = order[reached]
            reached += 1
            for sign in 0..<count {
                let place = state * count + sign
                let fallback = state == 0 ? 0 : Int(edges[failures[state] * count + sign])
                if edges[place] != 0 {
                    let target = Int(edges[place])
                    failures[target] = fallback
                    found[target] += found[fallback]
                    order.append(target)
                } else {
                    edges[place] = Int32(fallback)
                }
            }
        }
        next = edges.map { state in
            UInt32(Int(state) * count) | (found[Int(state)].isEmpty ? 0 : LiteralAutomaton.endFlag)
        }
        starts = [0]
        for literals in found {
            endings += literals
            starts.append(Int32(endings.count))
        }
    }

    /// Calls `body` with the index of each literal, once for each place at which it ends.
    @inline(__always)
    func forEach(in text: UnsafeBufferPointer<UInt8>, _ body: (Int) -> Void) {
        // Every state that `next` holds has a row there, and every class is below `classCount`.
        classes.withUnsafeBufferPointer { classes in
            next.withUnsafeBufferPointer { next in
                var row = 0
                for byte in text {
                    let entry = next[row + Int(classes[Int(byte)])]
                    row = Int(entry & ~LiteralAutomaton.endFlag)
                    if entry & LiteralAutomaton.endFlag == 0 { continue }
                    let state = row / classCount
                    for place in Int(starts[state])..<Int(starts[state + 1]) {
                        body(Int(endings[place]))
                    }
                }
            }
        }
    }
}
