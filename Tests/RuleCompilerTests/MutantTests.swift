import RuleModel
import RuleSyntax
import Testing

@testable import RuleCompiler

@Suite("Mutants") struct MutantTests {
    private func changes(_ rule: String) throws -> [String] {
        let compilation = compile([
            SourceText(
                name: "m.rules",
                text: "event a { k: text  n: number  u: text }\nevent b { k: text  n: number }\n"
                    + rule
            )
        ])
        try #require(!compilation.hasErrors, "\(compilation.diagnostics.map(\.message))")
        return mutants(of: RuleID(0), needed: [RuleID(0)], in: compilation).map {
            $0.before.isEmpty ? "+ \($0.after)" : "\($0.before)  ->  \($0.after)"
        }
    }

    @Test("limits, operators, quantities and spans of a sequence are changed one at a time")
    func sequence() throws {
        let found = try changes(
            """
            rule r {
              sequence by k within 10m {
                at least 3 x: a where u == "v" and n >= 5
                without w: b where n == 1
                then y: b where y.n > x.last.n within 1m
              }
              alert "x"
              suppress by k for 1h
            }
            """)
        for wanted in [
            "within 10m  ->  within 5m", "within 10m  ->  within 20m",
            #"where u == "v" and n >= 5  ->  where n >= 5"#,
            #"where u == "v" and n >= 5  ->  where u == "v""#,
            #"where u == "v" and n >= 5  ->  where u != "v" and n >= 5"#,
            #"where u == "v" and n >= 5  ->  where u == "v" and n > 5"#,
            #"where u == "v" and n >= 5  ->  where u == "v" and n >= 4"#,
            #"where u == "v" and n >= 5  ->  where u == "v" and n >= 6"#,
            "where n == 1  ->  where n != 1",
            "and per run n > x.last.n  ->  and per run n >= x.last.n",
            "suppress by k for 1h  ->  suppress by k for 30m",
            "suppress by k for 1h  ->  left out",
        ] {
            #expect(found.contains(wanted), "\(wanted) is not in \(found)")
        }
        #expect(found.contains { $0.contains("at least 3") && $0.hasSuffix("at least 2") })
        #expect(found.contains { $0.contains("at least 3") && $0.hasSuffix("at least 4") })
        #expect(Set(found).count == found.count)
    }

    @Test("a rule without a limit is not made, and what means the same is none")
    func sound() throws {
        let found = try changes(
            """
            rule r {
              threshold by k {
                over a where n > 0.5
                window 5m sliding
                measure c = count
                when c >= 3 for 1m
                resolve when c < 1
              }
              alert "x"
            }
            """)
        #expect(found.contains("where n > 0.5  ->  where n > 0.25"))
        // A decimal is hardly ever met exactly.
        #expect(!found.contains("where n > 0.5  ->  where n >= 0.5"))
        #expect(found.contains("window 5m sliding  ->  window 10m sliding"))
        #expect(found.contains { $0.hasPrefix("when c >= 3 for 1m  ->  when c > 3") })
        #expect(found.contains { $0.hasSuffix("when c >= 3 for 30s") })
        #expect(found.contains("resolve when c < 1  ->  resolve when c <= 1"))
        #expect(found.contains("resolve when c < 1  ->  resolve when not so"))
    }

    @Test("correlations and clusters have their own")
    func otherKinds() throws {
        let correlation = try changes(
            """
            rule r {
              correlation by k within 5m {
                x: a
                y: b where n > 3
                order x, y
              }
              alert "x"
            }
            """)
        #expect(correlation.contains("within 5m  ->  within 10m"))
        #expect(correlation.contains("order x, y  ->  left out"))
        let cluster = try changes(
            """
            rule r {
              anomaly_cluster {
                measure c = count of a every 1m by u
                baseline last 10
                at least 5 values
                anomalous when robust_z(c) > 4
                cluster when at least 2 u within 5m
              }
              alert "x"
            }
            """)
        #expect(cluster.contains { $0.contains("> 4") && $0.contains("> 8") })
        #expect(cluster.contains { $0.contains("at least 2 u") && $0.contains("at least 3 u") })
    }
}
