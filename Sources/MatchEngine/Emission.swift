import RuleModel

/// What a machine knows of a record; the emission adds what the rule says.
struct MatchRecord: Sendable {
    /// From `MachineContext.makeAlertID`; the records of one episode share it.
    var id: String
    var state: Alert.State
    /// `sequence` or `threshold`.
    var kind: String
    var matchedAt: Timestamp
    var firstTime: Timestamp
    var lastTime: Timestamp
    var strength: Double
    /// All measures of a threshold in order; masked by the emission.
    var measures: [Alert.NamedValue] = []
    /// The steps of a sequence, already masked.
    var steps: [Alert.Step] = []
    var reason: String?
    /// Why the record may be wrong, besides what the engine knows of its key.
    var incompleteBecause: [String] = []
    /// Whether `unless` and `active` may keep the record silent. False for the end of an episode
    /// whose beginning was handed out.
    var mayBeSilenced = true
}

/// What the emission keeps between records.
struct EmissionState: Sendable {
    /// By index into `Program.rules`.
    fileprivate let rules: [RuleEmission]
    /// Episodes that began at `idTime`, to tell apart those of one key (T12).
    fileprivate var idTime = Timestamp.distantPast
    fileprivate var idsGiven: [EpisodeKey: UInt64] = [:]
    fileprivate var lastOrder = AlertOrder(instant: .min, arrival: 0, rule: 0, key: 0, serial: 0)
    /// The last hour in which each rule's overflow was told.
    fileprivate var overflowHours: [Int64?]

    fileprivate struct EpisodeKey: Hashable {
        var rule: Int
        var hash: UInt64
    }

    init(program: Program) {
        rules = program.rules.map { RuleEmission(rule: $0, program: program) }
        overflowHours = Array(repeating: nil, count: program.rules.count)
    }
}

extension MachineContext {
    /// The identity of a new episode (T12): a hash of the rule's name, the key and the time of the
    /// first match. A further episode of one key at the same instant gets another id.
    mutating func makeAlertID(key: KeySlot, matchedAt: Timestamp) -> String {
        if emission.idTime != matchedAt {
            emission.idTime = matchedAt
            emission.idsGiven.removeAll(keepingCapacity: true)
        }
        let episode = EmissionState.EpisodeKey(rule: rule, hash: keyHash(key))
        let number = emission.idsGiven[episode, default: 0]
        emission.idsGiven[episode] = number + 1
        return AlertID.text(
            rule: program.rules[rule].name, key: keyValues(key), time: matchedAt, number: number)
    }

    /// Builds a record and hands it out, unless the rule is to be silent now.
    ///
    /// - Parameter terms: Answers for steps, measures and the current event; key and facts are
    ///   answered by the emission.
    /// - Returns: Whether the record was handed out.
    @discardableResult
    mutating func emit(_ record: MatchRecord, key: KeySlot, terms: some TermContext) -> Bool {
        let rule = program.rules[rule]
        let masks = emission.rules[self.rule]
        let values = keyValues(key)
        let context = RecordContext(record: record, rule: rule, key: values, terms: terms)
        if record.mayBeSilenced, isSilent(rule, at: record.matchedAt, context) {
            counters.rules[self.rule].silenced += 1
            return false
        }
        counters.rules[self.rule].alerts += 1
        var measures = record.measures
        for index in rule.emit.maskedMeasures where measures.indices.contains(index) {
            measures[index].value = masked
        }
        let shownKey = zip(rule.keyNames, values).enumerated().map { index, part in
            Alert.NamedValue(part.0, masks.keys.contains(index) ? masked : part.1)
        }
        let attached = rule.emit.attach.enumerated().map { index, attached in
            Alert.NamedValue(
                attached.name,
                masks.attach[index] ? masked : evaluator.value(attached.code, in: context))
        }
        output.append(
            Alert(
                id: record.id, rule: rule.name, ruleID: rule.id, fingerprint: rule.fingerprint,
                kind: record.kind, state: record.state, severity: rule.metadata.severity,
                title: rule.metadata.title, message: message(rule, masks, context),
                tags: rule.metadata.tags, attack: rule.metadata.attack, key: shownKey,
                matchedAt: record.matchedAt, firstTime: record.firstTime,
                lastTime: record.lastTime, strength: record.strength,
                confidence: rule.metadata.confidence, measures: measures, steps: record.steps,
                attached: attached, reason: record.reason,
                incompleteBecause: record.incompleteBecause + keys[self.rule].doubts(key).reasons,
                grouped: 0,
                listVersions: listVersions(masks), sinks: rule.emit.sinks,
                probes: rule.probes.map { evaluator.value($0, in: context) },
                suppressKey: spacedKey(rule.emit.suppress, context),
                groupKey: spacedKey(rule.emit.group, context), order: nextOrder(key: keyHash(key))))
        return true
    }

    private var masked: Value { .text("***") }

    private func isSilent(
        _ rule: RuleProgram, at time: Timestamp, _ context: some TermContext
    ) -> Bool {
        for active in rule.active {
            let schedule = program.tables.schedules[active.schedule.rawValue]
            let zone = zones[schedule.zone] ?? .utc
            if schedule.contains(time, zone: zone) != active.during { return true }
        }
        return rule.unless.map { evaluator.holds($0, in: context) } ?? false
    }

    private func message(
        _ rule: RuleProgram, _ masks: RuleEmission, _ context: some TermContext
    ) -> String {
        var message = ""
        for (index, part) in rule.emit.message.enumerated() {
            switch part {
            case .text(let text): message += text
            case .code(let code, let format):
                if masks.message[index] || format == .masked {
                    message += "***"
                } else {
                    message += text(evaluator.value(code, in: context), format)
                }
            }
        }
        return message
    }

    private func text(_ value: Value, _ format: EmitPlan.MessageFormat) -> String {
        switch format {
        case .inZone(let name):
            guard case .time(let time) = value else { return ValueText.plain(value) }
            return ValueText.local(time, in: zones[name] ?? .utc)
        case .first(let count):
            guard case .list(let values) = value, values.count > count else {
                return ValueText.plain(value)
            }
            let shown = ValueText.plain(.list(Array(values.prefix(count))))
            return "\(shown) and \(values.count - count) more"
        case .plain, .masked:
            return ValueText.plain(value)
        }
    }

    private func listVersions(_ masks: RuleEmission) -> [Alert.NamedValue] {
        masks.lists.map { list in
            let digits = String(evaluator.lists[list.rawValue].version, radix: 16)
            let zeros = String(repeating: "0", count: 16 - digits.utf8.count)
            return Alert.NamedValue(
                program.tables.lists[list.rawValue].name, .text(zeros + digits))
        }
    }

    private func spacedKey(_ spaced: EmitProgram.Spaced?, _ context: some TermContext) -> [Value] {
        spaced?.by.map { Comparisons.canonical(evaluator.value($0, in: context)) } ?? []
    }

    /// Where a record made now stands; records of one key at one event are numbered.
    private mutating func nextOrder(key: UInt64) -> AlertOrder {
        var order = AlertOrder(
            instant: instant.nanoseconds, arrival: arrival, rule: program.rules[rule].id.rawValue,
            key: key, serial: emission.lastOrder.serial)
        order.serial = order == emission.lastOrder ? order.serial + 1 : 0
        emission.lastOrder = order
        return order
    }

    // MARK: - Limits

    /// What was dropped because a limit was reached.
    enum Overflow: String, Sendable {
        case keys, runs, events, searches
    }

    /// Counts that a limit was reached, and tells it once for each rule and hour (T9).
    mutating func noteOverflow(_ overflow: Overflow) {
        let dropped: String
        switch overflow {
        case .keys:
            counters.rules[rule].evictedKeys += 1
            dropped = "more than \(keys[rule].capacity) keys; those not used for longest were dropped"
        case .runs:
            counters.rules[rule].droppedRuns += 1
            dropped = "too many open runs of a key; the oldest were dropped"
        case .events:
            counters.rules[rule].droppedEvents += 1
            dropped = "too many events of a key; the oldest were dropped"
        case .searches:
            counters.rules[rule].exhaustedSearches += 1
            dropped = "too many combinations of events to try; a match may have been missed"
        }
        let hour = instant.nanoseconds.flooredQuotient(TimeSpan.hour.nanoseconds)
        guard emission.overflowHours[rule] != hour else { return }
        emission.overflowHours[rule] = hour
        let rule = program.rules[rule]
        let start = Timestamp(nanoseconds: 0) + TimeSpan.hour * hour
        output.append(
            Alert(
                id: AlertID.text(
                    rule: "engine.overflow", key: [.text(rule.name)], time: start, number: 0),
                rule: "engine.overflow", ruleID: rule.id, fingerprint: rule.fingerprint,
                kind: "engine", state: .firing, severity: .warning, title: nil,
                message: "rule \(rule.name): \(dropped)", tags: [], attack: [],
                key: [Alert.NamedValue("rule", .text(rule.name))], matchedAt: instant,
                firstTime: instant, lastTime: instant, strength: 1, confidence: 1, measures: [],
                steps: [], attached: [], reason: overflow.rawValue, incompleteBecause: [],
                grouped: 0, listVersions: [], sinks: rule.emit.sinks, probes: [], suppressKey: [],
                groupKey: [], order: nextOrder(key: 0)))
    }
}

/// Identities of alerts (T12).
enum AlertID {
    static func text(rule: String, key: [Value], time: Timestamp, number: UInt64) -> String {
        var text = ""
        for seed: UInt64 in [0x6d61_7274_6c65_7431, 0x6d61_7274_6c65_7432] {
            var hash = StableHash(seed: seed)
            hash.combine(rule)
            hash.combine(UInt64(key.count))
            for value in key { hash.combine(value) }
            hash.combine(time.nanoseconds)
            if number > 0 { hash.combine(number) }
            let digits = String(hash.value, radix: 16)
            text += String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }
        return text
    }
}

extension KeyTable.Doubts {
    /// Sentences for `Alert.incompleteBecause`.
    var reasons: [String] {
        var reasons: [String] = []
        if contains(.late) { reasons.append("events of this key came too late") }
        if contains(.evictedKeys) { reasons.append("keys of this rule were dropped for its limit") }
        if contains(.droppedRuns) { reasons.append("runs of this key were dropped for its limit") }
        if contains(.droppedEvents) {
            reasons.append("events of this key were dropped for its limit")
        }
        if contains(.exhaustedSearch) {
            reasons.append("not all combinations of events could be tried")
        }
        return reasons
    }
}

/// What of a rule's records is masked, and which lists the rule reads.
private struct RuleEmission: Sendable {
    /// Parts of the key.
    let keys: Set<Int>
    /// For each part of the message, and for each attached value, whether it shows something masked.
    let message: [Bool]
    let attach: [Bool]
    let lists: [ListID]

    init(rule: RuleProgram, program: Program) {
        let masks = Masks(rule: rule)
        keys = masks.keys
        let walker = CodeWalker(code: program.code)
        func shows(_ code: CodeID) -> Bool { walker.contains(code, where: masks.covers) }
        message = rule.emit.message.map { part in
            if case .code(let code, _) = part { return shows(code) }
            return false
        }
        attach = rule.emit.attach.map { shows($0.code) }
        var lists: Set<Int> = []
        for root in rule.expressions(in: program) {
            walker.forEach(root) { instruction in
                if instruction.opcode == .inList || instruction.opcode == .lookup {
                    lists.insert(Int(instruction.b))
                }
            }
        }
        if let list = rule.keyList { lists.insert(list.rawValue) }
        self.lists = lists.sorted().map { ListID($0) }
    }
}

/// What a rule's `mask` names, and what holds the same by nature: a part of the key is in every
/// event as the field it comes from.
struct Masks: Sendable {
    private(set) var keys: Set<Int>
    private(set) var fields: Set<EmitProgram.MaskedField>
    private let measures: Set<Int>

    init(rule: RuleProgram) {
        keys = Set(rule.emit.maskedKeys)
        fields = Set(rule.emit.maskedFields)
        measures = Set(rule.emit.maskedMeasures)
        guard case .sequence(let sequence) = rule.pattern else { return }
        let steps = sequence.steps.enumerated().map { (StepID($0), sequence.inputs[$1.input].key) }
        for (step, key) in steps {
            for (index, field) in key.enumerated()
            where fields.contains(EmitProgram.MaskedField(step: step, field: field)) {
                keys.insert(index)
            }
        }
        for (step, key) in steps {
            for (index, field) in key.enumerated() where keys.contains(index) {
                fields.insert(EmitProgram.MaskedField(step: step, field: field))
            }
        }
    }

    func covers(_ step: StepID, _ field: FieldID) -> Bool {
        fields.contains(EmitProgram.MaskedField(step: step, field: field))
    }

    func covers(_ instruction: Instruction) -> Bool {
        switch instruction.opcode {
        case .stepField, .stepList, .stepAggregate:
            covers(StepID(Int(instruction.a)), FieldID(rawValue: instruction.b))
        case .key: keys.contains(Int(instruction.a))
        case .measure: measures.contains(Int(instruction.a))
        default: false
        }
    }
}

extension RuleProgram {
    /// The roots of all expressions of the rule.
    func expressions(in program: Program) -> [CodeID] {
        var roots: [CodeID] = []
        func add(_ condition: ConditionID?) {
            if let condition { roots.append(program.eventConditions[Int(condition.rawValue)]) }
        }
        switch pattern {
        case .sequence(let sequence):
            for step in sequence.steps {
                add(step.condition)
                if let condition = step.runCondition { roots.append(condition) }
            }
        case .threshold(let threshold):
            add(threshold.condition)
            for measure in threshold.measures {
                add(measure.condition)
                if let argument = measure.argument { roots.append(argument) }
            }
            roots.append(threshold.when)
            if let resolve = threshold.resolveWhen { roots.append(resolve) }
        }
        if let unless { roots.append(unless) }
        for part in emit.message {
            if case .code(let code, _) = part { roots.append(code) }
        }
        roots += emit.attach.map(\.code)
        return roots
    }
}

/// Answers for key and facts; asks the machine for the rest.
private struct RecordContext<Terms: TermContext>: TermContext {
    let record: MatchRecord
    let rule: RuleProgram
    let key: [Value]
    let terms: Terms

    func field(_ field: FieldID) -> Value { terms.field(field) }
    func stepField(_ step: StepID, _ occurrence: Term.Occurrence, _ field: FieldID) -> Value {
        terms.stepField(step, occurrence, field)
    }
    func stepList(_ step: StepID, _ field: FieldID) -> Value { terms.stepList(step, field) }
    func stepCount(_ step: StepID) -> Value { terms.stepCount(step) }
    func stepAggregate(_ function: AggregateFunction, _ step: StepID, _ field: FieldID) -> Value {
        terms.stepAggregate(function, step, field)
    }
    func key(_ index: Int) -> Value { key.indices.contains(index) ? key[index] : .missing }
    func measure(_ index: Int, _ time: Term.MeasureTime) -> Value { terms.measure(index, time) }

    func fact(_ fact: MatchFact) -> Value {
        switch fact {
        case .matchedAt: .time(record.matchedAt)
        case .firstTime: .time(record.firstTime)
        case .lastTime: .time(record.lastTime)
        case .duration: .span(record.lastTime - record.firstTime)
        case .rule: .text(rule.name)
        case .severity: .text(rule.metadata.severity.rawValue)
        case .strength: .float(record.strength)
        case .confidence: .float(rule.metadata.confidence)
        case .state: .text(record.state.rawValue)
        }
    }
}
