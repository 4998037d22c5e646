/// The rules that `martlet bench` measures, as text: what it measures is what users write.
enum BenchRules {
    private static let shopEvents = """
        event auth { user: text  src_ip: ip  outcome: "success" | "failure" }
        event web { host: text  path: text  status: number  latency_ms: number }
        event payment { user: text  amount: number }

        """

    // MARK: - The five queries

    private static let queries = [
        """
        rule q1_server_error {
          sequence { hit: web where status >= 500 }
          alert "status {hit.status} on {hit.host}"
        }
        """,
        """
        rule q2_guessed_then_in {
          sequence by src_ip within 5m {
            at least 5 failed: auth where outcome == "failure"
            then success: auth where outcome == "success"
          }
          alert "{failed.count} failures from {src_ip}, then {success.user} got in"
        }
        """,
        """
        rule q3_failures {
          threshold by user {
            over auth where outcome == "failure"
            window 1m sliding
            measure failures = count
            when failures >= 10
          }
          alert "{failures} failures of {user} in a minute"
        }
        """,
        """
        rule q4_latency {
          threshold by host {
            over web
            window 1m tumbling
            measure average = avg(latency_ms)
            measure p95 = percentile(95, latency_ms)
            when average > 300 and p95 > 700
          }
          alert "{host}: {average} ms on average, p95 {p95} ms"
        }
        """,
        """
        rule q5_rising {
          sequence by user within 10m {
            a: payment
            then b: payment where b.amount > a.amount
            then c: payment where c.amount > b.amount
          }
          alert "{user} paid {a.amount}, {b.amount}, {c.amount}"
        }
        """,
    ]

    /// Q1 to Q5; 6 is all five.
    static func query(_ number: Int) -> String {
        shopEvents + (number == 6 ? queries.joined(separator: "\n") : queries[number - 1])
    }

    /// The five queries in four strengths each.
    static var twenty: String {
        var text = shopEvents
        for (index, suffix) in ["", "_b", "_c", "_d"].enumerated() {
            for query in queries {
                var rule = query.replacing(" {\n  sequence", with: "\(suffix) {\n  sequence")
                rule = rule.replacing(" {\n  threshold", with: "\(suffix) {\n  threshold")
                rule = rule.replacing("status >= 500", with: "status >= \(500 + index)")
                rule = rule.replacing("at least 5", with: "at least \(5 + index)")
                rule = rule.replacing("failures >= 10", with: "failures >= \(10 + index)")
                rule = rule.replacing("p95 > 700", with: "p95 > \(700 + index)")
                rule = rule.replacing("within 10m", with: "within \(10 + index)m")
                text += rule + "\n"
            }
        }
        return text
    }

    // MARK: - Many rules

    /// Filters of three kinds over the shop's events: equality of a text, a range, and both.
    static func simple(_ count: Int) -> String {
        var text = shopEvents
        for index in 0..<count {
            let step =
                switch index % 5 {
                case 0: #"web where path == "/api/v1/items/\#(index * 7)""#
                case 1: #"auth where user == "u-\#(index * 3)" and outcome == "failure""#
                case 2:
                    #"payment where user == "u-\#(index * 5)" and amount > \#(index % 900 + 1000)"#
                case 3: "payment where amount > \(2000 + index).5"
                default:
                    #"web where host == "web-\#(index % 100).example.internal" and latency_ms > \#(980 + index % 100)"#
                }
            text += """
                rule simple_\(index) {
                  sequence { hit: \(step) }
                  alert "rule \(index)"
                }

                """
        }
        return text
    }

    /// Patterns of text over six fields of events that report processes, most ignoring the case.
    static func textPatterns(_ count: Int) -> String {
        var text = """
            event process {
              computer: text  user: text  image: text  original_name: text  command_line: text
              parent_image: text  parent_command_line: text
            }

            """
        for index in 0..<count {
            let condition =
                switch index % 6 {
                case 0:
                    #"image ends with r"\tool\#(index).exe" ignoring case and command_line contains "-accept\#(index)" ignoring case"#
                case 1:
                    #"command_line contains "Invoke-Task\#(index)" ignoring case or command_line contains "http://10.\#(index % 256).9.\#(index % 250)/" ignoring case"#
                case 2:
                    #"command_line like "*powershell*-enc*\#(index)=*" ignoring case"#
                case 3:
                    #"parent_image ends with r"\parent\#(index).exe" ignoring case and user starts with r"CORP\admin\#(index)""#
                case 4:
                    #"original_name == "Stager\#(index).exe" ignoring case or parent_command_line contains "--beacon-\#(index)""#
                default:
                    #"command_line matches /--token-\#(index)[0-9a-f]{8}/"#
                }
            text += """
                rule pattern_\(index) {
                  sequence { hit: process where \(condition) }
                  alert "pattern \(index) on {hit.computer}"
                }

                """
        }
        return text
    }

    // MARK: - Long sequences, many keys

    /// A sequence of `steps` kinds in a window of so many events, of which the last kind is rare.
    static func sequence(steps: Int, windowEvents: Int, overlap: String) -> String {
        var text = """
            event step { kind: text  value: number }
            engine { events per key 10000 }
            rule steps {
              sequence within \(windowEvents)ms overlap \(overlap) {

            """
        for step in 0..<steps {
            let kind = step == steps - 1 ? "last" : "k\(step)"
            text += "    \(step == 0 ? "" : "then ")s\(step): step where kind == \"\(kind)\"\n"
        }
        return text + """
              }
              alert "{s\(steps - 1).value}"
            }
            """
    }

    /// A two-step sequence without payload that never comes to its second step.
    static let liveKeys = """
        event login { user: text }
        event logout { user: text }
        engine { keys per rule 2000000 }
        rule waiting {
          sequence by user within 1d {
            a: login
            then b: logout
          }
          alert "{user}"
        }
        """
}
