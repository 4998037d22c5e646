import RuleModel

/// The measures of one key at one instant, as expressions see them.
struct ThresholdTerms: TermContext {
    let instant: Timestamp
    let keyValues: [Value]
    /// The measures of now.
    let measures: [Value]
    let pastTimes: [Term.MeasureTime]
    /// For each of `pastTimes` all measures; those that nobody asks for are missing.
    let pastMeasures: [[Value]]

    func key(_ index: Int) -> Value {
        keyValues.indices.contains(index) ? keyValues[index] : .missing
    }

    func measure(_ index: Int, _ time: Term.MeasureTime) -> Value {
        guard measures.indices.contains(index) else { return .missing }
        if time == .now { return measures[index] }
        guard let past = pastTimes.firstIndex(of: time) else { return .missing }
        return pastMeasures[past][index]
    }

    func fact(_ fact: MatchFact) -> Value { fact == .matchedAt ? .time(instant) : .missing }
}
