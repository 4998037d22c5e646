import RuleModel

/// A rule as a machine that people can look at: states, and what leads from one to the next.
///
/// `explain` prints it as a table and `graph` as a picture. It shows what a run goes through; the
/// engine may get to the same matches by other means.
struct Machine {
    struct State {
        enum Kind { case start, open, match, dropped }

        var name: String
        var kind: Kind
    }

    struct Edge {
        enum Kind { case step, skip, drop }

        var from: Int
        var to: Int
        /// What has to happen.
        var label: String
        /// How much time it may take; empty without a limit.
        var limit: String
        var kind: Kind
    }

    var states: [State] = []
    var edges: [Edge] = []
    /// What holds for the machine as a whole, for example `within 5m by src_ip, host`.
    var title: String

    /// Nil for a kind that is not run.
    init?(_ plan: RulePlan, tables: RuleSetTables) {
        let text = PlanText(plan, tables: tables)
        title = plan.name
        if !plan.keyNames.isEmpty { title += " by \(plan.keyNames.joined(separator: ", "))" }
        switch plan.pattern {
        case .sequence(let sequence): build(sequence, text)
        case .threshold(let threshold): build(threshold, text)
        case .notRun: return nil
        }
    }

    private mutating func addState(_ name: String, _ kind: State.Kind) -> Int {
        states.append(State(name: name, kind: kind))
        return states.count - 1
    }

    private mutating func addEdge(
        _ from: Int, _ to: Int, _ label: String, limit: String = "", _ kind: Edge.Kind = .step
    ) {
        edges.append(Edge(from: from, to: to, label: label, limit: limit, kind: kind))
    }

    // MARK: - Sequence

    private mutating func build(_ plan: SequencePlan, _ text: PlanText) {
        if let within = plan.within { title += ", within \(within)" }
        title += ", overlap \(plan.overlap.words)"
        let words = SequenceWords(plan: plan, text: text)
        var state = addState("start", .start)
        var first: Int?
        // What must not come on the way to the next step.
        var forbidden: [(name: String, words: String)] = []
        var open: [Int] = []
        for (index, element) in plan.elements.enumerated() {
            let isLast = index == plan.elements.count - 1
            if case .without(let step) = element.kind {
                forbidden.append((plan.steps[step.rawValue].name, words.event(step)))
                continue
            }
            let endsWithUntil = isLast && plan.collectsUntil
            let next =
                isLast && !endsWithUntil
                ? addState("match", .match) : addState(words.stateName(element), .open)
            if state != 0 {
                open.append(state)
                for entry in forbidden {
                    addEdge(state, dropped(), "without \(entry.name): \(entry.words)", .drop)
                }
            }
            forbidden = []
            add(element, from: state, to: next, isFirst: index == 0, plan, words)
            if first == nil { first = next }
            state = next
        }
        if let until = plan.until {
            let label = "until \(plan.steps[until.rawValue].name): \(words.event(until))"
            if plan.collectsUntil { addEdge(state, addState("match", .match), label) }
            for state in open { addEdge(state, dropped(), label, .drop) }
        }
        if plan.restartsOnRepeat, let first, open.contains(first),
            let step = plan.elements.first?.takenSteps.first
        {
            let name = plan.steps[step.rawValue].name
            for state in open where state != first { addEdge(state, first, "\(name) again", .skip) }
            addEdge(first, first, "\(name) again", .skip)
        }
        if let within = plan.within {
            for state in open { addEdge(state, dropped(), "too old", limit: "after \(within)", .drop) }
        }
    }

    private mutating func dropped() -> Int {
        states.firstIndex { $0.kind == .dropped } ?? addState("dropped", .dropped)
    }

    private mutating func add(
        _ element: ElementPlan, from: Int, to: Int, isFirst: Bool, _ plan: SequencePlan,
        _ words: SequenceWords
    ) {
        let next = element.immediately ? "the next event, " : ""
        switch element.kind {
        case .step(let id):
            let step = plan.steps[id.rawValue]
            let limit = step.gapLimit.map { "within \($0)" } ?? ""
            addEdge(from, to, next + words.labelled(id), limit: limit)
            // In the last place a repeated step matches as soon as it has its minimum.
            if step.maximum != 1, states[to].kind != .match {
                let most = step.maximum.map { ", up to \($0)" } ?? ""
                addEdge(to, to, "more \(step.name)\(most)")
            }
            if step.minimum == 0 { addEdge(from, to, "\(step.name) left out", .skip) }
        case .absence(let id, let span):
            let name = plan.steps[id.rawValue].name
            if isFirst {
                addEdge(from, to, "no \(name): \(words.event(id))", limit: "for \(span) before")
            } else {
                addEdge(from, to, "no \(name): \(words.event(id))", limit: "for \(span)")
                addEdge(from, dropped(), words.labelled(id), limit: "within \(span)", .drop)
            }
        case .without: break
        case .all(let elements):
            let labels = elements.flatMap(\.takenSteps).map(words.labelled)
            addEdge(from, to, "\(next)all of, in any order: \(labels.joined(separator: "; "))")
        case .any(let elements):
            for step in elements.flatMap(\.takenSteps) { addEdge(from, to, next + words.labelled(step)) }
        }
    }

    // MARK: - Threshold

    private mutating func build(_ plan: ThresholdPlan, _ text: PlanText) {
        title += ", window \(plan.window.words)"
        let inactive = addState("inactive", .start)
        let firing = addState("firing", .match)
        let when = text.text(plan.when)
        let enough = plan.minimumEvents > 0 ? " with at least \(plan.minimumEvents) events" : ""
        if plan.holdFor > .zero {
            let pending = addState("pending", .open)
            addEdge(inactive, pending, when + enough)
            addEdge(pending, firing, "still so", limit: "for \(plan.holdFor)")
            addEdge(pending, inactive, "not so for an instant", .drop)
        } else {
            addEdge(inactive, firing, when + enough)
        }
        if let remind = plan.remindEvery {
            addEdge(firing, firing, "reminder", limit: "every \(remind)", .skip)
        }
        let resolve = plan.resolveWhen.map { text.text($0) } ?? "not (\(when))"
        let limit = plan.resolveFor > .zero ? "for \(plan.resolveFor)" : ""
        addEdge(firing, inactive, "resolved: \(resolve)", limit: limit)
        switch plan.onNoData {
        case .resolve: addEdge(firing, inactive, "no data", limit: "for \(plan.staleAfter)", .skip)
        case .fire: addEdge(inactive, firing, "no data", limit: "for \(plan.staleAfter)", .skip)
        case .keep: break
        }
    }
}

extension SequencePlan {
    /// Whether the last step takes events until the `until` event comes, which is then the match.
    fileprivate var collectsUntil: Bool {
        guard until != nil, case .step(let last)? = elements.last?.kind else { return false }
        return steps[last.rawValue].maximum != 1
    }
}

/// Events and steps of a sequence in words.
struct SequenceWords {
    let plan: SequencePlan
    let text: PlanText

    /// `ssh.login where outcome == "failure"`
    func event(_ id: StepID) -> String {
        let step = plan.steps[id.rawValue]
        let conditions = [step.eventCondition, step.runCondition].compactMap { $0 }.flatMap(conjuncts)
        let name = plan.inputs[step.input].name
        return conjunction(conditions).map { "\(name) where \(text.text($0))" } ?? name
    }

    /// `at least 5 fails: ssh.login where outcome == "failure"`
    func labelled(_ id: StepID) -> String {
        let step = plan.steps[id.rawValue]
        let quantity = step.quantityWords.map { "\($0) " } ?? ""
        return "\(quantity)\(step.name): \(event(id))"
    }

    func stateName(_ element: ElementPlan) -> String {
        switch element.kind {
        case .step(let step), .absence(let step, _), .without(let step): plan.steps[step.rawValue].name
        case .all(let elements):
            "all of \(elements.flatMap(\.takenSteps).map { plan.steps[$0.rawValue].name }.joined(separator: ", "))"
        case .any(let elements):
            "any of \(elements.flatMap(\.takenSteps).map { plan.steps[$0.rawValue].name }.joined(separator: ", "))"
        }
    }
}
