import RuleModel

/// What a rule may keep when nothing else is said (T9).
public enum StateDefaults {
    /// Events of one run, or candidate events of one key.
    public static let eventsPerRun = 1_000
    /// Events in one window of one key. More than of a run, since a count may well ask for them.
    public static let eventsPerWindow = 1_000_000
    /// Values of one bucket for which a percentile is exact (H3); a sketch of more takes no more room.
    public static let exactValues = 10_000
    /// Occurrences of one member whose outcome a lift counts.
    public static let occurrences = 10_000
    /// Open runs of one key where every start opens one.
    public static let runsPerKey = 1_000
    public static let keys = 100_000
    /// Members of one group of an anomaly cluster.
    public static let membersPerGroup = 1_000
    /// Different values of one `distinct` in one bucket of a metric.
    public static let distinctValues = 100_000
}

/// The plan with its bound worked out.
///
/// - Parameter engine: What the `engine` block says about keys and events.
public func bounded(_ plan: RulePlan, tables: RuleSetTables, engine: EnginePlan) -> RulePlan {
    var plan = plan
    var keys = plan.keyNames.isEmpty ? 1 : max(1, engine.keysPerRule ?? StateDefaults.keys)
    if let list = plan.keyList {
        // Keys not in the list are kept as well, so a short list is no smaller bound.
        keys = max(keys, tables.lists[list.rawValue].values.count)
    }
    let events = engine.eventsPerKey ?? StateDefaults.eventsPerRun
    let size: (runs: Int, events: Int, eventBytes: Int)
    var runBytes = 64
    switch plan.pattern {
    case .sequence(let sequence):
        size = sequenceSize(sequence, keeping: events)
        // A run, in an array with room for twice as many, and the events of each of its steps.
        runBytes = 320 + 64 * sequence.steps.count
    case .threshold(let threshold): size = thresholdSize(threshold)
    case .correlation(let correlation): size = correlationSize(correlation, keeping: events)
    case .anomaly(let anomaly):
        size = anomalySize(anomaly)
        runBytes = memberBytes(anomaly)
    case .metric(let metric): size = metricSize(metric)
    }
    runBytes = saturatingSum(runBytes, historyBytes(plan.pattern))
    let (eventBytes, overflow) = size.events.multipliedReportingOverflow(by: size.eventBytes)
    let perRun = overflow ? Int.max / 2 : saturatingSum(eventBytes, runBytes)
    let (bytes, tooMuch) = max(1, size.runs).multipliedReportingOverflow(by: perRun)
    plan.bound = StateBound(
        runsPerKey: size.runs, eventsPerRun: size.events, keys: keys,
        bytesPerKey: size.runs == 0 ? 0 : tooMuch ? .max : saturatingSum(bytes, keyBytes))
    return plan
}

/// A table entry, the values of the key, a deadline and the time of last use.
private let keyBytes = 256

private func sequenceSize(
    _ plan: SequencePlan, keeping events: Int
) -> (runs: Int, events: Int, eventBytes: Int) {
    if plan.isStateless { return (0, 0, 0) }
    let taken = plan.takenSteps
    // Candidates of absences and of `without` are kept too; of them only the times matter.
    let eventBytes = bytes(ofEventWith: plan.steps.map(\.captured.count).max() ?? 0)
    let needed = taken.reduce(0) { saturatingSum($0, $1.minimum) }
    let most = taken.reduce(Int?.some(0)) { sum, step in
        guard let sum, let maximum = step.maximum else { return nil }
        return saturatingSum(sum, maximum)
    }
    let limit = max(events, saturatingSum(needed, needed))
    let perRun = min(most ?? limit, limit)
    if plan.restartsOnRepeat { return (1, perRun, eventBytes) }
    switch plan.overlap {
    // No runs but one buffer of candidate events, searched when an event may complete a match.
    case .none, .all: return (plan.runLimit ?? 1, limit, eventBytes)
    case .latest: return (min(plan.runLimit ?? .max, max(1, taken.count - 1)), perRun, eventBytes)
    case .each: return (plan.runLimit ?? StateDefaults.runsPerKey, perRun, eventBytes)
    }
}

private func thresholdSize(
    _ plan: ThresholdPlan
) -> (runs: Int, events: Int, eventBytes: Int) {
    // An event of a window is two times, the conditions that it passes, and the values of the measures.
    // Each is in a queue, which may have room for four times what is in it.
    let eventBytes = plan.measures.reduce(4 * (2 * 8 + 8)) { sum, measure in
        let value = measure.argument == nil ? 0 : 4 * 24
        return sum + value + bytesPerSample(of: measure.function)
    }
    let events: Int
    switch plan.window.kind {
    case .last(let count): events = max(1, count)
    case .sliding, .tumbling, .hopping, .session: events = StateDefaults.eventsPerWindow
    }
    return (1, events, eventBytes)
}

/// What a measure keeps of an event while it is in the window, besides its value.
private func bytesPerSample(of function: AggregateFunction) -> Int {
    switch function {
    case .count, .sum, .avg, .last: 0
    // Those that may yet become the measure, in a queue.
    case .min, .max: 4 * 32
    case .first, .rate: 4 * 40
    case .percentile: 2 * 8
    // A value, how often it came, and the room of a table that is half full.
    case .distinct: 96
    }
}

private func correlationSize(
    _ plan: CorrelationPlan, keeping events: Int
) -> (runs: Int, events: Int, eventBytes: Int) {
    let fields = plan.members.map(\.captured.count).max() ?? 0
    return (1, events, bytes(ofEventWith: fields))
}

/// What a strength keeps of a key besides the events of the window.
private func historyBytes(_ pattern: PatternPlan) -> Int {
    guard case .correlation(let plan) = pattern else { return 0 }
    func count(_ whole: TimeSpan, _ part: TimeSpan) -> Int {
        Int(clamping: whole.nanoseconds / max(1, part.nanoseconds)) + 2
    }
    let members = 512 + 128 * plan.members.count
    switch plan.strength {
    case .lift(let lift) where !lift.isPooled:
        let occurrences = 4 * 16 * StateDefaults.occurrences
        return saturatingSum(members + occurrences, 4 * 32 * count(lift.over, lift.lag))
    case .movement(let movement):
        return saturatingSum(members, 2 * 4 * 16 * count(movement.over, movement.step))
    case .lift, nil: return members
    }
}

/// The values of the baselines of all members of a group. A value is kept with its bucket, in 24 bytes,
/// and as many again may wait to be let go.
private func anomalySize(_ plan: AnomalyPlan) -> (runs: Int, events: Int, eventBytes: Int) {
    let every = max(1, plan.every.nanoseconds)
    let values: Int
    switch plan.baseline {
    // Anomalous values wait beside the others until they are admitted.
    case .last(let count):
        values = saturatingSum(count, Int(clamping: plan.adaptAfter.nanoseconds / every))
    case .seasonal(_, let over): values = Int(clamping: over.nanoseconds / every)
    }
    return (StateDefaults.membersPerGroup, values, 48 * plan.series.count)
}

/// A member besides its baselines: its name, what it is known for in a cluster, its last judgements, and
/// each measure over the bucket that is filling.
private func memberBytes(_ plan: AnomalyPlan) -> Int {
    plan.series.reduce(saturatingSum(640, plan.outOf)) { sum, series in
        let bucket =
            switch series.measure.function {
            case .count, .sum, .avg, .min, .max, .first, .last: 160
            case .rate: 512
            // Numbers in order, before a sketch takes over.
            case .percentile: 160 + 8 * 2 * StateDefaults.exactValues
            case .distinct: 160 + 64 * StateDefaults.eventsPerWindow
            }
        return saturatingSum(sum, bucket)
    }
}

/// The aggregates of the open buckets, and what the forecasts remember. One "run" is all of it.
private func metricSize(_ plan: MetricPlan) -> (runs: Int, events: Int, eventBytes: Int) {
    let bucket = plan.measures.reduce(64) { sum, measure in
        saturatingSum(sum, bytes(of: measure.function))
    }
    // A bucket that has ended may have to stay until the watermark is past it.
    let (buckets, overflow) = bucket.multipliedReportingOverflow(by: plan.window.openBuckets + 1)
    guard !overflow, let step = plan.window.bucketStep, step > .zero else {
        return (1, 1, overflow ? .max / 2 : buckets)
    }
    let forecasts = plan.forecasts.reduce(0) { sum, forecast in
        let ahead = forecast.horizon.nanoseconds / step.nanoseconds
        let season = (forecast.season?.span.nanoseconds ?? 0) / step.nanoseconds
        // For each of two ways: predictions that wait, the latest errors twice, and the season.
        let values = saturatingSum(
            8 * Int(clamping: ahead), saturatingSum(1_600, 2 * Int(clamping: season)))
        let (bytes, overflow) = values.multipliedReportingOverflow(by: 16)
        return saturatingSum(sum, overflow ? .max / 2 : bytes)
    }
    return (1, 1, saturatingSum(buckets, forecasts))
}

/// What one aggregate of a bucket keeps at most.
private func bytes(of function: AggregateFunction) -> Int {
    switch function {
    case .count, .last: 64
    case .sum, .avg, .min, .max, .first: 192
    case .rate: 512
    // As many numbers as are exact; the sketch behind them is smaller.
    case .percentile: 2 * 8 * 11_000
    // A value, how often it came, and the room of a table that is half full; texts have bytes of their own.
    case .distinct: StateDefaults.distinctValues * 96
    }
}

/// An event with so many captured fields. It is in a queue, which may have room for four times what is in
/// it; its values have memory of their own, and so may each text.
private func bytes(ofEventWith fields: Int) -> Int { 4 * 56 + 32 + 64 * fields }

private func saturatingSum(_ left: Int, _ right: Int) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
}

extension SequencePlan {
    /// The steps whose events a match holds, in order; `without`, absences and `until` are not.
    var takenSteps: [StepPlan] { elements.flatMap(\.takenSteps).map { steps[$0.rawValue] } }

    /// Whether one event alone decides: a single step that takes a single event.
    var isStateless: Bool {
        guard elements.count == 1, until == nil, case .step(let step) = elements[0].kind else {
            return false
        }
        return steps[step.rawValue].maximum == 1 && !elements[0].immediately
    }
}

extension ElementPlan {
    var takenSteps: [StepID] {
        switch kind {
        case .step(let step): [step]
        case .absence, .without: []
        case .all(let elements), .any(let elements): elements.flatMap(\.takenSteps)
        }
    }
}
