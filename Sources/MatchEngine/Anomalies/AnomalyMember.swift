import RuleModel

/// A member of a group: its series, and whether it is anomalous now (A1 to A5).
struct AnomalyMember: Sendable {
    private struct Series: Sendable {
        /// The measure over the bucket that is filling.
        var measure: Aggregate
        var events = 0
        var history = SeriesHistory()

        init(_ program: SeriesProgram) { measure = Series.empty(program) }

        static func empty(_ program: SeriesProgram) -> Aggregate {
            Aggregate(program.measure.function, parameter: program.measure.parameter)
        }

        /// The measure of the bucket that has ended. Without events 0 for `count` and `sum`, else
        /// missing (A1).
        mutating func end(_ program: SeriesProgram) -> Sealed {
            let function = program.measure.function
            let isKnown = events > 0 || function == .count || function == .sum
            let sealed = Sealed(
                value: isKnown ? measure.value : .missing, isEstimated: measure.isEstimated)
            measure = Series.empty(program)
            events = 0
            return sealed
        }
    }

    /// The measure of a bucket that no event can change any more.
    private struct Sealed: Sendable {
        var value: Value
        var isEstimated: Bool
    }

    /// What made a member anomalous.
    struct Onset: Sendable {
        var member: Alert.Member
        /// Whether the measure carries the error of a sketch.
        var isEstimated: Bool
    }

    let name: Value
    var lastEvent: Timestamp
    private(set) var isAnomalous = false
    private var series: [Series]
    /// The measures of the bucket that has ended and waits for its deadline.
    private var sealed: [Sealed] = []
    /// The last judgements since the member became or ceased to be anomalous.
    private var judgements = Queue<Bool>()
    /// The end of the last bucket that was judged.
    private var lastJudged = Timestamp.distantPast

    init(name: Value, rule: AnomalyRule, at instant: Timestamp) {
        self.name = name
        lastEvent = instant
        series = rule.program.series.map { Series($0) }
    }

    /// Takes an event into a series. False when the bucket has as many events as it may (T9).
    mutating func add(
        _ event: Event, to index: Int, rule: AnomalyRule, in context: MachineContext
    ) -> Bool {
        lastEvent = context.instant
        let program = rule.program.series[index].measure
        guard series[index].events < rule.eventLimit else { return false }
        series[index].events += 1
        if let condition = program.condition, !event.passes(condition) { return true }
        let value = program.argument.map {
            context.evaluator.value($0, of: event)
        }
        series[index].measure.accumulate(
            Aggregate.Sample(
                position: series[index].events, time: event.time.nanoseconds,
                value: value ?? .missing))
        return true
    }

    /// Ends the bucket that is filling: events from now on are of the next one.
    mutating func seal(rule: AnomalyRule) {
        sealed = series.indices.map { series[$0].end(rule.program.series[$0]) }
    }

    /// Judges the bucket that was sealed, and says whether that made the member anomalous. A member
    /// that came after its end has nothing to judge.
    mutating func judge(
        bucket: Int64, end: Timestamp, rule: AnomalyRule, key: [Value], evaluator: TermEvaluator,
        seen: inout [ClusterAttempt.Member]?
    ) -> Onset? {
        guard !sealed.isEmpty else { return nil }
        let measured = sealed
        sealed = []
        let numbers = measured.map { AnomalyMember.number($0.value) }
        let deviations = deviations(of: numbers, bucket: bucket, rule: rule)
        let terms = MemberTerms(
            key: key, measures: measured.map(\.value), uses: rule.scores,
            scores: deviations.map { $0?.score })
        // Without a score nothing is known, whatever else the condition asks (A4).
        let isUnknown = deviations.allSatisfy { $0 == nil }
        let truth = isUnknown ? nil : evaluator.judge(rule.program.when, in: terms)
        seen?.append(
            ClusterAttempt.Member(
                name: name,
                measures: zip(rule.program.series, measured).map {
                    Alert.NamedValue($0.measure.name, $1.value)
                },
                scores: deviations.map { $0?.score }, isAnomalous: truth,
                failed: isUnknown
                    ? []
                    : evaluator.failures(
                        of: rule.program.when, in: terms, logic: .threeValued
                    ).failed,
                tests: evaluator.tests(of: rule.program.when, in: terms, logic: .threeValued)))
        for (index, number) in numbers.enumerated() {
            guard let number, rule.isScored(index) else { continue }
            series[index].history.append(number, bucket: bucket, isAnomalous: truth == true)
        }
        guard let truth else {
            // Silence does not keep a cluster open for ever.
            if isAnomalous, end - lastJudged >= rule.program.within { change() }
            return nil
        }
        lastJudged = end
        guard isChanged(by: truth, rule: rule) else { return nil }
        change()
        guard isAnomalous else { return nil }
        return onset(at: end, measured, numbers, deviations, rule: rule)
    }

    // MARK: - Judging

    private mutating func deviations(
        of numbers: [Double?], bucket: Int64, rule: AnomalyRule
    ) -> [Deviation?] {
        let baselines = series.indices.map { index -> Baseline? in
            guard rule.isScored(index) else { return nil }
            let values = series[index].history.baseline(of: bucket, rule: rule)
            return values.count < rule.program.minimumValues ? nil : Baseline(values)
        }
        return rule.scores.map { use in
            guard let number = numbers[use.measure], let baseline = baselines[use.measure] else {
                return nil
            }
            return use.deviation(
                of: number, from: baseline, minimumSpread: rule.program.minimumSpread)
        }
    }

    // MARK: - Snapshot

    func write(to writer: inout StateWriter) {
        writer.write(name)
        writer.write(lastEvent)
        writer.write(isAnomalous)
        writer.write(lastJudged)
        writer.write(judgements.count)
        for index in 0..<judgements.count { writer.write(judgements[index]) }
        writer.write(sealed.count)
        for measure in sealed {
            writer.write(measure.value)
            writer.write(measure.isEstimated)
        }
        for one in series {
            writer.write(one.events)
            one.measure.write(to: &writer)
            writer.write(one.history)
        }
    }

    init(from reader: inout StateReader, rule: AnomalyRule) throws(SnapshotError) {
        name = try reader.read()
        lastEvent = try reader.read()
        isAnomalous = try reader.bool()
        lastJudged = try reader.read()
        for _ in 0..<(try reader.count()) {
            judgements.append(try reader.bool())
            // The rule may look at fewer than the one that wrote them.
            if judgements.count > rule.program.outOf { judgements.removeFirst() }
        }
        let count = try reader.count()
        guard count == 0 || count == rule.program.series.count else {
            throw reader.damaged("a bucket of other measures")
        }
        for _ in 0..<count {
            sealed.append(Sealed(value: try reader.read(), isEstimated: try reader.bool()))
        }
        series = []
        for program in rule.program.series {
            var one = Series(program)
            one.events = try reader.tally()
            one.measure = try Aggregate(
                from: &reader, program.measure.function, parameter: program.measure.parameter)
            one.history = try reader.read()
            series.append(one)
        }
    }

    // MARK: - Changes

    /// Whether enough of the last judgements are against the state of now (A5).
    private mutating func isChanged(by truth: Bool, rule: AnomalyRule) -> Bool {
        judgements.append(truth)
        if judgements.count > rule.program.outOf { judgements.removeFirst() }
        let wanted = !isAnomalous
        let count = (0..<judgements.count).count { judgements[$0] == wanted }
        return count >= rule.program.required
    }

    private mutating func change() {
        isAnomalous.toggle()
        judgements.removeAll()
    }

    /// The onset, told by the score that is farthest from 0; the first of equal ones.
    private func onset(
        at end: Timestamp, _ measured: [Sealed], _ numbers: [Double?], _ deviations: [Deviation?],
        rule: AnomalyRule
    ) -> Onset? {
        var best: (use: ScoreUse, value: Double, deviation: Deviation)?
        for (use, deviation) in zip(rule.scores, deviations) {
            guard let deviation, let value = numbers[use.measure] else { continue }
            if let best, abs(best.deviation.score) >= abs(deviation.score) { continue }
            best = (use, value, deviation)
        }
        guard let best else { return nil }
        let member = Alert.Member(
            name: name, onset: end,
            measure: rule.program.series[best.use.measure].measure.name, value: best.value,
            baseline: best.deviation.middle, spread: best.deviation.spread,
            score: best.deviation.score)
        return Onset(member: member, isEstimated: measured[best.use.measure].isEstimated)
    }

    /// A measure as a number to compare; spans in seconds.
    private static func number(_ value: Value) -> Double? {
        switch value {
        case .int(let number): Double(number)
        case .float(let number): number.isFinite ? number : nil
        case .span(let span): span.seconds
        default: nil
        }
    }
}

/// The measures and scores of a member for one bucket, as the condition sees them.
private struct MemberTerms: TermContext {
    let key: [Value]
    let measures: [Value]
    let uses: [ScoreUse]
    /// One for each of `uses`.
    let scores: [Double?]

    func key(_ index: Int) -> Value { key.indices.contains(index) ? key[index] : .missing }

    func measure(_ index: Int, _ time: Term.MeasureTime) -> Value {
        time == .now && measures.indices.contains(index) ? measures[index] : .missing
    }

    func score(_ function: ScoreFunction, measure: Int, parameter: Double?) -> Value {
        let use = ScoreUse(function: function, measure: measure, parameter: parameter)
        guard let index = uses.firstIndex(of: use), let score = scores[index] else {
            return .missing
        }
        return .float(score)
    }
}

extension AnomalyMember.Onset: StateCoded {
    func write(to writer: inout StateWriter) {
        writer.write(member)
        writer.write(isEstimated)
    }

    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init(member: try reader.read(), isEstimated: try reader.bool())
    }
}
