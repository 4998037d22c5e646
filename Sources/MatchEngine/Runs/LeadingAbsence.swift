import RuleModel

/// The events of a key that an absence at the start forbids (S5), as long as they matter.
struct LeadingHistory: Sendable {
    private var events: [CapturedEvent] = []

    var isEmpty: Bool { events.isEmpty }
    var first: CapturedEvent? { events.first }

    mutating func add(_ event: CapturedEvent, _ parts: SequenceParts) {
        // Without a condition on the step that follows only the two latest instants matter: an
        // event at the very instant of the start does not count, the one before it does.
        let isPlain = parts.shape.leadingAbsences.allSatisfy {
            parts.steps[$0.step].runCondition == nil
        }
        if isPlain, parts.shape.leadingAbsences.count == 1, events.count >= 2 {
            if events[events.count - 1].instant == event.instant { return }
            events.removeFirst(events.count - 1)
        }
        events.append(event)
    }

    func write(to writer: inout StateWriter) {
        writer.write(events.count)
        for event in events { event.write(to: &writer) }
    }

    init() {}

    init(
        from reader: inout StateReader, by captures: CaptureReading
    ) throws(SnapshotError) {
        for _ in 0..<(try reader.count()) {
            events.append(try CapturedEvent(from: &reader, by: captures))
        }
    }

    mutating func removeAll(before time: Timestamp) {
        guard let first = events.first, first.instant < time else { return }
        events.removeAll { $0.instant < time }
    }

    /// With which of the steps an event may begin a match: no forbidden event in `[t - D, t)`, and
    /// the input watched for so long.
    func allowedStarts(
        _ event: CapturedEvent, _ parts: SequenceParts, key: [Value], context: MachineContext
    ) -> UInt64 {
        var starts = event.steps & parts.shape.firstSteps
        for absence in parts.shape.leadingAbsences where starts != 0 {
            let from = event.instant - absence.span
            if !parts.sequence.assumesAbsentAtStart, context.watchStart > from { return 0 }
            for forbidden in events
            where forbidden.steps >> UInt64(absence.step) & 1 == 1 && forbidden.instant >= from
                && forbidden.instant < event.instant
            {
                guard let condition = parts.steps[absence.step].runCondition else { return 0 }
                var rest = starts
                while rest != 0 {
                    let step = rest.trailingZeroBitCount
                    rest &= rest - 1
                    var taken: [[CapturedEvent]] = Array(repeating: [], count: parts.steps.count)
                    taken[step] = [event]
                    let terms = StepTerms(
                        layout: parts.layout, taken: taken, current: forbidden, key: key)
                    if context.evaluator.holds(condition, in: terms) {
                        starts &= ~(1 << UInt64(step))
                    }
                }
            }
        }
        return starts
    }
}
