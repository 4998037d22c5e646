import RuleModel

/// The state of one key of a threshold rule (H4).
///
///                 true                    true for F
///     inactive ──────────> pending ─────────────────────> firing
///        ^                    │                             │
///        │       false        │                             │ C2 true for R
///        └────────────────────┴──────── (resolved) <────────┘
///
/// Unknown keeps the state and its clocks for `stale after`; then `on no data` decides (H6).
///
/// Everything that is due at one instant takes effect in this order: what is true at the instant
/// itself (listed keys become known, buckets and sessions end, earlier windows gain an event); then
/// `for`, `resolve when ... for`, `stale after`, reminders and forgetting, which ask about spans that
/// include the instant; then what is true just behind it (events leave sliding windows).
struct ThresholdKey: KeyState {
    /// What begins when the rule fires and ends when it resolves.
    struct Episode: Sendable {
        var id: String
        /// False when `unless` or `active` kept the beginning silent: then the rest is silent too.
        var isHandedOut: Bool
        /// What the beginning said: the end repeats it, since it says what has ended.
        var message: String?
        var strength: Double
        var nextReminder: Timestamp
        /// Since when the resolve condition holds.
        var resolvingSince: Timestamp?
    }

    private var window: WindowState
    private var isListed: Bool
    /// The listing of a listed key, the first event of another (H9).
    private let clockStart: Timestamp
    /// How many of the rule's warm-ups are over.
    private var warmUpsPassed = 0
    private var lastEvent: Timestamp
    /// Whether an episode began or ended since the last judgement, or by it: then the next one may come
    /// out differently though the window is the same.
    private var isUnsettled = false
    private var pendingSince: Timestamp?
    private var episode: Episode?
    private var unknownSince: Timestamp?
    /// Whether `on no data` has decided for the time since `unknownSince`.
    private var isStale = false
    private(set) var isForgotten = false

    /// Events in the window.
    var eventCount: Int { window.buffer.count }

    /// Whether an episode is open whose beginning was handed out.
    var isTold: Bool { episode?.isHandedOut ?? false }
    /// Whether a condition has come true and not been answered by its end.
    var isOpen: Bool { pendingSince != nil || episode != nil }

    init(rule: ThresholdRule, isListed: Bool, at clockStart: Timestamp) {
        window = WindowState(rule: rule.window)
        self.isListed = isListed
        self.clockStart = clockStart
        lastEvent = clockStart
        if isListed, rule.window.span > .zero {
            unknownSince = clockStart
            window.watchNextBucket(after: clockStart, rule: rule.window)
        }
    }

    /// Whether an episode is open.
    var isFiring: Bool { episode != nil }

    /// Whether a condition holds and only its `for` is waited for.
    var isPending: Bool { pendingSince != nil }

    // MARK: - Calls

    mutating func process(
        _ event: Event, rule: ThresholdRule, key: KeySlot, in context: inout MachineContext
    ) {
        let instant = context.instant
        lastEvent = instant
        if window.endsSession(at: instant, rule: rule.window) {
            window.closeSession(rule: rule.window)
            judge(at: instant, rule: rule, key: key, in: &context)
        }
        var overflow = false
        let isJudged = window.add(
            event, at: instant, rule: rule.window, evaluator: context.evaluator, overflow: &overflow
        )
        if overflow {
            context.noteOverflow(.events)
            context.keys[context.rule].addDoubts(key, .droppedEvents)
        }
        if isJudged { judge(at: instant, rule: rule, key: key, in: &context) }
    }

    /// Lets everything that is due up to an instant, that one included, take effect.
    mutating func fire(
        until end: Timestamp, rule: ThresholdRule, key: KeySlot, in context: inout MachineContext
    ) {
        while !isForgotten {
            let instant = nextInstant(rule: rule)
            // What would be due after the end of all time is never due.
            guard instant <= end, instant < .distantFuture else { return }
            step(at: instant, rule: rule, key: key, in: &context)
        }
    }

    /// The next instant at which something is due.
    func nextInstant(rule: ThresholdRule) -> Timestamp {
        let program = rule.program
        var next = window.nextChange(rule: rule.window)
        if case .sliding = rule.window.kind, let warmUp = nextWarmUp(rule: rule) {
            next = min(next, warmUp)
        }
        if let pendingSince { next = min(next, pendingSince + program.holdFor) }
        if let episode {
            if let since = episode.resolvingSince { next = min(next, since + program.resolveFor) }
            next = min(next, episode.nextReminder)
        }
        if let unknownSince, !isStale, program.onNoData != .keep {
            next = min(next, unknownSince + program.staleAfter)
        }
        if !isListed { next = min(next, lastEvent + program.forgetAfter) }
        return next
    }

    /// The key came to stand in the rule's list. A key that had events before keeps its clock.
    mutating func enlist(at instant: Timestamp, rule: ThresholdRule) {
        guard !isListed else { return }
        isListed = true
        warmUpsPassed = rule.warmUpsOfListed.count { clockStart + $0 <= instant }
    }

    /// Ends the episode, if there is one, for a reason that is not in the data.
    mutating func end(
        reason: String, rule: ThresholdRule, key: KeySlot, in context: inout MachineContext
    ) {
        let instant = context.instant
        if episode != nil {
            resolve(
                at: instant, reason: reason, terms: terms(at: instant, rule, key, context),
                rule: rule,
                key: key, in: &context)
        }
        isForgotten = true
    }

    // MARK: - One instant

    private mutating func step(
        at instant: Timestamp, rule: ThresholdRule, key: KeySlot, in context: inout MachineContext
    ) {
        let program = rule.program
        var mustJudge = window.reach(instant, rule: rule.window)
        while let warmUp = nextWarmUp(rule: rule), warmUp <= instant {
            warmUpsPassed += 1
            if case .sliding = rule.window.kind { mustJudge = true }
        }
        if mustJudge { judge(at: instant, rule: rule, key: key, in: &context) }
        if rule.window.grid != nil, mustJudge {
            window.planBucket(
                after: instant, knownFrom: nextWarmUp(rule: rule), rule: rule.window)
        }

        if let since = pendingSince, since + program.holdFor <= instant {
            let terms = terms(at: instant, rule, key, context)
            begin(at: instant, reason: nil, terms: terms, rule: rule, key: key, in: &context)
            // From now on the resolve condition counts.
            judge(at: instant, rule: rule, key: key, in: &context)
        }
        if let since = episode?.resolvingSince, since + program.resolveFor <= instant {
            let terms = terms(at: instant, rule, key, context)
            resolve(at: instant, reason: nil, terms: terms, rule: rule, key: key, in: &context)
            reviewKnowledge(at: instant, rule: rule, key: key, in: context)
        }
        if let since = unknownSince, !isStale, since + program.staleAfter <= instant {
            isStale = true
            decideWithoutData(at: instant, rule: rule, key: key, in: &context)
        }

        if isUnsettled { window.watchNextBucket(after: instant, rule: rule.window) }

        if let episode, episode.nextReminder <= instant {
            remind(at: instant, rule: rule, key: key, in: &context)
        }
        if !isListed, lastEvent + program.forgetAfter <= instant {
            let terms = terms(at: instant, rule, key, context)
            resolve(
                at: instant, reason: "forgotten", terms: terms, rule: rule, key: key, in: &context)
            isForgotten = true
            return
        }

        if window.pass(instant, rule: rule.window) {
            judge(at: instant, rule: rule, key: key, in: &context)
        }
    }

    /// Evaluates the conditions and changes the state accordingly (H4, H5).
    private mutating func judge(
        at instant: Timestamp, rule: ThresholdRule, key: KeySlot, in context: inout MachineContext
    ) {
        let program = rule.program
        let terms = terms(at: instant, rule, key, context)
        let isJudgeable = isJudgeable(at: instant, rule: rule)
        let when = isJudgeable ? context.evaluator.judge(program.when, in: terms) : nil
        isUnsettled = false
        if episode == nil {
            switch when {
            case true?:
                if pendingSince == nil { pendingSince = instant }
                if program.holdFor <= .zero {
                    begin(
                        at: instant, reason: nil, terms: terms, rule: rule, key: key, in: &context)
                    if program.resetsAfterMatch {
                        // Known until now; the window is another one from here on.
                        note(isUnknown: false, at: instant)
                        judge(at: instant, rule: rule, key: key, in: &context)
                        return
                    }
                }
            case false?: pendingSince = nil
            case nil: break
            }
        }
        var resolves: Bool?
        if episode != nil {
            resolves = resolveTruth(when: when, isJudgeable, terms, rule, context)
            switch resolves {
            case true?:
                if episode?.resolvingSince == nil { episode?.resolvingSince = instant }
                if program.resolveFor <= .zero {
                    resolve(
                        at: instant, reason: nil, terms: terms, rule: rule, key: key, in: &context)
                }
            case false?: episode?.resolvingSince = nil
            case nil: break
            }
        }
        note(isUnknown: (episode == nil ? when : resolves) == nil, at: instant)
        if context.recorder?.index == context.rule {
            observe(when, terms, at: instant, rule: rule, key: key, in: &context)
        }
    }

    /// Tells the recorder what the judgement came to.
    private func observe(
        _ when: Bool?, _ terms: ThresholdTerms, at instant: Timestamp, rule: ThresholdRule,
        key: KeySlot, in context: inout MachineContext
    ) {
        let (hash, values) = (context.keyHash(key), context.keyValues(key))
        let evaluator = context.evaluator
        for condition in [rule.program.when, rule.program.resolveWhen].compactMap(\.self) {
            context.recorder?.cover(condition, in: terms, by: evaluator, logic: .threeValued)
        }
        context.recorder?.noteJudgement(
            hash: hash, key: values, state: state(when), at: instant,
            events: window.now.count, minimum: rule.program.minimumEvents
        ) {
            judgement(terms, at: instant, rule: rule, by: evaluator)
        }
    }

    private func state(_ when: Bool?) -> Spell.State {
        episode != nil
            ? .firing : pendingSince != nil ? .pending : when == nil ? .unknown : .inactive
    }

    private func judgement(
        _ terms: ThresholdTerms, at instant: Timestamp, rule: ThresholdRule,
        by evaluator: TermEvaluator
    ) -> Spell.Judgement {
        Spell.Judgement(
            time: instant,
            measures: zip(rule.measureNames, terms.measures).map { .init($0, $1) },
            failed: evaluator.failures(
                of: rule.program.when, in: terms, logic: .threeValued
            ).failed)
    }

    /// Where the key stands, for whoever asks.
    func open(rule: ThresholdRule, key: KeySlot, in context: MachineContext) -> OpenThreshold {
        let terms = terms(at: context.instant, rule, key, context)
        let when =
            isJudgeable(at: context.instant, rule: rule)
            ? context.evaluator.judge(rule.program.when, in: terms) : nil
        let state = state(when)
        let until =
            episode == nil
            ? pendingSince.map { $0 + rule.program.holdFor }
            : episode?.resolvingSince.map { $0 + rule.program.resolveFor }
        return OpenThreshold(
            key: context.keyValues(key), state: state,
            since: state == .pending ? pendingSince : state == .unknown ? unknownSince : nil,
            until: until, alert: isTold ? episode?.id : nil, events: window.now.count,
            minimumEvents: rule.program.minimumEvents,
            now: judgement(terms, at: context.instant, rule: rule, by: context.evaluator))
    }

    /// Whether the condition that ends an episode holds: that of the rule, or that the other one is false.
    private func resolveTruth(
        when: Bool?, _ isJudgeable: Bool, _ terms: ThresholdTerms, _ rule: ThresholdRule,
        _ context: MachineContext
    ) -> Bool? {
        guard let condition = rule.program.resolveWhen else { return when.map { !$0 } }
        return isJudgeable ? context.evaluator.judge(condition, in: terms) : nil
    }

    /// Finds out whether the condition that decides from now on is unknown, where a change of state made it
    /// another one without a judgement.
    private mutating func reviewKnowledge(
        at instant: Timestamp, rule: ThresholdRule, key: KeySlot, in context: MachineContext
    ) {
        let when = rule.program.when
        let condition = episode == nil ? when : rule.program.resolveWhen ?? when
        let truth =
            isJudgeable(at: instant, rule: rule)
            ? context.evaluator.judge(condition, in: terms(at: instant, rule, key, context)) : nil
        note(isUnknown: truth == nil, at: instant)
    }

    /// Below the minimum of events and before the end of its warm-up a key knows nothing (H7, H9).
    private func isJudgeable(at instant: Timestamp, rule: ThresholdRule) -> Bool {
        isKnown(.now, at: instant, rule: rule) && window.now.count >= rule.program.minimumEvents
    }

    /// The state has changed, so that the rule's own resolve condition takes the place of the other one, or
    /// gives it back: what was unknown of the one says nothing of the other (H6).
    private mutating func changeDecidingCondition(rule: ThresholdRule) {
        guard rule.program.resolveWhen != nil else { return }
        unknownSince = nil
        isStale = false
    }

    private mutating func note(isUnknown: Bool, at instant: Timestamp) {
        if isUnknown, unknownSince != nil { return }
        unknownSince = isUnknown ? instant : nil
        isStale = false
    }

    private mutating func decideWithoutData(
        at instant: Timestamp, rule: ThresholdRule, key: KeySlot, in context: inout MachineContext
    ) {
        let terms = terms(at: instant, rule, key, context)
        switch rule.program.onNoData {
        case .keep: break
        case .resolve:
            pendingSince = nil
            guard episode != nil else { return }
            resolve(
                at: instant, reason: "no data", terms: terms, rule: rule, key: key, in: &context)
            reviewKnowledge(at: instant, rule: rule, key: key, in: context)
        case .fire:
            guard episode == nil else { return }
            begin(at: instant, reason: "no data", terms: terms, rule: rule, key: key, in: &context)
            reviewKnowledge(at: instant, rule: rule, key: key, in: context)
        }
    }

    // MARK: - Records

    private mutating func begin(
        at instant: Timestamp, reason: String?, terms: ThresholdTerms, rule: ThresholdRule,
        key: KeySlot, in context: inout MachineContext
    ) {
        let program = rule.program
        pendingSince = nil
        let isByCondition = reason == nil
        let strength =
            isByCondition ? context.evaluator.strength(of: program.when, in: terms) : 0
        let id = context.makeAlertID(key: key, matchedAt: instant)
        let record = record(
            id: id, state: .firing, at: instant, strength: strength, reason: reason, terms: terms,
            rule: rule)
        let isHandedOut = context.emit(record, key: key, terms: terms)
        episode = Episode(
            id: id, isHandedOut: isHandedOut,
            message: isHandedOut ? context.emission.lastMessage : nil, strength: strength,
            nextReminder: program.remindEvery.map { instant + $0 } ?? .distantFuture)
        isUnsettled = true
        changeDecidingCondition(rule: rule)
        if program.resetsAfterMatch {
            // One alert for each filling of the window; the empty one usually resolves it at once (H8).
            window.removeAll(rule: rule.window)
        }
    }

    private mutating func resolve(
        at instant: Timestamp, reason: String?, terms: ThresholdTerms, rule: ThresholdRule,
        key: KeySlot, in context: inout MachineContext
    ) {
        guard let episode else { return }
        self.episode = nil
        isUnsettled = true
        changeDecidingCondition(rule: rule)
        guard episode.isHandedOut else { return }
        var record = record(
            id: episode.id, state: .resolved, at: instant, strength: episode.strength,
            reason: reason,
            terms: terms, rule: rule)
        record.mayBeSilenced = false
        record.message = episode.message
        context.emit(record, key: key, terms: terms)
    }

    private mutating func remind(
        at instant: Timestamp, rule: ThresholdRule, key: KeySlot, in context: inout MachineContext
    ) {
        guard let episode, let interval = rule.program.remindEvery, interval > .zero else {
            self.episode?.nextReminder = .distantFuture
            return
        }
        self.episode?.nextReminder = episode.nextReminder + interval
        guard episode.isHandedOut else { return }
        let terms = terms(at: instant, rule, key, context)
        let record = record(
            id: episode.id, state: .updated, at: instant, strength: episode.strength,
            reason: "reminder", terms: terms, rule: rule)
        context.emit(record, key: key, terms: terms)
    }

    private func record(
        id: String, state: Alert.State, at instant: Timestamp, strength: Double, reason: String?,
        terms: ThresholdTerms, rule: ThresholdRule
    ) -> MatchRecord {
        let view = window.now
        let first = view.isEmpty ? instant : window.buffer.time(view.lower)
        let last = view.isEmpty ? instant : window.buffer.time(view.upper - 1)
        var record = MatchRecord(
            id: id, state: state, kind: "threshold", matchedAt: instant, firstTime: first,
            lastTime: last, strength: strength)
        record.measures = zip(rule.measureNames, terms.measures).map { Alert.NamedValue($0, $1) }
        record.reason = reason
        for (index, name) in rule.measureNames.enumerated() where view.isEstimated(index) {
            record.incompleteBecause.append(QuantileSketch.note(on: name))
        }
        return record
    }

    // MARK: - Knowledge

    private func terms(
        at instant: Timestamp, _ rule: ThresholdRule, _ key: KeySlot, _ context: MachineContext
    ) -> ThresholdTerms {
        let indices = rule.measureNames.indices
        var past: [[Value]] = []
        for (index, time) in rule.pastTimes.enumerated() {
            let isKnown = isKnown(time, at: instant, rule: rule)
            past.append(indices.map { isKnown ? window.pasts[index].value($0) : .missing })
        }
        return ThresholdTerms(
            instant: instant, keyValues: context.keyValues(key),
            measures: indices.map { window.now.value($0) }, pastTimes: rule.pastTimes,
            pastMeasures: past)
    }

    /// Whether what the measures of that time cover has been watched from end to end (H9, H10).
    private func isKnown(
        _ time: Term.MeasureTime, at instant: Timestamp, rule: ThresholdRule
    ) -> Bool {
        if rule.window.span == .zero { return window.hasHistory(time, rule: rule.window) }
        if time == .now && !isListed { return true }
        return instant >= clockStart + rule.window.warmUp(of: time)
    }

    private func warmUps(_ rule: ThresholdRule) -> [TimeSpan] {
        isListed ? rule.warmUpsOfListed : rule.warmUps
    }

    private func nextWarmUp(rule: ThresholdRule) -> Timestamp? {
        let warmUps = warmUps(rule)
        guard warmUpsPassed < warmUps.count else { return nil }
        return clockStart + warmUps[warmUpsPassed]
    }

    // MARK: - Snapshot

    func write(to writer: inout StateWriter, rule: ThresholdRule) {
        window.write(to: &writer, rule: rule.window)
        writer.write(isListed)
        writer.write(clockStart)
        // The last warm-up that is over: their number means nothing to a rule whose conditions look at
        // other windows.
        writer.write(warmUpsPassed > 0 ? warmUps(rule)[warmUpsPassed - 1] : TimeSpan.zero)
        writer.write(lastEvent)
        writer.write(isUnsettled)
        writer.write(pendingSince)
        writer.write(episode)
        writer.write(unknownSince)
        writer.write(isStale)
    }

    init(
        from reader: inout StateReader, rule: ThresholdRule, at instant: Timestamp
    ) throws(SnapshotError) {
        window = try WindowState(from: &reader, rule: rule.window)
        isListed = try reader.bool()
        clockStart = try reader.read()
        let warmUp: TimeSpan = try reader.read()
        lastEvent = try reader.read()
        isUnsettled = try reader.bool()
        pendingSince = try reader.readOptional()
        episode = try reader.readOptional()
        unknownSince = try reader.readOptional()
        isStale = try reader.bool()
        warmUpsPassed = warmUps(rule).count { $0 <= warmUp }
        // Every reminder of the past has been sent: nobody would want them by the million.
        guard episode.map({ $0.nextReminder >= instant }) ?? true else {
            throw reader.damaged("a reminder that was not sent")
        }
    }
}

extension ThresholdKey.Episode: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init(
            id: try reader.read(), isHandedOut: try reader.bool(),
            message: try reader.readOptional(), strength: try reader.read(),
            nextReminder: try reader.read(), resolvingSince: try reader.readOptional())
    }

    func write(to writer: inout StateWriter) {
        writer.write(id)
        writer.write(isHandedOut)
        writer.write(message)
        writer.write(strength)
        writer.write(nextReminder)
        writer.write(resolvingSince)
    }
}
