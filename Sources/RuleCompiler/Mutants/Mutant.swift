import RuleModel

/// A rule with one small mistake in it, to see whether a test notices.
public struct Mutant: Sendable {
    /// What is another, for example `when failures >= 10  ->  when failures > 10`, made of the plan's lines.
    public var before: String
    public var after: String
    /// The rule and those it reads, made flat.
    public var program: Program
}

/// The mutants of a rule: limits, operators, quantities and time spans are changed, clauses and parts of
/// conditions left out, each in a mutant of its own.
///
/// - Parameter needed: The rule and all that it reads, transitively.
public func mutants(
    of rule: RuleID, needed: Set<RuleID>, in compilation: Compilation
) -> [Mutant] {
    let written = compilation.plansAsWritten[rule.rawValue]
    let tables = compilation.tables
    // Places follow from the whole set, which a mutant does not change.
    let others = compilation.plans.filter { needed.contains($0.id) && $0.id != rule }
    var seen: Set<UInt64> = [compilation.plans[rule.rawValue].fingerprint]
    var mutants: [Mutant] = []
    for mutated in planMutants(written) {
        let finished = finished(
            [mutated], tables: tables, engine: compilation.deployment.engine)[0]
        // What means the same is no mistake.
        guard seen.insert(finished.fingerprint).inserted else { continue }
        var plan = finished
        plan.place = compilation.plans[rule.rawValue].place
        let (before, after) = difference(
            written.description(tables: tables), mutated.description(tables: tables))
        let plans = (others + [plan]).sorted { $0.id < $1.id }
        mutants.append(
            Mutant(before: before, after: after, program: emit(plans, tables: tables)))
    }
    return mutants
}

/// The first line that differs; nothing on the side on which there is none.
private func difference(_ old: String, _ new: String) -> (String, String) {
    func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map { String($0.drop { $0 == " " }) }
    }
    let (old, new) = (lines(old), lines(new))
    let start = zip(old, new).prefix { $0 == $1 }.count
    if old.count > new.count { return (start < old.count ? old[start] : "", "left out") }
    if old.count < new.count { return ("", start < new.count ? new[start] : "") }
    return start < old.count ? (old[start], new[start]) : ("", "")
}

/// Plans that differ from the given one in one place.
private func planMutants(_ plan: RulePlan) -> [RulePlan] {
    var plans: [RulePlan] = []
    func add(_ change: (inout RulePlan) -> Void) {
        var changed = plan
        change(&changed)
        plans.append(changed)
    }
    switch plan.pattern {
    case .sequence(let sequence):
        for other in sequenceMutants(sequence) { add { $0.pattern = .sequence(other) } }
    case .threshold(let threshold):
        for other in thresholdMutants(threshold) { add { $0.pattern = .threshold(other) } }
    case .correlation(let correlation):
        for other in correlationMutants(correlation) { add { $0.pattern = .correlation(other) } }
    case .anomaly(let anomaly):
        for other in anomalyMutants(anomaly) { add { $0.pattern = .anomaly(other) } }
    case .metric: return []
    }
    if let unless = plan.unless {
        for term in termMutants(unless) { add { $0.unless = term } }
        add { $0.unless = nil }
    }
    for index in plan.active.indices {
        add { $0.active.remove(at: index) }
        add { $0.active[index].during.toggle() }
    }
    if let suppress = plan.emit.suppress {
        add { $0.emit.suppress = nil }
        for span in spans(suppress.span) { add { $0.emit.suppress?.span = span } }
    }
    if let group = plan.emit.group {
        add { $0.emit.group = nil }
        for span in spans(group.span) { add { $0.emit.group?.span = span } }
    }
    return plans
}

/// Half of a span and twice as much.
func spans(_ span: TimeSpan) -> [TimeSpan] {
    guard span > .zero else { return [] }
    return [TimeSpan(nanoseconds: span.nanoseconds / 2), span * 2]
}

func inputMutants(_ inputs: [InputPlan]) -> [[InputPlan]] {
    inputs.indices.flatMap { index in
        (inputs[index].condition.map(conditionMutants) ?? []).map { condition in
            var other = inputs
            other[index].condition = condition
            return other
        }
    }
}
