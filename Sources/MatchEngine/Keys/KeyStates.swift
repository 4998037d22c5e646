import RuleModel

/// What a machine knows of one key, and when it is to be looked at again.
protocol KeyState: Sendable {
    associatedtype Rule
    /// Whether nothing is left that could ever matter: then the key is given back.
    var isForgotten: Bool { get }
    /// The next instant at which something is due without an event.
    func nextInstant(rule: Rule) -> Timestamp
}

/// The states of a rule's keys, by `KeySlot.index`.
struct KeyStates<State: KeyState>: Sendable {
    private var states: [State?] = []

    subscript(key: KeySlot) -> State? {
        get { key.index < states.count ? states[key.index] : nil }
        set {
            if key.index >= states.count {
                if newValue == nil { return }
                makeRoom(for: key)
            }
            states[key.index] = newValue
        }
    }

    /// The states of all keys, in no order that means anything.
    var all: some Sequence<State> { states.lazy.compactMap { $0 } }

    /// Changes the state of a key in its place, then asks for its next deadline or gives the key back.
    ///
    /// - Parameter new: What a key has that has none.
    @inline(__always)
    mutating func change(
        _ key: KeySlot, _ rule: State.Rule, in context: inout MachineContext,
        new: () -> State, _ change: (inout State, inout MachineContext) -> Void
    ) {
        makeRoom(for: key)
        let next = KeyStates.change(&states[key.index], rule, in: &context, new: new, change)
        if let next {
            context.wake(key, at: next)
        } else {
            states[key.index] = nil
            context.release(key)
        }
    }

    /// Returns the next deadline; nil for a state that is forgotten. All through the one reference: to
    /// read an element of an array is to copy it.
    @inline(__always)
    private static func change(
        _ slot: inout State?, _ rule: State.Rule, in context: inout MachineContext,
        new: () -> State, _ change: (inout State, inout MachineContext) -> Void
    ) -> Timestamp? {
        switch slot {
        case .none: slot = new()
        case .some: break
        }
        return next(of: &slot!, rule) { change(&$0, &context) }
    }

    @inline(__always)
    private static func next(
        of state: inout State, _ rule: State.Rule, after change: (inout State) -> Void
    ) -> Timestamp? {
        change(&state)
        return state.isForgotten ? nil : state.nextInstant(rule: rule)
    }

    private mutating func makeRoom(for key: KeySlot) {
        while states.count <= key.index { states.append(nil) }
    }
}
