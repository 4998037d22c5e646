/// What becomes of the state of a rule when other rules take over (T10).
public enum ReloadOutcome: String, Sendable, CaseIterable {
    /// The rule has the shape it had: its state goes on.
    case kept
    /// The rule has another shape, so that its state means nothing any more.
    case reset
    /// The rule was not there before.
    case new
    /// The rule is no longer there.
    case removed
}

/// What a reload does to one rule, and which parts of the rule are the reason.
public struct RuleChange: Sendable, Equatable {
    /// A part of a rule that is not what it was; nil where there was or is none.
    public struct Part: Sendable, Equatable {
        public var before: String?
        public var after: String?

        public init(before: String?, after: String?) {
            self.before = before
            self.after = after
        }
    }

    public var name: String
    public var outcome: ReloadOutcome
    /// What has changed of that on which state depends: why a rule is reset.
    public var stateParts: [Part] = []
    /// What has changed besides: when it is judged, what it says.
    public var otherParts: [Part] = []

    /// Whether anything of the rule is other than it was.
    public var isChanged: Bool {
        outcome != .kept || !stateParts.isEmpty || !otherParts.isEmpty
    }
}

/// What becomes of each rule when the plans of one rule set take over from those of another: the
/// rules of now in their order, then those that are gone. A rule that is switched off is not there.
public func ruleChanges(
    from old: [RulePlan], _ oldTables: RuleSetTables, to new: [RulePlan], _ newTables: RuleSetTables
) -> [RuleChange] {
    let old = old.filter(\.metadata.isEnabled)
    let new = new.filter(\.metadata.isEnabled)
    let before = Dictionary(old.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let namesNow = Set(new.map(\.name))
    let changes = new.map { plan in
        guard let earlier = before[plan.name] else {
            return RuleChange(name: plan.name, outcome: .new)
        }
        var change = RuleChange(
            name: plan.name, outcome: earlier.shape == plan.shape ? .kept : .reset)
        if earlier.shape == plan.shape, earlier.fingerprint == plan.fingerprint { return change }
        let was = PlanText(earlier, tables: oldTables, isCanonical: true)
        let isNow = PlanText(plan, tables: newTables, isCanonical: true)
        if change.outcome == .reset {
            change.stateParts = changedParts(was.shapeLines, isNow.shapeLines)
        }
        change.otherParts = changedParts(
            was.judgementLines + was.emissionLines, isNow.judgementLines + isNow.emissionLines)
        return change
    }
    let gone = old.filter { !namesNow.contains($0.name) }
    return changes + gone.map { RuleChange(name: $0.name, outcome: .removed) }
}

extension PlanText {
    /// What state depends on, with a word before what is only a field and its type.
    fileprivate var shapeLines: [String] {
        stateLines + stateFieldLines.map { "field \($0)" }
    }
}

/// Lines that only one of two descriptions has, those about the same thing side by side.
private func changedParts(_ old: [String], _ new: [String]) -> [RuleChange.Part] {
    let (old, new) = (withoutIndent(old), withoutIndent(new))
    let (oldSet, newSet) = (Set(old.map(Text.init)), Set(new.map(Text.init)))
    var added = new.filter { !oldSet.contains(Text($0)) }
    var parts: [RuleChange.Part] = []
    for line in old where !newSet.contains(Text(line)) {
        let partner = added.firstIndex { subject(of: $0) == subject(of: line) }
        parts.append(
            RuleChange.Part(before: line, after: partner.map { added.remove(at: $0) }))
    }
    return parts + added.map { RuleChange.Part(before: nil, after: $0) }
}

/// An indented line says more of the one above it, so it gets that one's head in front.
private func withoutIndent(_ lines: [String]) -> [String] {
    var head = ""
    return lines.map { line in
        guard line.hasPrefix("  ") else {
            head = line.split(separator: ":").first.map(String.init) ?? line
            return line
        }
        return "\(head): \(line.dropFirst(2))"
    }
}

/// What a line is about: `step bad`, `step bad: where`, `within`.
private func subject(of line: String) -> String {
    let parts = line.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, let word = parts[1].split(separator: " ").first else {
        return line.split(separator: " ").first.map(String.init) ?? line
    }
    return word == "where" || word == "and" ? "\(parts[0]): \(word)" : String(parts[0])
}
