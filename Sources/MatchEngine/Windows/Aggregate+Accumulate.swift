import RuleModel

extension Aggregate {
    /// Takes a sample that will never leave again: only what the value needs is kept.
    ///
    /// - Precondition: no sample of this aggregate is ever removed.
    mutating func accumulate(_ sample: Sample) {
        switch consume self {
        case .extreme(var extreme):
            extreme.accumulate(sample)
            self = .extreme(extreme)
        case .rate(var rate):
            rate.accumulate(sample)
            self = .rate(rate)
        case .first(var samples):
            if samples.isEmpty, !sample.value.isMissing { samples.append(sample) }
            self = .first(samples)
        case let other:
            self = other
            add(sample)
        }
    }

    /// Whether a `distinct` that may hold so many different values has no room for one more.
    func isFull(_ limit: Int, for value: Value) -> Bool {
        guard case .distinct(let counts) = self, counts.count >= limit else { return false }
        return value.canonical.map { counts[$0] == nil } ?? false
    }
}
