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
        test.left = Masks.hidden
        if test.right != nil { test.right = Masks.hidden }
        return test
    }
}

extension Masks {
    /// What stands in the place of a value.
    static let hidden = Value.text("***")

    func masked(key: [Value]) -> [Value] {
        key.enumerated().map { keys.contains($0) ? Masks.hidden : $1 }
    }

    fileprivate func mask(_ values: inout [Alert.NamedValue]) {
        for index in values.indices where measures.contains(index) {
            values[index].value = Masks.hidden
        }
    }
}

extension Spell.Judgement {
    func masked(by masks: Masks) -> Self {
        var judgement = self
        masks.mask(&judgement.measures)
        judgement.failed = failed.map { $0.masked(by: masks, step: nil) }
        return judgement
    }
}

extension Observation {
    func masked(by masks: Masks) -> Observation {
        switch self {
        case .attempt(var attempt):
            attempt.key = masks.masked(key: attempt.key)
            return .attempt(attempt)
        case .spell(var spell):
            spell.key = masks.masked(key: spell.key)
            spell.nearest = spell.nearest?.masked(by: masks)
            return .spell(spell)
        case .gathering(var gathering):
            gathering.key = masks.masked(key: gathering.key)
            return .gathering(gathering)
        case .cluster(var cluster):
            cluster.key = masks.masked(key: cluster.key)
            for index in cluster.members.indices {
                masks.mask(&cluster.members[index].measures)
                if masks.members { cluster.members[index].name = Masks.hidden }
                cluster.members[index].failed = cluster.members[index].failed.map {
                    $0.masked(by: masks, step: nil)
                }
            }
            return .cluster(cluster)
        case .nothing(let values, let miss):
            return .nothing(key: masks.masked(key: values), miss)
        }
    }
}
