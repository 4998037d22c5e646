import RuleModel

/// One key of a threshold rule: recomputes its windows from nothing at every instant at which
/// something may change, and follows the life cycle of H4 to H8 by the letter.
struct ReferenceThreshold {
    var plan: ThresholdPlan
    var rule: RuleID
    var key: [Value]
    /// Whether the key is in the rule's list, so that it exists without events (H9).
    var isListed: Bool
    /// The fitting events of the key, in T0 order.
    var events: [ReferenceEvent]
    var began: Timestamp
    var watermark: Timestamp
    var tables: RuleSetTables
    var lists: [ListTable]

    private enum State {
        case inactive
        case pending(since: Timestamp)
        case firing(since: Timestamp, resolvingSince: Timestamp?)
    }

    /// What happens next. At one instant: its events, then what is judged at the instant itself
    /// (buckets, sessions, the end of a warm-up), then deadlines, then what leaves behind it.
    private enum Moment: Equatable {
        case event(Int)
        case judge(Timestamp)
        case deadline(Timestamp)
        case leave(Timestamp)

        var rank: Int {
            switch self {
            case .event: 0
            case .judge: 1
            case .deadline: 2
            case .leave: 3
            }
        }
    }

    private var state = State.inactive
    private var unknownSince: Timestamp?
    private var isStale = false
    private var reminders: Int64 = 0
    /// How many events were seen, and how many of them H8 has thrown away.
    private var seen = 0
    private var emptied = 0
    /// The events of the open session, as a range of positions.
    private var session: Range<Int>?
    private var judgedThrough = Timestamp.distantPast
    private var leftThrough = Timestamp.distantPast
    private var window: ReferenceWindow?
    /// Both conditions as last judged.
    private var judged: (when: Bool?, resolve: Bool?) = (nil, nil)
    /// The measures as last judged; deadlines report these.
    private var measured: [Value] = []
    private var found: [ReferenceMatch] = []

    init(
        plan: ThresholdPlan, rule: RuleID, key: [Value], isListed: Bool, events: [ReferenceEvent],
        began: Timestamp, watermark: Timestamp, tables: RuleSetTables, lists: [ListTable]
    ) {
        self.plan = plan
        self.rule = rule
        self.key = key
        self.isListed = isListed
        self.events = events
        self.began = began
        self.watermark = watermark
        self.tables = tables
        self.lists = lists
        // H9: the condition on a listed key is unknown from the start, in windows of a fixed length.
        if isListed, plan.window.span != nil { unknownSince = began }
        measured = plan.measures.indices.map { measure($0, .now) }
    }

    mutating func run() -> [ReferenceMatch] {
        while let (time, moment) = nextMoment() {
            switch moment {
            case .event(let position): see(position)
            case .judge(let time):
                judgedThrough = time
                judge(at: time)
            case .deadline(let time): passDeadline(time)
            case .leave:
                leftThrough = time
                evaluate(ReferenceWindow(time, isBehind: true), arrival: nil)
            }
        }
        return found
    }

    // MARK: - Time

    private func nextMoment() -> (Timestamp, Moment)? {
        var moments: [(Timestamp, Moment)] = []
        if seen < events.count { moments.append((events[seen].instant, .event(seen))) }
        if isListed || seen > 0 {
            // Deadlines need a watermark behind them (T5).
            if let time = nextJudgement(), time < watermark { moments.append((time, .judge(time))) }
            if let time = nextDeadline(), time < watermark {
                moments.append((time, .deadline(time)))
            }
            if let time = nextLeave(), time < watermark { moments.append((time, .leave(time))) }
        }
        return moments.min { ($0.0, $0.1.rank) < ($1.0, $1.1.rank) }
    }

    /// When the key's clock started: with the rule for a listed key, else with its first event.
    private var clock: Timestamp { isListed ? began : events[0].instant }

    private func nextJudgement() -> Timestamp? {
        switch plan.window.kind {
        case .sliding(let span):
            // What enters a window of the past, and what becomes known when enough history exists.
            var times = knownTimes(span)
            for case .earlier(let distance) in pastTimes {
                times += events[emptied..<seen].map { $0.instant + distance }
            }
            return times.filter { $0 > judgedThrough }.min()
        case .tumbling(let span): return nextBucketEnd(span, every: span)
        case .hopping(let span, every: let step): return nextBucketEnd(span, every: step)
        case .session(gap: let gap, max: _):
            // H1: closes at the last event + gap (T5).
            return session.map { events[$0.upperBound - 1].instant + gap }
        case .last: return nil
        }
    }

    /// When enough history exists for a listed key (H9) and for windows of the past (H10).
    private func knownTimes(_ span: TimeSpan) -> [Timestamp] {
        var times = isListed ? [clock + span] : []
        for past in pastTimes {
            switch past {
            case .now: break
            case .previous: times.append(clock + span + span)
            case .earlier(let distance): times.append(clock + distance + span)
            }
        }
        return times
    }

    private func becomesKnown(at time: Timestamp, _ span: TimeSpan) -> Bool {
        knownTimes(span).contains(time)
    }

    /// T1: buckets `[start, start + size)`, aligned to 1970; judged at their end.
    private func nextBucketEnd(_ size: TimeSpan, every step: TimeSpan) -> Timestamp? {
        let after = max(clock, judgedThrough)
        let width = step.nanoseconds
        var index =
            Int64((Double(after.nanoseconds - size.nanoseconds) / Double(width)).rounded(.down)) - 1
        while true {
            let end = Timestamp(nanoseconds: index * width + size.nanoseconds)
            if end > after { return end }
            index += 1
        }
    }

    /// H2: strictly after `time + D` an event is no longer in the window.
    private func nextLeave() -> Timestamp? {
        guard case .sliding(let span) = plan.window.kind else { return nil }
        var distances = [span]
        for past in pastTimes {
            switch past {
            case .now: break
            case .previous: distances.append(span + span)
            case .earlier(let distance): distances.append(distance + span)
            }
        }
        return events[emptied..<seen].flatMap { event in distances.map { event.instant + $0 } }
            .filter { $0 > leftThrough }.min()
    }

    private func nextDeadline() -> Timestamp? {
        [holdEnd, resolveEnd, staleEnd, reminderTime, forgetTime].compactMap(\.self).min()
    }

    private var holdEnd: Timestamp? {
        if case .pending(let since) = state { return since + plan.holdFor }
        return nil
    }

    private var resolveEnd: Timestamp? {
        if case .firing(_, let since?) = state { return since + plan.resolveFor }
        return nil
    }

    private var staleEnd: Timestamp? { isStale ? nil : unknownSince.map { $0 + plan.staleAfter } }

    private var reminderTime: Timestamp? {
        guard case .firing(let since, _) = state, let every = plan.remindEvery else { return nil }
        return since + every * (reminders + 1)
    }

    private var forgetTime: Timestamp? {
        guard !isListed, seen > 0 else { return nil }
        return events[seen - 1].instant + plan.forgetAfter
    }

    private var pastTimes: [Term.MeasureTime] {
        var times: [Term.MeasureTime] = []
        for term in [plan.when, plan.resolveWhen].compactMap(\.self) {
            term.forEach {
                if case .measure(_, let time) = $0, time != .now { times.append(time) }
            }
        }
        return times
    }

    // MARK: - Judging

    private mutating func see(_ position: Int) {
        let event = events[position]
        switch plan.window.kind {
        case .sliding, .last:
            seen += 1
            evaluate(ReferenceWindow(event.instant, isBehind: false), arrival: event.arrival)
        case .tumbling, .hopping: seen += 1
        case .session(_, max: let limit):
            // H1: a session also closes when the next event would make it too long.
            if let open = session, event.instant - events[open.lowerBound].instant > limit {
                evaluate(ReferenceWindow(event.instant, isBehind: false), arrival: event.arrival)
                session = nil
            }
            seen += 1
            session = (session?.lowerBound ?? position)..<seen
        }
    }

    private mutating func judge(at time: Timestamp) {
        // An event of this instant has been judged with what enters here.
        if case .sliding(let span) = plan.window.kind,
            window == ReferenceWindow(time, isBehind: false), !becomesKnown(at: time, span)
        {
            return
        }
        evaluate(ReferenceWindow(time, isBehind: false), arrival: nil)
        session = nil
    }

    private mutating func evaluate(_ window: ReferenceWindow, arrival: UInt64?) {
        self.window = window
        measured = plan.measures.indices.map { measure($0, .now) }
        let time = window.time
        let when = truth(plan.when)
        let resolve = plan.resolveWhen.map { truth($0) } ?? when.map { !$0 }
        judged = (when, resolve)
        noteUnknown(when, resolve, time)
        switch state {
        case .inactive:
            if when == true {
                state = .pending(since: time)
                if plan.holdFor == .zero { return fire(time, arrival) }
            }
        case .pending: if when == false { state = .inactive }
        case .firing(let since, let resolvingSince):
            if resolve == true {
                state = .firing(since: since, resolvingSince: resolvingSince ?? time)
                if plan.resolveFor == .zero { end(time, arrival) }
            } else if resolve == false {
                state = .firing(since: since, resolvingSince: nil)
            }
        }
        noteUnknown(when, resolve, time)
    }

    /// H6: unknown keeps everything as it is, for a while; which condition counts depends on the state.
    private mutating func noteUnknown(_ when: Bool?, _ resolve: Bool?, _ time: Timestamp) {
        let decisive = if case .firing = state { resolve } else { when }
        if decisive != nil {
            unknownSince = nil
            isStale = false
        } else {
            unknownSince = unknownSince ?? time
        }
    }

    private mutating func passDeadline(_ time: Timestamp) {
        if holdEnd == time {
            fire(time, nil)
        } else if resolveEnd == time {
            end(time, nil)
        } else if staleEnd == time {
            isStale = true
            switch (plan.onNoData, state) {
            case (.keep, _): break
            case (.resolve, .firing): end(time, nil, reason: "no data")
            case (.resolve, _): state = .inactive
            case (.fire, .firing): break
            case (.fire, _): fire(time, nil, reason: "no data")
            }
        } else if reminderTime == time {
            reminders += 1
            report(time, nil, .updated, "reminder")
        } else {
            // The key is forgotten with all it had.
            if case .firing = state { end(time, nil, reason: "forgotten") }
            state = .inactive
            forgetUnknown()
            events.removeFirst(seen)
            seen = 0
            emptied = 0
            session = nil
        }
    }

    private mutating func fire(_ time: Timestamp, _ arrival: UInt64?, reason: String? = nil) {
        state = .firing(since: time, resolvingSince: nil)
        changeCondition()
        reminders = 0
        report(time, arrival, .firing, reason)
        if plan.resetsAfterMatch {
            // H8: the window is empty from here on, which may resolve at once.
            emptied = seen
            session = nil
            // A window that fires for want of data has nothing new to say at this instant.
            let isBehind = window?.time == time && window?.isBehind == true
            if reason != nil {
                window = ReferenceWindow(time, isBehind: isBehind)
                measured = plan.measures.indices.map { measure($0, .now) }
                return noteUnknown(judged.when, judged.resolve, time)
            }
            return evaluate(ReferenceWindow(time, isBehind: isBehind), arrival: arrival)
        }
        let (when, resolve) = judged
        if plan.resolveWhen != nil, resolve == true, reason == nil {
            // The condition to resolve may hold already; its clock starts with the alert.
            state = .firing(since: time, resolvingSince: time)
            if plan.resolveFor == .zero { end(time, arrival) }
        }
        noteUnknown(when, resolve, time)
    }

    private mutating func end(_ time: Timestamp, _ arrival: UInt64?, reason: String? = nil) {
        state = .inactive
        changeCondition()
        report(time, arrival, .resolved, reason)
        noteUnknown(judged.when, judged.resolve, time)
    }

    /// Where a condition of its own resolves, another one counts from here on, and its clock begins
    /// with the new state.
    private mutating func changeCondition() {
        if plan.resolveWhen != nil { forgetUnknown() }
    }

    private mutating func forgetUnknown() {
        unknownSince = nil
        isStale = false
    }

    private mutating func report(
        _ time: Timestamp, _ arrival: UInt64?, _ state: Alert.State, _ reason: String?
    ) {
        found.append(
            ReferenceMatch(
                rule: rule, key: key, matchedAt: time, state: state, reason: reason, steps: [],
                measures: measured, instant: time, arrival: arrival))
    }

    // MARK: - Windows and measures

    private func truth(_ condition: Term) -> Bool? {
        guard let window, isWarm(window.time), content(.now).count >= plan.minimumEvents else {
            return nil
        }
        var term = ReferenceTerm(tables: tables, lists: lists)
        term.key = key
        term.missingIsUnknown = true
        term.measure = { measure($0, $1) }
        return term.truth(condition)
    }

    /// H9: a listed key's window is unknown until its clock has run for the window's length.
    private func isWarm(_ time: Timestamp) -> Bool {
        guard isListed, let span = plan.window.span else { return true }
        return time - span >= clock
    }

    /// The events in the window: now, in the one just before, or in an earlier one.
    private func content(_ time: Term.MeasureTime) -> ArraySlice<ReferenceEvent> {
        guard let window else { return [] }
        let present = events[emptied..<seen]
        switch plan.window.kind {
        case .last(let count): return present.suffix(count)
        case .session: return session.map { events[$0] } ?? []
        case .sliding(let span):
            let now = window.time
            return present.filtered { instant in
                switch time {
                case .now: return window.isBehind ? instant > now - span : instant >= now - span
                case .previous:
                    return window.isBehind
                        ? instant > now - span - span && instant <= now - span
                        : instant >= now - span - span && instant < now - span
                case .earlier(let distance):
                    return instant <= now - distance
                        && (window.isBehind
                            ? instant > now - distance - span : instant >= now - distance - span)
                }
            }
        case .tumbling(let span), .hopping(let span, every: _):
            let end =
                switch time {
                case .now: window.time
                case .previous: window.time - span
                case .earlier(let distance): window.time - distance
                }
            return present.filtered { $0 >= end - span && $0 < end }
        }
    }

    /// H10: a window of the past is unknown until the key has been watched through all of it.
    private func exists(_ time: Term.MeasureTime) -> Bool {
        guard let window, let span = plan.window.span else { return time == .now }
        switch time {
        case .now: return true
        case .previous: return window.time - span - span >= clock
        case .earlier(let distance): return window.time - distance - span >= clock
        }
    }

    private func measure(_ index: Int, _ time: Term.MeasureTime) -> Value {
        guard exists(time) else { return .missing }
        let plan = plan.measures[index]
        var samples: [(time: Timestamp, value: Value)] = []
        for event in content(time) {
            var term = ReferenceTerm(tables: tables, lists: lists)
            term.event = event
            guard term.holds(plan.condition) else { continue }
            let value = plan.argument.map { term.value($0) } ?? .bool(true)
            if !value.isMissing { samples.append((event.time, value)) }
        }
        // H3: on an empty window all but `count` and `sum` are missing; `distinct` ignores missing
        // values, so of events without the field there are 0.
        if plan.function == .distinct, content(time).isEmpty { return .missing }
        if plan.function == .rate { return referenceRate(samples) }
        return referenceAggregate(plan.function, samples.map(\.value), parameter: plan.parameter)
    }
}

/// A moment at which a window is looked at: at an instant, or right behind it.
struct ReferenceWindow: Equatable {
    var time: Timestamp
    var isBehind: Bool

    init(_ time: Timestamp, isBehind: Bool) {
        self.time = time
        self.isBehind = isBehind
    }
}

extension WindowPlan {
    /// The length of windows that have a fixed one.
    fileprivate var span: TimeSpan? {
        switch kind {
        case .sliding(let span), .tumbling(let span), .hopping(let span, every: _): span
        case .session, .last: nil
        }
    }
}

extension ArraySlice<ReferenceEvent> {
    fileprivate func filtered(_ isIn: (Timestamp) -> Bool) -> ArraySlice<ReferenceEvent> {
        ArraySlice(filter { isIn($0.instant) })
    }
}
