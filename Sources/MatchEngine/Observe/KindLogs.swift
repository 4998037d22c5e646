import RuleModel

/// The spells of one key of a threshold.
struct SpellLog: Sendable {
    let key: [Value]
    private var told: [Spell] = []
    private var current: Spell?

    private static let spellsMax = 200

    init(key: [Value]) { self.key = key }

    mutating func note(
        _ state: Spell.State, at time: Timestamp, events: Int, minimum: Int,
        judgement: () -> Spell.Judgement
    ) {
        let isNew = current?.state != state
        var spell =
            current
            ?? Spell(
                key: key, state: state, from: time, to: time, nearest: nil, events: events,
                minimumEvents: minimum)
        if isNew, current != nil {
            // What ended a pending or firing spell is the judgement that comes behind it.
            if spell.state == .pending || spell.state == .firing { spell.nearest = judgement() }
            spell.to = time
            told.append(spell)
            if told.count > SpellLog.spellsMax { told.removeFirst() }
            spell = Spell(
                key: key, state: state, from: time, to: time, nearest: nil, events: events,
                minimumEvents: minimum)
        }
        spell.to = time
        spell.events = max(spell.events, events)
        if state == .inactive {
            let judgement = judgement()
            if !judgement.failed.isEmpty,
                spell.nearest.map({ judgement.distance < $0.distance }) ?? true
            {
                spell.nearest = judgement
            }
        }
        current = spell
    }

    func finished() -> [Spell] { told + (current.map { [$0] } ?? []) }
}

/// What a recorder knows of the members of a correlation: made once.
struct ObservedMembers: Sendable {
    struct Member: Sendable {
        var name: String
        var input: UInt64
        var type: EventTypeID
        var condition: CodeID?
        var bit: ConditionID?
    }

    let members: [Member]
    let required: Int
    let masks: Masks

    init(_ correlation: CorrelationProgram, program: Program, masks: Masks) {
        self.masks = masks
        members = correlation.members.map { member in
            Member(
                name: member.name, input: UInt64(member.input),
                type: correlation.inputs[member.input].type,
                condition: member.condition.map { program.eventConditions[Int($0.rawValue)] },
                bit: member.condition)
        }
        required = correlation.required
    }
}

/// The gatherings of one key of a correlation: in each stretch with members, when most were there.
struct GatheringLog: Sendable {
    let key: [Value]
    private var told: [Gathering] = []
    private var best: Gathering?
    /// By member: the event that came nearest to being one, since the stretch began.
    private var misses: [Int: Miss] = [:]

    init(key: [Value]) { self.key = key }

    mutating func note(
        _ event: Event, inputs: UInt64, rule: ObservedMembers, in context: MachineContext
    ) {
        guard best != nil,
            !rule.members.contains(where: { member in
                member.type == event.type && (member.bit.map(event.passes) ?? true)
            })
        else { return }
        for (index, member) in rule.members.enumerated()
        where member.type == event.type && inputs >> member.input & 1 == 1 {
            guard let condition = member.condition else { continue }
            let found = context.evaluator.failures(of: condition, in: EventContext(event: event))
            let miss = Miss(
                time: event.time, type: event.typeName, step: member.name,
                reason: .condition(
                    found.failed.map { $0.masked(by: rule.masks, step: StepID(index)) },
                    of: found.all))
            if !found.failed.isEmpty, misses[index].map({ miss.distance < $0.distance }) ?? true {
                misses[index] = miss
            }
        }
    }

    mutating func judged(
        _ newest: [Timestamp?], at time: Timestamp, until: Timestamp, outcome: Gathering.Outcome,
        rule: ObservedMembers
    ) {
        // A stretch ends when everything that it had has gone.
        if best.map({ time > $0.until }) ?? false { close() }
        var gathering = Gathering(
            key: key, at: time, present: [], missing: [], required: rule.required,
            outcome: outcome, until: until, misses: [])
        for (member, newest) in zip(rule.members, newest) {
            if let newest {
                gathering.present.append(.init(name: member.name, time: newest))
            } else {
                gathering.missing.append(member.name)
            }
        }
        if outcome == .fired {
            best = gathering
            close()
            return
        }
        if let best, best.present.count > gathering.present.count { return }
        best = gathering
    }

    private mutating func close() {
        guard var gathering = best else { return }
        gathering.misses = misses.sorted { $0.key < $1.key }.map(\.value)
            .filter { gathering.missing.contains($0.step) }
        told.append(gathering)
        if told.count > 200 { told.removeFirst() }
        best = nil
        misses = [:]
    }

    func finished() -> [Gathering] {
        var log = self
        log.close()
        return log.told
    }
}
