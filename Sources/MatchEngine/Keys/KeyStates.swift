import CPrefetch
import RuleModel

/// What a machine knows of one key, and when it is to be looked at again.
protocol KeyState: Sendable {
    associatedtype Rule
    /// Whether nothing is left that could ever matter: then the key is given back.
    var isForgotten: Bool { get }
    /// The next instant at which something is due without an event.
    func nextInstant(rule: Rule) -> Timestamp
}

/// The states of a rule's keys, side by side.
struct KeyStates<State: KeyState>: Sendable {
    private var states: [State] = []
    /// The slot of each state.
    private var slots: [Int32] = []
    /// By `KeySlot.index`: the place of the state, -1 without one. A state in place is changed without
    /// being copied, which it would be inside an optional.
    private var places: [Int32] = []

    /// Asks for the memory that says where the state of a key is, and for that of the state.
    @inline(__always)
    mutating func prefetchPlace(_ key: KeySlot) {
        guard key.index < places.count else { return }
        places.withUnsafeBufferPointer { prefetch($0.baseAddress.unsafelyUnwrapped + key.index) }
    }
    @inline(__always)
    mutating func prefetchState(_ key: KeySlot) {
        guard let place = place(of: key) else { return }
        states.withUnsafeBufferPointer { states in
            let state = UnsafeRawPointer(states.baseAddress.unsafelyUnwrapped + place)
            for line in stride(from: 0, to: MemoryLayout<State>.stride, by: 64) {
                prefetch(state + line)
            }
        }
    }

    /// The states of all keys, in no order that means anything.
    var all: [State] { states }

    subscript(key: KeySlot) -> State? {
        get { place(of: key).map { states[$0] } }
        set {
            switch (newValue, place(of: key)) {
            case (nil, nil): break
            case (nil, let place?): remove(place)
            case (let state?, let place?): states[place] = state
            case (let state?, nil): append(state, key)
            }
        }
    }

    /// Changes the state of a key in its place, then asks for its next deadline or gives the key back.
    ///
    /// - Parameter new: What a key has that has none.
    @inline(__always)
    mutating func change(
        _ key: KeySlot, _ rule: State.Rule, in context: inout MachineContext,
        new: () -> State, _ change: (inout State, inout MachineContext) -> Void
    ) {
        if place(of: key) == nil { append(new(), key) }
        let place = Int(places[key.index])
        let next = KeyStates.next(of: &states[place], rule) { change(&$0, &context) }
        if let next {
            context.wake(key, at: next)
        } else {
            remove(place)
            context.release(key)
        }
    }

    /// The next deadline of a state that has been changed; nil when it is forgotten. By reference: to
    /// read an element of an array is to copy it.
    @inline(__always)
    private static func next(
        of state: inout State, _ rule: State.Rule, after change: (inout State) -> Void
    ) -> Timestamp? {
        change(&state)
        return state.isForgotten ? nil : state.nextInstant(rule: rule)
    }

    private func place(of key: KeySlot) -> Int? {
        guard key.index < places.count, places[key.index] >= 0 else { return nil }
        return Int(places[key.index])
    }

    private mutating func append(_ state: State, _ key: KeySlot) {
        while places.count <= key.index { places.append(-1) }
        places[key.index] = Int32(states.count)
        slots.append(Int32(key.index))
        states.append(state)
    }

    /// The last state takes the place.
    private mutating func remove(_ place: Int) {
        places[Int(slots[place])] = -1
        states.swapAt(place, states.count - 1)
        slots.swapAt(place, slots.count - 1)
        states.removeLast()
        slots.removeLast()
        if place < slots.count { places[Int(slots[place])] = Int32(place) }
    }
}
