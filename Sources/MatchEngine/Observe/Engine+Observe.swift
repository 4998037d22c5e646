import RuleModel

extension Engine {
    /// What notes the doings of one rule from now on; nil: nothing does, and nothing is paid.
    public var recorder: RuleRecorder? {
        get { context.recorder }
        set { context.recorder = newValue }
    }

    /// Hands out what was noted, and ends the noting.
    public mutating func takeObservations() -> Observations? {
        guard var recorder = context.recorder.take() else { return nil }
        return recorder.finish(in: context)
    }

    /// Shows an event to the recorder, also one that no condition lets through.
    mutating func observe(_ event: Event, at instant: Timestamp) {
        fireDeadlines(before: instant)
        guard var recorder = context.recorder.take() else { return }
        context.instant = instant
        context.rule = recorder.index
        for route in routes[recorder.index] where route.type == event.type {
            guard let hash = keyReader.hash(route.key, of: event), context.owns(hash) else {
                continue
            }
            recorder.observe(
                event, hash: hash, key: keyReader.values(route.key, of: event),
                inputs: route.inputs, isAdmitted: route.admits(event), in: context)
        }
        context.recorder = recorder
    }

    /// Tells the recorder of an event that came too late.
    mutating func observeLate(_ event: Event) {
        guard let index = context.recorder?.index else { return }
        for route in routes[index] where route.type == event.type && route.admits(event) {
            guard keyReader.hash(route.key, of: event) != nil else { continue }
            context.recorder?.noteLate(event, key: keyReader.values(route.key, of: event))
        }
    }
}
