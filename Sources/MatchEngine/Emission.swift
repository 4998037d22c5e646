import RuleModel

/// What a machine knows of a record; the emission adds what the rule says.
struct MatchRecord: Sendable {
    /// From `MachineContext.makeAlertID`; the records of one episode share it.
    var id: String
    var state: Alert.State
    /// As in `Alert.kind`.
    var kind: String
    var matchedAt: Timestamp
    var firstTime: Timestamp
    var lastTime: Timestamp
    var strength: Double
    /// All measures of a threshold in order; masked by the emission.
    var measures: [Alert.NamedValue] = []
    /// The steps of a sequence, already masked.
    var steps: [Alert.Step] = []
    /// The members of a cluster in order of onset.
    var members: [Alert.Member] = []
    var reason: String?
    /// What the record says; nil: the rule's message with the values of now.
    var message: String?
    /// Why the record may be wrong, besides what the engine knows of its key.
    var incompleteBecause: [String] = []
    /// Whether `unless` and `active` may keep the record silent. False for the end of an episode
    /// whose beginning was handed out.
    var mayBeSilenced = true
}

/// What the emission keeps between records.
struct EmissionState: Sendable {
    /// By index into `Program.rules`.
    let rules: [RuleEmission]
    /// Episodes that began at `idTime`, to tell apart those of one key (T12).
    fileprivate var idTime = Timestamp.distantPast
    fileprivate var idsGiven: [EpisodeKey: Int] = [:]
    /// How many records each key of a rule has made at one instant, by one event.
    fileprivate var serials: [EpisodeKey: Int] = [:]
    fileprivate var serialsOf = (instant: Timestamp.distantPast, arrival: UInt64(0))
    /// The message of the record that was made last.
    fileprivate(set) var lastMessage: String?
    /// The last hour in which each rule's overflow was told.
    var overflowHours: [Int64?]

    fileprivate struct EpisodeKey: Hashable {
        var rule: Int
        var hash: UInt64

        /// The hash of the key is one already.
        func hash(into hasher: inout Hasher) { hasher.combine(hash ^ UInt64(rule)) }
    }

    /// Begins anew with counting the episodes of one instant.
    mutating func forgetIDs() {
        idTime = .distantPast
        idsGiven.removeAll(keepingCapacity: true)
    }

    init(program: Program) {
        rules = program.rules.map { RuleEmission(rule: $0, program: program) }
        overflowHours = Array(repeating: nil, count: program.rules.count)
    }

    // MARK: - Snapshot

    func write(to writer: inout StateWriter) {
        writer.write(idTime)
        writer.write(serialsOf.instant)
        writer.write(unsigned: serialsOf.arrival)
    }

    /// Of several shards the one that has come furthest counts.
    mutating func restore(from reader: inout StateReader) throws(SnapshotError) {
        let time: Timestamp = try reader.read()
        if time > idTime {
            idTime = time
            idsGiven.removeAll()
        }
        let instant: Timestamp = try reader.read()
        let arrival = try reader.unsigned()
        if (instant, arrival) > serialsOf {
            serialsOf = (instant, arrival)
            serials.removeAll()
        }
    }

    /// The ids of one rule that were given for `idTime`, how many records its keys have made at the
    /// last instant, and when its overflow was told.
    func write(rule: Int, to writer: inout StateWriter) {
        writer.write(idTime)
        writer.write(sorted: idsGiven.filter { $0.key.rule == rule }) { given, writer in
            writer.write(word: given.key.hash)
            writer.write(given.value)
        }
        writer.write(serialsOf.instant)
        writer.write(unsigned: serialsOf.arrival)
        writer.write(sorted: serials.filter { $0.key.rule == rule }) { made, writer in
            writer.write(word: made.key.hash)
            writer.write(made.value)
        }
        writer.write(overflowHours[rule].map { Timestamp(nanoseconds: $0) })
    }

    mutating func restore(
        rule: Int, from reader: inout StateReader
    ) throws(SnapshotError) {
        let time: Timestamp = try reader.read()
        for _ in 0..<(try reader.count()) {
            let episode = EpisodeKey(rule: rule, hash: try reader.word())
            let given = try reader.tally()
            if time == idTime { idsGiven[episode] = max(idsGiven[episode] ?? 0, given) }
        }
        let instant: Timestamp = try reader.read()
        let arrival = try reader.unsigned()
        for _ in 0..<(try reader.count()) {
            let key = EpisodeKey(rule: rule, hash: try reader.word())
            let made = try reader.tally()
            if (instant, arrival) == serialsOf { serials[key] = max(serials[key] ?? 0, made) }
        }
        let hour: Timestamp? = try reader.readOptional()
        if let hour {
            overflowHours[rule] = max(overflowHours[rule] ?? .min, hour.nanoseconds)
        }
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
        let number = counted(&emission.idsGiven[episode, default: 0])
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
        let masks = emission.rules[rule]
        let values = keyValues(key)
        // Not the rule as a whole: copying it would count its references.
        let context = RecordContext(
            record: record, rule: program.rules[rule].name,
            severity: program.rules[rule].metadata.severity,
            confidence: program.rules[rule].metadata.confidence, key: values, terms: terms)
        if let unless = program.rules[rule].unless, recorder?.index == rule {
            let evaluator = evaluator
            recorder?.cover(unless, in: context, by: evaluator)
        }
        if record.mayBeSilenced, isSilent(at: record.matchedAt, context) {
            counters.rules[rule].silenced += 1
            return false
        }
        counters.rules[rule].alerts += 1
        var alert = Alert(
            id: record.id, rule: context.rule, ruleID: program.rules[rule].id,
            fingerprint: program.rules[rule].fingerprint,
            kind: record.kind, state: record.state, severity: context.severity,
            title: program.rules[rule].metadata.title,
            message: record.message ?? message(masks, context),
            tags: program.rules[rule].metadata.tags, attack: program.rules[rule].metadata.attack,
            key: named(values), matchedAt: record.matchedAt, firstTime: record.firstTime,
            lastTime: record.lastTime, strength: record.strength,
            confidence: context.confidence, measures: record.measures, steps: record.steps,
            attached: attached(masks, context), reason: record.reason,
            incompleteBecause: record.incompleteBecause, grouped: 0,
            listVersions: listVersions(masks), sinks: program.rules[rule].emit.sinks,
            probes: program.rules[rule].probes.map { evaluator.value($0, in: context) },
            suppressKey: spacedKey(program.rules[rule].emit.suppress, context),
            groupKey: spacedKey(program.rules[rule].emit.group, context),
            order: nextOrder(key: keyHash(key)))
        if !keys[rule].doubts(key).isEmpty {
            alert.incompleteBecause += keys[rule].doubts(key).reasons
        }
        for index in masks.keys where alert.key.indices.contains(index) {
            alert.key[index].value = masked
        }
        for index in program.rules[rule].emit.maskedMeasures
        where alert.measures.indices.contains(index) {
            alert.measures[index].value = masked
        }
        alert.members = record.members
        if program.rules[rule].emit.masksMembers {
            for index in alert.members.indices { alert.members[index].name = masked }
        }
        if record.state == .firing { addRisks(to: &alert, context) }
        emission.lastMessage = alert.message
        recorder?.noteAlert(rule, key: values, state: alert.state)
        if keepsFired, alert.state == .firing { fired.append((alert.id, alert.matchedAt)) }
        if program.rules[rule].place.isRead {
            derived.add(
                alert, key: named(values), metadata: program.rules[rule].metadata,
                depth: program.rules[rule].place.depth, at: instant)
        }
        if alert.state == .firing, !earlyAlerts.isEmpty {
            if let told = settled(alert) { output.append(told) }
        } else {
            output.append(alert)
        }
        return true
    }

    /// The parts of a key with their names.
    private func named(_ values: [Value]) -> [Alert.NamedValue] {
        zip(program.rules[rule].keyNames, values).map { Alert.NamedValue($0, $1) }
    }

    private func attached(
        _ masks: RuleEmission, _ context: some TermContext
    ) -> [Alert.NamedValue] {
        program.rules[rule].emit.attach.enumerated().map { index, attached in
            Alert.NamedValue(
                attached.name,
                masks.attach.contains(index) ? masked : evaluator.value(attached.code, in: context))
        }
    }

    /// The record as it is to be told, after what was told early; nil when that was the same.
    private mutating func settled(_ alert: Alert) -> Alert? {
        let (outcome, lead) = earlyAlerts.settle(alert, seen: highestTime)
        switch outcome {
        case .news: return alert
        case .confirmed:
            counters.early.confirmed += 1
            counters.early.lead = counters.early.lead + lead
            return nil
        case .changed(let difference):
            counters.early.changed += 1
            counters.early.lead = counters.early.lead + lead
            var corrected = alert
            corrected.state = .corrected
            corrected.reason = difference
            return corrected
        }
    }

    /// Puts the rule's points on its entities. An entity or a number that is missing adds nothing.
    private mutating func addRisks(
        to alert: inout Alert, _ context: some TermContext
    ) {
        for risk in program.rules[rule].emit.risks {
            let entity = Comparisons.canonical(evaluator.value(risk.entity, in: context))
            guard !entity.isMissing,
                let points = Numbers.double(evaluator.value(risk.points, in: context))
            else { continue }
            let score = risks.add(
                points, to: entity, of: risk.name, at: instant, limits: limits)
            if score.dropped > 0 { noteOverflow(.risks, count: score.dropped) }
            if score.isDoubtful {
                alert.incompleteBecause.append("points of entities were dropped for their limit")
            }
            let entry = Alert.Risk(
                name: risk.name, entity: entity, points: points, score: score.points)
            alert.risks.append(entry)
            derived.add(
                entry, of: alert, depth: program.rules[rule].place.depth, at: instant)
        }
    }

    private var masked: Value { .text("***") }

    private func isSilent(at time: Timestamp, _ context: some TermContext) -> Bool {
        for active in program.rules[rule].active {
            let schedule = program.tables.schedules[active.schedule.rawValue]
            let zone = zones[schedule.zone] ?? .utc
            if schedule.contains(time, zone: zone) != active.during { return true }
        }
        return program.rules[rule].unless.map { evaluator.holds($0, in: context) } ?? false
    }

    private func message(_ masks: RuleEmission, _ context: some TermContext) -> String {
        var message: [UInt8] = []
        message.reserveCapacity(96)
        for (index, part) in program.rules[rule].emit.message.enumerated() {
            switch part {
            case .text(let text): message.append(contentsOf: text.utf8)
            case .code(let code, let format):
                if masks.message.contains(index) || format == .masked {
                    message.append(contentsOf: "***".utf8)
                } else {
                    append(evaluator.value(code, in: context), format, to: &message)
                }
            }
        }
        return String(decoding: message, as: UTF8.self)
    }

    private func append(
        _ value: Value, _ format: EmitPlan.MessageFormat, to message: inout [UInt8]
    ) {
        switch (format, value) {
        case (.inZone(let name), .time(let time)):
            message.append(
                contentsOf: ValueText.local(time, in: zones[name] ?? .utc).utf8)
        case (.first(let count), .list(let values)) where values.count > count:
            ValueText.append(.list(Array(values.prefix(count))), to: &message)
            message.append(contentsOf: " and \(values.count - count) more".utf8)
        default:
            ValueText.append(value, to: &message)
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

    /// Where a record made now stands. Records of one event or instant are numbered for each rule and
    /// key, since other keys may be another shard's.
    mutating func nextOrder(key: UInt64) -> AlertOrder {
        if emission.serialsOf != (instant, arrival) {
            emission.serialsOf = (instant, arrival)
            emission.serials.removeAll(keepingCapacity: true)
        }
        let episode = EmissionState.EpisodeKey(rule: rule, hash: key)
        let serial = counted(&emission.serials[episode, default: 0])
        return AlertOrder(
            instant: instant.nanoseconds, arrival: arrival,
            depth: program.rules[rule].place.depth, rule: program.rules[rule].id.rawValue,
            key: key, serial: serial)
    }
}

/// How many there were before, and one more from now on.
private func counted(_ number: inout Int) -> Int {
    number += 1
    return number - 1
}

/// Identities of alerts (T12).
enum AlertID {
    static func text(rule: String, key: [Value], time: Timestamp, number: Int) -> String {
        func half(_ seed: UInt64) -> UInt64 {
            var hash = StableHash(seed: seed)
            hash.combine(rule)
            hash.combine(UInt64(key.count))
            for value in key { hash.combine(value) }
            hash.combine(time.nanoseconds)
            if number > 0 { hash.combine(UInt64(number)) }
            return hash.value
        }
        var text: [UInt8] = []
        text.reserveCapacity(32)
        text.appendHexadecimal(half(0x6d61_7274_6c65_7431), digits: 16)
        text.appendHexadecimal(half(0x6d61_7274_6c65_7432), digits: 16)
        return String(decoding: text, as: UTF8.self)
    }
}

/// Answers for key and facts; asks the machine for the rest.
private struct RecordContext<Terms: TermContext>: TermContext {
    let record: MatchRecord
    let rule: String
    let severity: Severity
    let confidence: Double
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
        case .rule: .text(rule)
        case .severity: .text(severity.rawValue)
        case .strength: .float(record.strength)
        case .confidence: .float(confidence)
        case .state: .text(record.state.rawValue)
        }
    }

    func score(_ function: ScoreFunction, measure: Int, parameter: Double?) -> Value {
        terms.score(function, measure: measure, parameter: parameter)
    }

    func clusterCount() -> Value { .int(Int64(record.members.count)) }

    func clusterField(_ field: ClusterField, _ occurrence: Term.Occurrence?) -> Value {
        switch occurrence {
        case nil: .list(record.members.map { $0.value(of: field) })
        case .last: record.members.last?.value(of: field) ?? .missing
        case .only, .first: record.members.first?.value(of: field) ?? .missing
        }
    }
}

extension Alert.Member {
    fileprivate func value(of field: ClusterField) -> Value {
        switch field {
        case .name: name
        case .onset: .time(onset)
        case .value: .float(value)
        case .baseline: .float(baseline)
        case .spread: .float(spread)
        case .score: .float(score)
        case .measure: .text(measure)
        }
    }
}
