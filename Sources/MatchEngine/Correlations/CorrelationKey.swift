import RuleModel

/// The state of one key of a correlation.
///
///                requirement holds (and the strength is enough)
///     inactive ─────────────────────────────────────────────────> firing ──┐ updated
///        ^                                                           │  ^──┘
///        └──────────────── requirement no longer holds ──────────────┘
///
/// More events never end the requirement and fewer never begin it. So a beginning is looked for at
/// events, and an end when an event of the witness leaves the window: before that the witness
/// itself shows that the requirement holds.
struct CorrelationKey: KeyState {
    /// What begins when the requirement comes to hold and ends when it no longer does (C4).
    struct Episode: Sendable {
        var id: String
        /// False when `unless` or `active` kept the beginning silent: then the rest is silent too.
        var isHandedOut: Bool
        /// What the beginning said: the end repeats it.
        var message: String?
        /// What the rule asked to be measured; stays what it was at the beginning.
        var measured: MeasuredStrength?
        var choice: MemberChoice
        /// The members that have been part of the witness in a record.
        var members: UInt64
        var lastRecord: Timestamp
        /// Whether something came that no record has told yet.
        var hasNews: Bool
    }

    private var windows: [MemberWindow]
    private var ordinal: Int64 = 0
    private var episode: Episode?
    private var lift: LiftHistory?
    private var movement: MovementHistory?

    init(rule: CorrelationRule) {
        windows = Array(repeating: MemberWindow(), count: rule.program.members.count)
        switch rule.program.strength {
        case nil: break
        case .lift(let plan):
            if !plan.isPooled { lift = LiftHistory(plan, limit: rule.occurrencesMax) }
        case .movement(let program): movement = MovementHistory(program)
        }
    }

    /// Whether the key can be forgotten.
    var isForgotten: Bool {
        episode == nil && windows.allSatisfy(\.isEmpty) && lift?.isEmpty ?? true
            && movement?.isEmpty ?? true
    }

    // MARK: - Calls

    mutating func process(
        _ event: Event, rule: CorrelationRule, pooled: inout LiftHistory?, key: KeySlot,
        in context: inout MachineContext
    ) {
        // An event exactly as old as the window still counts (T1).
        leave(upTo: context.instant - TimeSpan(nanoseconds: 1), rule: rule)
        let members = take(event, rule: rule, in: context)
        guard members != 0 else { return }
        learn(event, as: members, rule: rule, pooled: &pooled, key: key, in: &context)
        limit(rule: rule, key: key, in: &context)
        judge(rule: rule, pooled: &pooled, key: key, in: &context)
    }

    /// Lets everything that is due up to an instant, that one included, take effect.
    mutating func fire(
        until end: Timestamp, rule: CorrelationRule, key: KeySlot, in context: inout MachineContext
    ) {
        while !isForgotten {
            let instant = nextInstant(rule: rule)
            guard instant <= end, instant < .distantFuture else { return }
            step(at: instant, rule: rule, key: key, in: &context)
        }
    }

    /// The next instant at which something is due: in an episode its end or an update, otherwise the
    /// time at which there is something to forget.
    func nextInstant(rule: CorrelationRule) -> Timestamp {
        let known = windows.compactMap(\.firstKnownEnd).min() ?? .distantFuture
        if let episode {
            let update = episode.hasNews ? episode.lastRecord + rule.updateEvery : .distantFuture
            return min(end(of: episode.choice, rule: rule), update, known)
        }
        let points = windows.compactMap { $0.lastEnd(within: rule.program.within) }.max()
        if let points { return min(points, known) }
        if known < .distantFuture { return known }
        // Alerts without a known end are waited for, however long they last.
        guard windows.allSatisfy(\.isEmpty) else { return .distantFuture }
        return max(lift?.end ?? .distantPast, movement?.end ?? .distantPast)
    }

    // MARK: - Events

    /// Adds an event to the windows of the members that it fits.
    ///
    /// - Returns: Those members, as bits. The end of an alert is no event of a member.
    private mutating func take(
        _ event: Event, rule: CorrelationRule, in context: MachineContext
    ) -> UInt64 {
        var points: UInt64 = 0
        var beginnings: [(member: Int, id: Value)] = []
        for (index, member) in rule.program.members.enumerated()
        where context.inputs >> UInt64(member.input) & 1 == 1 {
            switch rule.role(of: event, for: member) {
            case .point?: points |= 1 << UInt64(index)
            case .beginning(let id)?: beginnings.append((index, id))
            case .end(let id)?: windows[index].end(id, at: context.instant)
            case nil: break
            }
        }
        let members = beginnings.reduce(points) { $0 | 1 << UInt64($1.member) }
        guard members != 0 else { return 0 }
        ordinal += 1
        let captured = CapturedEvent(
            instant: context.instant, time: event.time, type: event.type, ordinal: ordinal,
            steps: members, starts: 0, values: rule.layout.values(of: event, steps: members))
        var rest = points
        while rest != 0 {
            windows[rest.trailingZeroBitCount].append(captured)
            rest &= rest - 1
        }
        for (member, id) in beginnings { windows[member].begin(id, with: captured) }
        return members
    }

    /// Lets the strength learn from an event.
    private mutating func learn(
        _ event: Event, as members: UInt64, rule: CorrelationRule, pooled: inout LiftHistory?,
        key: KeySlot, in context: inout MachineContext
    ) {
        func has(_ member: StepID) -> Bool { members >> UInt64(member.rawValue) & 1 == 1 }
        switch rule.program.strength {
        case nil: break
        case .lift(let plan):
            var isDropped = false
            func note(_ history: inout LiftHistory?) {
                if has(plan.later) { history?.noteLater(at: context.instant) }
                if has(plan.earlier), history?.noteEarlier(at: context.instant) == true {
                    isDropped = true
                }
            }
            if plan.isPooled { note(&pooled) } else { note(&lift) }
            if isDropped { noteDropped(key: key, in: &context) }
        case .movement(let program):
            for (side, isFirst) in [(program.first, true), (program.second, false)]
            where has(side.member) {
                let value = context.evaluator.value(side.value, of: event)
                movement?.note(value, isFirst: isFirst, at: context.instant)
            }
        }
    }

    /// Keeps the limit on events: the member that has most gives its oldest, so that a flood of one
    /// does not take away what is rare (T9).
    private mutating func limit(
        rule: CorrelationRule, key: KeySlot, in context: inout MachineContext
    ) {
        guard windows.reduce(0, { $0 + $1.count }) > rule.eventsMax else { return }
        var fullest = 0
        for index in windows.indices where windows[index].count > windows[fullest].count {
            fullest = index
        }
        windows[fullest].removeOldest()
        noteDropped(key: key, in: &context)
    }

    private func noteDropped(key: KeySlot, in context: inout MachineContext) {
        context.noteOverflow(.events)
        context.keys[context.rule].addDoubts(key, .droppedEvents)
    }

    private mutating func leave(upTo time: Timestamp, rule: CorrelationRule) {
        for index in windows.indices {
            windows[index].leave(upTo: time, within: rule.program.within)
        }
    }

    // MARK: - Judging

    private func choice(
        rule: CorrelationRule, key: KeySlot, in context: inout MachineContext
    ) -> MemberChoice? {
        var search = rule.search
        let choice = search.choice(in: windows)
        if search.isExhausted {
            context.noteOverflow(.searches)
            context.keys[context.rule].addDoubts(key, .exhaustedSearch)
        }
        return choice
    }

    /// Looks at what an event has changed.
    private mutating func judge(
        rule: CorrelationRule, pooled: inout LiftHistory?, key: KeySlot,
        in context: inout MachineContext
    ) {
        let instant = context.instant
        let choice = choice(rule: rule, key: key, in: &context)
        guard episode == nil else {
            guard let choice else {
                // Only a limit takes events away here.
                resolve(showing: shown(rule: rule, in: context), rule: rule, key: key, in: &context)
                return
            }
            goOn(with: choice, rule: rule, key: key, in: &context)
            return
        }
        guard let choice else {
            observe(rule: rule, key: key, in: &context) { present in
                present < rule.program.required ? .tooFew : .wrongOrder
            }
            return
        }
        var measured: MeasuredStrength?
        if let strength = rule.program.strength {
            measured = measure(strength, pooled: &pooled, at: instant, in: context)
            guard let measured, measured.isEnough(for: strength) else {
                observe(rule: rule, key: key, in: &context) { _ in
                    .tooWeak(
                        measured: measured?.strength, limit: MeasuredStrength.limit(of: strength))
                }
                return
            }
        }
        observe(rule: rule, key: key, in: &context) { _ in .fired }
        begin(with: choice, measured, rule: rule, key: key, in: &context)
    }

    /// Tells the recorder which members are there.
    private func observe(
        rule: CorrelationRule, key: KeySlot, in context: inout MachineContext,
        outcome: (Int) -> Gathering.Outcome
    ) {
        guard context.recorder?.index == context.rule else { return }
        let newest = windows.map { $0.newest?.time }
        let until = windows.compactMap { window in
            window.newest.map { window.end(of: $0, within: rule.program.within) }
        }.max()
        let (hash, values) = (context.keyHash(key), context.keyValues(key))
        let instant = context.instant
        context.recorder?.noteMembers(
            hash: hash, key: values, newest: newest, at: instant, until: until ?? instant,
            outcome: outcome(newest.count { $0 != nil }))
    }

    /// Where the key stands, for whoever asks; nil when no member is there.
    func open(
        rule: CorrelationRule, pooled: LiftHistory?, key: KeySlot, in context: MachineContext
    ) -> OpenCorrelation? {
        var (state, pooled, context) = (self, pooled, context)
        // What has left is let go when the key is looked at next.
        state.leave(upTo: context.instant - TimeSpan(nanoseconds: 1), rule: rule)
        var gathering = Gathering(
            key: context.keyValues(key), at: context.instant, present: [], missing: [],
            required: rule.program.required, outcome: .tooFew, until: context.instant, misses: [])
        for (index, member) in rule.program.members.enumerated() {
            guard let newest = state.windows[index].newest else {
                gathering.missing.append(member.name)
                continue
            }
            gathering.present.append(.init(name: member.name, time: newest.time))
            gathering.until = max(
                gathering.until, state.windows[index].end(of: newest, within: rule.program.within))
        }
        guard !gathering.present.isEmpty else { return nil }
        if let episode {
            gathering.outcome = .fired
            gathering.until = end(of: episode.choice, rule: rule)
        } else if gathering.present.count >= rule.program.required {
            if let strength = rule.program.strength,
                state.choice(rule: rule, key: key, in: &context) != nil
            {
                let measured = state.measure(
                    strength, pooled: &pooled, at: context.instant, in: context)
                gathering.outcome = .tooWeak(
                    measured: measured?.strength, limit: MeasuredStrength.limit(of: strength))
            } else {
                gathering.outcome = .wrongOrder
            }
        }
        return OpenCorrelation(
            gathering: gathering, alert: isTold ? episode?.id : nil)
    }

    private mutating func measure(
        _ strength: StrengthProgram, pooled: inout LiftHistory?, at instant: Timestamp,
        in context: MachineContext
    ) -> MeasuredStrength? {
        switch strength {
        case .lift(let plan):
            let rates =
                plan.isPooled
                ? pooled?.rates(at: instant, watchedFrom: context.watchStart)
                : lift?.rates(at: instant, watchedFrom: context.watchStart)
            return rates.map { .lift($0) }
        case .movement: return movement?.movement(at: instant).map { .movement($0) }
        }
    }

    // MARK: - Episodes

    private mutating func begin(
        with choice: MemberChoice, _ measured: MeasuredStrength?, rule: CorrelationRule,
        key: KeySlot, in context: inout MachineContext
    ) {
        let instant = context.instant
        let id = context.makeAlertID(key: key, matchedAt: instant)
        let shown = ShownChoice(choice, measured, windows, rule: rule, in: context)
        let isHandedOut = context.emit(
            shown.record(id: id, state: .firing, at: instant), key: key,
            terms: shown.terms(rule: rule, key: context.keyValues(key)))
        if rule.program.isOncePerEvent {
            for event in choice.events.compactMap({ $0 }) {
                for index in windows.indices { windows[index].remove(event) }
            }
            return
        }
        episode = Episode(
            id: id, isHandedOut: isHandedOut,
            message: isHandedOut ? context.output.last?.message : nil, measured: measured,
            choice: choice, members: choice.members, lastRecord: instant, hasNews: false)
    }

    /// A further event in an episode: told at once when a member joins or nothing was told for a
    /// while, and otherwise later.
    private mutating func goOn(
        with choice: MemberChoice, rule: CorrelationRule, key: KeySlot,
        in context: inout MachineContext
    ) {
        guard var episode else { return }
        episode.choice = choice
        episode.hasNews = true
        self.episode = episode
        let joins = choice.members & ~episode.members != 0
        if joins || context.instant >= episode.lastRecord + rule.updateEvery {
            update(showing: shown(rule: rule, in: context), rule: rule, key: key, in: &context)
        }
    }

    /// One instant at which no event came.
    private mutating func step(
        at instant: Timestamp, rule: CorrelationRule, key: KeySlot, in context: inout MachineContext
    ) {
        leave(upTo: instant - TimeSpan(nanoseconds: 1), rule: rule)
        guard let episode else {
            leave(upTo: instant, rule: rule)
            lift?.leave(at: instant)
            movement?.leave(at: instant)
            return
        }
        let isUpdateDue = episode.hasNews && episode.lastRecord + rule.updateEvery <= instant
        let isBroken = end(of: episode.choice, rule: rule) <= instant
        // What leaves now is still there at the instant itself (H2), and so in its records.
        let shown = isUpdateDue || isBroken ? self.shown(rule: rule, in: context) : nil
        leave(upTo: instant, rule: rule)
        if isBroken {
            guard let next = choice(rule: rule, key: key, in: &context) else {
                resolve(showing: shown, rule: rule, key: key, in: &context)
                return
            }
            self.episode?.choice = next
        }
        if isUpdateDue { update(showing: shown, rule: rule, key: key, in: &context) }
    }

    /// The last instant at which the whole witness is there.
    private func end(of choice: MemberChoice, rule: CorrelationRule) -> Timestamp {
        var end = Timestamp.distantFuture
        for (member, event) in choice.events.enumerated() {
            guard let event else { continue }
            end = min(end, windows[member].end(of: event, within: rule.program.within))
        }
        return end
    }

    /// What a record of the episode shows now; nil when it is silent.
    private func shown(rule: CorrelationRule, in context: MachineContext) -> ShownChoice? {
        guard let episode, episode.isHandedOut else { return nil }
        return ShownChoice(episode.choice, episode.measured, windows, rule: rule, in: context)
    }

    private mutating func update(
        showing shown: ShownChoice?, rule: CorrelationRule, key: KeySlot,
        in context: inout MachineContext
    ) {
        guard let episode else { return }
        self.episode?.lastRecord = context.instant
        self.episode?.hasNews = false
        guard let shown else { return }
        self.episode?.members |= shown.members
        context.emit(
            shown.record(id: episode.id, state: .updated, at: context.instant), key: key,
            terms: shown.terms(rule: rule, key: context.keyValues(key)))
    }

    private mutating func resolve(
        showing shown: ShownChoice?, reason: String? = nil, rule: CorrelationRule, key: KeySlot,
        in context: inout MachineContext
    ) {
        guard let episode else { return }
        self.episode = nil
        guard let shown else { return }
        var record = shown.record(id: episode.id, state: .resolved, at: context.instant)
        record.reason = reason
        record.mayBeSilenced = false
        record.message = episode.message
        context.emit(
            record, key: key, terms: shown.terms(rule: rule, key: context.keyValues(key)))
    }

    /// Ends the episode, if there is one, for a reason that is not in the data.
    mutating func end(
        reason: String, rule: CorrelationRule, key: KeySlot, in context: inout MachineContext
    ) {
        resolve(
            showing: shown(rule: rule, in: context), reason: reason, rule: rule, key: key,
            in: &context)
    }

    // MARK: - Snapshot

    var isOpen: Bool { episode != nil }
    /// Whether an episode is open whose beginning was handed out.
    var isTold: Bool { episode?.isHandedOut ?? false }

    func write(to writer: inout StateWriter) {
        for window in windows { window.write(to: &writer) }
        writer.write(Int(ordinal))
        lift?.write(to: &writer)
        movement?.write(to: &writer)
        writer.write(episode != nil)
        episode?.write(to: &writer)
    }

    init(
        from reader: inout StateReader, rule: CorrelationRule, by captures: CaptureReading
    ) throws(SnapshotError) {
        self.init(rule: rule)
        for member in windows.indices {
            windows[member] = try MemberWindow(from: &reader, by: captures)
        }
        ordinal = Int64(try reader.tally())
        switch rule.program.strength {
        case .lift(let plan)? where !plan.isPooled:
            lift = try LiftHistory(from: &reader, plan, limit: rule.occurrencesMax)
        case .movement(let program)?: movement = try MovementHistory(from: &reader, program)
        case .lift?, nil: break
        }
        if try reader.bool() { episode = try Episode(from: &reader, by: captures) }
    }
}

extension CorrelationKey.Episode {
    fileprivate func write(to writer: inout StateWriter) {
        writer.write(id)
        writer.write(isHandedOut)
        writer.write(message)
        writer.write(measured)
        choice.write(to: &writer)
        writer.write(unsigned: members)
        writer.write(lastRecord)
        writer.write(hasNews)
    }

    fileprivate init(
        from reader: inout StateReader, by captures: CaptureReading
    ) throws(SnapshotError) {
        self.init(
            id: try reader.read(), isHandedOut: try reader.bool(),
            message: try reader.readOptional(), measured: try reader.readOptional(),
            choice: try MemberChoice(from: &reader, by: captures),
            members: try reader.unsigned(), lastRecord: try reader.read(),
            hasNews: try reader.bool())
    }
}
