import RuleModel

/// What a threshold rule says, made ready for its keys: made once, shared, never changed.
final class ThresholdRule: Sendable {
    let program: ThresholdProgram
    let window: WindowRule
    let measureNames: [String]
    /// The times of the past that expressions ask for, in the order of `WindowRule.pasts`.
    let pastTimes: [Term.MeasureTime]
    /// The clock readings at which the conditions of a key come to know more: for keys from a list,
    /// and for others, whose window of now is known from the first event. Rising.
    let warmUpsOfListed: [TimeSpan]
    let warmUps: [TimeSpan]

    init(
        _ rule: RuleProgram, _ program: ThresholdProgram, code: Code, zones: [String: ZoneTable],
        eventLimit: Int
    ) {
        self.program = program
        var shown = rule.probes + [rule.unless].compactMap { $0 }
        for part in rule.emit.message {
            if case .code(let code, _) = part { shown.append(code) }
        }
        shown += rule.emit.attach.map(\.code)
        shown += (rule.emit.suppress?.by ?? []) + (rule.emit.group?.by ?? [])
        let window = WindowRule(
            program, code: code,
            conditions: [program.when] + [program.resolveWhen].compactMap { $0 },
            others: shown, zones: zones, eventLimit: eventLimit)
        self.window = window
        measureNames = program.measures.map(\.name)
        pastTimes = window.pasts.map(\.time)
        warmUps =
            window.span == .zero
            ? [] : Set(window.pasts.filter(\.isJudged).map { window.warmUp(of: $0.time) }).sorted()
        warmUpsOfListed = window.span == .zero ? [] : Set([window.span] + warmUps).sorted()
    }
}
