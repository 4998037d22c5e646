import RuleModel

extension GeneratedCase {
    /// A case that fails in the same way and has nothing left that can be taken away.
    public func shrunk(while fails: (GeneratedCase) -> Bool) -> GeneratedCase {
        var smallest = self
        var progress = true
        while progress {
            progress = false
            for candidate in smallest.simpler() where fails(candidate) {
                smallest = candidate
                progress = true
                break
            }
        }
        return smallest
    }

    /// Cases with one thing less, the boldest first.
    private func simpler() -> [GeneratedCase] {
        var cases: [GeneratedCase] = []
        for index in events.indices {
            var next = self
            next.events.remove(at: index)
            cases.append(next)
        }
        for pattern in rule.pattern.simpler() {
            var next = self
            next.rule.pattern = pattern
            cases.append(next)
        }
        for index in events.indices {
            for field in events[index].fields.keys.sorted()
            where field != "n" && events[index].fields[field] != nil {
                var next = self
                next.events[index].fields[field] = nil
                cases.append(next)
            }
        }
        // Less time between two events.
        for index in events.indices where index > 0 && events[index].time > events[index - 1].time {
            var next = self
            for later in index..<events.count {
                next.events[later].time = events[later].time - .second
            }
            next.end = end - .second
            cases.append(next)
        }
        if let last = events.last, end > last.time + .second {
            var next = self
            next.end = end - .second
            cases.append(next)
        }
        return cases
    }
}

extension GeneratedRule.Pattern {
    fileprivate func simpler() -> [GeneratedRule.Pattern] {
        switch self {
        case .sequence(let sequence): return sequence.simpler().map { .sequence($0) }
        case .threshold(let threshold): return threshold.simpler().map { .threshold($0) }
        case .correlation(let correlation): return correlation.simpler().map { .correlation($0) }
        case .condition: return []
        }
    }
}

extension GeneratedSequence {
    fileprivate func simpler() -> [GeneratedSequence] {
        var rules: [GeneratedSequence] = []
        for index in elements.indices where elements.count > 1 {
            var next = self
            next.elements.remove(at: index)
            rules.append(next)
        }
        if until != nil {
            var next = self
            next.until = nil
            rules.append(next)
        }
        if !policy.isEmpty {
            var next = self
            next.policy = ""
            rules.append(next)
        }
        for index in elements.indices {
            for element in elements[index].simpler() {
                var next = self
                next.elements[index] = element
                rules.append(next)
            }
        }
        for step in until?.simpler() ?? [] {
            var next = self
            next.until = step
            rules.append(next)
        }
        return rules
    }
}

extension GeneratedElement {
    fileprivate func simpler() -> [GeneratedElement] {
        switch self {
        case .step(let step, let immediately):
            let plain: [GeneratedElement] = immediately ? [.step(step, immediately: false)] : []
            return plain + step.simpler().map { .step($0, immediately: immediately) }
        case .all(let steps): return GeneratedElement.fewer(steps).map { .all($0) }
        case .any(let steps): return GeneratedElement.fewer(steps).map { .any($0) }
        case .without(let step): return step.simpler().map { .without($0) }
        case .absence(let step, let span): return step.simpler().map { .absence($0, span) }
        }
    }

    private static func fewer(_ steps: [GeneratedStep]) -> [[GeneratedStep]] {
        var lists: [[GeneratedStep]] = []
        for index in steps.indices {
            var rest = steps
            rest.remove(at: index)
            if rest.count > 1 { lists.append(rest) }
            for step in steps[index].simpler() {
                var next = steps
                next[index] = step
                lists.append(next)
            }
        }
        return lists
    }
}

extension GeneratedStep {
    fileprivate func simpler() -> [GeneratedStep] {
        var steps: [GeneratedStep] = []
        for index in conditions.indices {
            var next = self
            next.conditions.remove(at: index)
            steps.append(next)
        }
        if gap != nil {
            var next = self
            next.gap = nil
            steps.append(next)
        }
        if isReluctant {
            var next = self
            next.isReluctant = false
            steps.append(next)
        }
        return steps
    }
}

extension GeneratedThreshold {
    fileprivate func simpler() -> [GeneratedThreshold] {
        var rules: [GeneratedThreshold] = []
        for index in options.indices {
            var next = self
            next.options.remove(at: index)
            rules.append(next)
        }
        if holdFor != nil {
            var next = self
            next.holdFor = nil
            rules.append(next)
        }
        if atLeast != nil {
            var next = self
            next.atLeast = nil
            rules.append(next)
        }
        if resolve != nil {
            var next = self
            next.resolve = nil
            next.resolveFor = nil
            rules.append(next)
        }
        if measures.count > 1 {
            var next = self
            next.measures.removeLast()
            rules.append(next)
        }
        return rules
    }
}

extension GeneratedCorrelation {
    fileprivate func simpler() -> [GeneratedCorrelation] {
        var rules: [GeneratedCorrelation] = []
        for index in clauses.indices {
            var next = self
            next.clauses.remove(at: index)
            rules.append(next)
        }
        // A member that a clause names stays: the rule would not compile.
        for index in members.indices where members.count > 2 {
            var next = self
            next.members.remove(at: index)
            rules.append(next)
        }
        for index in members.indices where !members[index].conditions.isEmpty {
            var next = self
            next.members[index].conditions.removeLast()
            rules.append(next)
        }
        return rules
    }
}
