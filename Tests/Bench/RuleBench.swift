import Foundation
import RuleCompiler
import RuleModel
import RuleSyntax

/// Compiles 1,000 generated rules of the usual kinds in ten files; the bar is 100 ms.
func runCheckBench(rules count: Int) {
    let files = (0..<10).map { file in
        SourceText(
            name: "generated-\(file).rules",
            text: (0..<count / 10).map { generatedRule(file * (count / 10) + $0) }.joined(
                separator: "\n")
                + (file == 0 ? "\n" + generatedSchema : ""))
    }
    var best = Double.infinity
    var compilation = compile(files)
    for _ in 0..<7 { best = min(best, cpuSeconds { compilation = compile(files) }) }
    let lines = files.reduce(0) { $0 + $1.lineStarts.count }
    print(
        "check    \(count) rules, \(lines) lines: \(String(format: "%.1f", best * 1000)) ms, "
            + "\(compilation.plans.count) good, \(compilation.diagnostics.count) diagnostics, "
            + "\(compilation.program?.eventConditions.count ?? 0) conditions on single events")
}

private let generatedSchema = """
    event auth.login { user: text  src_ip: ip  host: text  outcome: "success" | "failure"  port: number }
    event web.request { service: text  path: text  status: number  duration_ms: number  user: text? }

    """

private func generatedRule(_ index: Int) -> String {
    switch index % 3 {
    case 0:
        """
        rule guess_\(index) {
          severity high
          sequence by src_ip, host within \(1 + index % 50)m {
            at least \(2 + index % 7) fails: auth.login where outcome == "failure" and port > \(index)
            then success: auth.login where outcome == "success" and user in fails.user
          }
          alert "{fails.count} failed logins on {host}, then {success.user}"
        }
        """
    case 1:
        """
        rule slow_\(index) {
          threshold by service {
            over web.request where path starts with "/api/\(index % 100)"
            window 5m sliding
            measure p95 = percentile(95, duration_ms)
            measure total = count
            when p95 > \(100 + index) for 2m at least 20 events
          }
          alert "{service}: p95 {p95} ms of {total} requests"
        }
        """
    default:
        """
        rule probe_\(index) {
          sequence by user within 10m {
            first: web.request where status in [401, 403] and path like "/admin/*\(index % 40)"
            then again: web.request where status == 200 and again.path == first.path
          }
          alert "{user} got into {first.path}"
          suppress by user for 1h
        }
        """
    }
}
