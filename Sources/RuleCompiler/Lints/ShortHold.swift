import RuleModel
import RuleSyntax

extension Lints {
    /// W0431: a `for` shorter than the bucket, in which the condition is judged once.
    mutating func reportShortHolds(in threshold: ThresholdSyntax) {
        let bucket: DurationLiteral
        switch threshold.window?.kind {
        case .tumbling(let size)?: bucket = size
        case .hopping(_, every: let step)?: bucket = step
        case .sliding?, .session?, .last?, nil: return
        }
        for hold in [threshold.whenFor, threshold.resolveFor] {
            guard let hold, hold.nanoseconds > 0, hold.nanoseconds < bucket.nanoseconds else {
                continue
            }
            report(
                .shortHold(
                    sourceText(hold.range), bucket: sourceText(bucket.range), at: hold.range,
                    window: bucket.range))
        }
    }
}
