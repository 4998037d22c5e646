import RuleModel

/// What a rule asked to be measured about a coincidence (C6, C7).
enum MeasuredStrength: Sendable {
    case lift(LiftHistory.Rates)
    case movement(MovementHistory.Movement)

    func isEnough(for program: StrengthProgram) -> Bool {
        switch (self, program) {
        case (.lift(let rates), .lift(let plan)): rates.lift >= plan.limit
        case (.movement(let movement), .movement(let plan)): movement.coefficient >= plan.limit
        case (.lift, .movement), (.movement, .lift): false
        }
    }

    /// What the rule asks for at least.
    static func limit(of program: StrengthProgram) -> Double {
        switch program {
        case .lift(let plan): plan.limit
        case .movement(let plan): plan.limit
        }
    }

    var strength: Double {
        switch self {
        case .lift(let rates): rates.lift
        case .movement(let movement): movement.coefficient
        }
    }

    var measures: [Alert.NamedValue] {
        switch self {
        case .lift(let rates):
            [
                Alert.NamedValue("lift", .float(rates.lift)),
                Alert.NamedValue("rate_after", .float(rates.after)),
                Alert.NamedValue("rate_base", .float(rates.base)),
                Alert.NamedValue("occurrences", .int(Int64(rates.occurrences))),
            ]
        case .movement(let movement):
            [
                Alert.NamedValue("coefficient", .float(movement.coefficient)),
                Alert.NamedValue("lag", .span(movement.lag)),
                Alert.NamedValue("points", .int(Int64(movement.points))),
            ]
        }
    }
}

/// A witness with what is around it, ready for a record.
struct ShownChoice: Sendable {
    /// The members that are there, as bits.
    let members: UInt64
    private let taken: [[CapturedEvent]]
    private let steps: [Alert.Step]
    private let firstTime: Timestamp
    private let lastTime: Timestamp
    private let strength: Double
    private let measures: [Alert.NamedValue]

    init(
        _ choice: MemberChoice, _ measured: MeasuredStrength?, _ windows: [MemberWindow],
        rule: CorrelationRule, in context: MachineContext
    ) {
        members = choice.members
        taken = choice.events.map { event in event.map { [$0] } ?? [] }
        let limit = max(1, context.limits.eventsPerAlertStep)
        var steps: [Alert.Step] = []
        for (index, event) in choice.events.enumerated() {
            guard let event else { continue }
            let member = rule.program.members[index]
            let shown = windows[index].latest(limit - 1, without: event) + [event]
            steps.append(
                Alert.Step(
                    name: member.name,
                    events: shown.map {
                        context.boundEvent(
                            $0, of: StepID(index), showing: member.captured, rule.layout, rule.masks
                        )
                    },
                    omitted: max(0, windows[index].count - shown.count)))
        }
        self.steps = steps
        let events = choice.events.compactMap { $0 }
        firstTime = events.map(\.time).min() ?? context.instant
        lastTime = events.map(\.time).max() ?? context.instant
        strength =
            measured?.strength ?? ShownChoice.strength(choice, windows, program: rule.program)
        measures = measured?.measures ?? []
    }

    /// The share of members that are there, times how close together they are. An alert that lasts is
    /// near whatever comes while it does.
    private static func strength(
        _ choice: MemberChoice, _ windows: [MemberWindow], program: CorrelationProgram
    ) -> Double {
        let events = choice.events.enumerated().compactMap { member, event in
            event.map { (instant: $0.instant, lasts: windows[member].lasts($0)) }
        }
        let share = Double(events.count) / Double(max(1, program.members.count))
        guard let newest = events.map(\.instant).max(),
            let oldest = events.filter({ !$0.lasts }).map(\.instant).min(),
            program.within > .zero
        else { return share }
        let spread = (newest - oldest).seconds / program.within.seconds
        return share * min(1, max(0, 1 - spread))
    }

    func record(id: String, state: Alert.State, at instant: Timestamp) -> MatchRecord {
        MatchRecord(
            id: id, state: state, kind: "correlation", matchedAt: instant, firstTime: firstTime,
            lastTime: lastTime, strength: strength, measures: measures, steps: steps)
    }

    func terms(rule: CorrelationRule, key: [Value]) -> StepTerms {
        StepTerms(layout: rule.layout, taken: taken, current: nil, key: key)
    }
}

extension MeasuredStrength: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self = try reader.bool() ? .lift(try reader.read()) : .movement(try reader.read())
    }

    func write(to writer: inout StateWriter) {
        switch self {
        case .lift(let rates):
            writer.write(true)
            writer.write(rates)
        case .movement(let movement):
            writer.write(false)
            writer.write(movement)
        }
    }
}
