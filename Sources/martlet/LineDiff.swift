/// The lines that two texts differ in, in the unified form that `diff -u` prints, with three lines
/// of context; empty when they are equal.
///
/// - SeeAlso: Hunt, McIlroy, "An Algorithm for Differential File Comparison", 1976; here the plain
///   longest common subsequence after equal ends are cut off, O(changed lines squared).
func unifiedDiff(old: String, new: String, name: String, change: String = "formatted") -> String {
    let before = old.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let after = new.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var head = 0
    while head < min(before.count, after.count), before[head] == after[head] { head += 1 }
    var tail = 0
    while tail < min(before.count, after.count) - head,
        before[before.count - 1 - tail] == after[after.count - 1 - tail]
    {
        tail += 1
    }
    let script = editScript(
        Array(before[head..<before.count - tail]), Array(after[head..<after.count - tail]))
    guard !script.isEmpty else { return "" }
    var lines: [(mark: Character, text: String)] = before[..<head].map { (" ", $0) }
    lines += script
    lines += before[(before.count - tail)...].map { (" ", $0) }

    var text = "--- \(name)\n+++ \(name) (\(change))\n"
    var index = 0
    var oldLine = 1
    var newLine = 1
    let context = 3
    while let change = lines[index...].firstIndex(where: { $0.mark != " " }) {
        let start = max(index, change - context)
        oldLine += start - index
        newLine += start - index
        var end = change
        var quiet = 0
        while end < lines.count, quiet <= 2 * context {
            quiet = lines[end].mark == " " ? quiet + 1 : 0
            end += 1
        }
        end -= max(0, quiet - context)
        let hunk = lines[start..<end]
        let oldCount = hunk.count { $0.mark != "+" }
        let newCount = hunk.count { $0.mark != "-" }
        text += "@@ -\(oldLine),\(oldCount) +\(newLine),\(newCount) @@\n"
        for line in hunk { text += "\(line.mark)\(line.text)\n" }
        oldLine += oldCount
        newLine += newCount
        index = end
    }
    return text
}

/// The lines that differ, each `old -> new` where one took the place of another.
func changedLines(old: String, new: String) -> [String] {
    func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map { line in
            String(line.drop { $0 == " " })
        }
    }
    var changes: [String] = []
    var removed: [String] = []
    for (mark, text) in editScript(lines(old), lines(new)) {
        switch mark {
        case "-": removed.append(text)
        case "+":
            changes.append(
                removed.isEmpty ? "+ \(text)" : "\(removed.removeFirst())  ->  \(text)")
        default:
            changes += removed.map { "- \($0)" }
            removed = []
        }
    }
    return changes + removed.map { "- \($0)" }
}

private func editScript(_ old: [String], _ new: [String]) -> [(mark: Character, text: String)] {
    // lengths[i][j]: the longest common subsequence of old[i...] and new[j...].
    var lengths = [[Int]](
        repeating: [Int](repeating: 0, count: new.count + 1), count: old.count + 1)
    for i in old.indices.reversed() {
        for j in new.indices.reversed() {
            lengths[i][j] =
                old[i] == new[j]
                ? lengths[i + 1][j + 1] + 1 : max(lengths[i + 1][j], lengths[i][j + 1])
        }
    }
    var script: [(mark: Character, text: String)] = []
    var i = 0
    var j = 0
    while i < old.count || j < new.count {
        if i < old.count, j < new.count, old[i] == new[j] {
            script.append((" ", old[i]))
            i += 1
            j += 1
        } else if i < old.count, j == new.count || lengths[i + 1][j] >= lengths[i][j + 1] {
            script.append(("-", old[i]))
            i += 1
        } else {
            script.append(("+", new[j]))
            j += 1
        }
    }
    return script
}
