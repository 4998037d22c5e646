import MatchEngine
import RuleModel
import StreamRuntime

/// What a replay read.
struct ReplayFacts {
    var files: [String]
    var rules: [RuleProgram]
    var summary: PipelineSummary
    var seconds: Double
    var from: Timestamp?
    var until: Timestamp?
}

/// The report of a replay: one HTML page that needs nothing besides itself, and no script.
struct ReplayReport {
    let facts: ReplayFacts
    /// Beginnings of alerts, in order.
    let alerts: [Alert]
    let ends: Int
    let budget: AlertBudget?

    /// Alerts in the list; the charts show all.
    private static let listed = 500
    private static let buckets = 120

    private struct Row {
        var rule: RuleProgram
        var alerts: [Alert]
        var perBucket: [Int]
        var worstDay: (day: String, count: Int)
    }

    private var start: Timestamp {
        facts.from ?? facts.summary.firstTime ?? alerts.first?.matchedAt ?? .init(nanoseconds: 0)
    }

    private var end: Timestamp {
        let last =
            facts.until
            ?? max(
                facts.summary.lastTime ?? start, alerts.map(\.matchedAt).max() ?? start)
        return max(last, start + .second)
    }

    private func bucket(_ time: Timestamp) -> Int {
        let share = (time - start).seconds / (end - start).seconds
        return min(ReplayReport.buckets - 1, max(0, Int(share * Double(ReplayReport.buckets))))
    }

    private var rows: [Row] {
        let byRule = Dictionary(grouping: alerts, by: \.ruleID)
        return facts.rules.filter { !$0.isMetric }.map { rule in
            let own = byRule[rule.id] ?? []
            var counts = Array(repeating: 0, count: ReplayReport.buckets)
            for alert in own { counts[bucket(alert.matchedAt)] += 1 }
            let worst = Dictionary(grouping: own) { day($0.matchedAt) }
                .map { ($0.key, $0.value.count) }.max { ($0.1, $1.0) < ($1.1, $0.0) }
            return Row(rule: rule, alerts: own, perBucket: counts, worstDay: worst ?? ("", 0))
        }.sorted { ($1.alerts.count, $0.rule.name) < ($0.alerts.count, $1.rule.name) }
    }

    private func day(_ time: Timestamp) -> String { String(time.description.prefix(10)) }

    /// Days of the span, also those without an alert.
    private var days: [String] {
        var days: [String] = []
        var time = start
        while days.count < 1000, day(time) <= day(end) {
            days.append(day(time))
            time = time + .hour * 24
        }
        return days
    }

    var html: String {
        let rows = rows
        let files = facts.files.joined(separator: ", ")
        return htmlPage(
            title: "Martlet replay",
            body: """
                <header><h1>Replay</h1>
                <p>\(escaped(start.description)) to \(escaped(end.description)) · \(escaped(files))</p></header>
                \(tiles(rows))
                <section><h2>Time line of alerts</h2>\(timeline(rows))</section>
                <section><h2>Noise per day</h2>\(noise(rows))</section>
                <section><h2>Rules</h2>\(table(rows))</section>
                <section><h2>Alerts</h2>\(list)</section>
                """)
    }

    // MARK: - Parts

    private func tiles(_ rows: [Row]) -> String {
        let firing = rows.count { !$0.alerts.isEmpty }
        let perDay = Double(alerts.count) / max(1, Double(days.count))
        let rate = facts.seconds > 0 ? Int(Double(facts.summary.input.events) / facts.seconds) : 0
        var tiles = [
            ("alerts", grouped(alerts.count), ends > 0 ? "\(grouped(ends)) ended" : ""),
            ("a day", one(perDay), "\(counted(days.count, "day"))"),
            ("rules that fired", "\(firing) of \(rows.count)", ""),
            ("events", grouped(facts.summary.input.events), "\(grouped(rate))/s"),
        ]
        let incomplete = alerts.count { !$0.incompleteBecause.isEmpty }
        let faults = facts.summary.input.summary
        if incomplete > 0 || !faults.isEmpty {
            tiles.append(
                (
                    "not whole", incomplete > 0 ? grouped(incomplete) : "!",
                    faults.isEmpty ? "alerts with dropped or late data" : faults
                ))
        }
        return "<div class=tiles>"
            + tiles.map { name, value, note in
                "<div class=tile><b>\(escaped(value))</b><span>\(escaped(name))</span>"
                    + "<small>\(escaped(note))</small></div>"
            }.joined() + "</div>"
    }

    private func timeline(_ rows: [Row]) -> String {
        let shown = rows.filter { !$0.alerts.isEmpty }
        guard !shown.isEmpty else { return "<p>No alert.</p>" }
        let (left, width, height) = (230, 860, 34)
        let total = shown.count * height + 30
        var svg =
            "<svg viewBox=\"0 0 \(left + width + 60) \(total)\" role=img aria-label=\"alerts by rule and time\">"
        let step = Double(width) / Double(ReplayReport.buckets)
        for (index, row) in shown.enumerated() {
            let base = (index + 1) * height
            let most = max(1, row.perBucket.max() ?? 1)
            svg +=
                "<text x=\(left - 10) y=\(base - 8) text-anchor=end>\(escaped(shortened(row.rule.name, 34)))</text>"
                + "<line x1=\(left) x2=\(left + width) y1=\(base) y2=\(base) class=axis />"
            for (place, count) in row.perBucket.enumerated() where count > 0 {
                let tall = max(3.0, Double(height - 6) * Double(count) / Double(most))
                let from = start + span(place)
                svg +=
                    "<rect class=\"\(row.rule.metadata.severity.rawValue)\" x=\(two(Double(left) + Double(place) * step)) "
                    + "y=\(two(Double(base) - tall)) width=\(two(max(2, step - 1))) height=\(two(tall))>"
                    + "<title>\(count) from \(escaped(from.description))</title></rect>"
            }
            svg +=
                "<text x=\(left + width + 8) y=\(base - 8) class=count>\(grouped(row.alerts.count))</text>"
        }
        for tick in 0...4 {
            let x = left + width * tick / 4
            let time = start + TimeSpan(nanoseconds: (end - start).nanoseconds / 4 * Int64(tick))
            let anchor = tick == 0 ? "start" : tick == 4 ? "end" : "middle"
            svg +=
                "<text x=\(x) y=\(total - 6) text-anchor=\(anchor) class=tick>\(escaped(tickText(time)))</text>"
        }
        return svg + "</svg>"
    }

    private func span(_ place: Int) -> TimeSpan {
        TimeSpan(
            nanoseconds: (end - start).nanoseconds / Int64(ReplayReport.buckets) * Int64(place))
    }

    private func tickText(_ time: Timestamp) -> String {
        let text = time.description
        let isShort = (end - start) < .hour * 48
        return isShort
            ? String(text.dropFirst(5).prefix(11)).replacing("T", with: " ")
            : String(text.prefix(10))
    }

    private func noise(_ rows: [Row]) -> String {
        let days = days
        let severities = Severity.allCases.reversed().filter { severity in
            alerts.contains { $0.severity == severity }
        }
        var counts: [String: [Severity: Int]] = [:]
        for alert in alerts {
            counts[day(alert.matchedAt), default: [:]][alert.severity, default: 0] += 1
        }
        let most = max(1, days.map { counts[$0]?.values.reduce(0, +) ?? 0 }.max() ?? 1)
        let (left, height) = (50, 180)
        let step = min(60.0, 1000.0 / Double(max(1, days.count)))
        let width = max(400, Int(step * Double(days.count)) + 10)
        var svg =
            "<svg viewBox=\"0 0 \(left + width) \(height + 40)\" style=\"max-width:\(left + width)px\" role=img aria-label=\"alerts per day\">"
        for part in [0, most / 2, most] where part == 0 || part != most / 2 || most > 1 {
            let y = Double(height) - Double(height - 10) * Double(part) / Double(most)
            svg +=
                "<line x1=\(left) x2=\(left + width) y1=\(two(y)) y2=\(two(y)) class=axis />"
                + "<text x=\(left - 6) y=\(two(y + 4)) text-anchor=end class=tick>\(grouped(part))</text>"
        }
        for (index, day) in days.enumerated() {
            var y = Double(height)
            let x = Double(left) + Double(index) * step + 2
            for severity in severities {
                guard let count = counts[day]?[severity] else { continue }
                let tall = Double(height - 10) * Double(count) / Double(most)
                y -= tall
                svg +=
                    "<rect class=\"\(severity.rawValue)\" x=\(two(x)) y=\(two(y)) width=\(two(max(1, step - 3))) "
                    + "height=\(two(tall))><title>\(day): \(count) \(severity.rawValue)</title></rect>"
            }
            let labelEvery = max(1, days.count / 12)
            if index % labelEvery == 0 {
                svg +=
                    "<text x=\(two(x)) y=\(height + 18) class=tick>\(day.dropFirst(5))</text>"
            }
        }
        let legend = severities.map {
            "<span><i class=\"\($0.rawValue)\"></i>\($0.rawValue)</span>"
        }
        .joined()
        var text = svg + "</svg><p class=legend>\(legend)</p>"
        if let budget {
            let over = rows.filter { $0.worstDay.count > budget.perDay }
            text +=
                over.isEmpty
                ? "<p>Every rule is within its budget of \(budget.text).</p>"
                : "<p><strong>Over the budget of \(budget.text):</strong> "
                    + over.map {
                        "\(escaped($0.rule.name)) (\($0.worstDay.count) on \($0.worstDay.day))"
                    }.joined(separator: ", ") + "</p>"
        }
        return text
    }

    private func table(_ rows: [Row]) -> String {
        var text =
            "<table><thead><tr><th>rule<th>severity<th class=n>alerts<th class=n>a day<th class=n>worst day<th class=n>keys<th>first<th>last</tr></thead><tbody>"
        for row in rows {
            let keys = Set(row.alerts.map { $0.key.map(\.value) }).count
            let isOver = budget.map { row.worstDay.count > $0.perDay } ?? false
            text +=
                "<tr><td>\(escaped(row.rule.name))"
                + (row.rule.metadata.title.map { "<small>\(escaped($0))</small>" } ?? "")
                + "<td><i class=\"\(row.rule.metadata.severity.rawValue)\"></i>\(row.rule.metadata.severity.rawValue)"
                + "<td class=n>\(grouped(row.alerts.count))"
                + "<td class=n>\(one(Double(row.alerts.count) / max(1, Double(days.count))))"
                + "<td class=\"n\(isOver ? " over" : "")\">\(row.worstDay.count == 0 ? "" : "\(row.worstDay.count) on \(row.worstDay.day)")"
                + "<td class=n>\(row.alerts.isEmpty ? "" : grouped(keys))"
                + "<td>\(row.alerts.first.map { escaped($0.matchedAt.description) } ?? "never")"
                + "<td>\(row.alerts.last.map { escaped($0.matchedAt.description) } ?? "")</tr>"
        }
        return text + "</tbody></table>"
    }

    private var list: String {
        guard !alerts.isEmpty else { return "<p>No alert.</p>" }
        var text =
            "<table><thead><tr><th>time<th>severity<th>rule<th>key<th>message</tr></thead><tbody>"
        for alert in alerts.prefix(ReplayReport.listed) {
            let key = alert.keyText
            text +=
                "<tr><td class=t>\(escaped(alert.matchedAt.description))"
                + "<td><i class=\"\(alert.severity.rawValue)\"></i>\(alert.severity.rawValue)"
                + "<td>\(escaped(alert.rule))<td>\(escaped(key))"
                + "<td>\(escaped(alert.message))"
                + (alert.incompleteBecause.isEmpty
                    ? ""
                    : "<small>incomplete: \(escaped(alert.incompleteBecause.joined(separator: "; ")))</small>")
                + "</tr>"
        }
        text += "</tbody></table>"
        if alerts.count > ReplayReport.listed {
            text +=
                "<p>The first \(ReplayReport.listed) of \(grouped(alerts.count)); the charts show all.</p>"
        }
        return text
    }

    // MARK: - Text

    private func escaped(_ text: String) -> String { escapedHTML(text) }

    private func shortened(_ text: String, _ limit: Int) -> String {
        text.count > limit ? String(text.prefix(limit - 1)) + "…" : text
    }

    private func one(_ number: Double) -> String { Value.text(of: (number * 10).rounded() / 10) }
    private func two(_ number: Double) -> String { Value.text(of: (number * 100).rounded() / 100) }
}
