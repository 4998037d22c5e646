import RuleModel

/// How events and deadlines come to the machines of the rules.
extension Engine {
    /// Fires what is due before `time`, in order of time, depth, rule and key (T5), and delivers what
    /// rules have made on the way.
    @inline(__always)
    mutating func fireDeadlines(before time: Timestamp) {
        let isDue = context.deadlines.first.map { $0.time < time.nanoseconds } ?? false
        if isDue || !context.derived.isEmpty { fireDue(before: time) }
        context.instant = time
    }

    private mutating func fireDue(before time: Timestamp) {
        while true {
            var next = context.deadlines.first
            if let due = next, due.time >= time.nanoseconds { next = nil }
            let rule = next.map { self.rule(of: $0) } ?? 0
            if let depth = context.derived.leastDepth, context.derived.instant < time {
                let isFirst =
                    next.map {
                        ($0.time, context.program.rules[rule].place.depth)
                            > (context.derived.instant.nanoseconds, depth)
                    } ?? true
                if isFirst {
                    deliverDerived(depth: depth)
                    continue
                }
            }
            guard let next else { break }
            prefetchDeadlines()
            context.deadlines.pop()
            guard context.keys[rule].isCurrent(next) else { continue }
            let key = KeySlot(index: Int(next.slot))
            context.keys[rule].setScheduled(key, .distantFuture)
            context.rule = rule
            context.instant = Timestamp(nanoseconds: next.time)
            context.arrival = .max
            machines.fire(rule, at: context.instant, key: key, in: &context)
        }
    }

    /// Delivers everything that rules have made, though the instant may not be over.
    mutating func deliverDerived() {
        let instant = context.instant
        while let depth = context.derived.leastDepth { deliverDerived(depth: depth) }
        context.instant = instant
    }

    /// Hands what rules of one depth have made to the rules behind them.
    private mutating func deliverDerived(depth: Int) {
        let instant = context.derived.instant
        let batch = context.derived.take(
            depth: depth, columnCount: context.program.tables.columns.count)
        let loaded = columns.load(batch, rows: 0..<batch.count, with: context.evaluator)
        context.instant = instant
        for row in 0..<batch.count {
            let event = Event(batch: loaded, row: row)
            if context.recorder != nil { observe(event, at: instant) }
            for place in loaded.candidates.places(of: row) {
                let rule = loaded.candidates.rule(at: place)
                guard context.program.rules[rule].place.depth > depth, context.sees(instant, rule)
                else { continue }
                context.arrival = .max
                context.rule = rule
                process(event, rule: rule, hash: loaded.candidates.key(at: place))
            }
        }
    }

    /// Hands an event to the machines of all rules that want it.
    mutating func dispatch(_ event: Event, at instant: Timestamp) {
        fireDeadlines(before: instant)
        context.instant = instant
        context.arrival = event.arrival
        for place in event.batch.candidates.places(of: event.row) {
            let rule = event.batch.candidates.rule(at: place)
            prefetch(event.batch.candidates, behind: place)
            guard context.sees(instant, rule) else { continue }
            context.rule = rule
            process(event, rule: rule, hash: event.batch.candidates.key(at: place))
        }
    }

    /// Asks for the memory that candidates behind a row need, so that it has come when it is their turn.
    ///
    /// What many keys have lies all over memory, and to find it takes three looks of which each says where
    /// the next one goes: the table of keys, the slot of the key, its state. So each is asked for by
    /// itself, some candidates ahead of the next.
    /// - SeeAlso: Chen, Ailamaki, Gibbons, Mowry, "Improving Hash Join Performance through Prefetching",
    ///   ICDE 2004, §5 (software-pipelined prefetching).
    @inline(__always)
    private mutating func prefetch(_ candidates: Candidates, behind place: Int) {
        let (far, middle, near) = (place + 12, place + 8, place + 4)
        if far < candidates.count {
            context.keys[candidates.rule(at: far)].prefetchPlace(candidates.key(at: far))
        }
        if middle < candidates.count {
            let rule = candidates.rule(at: middle)
            if let key = context.keys[rule].likelySlot(candidates.key(at: middle)) {
                context.keys[rule].prefetchSlot(key)
                machines.prefetchPlace(key, rule)
            }
        }
        if near < candidates.count {
            let rule = candidates.rule(at: near)
            if let key = context.keys[rule].likelySlot(candidates.key(at: near)) {
                machines.prefetchState(key, rule)
            }
        }
    }

    /// The same for the keys whose deadlines come next.
    private mutating func prefetchDeadlines() {
        if let deadline = context.deadlines.ahead(by: 8) {
            let (rule, key) = (rule(of: deadline), KeySlot(index: Int(deadline.slot)))
            context.keys[rule].prefetchPlace(deadline.keyHash)
            context.keys[rule].prefetchSlot(key)
            machines.prefetchPlace(key, rule)
        }
        if let deadline = context.deadlines.ahead(by: 4) {
            machines.prefetchState(KeySlot(index: Int(deadline.slot)), rule(of: deadline))
        }
    }

    private func rule(of deadline: Deadline) -> Int { Int(context.rulesByRank[Int(deadline.rank)]) }

    /// - Parameter hash: That of the event's key; 0 without one and for a rule with several routes.
    private mutating func process(_ event: Event, rule: Int, hash: UInt64) {
        if routes[rule].count == 1 {
            // With one route all that this rule sees comes by it.
            guard let key = slot(rule: rule, route: 0, event: event, hash: hash) else { return }
            context.inputs = routes[rule][0].inputs
            run(event, rule: rule, key: key)
            return
        }
        // An event that comes to one key by several routes is one event.
        var earlier: [(key: KeySlot, inputs: UInt64)] = []
        for route in routes[rule].indices
        where routes[rule][route].type == event.type && routes[rule][route].admits(event) {
            let hash = keyReader.hash(routes[rule][route].key, of: event) ?? 0
            guard let key = slot(rule: rule, route: route, event: event, hash: hash) else {
                continue
            }
            let inputs = routes[rule][route].inputs
            if let place = earlier.firstIndex(where: { $0.key == key }) {
                earlier[place].inputs |= inputs
            } else {
                earlier.append((key, inputs))
            }
        }
        for (key, inputs) in earlier {
            context.inputs = inputs
            run(event, rule: rule, key: key)
        }
    }

    /// The slot of the event's key; nil without a key, for a key of another shard, and for a key
    /// without state that the event begins nothing for.
    private mutating func slot(
        rule: Int, route: Int, event: Event, hash: UInt64
    ) -> KeySlot? {
        guard hash != 0 else {
            context.counters.rules[rule].missingKeys += 1
            return nil
        }
        guard context.owns(hash) else { return nil }
        let key = keyReader.key(ofRule: rule, route: route)
        let found = context.keys[rule].find(hash: hash) { values in
            keyReader.matches(values, key: key, of: event)
        }
        if let found { return found }
        guard routes[rule][route].canBegin(event) else { return nil }
        let (slot, evicted) = context.keys[rule].insert(hash: hash) { offset in
            keyReader.part(offset, ofKey: key, of: event)
        }
        if let evicted {
            machines.forget(evicted, rule)
            context.noteOverflow(.keys)
        }
        return slot
    }

    private mutating func run(_ event: Event, rule: Int, key: KeySlot) {
        context.counters.rules[rule].events += 1
        machines.process(event, rule, key: key, in: &context)
    }

    /// Counts a late event for each rule that would have looked at it, and marks its keys (T3).
    mutating func noteLate(_ event: Event) {
        for place in event.batch.candidates.places(of: event.row) {
            let rule = event.batch.candidates.rule(at: place)
            context.counters.rules[rule].late += 1
            for (route, path) in routes[rule].enumerated()
            where path.type == event.type && path.admits(event) {
                guard let hash = keyReader.hash(path.key, of: event) else { continue }
                let number = keyReader.key(ofRule: rule, route: route)
                let key = context.keys[rule].find(hash: hash) { values in
                    keyReader.matches(values, key: number, of: event)
                }
                if let key { context.keys[rule].addDoubts(key, .late) }
            }
        }
    }
}
