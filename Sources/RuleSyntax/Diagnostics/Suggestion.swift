/// The candidate that a misspelled word most likely means; nil if none is near enough.
///
/// In this order: one that is equal but for upper and lower case; the closest by edits, if no more
/// than a third of the word's letters (at least one) has to change, ties going to the first. An
/// edit is a letter put in, left out or exchanged, or two neighbours swapped.
///
/// - Complexity: O(*n* · *l*²) for *n* candidates of length *l*.
/// - SeeAlso: Damerau, "A technique for computer detection and correction of spelling errors", 1964.
public func suggest(_ word: String, among candidates: [String]) -> String? {
    guard !word.isEmpty else { return nil }
    let lower = word.lowercased()
    if let match = candidates.first(where: { $0.lowercased() == lower }) { return match }
    let letters = Array(word.unicodeScalars)
    let limit = max(1, letters.count / 3)
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
        let others = Array(candidate.unicodeScalars)
        guard abs(others.count - letters.count) <= limit else { continue }
        let distance = editDistance(letters, others)
        // One edit turns any word of one letter into any other: that is no likeness.
        guard distance <= limit, distance < max(letters.count, others.count) else { continue }
        if distance < best?.distance ?? Int.max { best = (candidate, distance) }
    }
    return best?.candidate
}

/// What a message says about a name that does not exist: the likely one, or else all there are if
/// they are few.
///
/// - Parameters:
///   - kind: What the candidates are, in the singular: "field".
///   - candidates: In order of declaration.
public func suggestionHelp(
    for word: String, at range: SourceRange, kind: String, among candidates: [String]
) -> [Help] {
    if let only = candidates.first, candidates.count == 1 {
        return [Help("the only \(kind) is `\(only)`", fix: .replace(range, with: only))]
    }
    if let match = suggest(word, among: candidates) {
        return [
            Help(
                "there is a \(kind) with a similar name: `\(match)`",
                fix: .replace(range, with: match))
        ]
    }
    guard !candidates.isEmpty, candidates.count <= 8 else { return [] }
    let list = candidates.map { "`\($0)`" }.joined(separator: ", ")
    return [Help("the \(kind)s are \(list)")]
}

/// The number of edits between two words, counting a swap of neighbours as one.
private func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var row = [i + 1]
        row.reserveCapacity(right.count + 1)
        for (j, b) in right.enumerated() {
            var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a == b ? 0 : 1))
            if i > 0, j > 0, a == right[j - 1], left[i - 1] == b {
                cost = min(cost, beforeLast[j - 1] + 1)
            }
            row.append(cost)
        }
        beforeLast = last
        last = row
    }
    return last[right.count]
}
