import RuleModel

/// One key of an anomaly cluster: the members of a group (A1), their buckets and their clusters.
///
/// All members are judged at the end of a bucket, in one go. Events at that very instant come before
/// it (T5) and belong to the next bucket; so the first of them seals the bucket that has ended.
struct AnomalyGroup: KeyState {
    private var members: [AnomalyMember] = []
    /// Index into `members` by name.
    private var places: [Value: Int] = [:]
    private var clusters = ClusterTracker()
    /// The end of the bucket to be judged next.
    private var bucketEnd: Timestamp
    private var isSealed = false
    private(set) var isForgotten = false

    init(rule: AnomalyRule, at instant: Timestamp) {
        bucketEnd = rule.grid.bucket(endingAfter: instant).end
    }

    // MARK: - Calls

    mutating func process(
        _ event: Event, rule: AnomalyRule, key: KeySlot, in context: inout MachineContext
    ) {
        if context.instant >= bucketEnd { seal(rule: rule) }
        for (index, series) in rule.program.series.enumerated()
        where context.inputs >> UInt64(series.input) & 1 == 1
            && event.type == rule.program.inputs[series.input].type
            && series.condition.map(event.passes) ?? true
        {
            let name = Comparisons.canonical(event.value(series.member))
            if name.isMissing {
                context.counters.rules[context.rule].missingMembers += 1
                continue
            }
            let place = place(of: name, rule: rule, key: key, in: &context)
            if !members[place].add(event, to: index, rule: rule, in: context) {
                context.noteOverflow(.events)
                context.keys[context.rule].addDoubts(key, .droppedEvents)
            }
        }
    }

    /// Lets everything that is due up to an instant, that one included, take effect.
    mutating func fire(
        until end: Timestamp, rule: AnomalyRule, key: KeySlot, in context: inout MachineContext
    ) {
        let called = context.instant
        while !isForgotten {
            let instant = nextInstant(rule: rule)
            // What would be due after the end of all time is never due.
            guard instant <= end, instant < .distantFuture else { break }
            context.instant = instant
            if instant == bucketEnd { judge(rule: rule, key: key, in: &context) }
            let (members, places) = (members, places)
            clusters.settle(
                rule: rule, key: key,
                isAnomalous: { places[$0].map { members[$0].isAnomalous } ?? false }, in: &context)
            isForgotten = members.isEmpty && clusters.isEmpty
        }
        context.instant = called
    }

    func nextInstant(rule: AnomalyRule) -> Timestamp {
        min(bucketEnd, clusters.nextInstant(rule: rule))
    }

    // MARK: - Members

    private mutating func place(
        of name: Value, rule: AnomalyRule, key: KeySlot, in context: inout MachineContext
    ) -> Int {
        if let place = places[name] { return place }
        if members.count >= rule.memberLimit {
            dropOldest()
            context.noteOverflow(.members)
            context.keys[context.rule].addDoubts(key, .droppedMembers)
        }
        members.append(AnomalyMember(name: name, rule: rule, at: context.instant))
        places[name] = members.count - 1
        return members.count - 1
    }

    /// Drops the member that has been without events for longest (T9).
    private mutating func dropOldest() {
        let oldest = members.indices.min { left, right in
            let (left, right) = (members[left], members[right])
            return left.lastEvent != right.lastEvent
                ? left.lastEvent < right.lastEvent : left.name.precedes(right.name)
        }
        if let oldest { remove(oldest) }
    }

    private mutating func remove(_ place: Int) {
        places[members[place].name] = nil
        // The last one takes its place.
        let moved = members.removeLast()
        guard place < members.count else { return }
        members[place] = moved
        places[moved.name] = place
    }

    // MARK: - Buckets

    private mutating func seal(rule: AnomalyRule) {
        if isSealed { return }
        isSealed = true
        for index in members.indices { members[index].seal(rule: rule) }
    }

    private mutating func judge(
        rule: AnomalyRule, key: KeySlot, in context: inout MachineContext
    ) {
        seal(rule: rule)
        let end = bucketEnd
        let bucket = rule.bucket(endingAt: end)
        let keyValues = context.keyValues(key)
        var onsets: [AnomalyMember.Onset] = []
        var seen: [ClusterAttempt.Member]? =
            context.recorder?.index == context.rule ? [] : nil
        for index in members.indices {
            let onset = members[index].judge(
                bucket: bucket, end: end, rule: rule, key: keyValues, evaluator: context.evaluator,
                seen: &seen)
            if let onset { onsets.append(onset) }
        }
        let open = clusters.count
        clusters.take(onsets, rule: rule, key: key, in: &context)
        if let seen {
            observe(
                seen, at: end, hasFired: clusters.count > open, rule: rule, key: key, in: &context)
        }
        var place = members.count
        while place > 0 {
            place -= 1
            if end - members[place].lastEvent > rule.forgetAfter { remove(place) }
        }
        isSealed = false
        bucketEnd = rule.grid.bucket(endingAfter: end).end
    }

    /// Tells the recorder who stood out.
    private func observe(
        _ seen: [ClusterAttempt.Member], at end: Timestamp, hasFired: Bool, rule: AnomalyRule,
        key: KeySlot, in context: inout MachineContext
    ) {
        let order = seen.sorted { left, right in
            if (left.isAnomalous == true) != (right.isAnomalous == true) {
                return left.isAnomalous == true
            }
            let highest = { (member: ClusterAttempt.Member) in
                member.scores.compactMap { $0.map(abs) }.max() ?? -1
            }
            return highest(left) != highest(right)
                ? highest(left) > highest(right) : left.name.precedes(right.name)
        }
        let (hash, values) = (context.keyHash(key), context.keyValues(key))
        context.recorder?.noteBucket(
            ClusterAttempt(
                key: values, at: end,
                onsets: hasFired
                    ? rule.program.minimumMembers : clusters.freeCount(at: end, rule: rule),
                needed: rule.program.minimumMembers,
                judged: seen.count { $0.isAnomalous != nil },
                unknown: seen.count { $0.isAnomalous == nil },
                members: Array(order.prefix(5)), hasFired: hasFired),
            hash: hash)
    }

    /// Where the group stands, for whoever asks.
    func open(rule: AnomalyRule, key: [Value], at instant: Timestamp) -> OpenGroup {
        OpenGroup(
            key: key, members: members.count,
            anomalous: members.filter(\.isAnomalous).map(\.name).sorted { $0.precedes($1) },
            waiting: clusters.waiting(at: instant, rule: rule),
            needed: rule.program.minimumMembers, nextJudgement: bucketEnd,
            clusters: clusters.open(rule: rule))
    }

    // MARK: - Snapshot

    var openClusters: Int { clusters.count }

    /// The record that ends the oldest cluster that was told.
    func farewell(
        reason: String, rule: AnomalyRule, key: KeySlot, in context: inout MachineContext
    ) { clusters.farewell(reason: reason, rule: rule, key: key, in: &context) }

    func write(to writer: inout StateWriter) {
        writer.write(bucketEnd)
        writer.write(isSealed)
        writer.write(members.count)
        for member in members { member.write(to: &writer) }
        writer.write(clusters)
    }

    /// - Parameter instant: How far the engine has come: no bucket that ends before it is to be judged.
    init(
        from reader: inout StateReader, rule: AnomalyRule, at instant: Timestamp
    ) throws(SnapshotError) {
        bucketEnd = try reader.read()
        guard bucketEnd >= instant else { throw reader.damaged("a bucket that was not judged") }
        isSealed = try reader.bool()
        for place in 0..<(try reader.count()) {
            let member = try AnomalyMember(from: &reader, rule: rule)
            guard places.updateValue(place, forKey: member.name) == nil else {
                throw reader.damaged("a member twice")
            }
            members.append(member)
        }
        clusters = try reader.read()
    }
}
