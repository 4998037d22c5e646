import RuleModel

/// One group of an anomaly cluster: computes each bucket from its events and each baseline from all
/// buckets before it, and follows A1 to A7 by the letter.
struct ReferenceAnomaly {
    var plan: AnomalyPlan
    var rule: RuleID
    var key: [Value]
    var watermark: Timestamp
    var tables: RuleSetTables
    var lists: [ListTable]
    /// For each series the events of the group that fit it, by member.
    private var fitting: [(series: Int, member: Value, event: ReferenceEvent)] = []

    private struct Bucket {
        var end: Timestamp
        var numbers: [Double?]
        var isAnomalous: Bool
    }

    /// What is known of a member since its first event, or the first after it was forgotten.
    private struct Life {
        var member: Value
        var first: Timestamp
        var last: Timestamp
        var buckets: [Bucket] = []
        /// Judgements since the last change.
        var judgements: [Bool] = []
        var isAnomalous = false
        var lastJudged = Timestamp.distantPast
    }

    private struct Cluster {
        var opened: Timestamp
        var members: [Alert.Member]
        var sent: Timestamp
        var hasNews = false

        func has(_ member: Value) -> Bool { members.contains { $0.name == member } }
    }

    private var lives: [Life] = []
    /// Up to when the events of a member are forgotten.
    private var forgotten: [Value: Timestamp] = [:]
    /// Up to when clusters have been looked at.
    private var settled = Timestamp.distantPast
    private var free: [Alert.Member] = []
    private var clusters: [Cluster] = []
    private var found: [ReferenceMatch] = []

    init(
        plan: AnomalyPlan, rule: RuleID, key: [Value], events: [ReferenceEvent],
        watermark: Timestamp, tables: RuleSetTables, lists: [ListTable]
    ) {
        self.plan = plan
        self.rule = rule
        self.key = key
        self.watermark = watermark
        self.tables = tables
        self.lists = lists
        for event in events {
            for (index, series) in plan.series.enumerated() {
                let input = plan.inputs[series.input]
                guard let found = referenceKey(of: event, in: input, tables, lists),
                    referenceEqual(.list(found), .list(key)) == true
                else { continue }
                var term = ReferenceTerm(tables: tables, lists: lists)
                term.event = event
                let member = term.value(.field(series.member))
                guard term.holds(series.condition), !member.isMissing else { continue }
                fitting.append((index, member, event))
            }
        }
    }

    mutating func run() -> [ReferenceMatch] {
        guard let first = fitting.first?.event.instant else { return [] }
        var end = bucketEnd(after: first)
        while true {
            let deadlines = clusters.flatMap { cluster in
                [cluster.members.map(\.onset).max().map { $0 + plan.within }]
                    + [cluster.hasNews ? cluster.sent + plan.updateEvery : nil]
            }.compactMap { $0 }
            // What is past has been looked at.
            let next = deadlines.filter { $0 > end - plan.every && $0 < end && $0 > settled }.min()
            let instant = next ?? end
            guard instant < watermark else { return found }
            if instant == end {
                judge(end)
                end = end + plan.every
            }
            settle(instant)
        }
    }

    private func bucketEnd(after instant: Timestamp) -> Timestamp {
        let every = plan.every.nanoseconds
        var start = instant.nanoseconds / every * every
        if start > instant.nanoseconds { start -= every }
        return Timestamp(nanoseconds: start) + plan.every
    }

    // MARK: - Members

    private mutating func judge(_ end: Timestamp) {
        for (_, member, event) in fitting where event.instant <= end {
            if let index = lives.firstIndex(where: { $0.member == member }) {
                lives[index].last = max(lives[index].last, event.instant)
            } else if event.instant > forgotten[member] ?? .distantPast {
                lives.append(Life(member: member, first: event.instant, last: event.instant))
            }
        }
        var onsets: [Alert.Member] = []
        for index in lives.indices where bucketEnd(after: lives[index].first) <= end {
            if let onset = judge(&lives[index], end) { onsets.append(onset) }
        }
        for life in lives where end - life.last > plan.baseline.forgetAfter(every: plan.every) {
            forgotten[life.member] = end
        }
        lives.removeAll { end - $0.last > plan.baseline.forgetAfter(every: plan.every) }
        cluster(onsets, at: end)
    }

    private func judge(_ life: inout Life, _ end: Timestamp) -> Alert.Member? {
        let past = life
        let values = plan.series.indices.map { value(of: $0, member: past.member, end: end) }
        let numbers = values.map { value -> Double? in
            switch value {
            case .int(let number): Double(number)
            case .float(let number): number
            case .span(let span): span.seconds
            default: nil
            }
        }
        var best: Alert.Member?
        var isKnown = false
        for (function, measure, parameter) in scores {
            guard let value = numbers[measure],
                let (score, middle, spread) = score(function, value, measure, parameter, life, end)
            else { continue }
            isKnown = true
            if let best, abs(best.score) >= abs(score) { continue }
            best = Alert.Member(
                name: life.member, onset: end, measure: plan.series[measure].measure.name,
                value: value, baseline: middle, spread: spread, score: score)
        }
        var term = ReferenceTerm(tables: tables, lists: lists)
        term.key = key
        term.missingIsUnknown = true
        term.measure = { index, _ in values[index] }
        term.score = { function, measure, parameter in
            guard let value = numbers[measure] else { return .missing }
            return score(function, value, measure, parameter, past, end).map { .float($0.score) }
                ?? .missing
        }
        let truth = isKnown ? term.truth(plan.when) : nil
        life.buckets.append(Bucket(end: end, numbers: numbers, isAnomalous: truth == true))
        guard let truth else {
            if life.isAnomalous, end - life.lastJudged >= plan.within {
                life.isAnomalous = false
                life.judgements = []
            }
            return nil
        }
        life.lastJudged = end
        life.judgements.append(truth)
        let opposite = life.judgements.suffix(plan.outOf).filter { $0 != life.isAnomalous }
        guard opposite.count >= plan.required else { return nil }
        life.isAnomalous.toggle()
        life.judgements = []
        return life.isAnomalous ? best : nil
    }

    /// A1: the measure over `[end - every, end)`.
    private func value(of index: Int, member: Value, end: Timestamp) -> Value {
        let measure = plan.series[index].measure
        let events = fitting.filter {
            $0.series == index && $0.member == member && $0.event.instant >= end - plan.every
                && $0.event.instant < end
        }
        if events.isEmpty {
            return measure.function == .count || measure.function == .sum ? .int(0) : .missing
        }
        var samples: [(time: Timestamp, value: Value)] = []
        for (_, _, event) in events {
            var term = ReferenceTerm(tables: tables, lists: lists)
            term.event = event
            guard term.holds(measure.condition) else { continue }
            let value = measure.argument.map { term.value($0) } ?? .bool(true)
            if !value.isMissing { samples.append((event.time, value)) }
        }
        if measure.function == .rate { return referenceRate(samples) }
        return referenceAggregate(
            measure.function, samples.map(\.value), parameter: measure.parameter)
    }

    // MARK: - Scores

    /// The scores in the condition, each once: by measure, then as the language lists them.
    private var scores: [(ScoreFunction, Int, Double?)] {
        var found: [(ScoreFunction, Int, Double?)] = []
        plan.when.forEach { term in
            if case .score(let function, let measure, let parameter) = term,
                !found.contains(where: { $0 == (function, measure, parameter) })
            {
                found.append((function, measure, parameter))
            }
        }
        let order = ScoreFunction.allCases
        return found.sorted { left, right in
            (left.1, order.firstIndex(of: left.0) ?? 0, left.2 ?? 0)
                < (right.1, order.firstIndex(of: right.0) ?? 0, right.2 ?? 0)
        }
    }

    /// A2: which values of earlier buckets count.
    private func baseline(_ measure: Int, _ life: Life, _ end: Timestamp) -> [Double] {
        let admitted = life.buckets.filter {
            $0.end < end && (!$0.isAnomalous || end - $0.end >= plan.adaptAfter)
        }
        switch plan.baseline {
        case .last(let count): return admitted.compactMap { $0.numbers[measure] }.suffix(count)
        case .seasonal(let season, let over):
            return admitted.filter {
                (end - $0.end).nanoseconds % season.span.nanoseconds == 0 && end - $0.end <= over
            }.compactMap { $0.numbers[measure] }
        }
    }

    /// A3 and A4.
    private func score(
        _ function: ScoreFunction, _ value: Double, _ measure: Int, _ parameter: Double?,
        _ life: Life, _ end: Timestamp
    ) -> (score: Double, middle: Double, spread: Double)? {
        let values = baseline(measure, life, end)
        guard values.count >= max(1, plan.minimumValues) else { return nil }
        let median = median(values)
        let least = plan.minimumSpread ?? (median == 0 ? 1 : abs(median) / 100)
        let count = Double(values.count)
        switch function {
        case .robustZ:
            let spread = max(self.median(values.map { abs($0 - median) }), least)
            return (0.6745 * (value - median) / spread, median, spread)
        case .z:
            let mean = values.reduce(0, +) / count
            let squares = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
            let spread = max(count > 1 ? (squares / (count - 1)).squareRoot() : 0, least)
            return ((value - mean) / spread, mean, spread)
        case .ratio:
            let spread = max(self.median(values.map { abs($0 - median) }), least)
            return median == 0 ? nil : (value / median, median, spread)
        case .ewma:
            guard let weight = parameter else { return nil }
            var mean = values[0]
            var variance = 0.0
            for value in values.dropFirst() {
                let before = mean
                mean = before + weight * (value - before)
                variance =
                    (1 - weight) * (variance + (value - before) * (weight * (value - before)))
            }
            let spread = max(variance.squareRoot(), least)
            return ((value - mean) / spread, mean, spread)
        }
    }

    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let lower = sorted[(sorted.count - 1) / 2]
        let upper = sorted[sorted.count / 2]
        return (lower + upper) / 2
    }

    // MARK: - Clusters

    private mutating func cluster(_ onsets: [Alert.Member], at instant: Timestamp) {
        free.removeAll { instant - $0.onset > plan.within }
        var left = onsets.filter { onset in !clusters.contains { $0.has(onset.name) } }.sorted(
            by: before)
        for index in clusters.indices {
            let times = clusters[index].members.map(\.onset)
            guard let first = times.min(), let last = times.max(),
                instant - last <= plan.within, plan.maxSpan.map({ instant - first <= $0 }) ?? true
            else { continue }
            while let next = left.firstIndex(where: { isLinked($0, to: clusters[index].members) }) {
                clusters[index].members.append(left.remove(at: next))
                clusters[index].hasNews = true
            }
        }
        if left.isEmpty { return }
        free = (free + left).sorted(by: before)
        var members = free.filter { isLinked($0, to: free) }
        members = members.enumerated().filter { index, member in
            !members[..<index].contains { $0.name == member.name }
        }.map(\.element)
        guard !members.isEmpty, members.count >= plan.minimumMembers else { return }
        free.removeAll { onset in members.contains { $0.name == onset.name } }
        clusters.append(Cluster(opened: instant, members: members, sent: instant))
        report(.firing, clusters[clusters.count - 1], instant)
    }

    private func isLinked(_ member: Alert.Member, to others: [Alert.Member]) -> Bool {
        guard let list = plan.linkedBy else { return true }
        return others.contains { other in
            other.name != member.name
                && lists[list.rawValue].rows.contains {
                    $0 == [member.name, other.name] || $0 == [other.name, member.name]
                }
        }
    }

    private func before(_ left: Alert.Member, _ right: Alert.Member) -> Bool {
        if left.onset != right.onset { return left.onset < right.onset }
        if abs(left.score) != abs(right.score) { return abs(left.score) > abs(right.score) }
        return (referenceOrder(left.name, right.name) ?? 0) < 0
    }

    private mutating func settle(_ instant: Timestamp) {
        settled = instant
        var open: [Cluster] = []
        for var cluster in clusters {
            let last = cluster.members.map(\.onset).max() ?? instant
            let isAnomalous = lives.contains { $0.isAnomalous && cluster.has($0.member) }
            if instant >= last + plan.within, !isAnomalous {
                report(.resolved, cluster, instant)
                continue
            }
            if cluster.hasNews, instant >= cluster.sent + plan.updateEvery {
                report(.updated, cluster, instant)
                cluster.sent = instant
                cluster.hasNews = false
            }
            open.append(cluster)
        }
        clusters = open
    }

    private mutating func report(_ state: Alert.State, _ cluster: Cluster, _ instant: Timestamp) {
        found.append(
            ReferenceMatch(
                rule: rule, key: key, matchedAt: instant, state: state, steps: [], measures: [],
                members: cluster.members, instant: instant))
    }
}
