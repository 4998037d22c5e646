import RuleModel

/// The clusters of one group that are open, and the onsets that belong to none (A6, A7).
struct ClusterTracker: Sendable {
    /// What begins when a cluster opens and ends when it closes.
    fileprivate struct Cluster: Sendable {
        var id: String
        /// False when `unless` or `active` kept the beginning silent: then the rest is silent too.
        var isHandedOut = true
        /// In order of onset; never empty while the cluster is open.
        var members: [Alert.Member] = []
        var names: Set<Value> = []
        /// Measures that carry the error of a sketch.
        var estimated: [String] = []
        var lastSent: Timestamp
        /// Whether members have joined since.
        var hasNews = false
        /// Whether `within` has passed since the last onset.
        var isGrown = false

        var firstOnset: Timestamp { members[0].onset }
        var lastOnset: Timestamp { members[members.count - 1].onset }

        mutating func add(_ onset: AnomalyMember.Onset) {
            members.append(onset.member)
            names.insert(onset.member.name)
            if onset.isEstimated, !estimated.contains(onset.member.measure) {
                estimated.append(onset.member.measure)
            }
        }
    }

    /// Onsets that may yet open a cluster, in order.
    private var free: [AnomalyMember.Onset] = []
    /// In order of opening.
    private var clusters: [Cluster] = []

    var count: Int { clusters.count }
    /// Members with an onset within reach of an instant that are in no cluster.
    func freeCount(at instant: Timestamp, rule: AnomalyRule) -> Int {
        Set(waiting(at: instant, rule: rule).map(\.name)).count
    }
    /// The onsets of those members, in order.
    func waiting(at instant: Timestamp, rule: AnomalyRule) -> [Alert.Member] {
        free.map(\.member).filter { instant - $0.onset <= rule.program.within }
    }
    /// The clusters that are open, for whoever asks.
    func open(rule: AnomalyRule) -> [OpenGroup.Cluster] {
        clusters.map { cluster in
            OpenGroup.Cluster(
                alert: cluster.isHandedOut ? cluster.id : nil, members: cluster.members,
                until: cluster.lastOnset + rule.program.within)
        }
    }
    var isEmpty: Bool { free.isEmpty && clusters.isEmpty }

    /// The next instant at which something is due that no bucket's end brings about.
    func nextInstant(rule: AnomalyRule) -> Timestamp {
        var next = Timestamp.distantFuture
        for cluster in clusters {
            if cluster.hasNews { next = min(next, cluster.lastSent + rule.program.updateEvery) }
            if !cluster.isGrown { next = min(next, cluster.lastOnset + rule.program.within) }
        }
        return next
    }

    // MARK: - Onsets

    /// Takes the onsets of one instant: each joins the cluster that has been open for longest of
    /// those it fits, and those that are left may open another one.
    mutating func take(
        _ onsets: [AnomalyMember.Onset], rule: AnomalyRule, key: KeySlot,
        in context: inout MachineContext
    ) {
        let instant = context.instant
        free.removeAll { instant - $0.member.onset > rule.program.within }
        var left = onsets.filter { onset in
            // However often a member of an open cluster begins anew, it is in it once.
            !clusters.contains { $0.names.contains(onset.member.name) }
        }
        left.sort { ClusterTracker.precedes($0.member, $1.member) }
        for index in clusters.indices {
            if !grow(index, by: &left, rule: rule) { context.noteOverflow(.members) }
        }
        guard !left.isEmpty else { return }
        free += left
        if free.count > context.limits.runsPerKey {
            free.removeFirst(free.count - context.limits.runsPerKey)
            context.noteOverflow(.runs)
            context.keys[context.rule].addDoubts(key, .droppedRuns)
        }
        open(rule: rule, key: key, in: &context)
    }

    /// Lets the onsets join that may, and takes them out of those given. False when the cluster is full.
    private mutating func grow(
        _ index: Int, by onsets: inout [AnomalyMember.Onset], rule: AnomalyRule
    ) -> Bool {
        let (first, last) = (clusters[index].firstOnset, clusters[index].lastOnset)
        guard let instant = onsets.first?.member.onset, instant - last <= rule.program.within,
            rule.program.maxSpan.map({ instant - first <= $0 }) ?? true
        else { return true }
        // A member that joins may be the link for another one.
        while let next = onsets.firstIndex(where: { onset in
            rule.links?.links(onset.member.name, to: clusters[index].names) ?? true
        }) {
            let onset = onsets.remove(at: next)
            if clusters[index].members.count >= rule.memberLimit { return false }
            clusters[index].add(onset)
            clusters[index].hasNews = true
            clusters[index].isGrown = false
        }
        return true
    }

    /// Opens a cluster when enough members have onsets close to each other.
    private mutating func open(
        rule: AnomalyRule, key: KeySlot, in context: inout MachineContext
    ) {
        var names = Set(free.map(\.member.name))
        if let links = rule.links { names = names.filter { links.links($0, to: names) } }
        guard !names.isEmpty, names.count >= rule.program.minimumMembers else { return }
        var cluster = Cluster(
            id: context.makeAlertID(key: key, matchedAt: context.instant),
            lastSent: context.instant)
        for onset in free.sorted(by: { ClusterTracker.precedes($0.member, $1.member) })
        where names.contains(onset.member.name) && !cluster.names.contains(onset.member.name) {
            cluster.add(onset)
        }
        free.removeAll { names.contains($0.member.name) }
        cluster.isHandedOut = emit(.firing, cluster, rule: rule, key: key, in: &context)
        clusters.append(cluster)
    }

    /// By onset; at one instant the member whose score is farthest from 0 first.
    private static func precedes(_ left: Alert.Member, _ right: Alert.Member) -> Bool {
        if left.onset != right.onset { return left.onset < right.onset }
        if abs(left.score) != abs(right.score) { return abs(left.score) > abs(right.score) }
        return left.name.precedes(right.name)
    }

    // MARK: - Deadlines

    /// Sends the updates that are due, and closes the clusters that are over.
    mutating func settle(
        rule: AnomalyRule, key: KeySlot, isAnomalous: (Value) -> Bool,
        in context: inout MachineContext
    ) {
        let instant = context.instant
        for index in clusters.indices {
            clusters[index].isGrown =
                instant >= clusters[index].lastOnset + rule.program.within
            let isOver =
                clusters[index].isGrown && !clusters[index].names.contains(where: isAnomalous)
            if isOver {
                if clusters[index].isHandedOut {
                    emit(.resolved, clusters[index], rule: rule, key: key, in: &context)
                }
                clusters[index].members = []
            } else if clusters[index].hasNews,
                instant >= clusters[index].lastSent + rule.program.updateEvery
            {
                if clusters[index].isHandedOut {
                    emit(.updated, clusters[index], rule: rule, key: key, in: &context)
                }
                clusters[index].lastSent = instant
                clusters[index].hasNews = false
            }
        }
        clusters.removeAll { $0.members.isEmpty }
    }

    @discardableResult
    private func emit(
        _ state: Alert.State, _ cluster: Cluster, reason: String? = nil, rule: AnomalyRule,
        key: KeySlot, in context: inout MachineContext
    ) -> Bool {
        var record = MatchRecord(
            id: cluster.id, state: state, kind: "anomaly_cluster", matchedAt: context.instant,
            firstTime: cluster.firstOnset, lastTime: cluster.lastOnset,
            strength: strength(of: cluster.members, rule: rule))
        record.members = cluster.members
        record.reason = reason
        record.incompleteBecause = cluster.estimated.map { QuantileSketch.note(on: $0) }
        record.mayBeSilenced = state != .resolved
        return context.emit(record, key: key, terms: NoTerms())
    }

    /// Ends the cluster that has been open for longest of those that were told.
    func farewell(
        reason: String, rule: AnomalyRule, key: KeySlot, in context: inout MachineContext
    ) {
        guard let cluster = clusters.first(where: \.isHandedOut) else { return }
        emit(.resolved, cluster, reason: reason, rule: rule, key: key, in: &context)
    }

    /// How far the mean score lies from the limit, squashed to 0 to 1. From a limit that scores are below
    /// (`ratio(m) < 0.5`) as well.
    private func strength(of members: [Alert.Member], rule: AnomalyRule) -> Double {
        guard let limit = rule.program.scoreLimit, limit > 0 else { return 0 }
        let mean = members.reduce(0) { $0 + abs($1.score) } / Double(max(1, members.count))
        return min(max(1 - Functions.exponential(-abs(mean - limit) / limit), 0), 1)
    }
}

// MARK: - Snapshot

extension ClusterTracker: StateCoded {
    func write(to writer: inout StateWriter) {
        writer.write(free)
        writer.write(clusters)
    }

    init(from reader: inout StateReader) throws(SnapshotError) {
        free = try reader.readArray()
        clusters = try reader.readArray()
    }
}

extension ClusterTracker.Cluster: StateCoded {
    func write(to writer: inout StateWriter) {
        writer.write(id)
        writer.write(isHandedOut)
        writer.write(members)
        writer.write(estimated)
        writer.write(lastSent)
        writer.write(hasNews)
        writer.write(isGrown)
    }

    init(from reader: inout StateReader) throws(SnapshotError) {
        id = try reader.read()
        isHandedOut = try reader.bool()
        members = try reader.readArray()
        names = Set(members.map(\.name))
        estimated = try reader.readArray()
        lastSent = try reader.read()
        hasNews = try reader.bool()
        isGrown = try reader.bool()
        let isInOrder = zip(members, members.dropFirst()).allSatisfy { $0.onset <= $1.onset }
        guard !members.isEmpty, names.count == members.count, isInOrder else {
            throw reader.damaged("members out of order")
        }
    }
}

/// The context of what looks at the record and its key alone.
private struct NoTerms: TermContext {}
