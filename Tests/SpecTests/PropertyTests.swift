import Foundation
import RuleSyntax
import TestKit
import Testing

@testable import RuleCompiler

/// Random rules over random streams. `CASES=n` tries n cases under each law, `SEED=n` begins with
/// another one, `LAWS=reference,shards` tries
/// these only, `FAILURES=n` goes on until n cases have failed. A failure prints the smallest case
/// that fails and the seed that led to it.
@Suite("Properties", .serialized) struct PropertyTests {
    @Test("sequences", arguments: Law.allCases)
    func sequences(_ law: Law) { hold(law, .sequence) }

    @Test("thresholds", arguments: Law.allCases)
    func thresholds(_ law: Law) { hold(law, .threshold) }

    // These kinds are never judged on arrival.
    private static let inOrder = Law.allCases.filter { $0 != .early }

    @Test("correlations", arguments: inOrder)
    func correlations(_ law: Law) { hold(law, .correlation) }

    @Test("metrics", arguments: inOrder)
    func metrics(_ law: Law) { hold(law, .metric) }

    @Test("anomaly clusters", arguments: inOrder)
    func anomalies(_ law: Law) { hold(law, .anomaly) }

    @Test("conditions on one event", arguments: [Law.reference, .batches, .passes])
    func conditions(_ law: Law) { hold(law, .condition) }

    private func hold(_ law: Law, _ kind: Generator.Kind) {
        let environment = ProcessInfo.processInfo.environment
        if let only = environment["LAWS"], !only.contains("\(law)") { return }
        let first = environment["SEED"].flatMap { UInt64($0) } ?? 1
        let count = environment["CASES"].flatMap { UInt64($0) }
        let most: UInt64 = law == .reference ? 1000 : 250
        let started = Date()
        let seconds = law == .reference ? 4.0 : 0.8
        var tried = 0
        var refused: [String: Int] = [:]
        var matching = 0
        var patience = environment["FAILURES"].flatMap { Int($0) } ?? 1
        for seed in first..<first + (count ?? most) {
            // A slow machine tries fewer, unless a number was asked for.
            if count == nil, Date().timeIntervalSince(started) > seconds { break }
            var generator = Generator(seed: seed)
            let sample = generator.makeCase(kind)
            tried += 1
            switch sample.verdict(under: law, unoptimised: unoptimised) {
            case .agreed(let matches): matching += matches > 0 ? 1 : 0
            case .refused(let messages): refused[messages.first ?? "no plan", default: 0] += 1
            case .differed:
                let small = sample.shrunk {
                    $0.verdict(under: law, unoptimised: unoptimised).isFailure
                }
                guard
                    case .differed(let expected, let found) = small.verdict(
                        under: law, unoptimised: unoptimised)
                else {
                    continue
                }
                Issue.record(
                    """
                    \(law.rawValue) (SEED=\(seed) CASES=1)
                    \(small)
                    expected:
                      \(expected.joined(separator: "\n  "))
                    found:
                      \(found.joined(separator: "\n  "))
                    """)
                patience -= 1
                if patience <= 0 { return }
            }
        }
        let refusals = refused.values.reduce(0, +)
        print("\(kind), \(law): \(tried) cases, \(matching) with matches, \(refusals) refused")
        for (message, count) in refused.sorted(by: { $0.key < $1.key }) {
            print("  refused \(count) times: \(message)")
        }
        // A generator of nonsense would agree with everything.
        #expect(refusals * 5 <= tried, "too many rules are refused: \(refused)")
        // Of random rules only sequences are told early; the others have tests of their own (`EarlyTests`).
        let share = law == .early ? 30 : 8
        if law == .early, kind != .sequence { return }
        #expect(tried < 50 || matching * share >= tried, "too few cases have matches: \(matching)")
    }
}

/// The rules of a file, compiled without the passes that simplify plans, and the one that counts: the
/// metric, or else the only rule.
private func unoptimised(_ source: SourceText) -> UnoptimisedRule? {
    let options = CompileOptions()
    let checked = check(loadRuleSet([source], options: options), options: options)
    guard let plan = checked.plans.first(where: \.isMetric) ?? checked.plans.first else {
        return nil
    }
    let ready = checked.plans.map { bounded($0, tables: checked.tables, engine: EnginePlan()) }
    return UnoptimisedRule(plan: plan, program: emit(ready, tables: checked.tables))
}
