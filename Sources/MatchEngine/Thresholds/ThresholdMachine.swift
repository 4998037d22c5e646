import RuleModel

/// The state of a `threshold` rule over all its keys (H1 to H10).
struct ThresholdMachine: RuleMachine {
    private let index: Int
    /// Made when watching begins, since it needs the time zones.
    private var rule: ThresholdRule?
    private var keys = KeyStates<ThresholdKey>()
    /// What the rule's `from list` names, in the order of the list, each once.
    private var listed: [Value] = []
    private var listedSet: Set<Value> = []

    init(rule: Int, program: Program, limits: EngineLimits) { index = rule }

    mutating func begin(at time: Timestamp, in context: inout MachineContext) {
        rule = makeRule(context)
        if let list = context.program.rules[index].keyList { readList(list, in: &context) }
    }

    private func makeRule(
        _ context: MachineContext, eventLimit: Int = .max
    ) -> ThresholdRule? {
        let program = context.program.rules[index]
        guard case .threshold(let threshold) = program.pattern else { return nil }
        return ThresholdRule(
            program, threshold, code: context.program.code, zones: context.zones,
            eventLimit: max(1, min(eventLimit, context.limits.eventsPerWindow)))
    }

    mutating func process(_ event: Event, key: KeySlot, in context: inout MachineContext) {
        if context.program.rules[index].keyList != nil, !isListed(context.keyValues(key)) {
            // A rule with keys from a list has no others.
            context.release(key)
            return
        }
        change(key, in: &context) { state, rule, context in
            state.process(event, rule: rule, key: key, in: &context)
        }
    }

    mutating func fire(at time: Timestamp, key: KeySlot, in context: inout MachineContext) {
        change(key, in: &context) { state, rule, context in
            state.fire(until: time, rule: rule, key: key, in: &context)
        }
    }

    @inline(__always)
    mutating func prefetchPlace(_ key: KeySlot) { keys.prefetchPlace(key) }
    @inline(__always)
    mutating func prefetchState(_ key: KeySlot) { keys.prefetchState(key) }

    mutating func forget(_ key: KeySlot) {
        keys[key] = nil
    }

    mutating func adopt(_ key: KeySlot, from other: ThresholdMachine, _ otherKey: KeySlot) {
        keys[key] = other.keys[otherKey]
    }

    /// Lets no window grow beyond the largest that there is, if that holds more than so many events;
    /// nil: lets them grow by a quarter again.
    mutating func limitEvents(above large: Int?, in context: MachineContext) {
        guard let now = rule?.window.eventLimit else { return }
        guard let large else {
            if now < context.limits.eventsPerWindow {
                rule = makeRule(context, eventLimit: now + now / 4)
            }
            return
        }
        let largest = keys.all.reduce(0) { max($0, $1.eventCount) }
        if largest > large, largest < now { rule = makeRule(context, eventLimit: largest) }
    }

    mutating func takeKeys(from other: inout Self) { swap(&keys, &other.keys) }

    func isFiring(_ key: KeySlot) -> Bool {
        keys[key]?.isFiring ?? false
    }

    mutating func listChanged(_ list: ListID, in context: inout MachineContext) {
        guard context.program.rules[index].keyList == list else { return }
        readList(list, in: &context)
    }

    var openDeadlines: Int { keys.all.reduce(0) { $0 + ($1.isPending ? 1 : 0) } }

    // MARK: - Keys

    private mutating func change(
        _ key: KeySlot, in context: inout MachineContext,
        _ change: (inout ThresholdKey, ThresholdRule, inout MachineContext) -> Void
    ) {
        guard let rule else { return }
        let isListed = !listedSet.isEmpty && isListed(context.keyValues(key))
        let instant = context.instant
        keys.change(key, rule, in: &context) {
            ThresholdKey(rule: rule, isListed: isListed, at: instant)
        } _: { state, context in
            change(&state, rule, &context)
        }
    }

    private func isListed(_ values: [Value]) -> Bool {
        values.count == 1 && listedSet.contains(Comparisons.canonical(values[0]))
    }

    // MARK: - Keys from a list

    /// Compares the list with what it held before: new entries begin their clock, those that are gone
    /// end whatever they had open (H9).
    private mutating func readList(_ list: ListID, in context: inout MachineContext) {
        guard context.evaluator.lists.indices.contains(list.rawValue) else { return }
        let table = context.evaluator.lists[list.rawValue]
        var values: [Value] = []
        var set: Set<Value> = []
        for row in table.rows {
            let value = keyValue(row[table.keyColumn], in: context.program)
            if !value.isMissing, set.insert(value).inserted { values.append(value) }
        }
        let before = (listed: listed, set: listedSet)
        (listed, listedSet) = (values, set)
        for value in before.listed where !set.contains(value) { unlist(value, in: &context) }
        for value in values where !before.set.contains(value) { enlist(value, in: &context) }
    }

    /// An entry as the rule's events would have it.
    private func keyValue(_ entry: Value, in program: Program) -> Value {
        guard let field = rule?.program.input.key.first, field.rawValue >= 0 else {
            return .missing
        }
        return Comparisons.entry(entry, as: program.tables.fields[Int(field.rawValue)].type)
    }

    private mutating func enlist(_ value: Value, in context: inout MachineContext) {
        guard let (key, _, evicted) = context.slot(forKey: [value]) else { return }
        if let evicted { forget(evicted) }
        change(key, in: &context) { state, rule, context in
            state.enlist(at: context.instant, rule: rule)
        }
    }

    private mutating func unlist(_ value: Value, in context: inout MachineContext) {
        // Asking makes the key if it is not there; it is given back at once.
        guard let (key, _, evicted) = context.slot(forKey: [value]) else { return }
        if let evicted { forget(evicted) }
        change(key, in: &context) { state, rule, context in
            state.end(reason: "no longer listed", rule: rule, key: key, in: &context)
        }
    }

    func open(_ key: KeySlot, found: inout OpenMatches, in context: MachineContext) {
        guard let rule, let state = keys[key] else { return }
        found.states.append(.threshold(state.open(rule: rule, key: key, in: context)))
    }

    // MARK: - Snapshot

    static let stateVersion = 1

    func openMatches(_ key: KeySlot, in context: MachineContext) -> Int {
        keys[key]?.isOpen ?? false ? 1 : 0
    }

    func farewell(_ key: KeySlot, reason: String, in context: MachineContext) -> Alert? {
        guard let rule, var state = keys[key], state.isTold else { return nil }
        var context = context
        context.output = []
        context.rule = index
        context.arrival = .max
        state.end(reason: reason, rule: rule, key: key, in: &context)
        return context.output.last
    }

    /// What the list of keys held: compared with what it holds when the snapshot is read, that tells
    /// which keys have come and gone.
    func writeCommon(to writer: inout StateWriter) { writer.write(listed) }

    mutating func restoreCommon(
        from reader: inout StateReader, version: Int, in context: inout MachineContext
    ) throws(SnapshotError) {
        if rule == nil { rule = makeRule(context) }
        listed = try reader.readArray()
        listedSet = Set(listed)
    }

    func write(_ key: KeySlot, to writer: inout StateWriter) {
        let state = rule == nil ? nil : keys[key]
        writer.write(state != nil)
        if let state, let rule { state.write(to: &writer, rule: rule) }
    }

    mutating func restore(
        _ key: KeySlot?, from reader: inout StateReader, version: Int,
        in context: inout MachineContext
    ) throws(SnapshotError) {
        guard try reader.bool(), let rule else { return }
        let state = try ThresholdKey(from: &reader, rule: rule, at: context.instant)
        guard let key else { return }
        // The rule may say another `for` than the one that asked to be woken.
        context.wake(key, at: state.nextInstant(rule: rule))
        keys[key] = state
    }
}
