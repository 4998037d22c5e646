import RuleModel

/// What a machine of a correlation knows of its rule: made once, shared, never changed.
final class CorrelationRule: Sendable {
    let program: CorrelationProgram
    let layout: CaptureLayout
    let masks: Masks
    let search: MemberSearch
    /// The most events of a key, and the most occurrences for a lift (T9).
    let eventsMax: Int
    let occurrencesMax: Int
    /// How long an episode is quiet between two updates for further events (C4).
    let updateEvery = TimeSpan.minute

    /// What tells the beginning of an alert from its end; nil where no member is over alerts.
    private let alertFields: AlertFields?
    /// The rules whose alerts last until they are resolved.
    private let lastingRules: Set<Text>

    private struct AlertFields: Sendable {
        var id: FieldID
        var state: FieldID
        var rule: FieldID
    }

    init(
        rule index: Int, _ correlation: CorrelationProgram, in whole: Program, limits: EngineLimits
    ) {
        let rule = whole.rules[index]
        program = correlation
        layout = CaptureLayout(captured: correlation.members.map(\.captured), program: whole)
        masks = Masks(rule: rule)
        search = MemberSearch(correlation, triesMax: max(1, limits.workPerEvent / 16))
        eventsMax = max(1, min(rule.bound.eventsPerRun, limits.eventsPerKey))
        occurrencesMax = max(1, limits.occurrences)
        func field(_ name: String) -> FieldID? {
            let path = FieldPath([name])
            return whole.tables.fields.firstIndex { $0.path == path && $0.type == .text }
                .map { FieldID(rawValue: Int32($0)) }
        }
        if correlation.members.contains(where: \.isInterval), let id = field("id"),
            let state = field("state"), let name = field("rule")
        {
            alertFields = AlertFields(id: id, state: state, rule: name)
        } else {
            alertFields = nil
        }
        lastingRules = Set(whole.rules.filter(\.alertsLast).map { Text($0.name) })
    }

    /// What an event is to a member.
    enum Role {
        case point
        case beginning(id: Value)
        case end(id: Value)
    }

    /// Nil: it is nothing to this member. The condition of an alert is asked at its beginning.
    func role(of event: Event, for member: MemberProgram) -> Role? {
        guard event.type == program.inputs[member.input].type else { return nil }
        guard member.isInterval, let alertFields else {
            return passes(event, member) ? .point : nil
        }
        let state = event.value(alertFields.state)
        guard case .text(let rule) = event.value(alertFields.rule), lastingRules.contains(rule)
        else {
            let isNew = state == .text(Text(Alert.State.firing.rawValue))
            return isNew && passes(event, member) ? .point : nil
        }
        switch state {
        case .text(Text(Alert.State.firing.rawValue)):
            return passes(event, member) ? .beginning(id: event.value(alertFields.id)) : nil
        case .text(Text(Alert.State.resolved.rawValue)):
            return .end(id: event.value(alertFields.id))
        default: return nil
        }
    }

    private func passes(_ event: Event, _ member: MemberProgram) -> Bool {
        member.condition.map(event.passes) ?? true
    }
}

extension RuleProgram {
    /// Whether its alerts have an end, so that they are intervals (C5).
    fileprivate var alertsLast: Bool {
        switch pattern {
        case .sequence, .metric: false
        case .threshold, .anomaly: true
        case .correlation(let correlation): !correlation.isOncePerEvent
        }
    }
}
