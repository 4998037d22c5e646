import RuleModel

/// What an engine gives back when memory is short, and takes again later.
extension Engine {
    /// Drops a share of all keys, those not used for longest, out of the rules that have most; and of
    /// the events that wait, the oldest are processed before their time. Until `widen` there are no more
    /// than are left.
    ///
    /// Windows that hold many events grow no further: for each new one the oldest goes.
    ///
    /// A rule with few keys keeps them, so a flood of keys in one rule costs only that one.
    ///
    /// - Parameter share: Between 0 and 1.
    public mutating func shed(_ share: Double, emitting output: inout [Alert]) {
        swap(&context.output, &output)
        defer { swap(&context.output, &output) }
        context.counters.overflows.shortages += 1
        context.arrival = .max
        let counts = context.keys.map(\.count)
        let level = waterLevel(counts, taking: Int(Double(counts.reduce(0, +)) * share))
        for rule in counts.indices where counts[rule] > level {
            context.rule = rule
            for _ in level..<counts[rule] {
                guard let key = context.keys[rule].leastRecent() else { break }
                machines.forget(key, rule)
                context.release(key)
            }
            context.keys[rule].shrink(to: level)
            context.noteOverflow(.memory, count: counts[rule] - level)
        }
        context.dropIdleDeadlines()
        machines.limitWindows(above: Engine.eventsWorthShedding, in: context)
        if waiting.count > Engine.eventsWorthShedding {
            context.limits.waitingEvents = Int(Double(waiting.count) * (1 - share))
            release()
        }
    }

    /// Lets there be a little more again of what `shed` has cut, up to the limits that were given.
    public mutating func widen() {
        for rule in context.keys.indices { context.keys[rule].widen() }
        machines.limitWindows(above: nil, in: context)
        let (now, most) = (context.limits.waitingEvents, context.waitingEventsMax)
        context.limits.waitingEvents = min(most, now + now / 4 + 1)
    }

    /// Fewer take too little memory for it to matter.
    private static var eventsWorthShedding: Int { 10_000 }
}

/// The height to which the highest of some heaps are cut to take so much off, at least 1.
private func waterLevel(_ heights: [Int], taking amount: Int) -> Int {
    var left = amount
    let sorted = heights.sorted(by: >)
    for (index, height) in sorted.enumerated() {
        let next = index + 1 < sorted.count ? sorted[index + 1] : 0
        let all = (height - next) * (index + 1)
        if all >= left { return max(1, height - (left + index) / (index + 1)) }
        left -= all
    }
    return 1
}
