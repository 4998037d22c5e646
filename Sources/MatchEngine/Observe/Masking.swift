import RuleModel

// What a rule masks is masked in what is told of it as well.

extension FailedTest {
    /// - Parameter step: The step or member whose event was looked at.
    func masked(by masks: Masks, step: StepID?) -> FailedTest {
        var isMasked = false
        term.forEach { term in
            switch term {
            case .field(let field): if let step, masks.covers(step, field) { isMasked = true }
            case .stepField(let step, _, let field), .stepList(let step, let field),
                .stepAggregate(_, let step, let field):
                if masks.covers(step, field) { isMasked = true }
            case .key(let index): if masks.keys.contains(index) { isMasked = true }
            case .measure(let index, _), .score(_, measure: let index, _):
                if masks.measures.contains(index) { isMasked = true }
            default: break
            }
        }
        guard isMasked else { return self }
        var test = self
        test.left = hidden
        if test.right != nil { test.right = hidden }
        return test
    }
}

private let hidden = Value.text("***")

extension Observation {
    func masked(by masks: Masks) -> Observation {
        func key(_ values: [Value]) -> [Value] {
            values.enumerated().map { masks.keys.contains($0) ? hidden : $1 }
        }
        func measures(_ measures: inout [Alert.NamedValue]) {
            for index in measures.indices where masks.measures.contains(index) {
                measures[index].value = hidden
            }
        }
        switch self {
        case .attempt(var attempt):
            attempt.key = key(attempt.key)
            return .attempt(attempt)
        case .spell(var spell):
            spell.key = key(spell.key)
            if var nearest = spell.nearest {
                measures(&nearest.measures)
                nearest.failed = nearest.failed.map { $0.masked(by: masks, step: nil) }
                spell.nearest = nearest
            }
            return .spell(spell)
        case .gathering(var gathering):
            gathering.key = key(gathering.key)
            return .gathering(gathering)
        case .cluster(var cluster):
            cluster.key = key(cluster.key)
            for index in cluster.members.indices {
                measures(&cluster.members[index].measures)
                if masks.members { cluster.members[index].name = hidden }
                cluster.members[index].failed = cluster.members[index].failed.map {
                    $0.masked(by: masks, step: nil)
                }
            }
            return .cluster(cluster)
        case .nothing(let values, let miss): return .nothing(key: key(values), miss)
        }
    }
}
