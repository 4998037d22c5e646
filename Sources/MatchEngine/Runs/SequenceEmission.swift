import RuleModel

extension MachineContext {
    /// Makes the record of a match of a sequence and hands it out.
    ///
    /// - Parameter taken: The events of each step.
    mutating func emitMatch(
        _ parts: SequenceParts, taken: [[CapturedEvent]], key: KeySlot, matchedAt: Timestamp
    ) {
        var first: CapturedEvent?
        var last: CapturedEvent?
        for event in taken.joined() {
            if first.map({ event.ordinal < $0.ordinal }) ?? true { first = event }
            if last.map({ event.ordinal > $0.ordinal }) ?? true { last = event }
        }
        guard let first, let last else { return }
        if recorder?.index == rule {
            let hash = keyHash(key)
            let evaluator = evaluator
            recorder?.noteMatch(taken, hash: hash, at: matchedAt, by: evaluator)
        }
        let record = MatchRecord(
            id: makeAlertID(key: key, matchedAt: matchedAt), state: .firing, kind: "sequence",
            matchedAt: matchedAt, firstTime: first.time, lastTime: last.time,
            strength: strength(parts, taken, duration: last.instant - first.instant),
            steps: steps(parts, taken))
        emit(
            record, key: key,
            terms: StepTerms(
                layout: parts.layout, taken: taken, current: nil, key: keyValues(key)))
    }

    /// How far the evidence went beyond what the rule needed: `1 - duration / within`, and with
    /// repeated steps the mean of that and of `1 - minimum / taken` for each. A rule without a limit
    /// on the whole is measured by its horizon.
    private func strength(
        _ parts: SequenceParts, _ taken: [[CapturedEvent]], duration: TimeSpan
    ) -> Double {
        var shares: [Double] = []
        if let limit = parts.within ?? parts.horizon, limit > .zero {
            shares.append(1 - duration.seconds / limit.seconds)
        } else {
            shares.append(1)
        }
        for (step, events) in zip(parts.steps, taken) where step.isRepeated && !events.isEmpty {
            shares.append(1 - Double(step.minimum) / Double(events.count))
        }
        return min(1, max(0, shares.reduce(0, +) / Double(shares.count)))
    }

    /// The bound events of each step that took some, in order of writing. Of many the first and the
    /// last are shown.
    private func steps(_ parts: SequenceParts, _ taken: [[CapturedEvent]]) -> [Alert.Step] {
        var steps: [Alert.Step] = []
        for (index, events) in taken.enumerated() where !events.isEmpty {
            let limit = max(1, limits.eventsPerAlertStep)
            var shown = events
            if events.count > limit {
                let tail = limit / 2
                shown = Array(events.prefix(limit - tail) + events.suffix(tail))
            }
            let step = parts.steps[index]
            steps.append(
                Alert.Step(
                    name: step.name,
                    events: shown.map { bound(parts, step: index, $0) },
                    omitted: events.count - shown.count))
        }
        return steps
    }

    private func bound(
        _ parts: SequenceParts, step: Int, _ event: CapturedEvent
    ) -> Alert.BoundEvent {
        boundEvent(
            event, of: StepID(step), showing: parts.steps[step].captured, parts.layout, parts.masks)
    }

    /// An event as a record shows it: the given fields, masked where the rule says so.
    func boundEvent(
        _ event: CapturedEvent, of step: StepID, showing fields: [FieldID],
        _ layout: CaptureLayout, _ masks: Masks
    ) -> Alert.BoundEvent {
        var shown: [Alert.NamedValue] = []
        layout.forEach(of: fields, in: event) { field, name, value in
            shown.append(
                Alert.NamedValue(name, masks.covers(step, field) ? .text("***") : value))
        }
        return Alert.BoundEvent(
            time: event.time, type: layout.name(of: event.type), fields: shown)
    }
}
