import RuleModel

/// The state of a `correlation` over all its keys (C1 to C7).
struct CorrelationMachine: RuleMachine {
    private let rule: CorrelationRule
    /// By `KeySlot.index`.
    private var keys: [CorrelationKey?] = []
    /// What is learnt over all keys together (`pooled`).
    private var pooled: LiftHistory?

    init(rule: Int, correlation: CorrelationProgram, program: Program, limits: EngineLimits) {
        self.rule = CorrelationRule(rule: rule, correlation, in: program, limits: limits)
        if case .lift(let lift)? = correlation.strength, lift.isPooled {
            pooled = LiftHistory(lift, limit: self.rule.occurrencesMax)
        }
    }

    mutating func begin(at time: Timestamp, in context: inout MachineContext) {}

    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {
        withKey(key, in: &context) { state, pooled, rule, context in
            state.process(event, rule: rule, pooled: &pooled, key: key, in: &context)
        }
    }

    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {
        withKey(key, in: &context) { state, _, rule, context in
            state.fire(until: time, rule: rule, key: key, in: &context)
        }
    }

    mutating func forget(_ key: KeySlot) {
        if keys.indices.contains(key.index) { keys[key.index] = nil }
    }

    mutating func listChanged(_ list: ListID, in context: inout MachineContext) {}

    // The end of an episode says something that has begun; nothing waits for it alone.
    var openDeadlines: Int { 0 }

    /// Takes the state of a key out of the array while it works, so that nothing is copied, and asks
    /// for its next deadline afterwards, or gives the key back.
    private mutating func withKey(
        _ key: KeySlot, in context: inout MachineContext,
        _ body: (
            inout CorrelationKey, inout LiftHistory?, CorrelationRule, inout MachineContext
        ) -> Void
    ) {
        while keys.count <= key.index { keys.append(nil) }
        var taken: CorrelationKey?
        swap(&taken, &keys[key.index])
        var state = taken.take() ?? CorrelationKey(rule: rule)
        body(&state, &pooled, rule, &context)
        if state.isEmpty {
            context.release(key)
        } else {
            context.wake(key, at: state.nextInstant(rule: rule))
            keys[key.index] = consume state
        }
    }
}
