import RuleModel

/// How far a choice or run has come: the step that took the last event, and the state behind it.
struct Reached {
    var taken: [[CapturedEvent]]
    var step: Int
    var target: Int
    var last: CapturedEvent
    /// The places of the events taken among those searched; empty for a run.
    var places: [Int] = []
}

extension Attempt {
    /// An attempt with its events, and nothing about what is to come.
    init(
        _ taken: [[CapturedEvent]], key: [Value], _ outcome: Outcome, _ parts: SequenceParts
    ) {
        var steps: [Step] = []
        for (index, events) in taken.enumerated() {
            guard let first = events.first, let last = events.last else { continue }
            steps.append(
                Step(
                    name: parts.steps[index].name, count: events.count, first: first.time,
                    last: last.time, minimum: parts.steps[index].minimum))
        }
        steps.sort { $0.first < $1.first }
        self.init(
            key: key, first: taken.joined().map(\.time).min() ?? .distantPast, steps: steps,
            waitsFor: [], progress: 0, filled: 0, needed: 0, outcome: outcome, misses: [])
    }

    /// The same with what it waits for.
    ///
    /// - Parameter stepsToGo: That of the parts, which takes a while to find.
    init(
        _ reached: Reached, key: [Value], _ outcome: Outcome, _ parts: SequenceParts,
        stepsToGo: [Int]
    ) {
        self.init(reached.taken, key: key, outcome, parts)
        let count = reached.taken[reached.step].count
        let minimum = parts.steps[reached.step].minimum
        let isFull = count >= minimum
        filled = reached.taken.indices.count { index in
            !reached.taken[index].isEmpty
                && reached.taken[index].count >= parts.steps[index].minimum
        }
        let togo = stepsToGo[reached.target] + (isFull ? 0 : 1)
        let part = isFull ? 0 : Double(count) / Double(max(1, minimum))
        needed = filled + togo
        progress = (Double(filled) + part) / Double(max(1, needed))
        if !isFull {
            waitsFor = [parts.steps[reached.step].name]
        } else if togo > 0 {
            for transition in parts.shape.states[reached.target].groups.joined()
            where !waitsFor.contains(parts.steps[transition.step].name) {
                waitsFor.append(parts.steps[transition.step].name)
            }
        }
    }
}

extension SequenceParts {
    /// When what has come so far matches if nothing forbids it until then; nil: it needs more events.
    func matchTime(of reached: Reached) -> Timestamp? {
        guard !shape.trailingAbsences.isEmpty, shape.states[reached.target].isComplete,
            reached.taken[reached.step].count >= steps[reached.step].minimum
        else { return nil }
        return reached.last.instant + trailingSpan
    }

    /// Whether a step may still take an event.
    func mayTakeMore(_ reached: Reached) -> Bool {
        let most = steps[reached.step].maximum ?? .max
        return reached.taken[reached.step].count < most
            || !shape.states[reached.target].groups.joined().isEmpty
    }

    /// By state of the shape: the fewest steps from there to a complete match.
    var stepsToGo: [Int] {
        var togo = shape.states.map { $0.isComplete ? 0 : Int.max / 2 }
        var isChanging = true
        while isChanging {
            isChanging = false
            for (index, state) in shape.states.enumerated() {
                for transition in state.groups.joined() {
                    let through =
                        (steps[transition.step].minimum > 0 ? 1 : 0) + togo[transition.target]
                    if through < togo[index] {
                        togo[index] = through
                        isChanging = true
                    }
                }
            }
        }
        return togo
    }
}
