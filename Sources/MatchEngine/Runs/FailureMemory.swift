/// What a search has tried in vain, so that it is not tried again as long as nothing has changed on
/// which the outcome depended.
struct FailureMemory {
    private struct Attempt: Hashable {
        var transition: Int
        var place: Int
    }

    /// When each step was last bound or let go.
    private var changedAt: [Int] = []
    private var clock = 0
    /// For each transition from which place on its step cannot begin, and for which version.
    private var failedFrom: [(place: Int, version: Int)] = []
    private var failedAt: [Attempt: Int] = [:]

    private var isUsed = false

    /// Forgets everything.
    ///
    /// - Parameter isUsed: False: nothing is remembered from now on.
    mutating func begin(steps: Int, transitions: Int, isUsed: Bool) {
        self.isUsed = isUsed
        guard isUsed else { return }
        clock = 0
        changedAt.removeAll(keepingCapacity: true)
        changedAt.append(contentsOf: repeatElement(0, count: steps))
        failedFrom.removeAll(keepingCapacity: true)
        failedFrom.append(
            contentsOf: repeatElement((place: Int.max, version: 0), count: transitions))
        failedAt.removeAll(keepingCapacity: failedAt.count < 1_000)
    }

    /// The events that a step has taken are others now.
    mutating func noteChange(ofStep step: Int) {
        guard isUsed else { return }
        clock += 1
        changedAt[step] = clock
    }

    /// Whether the step of a transition is known to fail at a place.
    func hasFailed(
        _ transition: SequenceShape.Transition, at place: Int,
        _ dependency: SequenceParts.Dependency
    ) -> Bool {
        guard isUsed else { return false }
        let version = version(dependency)
        let failed = failedFrom[transition.id]
        if place >= failed.place, failed.version == version { return true }
        return !failedAt.isEmpty
            && failedAt[Attempt(transition: transition.id, place: place)] == version
    }

    mutating func noteFailure(
        _ transition: SequenceShape.Transition, at place: Int,
        _ dependency: SequenceParts.Dependency, isEnd: Bool
    ) {
        guard isUsed else { return }
        let version = version(dependency)
        if dependency.failsFromThereOn {
            failedFrom[transition.id] = (place, version)
        } else if !isEnd {
            failedAt[Attempt(transition: transition.id, place: place)] = version
        }
    }

    /// The time of the latest change among the steps that an outcome depends on.
    private func version(_ dependency: SequenceParts.Dependency) -> Int {
        var version = 0
        var rest = dependency.steps
        while rest != 0 {
            version = max(version, changedAt[rest.trailingZeroBitCount])
            rest &= rest - 1
        }
        return version
    }
}
