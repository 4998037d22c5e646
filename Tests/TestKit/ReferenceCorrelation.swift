import RuleModel

/// Finds what a correlation finds for one key, by trying every choice of events at every instant at
/// which something changes (C1 to C7).
///
/// Knows members over events; alerts that last are not among the events that it is given.
struct ReferenceCorrelation {
    var plan: CorrelationPlan
    var rule: RuleID
    var key: [Value]
    /// In T0 order.
    var events: [MemberEvent]
    /// What a pooled strength is measured over; nil: this key's own events.
    var pool: [MemberEvent]?
    var began: Timestamp
    var watermark: Timestamp
    var tables: RuleSetTables
    var lists: [ListTable]

    /// An event of the key with the members that it fits.
    struct MemberEvent {
        var event: ReferenceEvent
        var members: [Int]
        /// Its place among all events.
        var place: Int
    }

    private struct Episode {
        var told: [Int]
        var lastRecord: Timestamp
        var hasNews: Bool
    }

    private let quiet = TimeSpan.minute
    private var episode: Episode?
    private var used: [UInt64] = []
    private var seen: [MemberEvent] = []
    private var measures: [Value] = []
    private var matches: [ReferenceMatch] = []

    init(
        plan: CorrelationPlan, rule: RuleID, key: [Value], events: [MemberEvent],
        pool: [MemberEvent]?, began: Timestamp, watermark: Timestamp, tables: RuleSetTables,
        lists: [ListTable]
    ) {
        self.plan = plan
        self.rule = rule
        self.key = key
        self.events = events
        self.pool = pool
        self.began = began
        self.watermark = watermark
        self.tables = tables
        self.lists = lists
    }

    mutating func run() -> [ReferenceMatch] {
        for event in events {
            pass(to: event.event.instant)
            seen.append(event)
            come(event)
        }
        pass(to: watermark)
        return matches
    }

    // MARK: - Instants

    private mutating func come(_ event: MemberEvent) {
        let now = event.event.instant
        guard let choice = best(from: window(now)) else { return }
        if var episode {
            episode.hasNews = true
            let joins = members(choice).contains { !episode.told.contains($0) }
            self.episode = episode
            if joins || now >= episode.lastRecord + quiet {
                record(.updated, choice, now, arrival: event.event.arrival)
            }
            return
        }
        measures = []
        if let strength = plan.strength {
            guard let found = measure(strength, now, upTo: event.place) else { return }
            measures = found
        }
        if plan.isOncePerEvent {
            record(.firing, choice, now, arrival: event.event.arrival)
            used += choice.compactMap { $0?.event.arrival }
            return
        }
        episode = Episode(told: [], lastRecord: now, hasNews: false)
        record(.firing, choice, now, arrival: event.event.arrival)
    }

    /// Everything that happens without an event before an instant.
    private mutating func pass(to end: Timestamp) {
        while let episode {
            var next = seen.map { $0.event.instant + plan.within }
                .filter { $0 >= episode.lastRecord && !ended.contains($0) }
            if episode.hasNews { next.append(episode.lastRecord + quiet) }
            guard let now = next.min(), now < end else { return }
            let before = best(from: window(now))
            let after = best(from: window(now).filter { $0.event.instant + plan.within > now })
            if let before, after == nil {
                record(.resolved, before, now, arrival: nil)
                self.episode = nil
            } else if let before, episode.hasNews, now >= episode.lastRecord + quiet {
                record(.updated, before, now, arrival: nil)
            }
            ended.append(now)
        }
    }

    /// Instants of leaving that have been looked at.
    private var ended: [Timestamp] = []

    private func window(_ now: Timestamp) -> [MemberEvent] {
        seen.filter { event in
            event.event.instant + plan.within >= now && !used.contains(event.event.arrival)
        }
    }

    private mutating func record(
        _ state: Alert.State, _ choice: [MemberEvent?], _ now: Timestamp, arrival: UInt64?
    ) {
        let window = window(now)
        let steps = choice.enumerated().map { member, witness -> [UInt64] in
            guard let witness else { return [] }
            let others = window.filter {
                $0.members.contains(member) && $0.event.arrival != witness.event.arrival
            }
            return others.map(\.event.arrival) + [witness.event.arrival]
        }
        matches.append(
            ReferenceMatch(
                rule: rule, key: key, matchedAt: now, state: state, reason: nil, steps: steps,
                measures: measures, instant: now, arrival: arrival))
        let told = members(choice)
        episode?.told += told
        episode?.lastRecord = now
        episode?.hasNews = false
    }

    // MARK: - Choices

    private func members(_ choice: [MemberEvent?]) -> [Int] {
        choice.indices.filter { choice[$0] != nil }
    }

    /// Of all choices that satisfy the rule the one with most members; of equally many the one whose
    /// members are written first; of those the one with the latest events.
    private func best(from window: [MemberEvent]) -> [MemberEvent?]? {
        var choices: [[MemberEvent?]] = [[]]
        for member in plan.members.indices {
            let fitting = window.filter { $0.members.contains(member) }
            choices = choices.flatMap { choice in
                [choice + [nil]] + fitting.map { choice + [$0] }
            }
        }
        return choices.filter { isGood($0) }.max { rank($0).lexicographicallyPrecedes(rank($1)) }
    }

    private func rank(_ choice: [MemberEvent?]) -> [Int] {
        [members(choice).count] + choice.map { $0 == nil ? 0 : 1 } + choice.map { $0?.place ?? -1 }
    }

    private func isGood(_ choice: [MemberEvent?]) -> Bool {
        guard members(choice).count >= plan.required else { return false }
        let ordered = plan.order.compactMap { choice[$0.rawValue] }
        for (first, second) in zip(ordered, ordered.dropFirst()) where first.place > second.place {
            return false
        }
        return plan.precedences.allSatisfy { precedence in
            guard let first = choice[precedence.earlier.rawValue],
                let second = choice[precedence.later.rawValue]
            else { return true }
            return first.place < second.place
                && second.event.instant - first.event.instant <= precedence.within
        }
    }

    // MARK: - Strength

    /// The measures, if the strength is known and enough.
    private func measure(
        _ strength: StrengthPlan, _ now: Timestamp, upTo place: Int
    ) -> [Value]? {
        let known = pool?.filter { $0.place <= place } ?? seen
        switch strength {
        case .lift(let lift): return measure(lift, now, known)
        case .movement(let movement): return measure(movement, now, known)
        }
    }

    private func measure(_ lift: LiftPlan, _ now: Timestamp, _ known: [MemberEvent]) -> [Value]? {
        func times(_ member: StepID) -> [Int64] {
            known.filter { $0.members.contains(member.rawValue) }
                .map(\.event.instant.nanoseconds)
        }
        let (now, lag) = (now.nanoseconds, lift.lag.nanoseconds)
        let later = times(lift.later)
        func isFollowed(_ time: Int64) -> Bool {
            later.contains { $0 > time && $0 <= time + lag }
        }
        let occurrences = times(lift.earlier).filter {
            $0 + lag <= now && $0 >= now - lift.over.nanoseconds
        }
        let start = max(now - lift.over.nanoseconds, began.nanoseconds)
        let end = now - lag
        guard occurrences.count >= lift.minimum, end > start else { return nil }
        // Between two neighbouring borders everything is alike.
        let borders = (later.flatMap { [$0, $0 - lag] } + [start, end])
            .filter { $0 >= start && $0 <= end }.sorted()
        var covered: Int64 = 0
        for (from, to) in zip(borders, borders.dropFirst()) where isFollowed(from) {
            covered += to - from
        }
        guard covered > 0 else { return nil }
        let after = Double(occurrences.filter(isFollowed).count) / Double(occurrences.count)
        let base = Double(covered) / Double(end - start)
        guard after / base >= lift.limit - 1e-9 else { return nil }
        return [.float(after / base), .float(after), .float(base), .int(Int64(occurrences.count))]
    }

    private func measure(
        _ movement: MovementPlan, _ now: Timestamp, _ known: [MemberEvent]
    ) -> [Value]? {
        let step = movement.step.nanoseconds
        func averages(_ side: MovementPlan.Side) -> [Int64: Double] {
            var values: [Int64: [Double]] = [:]
            for event in known where event.members.contains(side.member.rawValue) {
                var term = ReferenceTerm(tables: tables, lists: lists)
                term.event = event.event
                let number: Double
                switch term.value(side.value) {
                case .int(let whole): number = Double(whole)
                case .float(let decimal): number = decimal
                default: continue
                }
                // Test time is after 1970, so this rounds down.
                let bucket = event.event.instant.nanoseconds / step
                let isWhole =
                    (bucket + 1) * step <= now.nanoseconds
                    && bucket * step >= now.nanoseconds - movement.over.nanoseconds
                if isWhole { values[bucket, default: []].append(number) }
            }
            return values.mapValues { $0.reduce(0, +) / Double($0.count) }
        }
        let (first, second) = (averages(movement.first), averages(movement.second))
        var best: (coefficient: Double, lag: Int64, points: Int)?
        for lag in 0...movement.lagMax.nanoseconds / step {
            let pairs = first.keys.sorted().compactMap { bucket -> (Double, Double)? in
                guard let x = first[bucket], let y = second[bucket + lag] else { return nil }
                return (x, y)
            }
            guard pairs.count >= movement.minimum, let found = pearson(pairs) else { continue }
            if let best, abs(best.coefficient) >= abs(found) - 1e-9 { continue }
            best = (found, lag, pairs.count)
        }
        guard let best, best.coefficient >= movement.limit - 1e-9 else { return nil }
        return [
            .float(best.coefficient), .span(movement.step * best.lag), .int(Int64(best.points)),
        ]
    }

    /// The textbook's formula in sums, which is good enough for small numbers.
    private func pearson(_ pairs: [(Double, Double)]) -> Double? {
        let n = Double(pairs.count)
        let (x, y) = (pairs.map(\.0).reduce(0, +), pairs.map(\.1).reduce(0, +))
        let xx = n * pairs.map { $0.0 * $0.0 }.reduce(0, +) - x * x
        let yy = n * pairs.map { $0.1 * $0.1 }.reduce(0, +) - y * y
        let xy = n * pairs.map { $0.0 * $0.1 }.reduce(0, +) - x * y
        guard xx > 1e-9, yy > 1e-9 else { return nil }
        return xy / (xx * yy).squareRoot()
    }
}

extension ReferenceMatcher {
    /// The matches of a correlation for one key.
    func matches(
        of correlation: CorrelationPlan, _ plan: RulePlan, key: [Value], keys: [[Value]],
        in events: [ReferenceEvent], began: Timestamp, watermark: Timestamp
    ) -> [ReferenceMatch] {
        var pool: [ReferenceCorrelation.MemberEvent]?
        if case .lift(let lift)? = correlation.strength, lift.isPooled {
            pool = keys.flatMap { memberEvents(events, correlation, $0) }
                .sorted { $0.place < $1.place }
        }
        var judge = ReferenceCorrelation(
            plan: correlation, rule: plan.id, key: key,
            events: memberEvents(events, correlation, key), pool: pool, began: began,
            watermark: watermark, tables: tables, lists: lists)
        return judge.run()
    }

    private func memberEvents(
        _ events: [ReferenceEvent], _ plan: CorrelationPlan, _ key: [Value]
    ) -> [ReferenceCorrelation.MemberEvent] {
        events.enumerated().compactMap { place, event in
            let members = plan.members.indices.filter { index in
                let member = plan.members[index]
                let input = plan.inputs[member.input]
                guard let found = referenceKey(of: event, in: input, tables, lists),
                    referenceEqual(.list(found), .list(key)) == true
                else { return false }
                var term = ReferenceTerm(tables: tables, lists: lists)
                term.event = event
                return term.holds(member.condition)
            }
            if members.isEmpty { return nil }
            return ReferenceCorrelation.MemberEvent(event: event, members: members, place: place)
        }
    }
}
