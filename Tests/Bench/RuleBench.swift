import Foundation
import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

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

/// Five rules over generated events, from the bytes of a file to alerts, beside the bare scan of the
/// same bytes in the same run.
func runReplayBench(events count: Int, shards: Int) throws {
    let lines = makeEvents(count)
    let compilation = compile([SourceText(name: "bench.rules", text: fiveRules)])
    guard let program = compilation.program else {
        print(
            render(
                compilation.diagnostics, sources: compilation.sources, format: .text, colour: false)
        )
        exit(1)
    }
    let path = NSTemporaryDirectory() + "martlet-bench-\(getpid()).ndjson"
    try Data(lines).write(to: URL(fileURLWithPath: path))
    defer { unlink(path) }
    var options = InputOptions()
    options.timeField = FieldPath(["ts"])
    var wall = Double.infinity
    var processor = Double.infinity
    var bare = Double.infinity
    var summary = PipelineSummary()
    let chunks = cut(lines, bytes: 256 << 10)
    for _ in 0..<5 {
        bare = min(bare, cpuSeconds { _ = scan(chunks) })
        let pipeline = Pipeline(
            program: program,
            inputs: [
                PipelineInput(
                    name: path, source: makeSource(.files([path]), options: options),
                    options: options)
            ], mode: .replay, shardCount: shards, environment: EngineEnvironment(), lists: nil)
        let clock = ContinuousClock()
        let before = processSeconds()
        let elapsed = clock.measure {
            summary = pipeline.run(shouldStop: { false }) { _, _, _ in }
        }
        processor = min(processor, processSeconds() - before)
        wall = min(
            wall, Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        )
    }
    print(
        """
        replay   \(program.rules.count) rules, \(summary.input.events) events of \(lines.count / count) bytes, \
        \(summary.alerts.sent) alerts, \(shards) shard\(shards == 1 ? "" : "s")
        """)
    show("on core", processor, lines.count, count)
    show("wall", wall, lines.count, count)
    show("bare scan", bare, lines.count, count)
    print(
        "ratio     \(String(format: "%.2f", bare / processor)) of the bare scan, on processor time")
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    print(
        "peak      \(usage.ru_maxrss / 1024) MiB (with the \(lines.count >> 20) MiB of events in memory)"
    )
}

private let fiveRules = """
    event login { user: text  status: number  latency_ms: number  geo.country: text }
    event order { user: text  status: number  latency_ms: number  geo.country: text }

    rule server_errors {
      sequence { hit: order where status >= 498 }
      alert "status {hit.status} for {hit.user}"
      suppress by hit.status for 1m
    }
    rule guessing {
      sequence by user within 5m {
        at least 2 fails: login where status == 401
        then success: login where status == 200
      }
      alert "{fails.count} failures of {user}"
    }
    rule country_errors {
      threshold by geo.country {
        over login where status == 403
        window 1m sliding
        measure errors = count
        when errors >= 1000
      }
      alert "{errors} in a minute from {geo.country}"
    }
    rule latency {
      threshold by geo.country {
        over order
        window 1m tumbling
        measure average = avg(latency_ms)
        measure p95 = percentile(95, latency_ms)
        when p95 > 990 and average > 500
      }
      alert "p95 {p95}"
    }
    rule rising {
      sequence by user within 10m {
        a: order where status == 200
        then b: order where b.latency_ms > a.latency_ms and status == 200
        then c: order where c.latency_ms > b.latency_ms and status == 200
      }
      alert "{user} {a.latency_ms} {b.latency_ms} {c.latency_ms}"
    }
    """

private func processSeconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
}
