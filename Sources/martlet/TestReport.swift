import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

/// The results of tests as text, as JSON lines, or as JUnit XML.
struct TestReport {
    let results: [TestResult]
    let compilation: Compilation

    private func source(_ result: TestResult) -> SourceText {
        compilation.sources[Int(result.test.range.source.rawValue)]
    }

    private func rule(_ result: TestResult) -> String {
        compilation.plans[result.test.rule.rawValue].name
    }

    // MARK: - Text

    var text: String {
        var lines: [String] = []
        var file = ""
        for result in results {
            let source = source(result)
            if source.name != file {
                file = source.name
                lines.append(file)
            }
            let cost =
                "\(counted(result.events, "event")), \(result.span) of event time, \(milliseconds(result.seconds))"
            let title = result.test.title
            let gap = String(repeating: " ", count: max(2, 60 - title.count))
            if result.wasSkipped {
                lines.append("  skip  \(title)\(gap)its rule is switched off")
            } else if result.failures.isEmpty {
                lines.append("  ok    \(title)\(gap)\(cost)")
            } else {
                let line = source.position(at: result.failures[0].range.start).line
                lines.append("  FAIL  \(title)\(gap)\(source.name):\(line)")
                for failure in result.failures { lines += text(failure).map { "          \($0)" } }
            }
        }
        return lines.joined(separator: "\n")
    }

    private func text(_ failure: TestFailure) -> [String] {
        var lines = ["expected: \(failure.expected)"]
        for (index, got) in failure.got.enumerated() {
            lines.append((index == 0 ? "got:      " : "          ") + got)
        }
        if failure.got.isEmpty { lines.append("got:      no alert at all") }
        for (index, reason) in failure.because.enumerated() {
            lines.append((index == 0 ? "because:  " : "          ") + reason)
        }
        return lines
    }

    // MARK: - For programs

    /// One line for each test.
    var json: String { results.map(jsonLine).joined(separator: "\n") }

    private func jsonLine(_ result: TestResult) -> String {
        let source = source(result)
        let outcome = result.wasSkipped ? "skipped" : result.failures.isEmpty ? "passed" : "failed"
        let failures = result.failures.map { failure in
            "{\"line\":\(source.position(at: failure.range.start).line),"
                + "\"expected\":\(jsonText(failure.expected)),"
                + "\"got\":[\(failure.got.map(jsonText).joined(separator: ","))],"
                + "\"because\":[\(failure.because.map(jsonText).joined(separator: ","))]}"
        }
        return "{\"file\":\(jsonText(source.name)),\"test\":\(jsonText(result.test.title)),"
            + "\"rule\":\(jsonText(rule(result))),"
            + "\"outcome\":\"\(outcome)\",\"events\":\(result.events),"
            + "\"failures\":[\(failures.joined(separator: ","))]}"
    }

    /// The form that build servers read: a suite for each file, a case for each test.
    var junit: String {
        func seconds(_ results: [TestResult]) -> String {
            let thousandths = Int(results.reduce(0) { $0 + $1.seconds } * 1000)
            let rest = String(thousandths % 1000)
            return "\(thousandths / 1000)."
                + String(repeating: "0", count: 3 - rest.utf8.count) + rest
        }
        func counts(_ results: [TestResult]) -> String {
            "tests=\"\(results.count)\" failures=\"\(results.count { !$0.failures.isEmpty })\" "
                + "skipped=\"\(results.count(where: \.wasSkipped))\" time=\"\(seconds(results))\""
        }
        var files: [String] = []
        for result in results where !files.contains(source(result).name) {
            files.append(source(result).name)
        }
        var xml =
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"martlet\" \(counts(results))>\n"
        for file in files {
            let own = results.filter { source($0).name == file }
            xml += "  <testsuite name=\"\(escapedHTML(file))\" \(counts(own))>\n"
            for result in own {
                let line = source(result).position(at: result.test.range.start).line
                xml +=
                    "    <testcase classname=\"\(escapedHTML(rule(result)))\" name=\"\(escapedHTML(result.test.title))\" "
                    + "file=\"\(escapedHTML(file))\" line=\"\(line)\" time=\"\(seconds([result]))\""
                if result.wasSkipped {
                    xml += "><skipped message=\"its rule is switched off\"/></testcase>\n"
                } else if result.failures.isEmpty {
                    xml += "/>\n"
                } else {
                    xml += ">\n"
                    for failure in result.failures {
                        xml +=
                            "      <failure message=\"expected \(escapedHTML(failure.expected))\">"
                            + text(failure).map(escapedHTML).joined(separator: "\n")
                            + "</failure>\n"
                    }
                    xml += "    </testcase>\n"
                }
            }
            xml += "  </testsuite>\n"
        }
        return xml + "</testsuites>"
    }
}
