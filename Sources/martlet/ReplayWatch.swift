import MatchEngine
import RuleModel
import RuleSyntax
import StreamRuntime

/// What a replay does with its alerts besides printing them: a span of time, a report, a budget, and
/// what was expected.
final class ReplayWatch {
    let from: Timestamp?
    let until: Timestamp?
    private let lateness: TimeSpan
    let reportPath: String?
    let budget: AlertBudget?
    private let expected: ExpectedAlerts?

    /// Records of the span, where something asks for them.
    private(set) var alerts: [Alert] = []
    private(set) var outside = 0
    private var sent = 0
    private var hasPassed = false

    /// Nil when nothing of it was asked for.
    init?(_ arguments: ParsedArguments, lateness: TimeSpan) throws(Failure) {
        from = try time(arguments, "from")
        until = try time(arguments, "until")
        self.lateness = lateness
        reportPath = arguments.value("report")
        budget = try arguments.value("budget").map { text throws(Failure) in
            try AlertBudget(text)
        }
        expected = try arguments.value("expect").map { path throws(Failure) in
            try ExpectedAlerts(path: path)
        }
        if let from, let until, from > until {
            throw Failure(.badUsage, "`--from \(from)` is behind `--until \(until)`")
        }
        if from == nil, until == nil, reportPath == nil, budget == nil, expected == nil {
            return nil
        }
    }

    /// The records of the span.
    func take(_ found: [Alert], reached: Timestamp?) -> [Alert] {
        if let lastOfInterest, let reached, reached > lastOfInterest { hasPassed = true }
        let inside = found.filter { alert in
            (from.map { alert.matchedAt >= $0 } ?? true)
                && (until.map { alert.matchedAt <= $0 } ?? true)
        }
        outside += found.count - inside.count
        sent += inside.count
        if reportPath != nil || budget != nil || expected != nil { alerts += inside }
        return inside
    }

    /// Where event time has to come to, so that nothing more can lie in the span.
    var lastOfInterest: Timestamp? { until.map { $0 + lateness } }

    /// Nothing that comes can lie in the span.
    var isPast: Bool { hasPassed }
    var hasAlerts: Bool { sent > 0 }

    /// Writes the report and judges.
    ///
    /// - Returns: Whether the budget was kept and what was expected came.
    func finish(_ facts: ReplayFacts, _ console: Console) throws(Failure) -> Bool {
        var isGood = true
        if outside > 0 {
            console.note(
                "\(counted(outside, "record")) outside of the span not shown")
        }
        if let reportPath {
            let page = ReplayReport(
                facts: facts, alerts: alerts.filter { $0.state == .firing && $0.kind != "engine" },
                ends: alerts.count { $0.state == .resolved }, budget: budget)
            try replaceFile(reportPath, with: Array(page.html.utf8))
            console.note("report: \(reportPath)")
        }
        if let budget {
            let over = budget.exceeded(by: alerts)
            for line in over { console.warn("over budget: \(line)") }
            if over.isEmpty { console.note("every rule is within \(budget.text)") }
            isGood = over.isEmpty
        }
        if let expected {
            let (lines, summary) = expected.compare(with: alerts)
            for line in lines { console.warn("expect: \(line)") }
            console.note("expect: \(summary)")
            if !lines.isEmpty { isGood = false }
        }
        return isGood
    }
}

/// How many alerts a rule may raise in a day of event time.
struct AlertBudget {
    let perDay: Int

    var text: String { "\(perDay) alerts a day" }

    init(_ text: String) throws(Failure) {
        let number = text.hasSuffix("/day") ? String(text.dropLast(4)) : text
        guard let perDay = Int(number), perDay >= 0 else {
            throw Failure(
                .badUsage, "`--budget` needs alerts a day, and got `\(text)`",
                help: "write for example `--budget 20/day`")
        }
        self.perDay = perDay
    }

    /// One line for each rule with its worst day.
    func exceeded(by alerts: [Alert]) -> [String] {
        var counts: [String: [String: Int]] = [:]
        for alert in alerts where alert.state == .firing && alert.kind != "engine" {
            counts[alert.rule, default: [:]][
                String(alert.matchedAt.description.prefix(10)), default: 0] += 1
        }
        return counts.sorted { $0.key < $1.key }.compactMap { rule, days in
            let over = days.filter { $0.value > perDay }
            guard let worst = over.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) else {
                return nil
            }
            return
                "\(rule) raised \(worst.value) alerts on \(worst.key), and \(perDay) a day are allowed"
                + (over.count > 1 ? "; \(over.count) days are over" : "")
        }
    }
}

/// Alerts that a replay must raise, no more and no fewer: NDJSON, each line with the members that count.
struct ExpectedAlerts {
    private var lines: [(number: Int, members: [(String, JSONDocument)])] = []

    init(path: String) throws(Failure) {
        guard let bytes = readFile(path) else {
            throw Failure(.failed, "cannot read `\(path)`: \(systemError())")
        }
        for (index, line) in bytes.split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
        ).enumerated() where !line.isEmpty {
            var reason = "it is no object"
            do throws(JSONDocument.Fault) {
                if case .object(let members) = try JSONDocument(parsing: Array(line)) {
                    lines.append((index + 1, members.filter { $0.0 != "emitted_at" }))
                    continue
                }
            } catch {
                reason = error.reason
            }
            throw Failure(
                .badUsage, "`\(path)` line \(index + 1) is no expected alert: \(reason)",
                help: "write a JSON object with the members that count, for example "
                    + #"{"rule":"ssh_brute_force","key":{"src_ip":"198.51.100.7"}}"#)
        }
    }

    /// One line for each that is missing or too much, and a summary.
    func compare(with alerts: [Alert]) -> (lines: [String], summary: String) {
        let states = Set(lines.map { state(of: $0.members) })
        var left = alerts.filter { $0.kind != "engine" && states.contains($0.state.rawValue) }
            .map { alert -> (alert: Alert, json: JSONDocument) in
                var bytes: [UInt8] = []
                alert.appendJSON(emittedAt: nil, to: &bytes)
                return (alert, (try? JSONDocument(parsing: bytes)) ?? .null)
            }
        if lines.isEmpty {
            left = alerts.filter { $0.kind != "engine" }.map { ($0, .null) }
        }
        var found = 0
        var told: [String] = []
        for line in lines {
            let place = left.firstIndex { entry in
                state(of: line.members) == entry.alert.state.rawValue
                    && line.members.allSatisfy { fits($0.1, entry.json[$0.0]) }
            }
            if let place {
                left.remove(at: place)
                found += 1
            } else {
                told.append(
                    "missing (line \(line.number)): \(JSONDocument.object(line.members).line)")
            }
        }
        told += left.prefix(20).map { entry in
            let key = entry.alert.key.map { " \($0.name)=\(visible($0.value.plainText))" }.joined()
            return "surplus: \(entry.alert.rule)\(key) \(entry.alert.state.rawValue) at "
                + "\(entry.alert.matchedAt)  \(visible(entry.alert.message))"
        }
        if left.count > 20 { told.append("and \(left.count - 20) more that were not expected") }
        return (
            told,
            "\(found) of \(lines.count) expected came, \(left.count) came that were not expected"
        )
    }

    private func state(of members: [(String, JSONDocument)]) -> String {
        members.first { $0.0 == "state" }?.1.text ?? "firing"
    }

    /// An object fits when all its members do; anything else must be equal.
    private func fits(_ wanted: JSONDocument, _ found: JSONDocument?) -> Bool {
        guard let found else { return false }
        if case .object(let members) = wanted, case .object = found {
            return members.allSatisfy { fits($0.1, found[$0.0]) }
        }
        return wanted == found
    }
}
