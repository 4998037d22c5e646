import RuleSyntax
import StreamRuntime

/// `martlet new`: a rule to begin with, with its events and two tests.
let newCommand = CommandSpec(
    name: "new", summary: "print a rule of a kind to begin with, with events and tests",
    positionals: "KIND [NAME]",
    options: [
        OptionSpec("output", short: "o", value: "FILE", "write it into a new file instead")
    ],
    notes: [
        """
        KIND is one of: \(RuleTemplate.all.map(\.kind).joined(separator: ", ")).
        What is printed compiles, its tests pass, and it is formatted: change it step by step, and run
        `martlet test FILE --watch` beside it.

        """
            + RuleTemplate.all.map { "  \($0.kind): \($0.summary)" }.joined(separator: "\n")
    ],
    examples: [
        "martlet new sequence brute_force -o rules/brute_force.rules", "martlet new threshold",
    ]
) { arguments throws(Failure) in
    let console = Console(arguments)
    guard let kind = arguments.positionals.first else {
        throw Failure(
            .badUsage, "`new` needs a kind of rule",
            help: "it is one of \(RuleTemplate.all.map { "`\($0.kind)`" }.joined(separator: ", "))")
    }
    guard let template = RuleTemplate.all.first(where: { $0.kind == kind }) else {
        throw Failure(
            .badUsage, "there is no kind `\(kind)`",
            help: suggest(kind, among: RuleTemplate.all.map(\.kind)).map {
                "there is a kind with a similar name: `\($0)`"
            } ?? "it is one of \(RuleTemplate.all.map { "`\($0.kind)`" }.joined(separator: ", "))")
    }
    guard arguments.positionals.count <= 2 else {
        throw Failure(.badUsage, "`new` takes a kind and a name, and got more")
    }
    var text = template.text
    if arguments.positionals.count == 2 {
        let name = arguments.positionals[1]
        let isName =
            name.utf8.first.map { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
            && name.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
        guard isName else {
            throw Failure(
                .badUsage, "`\(name)` cannot be the name of a rule",
                help: "a name has letters, digits and `_`, and begins with none of the digits")
        }
        text = text.replacing(template.name, with: name)
    }
    guard let path = arguments.value("output") else {
        writeAll(1, Array(text.utf8))
        return .fine
    }
    guard fileKind(path) == .absent else {
        throw Failure(.failed, "`\(path)` is there already, so nothing was written")
    }
    try replaceFile(path, with: Array(text.utf8))
    console.note("wrote \(path); try next: martlet test \(path) --watch")
    return .fine
}

/// A rule to begin with.
struct RuleTemplate {
    var kind: String
    var summary: String
    /// The rule's name in the text.
    var name: String
    var text: String

    static let all = [
        RuleTemplate(
            kind: "sequence", summary: "events in order, within a time", name: "guessed_then_in",
            text: """
                event login {
                  user: text
                  src_ip: ip
                  result: "ok" | "fail"
                }

                rule guessed_then_in {
                  title "A login after many failures"
                  severity high

                  sequence by user within 5m {
                    at least 3 failed: login where result == "fail"
                    then success: login where result == "ok"
                  }

                  alert "{user} got in from {success.src_ip} after {failed.count} failures"
                  suppress by user for 1h
                }

                test "three failures, then a success" for guessed_then_in {
                  at 0s login { user: "ann", src_ip: "198.51.100.7", result: "fail" } repeat 3 every 1s
                  at 5m login { user: "ann", src_ip: "198.51.100.7", result: "ok" }
                  expect alert at 5m with failed.count == 3
                  expect nothing else
                }

                test "two failures, another user, or a second too late, are silent" for guessed_then_in {
                  at 0s login { user: "ann", src_ip: "198.51.100.7", result: "fail" } repeat 2 every 1s
                  at 3s login { user: "ben", src_ip: "198.51.100.7", result: "fail" }
                  at 4s login { user: "ann", src_ip: "198.51.100.7", result: "ok" }
                  at 1h login { user: "cid", src_ip: "198.51.100.7", result: "fail" } repeat 3 every 1s
                  at 3903s login { user: "cid", src_ip: "198.51.100.7", result: "ok" }
                  expect nothing
                }

                """),
        RuleTemplate(
            kind: "absence", summary: "something that should follow and does not",
            name: "order_not_paid",
            text: """
                event order_placed {
                  order: text
                  amount: number
                }

                event order_paid {
                  order: text
                }

                rule order_not_paid {
                  title "An order was not paid in time"
                  severity medium

                  sequence by order restart on repeat {
                    placed: order_placed
                    then no paid: order_paid within 2h
                  }

                  alert "Order {order} of {placed.amount} was not paid within two hours"
                }

                test "two hours without a payment" for order_not_paid {
                  at 0s order_placed { order: "7", amount: 20 }
                  advance to 3h
                  expect alert at 2h with order == "7"
                  expect nothing else
                }

                test "paid on the last second is silent" for order_not_paid {
                  at 0s order_placed { order: "7", amount: 20 }
                  at 2h order_paid { order: "7" }
                  advance to 3h
                  expect nothing
                }

                """),
        RuleTemplate(
            kind: "threshold", summary: "a count, sum or rate over a window passes a limit",
            name: "many_errors",
            text: """
                event request {
                  service: text
                  status: number
                }

                rule many_errors {
                  title "Requests of a service fail"
                  severity high

                  threshold by service {
                    over request
                    window 1m sliding
                    measure errors = count where status >= 500
                    measure total = count
                    when errors / total > 5% at least 20 events
                    resolve when errors / total < 1% for 1m
                  }

                  alert "{service}: {errors} of {total} requests failed in a minute"
                }

                test "one request of ten fails" for many_errors {
                  at 0s request { service: "pay", status: 200 } repeat 18 every 1s
                  at 18s request { service: "pay", status: 500 } repeat 2 every 1s
                  expect alert at 19s with errors == 2, total == 20
                  expect nothing else
                }

                test "one request of twenty-five, or few requests, are silent" for many_errors {
                  at 0s request { service: "pay", status: 200 } repeat 24 every 1s
                  at 24s request { service: "pay", status: 500 }
                  at 0s request { service: "mail", status: 500 } repeat 19 every 1s
                  expect nothing
                }

                """),
        RuleTemplate(
            kind: "correlation", summary: "different things that come together, in any order",
            name: "scan_and_login",
            text: """
                event port_scan {
                  src_ip: ip
                  ports: number
                }

                event login_failed {
                  src_ip: ip
                  user: text
                }

                rule scan_and_login {
                  title "An address scans ports and tries logins"
                  severity medium

                  correlation by src_ip within 10m {
                    scan: port_scan where ports >= 100
                    login: login_failed
                  }

                  alert "{src_ip} scanned {scan.ports} ports and tried to log in as {login.user}"
                }

                test "within ten minutes, in any order" for scan_and_login {
                  at 0s login_failed { src_ip: "198.51.100.7", user: "root" }
                  at 10m port_scan { src_ip: "198.51.100.7", ports: 100 }
                  expect alert at 10m with login.user == "root"
                  expect resolve at 10m
                  expect nothing else
                }

                test "a small scan, another address, or a second too late, are silent" for scan_and_login {
                  at 0s login_failed { src_ip: "198.51.100.7", user: "root" }
                  at 1s port_scan { src_ip: "198.51.100.7", ports: 99 }
                  at 2s port_scan { src_ip: "198.51.100.8", ports: 500 }
                  at 601s port_scan { src_ip: "198.51.100.7", ports: 500 }
                  expect nothing
                }

                """),
        RuleTemplate(
            kind: "anomaly_cluster", summary: "members that become unusual at about the same time",
            name: "pods_slow_together",
            text: """
                event call {
                  pod: text
                  duration_ms: number
                }

                rule pods_slow_together {
                  title "Several pods become slow together"
                  severity high

                  anomaly_cluster {
                    measure mean = avg(duration_ms) of call every 1m by pod
                    baseline last 20
                    at least 10 values
                    anomalous when robust_z(mean) > 6
                    cluster when at least 2 pod within 5m
                  }

                  alert "{members.count} pods became slow: {members.pod}"
                }

                test "two pods, a minute apart" for pods_slow_together {
                  at 0s call { pod: "a", duration_ms: 20 } repeat 40 every 30s
                  at 0s call { pod: "b", duration_ms: 20 } repeat 40 every 30s
                  at 15m call { pod: "a", duration_ms: 900 } repeat 10 every 1s
                  at 16m call { pod: "b", duration_ms: 900 } repeat 10 every 1s
                  advance to 18m
                  expect alert at 17m
                  expect nothing else before 18m
                }

                test "one pod is no cluster" for pods_slow_together {
                  at 0s call { pod: "a", duration_ms: 20 } repeat 40 every 30s
                  at 0s call { pod: "b", duration_ms: 20 } repeat 40 every 30s
                  at 15m call { pod: "a", duration_ms: 900 } repeat 10 every 1s
                  advance to 30m
                  expect nothing
                }

                """),
        RuleTemplate(
            kind: "metric",
            summary: "numbers per bucket, with a forecast, and a rule that reads them",
            name: "revenue_low",
            text: """
                event sale {
                  region: text
                  amount: number
                }

                metric revenue {
                  by region
                  over sale
                  window 1m tumbling
                  measure total = sum(amount)
                  forecast total for 1m
                }

                rule revenue_low {
                  title "Less revenue than foreseen"
                  severity warning

                  sequence by region {
                    low_minute: metric.revenue where total < low
                  }

                  alert "{region}: {low_minute.total} instead of about {low_minute.expected}"
                  suppress by region for 1h
                }

                test "a minute with a tenth of the usual" for revenue_low {
                  at 0s sale { region: "eu", amount: 100 } repeat 62 every 30s
                  at 31m sale { region: "eu", amount: 20 }
                  at 32m sale { region: "eu", amount: 100 }
                  advance to 33m
                  expect alert at 32m
                  expect nothing else
                }

                test "steady sales are silent" for revenue_low {
                  at 0s sale { region: "eu", amount: 100 } repeat 60 every 30s
                  expect nothing
                }

                """),
    ]
}
