import MatchEngine
import RuleModel
import RuleSyntax
import StreamRuntime

/// What a reload does to the rules, as text and as JSON.
struct ReloadPlan {
    var changes: [RuleChange]
    /// What a running engine holds of each rule; nil without one.
    var held: RestoreReport?
    /// Whether that was counted before anything was done.
    var isBefore = false

    init(
        from old: RuleSetPlans, to new: RuleSetPlans, held: RestoreReport? = nil
    ) {
        changes = ruleChanges(from: old.plans, old.tables, to: new.plans, new.tables)
        self.held = held
    }

    /// Whether the state of some rule is dropped.
    var dropsState: Bool { changes.contains { $0.outcome == .reset || $0.outcome == .removed } }

    /// One paragraph for each rule that is not what it was, and a last line that counts.
    var text: String {
        let width = changes.filter(\.isChanged).map(\.name.count).max() ?? 0
        var lines: [String] = []
        for change in changes where change.isChanged {
            var line = change.outcome.rawValue.padded(to: 8) + change.name.padded(to: width)
            if change.outcome == .kept { line += "  changed, but nothing its state depends on" }
            if change.outcome == .reset { line += "  begins anew, since this changed:" }
            if let held = heldWords(change) { line += (change.outcome == .new ? "" : "  ") + held }
            lines.append(line.trimmedEnd)
            let parts =
                change.outcome == .reset ? change.stateParts : change.stateParts + change.otherParts
            for part in parts {
                if let before = part.before { lines.append("          - \(before)") }
                if let after = part.after { lines.append("          + \(after)") }
            }
        }
        lines.append(countLine)
        return lines.joined(separator: "\n")
    }

    private func heldWords(_ change: RuleChange) -> String? {
        guard let rule = held?.rules.first(where: { $0.name == change.name }), rule.keys > 0 else {
            return nil
        }
        return "(\(change.outcome == .kept ? "keeps" : "drops") "
            + "\(counted(rule.keys, "key")), \(grouped(rule.openMatches)) in progress)"
    }

    /// `3 rules keep their state (2 unchanged), 1 begins anew`
    var countLine: String {
        let kept = changes.filter { $0.outcome == .kept }
        let unchanged = kept.count { !$0.isChanged }
        var parts = [
            "\(counted(kept.count, "rule")) \(kept.count == 1 ? "keeps its" : "keep their") state"
                + (unchanged > 0 ? " (\(grouped(unchanged)) unchanged)" : "")
        ]
        for (outcome, one, many) in [
            (ReloadOutcome.reset, "begins anew", "begin anew"), (.new, "is new", "are new"),
            (.removed, "is removed", "are removed"),
        ] {
            let count = changes.count { $0.outcome == outcome }
            if count > 0 { parts.append("\(grouped(count)) \(count == 1 ? one : many)") }
        }
        return parts.joined(separator: ", ")
    }

    /// All rules, those that are unchanged as well.
    var jsonMembers: [(String, JSONDocument)] {
        [("schema", .number(1)), ("rules", .array(changes.map(json)))]
    }

    private func json(_ change: RuleChange) -> JSONDocument {
        var members: [(String, JSONDocument)] = [
            ("rule", .text(change.name)), ("outcome", .text(change.outcome.rawValue)),
            ("changed", .bool(change.isChanged)),
            ("state_parts", .array(change.stateParts.map(json))),
            ("other_parts", .array(change.otherParts.map(json))),
        ]
        if let rule = held?.rules.first(where: { $0.name == change.name }) {
            // Of a rule that goes on as it is, nobody has counted what is in progress.
            members.append(("keys", .number(rule.keys)))
            if change.isChanged || isBefore {
                members.append(("open_matches", .number(rule.openMatches)))
            }
        }
        return .object(members)
    }

    private func json(_ part: RuleChange.Part) -> JSONDocument {
        .object([
            ("before", part.before.map { .text($0) } ?? .null),
            ("after", part.after.map { .text($0) } ?? .null),
        ])
    }
}

/// The plans of a rule set with the tables that their indices point into.
struct RuleSetPlans: Sendable {
    var plans: [RulePlan]
    var tables: RuleSetTables
}

extension String {
    /// The text with spaces behind it, for a column.
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }

    fileprivate var trimmedEnd: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
