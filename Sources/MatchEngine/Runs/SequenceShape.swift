import RuleModel

/// The elements of a sequence made flat: between two steps a choice is in one of a few states, and
/// each state says which steps may come next.
///
/// Groups become states as well: `all of` three steps has one state for each set of steps still open.
struct SequenceShape: Sendable {
    /// A step that may come next.
    struct Transition: Sendable {
        /// Unique over all transitions of the sequence.
        var id: Int
        var step: Int
        /// The state when the step is done.
        var target: Int
        /// Steps of `without` that may not lie between the step before and this one, as bits.
        var withouts: UInt64
        var immediately: Bool
    }

    struct State: Sendable {
        /// Steps that may come next. A later group is tried when the earlier ones lead nowhere: it
        /// stands behind optional steps that are then left out. Within a group the earliest event
        /// counts, and of two steps that fit one event the first.
        var groups: [[Transition]]
        /// Whether everything that must happen has happened.
        var isComplete: Bool
        /// `without` between the last step and the end of a trailing absence.
        var finalWithouts: UInt64
        /// No step can follow.
        var isEnd: Bool { groups.isEmpty }
    }

    struct Absence: Sendable {
        var step: Int
        var span: TimeSpan
    }

    /// State 0 is the start.
    private(set) var states: [State] = []
    private(set) var transitions: [Transition] = []
    let leadingAbsences: [Absence]
    let trailingAbsences: [Absence]
    /// Steps with which a match can begin, and after which it can be complete, as bits.
    private(set) var firstSteps: UInt64 = 0
    private(set) var lastSteps: UInt64 = 0
    /// Steps that are taken by some transition, as bits.
    private(set) var takenSteps: UInt64 = 0
    /// Steps without which no match is complete.
    private(set) var mandatorySteps: [Int] = []
    /// A trailing repeated step with `until`: the match happens at the `until` event.
    let closesAtUntil: Bool

    init(_ sequence: SequenceProgram) {
        var elements = sequence.elements[...]
        var leading: [Absence] = []
        while case .absence(let step, let span)? = elements.first?.kind {
            leading.append(Absence(step: step.rawValue, span: span))
            elements.removeFirst()
        }
        var trailing: [Absence] = []
        while case .absence(let step, let span)? = elements.last?.kind {
            trailing.append(Absence(step: step.rawValue, span: span))
            elements.removeLast()
        }
        leadingAbsences = leading
        trailingAbsences = trailing
        if sequence.until != nil, trailing.isEmpty, case .step(let step)? = elements.last?.kind {
            closesAtUntil = sequence.steps[step.rawValue].isRepeated
        } else {
            closesAtUntil = false
        }
        var builder = Builder(steps: sequence.steps)
        builder.build(Array(elements))
        states = builder.states
        transitions = builder.transitions
        for transition in transitions {
            takenSteps |= 1 << UInt64(transition.step)
            if states[transition.target].isComplete { lastSteps |= 1 << UInt64(transition.step) }
        }
        for transition in states[0].groups.joined() { firstSteps |= 1 << UInt64(transition.step) }
        func addMandatory(_ element: ElementPlan) {
            switch element.kind {
            case .step(let step) where sequence.steps[step.rawValue].minimum > 0:
                mandatorySteps.append(step.rawValue)
            case .all(let parts): parts.forEach(addMandatory)
            case .step, .any, .absence, .without: break
            }
        }
        elements.forEach(addMandatory)
    }
}

/// Finds all states that can be reached, and numbers them.
private struct Builder {
    /// An element of the sequence or of a group.
    struct Node {
        var kind: Kind
        var immediately: Bool

        enum Kind {
            case step(Int)
            case without(Int)
            case all([Int])
            case any([Int])
        }
    }

    /// An element that is still to come; of an `all` the parts that are done, as bits.
    struct Item: Hashable {
        var node: Int
        var done: UInt64 = 0
    }

    /// A step that may come next, and what comes after it.
    struct Next {
        var step: Int
        var rest: [Item]
        var withouts: UInt64
        var immediately: Bool
    }

    let steps: [StepProgram]
    var nodes: [Node] = []
    var states: [SequenceShape.State] = []
    var transitions: [SequenceShape.Transition] = []
    private var numbers: [[Item]: Int] = [:]
    private var pending: [[Item]] = []

    init(steps: [StepProgram]) { self.steps = steps }

    mutating func build(_ elements: [ElementPlan]) {
        _ = number(of: elements.compactMap { add($0) }.map { Item(node: $0) })
        var next = 0
        while next < pending.count {
            let items = pending[next]
            next += 1
            var groups: [[SequenceShape.Transition]] = []
            let (found, isComplete, withouts) = following(items[...], withouts: 0)
            for group in found {
                groups.append(
                    group.map { following in
                        let transition = SequenceShape.Transition(
                            id: transitions.count, step: following.step,
                            target: number(of: following.rest), withouts: following.withouts,
                            immediately: following.immediately)
                        transitions.append(transition)
                        return transition
                    })
            }
            states.append(
                SequenceShape.State(
                    groups: groups, isComplete: isComplete, finalWithouts: withouts))
        }
    }

    private mutating func number(of items: [Item]) -> Int {
        if let known = numbers[items] { return known }
        numbers[items] = pending.count
        pending.append(items)
        return pending.count - 1
    }

    /// Nil for what has no meaning at this place (an absence in the middle), which the compiler
    /// does not let through.
    private mutating func add(_ element: ElementPlan) -> Int? {
        let kind: Node.Kind
        switch element.kind {
        case .step(let step): kind = .step(step.rawValue)
        case .without(let step): kind = .without(step.rawValue)
        case .all(let parts): kind = .all(parts.compactMap { add($0) })
        case .any(let parts): kind = .any(parts.compactMap { add($0) })
        case .absence: return nil
        }
        nodes.append(Node(kind: kind, immediately: element.immediately))
        return nodes.count - 1
    }

    private func following(
        _ items: ArraySlice<Item>, withouts: UInt64
    ) -> (groups: [[Next]], isComplete: Bool, withouts: UInt64) {
        guard let head = items.first else { return ([], true, withouts) }
        let tail = items.dropFirst()
        if case .without(let step) = nodes[head.node].kind {
            return following(tail, withouts: withouts | 1 << UInt64(step))
        }
        let own = beginnings(head).map { next in
            Next(
                step: next.step, rest: next.rest + tail, withouts: withouts | next.withouts,
                immediately: next.immediately)
        }
        guard isOptional(head) else { return ([own], false, 0) }
        let rest = following(tail, withouts: withouts)
        // As few as possible is none at all, if the rest lets it.
        if case .step(let step) = nodes[head.node].kind, steps[step].isReluctant {
            return (rest.groups + [own], rest.isComplete, rest.withouts)
        }
        return ([own] + rest.groups, rest.isComplete, rest.withouts)
    }

    /// The steps with which an item can begin.
    private func beginnings(_ item: Item) -> [Next] {
        let node = nodes[item.node]
        let parts: [Next]
        switch node.kind {
        case .without: return []
        case .step(let step):
            return [Next(step: step, rest: [], withouts: 0, immediately: node.immediately)]
        case .any(let children):
            parts = children.flatMap { beginnings(Item(node: $0)) }
        case .all(let children):
            let all = UInt64.max >> UInt64(64 - min(children.count, 64))
            parts = children.enumerated().flatMap { index, child -> [Next] in
                guard index < 64, item.done >> UInt64(index) & 1 == 0 else { return [] }
                let done = item.done | 1 << UInt64(index)
                let rest = done == all ? [] : [Item(node: item.node, done: done)]
                return beginnings(Item(node: child)).map { next in
                    Next(
                        step: next.step, rest: next.rest + rest, withouts: next.withouts,
                        immediately: next.immediately)
                }
            }
        }
        guard node.immediately, item.done == 0 else { return parts }
        return parts.map { next in
            var next = next
            next.immediately = true
            return next
        }
    }

    private func isOptional(_ item: Item) -> Bool {
        switch nodes[item.node].kind {
        case .without: return true
        case .step(let step): return steps[step].minimum == 0
        case .any(let children): return children.contains { isOptional(Item(node: $0)) }
        case .all(let children):
            return children.enumerated().allSatisfy { index, child in
                item.done >> UInt64(index) & 1 == 1 || isOptional(Item(node: child))
            }
        }
    }
}
