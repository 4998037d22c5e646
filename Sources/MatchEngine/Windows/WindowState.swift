import RuleModel

/// The window of one key, moved along the instants of event time.
///
/// Each instant has two sides. At the instant itself the window is closed at both ends (H1), and
/// buckets and sessions that end there have ended: `reach`. Just behind it the events that were in
/// the window for the last time are gone: `pass`. Both carry the same `matched_at` (H2).
struct WindowState: Sendable {
    private(set) var buffer: WindowBuffer
    /// The window of now; for buckets and sessions the one that was judged last.
    private(set) var now: WindowView
    /// One for each of `WindowRule.pasts`.
    private(set) var pasts: [WindowView]
    /// The end of the next bucket to be judged, or of the open session.
    private var nextEnd = Timestamp.distantFuture
    /// The position at which the open session begins.
    private var sessionStart = 0
    private var closedSessions = 0

    init(rule: WindowRule) {
        buffer = WindowBuffer(layout: rule.layout)
        now = WindowView(layout: rule.layout, measures: Set(rule.layout.measures.indices))
        pasts = rule.pasts.map { WindowView(layout: rule.layout, measures: $0.measures) }
    }

    // MARK: - Events

    /// Whether an event at this instant ends the open session, by being too far from its first event.
    func endsSession(at instant: Timestamp, rule: WindowRule) -> Bool {
        guard case .session(gap: _, max: let longest) = rule.kind, buffer.end > sessionStart else {
            return false
        }
        return instant - Timestamp(nanoseconds: buffer.instant(sessionStart)) > longest
    }

    /// Takes an event. Returns whether that is an instant at which the rule is judged.
    /// - Parameter overflow: Set when the oldest event had to go.
    mutating func add(
        _ event: Event, at instant: Timestamp, rule: WindowRule, evaluator: TermEvaluator,
        overflow: inout Bool
    ) -> Bool {
        let layout = rule.layout
        buffer.append(
            instant: instant, time: event.time, passes: { event.passes(layout.conditions[$0]) },
            argument: { evaluator.value(layout.arguments[$0], of: event) },
            conditionCount: layout.conditions.count)
        if buffer.count > rule.eventLimit {
            overflow = true
            dropOldest(layout: layout)
        }
        switch rule.kind {
        case .sliding:
            _ = reach(instant, rule: rule)
            return true
        case .last(let number):
            moveToLast(number, rule: rule)
            return true
        case .tumbling, .hopping:
            if let grid = rule.grid, !grid.isNextEnd(nextEnd, after: instant) {
                nextEnd = min(nextEnd, grid.bucket(endingAfter: instant).end)
            }
            return false
        case .session(let gap, max: _):
            nextEnd = instant + gap
            return false
        }
    }

    /// Asks for the bucket that ends next to be judged, events or not.
    mutating func watchNextBucket(after instant: Timestamp, rule: WindowRule) {
        if let grid = rule.grid { nextEnd = min(nextEnd, grid.bucket(endingAfter: instant).end) }
    }

    /// Empties the window (H8).
    mutating func removeAll(rule: WindowRule) {
        let end = buffer.end
        buffer.drop(before: end)
        now = WindowView(
            layout: rule.layout, measures: Set(rule.layout.measures.indices), at: end)
        pasts = rule.pasts.map {
            WindowView(layout: rule.layout, measures: $0.measures, at: end)
        }
        sessionStart = end
        closedSessions = 0
        if case .session = rule.kind { nextEnd = .distantFuture }
    }

    // MARK: - Time

    /// The next instant at which the window changes without an event.
    func nextChange(rule: WindowRule) -> Timestamp {
        guard case .sliding = rule.kind else { return nextEnd }
        return nextSlide(rule: rule)
    }

    /// Brings the window to an instant. Returns whether the rule is to be judged there.
    mutating func reach(_ instant: Timestamp, rule: WindowRule) -> Bool {
        switch rule.kind {
        case .sliding(let span):
            return slide(to: instant, span: span, isBehind: false, rule: rule)
        case .tumbling, .hopping:
            guard nextEnd == instant, let grid = rule.grid else { return false }
            judgeBucket(endingAt: instant, grid: grid, rule: rule)
            return true
        case .session:
            guard nextEnd == instant else { return false }
            closeSession(rule: rule)
            return true
        case .last: return false
        }
    }

    /// Brings the window behind an instant: what was in it for the last time leaves. Returns whether it
    /// changed.
    mutating func pass(_ instant: Timestamp, rule: WindowRule) -> Bool {
        guard case .sliding(let span) = rule.kind else { return false }
        return slide(to: instant, span: span, isBehind: true, rule: rule)
    }

    /// Ends the open session and makes it the window of now.
    mutating func closeSession(rule: WindowRule) {
        for (index, past) in rule.pasts.enumerated() {
            // The same time earlier means nothing for sessions; such a view stays empty.
            let range = past.time == .previous ? now.lower..<now.upper : now.upper..<now.upper
            _ = pasts[index].move(to: range, in: buffer, layout: rule.layout)
        }
        _ = now.move(to: sessionStart..<buffer.end, in: buffer, layout: rule.layout)
        sessionStart = buffer.end
        closedSessions += 1
        nextEnd = .distantFuture
        dropUnused()
    }

    /// Whether the history that a measure of the past needs is there, for windows that are not a length
    /// of time; for those the clock of the key decides.
    func hasHistory(_ time: Term.MeasureTime, rule: WindowRule) -> Bool {
        switch (rule.kind, time) {
        case (.session, .previous): closedSessions >= 2
        case (.last(let number), .previous): buffer.end - buffer.start >= 2 * number
        case (.session, .earlier), (.last, .earlier): false
        default: true
        }
    }

    // MARK: - Sliding

    /// Moves all views. Bounds are whole nanoseconds, so an open end is a closed one a nanosecond further.
    private mutating func slide(
        to instant: Timestamp, span: TimeSpan, isBehind: Bool, rule: WindowRule
    ) -> Bool {
        let shift = TimeSpan(nanoseconds: isBehind ? 1 : 0)
        let first = instant - span + shift
        var hasChanged = now.move(
            first: first.nanoseconds, last: instant.nanoseconds, in: buffer, layout: rule.layout)
        for (index, past) in rule.pasts.enumerated() {
            let bounds: (first: Timestamp, last: Timestamp)
            switch past.time {
            case .now: continue
            case .previous: bounds = (first - span, first - TimeSpan(nanoseconds: 1))
            case .earlier(let distance): bounds = (first - distance, instant - distance)
            }
            let moved = pasts[index].move(
                first: bounds.first.nanoseconds, last: bounds.last.nanoseconds, in: buffer,
                layout: rule.layout)
            if moved, past.isJudged { hasChanged = true }
        }
        dropUnused()
        return hasChanged
    }

    private func nextSlide(rule: WindowRule) -> Timestamp {
        var next = Timestamp.distantFuture
        func leave(_ view: WindowView, after span: TimeSpan) {
            guard !view.isEmpty else { return }
            next = min(next, Timestamp(nanoseconds: buffer.instant(view.lower)) + span)
        }
        leave(now, after: rule.span)
        for (index, past) in rule.pasts.enumerated() where past.isJudged {
            leave(pasts[index], after: rule.warmUp(of: past.time))
            if case .earlier(let distance) = past.time, pasts[index].upper < buffer.end {
                let entry = Timestamp(nanoseconds: buffer.instant(pasts[index].upper)) + distance
                next = min(next, entry)
            }
        }
        return next
    }

    // MARK: - Buckets

    private mutating func judgeBucket(
        endingAt end: Timestamp, grid: BucketGrid, rule: WindowRule
    ) {
        let nanosecond = TimeSpan(nanoseconds: 1)
        let bucket = grid.bucket(endingAfter: end - nanosecond)
        func move(_ view: inout WindowView, to bucket: BucketGrid.Bucket) {
            _ = view.move(
                first: bucket.start.nanoseconds, last: (bucket.end - nanosecond).nanoseconds,
                in: buffer, layout: rule.layout)
        }
        move(&now, to: bucket)
        for (index, past) in rule.pasts.enumerated() {
            switch past.time {
            case .now: break
            case .previous: move(&pasts[index], to: grid.bucket(before: bucket))
            case .earlier(let distance):
                move(&pasts[index], to: grid.bucket(bucket, earlierBy: distance))
            }
        }
        dropUnused()
        nextEnd = .distantFuture
    }

    /// Chooses the next bucket to be judged after one was.
    ///
    /// Buckets in which nothing differs from the one before would be judged alike, so they are passed
    /// over: a key that fell silent costs nothing, and neither does a jump of years.
    /// - Parameter knownFrom: An instant behind `end` from which on more is known than before.
    mutating func planBucket(after end: Timestamp, knownFrom: Timestamp?, rule: WindowRule) {
        guard let grid = rule.grid else { return }
        // Days of a zone differ in length, by an hour or so: look early rather than late.
        let slack = grid.isCalendar ? TimeSpan.day : TimeSpan(nanoseconds: 1)
        var change = knownFrom.map { $0 - slack }
        func look(at position: Int, distance: TimeSpan) {
            guard position < buffer.end else { return }
            let time = Timestamp(nanoseconds: buffer.instant(position)) + distance - slack
            change = min(change ?? time, time)
        }
        // A view changes when its first event leaves or when the event behind its last one enters.
        if !now.isEmpty { look(at: now.lower, distance: rule.span) }
        look(at: now.upper, distance: .zero)
        for (index, past) in rule.pasts.enumerated() {
            let warmUp = rule.warmUp(of: past.time)
            if !pasts[index].isEmpty { look(at: pasts[index].lower, distance: warmUp) }
            look(at: pasts[index].upper, distance: warmUp - rule.span)
        }
        nextEnd = change.map { grid.bucket(endingAfter: max(end, $0)).end } ?? .distantFuture
    }

    // MARK: - Counted windows

    private mutating func moveToLast(_ number: Int, rule: WindowRule) {
        let end = buffer.end
        let first = max(buffer.start, end - number)
        for (index, past) in rule.pasts.enumerated() {
            let before = past.time == .previous ? max(buffer.start, end - 2 * number) : first
            _ = pasts[index].move(to: before..<first, in: buffer, layout: rule.layout)
        }
        _ = now.move(to: first..<end, in: buffer, layout: rule.layout)
        dropUnused()
    }

    // MARK: - Room

    /// Lets go of events that no view will need again.
    private mutating func dropUnused() {
        buffer.drop(before: pasts.reduce(now.lower) { min($0, $1.lower) })
    }

    private mutating func dropOldest(layout: WindowLayout) {
        let first = buffer.start + 1
        for index in pasts.indices {
            let view = pasts[index]
            _ = pasts[index].move(
                to: max(first, view.lower)..<max(first, view.upper), in: buffer, layout: layout)
        }
        _ = now.move(
            to: max(first, now.lower)..<max(first, now.upper), in: buffer, layout: layout)
        sessionStart = max(first, sessionStart)
        buffer.drop(before: first)
    }

    // MARK: - Snapshot

    func write(to writer: inout StateWriter, rule: WindowRule) {
        buffer.write(to: &writer)
        now.write(to: &writer, start: buffer.start)
        writer.write(pasts.count)
        for (past, view) in zip(rule.pasts, pasts) {
            writer.write(past.time.spanInState)
            view.write(to: &writer, start: buffer.start)
        }
        writer.write(nextEnd)
        writer.write(max(sessionStart, buffer.start) - buffer.start)
        writer.write(closedSessions)
    }

    /// Windows of the past may stand in another order than in the rule that wrote them.
    init(from reader: inout StateReader, rule: WindowRule) throws(SnapshotError) {
        let layout = rule.layout
        buffer = try WindowBuffer(from: &reader, layout: layout)
        now = try WindowView(
            from: &reader, buffer: buffer, layout: layout, measures: Set(layout.measures.indices))
        var views: [WindowView?] = rule.pasts.map { _ in nil }
        for _ in 0..<(try reader.count()) {
            let span: TimeSpan = try reader.read()
            let index = rule.pasts.firstIndex { $0.time.spanInState == span }
            let view = try WindowView(
                from: &reader, buffer: buffer, layout: layout,
                measures: index.map { rule.pasts[$0].measures } ?? [])
            if let index { views[index] = view }
        }
        pasts = views.compactMap { $0 }
        guard pasts.count == rule.pasts.count else {
            throw reader.damaged("a window without its past")
        }
        nextEnd = try reader.read()
        sessionStart = try reader.int(in: 0...buffer.end)
        closedSessions = try reader.tally()
    }
}

extension Term.MeasureTime {
    /// How a snapshot tells the times apart.
    fileprivate var spanInState: TimeSpan {
        switch self {
        case .now: .zero
        case .previous: TimeSpan(nanoseconds: -1)
        case .earlier(let span): span
        }
    }
}
