import MatchEngine
import RuleModel
import StreamRuntime

/// Puts what a recorder has seen of a rule into words.
struct NearMissWords {
    let plan: RulePlan
    let text: PlanText
    /// How a time is shown.
    let shown: (Timestamp) -> String

    init(_ plan: RulePlan, tables: RuleSetTables, shown: @escaping (Timestamp) -> String) {
        self.plan = plan
        text = PlanText(plan, tables: tables)
        self.shown = shown
    }

    /// `user=u-99`
    func key(_ values: [Value]) -> String { key(values.map(\.plainText)) }

    /// The same of the parts as text.
    func key(_ parts: [String], separator: String = " ") -> String {
        zip(plan.keyNames, parts).map { "\($0)=\(visible($1))" }.joined(separator: separator)
    }

    /// The rule, and the key that was asked for.
    func subject(_ key: [String]?) -> String {
        plan.name + (key.map { "  " + self.key($0) } ?? "")
    }

    /// Lines of a numbered list.
    ///
    /// - Parameter key: Nil or empty where all are of one key.
    func entry(_ number: Int, key: [Value]?, _ said: [String]) -> [String] {
        let number = String(number)
        let gap = String(repeating: " ", count: max(0, 3 - number.utf8.count))
        let name = key.map { $0.isEmpty ? "" : self.key($0) + "  " } ?? ""
        return ["\(gap)\(number). \(name)\(said.first ?? "")"]
            + said.dropFirst().map { "       \($0)" }
    }

    /// Of attempts that are not told one by one.
    func folded(_ count: Int) -> String {
        "     \(counted(count, "attempt")) that began inside one of these came no further"
    }

    /// The first line says what it is; those behind it say why.
    func lines(_ observation: Observation) -> [String] {
        switch observation {
        case .attempt(let attempt): lines(attempt)
        case .spell(let spell): lines(spell)
        case .gathering(let gathering): lines(gathering)
        case .cluster(let cluster): lines(cluster)
        case .nothing(_, let miss):
            ["no event began a match; the nearest:"] + lines(miss)
        }
    }

    // MARK: - Sequences

    private func lines(_ attempt: Attempt) -> [String] {
        let taken = attempt.steps.map { step in
            let count =
                step.count < step.minimum
                ? " ×\(step.count) of \(step.minimum)" : step.count > 1 ? " ×\(step.count)" : ""
            return "\(step.name)\(count) \(span(step.first, step.last))"
        }.joined(separator: ", ")
        var head = taken
        if let short = attempt.steps.first(where: { $0.count < $0.minimum }) {
            head += " -> \(short.minimum - short.count) more missing"
        } else if !attempt.waitsFor.isEmpty {
            head += " -> \(attempt.waitsFor.joined(separator: " or ")) missing"
        }
        head += "   (\(attempt.filled) of \(attempt.needed) steps)"
        var lines = [head]
        switch attempt.outcome {
        case .matched(let time): lines = ["\(taken) -> matched at \(shown(time))"]
        case .open(let until):
            lines.append(
                until.map { "still open until \(shown($0))" } ?? "still open, without a limit")
        case .timeOver(let time): lines.append("its time was over at \(shown(time))")
        case .ended(let name, let time):
            lines.append("ended by `until \(name)` at \(shown(time))")
        case .broken(let name, let time):
            lines.append("`no \(name)` did not hold: such an event came at \(shown(time))")
        case .replaced(let time):
            lines.append("gave way to a newer one at \(shown(time)), as the rule's policy has it")
        case .stopped(let time):
            lines.append("stopped by the event at \(shown(time))")
        case .evicted(let time):
            lines.append(
                "dropped before \(shown(time)), since the rule had more keys than its limit")
        }
        for miss in attempt.misses { lines += self.lines(miss) }
        return lines
    }

    private func span(_ first: Timestamp, _ last: Timestamp) -> String {
        first == last ? "at \(shown(first))" : "\(shown(first)) to \(shown(last))"
    }

    private func lines(_ miss: Miss) -> [String] {
        let what = "\(miss.type) at \(shown(miss.time)) was not `\(miss.step)`:"
        switch miss.reason {
        case .condition(let tests, let all):
            let failed = tests.prefix(3).map(words)
            let rest = tests.count > 3 ? ["and \(tests.count - 3) more tests failed"] : []
            let share = all > tests.count ? " (\(all - tests.count) of \(all) tests held)" : ""
            if failed.count == 1, rest.isEmpty { return ["\(what) \(failed[0])\(share)"] }
            return ["\(what)\(share)"] + (failed + rest).map { "  \($0)" }
        case .gap(let limit, let over):
            return ["\(what) it came \(over) after the step's `within \(limit)` was over"]
        case .within(let limit, let over):
            return ["\(what) it came \(over) after `within \(limit)` was over"]
        case .forbidden(let step, let time):
            return ["\(what) `without \(step)` forbids it, for the event at \(shown(time))"]
        case .notImmediate:
            return ["\(what) another event came between, and it must follow immediately"]
        }
    }

    /// ``country == "DE"` compared "de" with "DE": case differs; use `ignoring case``
    func words(_ test: FailedTest) -> String {
        var words = "`\(text.text(test.term))`"
        if let right = test.right {
            words += " compared \(shownValue(test.left)) with \(shownValue(right))"
        } else if test.left.isMissing {
            words += ": the value is missing"
        } else {
            words += " did not hold for \(shownValue(test.left))"
        }
        if test.differsOnlyInCase { words += ": case differs; use `ignoring case`" }
        return words
    }

    private func shownValue(_ value: Value) -> String {
        if value.isMissing { return "nothing (missing)" }
        let text = value.jsonText
        return text.utf8.count > 160 ? String(text.prefix(150)) + "…" : text
    }

    // MARK: - Thresholds

    private func lines(_ spell: Spell) -> [String] {
        let from = "\(spell.state.rawValue) \(span(spell.from, spell.to))"
        switch spell.state {
        case .unknown:
            return [
                spell.events < spell.minimumEvents
                    ? "\(from): at most \(spell.events) events in the window, at least "
                        + "\(spell.minimumEvents) are needed"
                    : "\(from): not enough is known to judge"
            ]
        case .firing, .pending:
            guard let end = spell.nearest else {
                return [
                    spell.state == .firing
                        ? "\(from), and still firing" : "\(from), and still waiting for `for`"
                ]
            }
            let measures = self.measures(end.measures)
            if spell.state == .pending, end.failed.isEmpty {
                return ["\(from): then it fired (\(measures))"]
            }
            return ["\(from): then"] + end.failed.prefix(3).map { "  \(words($0))" }
        case .inactive:
            guard let nearest = spell.nearest else { return [from] }
            return ["\(from); nearest at \(shown(nearest.time)) (\(measures(nearest.measures)))"]
                + nearest.failed.prefix(4).map { "  \(words($0))" }
        }
    }

    func measures(_ measures: [Alert.NamedValue]) -> String {
        measures.map { "\($0.name) \(visible($0.value.plainText))" }.joined(separator: ", ")
    }

    // MARK: - Correlations

    private func lines(_ gathering: Gathering) -> [String] {
        let present = gathering.present.map { "\($0.name) at \(shown($0.time))" }
            .joined(separator: ", ")
        let head = "at \(shown(gathering.at)): \(present)"
        switch gathering.outcome {
        case .fired: return ["\(head) -> matched"]
        case .tooFew:
            return [
                "\(head) -> \(gathering.missing.joined(separator: ", ")) missing"
                    + "   (\(gathering.present.count) of \(gathering.required) members)",
                "the last of them left at \(shown(gathering.until))",
            ] + gathering.misses.flatMap(lines)
        case .wrongOrder:
            return [
                "\(head)", "all are there, but not as `order` or `before` ask, or too far apart",
            ]
        case .tooWeak(let measured, let limit):
            return [
                "\(head)",
                measured.map {
                    "the strength measured was \(Value.text(of: $0)), and \(Value.text(of: limit)) is asked for"
                }
                    ?? "the strength is not known yet: too few occurrences in the learning period",
            ]
        }
    }

    // MARK: - Clusters

    private func lines(_ cluster: ClusterAttempt) -> [String] {
        var lines = [
            "bucket up to \(shown(cluster.at)): \(cluster.onsets) of \(cluster.needed) members "
                + "became anomalous; \(cluster.judged) judged"
                + (cluster.unknown > 0 ? ", \(cluster.unknown) with too little history" : "")
        ]
        if cluster.hasFired { lines[0] += " -> matched" }
        for member in cluster.members {
            var line = "\(visible(member.name.plainText)): \(measures(member.measures))"
            let scores = member.scores.compactMap { $0 }.map { rounded($0) }
            if !scores.isEmpty { line += ", score \(scores.joined(separator: ", "))" }
            if member.isAnomalous == true {
                line += ", anomalous"
            } else if member.isAnomalous == nil {
                line += ", too little history"
            } else if let test = member.failed.first {
                line += "; \(words(test))"
            }
            lines.append(line)
        }
        return lines
    }

    func rounded(_ number: Double) -> String {
        Value.text(of: (number * 100).rounded() / 100)
    }
}

/// Text from the data, safe for a terminal.
func visible(_ text: String) -> String {
    var bytes: [UInt8] = []
    bytes.appendVisibly(text)
    return String(decoding: bytes, as: UTF8.self)
}
