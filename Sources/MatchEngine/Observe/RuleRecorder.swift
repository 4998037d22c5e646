import RuleModel

/// Notes what an engine sees and decides of one rule. An engine without one notes nothing and pays
/// nothing; with one it decides the same.
public struct RuleRecorder: Sendable {
    private enum Kind: Sendable {
        case sequence(ObservedSequence)
        case threshold
        case correlation(ObservedMembers)
        case anomaly
        case metric
    }

    /// Index into `Program.rules`.
    let index: Int
    private let kind: Kind
    /// The parts of the key as text; nil: all keys.
    private let wanted: [String]?
    /// A key kept for one name only: the whole key is told.
    private var sequences: [UInt64: SequenceLog] = [:]
    private var spells: [UInt64: SpellLog] = [:]
    private var gatherings: [UInt64: GatheringLog] = [:]
    private var clusters: [UInt64: [ClusterAttempt]] = [:]
    private var result = Observations()
    private var keys: Set<UInt64> = []
    private var nearestStart: (key: [Value], miss: Miss)?
    /// What comes later is not looked at: the view is that of this instant.
    public var until = Timestamp.distantFuture
    private var hasEnded = false
    /// Whether the outcomes of all tests of conditions are noted, which takes much time.
    public var coversBranches = false

    /// How many attempts are told of one key that was asked for, and of all together.
    private static let attemptsOfKey = 1_000
    private static let attemptsOfAll = 200
    /// How often logs of keys that nothing comes for are looked through.
    private static let sweepEvery = 8_192
    /// Without a key asked for, so many events are asked why they began nothing.
    private static let startsAsked = 50_000

    /// - Parameters:
    ///   - key: The parts of the key that is looked at, as text; nil: all keys.
    /// - Returns: Nil when the program has no such rule.
    public init?(rule: RuleID, key: [String]?, program: Program, limits: EngineLimits) {
        guard let index = program.rules.firstIndex(where: { $0.id == rule }) else { return nil }
        self.index = index
        wanted = key
        switch program.rules[index].pattern {
        case .sequence(let sequence):
            kind = .sequence(
                ObservedSequence(rule: index, sequence: sequence, program: program, limits: limits))
        case .threshold: kind = .threshold
        case .correlation(let correlation):
            kind = .correlation(
                ObservedMembers(
                    correlation, program: program, masks: Masks(rule: program.rules[index])))
        case .anomaly: kind = .anomaly
        case .metric: kind = .metric
        }
    }

    private func isWanted(_ key: [Value]) -> Bool {
        wanted.map { isKey(key, $0) } ?? true
    }

    // MARK: - Events

    /// An event of the rule's inputs, before the machine sees it, if it does.
    mutating func observe(
        _ event: Event, hash: UInt64, key: [Value], inputs: UInt64, isAdmitted: Bool,
        in context: MachineContext
    ) {
        guard isWanted(key) else {
            if result.otherKeys.count < 5, !result.otherKeys.contains(key) {
                result.otherKeys.append(key)
            }
            return
        }
        guard goesOn(at: context.instant, in: context) else { return }
        result.events += 1
        keys.insert(hash)
        if coversBranches { cover(event, in: context) }
        switch kind {
        case .sequence(let rule):
            let hadStarts = result.entries.isEmpty
            let isKnown = context.keys[index].peek(key, hash: hash) != nil
            var log = sequences.removeValue(forKey: hash) ?? SequenceLog(key: key)
            if log.mustBeKnown, !isKnown, context.keys[index].hasEvicted {
                log.evict(at: context.instant, rule: rule, in: context)
            }
            log.add(
                event, isAdmitted: isAdmitted, inputs: inputs, rule: rule,
                asksForStart: wanted != nil
                    || (hadStarts && result.events < RuleRecorder.startsAsked),
                in: context)
            collect(&log)
            if !log.isEmpty || wanted != nil { sequences[hash] = log }
            if result.events % RuleRecorder.sweepEvery == 0 { sweep(rule, in: context) }
        case .correlation(let rule):
            gatherings[hash, default: GatheringLog(key: key)].note(
                event, inputs: inputs, rule: rule, in: context)
        case .threshold, .anomaly, .metric: break
        }
    }

    /// Whether the view has not ended; ends it.
    private mutating func goesOn(at instant: Timestamp, in context: MachineContext) -> Bool {
        if hasEnded { return false }
        guard instant > until else { return true }
        end(at: until, in: context)
        return false
    }

    /// Tells what is open.
    private mutating func end(at instant: Timestamp, in context: MachineContext) {
        hasEnded = true
        guard case .sequence(let rule) = kind else { return }
        for hash in sequences.keys.sorted() {
            guard var log = sequences.removeValue(forKey: hash) else { continue }
            log.finish(at: instant, rule: rule, in: context)
            collect(&log)
            result.folded += log.folded
        }
    }

    /// Notes how the conditions on one event come out.
    private mutating func cover(_ event: Event, in context: MachineContext) {
        let terms = EventContext(event: event)
        let program = context.program
        for (place, type, condition) in program.rules[index].eventConditions
        where type == event.type {
            guard let condition else {
                result.filled.insert(place)
                continue
            }
            if event.passes(condition) { result.filled.insert(place) }
            let code = program.eventConditions[Int(condition.rawValue)]
            result.branches.note(context.evaluator.tests(of: code, in: terms))
        }
    }

    /// Notes how a condition on more than one event comes out.
    mutating func cover(
        _ condition: CodeID, in terms: some TermContext, by evaluator: TermEvaluator,
        logic: TermEvaluator.Logic = .plain
    ) {
        guard coversBranches else { return }
        result.branches.note(evaluator.tests(of: condition, in: terms, logic: logic))
    }

    private mutating func collect(_ log: inout SequenceLog) {
        for attempt in log.takeAttempts() { add(.attempt(attempt)) }
        if coversBranches { result.branches.add(log.takeBranches()) }
        if let miss = log.nearestStart,
            nearestStart.map({ miss.distance < $0.miss.distance }) ?? true
        {
            nearestStart = (log.key, miss)
        }
    }

    /// Ends what is over of keys that nothing came for.
    private mutating func sweep(_ rule: ObservedSequence, in context: MachineContext) {
        for hash in sequences.keys {
            guard var log = sequences.removeValue(forKey: hash) else { continue }
            log.pass(context.instant, rule: rule, in: context)
            collect(&log)
            if !log.isEmpty || wanted != nil { sequences[hash] = log }
        }
    }

    private mutating func add(_ observation: Observation) {
        result.entries.append(observation)
        if wanted != nil {
            if result.entries.count > RuleRecorder.attemptsOfKey {
                result.entries.removeFirst()
                result.omitted += 1
            }
        } else if result.entries.count > 2 * RuleRecorder.attemptsOfAll {
            trim()
        }
    }

    /// Keeps those that came nearest.
    private mutating func trim() {
        let order = result.entries.enumerated().sorted {
            (-$0.element.progress, $0.offset) < (-$1.element.progress, $1.offset)
        }
        result.omitted += max(0, result.entries.count - RuleRecorder.attemptsOfAll)
        result.entries = order.prefix(RuleRecorder.attemptsOfAll).map(\.element)
    }

    /// A late event that the rule would have looked at.
    mutating func noteLate(_ event: Event, key: [Value]) {
        if isWanted(key) { result.late.append(event.time) }
    }

    // MARK: - Decisions of the machines

    /// A record has been handed out.
    mutating func noteAlert(_ rule: Int, key: [Value], state: Alert.State) {
        if rule == index, state == .firing, !hasEnded, isWanted(key) { result.alerts += 1 }
    }

    /// A sequence has found a match.
    mutating func noteMatch(
        _ taken: [[CapturedEvent]], hash: UInt64, at time: Timestamp, by evaluator: TermEvaluator
    ) {
        guard case .sequence(let rule) = kind, time <= until,
            var log = sequences.removeValue(forKey: hash)
        else { return }
        log.matched(taken, at: time, rule: rule, covering: coversBranches ? evaluator : nil)
        collect(&log)
        sequences[hash] = log
    }

    /// A threshold has been judged.
    mutating func noteJudgement(
        hash: UInt64, key: [Value], state: Spell.State, at time: Timestamp, events: Int,
        minimum: Int, judgement: () -> Spell.Judgement
    ) {
        guard isWanted(key), !hasEnded, time <= until else { return }
        keys.insert(hash)
        spells[hash, default: SpellLog(key: key)].note(
            state, at: time, events: events, minimum: minimum, judgement: judgement)
    }

    /// A correlation has looked at the members that are there.
    mutating func noteMembers(
        hash: UInt64, key: [Value], newest: [Timestamp?], at time: Timestamp,
        until: Timestamp, outcome: Gathering.Outcome
    ) {
        guard case .correlation(let rule) = kind, isWanted(key), !hasEnded, time <= until else {
            return
        }
        keys.insert(hash)
        gatherings[hash, default: GatheringLog(key: key)].judged(
            newest, at: time, until: until, outcome: outcome, rule: rule)
    }

    /// The members of an anomaly cluster have been judged.
    mutating func noteBucket(_ bucket: ClusterAttempt, hash: UInt64) {
        guard isWanted(bucket.key), !hasEnded, bucket.at <= until else { return }
        keys.insert(hash)
        var told = clusters[hash] ?? []
        told.append(bucket)
        // The buckets in which most stood out.
        if told.count > 64 {
            let order = told.enumerated().sorted {
                (-$0.element.nearness, $0.offset) < (-$1.element.nearness, $1.offset)
            }
            told = order.prefix(32).sorted { $0.offset < $1.offset }.map(\.element)
        }
        clusters[hash] = told
        guard coversBranches else { return }
        for member in bucket.members where member.isAnomalous != nil {
            result.branches.note(member.tests)
        }
    }

    // MARK: - The end

    /// Tells what is open and hands everything out.
    mutating func finish(in context: MachineContext) -> Observations {
        if !hasEnded { end(at: min(context.instant, until), in: context) }
        result.end = min(context.instant, until)
        for hash in spells.keys.sorted() {
            for spell in spells[hash]?.finished() ?? [] { add(.spell(spell)) }
        }
        for hash in gatherings.keys.sorted() {
            for gathering in gatherings[hash]?.finished() ?? [] { add(.gathering(gathering)) }
        }
        for hash in clusters.keys.sorted() {
            for cluster in clusters[hash] ?? [] { add(.cluster(cluster)) }
        }
        if wanted == nil { trim() }
        result.entries = result.entries.enumerated().sorted {
            wanted == nil
                ? (-$0.element.progress, $0.offset) < (-$1.element.progress, $1.offset)
                : ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
        }.map(\.element)
        if result.entries.isEmpty, let nearestStart {
            result.entries = [.nothing(key: nearestStart.key, nearestStart.miss)]
        }
        let masks = Masks(rule: context.program.rules[index])
        result.entries = result.entries.map { $0.masked(by: masks) }
        if !masks.keys.isEmpty { result.otherKeys = [] }
        result.keys = keys.count
        let doubts = context.keys[index]
        for key in doubts.keysByUse where isWanted(doubts.values(key)) {
            for reason in doubts.doubts(key).reasons where !result.doubts.contains(reason) {
                result.doubts.append(reason)
            }
        }
        let counters = context.counters.rules[index]
        if counters.evictedKeys > 0 {
            result.doubts.append(
                "\(counters.evictedKeys) keys of this rule were dropped for its limit")
        }
        return result
    }
}

extension Observation {
    /// How near it came to an alert; more than 1 for those that did.
    public var progress: Double {
        switch self {
        case .attempt(let attempt):
            if case .matched = attempt.outcome { return 2 }
            return attempt.progress
        case .spell(let spell):
            switch spell.state {
            case .firing: return 2
            case .pending: return 1
            case .inactive: return 1 - min(1, spell.nearest?.distance ?? 1)
            case .unknown: return 0
            }
        case .gathering(let gathering):
            if gathering.outcome == .fired { return 2 }
            return Double(gathering.present.count) / Double(max(1, gathering.required))
        case .cluster(let cluster): return cluster.hasFired ? 2 : cluster.nearness
        case .nothing: return 0
        }
    }

    /// When it began.
    public var time: Timestamp {
        switch self {
        case .attempt(let attempt): attempt.first
        case .spell(let spell): spell.from
        case .gathering(let gathering): gathering.at
        case .cluster(let cluster): cluster.at
        case .nothing(_, let miss): miss.time
        }
    }

    /// The key that it is of.
    public var key: [Value] {
        switch self {
        case .attempt(let attempt): attempt.key
        case .spell(let spell): spell.key
        case .gathering(let gathering): gathering.key
        case .cluster(let cluster): cluster.key
        case .nothing(let key, _): key
        }
    }
}

extension ClusterAttempt {
    /// Members that stand out, of those needed; a little for a member that nearly does.
    var nearness: Double {
        let near = members.map { 1 - min(1, $0.failed.reduce(0) { $0 + $1.distance }) }.max() ?? 0
        return min(1, (Double(onsets) + 0.5 * near) / Double(max(1, needed)))
    }
}
