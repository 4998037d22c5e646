import Dispatch
import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime
import Synchronization

/// Which small mistakes in the rules no test notices.
struct MutationReport {
    struct Rule {
        var name: String
        var place: String
        var total = 0
        var survivors: [Mutant] = []
        var isTested = true
    }

    private(set) var rules: [Rule] = []

    /// Runs the tests of each rule on its mutants; a mutant is noticed when one of them fails.
    ///
    /// - Parameter tests: Those that pass on the rules as they are.
    init(_ tests: [TestPlan], of compilation: Compilation, lists: [ListID: ListTable]) {
        let byRule = Dictionary(grouping: tests, by: \.rule)
        let plans = compilation.plans.filter { plan in
            !plan.isMetric && plan.metadata.isEnabled && byRule[plan.id] != nil
        }
        let found = Mutex<[Int: Rule]>([:])
        DispatchQueue.concurrentPerform(iterations: plans.count) { index in
            let plan = plans[index]
            let range = compilation.origins[plan.origin.rawValue]
            let source = compilation.sources[Int(range.source.rawValue)]
            var rule = Rule(
                name: plan.name,
                place: "\(source.name):\(source.position(at: range.start).line)")
            let needed = withSources([plan.id], in: compilation.plans)
            for mutant in mutants(of: plan.id, needed: needed, in: compilation) {
                rule.total += 1
                let isNoticed = (byRule[plan.id] ?? []).contains { test in
                    !runTest(test, of: compilation, lists: lists, mutated: mutant.program)
                        .failures.isEmpty
                }
                if !isNoticed { rule.survivors.append(mutant) }
            }
            found.withLock { $0[index] = rule }
        }
        rules = found.withLock { found in found.sorted { $0.key < $1.key }.map(\.value) }
    }

    var total: Int { rules.reduce(0) { $0 + $1.total } }
    var killed: Int { rules.reduce(0) { $0 + $1.total - $1.survivors.count } }
    var percent: Double { total == 0 ? 100 : Double(killed) * 100 / Double(total) }

    var text: String {
        var lines: [String] = []
        for rule in rules where !rule.survivors.isEmpty {
            lines.append(
                "\(rule.name)   \(rule.total - rule.survivors.count) of \(rule.total) mutants noticed   \(rule.place)"
            )
            for mutant in rule.survivors { lines.append("    unnoticed: \(mutant.words)") }
        }
        return lines.joined(separator: "\n")
    }

    var summary: String {
        "\(grouped(killed)) of \(grouped(total)) mutants noticed (\(percentText(percent)))"
    }

    var json: JSONDocument {
        .object([
            ("mutants", .number(total)), ("noticed", .number(killed)),
            (
                "rules",
                .array(
                    rules.map { rule in
                        .object([
                            ("rule", .text(rule.name)), ("mutants", .number(rule.total)),
                            ("unnoticed", .array(rule.survivors.map { .text($0.words) })),
                        ])
                    })
            ),
        ])
    }
}

extension Mutant {
    /// `when failures >= 10  ->  when failures > 10`
    var words: String {
        before.isEmpty ? "added: \(after)" : "\(before)  ->  \(after)"
    }
}

/// `91.8 %`
func percentText(_ percent: Double) -> String {
    // Rounded down, so that 100 % means all.
    let tenths = Int(percent * 10)
    return "\(tenths / 10).\(tenths % 10) %"
}
