import RuleModel

/// The window of a rule: its shape, what it measures, and how far back its conditions look.
///
/// A class, as all that is made once of a rule: keys look at it for each event, and a copy of a struct
/// would count a reference for each of its parts.
final class WindowRule: Sendable {
    /// A window before the one of now that some expression of the rule asks for (H10).
    struct Past: Sendable, Equatable {
        var time: Term.MeasureTime
        /// Indices of the measures that are asked for.
        var measures: Set<Int>
        /// Whether a condition asks, and not only a message. Only then is the rule judged at the
        /// instants at which this window changes.
        var isJudged: Bool
    }

    /// Events of one key that a window keeps; more push out the oldest (T9).
    let eventLimit: Int
    let kind: WindowPlan.Kind
    let layout: WindowLayout
    let pasts: [Past]
    /// The buckets of tumbling and hopping windows.
    let grid: BucketGrid?

    /// - Parameters:
    ///   - conditions: Expressions whose truth is the rule's state.
    ///   - others: Expressions that are only shown.
    init(
        _ program: ThresholdProgram, code: Code, conditions: [CodeID], others: [CodeID],
        zones: [String: ZoneTable], eventLimit: Int
    ) {
        self.eventLimit = eventLimit
        kind = program.window.kind
        layout = WindowLayout(measures: program.measures)
        var pasts: [Past] = []
        for (roots, isJudged) in [(conditions, true), (others, false)] {
            for root in roots {
                for (measure, time) in code.measures(below: root) where time != .now {
                    if let index = pasts.firstIndex(where: { $0.time == time }) {
                        pasts[index].measures.insert(measure)
                        pasts[index].isJudged = pasts[index].isJudged || isJudged
                    } else {
                        pasts.append(Past(time: time, measures: [measure], isJudged: isJudged))
                    }
                }
            }
        }
        self.pasts = pasts
        let zone = program.window.zone.map { zones[$0] ?? .utc }
        switch kind {
        case .tumbling(let size): grid = BucketGrid(size: size, step: size, zone: zone)
        case .hopping(let size, every: let step):
            grid = BucketGrid(size: size, step: step, zone: zone)
        case .sliding, .session, .last: grid = nil
        }
    }

    /// The length of time that one window covers; zero where it is not a length of time.
    var span: TimeSpan {
        switch kind {
        case .sliding(let span), .tumbling(let span), .hopping(let span, every: _): span
        case .session, .last: .zero
        }
    }

    /// How long the clock of a key must have run before a measure of that time is known.
    func warmUp(of time: Term.MeasureTime) -> TimeSpan {
        switch time {
        case .now: span
        case .previous: span + span
        case .earlier(let distance): distance + span
        }
    }
}

extension Code {
    /// The measures that an expression reads, with the time each is asked for.
    func measures(below root: CodeID) -> [(measure: Int, time: Term.MeasureTime)] {
        var found: [(Int, Term.MeasureTime)] = []
        CodeWalker(code: self).forEach(root) { instruction in
            guard instruction.opcode == .measure else { return }
            let time: Term.MeasureTime =
                instruction.c == 0
                ? .now : instruction.c == 1 ? .previous : .earlier(spans[Int(instruction.b)])
            found.append((Int(instruction.a), time))
        }
        return found
    }
}
