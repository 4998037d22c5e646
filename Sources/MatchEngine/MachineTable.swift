import RuleModel

/// The machines of all rules, by index into `Program.rules`.
///
/// Machines of one kind lie in one array, so that a call is a call and not a look through a box.
struct MachineTable: Sendable {
    private enum Place: Sendable {
        case oneEvent(Int)
        case sequence(Int)
        case threshold(Int)
        case correlation(Int)
        case anomaly(Int)
        case metric(Int)
    }

    private var places: [Place] = []
    private var oneEvents: [OneEventMachine] = []
    private var sequences: [SequenceMachine] = []
    private var thresholds: [ThresholdMachine] = []
    private var correlations: [CorrelationMachine] = []
    private var anomalies: [AnomalyMachine] = []
    private var metrics: [MetricMachine] = []

    init(program: Program, limits: EngineLimits) {
        places.reserveCapacity(program.rules.count)
        for (index, rule) in program.rules.enumerated() {
            switch rule.pattern {
            case .sequence(let sequence) where OneEventMachine.keeps(sequence):
                places.append(.oneEvent(oneEvents.count))
                oneEvents.append(OneEventMachine(rule: index))
            case .sequence(let sequence):
                places.append(.sequence(sequences.count))
                sequences.append(
                    SequenceMachine(
                        rule: index, sequence: sequence, program: program, limits: limits))
            case .threshold:
                places.append(.threshold(thresholds.count))
                thresholds.append(ThresholdMachine(rule: index, program: program, limits: limits))
            case .correlation(let correlation):
                places.append(.correlation(correlations.count))
                correlations.append(
                    CorrelationMachine(
                        rule: index, correlation: correlation, program: program, limits: limits))
            case .anomaly(let anomaly):
                places.append(.anomaly(anomalies.count))
                anomalies.append(
                    AnomalyMachine(
                        rule: index, anomaly: anomaly, program: program, limits: limits))
            case .metric:
                places.append(.metric(metrics.count))
                metrics.append(MetricMachine(rule: index))
            }
        }
    }

    var count: Int { places.count }

    mutating func begin(_ rule: Int, at time: Timestamp, in context: inout MachineContext) {
        switch places[rule] {
        case .oneEvent(let index): oneEvents[index].begin(at: time, in: &context)
        case .sequence(let index): sequences[index].begin(at: time, in: &context)
        case .threshold(let index): thresholds[index].begin(at: time, in: &context)
        case .correlation(let index): correlations[index].begin(at: time, in: &context)
        case .anomaly(let index): anomalies[index].begin(at: time, in: &context)
        case .metric(let index): metrics[index].begin(at: time, in: &context)
        }
    }

    mutating func process(
        _ event: Event, _ rule: Int, key: KeySlot, in context: inout MachineContext
    ) {
        switch places[rule] {
        case .oneEvent(let index): oneEvents[index].process(event, key: key, in: &context)
        case .sequence(let index): sequences[index].process(event, key: key, in: &context)
        case .threshold(let index): thresholds[index].process(event, key: key, in: &context)
        case .correlation(let index): correlations[index].process(event, key: key, in: &context)
        case .anomaly(let index): anomalies[index].process(event, key: key, in: &context)
        case .metric(let index): metrics[index].process(event, key: key, in: &context)
        }
    }

    /// Asks for the memory that says where a key's state is.
    ///
    /// This and what is like it change nothing: to read an element of an array is to copy it, to change it
    /// is not.
    @inline(__always)
    mutating func prefetchPlace(_ key: KeySlot, _ rule: Int) {
        switch places[rule] {
        case .sequence(let index):
            sequences[index].prefetchPlace(key)
        case .threshold(let index):
            thresholds[index].prefetchPlace(key)
        case .oneEvent, .correlation, .anomaly, .metric: break
        }
    }

    /// Asks for the memory of a key's state.
    @inline(__always)
    mutating func prefetchState(_ key: KeySlot, _ rule: Int) {
        switch places[rule] {
        case .sequence(let index):
            sequences[index].prefetchState(key)
        case .threshold(let index):
            thresholds[index].prefetchState(key)
        case .oneEvent, .correlation, .anomaly, .metric: break
        }
    }

    mutating func fire(
        _ rule: Int, at time: Timestamp, key: KeySlot, in context: inout MachineContext
    ) {
        switch places[rule] {
        case .oneEvent(let index): oneEvents[index].fire(at: time, key: key, in: &context)
        case .sequence(let index): sequences[index].fire(at: time, key: key, in: &context)
        case .threshold(let index): thresholds[index].fire(at: time, key: key, in: &context)
        case .correlation(let index): correlations[index].fire(at: time, key: key, in: &context)
        case .anomaly(let index): anomalies[index].fire(at: time, key: key, in: &context)
        case .metric(let index): metrics[index].fire(at: time, key: key, in: &context)
        }
    }

    mutating func forget(_ key: KeySlot, _ rule: Int) {
        switch places[rule] {
        case .oneEvent(let index): oneEvents[index].forget(key)
        case .sequence(let index): sequences[index].forget(key)
        case .threshold(let index): thresholds[index].forget(key)
        case .correlation(let index): correlations[index].forget(key)
        case .anomaly(let index): anomalies[index].forget(key)
        case .metric(let index): metrics[index].forget(key)
        }
    }

    mutating func listChanged(_ list: ListID, _ rule: Int, in context: inout MachineContext) {
        switch places[rule] {
        case .oneEvent(let index): oneEvents[index].listChanged(list, in: &context)
        case .sequence(let index): sequences[index].listChanged(list, in: &context)
        case .threshold(let index): thresholds[index].listChanged(list, in: &context)
        case .correlation(let index): correlations[index].listChanged(list, in: &context)
        case .anomaly(let index): anomalies[index].listChanged(list, in: &context)
        case .metric(let index): metrics[index].listChanged(list, in: &context)
        }
    }

    /// Takes over the state that a key of a rule has in another table of the same program.
    ///
    /// - Precondition: the rule may be early (`EmitProgram.isEarly`), so it is one of these kinds.
    mutating func adopt(
        _ rule: Int, _ key: KeySlot, from other: MachineTable, _ otherKey: KeySlot
    ) {
        switch places[rule] {
        case .sequence(let index):
            sequences[index].adopt(key, from: other.sequences[index], otherKey)
        case .threshold(let index):
            thresholds[index].adopt(key, from: other.thresholds[index], otherKey)
        case .oneEvent: break
        case .correlation, .anomaly, .metric:
            preconditionFailure("rules of this kind are judged in order only")
        }
    }

    /// Lets windows grow no further, those of more events than this; nil: further again.
    mutating func limitWindows(above large: Int?, in context: MachineContext) {
        for index in thresholds.indices {
            thresholds[index].limitEvents(above: large, in: context)
        }
    }

    /// Whether the state that keys of a rule have in another table can be taken over as it is, although
    /// the program is another. The rule is the same in both.
    func keepsAs(_ rule: Int, in other: MachineTable, _ otherRule: Int) -> Bool {
        switch (places[rule], other.places[otherRule]) {
        case (.sequence(let index), .sequence(let otherIndex)):
            sequences[index].keepsAs(other.sequences[otherIndex])
        case (.correlation(let index), .correlation(let otherIndex)):
            correlations[index].keepsAs(other.correlations[otherIndex])
        case (.oneEvent, .oneEvent), (.threshold, .threshold), (.anomaly, .anomaly),
            (.metric, .metric):
            true
        default: false
        }
    }

    /// Takes over all keys of a rule, of which `keepsAs` holds.
    mutating func takeKeys(_ rule: Int, from other: inout MachineTable, _ otherRule: Int) {
        switch (places[rule], other.places[otherRule]) {
        case (.oneEvent, .oneEvent): break
        case (.sequence(let index), .sequence(let otherIndex)):
            sequences[index].takeKeys(from: &other.sequences[otherIndex])
        case (.threshold(let index), .threshold(let otherIndex)):
            thresholds[index].takeKeys(from: &other.thresholds[otherIndex])
        case (.correlation(let index), .correlation(let otherIndex)):
            correlations[index].takeKeys(from: &other.correlations[otherIndex])
        case (.anomaly(let index), .anomaly(let otherIndex)):
            anomalies[index].takeKeys(from: &other.anomalies[otherIndex])
        case (.metric(let index), .metric(let otherIndex)):
            metrics[index].takeKeys(from: &other.metrics[otherIndex])
        default: preconditionFailure("rules of different kinds keep nothing alike")
        }
    }

    /// Whether so many events more could complete a match of the key, going by their number alone.
    func mayMatch(_ rule: Int, _ key: KeySlot?, withMore count: Int) -> Bool {
        if case .sequence(let index) = places[rule] {
            return sequences[index].mayMatch(key, withMore: count)
        }
        return true
    }

    /// Whether the key has an alert that has begun and not ended.
    func isFiring(_ rule: Int, _ key: KeySlot) -> Bool {
        if case .threshold(let index) = places[rule] { return thresholds[index].isFiring(key) }
        return false
    }

    /// Matches of all rules that wait for a deadline and nothing else.
    var openDeadlines: Int {
        sequences.reduce(0) { $0 + $1.openDeadlines }
            + thresholds.reduce(0) { $0 + $1.openDeadlines }
            + correlations.reduce(0) { $0 + $1.openDeadlines }
            + anomalies.reduce(0) { $0 + $1.openDeadlines }
            + metrics.reduce(0) { $0 + $1.openDeadlines }
    }

    func open(
        _ key: KeySlot, _ rule: Int, found: inout OpenMatches, in context: MachineContext
    ) {
        switch places[rule] {
        case .oneEvent(let index): oneEvents[index].open(key, found: &found, in: context)
        case .sequence(let index): sequences[index].open(key, found: &found, in: context)
        case .threshold(let index): thresholds[index].open(key, found: &found, in: context)
        case .correlation(let index): correlations[index].open(key, found: &found, in: context)
        case .anomaly(let index): anomalies[index].open(key, found: &found, in: context)
        case .metric(let index): metrics[index].open(key, found: &found, in: context)
        }
    }

    // MARK: - Snapshot

    func stateVersion(_ rule: Int) -> Int {
        switch places[rule] {
        case .oneEvent: OneEventMachine.stateVersion
        case .sequence: SequenceMachine.stateVersion
        case .threshold: ThresholdMachine.stateVersion
        case .correlation: CorrelationMachine.stateVersion
        case .anomaly: AnomalyMachine.stateVersion
        case .metric: MetricMachine.stateVersion
        }
    }

    func openMatches(_ key: KeySlot, _ rule: Int, in context: MachineContext) -> Int {
        switch places[rule] {
        case .oneEvent(let index): oneEvents[index].openMatches(key, in: context)
        case .sequence(let index): sequences[index].openMatches(key, in: context)
        case .threshold(let index): thresholds[index].openMatches(key, in: context)
        case .correlation(let index): correlations[index].openMatches(key, in: context)
        case .anomaly(let index): anomalies[index].openMatches(key, in: context)
        case .metric(let index): metrics[index].openMatches(key, in: context)
        }
    }

    func farewell(
        _ key: KeySlot, _ rule: Int, reason: String, in context: MachineContext
    ) -> Alert? {
        switch places[rule] {
        case .oneEvent(let index): oneEvents[index].farewell(key, reason: reason, in: context)
        case .sequence(let index): sequences[index].farewell(key, reason: reason, in: context)
        case .threshold(let index): thresholds[index].farewell(key, reason: reason, in: context)
        case .correlation(let index): correlations[index].farewell(key, reason: reason, in: context)
        case .anomaly(let index): anomalies[index].farewell(key, reason: reason, in: context)
        case .metric(let index): metrics[index].farewell(key, reason: reason, in: context)
        }
    }

    func writeCommon(_ rule: Int, to writer: inout StateWriter) {
        switch places[rule] {
        case .oneEvent(let index): oneEvents[index].writeCommon(to: &writer)
        case .sequence(let index): sequences[index].writeCommon(to: &writer)
        case .threshold(let index): thresholds[index].writeCommon(to: &writer)
        case .correlation(let index): correlations[index].writeCommon(to: &writer)
        case .anomaly(let index): anomalies[index].writeCommon(to: &writer)
        case .metric(let index): metrics[index].writeCommon(to: &writer)
        }
    }

    func write(_ key: KeySlot, _ rule: Int, to writer: inout StateWriter) {
        switch places[rule] {
        case .oneEvent(let index): oneEvents[index].write(key, to: &writer)
        case .sequence(let index): sequences[index].write(key, to: &writer)
        case .threshold(let index): thresholds[index].write(key, to: &writer)
        case .correlation(let index): correlations[index].write(key, to: &writer)
        case .anomaly(let index): anomalies[index].write(key, to: &writer)
        case .metric(let index): metrics[index].write(key, to: &writer)
        }
    }

    mutating func restoreCommon(
        _ rule: Int, from reader: inout StateReader, version: Int, in context: inout MachineContext
    ) throws(SnapshotError) {
        switch places[rule] {
        case .oneEvent(let index):
            try oneEvents[index].restoreCommon(from: &reader, version: version, in: &context)
        case .sequence(let index):
            try sequences[index].restoreCommon(from: &reader, version: version, in: &context)
        case .threshold(let index):
            try thresholds[index].restoreCommon(from: &reader, version: version, in: &context)
        case .correlation(let index):
            try correlations[index].restoreCommon(from: &reader, version: version, in: &context)
        case .anomaly(let index):
            try anomalies[index].restoreCommon(from: &reader, version: version, in: &context)
        case .metric(let index):
            try metrics[index].restoreCommon(from: &reader, version: version, in: &context)
        }
    }

    mutating func restore(
        _ key: KeySlot?, _ rule: Int, from reader: inout StateReader, version: Int,
        in context: inout MachineContext
    ) throws(SnapshotError) {
        switch places[rule] {
        case .oneEvent(let index):
            try oneEvents[index].restore(key, from: &reader, version: version, in: &context)
        case .sequence(let index):
            try sequences[index].restore(key, from: &reader, version: version, in: &context)
        case .threshold(let index):
            try thresholds[index].restore(key, from: &reader, version: version, in: &context)
        case .correlation(let index):
            try correlations[index].restore(key, from: &reader, version: version, in: &context)
        case .anomaly(let index):
            try anomalies[index].restore(key, from: &reader, version: version, in: &context)
        case .metric(let index):
            try metrics[index].restore(key, from: &reader, version: version, in: &context)
        }
    }
}
