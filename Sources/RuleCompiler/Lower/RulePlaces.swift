import RuleModel

/// The plans with their `place`: how deep each stands behind those whose alerts and metrics it
/// reads, and which must share a shard.
///
/// A source `alert` without a name reads every rule that does not itself, directly or through
/// others, read alerts so. That makes a circle through it impossible.
///
/// - Precondition: no rule reads, through others, what it makes itself; the checker reports that.
/// - Complexity: linear in rules and edges, times the depth.
func placed(_ plans: [RulePlan]) -> [RulePlan] {
    let sources = ruleSources(plans)
    var plans = plans
    let readsMade = plans.map { plan in plan.inputs.contains { $0.producer != nil } }
    // A rule may outlive all that made what it reads; what they last made still comes before it.
    var depths = readsMade.map { $0 ? 1 : 0 }
    // Each round settles one more level; without a circle there are no more levels than rules.
    for _ in plans.indices {
        var isSettled = true
        for (index, sources) in sources.enumerated() {
            let depth = sources.map { depths[$0] + 1 }.max() ?? 0
            if depths[index] < depth {
                depths[index] = depth
                isSettled = false
            }
        }
        if isSettled { break }
    }
    var groups = Groups(count: plans.count)
    // Nothing that an engine makes is handed to another shard, not even what outlives its rule.
    var isGrouped = readsMade
    func join(_ left: Int, _ right: Int) {
        groups.join(left, right)
        isGrouped[left] = true
        isGrouped[right] = true
    }
    for (index, sources) in sources.enumerated() {
        for source in sources {
            plans[source].place.isRead = true
            join(index, source)
        }
    }
    // The running score of an entity is that of all rules together.
    var firstWithRisk: [String: Int] = [:]
    for (index, plan) in plans.enumerated() {
        for risk in plan.emit.risks {
            join(index, firstWithRisk[risk.name, default: index])
            firstWithRisk[risk.name] = firstWithRisk[risk.name] ?? index
        }
        if case .correlation(let correlation) = plan.pattern,
            case .lift(let lift)? = correlation.strength, lift.isPooled
        {
            // What is measured over all keys needs all keys.
            isGrouped[index] = true
        }
    }
    for index in plans.indices {
        plans[index].place.depth = depths[index]
        plans[index].place.home = isGrouped[index] ? groups.root(of: index) : nil
    }
    return plans
}

/// These rules and all whose alerts, metrics or risks they need, directly or through others.
public func withSources(_ rules: Set<RuleID>, in plans: [RulePlan]) -> Set<RuleID> {
    let sources = ruleSources(plans)
    var needed = rules
    var open = Array(rules)
    while let rule = open.popLast() {
        for source in sources[rule.rawValue] where needed.insert(RuleID(source)).inserted {
            open.append(RuleID(source))
        }
    }
    return needed
}

/// By plan: the plans whose alerts, metrics or risks it reads, each once.
private func ruleSources(_ plans: [RulePlan]) -> [[Int]] {
    var byName: [String: Int] = [:]
    var metrics: [String: Int] = [:]
    var risks: [String: [Int]] = [:]
    for (index, plan) in plans.enumerated() {
        if case .metric = plan.pattern {
            metrics[plan.name] = index
        } else {
            byName[plan.name] = index
        }
        for risk in plan.emit.risks { risks[risk.name, default: []].append(index) }
    }
    var sources = plans.map { plan -> [Int] in
        var sources: Set<Int> = []
        for input in plan.inputs {
            switch input.producer {
            case nil, .alerts(of: nil)?: break
            case .alerts(of: let name?)?:
                if let index = byName[name] { sources.insert(index) }
            case .metric(let name)?:
                if let index = metrics[name] { sources.insert(index) }
            case .risk(let name)?: sources.formUnion(risks[name] ?? [])
            }
        }
        return sources.sorted()
    }
    let readers = plans.indices.filter { index in
        plans[index].inputs.contains { $0.producer == .alerts(of: nil) }
    }
    guard !readers.isEmpty else { return sources }
    // What depends on a rule that reads all alerts comes behind it.
    var isBehind = [Bool](repeating: false, count: plans.count)
    for reader in readers { isBehind[reader] = true }
    var changed = true
    while changed {
        changed = false
        for index in plans.indices
        where !isBehind[index] && sources[index].contains(where: { isBehind[$0] }) {
            isBehind[index] = true
            changed = true
        }
    }
    let base = plans.indices.filter { index in
        if case .metric = plans[index].pattern { return false }
        return !isBehind[index]
    }
    for reader in readers { sources[reader] = Set(sources[reader] + base).sorted() }
    return sources
}

/// Disjoint sets of indices; the root of a set is its least member.
private struct Groups {
    private var parents: [Int]

    init(count: Int) { parents = Array(0..<count) }

    func root(of index: Int) -> Int {
        var index = index
        while parents[index] != index { index = parents[index] }
        return index
    }

    mutating func join(_ left: Int, _ right: Int) {
        let (left, right) = (root(of: left), root(of: right))
        parents[max(left, right)] = min(left, right)
    }
}
