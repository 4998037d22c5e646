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
        /// What has to happen, by name.
        var name: String
        /// The events that do it; empty where the name says all.
        var event: String
        /// How much time it may take; empty without a limit.
        var limit: String
        var kind: Kind

        var label: String { event.isEmpty ? name : "\(name): \(event)" }
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
        case .correlation(let correlation):
            build(correlation, CorrelationWords(plan: correlation, text: text))
        case .anomaly, .metric: return nil
        }
    }

    private mutating func addState(_ name: String, _ kind: State.Kind) -> Int {
        states.append(State(name: name, kind: kind))
        return states.count - 1
    }

    private mutating func addEdge(
        _ from: Int, _ to: Int, _ name: String, _ event: String = "", limit: String = "",
        kind: Edge.Kind = .step
    ) {
        edges.append(Edge(from: from, to: to, name: name, event: event, limit: limit, kind: kind))
    }

    // MARK: - Sequence

    private mutating func build(_ plan: SequencePlan, _ text: PlanText) {
        if let within = plan.within { title += ", within \(within)" }
        title += plan.restartsOnRepeat ? ", restart on repeat" : ", overlap \(plan.overlap.words)"
        let words = SequenceWords(plan: plan, text: text)
        var state = addState("start", .start)
        var open: [Int] = []
        // What must not come on the way to the next step.
        var forbidden: [StepID] = []
        for (index, element) in plan.elements.enumerated() {
            if case .without(let step) = element.kind {
                forbidden.append(step)
                continue
            }
            // An absence in the first place is judged when the step behind it is filled.
            if index == 0, plan.elements.count > 1, case .absence = element.kind { continue }
            let isMatch = index == plan.elements.count - 1 && !plan.collectsUntil
            let next =
                isMatch ? addState("match", .match) : addState(words.stateName(element), .open)
            if state != 0 {
                for step in forbidden {
                    addEdge(
                        state, dropped(), "without \(words.name(step))", words.event(step),
                        kind: .drop)
                }
            }
            forbidden = []
            add(element, from: state, to: next, before: state == 0 ? plan.elements[0] : nil, words)
            if !isMatch { open.append(next) }
            state = next
        }
        if let until = plan.until {
            let (name, event) = ("until \(words.name(until))", words.event(until))
            if plan.collectsUntil {
                addEdge(open.removeLast(), addState("match", .match), name, event)
            }
            for state in open { addEdge(state, dropped(), name, event, kind: .drop) }
        }
        if plan.restartsOnRepeat, let first = open.first, let step = plan.takenSteps.first {
            for state in open { addEdge(state, first, "\(step.name) again", kind: .skip) }
        }
        if let within = plan.within {
            for state in open {
                addEdge(state, dropped(), "too old", limit: "after \(within)", kind: .drop)
            }
        }
    }

    private mutating func dropped() -> Int {
        states.firstIndex { $0.kind == .dropped } ?? addState("dropped", .dropped)
    }

    /// - Parameter before: The first element, for the first edge.
    private mutating func add(
        _ element: ElementPlan, from: Int, to: Int, before: ElementPlan?, _ words: SequenceWords
    ) {
        let next = element.immediately ? "the next event, " : ""
        var limits: [String] = []
        if case .absence(let id, let span)? = before?.kind, before != element {
            limits.append("no \(words.name(id)) for \(span) before")
        }
        switch element.kind {
        case .step(let id):
            let step = words.step(id)
            if let gap = step.gapLimit { limits.append("within \(gap)") }
            addEdge(
                from, to, next + words.counted(id), words.event(id),
                limit: limits.joined(separator: ", "))
            // In the last place a repeated step matches as soon as it has its minimum.
            if step.maximum != 1, states[to].kind != .match {
                addEdge(to, to, "more \(step.name)" + (step.maximum.map { ", up to \($0)" } ?? ""))
            }
            if step.minimum == 0 { addEdge(from, to, "\(step.name) left out", kind: .skip) }
        case .absence(let id, let span):
            addEdge(from, to, "no \(words.name(id))", words.event(id), limit: "for \(span)")
            addEdge(
                from, dropped(), words.name(id), words.event(id), limit: "within \(span)",
                kind: .drop)
        case .without: break
        case .all(let elements):
            let steps = elements.flatMap(\.takenSteps)
            addEdge(
                from, to, "\(next)all of \(steps.map(words.counted).joined(separator: ", "))",
                steps.map(words.event).joined(separator: "; "),
                limit: limits.joined(separator: ", "))
        case .any(let elements):
            for step in elements.flatMap(\.takenSteps) {
                addEdge(
                    from, to, next + words.counted(step), words.event(step),
                    limit: limits.joined(separator: ", "))
            }
        }
    }

    // MARK: - Correlation

    private mutating func build(_ plan: CorrelationPlan, _ words: CorrelationWords) {
        title += ", within \(plan.within)"
        let apart = addState("apart", .start)
        let together = addState("together", .match)
        let events = words.together.prefix(plan.members.count).joined(separator: "; ")
        addEdge(apart, together, words.requirement, events, limit: "within \(plan.within)")
        if plan.isOncePerEvent {
            addEdge(together, apart, "at once: what it took is used up", kind: .skip)
        } else {
            addEdge(together, together, "another member joins")
            addEdge(together, together, "further events", limit: "once a minute", kind: .skip)
            addEdge(together, apart, "resolved: no longer together")
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
            addEdge(pending, inactive, "not so for an instant", kind: .drop)
        } else {
            addEdge(inactive, firing, when + enough)
        }
        if let remind = plan.remindEvery {
            addEdge(firing, firing, "reminder", limit: "every \(remind)", kind: .skip)
        }
        let resolve = plan.resolveWhen.map { text.text($0) } ?? "not (\(when))"
        let limit = plan.resolveFor > .zero ? "for \(plan.resolveFor)" : ""
        addEdge(firing, inactive, "resolved: \(resolve)", limit: limit)
        switch plan.onNoData {
        case .resolve:
            addEdge(firing, inactive, "no data", limit: "for \(plan.staleAfter)", kind: .skip)
        case .fire:
            addEdge(inactive, firing, "no data", limit: "for \(plan.staleAfter)", kind: .skip)
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
        let step = step(id)
        let conditions = [step.eventCondition, step.runCondition].compactMap { $0 }.flatMap(
            conjuncts)
        let name = plan.inputs[step.input].name
        return conjunction(conditions).map { "\(name) where \(text.text($0))" } ?? name
    }

    /// `at least 5 fails`
    func counted(_ id: StepID) -> String {
        (step(id).quantityWords.map { "\($0) " } ?? "") + name(id)
    }

    /// `at least 5 fails: ssh.login where outcome == "failure"`
    func labelled(_ id: StepID) -> String { "\(counted(id)): \(event(id))" }

    func step(_ id: StepID) -> StepPlan { plan.steps[id.rawValue] }

    func name(_ id: StepID) -> String { step(id).name }

    func stateName(_ element: ElementPlan) -> String {
        switch element.kind {
        case .step(let step), .absence(let step, _), .without(let step): name(step)
        case .all(let elements): elements.flatMap(\.takenSteps).map(name).joined(separator: " and ")
        case .any(let elements): elements.flatMap(\.takenSteps).map(name).joined(separator: " or ")
        }
    }
}
